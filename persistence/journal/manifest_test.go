package journal_test

import (
	"strings"
	"testing"

	"larder/persistence/journal"
)

// redisManifests are what redis-server 7.0.15 has written.
var redisManifests = []string{
	"file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n",
	"file appendonly.aof.2.base.rdb seq 2 type b\nfile appendonly.aof.1.incr.aof seq 1 type h\nfile appendonly.aof.2.incr.aof seq 2 type i\nfile appendonly.aof.3.incr.aof seq 3 type i\n",
	"file \"a b.aof.1.base.rdb\" seq 1 type b\nfile \"a b.aof.1.incr.aof\" seq 1 type i\n",
	"file appendonly.aof seq 1 type b\n",
}

// TestManifests reads what Redis writes and writes it again.
func TestManifests(t *testing.T) {
	for _, text := range redisManifests {
		m, err := journal.ParseManifest([]byte(text))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got := string(m.Text()); got != text {
			t.Errorf("%q is written as %q", text, got)
		}
	}
}

// TestManifestForms is about what a manifest may look like, and must not.
func TestManifestForms(t *testing.T) {
	for _, c := range []struct{ text, wrong string }{
		{"# a comment\nFILE x SEQ 1 TYPE b\n", ""},
		{"type i seq 1 file x\n", ""},
		{"file x seq 1 type i startoffset 0 endoffset 100\n", ""}, // as Redis 8 has it
		{"file 'it\\'s' seq 1 type i\n", ""},
		{`file "\x00" seq 1 type i` + "\n", "the name of a file in the journal's own folder"},
		{"", "it is empty"},
		{"\n", "line 1"},
		{"file x seq 1 type b", "line 1 has no end"},
		{"file x seq 1 type b\nfile y seq 1 type b\n", `line 2: a second base file, "y"`},
		{"file x seq 2 type i\nfile y seq 2 type i\n", `line 2: "y" is number 2: must come after number 2`},
		{"file ../x seq 1 type b\n", `"../x" must be the name of a file`},
		{"file .. seq 1 type b\n", `".." must be the name of a file`},
		{"file x seq 0 type b\n", `seq "0"`},
		{"file x seq -1 type b\n", `seq "-1"`},
		{"file x seq one type b\n", `seq "one"`},
		{"file x seq 1 type q\n", `type "q"`},
		{"file x seq 1\n", "must be: file NAME"},
		{"file x seq 1 type\n", "must be: file NAME"},
		{"file x seq 1 file y\n", "lacks file, seq or type"},
		{"file \"x seq 1 type b\n", "quotes"},
		{"file " + strings.Repeat("x", 1100) + " seq 1 type b\n", "longer than 1023 bytes"},
	} {
		_, err := journal.ParseManifest([]byte(c.text))
		switch {
		case c.wrong == "" && err != nil:
			t.Errorf("%.80q: %v", c.text, err)
		case c.wrong != "" && (err == nil || !strings.Contains(err.Error(), c.wrong)):
			t.Errorf("%.80q: %v, want %q", c.text, err, c.wrong)
		}
	}
}

// FuzzManifest: what is read can be written, and is then read as the same.
func FuzzManifest(f *testing.F) {
	for _, text := range redisManifests {
		f.Add([]byte(text))
	}
	f.Add([]byte("file \"\\x41\\n\\\"\" seq 7 type h\n# x\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := journal.ParseManifest(text)
		if err != nil {
			return
		}
		again, err := journal.ParseManifest(m.Text())
		if m.Empty() {
			return
		}
		if err != nil || string(again.Text()) != string(m.Text()) {
			t.Fatalf("%q was written as %q, which is read as %q, %v", text, m.Text(), again.Text(), err)
		}
	})
}
