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
