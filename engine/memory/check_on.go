//go:build checked

package memory

import "fmt"

// Checked tells whether every access is asserted.
const Checked = true

// guard notes the pages that were discarded.
type guard struct{ gone []bool }

func (g *guard) discard(from, to int) {
	for p := from / PageBytes; p < to/PageBytes; p++ {
		for p >= len(g.gone) {
			g.gone = append(g.gone, false)
		}
		g.gone[p] = true
	}
}

func (g *guard) use(from, to int) {
	for p := from / PageBytes; p < min((to+PageBytes-1)/PageBytes, len(g.gone)); p++ {
		g.gone[p] = false
	}
}

func (r *Range) check(at uint64, n int) {
	if n < 0 || at > r.length || uint64(n) > r.length-at {
		panic(fmt.Sprintf("memory: %d bytes at %d of %d", n, at, r.length))
	}
	for p := int(at) / PageBytes; p*PageBytes < int(at)+n && p < len(r.guard.gone); p++ {
		if r.guard.gone[p] {
			panic(fmt.Sprintf("memory: %d bytes at %d were given back", n, at))
		}
	}
}
