package history

import (
	"cmp"
	"fmt"
	"slices"
)

// listFaults judges a list: all that was ever read of it must be beginnings of one and the same, in which each value stands once, and as long as what was
// known when the reading began.
func listFaults(key string, deeds []Deed) (faults []string) {
	fault := func(format string, args ...any) {
		faults = append(faults, "list "+key+": "+fmt.Sprintf(format, args...))
	}
	var longest []string
	for _, d := range deeds {
		if d.Kind == Range && len(d.Values) > len(longest) {
			longest = d.Values
		}
	}
	place, pushed := map[string]int{}, map[string]Deed{}
	for i, v := range longest {
		if _, twice := place[v]; twice {
			fault("%s is there twice", v)
		}
		place[v] = i
	}
	for _, d := range deeds {
		if d.Kind == Append {
			pushed[d.Value] = d
		}
	}
	for _, v := range longest {
		if d, ok := pushed[v]; !ok {
			fault("%s is there and nobody wrote it", v)
		} else if d.Outcome == Refused {
			fault("%s was refused and is there", v)
		}
	}
	known := map[int64]int{} // how long it was known to be, by when
	for _, d := range deeds {
		n := 0
		switch {
		case d.Kind == Range:
			if n = len(d.Values); !slices.Equal(d.Values, longest[:n]) {
				fault("client %d read %q, later it was %q", d.Client, ends(d.Values), ends(longest[:n]))
			}
		case d.Outcome == Done:
			at, ok := place[d.Value]
			if n = at + 1; !ok {
				fault("%s is lost, which client %d was told of at %d", d.Value, d.Client, d.Returned)
				n = 0
			} else if d.Len != 0 && d.Len != n {
				fault("%s is at place %d, and client %d was told %d", d.Value, n, d.Client, d.Len)
			}
		}
		known[d.Returned] = max(known[d.Returned], n)
	}
	return append(faults, oldReads(key, deeds, known, pushed)...)
}

// oldReads finds what was read and is older than what was known before, or newer than what was written yet.
func oldReads(key string, deeds []Deed, known map[int64]int, pushed map[string]Deed) (faults []string) {
	type moment struct {
		at int64
		n  int
	}
	moments := make([]moment, 0, len(known))
	for at, n := range known {
		moments = append(moments, moment{at, n})
	}
	slices.SortFunc(moments, func(a, b moment) int { return cmp.Compare(a.at, b.at) })
	for i := 1; i < len(moments); i++ {
		moments[i].n = max(moments[i].n, moments[i-1].n)
	}
	for _, d := range deeds {
		if d.Kind != Range {
			continue
		}
		at, _ := slices.BinarySearchFunc(moments, d.Called, func(m moment, t int64) int { return cmp.Compare(m.at, t) })
		if at > 0 && moments[at-1].n > len(d.Values) {
			faults = append(faults, fmt.Sprintf("list %s: client %d read %d values at %d to %d, and %d were known before", key, d.Client, len(d.Values), d.Called, d.Returned, moments[at-1].n))
		}
		if n := len(d.Values); n > 0 && pushed[d.Values[n-1]].Called > d.Returned {
			faults = append(faults, fmt.Sprintf("list %s: client %d read %s before it was written", key, d.Client, d.Values[n-1]))
		}
	}
	return faults
}

// ends is what a message shows of many values.
func ends(values []string) []string { return values[max(0, len(values)-5):] }
