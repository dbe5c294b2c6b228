package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

const (
	burstASecond = 1_000                  // commands that wait
	burstChunk   = 100                    // of them between two looks at DBSIZE
	burstConns   = 10                     // they go over
	burstQuiet   = time.Second            // the same load before the keys die
	burstAfter   = 500 * time.Millisecond // and at least so long after they do
)

// Burst is what other commands waited for while many keys died at one moment.
type Burst struct {
	LongestMS float64 // from when a command was due to its reply
	LateMS    float64 // of that, what the generator itself was late at most
	QuietMS   float64 // the longest wait in the second before
	GoneS     float64 // until DBSIZE no longer counts a dead key
	Steal     float64
}

// BurstCell compares a million keys' death.
type BurstCell struct {
	Keys         int
	Ours, Theirs []Burst
	Repeats      int
}

func longestOf(b Burst) float64 { return b.LongestMS }

func (r *runner) burstRound(c *BurstCell, ours, theirs *Server) error {
	var a, b Burst
	again, err := r.plan.calm(func() (float64, error) {
		var err error
		if a, err = r.plan.burst(ours, c.Keys); err != nil {
			return 0, fmt.Errorf("%s: %w", ours.Name, err)
		}
		if b, err = r.plan.burst(theirs, c.Keys); err != nil {
			return 0, fmt.Errorf("%s: %w", theirs.Name, err)
		}
		return max(a.Steal, b.Steal), nil
	})
	c.Repeats += again
	c.Ours, c.Theirs = append(c.Ours, a), append(c.Theirs, b)
	return err
}

// burst loads keys that stay and keys that die together, and asks for those that stay all the while.
func (p plan) burst(s *Server, keys int) (Burst, error) {
	stay := max(keys/10, 1)
	began := time.Now()
	if err := p.fill(s.Addr, fill{value: 64, keys: stay}); err != nil {
		return Burst{}, err
	}
	at, err := p.armed(s, fill{first: stay, keys: keys}, time.Since(began)/time.Duration(stay), 0)
	if err != nil {
		return Burst{}, err
	}
	g, err := newGenerator([]string{s.Addr}, burstConns, Workload{Op: "GET", Keys: 1, Value: 64, Depth: 1}, stay)
	if err != nil {
		return Burst{}, err
	}
	defer g.close()
	if err := p.sleepUntil(at.Add(-burstQuiet)); err != nil {
		return Burst{}, err
	}
	host0, err := readHost()
	if err != nil {
		return Burst{}, err
	}
	b, err := p.burstWaits(g, s, at, stay)
	if err != nil {
		return b, err
	}
	host1, err := readHost()
	if err != nil {
		return b, err
	}
	b.Steal = host1.stealSince(host0)
	return b, s.flush()
}

// burstWaits probes until the dead keys are gone: first the quiet time, then from at on.
func (p plan) burstWaits(g *generator, s *Server, at time.Time, stay int) (Burst, error) {
	var b Burst
	for time.Until(at) > burstChunk*time.Second/burstASecond {
		if _, err := g.probe(s); err != nil {
			return b, err
		}
	}
	b.QuietMS = quantile(g.hist, 100) / 1e3
	g.reset()
	for {
		left, err := g.probe(s)
		if err != nil {
			return b, err
		}
		since := time.Since(at)
		switch {
		case since > goneMax:
			return b, fmt.Errorf("%d of the keys are still there %s after their time", left-stay, goneMax)
		case since >= 0 && left <= stay && b.GoneS == 0:
			b.GoneS = since.Seconds()
		}
		if b.GoneS > 0 && since >= burstAfter {
			break
		}
		if err := p.stopped(); err != nil {
			return b, err
		}
	}
	b.LongestMS, b.LateMS = quantile(g.hist, 100)/1e3, quantile(g.late, 100)/1e3
	return b, g.verdict()
}

// probe sends a tenth of a second's commands, then DBSIZE, which is timed as they are.
func (g *generator) probe(s *Server) (alive int, err error) {
	if _, err := g.paced(schedule{perSecond: burstASecond}, burstChunk); err != nil {
		return 0, err
	}
	began := g.now()
	alive, err = s.alive()
	record(g.hist, g.now()-began)
	return alive, err
}

func (c *BurstCell) table(w io.Writer) {
	fmt.Fprintf(w, "\n## %s keys expire at one moment\n\nMeanwhile %d GETs of other keys a second go out in an open loop over %d connections. The longest that one of them waited from when it was due, ms, medians of the rounds.\n\n",
		countName(c.Keys), burstASecond, burstConns)
	fmt.Fprintf(w, "| | engine | redis-server | target | |\n|---|---|---|---|---|\n")
	line := func(name string, f func(Burst) float64) {
		fmt.Fprintf(w, "| %s | %.2f | %.2f | | |\n", name, mid(c.Ours, f), mid(c.Theirs, f))
	}
	ours := mid(c.Ours, longestOf)
	fmt.Fprintf(w, "| longest wait, ms | **%.2f** | %.2f | %s | %s |\n", ours, mid(c.Theirs, longestOf), atMost(waitTarget), verdict(ours, waitTarget))
	line("generator late at most, ms", func(b Burst) float64 { return b.LateMS })
	line("longest wait in the second before, ms", func(b Burst) float64 { return b.QuietMS })
	line("all gone after, s", func(b Burst) float64 { return b.GoneS })
	fmt.Fprintf(w, "\nSteal %s.\n", stealName(most(slices.Concat(c.Ours, c.Theirs), func(b Burst) float64 { return b.Steal }), c.Repeats))
}

func (c *BurstCell) say(w io.Writer) {
	ours := mid(c.Ours, longestOf)
	fmt.Fprintf(w, "%s keys expire at once: longest wait of another command engine / redis-server %.2f / %.2f ms%s\n", countName(c.Keys),
		ours, mid(c.Theirs, longestOf), judged(ours, waitTarget))
}
