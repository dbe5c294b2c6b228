package steward

import (
	"strings"
	"testing"
	"time"

	"larder/router"
)

var (
	a, b, c = router.Run{Node: "a", ID: "1"}, router.Run{Node: "b", ID: "2"}, router.Run{Node: "c", ID: "3"}
	now     = time.Unix(1000, 0)
)

const patience = 300 * time.Millisecond

func says(run router.Run, change ...func(*report)) report {
	r := report{at: now, run: run, epoch: 7, role: "follower", executed: 100}
	for _, f := range change {
		f(&r)
	}
	return r
}

func silent(r *report)   { r.at = now.Add(-time.Second) }
func promised(r *report) { r.promised = 7 }
func frozen(r *report)   { r.role = "frozen" }
func followed(r *report) { r.followers = []router.Run{b, c} }
func further(r *report)  { r.executed = 200 }
func older(r *report)    { r.epoch = 6 }

// TestNext: what follows each state of a shard, by what nodes say.
func TestNext(t *testing.T) {
	for name, test := range map[string]struct {
		record string
		wish   string
		heard  []report
		begun  time.Duration // how long ago this steward saw the election or switch begin
		want   string        // "" = nothing
	}{
		"all well":                    {"1 7 3 3 normal r 1 a@1,b@2 -", "", []report{says(a), says(b)}, 0, ""},
		"a member is silent":          {"1 7 3 3 normal r 1 a@1,b@2,c@3 -", "", []report{says(a), says(b, silent), says(c)}, 0, "1 8 3 3 normal r 1 a@1,c@3 -"},
		"a member is another run":     {"1 7 3 3 normal r 1 a@1,b@9 -", "", []report{says(a), says(b)}, 0, "1 8 3 3 normal r 1 a@1 -"},
		"the primary is silent":       {"1 7 3 3 normal r 1 a@1,b@2 -", "", []report{says(a, silent), says(b)}, 0, "1 8 8 3 electing r 1 a@1,b@2 -"},
		"all are silent":              {"1 7 3 3 normal r 1 a@1,b@2 -", "", []report{says(a, silent), says(b, silent)}, 0, ""},
		"one joins":                   {"1 7 3 3 normal r 1 a@1 -", "", []report{says(a, followed), says(b), says(c)}, 0, "1 8 3 3 normal r 1 a@1 b@2"},
		"one that does not follow":    {"1 7 3 3 normal r 1 a@1 -", "", []report{says(a), says(b)}, 0, ""},
		"one that is silent":          {"1 7 3 3 normal r 1 a@1 -", "", []report{says(a, followed), says(b, silent)}, 0, ""},
		"one that has all":            {"1 7 3 3 normal r 1 a@1 b@2", "", []report{says(a, func(r *report) { r.confirmed = []router.Run{b} }), says(b)}, 0, "1 8 3 3 normal r 1 a@1,b@2 -"},
		"of an older record":          {"1 7 3 3 normal r 1 a@1 b@2", "", []report{says(a, older, func(r *report) { r.confirmed = []router.Run{b} }), says(b)}, 0, ""},
		"no promise":                  {"1 7 7 3 electing r 1 a@1,b@2 -", "", []report{says(a), says(b)}, time.Minute, ""},
		"all promised":                {"1 7 7 3 electing r 1 a@1,b@2 -", "", []report{says(a, promised), says(b, promised, further)}, 0, "1 8 8 8 normal r 1 b@2,a@1 -"},
		"one promised":                {"1 7 7 3 electing r 1 a@1,b@2 -", "", []report{says(a), says(b, promised)}, 0, ""},
		"one promised, others late":   {"1 7 7 3 electing r 1 a@1,b@2 -", "", []report{says(a), says(b, promised)}, time.Minute, "1 8 8 8 normal r 1 b@2 -"},
		"one promised, others silent": {"1 7 7 3 electing r 1 a@1,b@2 -", "", []report{says(a, silent), says(b, promised)}, 0, "1 8 8 8 normal r 1 b@2 -"},
		"a promise of no member":      {"1 7 7 3 electing r 1 a@1 -", "", []report{says(b, promised)}, time.Minute, ""},
		"a switch":                    {"1 7 3 3 normal r 1 a@1,b@2 -", "b", []report{says(a), says(b)}, 0, "1 8 8 3 switching r 1 a@1,b@2 -"},
		"a switch to no member":       {"1 7 3 3 normal r 1 a@1,b@2 -", "c", []report{says(a), says(b), says(c)}, 0, ""},
		"it has all":                  {"1 7 7 3 switching r 1 a@1,b@2,c@3 -", "b", []report{says(a, frozen), says(b), says(c)}, 0, "1 8 8 8 normal rl 1 b@2,a@1,c@3 -"},
		"it has not all":              {"1 7 7 3 switching r 1 a@1,b@2 -", "b", []report{says(a, frozen, further), says(b)}, 0, ""},
		"it does not come":            {"1 7 7 3 switching r 1 a@1,b@2 -", "b", []report{says(a, frozen, further), says(b)}, time.Minute, "1 8 8 3 normal r 1 a@1,b@2 -"},
		"the frozen one is gone":      {"1 7 7 3 switching r 1 a@1,b@2 -", "b", []report{says(a, silent, frozen), says(b)}, time.Minute, "1 8 8 3 electing r 1 a@1,b@2 -"},
	} {
		t.Run(name, func(t *testing.T) {
			record, err := router.ParseRecord(test.record)
			if err != nil {
				t.Fatal(err)
			}
			s := New(nil, nil, patience, t.Logf)
			for _, r := range test.heard {
				s.heard[r.run.Node] = r
			}
			if test.begun > 0 {
				s.elected = &election{epoch: record.Epoch, begun: now.Add(-test.begun)}
			}
			got := ""
			if next, why := s.next(record, test.wish, now); next != nil {
				if got = next.Line(); why == "" {
					t.Error("it does not say why")
				}
			}
			if got != test.want {
				t.Errorf("%q, want %q", got, test.want)
			}
		})
	}
}

// TestStrays: a member that lives and does not follow is taken out after a while.
func TestStrays(t *testing.T) {
	record, _ := router.ParseRecord("1 7 3 3 normal r 1 a@1,b@2,c@3 -")
	s := New(nil, nil, patience, t.Logf)
	at := now
	for step := range 20 {
		at = now.Add(time.Duration(step) * patience / 2)
		seen := func(r *report) { r.at = at }
		s.heard["a"], s.heard["b"], s.heard["c"] = says(a, seen, func(r *report) { r.followers = []router.Run{b} }), says(b, seen), says(c, seen)
		next, _ := s.next(record, "", at)
		if next == nil {
			continue
		}
		if got := next.Line(); got != "1 8 3 3 normal r 1 a@1,b@2 -" || step < 8 {
			t.Errorf("step %d: %s", step, got)
		}
		return
	}
	t.Error("it stays")
}

// TestRegistry: a record follows the present one or is refused.
func TestRegistry(t *testing.T) {
	first, _ := router.ParseRecord("1 7 3 3 normal r 1 a@1,b@2 -")
	r := NewRegistry(*first, func(next *router.Record) bool { return next.Member(a) })
	for _, test := range []struct {
		line string
		ok   bool
	}{{"1 7 3 3 normal r 1 a@1 -", false}, {"1 9 3 3 normal r 1 a@1 -", false}, {"1 8 3 3 normal r 1 b@2 -", false}, {"1 8 3 3 normal r 1 a@1 -", true}, {"1 8 3 3 normal r 1 a@1,b@2 -", false}} {
		next, err := router.ParseRecord(test.line)
		if err != nil {
			t.Fatal(err)
		}
		if got := r.Put(next); got != test.ok {
			t.Errorf("%s: %v", test.line, got)
		}
	}
	if now := r.Record(); !strings.HasPrefix(now.Line(), "1 8 3 3 normal r 1 a@1 ") {
		t.Errorf("the record is %s", now.Line())
	}
	r.Still(func(*router.Record) []router.Run { return []router.Run{b} })
	if got := r.Exited([]router.Run{a, b, c}); len(got) != 1 || got[0] != b {
		t.Errorf("%v have ended", got)
	}
	r.Switch("b")
	if r.wish() != "b" {
		t.Error("the wish is forgotten")
	}
}
