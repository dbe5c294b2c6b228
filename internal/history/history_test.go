package history_test

import (
	"strings"
	"testing"
	"time"

	"larder/internal/history"
)

func deed(k history.Kind, value string, called, returned int64) history.Deed {
	return history.Deed{Kind: k, Key: "k", Value: value, Called: called, Returned: returned}
}

func reading(called, returned int64, values ...string) history.Deed {
	return history.Deed{Kind: history.Range, Key: "k", Values: values, Called: called, Returned: returned}
}

func outcome(d history.Deed, o history.Outcome) history.Deed {
	d.Outcome = o
	return d
}

// TestFaults: each fault is found, and what is none is not.
func TestFaults(t *testing.T) {
	place := deed(history.Append, "a", 1, 2)
	place.Len = 2
	for name, test := range map[string]struct {
		deeds []history.Deed
		want  string
	}{
		"in order":                {[]history.Deed{deed(history.Get, "", 0, 1), deed(history.Set, "a", 1, 4), deed(history.Get, "a", 2, 3), deed(history.Get, "a", 5, 6)}, ""},
		"an old read":             {[]history.Deed{deed(history.Set, "a", 1, 2), deed(history.Set, "b", 3, 4), deed(history.Get, "a", 5, 6)}, "stand in no order"},
		"a lost write":            {[]history.Deed{deed(history.Set, "a", 1, 2), deed(history.Get, "", 3, 4)}, "stand in no order"},
		"taken back":              {[]history.Deed{outcome(deed(history.Set, "a", 1, 2), history.Unknown), deed(history.Get, "a", 3, 4), deed(history.Get, "", 5, 6)}, "stand in no order"},
		"unknown, late":           {[]history.Deed{outcome(deed(history.Set, "a", 1, 2), history.Unknown), deed(history.Get, "", 3, 4), deed(history.Get, "a", 5, 6)}, ""},
		"unknown, never":          {[]history.Deed{outcome(deed(history.Set, "a", 1, 2), history.Unknown), deed(history.Get, "", 3, 4)}, ""},
		"refused, never":          {[]history.Deed{outcome(deed(history.Set, "a", 1, 2), history.Refused), deed(history.Get, "", 3, 4)}, ""},
		"refused, there":          {[]history.Deed{outcome(deed(history.Set, "a", 1, 2), history.Refused), deed(history.Get, "a", 3, 4)}, "was refused and is there"},
		"a list in order":         {[]history.Deed{deed(history.Append, "a", 1, 5), reading(0, 2), reading(2, 3, "a"), outcome(deed(history.Append, "b", 4, 5), history.Unknown), reading(6, 7, "a", "b")}, ""},
		"an old list":             {[]history.Deed{deed(history.Append, "a", 1, 2), reading(3, 4), reading(5, 6, "a")}, "and 1 were known before"},
		"a list shrinks":          {[]history.Deed{outcome(deed(history.Append, "a", 1, 2), history.Unknown), reading(3, 4, "a"), reading(5, 6)}, "and 1 were known before"},
		"a lost value":            {[]history.Deed{deed(history.Append, "a", 1, 2), reading(3, 4)}, "a is lost"},
		"a lost value, heard":     {[]history.Deed{outcome(deed(history.Append, "a", 1, 2), history.Unknown), deed(history.Hear, "a", 2, 2), reading(3, 4)}, "a is lost"},
		"heard, then not yet":     {[]history.Deed{outcome(deed(history.Append, "a", 1, 2), history.Unknown), deed(history.Hear, "a", 2, 2), reading(3, 4), reading(5, 6, "a")}, "and 1 were known before"},
		"twice":                   {[]history.Deed{deed(history.Append, "a", 1, 2), reading(3, 4, "a", "a")}, "a is there twice"},
		"another one":             {[]history.Deed{deed(history.Append, "a", 1, 9), deed(history.Append, "b", 1, 9), reading(2, 3, "a"), reading(10, 11, "b", "a")}, "later it was"},
		"nobody's":                {[]history.Deed{reading(3, 4, "a")}, "nobody wrote it"},
		"too early":               {[]history.Deed{deed(history.Append, "a", 5, 6), reading(3, 4, "a")}, "before it was written"},
		"refused, and in a list":  {[]history.Deed{outcome(deed(history.Append, "a", 1, 2), history.Refused), reading(3, 4, "a")}, "was refused and is there"},
		"another place than told": {[]history.Deed{place, reading(3, 4, "a")}, "was told 2"},
	} {
		t.Run(name, func(t *testing.T) {
			l := history.New()
			for _, d := range test.deeds {
				l.Add(d)
			}
			got := strings.Join(l.Faults(time.Minute), "; ")
			if test.want == "" && got != "" || !strings.Contains(got, test.want) {
				t.Errorf("faults %q, want %q", got, test.want)
			}
		})
	}
}

// TestCount: a read that nobody answered is none.
func TestCount(t *testing.T) {
	l := history.New()
	l.Add(outcome(reading(1, 2), history.Unknown))
	l.Add(outcome(deed(history.Set, "a", 1, 2), history.Unknown))
	l.Add(deed(history.Set, "b", 1, l.Now()))
	for o, want := range map[history.Outcome]int{history.Done: 1, history.Unknown: 1, history.Refused: 0} {
		if got := l.Count(history.Set, o); got != want {
			t.Errorf("%d sets of outcome %d, want %d", got, o, want)
		}
	}
	if got := l.Count(history.Range, history.Unknown); got != 0 {
		t.Errorf("%d unanswered reads", got)
	}
}
