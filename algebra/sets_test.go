package algebra_test

import (
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"larder/algebra"
)

// list is a set as its members in order.
type list []string

func (l list) Len() int               { return len(l) }
func (l list) Has(member []byte) bool { return slices.Contains(l, string(member)) }
func (l list) Rank(member []byte) (int, bool) {
	i := slices.Index(l, string(member))
	return max(i, 0), i >= 0
}

func (l list) All(yield func([]byte) bool) {
	for _, member := range l {
		if !yield([]byte(member)) {
			return
		}
	}
}

func drawSets(t *rapid.T) (sets []algebra.Set, maps []map[string]bool) {
	for range rapid.IntRange(1, 6).Draw(t, "sets") {
		members := rapid.SliceOfDistinct(rapid.StringOfN(rapid.SampledFrom([]rune("abc")), 0, 3, -1), rapid.ID[string]).Draw(t, "members")
		of := map[string]bool{}
		for _, member := range members {
			of[member] = true
		}
		sets, maps = append(sets, list(members)), append(maps, of)
	}
	return sets, maps
}

func collect(t *rapid.T, members algebra.Members) []string {
	all := []string{}
	for member := range members {
		if all = append(all, string(member)); len(all) > 1000 {
			t.Fatal("no end")
		}
	}
	slices.Sort(all)
	for i := 1; i < len(all); i++ {
		if all[i] == all[i-1] {
			t.Fatalf("%q comes twice", all[i])
		}
	}
	most := rapid.IntRange(0, len(all)).Draw(t, "most")
	n := 0
	for range members {
		if n++; n >= most {
			break
		}
	}
	if n != most && len(all) > 0 && most > 0 {
		t.Fatalf("%d members where %d were asked for", n, most)
	}
	return all
}

func TestSetsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sets, models := drawSets(t)
		union, intersection, difference := map[string]bool{}, maps.Clone(models[0]), maps.Clone(models[0])
		for i, m := range models {
			for member := range m {
				union[member] = true
				if i > 0 {
					delete(difference, member)
				}
			}
			for member := range intersection {
				if !m[member] {
					delete(intersection, member)
				}
			}
		}
		check := func(name string, members algebra.Members, want map[string]bool) {
			if got := collect(t, members); !slices.Equal(got, slices.Sorted(maps.Keys(want))) {
				t.Fatalf("%s: %q, want %q", name, got, slices.Sorted(maps.Keys(want)))
			}
		}
		check("union", algebra.Union(sets), union)
		check("difference", algebra.Difference(sets[0], slices.Clone(sets[1:])), difference)
		check("intersection", algebra.Intersection(sets), intersection)
	})
}

// TestBothWaysToADifference: each of the two is taken, and gives the same.
func TestBothWaysToADifference(t *testing.T) {
	first := list{"a", "b", "c", "d", "e", "f", "g", "h"}
	for _, c := range []struct {
		others  []algebra.Set
		probing bool
		want    int
	}{
		{nil, true, 8},
		{[]algebra.Set{list{"a"}}, true, 7},
		{[]algebra.Set{list{"a"}, list{"b"}, list{"b"}, list{"c"}}, false, 5},
		{[]algebra.Set{list{"a"}, list{"b"}, first, list{}, list{}, list{}}, false, 0},
	} {
		if got := algebra.Probing(first, c.others); got != c.probing {
			t.Errorf("%v: probing %v", c.others, got)
		}
		n := 0
		for range algebra.Difference(first, c.others) {
			n++
		}
		if n != c.want {
			t.Errorf("%v: %d members, want %d", c.others, n, c.want)
		}
	}
}

func TestMaxRegisters(t *testing.T) {
	dst := []byte{0, 5, 63, 1}
	algebra.MaxRegisters(dst, []byte{1, 4, 63, 0})
	if !slices.Equal(dst, []byte{1, 5, 63, 1}) {
		t.Error(dst)
	}
}
