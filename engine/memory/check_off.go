//go:build !checked

package memory

// Checked tells whether every access is asserted.
const Checked = false

type guard struct{}

func (guard) discard(int, int) {}
func (guard) use(int, int)     {}

func (r *Range) check(uint64, int) {}
