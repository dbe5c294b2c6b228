package main

import (
	"fmt"
	"io"
	"slices"
)

// besideDepth is how many commands the one client sends at a time beside whom the others are measured.
const besideDepth = 10_000

// BesideCell compares p99 of clients that send one command at a time, without and with one that sends very many.
type BesideCell struct {
	Rate
	Alone, Beside []Sample
	Repeats       int // rounds thrown away for CPU steal
}

// Ratio is p99 beside the one over p99 without him.
func (c *BesideCell) Ratio() float64 { return medianRatio(column(c.Beside, p99), column(c.Alone, p99)) }

// beside asks what one client's depth costs the others.
func (r *runner) beside() error {
	defer r.bed.stop()
	ours, err := r.gatewayOver(64)
	if err != nil {
		return err
	}
	for _, rate := range []Rate{{5_000, 50}} {
		c := BesideCell{Rate: rate}
		for range r.plan.rounds {
			if err := r.besideRound(&c, ours); err != nil {
				return err
			}
		}
		fmt.Fprintf(r.out, "%d/s over %d connections at depth 1: p99 beside a client at depth %d / without %.2f%s\n",
			rate.PerSecond, rate.Conns, besideDepth, c.Ratio(), judged(c.Ratio(), besideTarget))
		r.results.Beside = append(r.results.Beside, c)
	}
	return nil
}

func (r *runner) besideRound(c *BesideCell, ours *Server) error {
	var round [2]Sample
	again, err := r.plan.calm(func() (float64, error) {
		steal := 0.0
		for deep := range round {
			s, err := r.plan.besideDeep([]string{ours.Addr}, c.Rate, deep)
			if err != nil {
				return 0, fmt.Errorf("open loop beside %d deep clients: %w", deep, err)
			}
			round[deep] = s
			steal = max(steal, s.Steal)
		}
		return steal, nil
	})
	c.Repeats += again
	c.Alone, c.Beside = append(c.Alone, round[0]), append(c.Beside, round[1])
	return err
}

// besideDeep is an open-loop run of GETs, beside clients that send batches in a closed loop.
func (p plan) besideDeep(addrs []string, rate Rate, deep int) (Sample, error) {
	depth := 1
	if deep > 0 {
		depth = besideDepth
	}
	g, err := newGenerator(addrs, rate.Conns+deep, Workload{Op: "GET", Keys: 1, Value: 64, Depth: depth}, p.keys)
	if err != nil {
		return Sample{}, err
	}
	defer g.close()
	g.writers = deep
	return p.openLoop(g, rate.PerSecond, 2*p.run)
}

func (r *Results) besideTable(w io.Writer) {
	if len(r.Beside) == 0 {
		return
	}
	fmt.Fprintf(w, "\n## Beside one client with %d commands under way\n\nGET of 64 bytes through the gateway, one at a time, open loop. µs, medians of the rounds; the ratio is the median of the rounds' ratios of p99.\n\n", besideDepth)
	fmt.Fprintf(w, "| rate | without p50 / p99 / p99.9 | beside | ratio | target | | generator late, p99 | steal |\n|---|---|---|---|---|---|---|---|\n")
	for i := range r.Beside {
		c := &r.Beside[i]
		all := slices.Concat(c.Alone, c.Beside)
		fmt.Fprintf(w, "| %d/s, %d connections | %s | %s | **%.2f** | %s | %s | %.0f | %s |\n", c.PerSecond, c.Conns, quantiles(c.Alone), quantiles(c.Beside),
			c.Ratio(), atMost(besideTarget), verdict(c.Ratio(), besideTarget), mid(all, func(s Sample) float64 { return s.Late }), stealName(stealMost(all), c.Repeats))
	}
}
