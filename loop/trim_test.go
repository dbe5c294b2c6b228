package loop

import (
	"bytes"
	"net/netip"
	"testing"
	"time"
)

// nibbler takes its input a little at a time.
type nibbler struct {
	slicer
	bite, took int
}

func (n *nibbler) Accept(*Conn) Handler { return n }

func (n *nibbler) Data(c *Conn) {
	some := min(n.bite, len(c.In()))
	n.took += some
	if c.Took(some); len(c.In()) > 0 {
		c.Pause()
		c.Resume()
	}
}

// TestInputBuffer: what is left of a client's input lies in a buffer that is kept as long as it sends so much, and no longer.
func TestInputBuffer(t *testing.T) {
	n := &nibbler{bite: 1000}
	m := NewMemLoop(time.Unix(0, 0), func(*Loop) Part { return n })
	mc := m.Open(netip.MustParseAddrPort("127.0.0.1:1"))
	burst := func(size int) {
		t.Helper()
		n.took = 0
		mc.Feed(bytes.Repeat([]byte("x"), size))
		for range size {
			m.EndTurn()
		}
		if n.took != size {
			t.Fatalf("%d bytes of %d were taken", n.took, size)
		}
		if mc.Conn.rest != nil {
			t.Fatal("all was taken, and something is left")
		}
	}
	const large = 100_000
	burst(large)
	first := &mc.Conn.spare[:1][0]
	for range 5 {
		m.Advance(trimEvery)
		burst(large)
		if &mc.Conn.spare[:1][0] != first {
			t.Fatal("another buffer was made, though the one before is large enough")
		}
	}
	m.Advance(trimEvery)
	burst(n.bite + 1) // little of it is used
	if cap(mc.Conn.spare) < large-n.bite {
		t.Error("the buffer is gone within a second")
	}
	m.Advance(trimEvery)
	if mc.Conn.spare != nil || len(m.Loop.fat) != 0 {
		t.Error("the buffer is kept though it is not used")
	}
	burst(large)
	m.Advance(trimEvery)
	m.Advance(trimEvery)
	if mc.Conn.spare != nil || len(m.Loop.fat) != 0 {
		t.Error("the buffer of an idle client is kept")
	}
	burst(2 * large)
	mc.Hangup(bytes.ErrTooLarge)
	m.Advance(trimEvery)
	if mc.Conn.spare != nil || len(m.Loop.fat) != 0 {
		t.Error("the buffer of a client that is gone is kept")
	}
}
