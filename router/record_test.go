package router_test

import (
	"strings"
	"testing"

	"larder/router"
)

func TestRecordLine(t *testing.T) {
	r := &router.Record{
		Epoch: 7, Term: 5, Reign: 3, State: router.Switching, Primary: router.Run{Node: "node a", ID: "1"}, MinInSync: 2, Replicated: true, Returned: true,
		Set: []router.Run{{Node: "node a", ID: "1"}, {Node: "b", ID: "2"}}, Joining: []router.Run{{Node: "-", ID: "@,"}},
	}
	const want = "1 7 5 3 switching rl 2 node%20a@1,b@2 -@%40%2C"
	if got := r.Line(); got != want {
		t.Fatalf("line %q, want %q", got, want)
	}
	back, err := router.ParseRecord(want)
	if err != nil || !back.Equal(r) {
		t.Errorf("read back as %+v: %v", back, err)
	}
	if !r.Counted(router.Run{Node: "-", ID: "@,"}) || r.Member(router.Run{Node: "-", ID: "@,"}) || r.Counted(router.Run{Node: "b", ID: "3"}) {
		t.Error("who counts is wrong")
	}
}

func TestRecordErrors(t *testing.T) {
	for line, want := range map[string]string{
		"":                             "version",
		"1 7 5 3 normal - 1 a@1":       "8 words",
		"1 x 5 3 normal - 1 a@1 -":     "number",
		"1 7 5 3 asleep - 1 a@1 -":     "asleep",
		"1 7 5 3 normal x 1 a@1 -":     "flags",
		"1 7 5 3 normal - -1 a@1 -":    "least",
		"1 7 5 3 normal - 1 - -":       "set is empty",
		"1 7 5 3 normal - 1 a -":       "node@run",
		"1 7 5 3 normal - 1 @1 -":      "node@run",
		"1 7 5 3 normal - 1 a@1 a@2":   "twice",
		"1 7 5 3 normal - 1 a@1,a@2 -": "twice",
		"1 5 7 3 normal - 1 a@1 -":     "at most",
	} {
		if _, err := router.ParseRecord(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want something of %q", line, err, want)
		}
	}
}

func FuzzRecord(f *testing.F) {
	for _, line := range []string{"1 7 5 3 switching rl 2 node%20a@1,b@2 -@%40%2C", "1 1 1 1 normal - 0 a@1 -", "1 2 2 1 electing r 1 a@1 b@2,c@3"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		r, err := router.ParseRecord(line)
		if err != nil {
			return
		}
		back, err := router.ParseRecord(r.Line())
		if err != nil || !back.Equal(r) {
			t.Errorf("%q became %q: %v", line, r.Line(), err)
		}
	})
}

// TestPlaces: runs and places of nodes as words of the dialect.
func TestPlaces(t *testing.T) {
	run := router.Run{Node: "a b=@", ID: "1"}
	if back, err := router.ParseRun(run.String()); err != nil || back != run || run.String() != "a%20b%3D%40@1" {
		t.Errorf("%q became %v: %v", run, back, err)
	}
	if node, addr, err := router.ParsePlace("a%20b%3D%40=[::1]:7000"); err != nil || node != run.Node || addr != "[::1]:7000" {
		t.Errorf("%q at %q: %v", node, addr, err)
	}
	for _, word := range []string{"", "a", "=h:1", "a=h", "a=h:0", "a=h:99999", "%=h:1", "a=h:1 "} {
		if node, addr, err := router.ParsePlace(word); err == nil {
			t.Errorf("%q: %q at %q", word, node, addr)
		}
	}
}

func FuzzPlace(f *testing.F) {
	for _, word := range []string{"a=10.0.0.1:7000", "node%20a=[::1]:1", "a@1", "a%40b@%31"} {
		f.Add(word)
	}
	f.Fuzz(func(t *testing.T, word string) {
		if run, err := router.ParseRun(word); err == nil {
			if back, err := router.ParseRun(run.String()); err != nil || back != run {
				t.Errorf("%q became %q: %v", word, run, err)
			}
		}
		if node, addr, err := router.ParsePlace(word); err == nil && (node == "" || !strings.HasSuffix(word, "="+addr)) {
			t.Errorf("%q: %q at %q", word, node, addr)
		}
	})
}
