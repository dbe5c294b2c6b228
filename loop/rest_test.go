package loop_test

import (
	"io"
	"testing"
	"time"

	"larder/loop"
)

// TestRest: a part that waits for nothing is ticked once a second, and soon again when something comes.
func TestRest(t *testing.T) {
	ticks := make(chan time.Time, 1000)
	addr, _, _ := serve(t, loop.Options{Loops: 1}, func(p *part, c *loop.Conn) loop.Handler {
		p.ticked = func(p *part, now time.Time) {
			p.l.Rest()
			ticks <- now
		}
		return echo(p, c)
	})
	c := dial(t, addr)
	next := func() time.Time {
		select {
		case at := <-ticks:
			return at
		case <-time.After(time.Minute):
			t.Fatal("no tick")
			return time.Time{}
		}
	}
	const resting = 900 * time.Millisecond
	for last := next(); ; { // what connecting began is done by and by
		at := next()
		if at.Sub(last) >= resting {
			break
		}
		last = at
	}
	soonest := time.Hour
	for range 5 {
		next() // the second begins
		began := time.Now()
		if _, err := c.Write([]byte("x")); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		soonest = min(soonest, next().Sub(began))
	}
	if soonest >= resting {
		t.Errorf("the first tick after something came was %v later", soonest)
	}
}
