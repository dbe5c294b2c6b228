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
	streamIdle    = time.Second            // before the first key is due
)

// Stream is how a server kept up with keys that die one after the other.
type Stream struct {
	LateS float64 // the longest a key outlived its time
	CPU   float64 // share of a core, over the time in which the keys were due
	Idle  float64 // share in the time before, with the keys there and nothing to do
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
	if err := p.sleepUntil(at.Add(-streamIdle)); err != nil {
		return Stream{}, err
	}
	idle, err := s.share(func() error { return p.sleepUntil(at) })
	if err != nil {
		return Stream{}, err
	}
	out, err := p.streamWatch(s, at, keys, perSecond)
	out.Idle = idle
	return out, err
}

// share is the part of a core the server uses while wait lasts.
func (s *Server) share(wait func() error) (float64, error) {
	cpu0, err := readCPU(s.pid())
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := wait(); err != nil {
		return 0, err
	}
	took := time.Since(began)
	cpu1, err := readCPU(s.pid())
	return float64(cpu1.since(cpu0)) / float64(took), err
}

// streamWatch looks at the keys left while they are due, and then until they are gone.
func (p plan) streamWatch(s *Server, at time.Time, keys, perSecond int) (Stream, error) {
	host0, err := readHost()
	if err != nil {
		return Stream{}, err
	}
	var out Stream
	left, end := keys, at.Add(time.Duration(keys)*time.Second/time.Duration(perSecond))
	look := func() error {
		if err := p.sleepUntil(time.Now().Add(streamLook)); err != nil {
			return err
		}
		if left, err = s.alive(); err != nil {
			return err
		}
		out.LateS = max(out.LateS, lateness(time.Since(at), keys-left, keys, perSecond).Seconds())
		return nil
	}
	out.CPU, err = s.share(func() error {
		for time.Until(end) > 0 {
			if err := look(); err != nil {
				return err
			}
		}
		return nil
	})
	for err == nil && left > 0 {
		if time.Since(end) > goneMax {
			return out, fmt.Errorf("%d keys are still there %s after their time", left, goneMax)
		}
		err = look()
	}
	if err != nil {
		return out, err
	}
	host1, err := readHost()
	out.Steal = host1.stealSince(host0)
	return out, err
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
	idle := func(s Stream) float64 { return s.Idle }
	fmt.Fprintf(w, "| the same in the second before | %.1f %% | %.1f %% | | |\n", 100*mid(c.Ours, idle), 100*mid(c.Theirs, idle))
	fmt.Fprintf(w, "\nSteal %s.\n", stealName(most(slices.Concat(c.Ours, c.Theirs), func(s Stream) float64 { return s.Steal }), c.Repeats))
}

func (c *StreamCell) say(w io.Writer) {
	late, cpu := mid(c.Ours, streamLateOf), mid(c.Ours, streamCPUOf)
	fmt.Fprintf(w, "%s keys expire a second: late engine / redis-server %.2f / %.2f s%s, CPU %.1f / %.1f %%%s\n", countName(c.PerSecond),
		late, mid(c.Theirs, streamLateOf), judged(late, lateTarget), 100*cpu, 100*mid(c.Theirs, streamCPUOf), judged(cpu, cpuTarget))
}
