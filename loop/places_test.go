package loop

import (
	"runtime"
	"testing"
)

func TestPlaces(t *testing.T) {
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	p := places{cores: 2}
	for _, c := range []struct{ change, want int }{{1, 3}, {1, 3}, {1, 5}, {1, 6}, {20, 6}, {-20, 6}, {-2, 3}} {
		if c.change > 0 {
			p.enter(c.change)
		} else {
			p.leave(-c.change)
		}
		if got := runtime.GOMAXPROCS(0); got != c.want {
			t.Errorf("with %d loops on 2 processors there are %d places, want %d", p.loops, got, c.want)
		}
	}
	if got := p.enter(0); got != 2 {
		t.Errorf("%d loops where nothing is said, want one a processor", got)
	}
}
