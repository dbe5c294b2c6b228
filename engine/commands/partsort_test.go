package commands

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

// TestPartSort: what is asked for stands in order, all elements are still there, and neither equal elements nor those that quicksort is slow with take long.
func TestPartSort(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for name, fill := range map[string]func(i, n int) int{
		"random":    func(_, n int) int { return rng.IntN(n) },
		"few":       func(int, int) int { return rng.IntN(3) },
		"equal":     func(int, int) int { return 7 },
		"rising":    func(i, _ int) int { return i },
		"falling":   func(i, _ int) int { return -i },
		"organ":     func(i, n int) int { return min(i, n-i) },
		"sawtooth":  func(i, _ int) int { return i % 16 },
		"alternate": func(i, n int) int { return i * (i%2*2 - 1) },
	} {
		for _, n := range []int{1, 2, 6, 7, 8, 40, 41, 500, 5000} {
			for range 10 {
				all := make([]int, n)
				for i := range all {
					all[i] = fill(i, n)
				}
				from := rng.IntN(n)
				to := from + rng.IntN(n-from) + 1
				steps := 0
				want := slices.Sorted(slices.Values(all))
				partSort(all, from, to, func(a, b int) int {
					steps++
					return cmp.Compare(a, b)
				})
				if !slices.Equal(all[from:to], want[from:to]) {
					t.Fatalf("%s, %d to %d of %d: out of order", name, from, to, n)
				}
				if slices.Sort(all); !slices.Equal(all, want) {
					t.Fatalf("%s, %d elements: others", name, n)
				}
				if steps > 100*n {
					t.Errorf("%s, %d elements: %d steps", name, n, steps)
				}
			}
		}
	}
}

// TestPartSortIsBounded has an adversary that decides what is less only when it is asked, so that quicksort splits off next to nothing each time (McIlroy).
func TestPartSortIsBounded(t *testing.T) {
	const n = 20000
	all, values := make([]int, n), make([]int, n)
	for i := range all {
		all[i], values[i] = i, n
	}
	solid, candidate, steps := 0, 0, 0
	partSort(all, 0, n-1, func(a, b int) int {
		steps++
		if values[a] == n && values[b] == n {
			if a == candidate {
				values[a] = solid
			} else {
				values[b] = solid
			}
			solid++
		}
		switch {
		case values[a] == n:
			candidate = a
		case values[b] == n:
			candidate = b
		}
		return cmp.Compare(values[a], values[b])
	})
	if steps > 200*n {
		t.Errorf("%d elements take %d steps", n, steps)
	}
	if !slices.IsSortedFunc(all[:n-1], func(a, b int) int { return cmp.Compare(values[a], values[b]) }) {
		t.Error("out of order")
	}
}
