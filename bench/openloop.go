package main

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// lead is how long before its first request an open-loop run begins.
const lead = 5 * time.Millisecond

// paced sends count commands at a fixed rate, connection after connection, each at its time whether or not earlier
// ones were answered, and records latency from that time: a server that stalls is charged for every request that was
// due meanwhile, and so is the generator if it is late itself (late says by how much).
func (g *generator) paced(s schedule, count int) (int, error) {
	g.open = true
	for _, c := range g.conns {
		c.head, c.tail = 0, 0
		c.due = make([]time.Duration, pendingMax)
		c.keys = make([]uint32, pendingMax*len(g.shape.spots))
	}
	start, sent, total := g.now()+lead, 0, 0
	heard := start
	for total < count {
		var err error
		if sent, err = g.sendDue(s, start, sent, count); err != nil {
			return total, err
		}
		events, err := g.wait()
		if err != nil {
			return total, err
		}
		for _, ev := range events {
			if int(ev.Fd) == len(g.conns) {
				continue // the alarm; setting it anew takes it back
			}
			n, err := g.serve(g.conns[ev.Fd], ev.Events)
			if err != nil {
				return total, err
			}
			if total += n; n > 0 {
				heard = g.now()
			}
		}
		if g.now()-heard > silenceMax {
			return total, fmt.Errorf("no reply for %s", silenceMax)
		}
	}
	return total, nil
}

// sendDue sends what is due by now and sets the alarm for the next one.
func (g *generator) sendDue(s schedule, start time.Duration, sent, count int) (int, error) {
	for sent < count {
		due, now := start+s.due(sent), g.now()
		if due > now {
			return sent, g.alarm(due - now)
		}
		c := g.conns[sent%len(g.conns)]
		if c.pending() == pendingMax {
			return sent, fmt.Errorf("a connection waits for %d replies: the server is slower than %d a second", pendingMax, s.perSecond)
		}
		c.ask(g, due)
		if err := c.flush(g); err != nil {
			return sent, err
		}
		record(g.late, now-due)
		sent++
	}
	return sent, g.alarm(0)
}

// alarm sets the timer, 0 turns it off. A timer descriptor is exact to microseconds, epoll's own time-out is not.
func (g *generator) alarm(d time.Duration) error {
	t := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	if err := unix.TimerfdSettime(g.timer, 0, &t, nil); err != nil {
		return fmt.Errorf("set alarm: %w", err)
	}
	return nil
}
