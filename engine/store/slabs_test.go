package store

import (
	"testing"

	"larder/engine/store/tree"
)

// TestTreeSizes: the store has a block of each size that trees ask for.
func TestTreeSizes(t *testing.T) {
	for class, want := range tree.Sizes {
		have := 0
		if class < blockClasses {
			have = int(blockSizes[treeClasses[class]])
		} else {
			have = int(slabSizes[class-blockClasses])
		}
		if have != want || have%8 != 0 {
			t.Errorf("class %d: %d bytes, want %d", class, have, want)
		}
	}
}
