package loop

import (
	"testing"
	"time"
)

// A loop naps when many connections come back slowly against a nap, and together fast enough that some come meanwhile.
func TestNap(t *testing.T) {
	cases := []struct {
		name        string
		connections int           // they take turns
		every       time.Duration // between two reads
		callbacks   int           // in the round before
		want        bool
	}{
		{"50 clients that wait for the loop", 50, 20 * time.Microsecond, 2, true},
		{"a round that was large already", 50, 20 * time.Microsecond, 20, false},
		{"4 clients, that would notice", 4, 20 * time.Microsecond, 1, false},
		{"one client", 1, 100 * time.Microsecond, 1, false},
		{"many clients that come seldom", 500, 200 * time.Microsecond, 1, false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			var n nap
			n.began = time.Unix(0, 0)
			n.window = 1
			conns := make([]*Conn, c.connections)
			for i := range conns {
				conns[i] = &Conn{}
			}
			now := n.began
			for i := 0; now.Sub(time.Unix(0, 0)) < 3*napWindow; i++ {
				now = now.Add(c.every)
				n.read(conns[i%len(conns)], now)
			}
			if got := n.due(c.callbacks); got != c.want {
				t.Errorf("nap = %v, want %v", got, c.want)
			}
		})
	}
}

// A nap is no longer than a millisecond even on a loaded machine with a coarse timer: it must not be the kernel's default slack on top of a tick.
func TestSleep(t *testing.T) {
	began := time.Now()
	const naps = 100
	for range naps {
		sleep(napMin)
	}
	if took := time.Since(began); took < naps*napMin || took > naps*10*time.Millisecond {
		t.Errorf("%d naps of %v took %v", naps, napMin, took)
	}
}
