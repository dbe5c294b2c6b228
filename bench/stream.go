package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

const (
	streamASecond = 100_000
	streamLook    = 100 * time.Millisecond // between two looks at DBSIZE
)

// Stream is how a server kept up with keys that die one after the other.
type Stream struct {
	LateS float64 // the longest a key outlived its time
	CPU   float64 // share of a core, over the time in which the keys were due
	Steal float64
}

// StreamCell compares both servers at a steady rate of expiries, with nothing else to do.
type StreamCell struct {
	Keys, PerSecond int
	Ours, Theirs    []Stream
	Repeats         int
}

func streamLateOf(s Stream) float64 { return s.LateS }
func streamCPUOf(s Stream) float64  { return s.CPU }

func (r *runner) streamRound(c *StreamCell, ours, theirs *Server) error {
	var a, b Stream
	again, err := r.plan.calm(func() (float64, error) {
		var err error
		if a, err = r.plan.stream(ours, c.Keys, c.PerSecond); err != nil {
			return 0, fmt.Errorf("%s: %w", ours.Name, err)
		}
		if b, err = r.plan.stream(theirs, c.Keys, c.PerSecond); err != nil {
			return 0, fmt.Errorf("%s: %w", theirs.Name, err)
		}
		return max(a.Steal, b.Steal), nil
	})
	c.Repeats += again
	c.Ours, c.Theirs = append(c.Ours, a), append(c.Theirs, b)
	return err
}

// stream loads keys that die at a steady rate and watches them go.
func (p plan) stream(s *Server, keys, perSecond int) (Stream, error) {
	sample := max(keys/10, 1)
	began := time.Now()
	if err := p.fill(s.Addr, fill{value: 64, keys: sample}); err != nil {
		return Stream{}, err
	}
	perKey := time.Since(began) / time.Duration(sample)
	if err := s.flush(); err != nil {
		return Stream{}, err
	}
	at, err := p.armed(s, fill{keys: keys}, perKey, perSecond)
	if err != nil {
		return Stream{}, err
	}
	if err := p.sleepUntil(at); err != nil {
		return Stream{}, err
	}
	return p.streamWatch(s, at, keys, perSecond)
}

func (p plan) streamWatch(s *Server, at time.Time, keys, perSecond int) (Stream, error) {
	host0, err := readHost()
	if err != nil {
		return Stream{}, err
	}
	cpu0, err := readCPU(s.pid())
	if err != nil {
		return Stream{}, err
	}
	var out Stream
	length := time.Duration(keys) * time.Second / time.Duration(perSecond)
	for began := time.Now(); ; {
		if err := p.sleepUntil(time.Now().Add(streamLook)); err != nil {
			return out, err
		}
		left, err := s.alive()
		if err != nil {
			return out, err
		}
		since := time.Since(at)
		out.LateS = max(out.LateS, lateness(since, keys-left, keys, perSecond).Seconds())
		if since >= length && out.CPU == 0 {
			cpu1, err := readCPU(s.pid())
			if err != nil {
				return out, err
			}
			out.CPU = float64(cpu1.since(cpu0)) / float64(time.Since(began))
		}
		if left == 0 && since >= length {
			break
		}
		if since > length+goneMax {
			return out, fmt.Errorf("%d keys are still there %s after their time", left, goneMax)
		}
	}
	host1, err := readHost()
	if err != nil {
		return out, err
	}
	out.Steal = host1.stealSince(host0)
	return out, nil
}

// lateness is how long the oldest key that should be gone has outlived its time, if gone of keys are and they were
// due at a steady rate.
func lateness(since time.Duration, gone, keys, perSecond int) time.Duration {
	if gone >= keys || since <= 0 {
		return 0
	}
	due := time.Duration(gone) * time.Second / time.Duration(perSecond)
	return max(since-due, 0)
}

func (c *StreamCell) table(w io.Writer) {
	fmt.Fprintf(w, "\n## %s keys expire a second\n\n%s keys of 64 bytes with nothing else to do; DBSIZE against the keys that should be left, every %s. Medians of the rounds.\n\n",
		countName(c.PerSecond), countName(c.Keys), streamLook)
	fmt.Fprintf(w, "| | engine | redis-server | target | |\n|---|---|---|---|---|\n")
	late, cpu := mid(c.Ours, streamLateOf), mid(c.Ours, streamCPUOf)
	fmt.Fprintf(w, "| a key outlives its time by at most, s | **%.2f** | %.2f | %s | %s |\n", late, mid(c.Theirs, streamLateOf), atMost(lateTarget), verdict(late, lateTarget))
	fmt.Fprintf(w, "| CPU share of a core while keys are due | **%.1f %%** | %.1f %% | ≤ %.0f %% | %s |\n", 100*cpu, 100*mid(c.Theirs, streamCPUOf), 100*cpuTarget, verdict(cpu, cpuTarget))
	fmt.Fprintf(w, "\nSteal %s.\n", stealName(most(slices.Concat(c.Ours, c.Theirs), func(s Stream) float64 { return s.Steal }), c.Repeats))
}

func (c *StreamCell) say(w io.Writer) {
	late, cpu := mid(c.Ours, streamLateOf), mid(c.Ours, streamCPUOf)
	fmt.Fprintf(w, "%s keys expire a second: late engine / redis-server %.2f / %.2f s%s, CPU %.1f / %.1f %%%s\n", countName(c.PerSecond),
		late, mid(c.Theirs, streamLateOf), judged(late, lateTarget), 100*cpu, 100*mid(c.Theirs, streamCPUOf), judged(cpu, cpuTarget))
}
