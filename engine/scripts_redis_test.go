package engine_test

import (
	"os"
	"strings"
	"testing"

	"larder/internal/peers"
)

// programs are those of a file: one a line, with ¶ for the ends of their own lines.
func programs(t testing.TB, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, line := range strings.Split(string(text), "\n") {
		if line != "" && !strings.HasPrefix(line, "###") {
			out = append(out, strings.ReplaceAll(line, "¶", "\n"))
		}
	}
	return out
}

// TestProgramsAsRedis compares what programs answer, errors and all.
func TestProgramsAsRedis(t *testing.T) {
	s := serve(t, quiet(), nil, nil)
	for _, proto := range []int{2, 3} {
		ours, theirs := peers.Dial(t, s.Addr(), proto), peers.Dial(t, peers.StartRedis(t), proto)
		ours.Do("FLUSHALL")
		ours.Do("SCRIPT", "FLUSH")
		for _, src := range programs(t, "testdata/programs.lua.txt") {
			if got, want := string(ours.Do("EVAL", src, "0")), string(theirs.Do("EVAL", src, "0")); got != want {
				t.Errorf("RESP%d %s\n\tgot  %.300q\n\twant %.300q", proto, src, got, want)
			}
		}
	}
}
