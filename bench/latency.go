package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// Rate is one open-loop load.
type Rate struct {
	PerSecond int
	Conns     int
}

// LatencyCell compares p99 at a fixed rate: backends alone, through nutcracker, through the gateway.
type LatencyCell struct {
	Rate
	Direct, Theirs, Ours []Sample
	Repeats              int // rounds thrown away for CPU steal
}

func p99(s Sample) float64 { return s.P99 }

// Ratio is what ours adds to p99 over what theirs adds.
func (c *LatencyCell) Ratio() float64 {
	return addedRatio(column(c.Ours, p99), column(c.Theirs, p99), column(c.Direct, p99))
}

func (r *runner) latency() error {
	defer r.bed.stop()
	nodes, ours, theirs, err := r.proxies(64)
	if err != nil {
		return err
	}
	for _, rate := range r.rates() {
		c := LatencyCell{Rate: rate}
		for range r.plan.rounds {
			if err := r.latencyRound(&c, nodes, theirs, ours); err != nil {
				return err
			}
		}
		fmt.Fprintf(r.out, "latency at %d/s over %d connections: p99 added by the gateway / by nutcracker %.2f%s\n",
			rate.PerSecond, rate.Conns, c.Ratio(), judged(c.Ratio(), latencyTarget))
		r.results.Latency = append(r.results.Latency, c)
	}
	return nil
}

func (r *runner) rates() []Rate {
	if r.quick {
		return []Rate{{5_000, 50}, {10_000, 200}}
	}
	return []Rate{{5_000, 50}, {10_000, 50}, {5_000, 200}, {10_000, 200}}
}

func (r *runner) latencyRound(c *LatencyCell, nodes []string, theirs, ours *Server) error {
	var round [3]Sample
	again, err := r.plan.calm(func() (float64, error) {
		steal := 0.0
		for i, addrs := range [][]string{nodes, {theirs.Addr}, {ours.Addr}} {
			s, err := r.plan.atRate(addrs, c.Rate)
			if err != nil {
				return 0, fmt.Errorf("open loop, %d/s over %d connections to %v: %w", c.PerSecond, c.Conns, addrs, err)
			}
			round[i] = s
			steal = max(steal, s.Steal)
		}
		return steal, nil
	})
	c.Repeats += again
	c.Direct, c.Theirs, c.Ours = append(c.Direct, round[0]), append(c.Theirs, round[1]), append(c.Ours, round[2])
	return err
}

// atRate is an open-loop run of GETs, after a short closed-loop one that warms the path up.
func (p plan) atRate(addrs []string, rate Rate) (Sample, error) {
	g, err := newGenerator(addrs, rate.Conns, Workload{Op: "GET", Keys: 1, Value: 64, Depth: 1}, p.keys)
	if err != nil {
		return Sample{}, err
	}
	defer g.close()
	// Twice as long as a closed run: p99 rests on a hundredth of far fewer requests.
	return p.openLoop(g, rate.PerSecond, 2*p.run)
}

// openLoop warms the generator's path up and measures what it is answered at a fixed rate.
func (p plan) openLoop(g *generator, perSecond int, length time.Duration) (Sample, error) {
	if err := p.stopped(); err != nil {
		return Sample{}, err
	}
	if _, err := g.warm(p); err != nil {
		return Sample{}, err
	}
	host0, err := readHost()
	if err != nil {
		return Sample{}, err
	}
	began, s := time.Now(), schedule{perSecond: perSecond}
	n, err := g.paced(s, min(s.count(length), p.requests))
	if err != nil {
		return Sample{}, err
	}
	took := time.Since(began)
	host1, err := readHost()
	if err != nil {
		return Sample{}, err
	}
	n += g.written
	out := Sample{Ops: n, PerSecond: float64(n) / took.Seconds(), Steal: host1.stealSince(host0), Late: quantile(g.late, 99)}
	out.latency(g)
	return out, g.verdict()
}

func (r *Results) latencyTable(w io.Writer) {
	if len(r.Latency) == 0 {
		return
	}
	fmt.Fprintf(w, "\n## Latency at a fixed rate\n\nGET of 64 bytes, open loop: each request is sent at its time whatever became of earlier ones, and latency counts from that time. µs, medians of the rounds; the ratio is what the gateway adds to the backends' own p99 over what nutcracker adds, the median of the rounds' ratios.\n\n")
	fmt.Fprintf(w, "| rate | backends p50 / p99 / p99.9 | nutcracker | gateway | p99 added: gateway | nutcracker | ratio | target | | generator late, p99 | steal |\n|---|---|---|---|---|---|---|---|---|---|---|\n")
	for i := range r.Latency {
		c := &r.Latency[i]
		direct := mid(c.Direct, p99)
		all := slices.Concat(c.Direct, c.Theirs, c.Ours)
		fmt.Fprintf(w, "| %d/s, %d connections | %s | %s | %s | %.0f | %.0f | **%.2f** | %s | %s | %.0f | %s |\n", c.PerSecond, c.Conns,
			quantiles(c.Direct), quantiles(c.Theirs), quantiles(c.Ours), mid(c.Ours, p99)-direct, mid(c.Theirs, p99)-direct,
			c.Ratio(), atMost(latencyTarget), verdict(c.Ratio(), latencyTarget), mid(all, func(s Sample) float64 { return s.Late }),
			stealName(stealMost(all), c.Repeats))
	}
}
