package engine_test

import (
	"strings"
	"testing"

	"larder/engine"
)

// TestCheckParameter: what a parameter group may have is known without a node.
func TestCheckParameter(t *testing.T) {
	for _, c := range []struct{ name, value, wrong string }{
		{"maxmemory-policy", "allkeys-lru", ""},
		{"maxmemory-policy", "some", "must be one of"},
		{"timeout", "60", ""},
		{"timeout", "soon", "couldn't be parsed"},
		{"appendonly", "yes", ""},
		{"databases", "3", "while a node runs"},
		{"color", "red", "no such parameter"},
		{"requirepass", "x", "secret"},
	} {
		if err := engine.CheckParameter(c.name, c.value); (err == nil) != (c.wrong == "") || err != nil && !strings.Contains(err.Error(), c.wrong) {
			t.Errorf("%s=%s: %v, want %q", c.name, c.value, err, c.wrong)
		}
	}
}
