package failures_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"larder/internal/failures"
)

// lines are deeds of lane l: kind, value, and what was said; each a second long, one after the other.
func lines(t *testing.T, said ...string) (deeds []failures.Deed) {
	t.Helper()
	for i, s := range said {
		kind, rest, _ := strings.Cut(s, " ")
		value, reply, _ := strings.Cut(rest, " ")
		d, err := failures.ParseDeed(fmt.Sprintf("l %s %s %d %d %s", kind, value, i*1_000_000, (i+1)*1_000_000, reply))
		if err != nil {
			t.Fatal(err)
		}
		deeds = append(deeds, d)
	}
	return deeds
}

// TestJudge: each fault is found and counted, and what is none is not.
func TestJudge(t *testing.T) {
	const unknown, refused = "!UNKNOWN the connection was lost", "!CLUSTERDOWN no primary"
	for name, test := range map[string]struct {
		deeds       []string
		key         failures.Kind
		final       string
		counter     string // of transactions
		lost, twice int
		fault       string
	}{
		"sets in order":             {[]string{"set 1 =", "set 2 =1"}, failures.Set, "2", "", 0, 0, ""},
		"a set unknown, and there":  {[]string{"set 1 =", "set 2 " + unknown, "set 3 =2"}, failures.Set, "3", "", 0, 0, ""},
		"a set unknown, and not":    {[]string{"set 1 =", "set 2 " + unknown, "set 3 =1"}, failures.Set, "3", "", 0, 0, ""},
		"a set refused, and there":  {[]string{"set 1 =", "set 2 " + refused, "set 3 =2"}, failures.Set, "3", "", 1, 0, "found 2"},
		"a set lost":                {[]string{"set 1 =", "set 2 =1", "set 3 =1"}, failures.Set, "3", "", 1, 0, "found 1"},
		"a set lost at the end":     {[]string{"set 1 =", "set 2 =1"}, failures.Set, "1", "", 1, 0, "the end found 1"},
		"counts":                    {[]string{"incr 1 =1", "incr 2 " + unknown, "incr 3 =3", "incr 4 " + refused, "incr 5 =4"}, failures.Incr, "4", "", 0, 0, ""},
		"counts, unknown is lost":   {[]string{"incr 1 =1", "incr 2 " + unknown, "incr 3 =2"}, failures.Incr, "2", "", 0, 0, ""},
		"counts, unknown at an end": {[]string{"incr 1 =1", "incr 2 " + unknown}, failures.Incr, "2", "", 0, 0, ""},
		"counted twice":             {[]string{"incr 1 =1", "incr 2 =3"}, failures.Incr, "3", "", 0, 1, "not more than 2"},
		"counted twice, unknown":    {[]string{"incr 1 =1", "incr 2 " + unknown, "incr 3 =4"}, failures.Incr, "4", "", 0, 1, "not more than 3"},
		"counted when refused":      {[]string{"incr 1 =1", "incr 2 " + refused}, failures.Incr, "2", "", 0, 1, "not more than 1"},
		"counts lost":               {[]string{"incr 1 =1", "incr 2 =2", "incr 3 =2"}, failures.Incr, "2", "", 1, 0, "3 were acknowledged"},
		"counts lost at the end":    {[]string{"incr 1 =1", "incr 2 =2"}, failures.Incr, "", "", 2, 0, "2 were acknowledged"},
		"pushed":                    {[]string{"push 1 =1", "push 2 " + unknown, "push 3 " + unknown, "push 4 =3"}, failures.Push, "1 3 4", "", 0, 0, ""},
		"a push lost":               {[]string{"push 1 =1", "push 2 =2"}, failures.Push, "1", "", 1, 0, "2 is lost"},
		"a push twice":              {[]string{"push 1 =1", "push 2 =3"}, failures.Push, "1 1 2", "", 0, 1, "more than once"},
		"a push refused, and there": {[]string{"push 1 =1", "push 2 " + refused}, failures.Push, "1 2", "", 0, 0, "was refused and is there"},
		"pushed in another order":   {[]string{"push 1 =1", "push 2 =2"}, failures.Push, "2 1", "", 0, 0, "1 is there behind 2"},
		"transactions":              {[]string{"multi 1 =1,1", "multi 2 =2,2"}, failures.Multi, "2 1", "2", 0, 0, ""},
		"half a transaction":        {[]string{"multi 1 =1,1", "multi 2 =3,2"}, failures.Multi, "2 1", "3", 0, 1, "half of one"},
		"a transaction twice":       {[]string{"multi 1 =1,1", "multi 2 =2,2"}, failures.Multi, "2 1", "3", 0, 1, "not more than 2"},
		"a transaction lost":        {[]string{"multi 1 =1,1", "multi 2 =2,2"}, failures.Multi, "2", "2", 1, 0, "1 is lost"},
	} {
		t.Run(name, func(t *testing.T) {
			final := failures.Final{test.key.Key("l"): strings.Fields(test.final)}
			if test.key == failures.Multi {
				final[failures.CounterKey("l")] = []string{test.counter}
			}
			v := failures.Judge(lines(t, test.deeds...), final)
			faults := strings.Join(v.Faults, "; ")
			if v.Lost != test.lost || v.Twice != test.twice || (test.fault == "") != (faults == "") || !strings.Contains(faults, test.fault) {
				t.Errorf("lost %d, twice %d, %q; want %d, %d, %q", v.Lost, v.Twice, faults, test.lost, test.twice, test.fault)
			}
		})
	}
}

// TestErrors: they are counted by kind, and connections that were made again as closed ones.
func TestErrors(t *testing.T) {
	v := failures.Judge(lines(t, "connect 0 =ok", "set 1 !UNKNOWN it may", "set 2 !UNKNOWN it may", "set 3 !read tcp: reset", "connect 0 =ok", "set 4 !NOTSENT refused"), failures.Final{})
	if got := fmt.Sprint(v.Errors, v.Closed, v.Acknowledged); got != "map[UNKNOWN:2 connection lost:1 no connection:1] 1 0" {
		t.Error(got)
	}
}

// TestGap: the longest of all lanes, with what is missing at either end.
func TestGap(t *testing.T) {
	deeds := lines(t, "set 1 =", "set 2 !UNKNOWN", "set 3 =1", "set 4 =3") // acknowledged at seconds 1, 3 and 4
	for _, test := range []struct{ from, to, want int64 }{{0, 4, 2}, {0, 9, 5}, {3, 4, 1}} {
		got := failures.Gap(deeds, func(string) bool { return true }, time.Unix(test.from, 0), time.Unix(test.to, 0))
		if got != time.Duration(test.want)*time.Second {
			t.Errorf("from %d to %d: %s, want %d s", test.from, test.to, got, test.want)
		}
	}
	if got := failures.Gap(deeds, func(string) bool { return false }, time.Unix(0, 0), time.Unix(9, 0)); got != 0 {
		t.Errorf("of no lane: %s", got)
	}
}

// TestLines: a deed comes back as it was, and what is none is refused.
func TestLines(t *testing.T) {
	for _, said := range []string{"set 1 =", "incr 12 =13", "push 3 !UNKNOWN a b c", "multi 4 =4,4"} {
		d := lines(t, said)[0]
		if again, err := failures.ParseDeed(d.Line()); err != nil || again != d {
			t.Errorf("%+v, %v; was %+v", again, err, d)
		}
	}
	for _, line := range []string{"", "l set 1 2 3", "l set x 2 3 =", "l set 1 2 3 ?"} {
		if d, err := failures.ParseDeed(line); err == nil {
			t.Errorf("%q is %+v", line, d)
		}
	}
}

// TestTable: a row says what it has, and takes its place in a page.
func TestTable(t *testing.T) {
	row := failures.Row{Fault: "a primary is killed", Gap: 300 * time.Millisecond, Verdict: failures.Verdict{Acknowledged: 9, Errors: map[string]int{"UNKNOWN": 2, "OOM": 1}}}
	text := failures.Table("replicated", []failures.Row{row})
	if want := "| a primary is killed | 300 | 0 | 0 | 1 OOM, 2 UNKNOWN | 9 | 0 | 0 | 0 |  |\n"; !strings.HasSuffix(text, want) {
		t.Errorf("%s, want %s", text, want)
	}
	page, err := failures.Between("a\nbegin\nold\nend\nz\n", "begin", "end", "new\n")
	if err != nil || page != "a\nbegin\nnew\nend\nz\n" {
		t.Errorf("%q, %v", page, err)
	}
	if _, err := failures.Between("a\nend\nbegin\n", "begin", "end", ""); err == nil {
		t.Error("a page without the place is taken")
	}
}
