package failures

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Final is what is there when all has ended: by key, a string's value as the only one, or a list's.
type Final map[string][]string

// Verdict is what became of some lanes.
type Verdict struct {
	Acknowledged int
	Lost         int            // writes that were acknowledged and are not there
	Twice        int            // writes that ran more than once
	Errors       map[string]int // by kind
	Closed       int            // connections that were lost: each is followed by another
	Faults       []string       // what is wrong, each once
}

// Judge looks at each lane. The deeds of a lane are in their order.
func Judge(deeds []Deed, final Final) Verdict {
	j := judge{Verdict: Verdict{Errors: map[string]int{}}, final: final}
	lanes := map[string]map[Kind][]Deed{}
	for _, d := range deeds {
		if lanes[d.Lane] == nil {
			lanes[d.Lane] = map[Kind][]Deed{}
		}
		lanes[d.Lane][d.Kind] = append(lanes[d.Lane][d.Kind], d)
		if d.Done() {
			j.Acknowledged++
		}
		if kind := d.ErrorKind(); kind != "" {
			j.Errors[kind]++
		}
	}
	for lane, kinds := range lanes {
		j.Closed += max(0, len(kinds[Connect])-1)
		j.registers(lane, kinds[Set])
		j.counts(Incr.Key(lane), kinds[Incr])
		j.counts(CounterKey(lane), kinds[Multi])
		j.lists(lane, Push, kinds[Push], false)
		j.lists(lane, Multi, kinds[Multi], true)
	}
	slices.Sort(j.Faults)
	return j.Verdict
}

type judge struct {
	Verdict
	final Final
}

func (j *judge) fault(format string, args ...any) {
	j.Faults = append(j.Faults, fmt.Sprintf(format, args...))
}

// registers wants each SET to find what was there before it: the last one that was acknowledged, or one since of which nobody knows.
func (j *judge) registers(lane string, deeds []Deed) {
	may, last := []string{""}, 0 // what may be there, and the last that must be
	found := func(what, value string) {
		if slices.Contains(may, value) {
			return
		}
		n, _ := strconv.Atoi(value)
		j.Lost++
		j.fault("%s: %s found %d, and %d was acknowledged", Set.Key(lane), what, n, last)
	}
	for _, d := range deeds {
		switch {
		case d.Done():
			found(fmt.Sprint("SET ", d.Value), d.Reply)
			may, last = []string{strconv.Itoa(d.Value)}, d.Value
		case !d.Refused():
			may = append(may, strconv.Itoa(d.Value))
		}
	}
	if len(deeds) > 0 {
		found("the end", strings.Join(j.final[Set.Key(lane)], ""))
	}
}

// counts wants a counter to have grown by one with each write that ran: neither less than what was acknowledged, nor more than what may have run.
func (j *judge) counts(key string, deeds []Deed) {
	last, unknown := 0, 0
	grows := func(what string, n, by int) {
		switch least := last + by; {
		case n < least:
			j.Lost += least - n
			j.fault("%s: %s is %d, and %d were acknowledged", key, what, n, least)
		case n > least+unknown:
			j.Twice += n - least - unknown
			j.fault("%s: %s is %d, and not more than %d can have run", key, what, n, least+unknown)
		}
	}
	for _, d := range deeds {
		switch {
		case d.Done():
			number, _, _ := strings.Cut(d.Reply, ",")
			n, _ := strconv.Atoi(number)
			grows(fmt.Sprint("reply ", d.Value), n, 1)
			last, unknown = n, 0
		case !d.Refused():
			unknown++
		}
	}
	if len(deeds) > 0 {
		n, _ := strconv.Atoi(strings.Join(j.final[key], ""))
		grows("the end", n, 0)
	}
}

// lists wants each acknowledged value to be in the list once, none that was refused, and all in their order.
func (j *judge) lists(lane string, kind Kind, deeds []Deed, newestFirst bool) {
	key := kind.Key(lane)
	there := slices.Clone(j.final[key])
	if newestFirst {
		slices.Reverse(there)
	}
	times, before := map[int]int{}, 0
	for _, text := range there {
		n, _ := strconv.Atoi(text)
		if times[n]++; times[n] > 1 {
			j.Twice++
			j.fault("%s: %d is there more than once", key, n)
		} else if n < before {
			j.fault("%s: %d is there behind %d", key, n, before)
		}
		before = n
	}
	for _, d := range deeds {
		switch there := times[d.Value] > 0; {
		case d.Done() && !there:
			j.Lost++
			j.fault("%s: %d is lost, acknowledged %s", key, d.Value, d.Returned.Format("05.000"))
		case d.Refused() && there:
			j.fault("%s: %d was refused and is there: %s", key, d.Value, d.Err)
		}
		if kind == Multi && d.Done() && !sameTwice(d.Reply) {
			j.fault("%s: transaction %d is answered %s: half of one has run", key, d.Value, d.Reply)
		}
	}
}

func sameTwice(reply string) bool {
	a, b, ok := strings.Cut(reply, ",")
	return ok && a == b
}

// Gap is the longest time in which no write of a lane was acknowledged, of all lanes for which it is asked, between two moments.
func Gap(deeds []Deed, of func(lane string) bool, from, to time.Time) (longest time.Duration) {
	last := map[string]time.Time{}
	for _, d := range deeds {
		if of(d.Lane) && last[d.Lane].IsZero() {
			last[d.Lane] = from
		}
	}
	acked := slices.DeleteFunc(slices.Clone(deeds), func(d Deed) bool { return !d.Done() || !of(d.Lane) || d.Returned.Before(from) || d.Returned.After(to) })
	slices.SortStableFunc(acked, func(a, b Deed) int { return cmp.Compare(a.Returned.UnixMicro(), b.Returned.UnixMicro()) })
	for _, d := range acked {
		longest = max(longest, d.Returned.Sub(last[d.Lane]))
		last[d.Lane] = d.Returned
	}
	for _, at := range last {
		longest = max(longest, to.Sub(at))
	}
	return longest
}
