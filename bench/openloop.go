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
// due meanwhile, and so is the generator if it is late itself (late says by how much). The last g.writers connections
// keep the server busy meanwhile: batch after batch, in a closed loop that nobody takes the time of. Their last ones
// are not waited for, so with writers the generator serves for one run.
func (g *generator) paced(s schedule, count int) (int, error) {
	if err := g.openUp(); err != nil {
		return 0, err
	}
	start, sent, total := g.now()+lead, 0, 0
	heard := start
	for total < count {
		var err error
		if sent, err = g.sendDue(s, start, sent, count); err != nil {
			return total, err
		}
		if err := g.alarmAt(s, start, sent, count); err != nil {
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
			n, err := g.answer(g.conns[ev.Fd], ev.Events)
			if err != nil {
				return total, err
			}
			if total += n; n > 0 {
				heard = g.now()
			}
			if sent, err = g.sendDue(s, start, sent, count); err != nil {
				return total, err
			}
		}
		if g.now()-heard > silenceMax {
			return total, fmt.Errorf("no reply for %s", silenceMax)
		}
	}
	return total, nil
}

// openUp makes the probing connections ready for an open loop and sets the writers going.
func (g *generator) openUp() error {
	probes := len(g.conns) - g.writers
	for i, c := range g.conns {
		c.open = i < probes
		if c.open && len(c.due) != pendingMax {
			c.head, c.tail = 0, 0
			c.due = make([]time.Duration, pendingMax)
			c.keys = make([]uint32, pendingMax*len(g.shape.spots))
		}
		if !c.open {
			if _, err := g.batch(c, g.depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// answer takes the replies of a connection; it returns how many of them the open loop waits for.
func (g *generator) answer(c *conn, events uint32) (int, error) {
	n, err := g.serve(c, events)
	if c.open || err != nil {
		return n, err
	}
	g.written += n
	if c.pending() == 0 {
		_, err = g.batch(c, g.depth)
	}
	return 0, err
}

// sendDue sends what is due by now; it returns how many have been sent in all.
func (g *generator) sendDue(s schedule, start time.Duration, sent, count int) (int, error) {
	for sent < count {
		due, now := start+s.due(sent), g.now()
		if due > now {
			break
		}
		c := g.conns[sent%(len(g.conns)-g.writers)]
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
	return sent, nil
}

// alarmAt sets the alarm for the next command, or off after the last one.
func (g *generator) alarmAt(s schedule, start time.Duration, sent, count int) error {
	if sent == count {
		return g.alarm(0)
	}
	return g.alarm(max(start+s.due(sent)-g.now(), 1))
}

// alarm sets the timer, 0 turns it off. A timer descriptor is exact to microseconds, epoll's own time-out is not.
func (g *generator) alarm(d time.Duration) error {
	t := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}
	if err := unix.TimerfdSettime(g.timer, 0, &t, nil); err != nil {
		return fmt.Errorf("set alarm: %w", err)
	}
	return nil
}
