package docs_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// TestLinks follows every link from a page of ours to a file of ours.
func TestLinks(t *testing.T) {
	link := regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	pages := 0
	for _, pattern := range []string{"../*.md", "*.md", "*/*.md"} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, page := range files {
			pages++
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range link.FindAllStringSubmatch(string(text), -1) {
				if _, err := os.Stat(filepath.Join(filepath.Dir(page), l[1])); err != nil {
					t.Errorf("%s links to %s, which is not there", page, l[1])
				}
			}
		}
	}
	if pages < 5 {
		t.Errorf("found %d pages only", pages)
	}
}
