package main

import (
	"fmt"
	"io"
	"slices"
)

const (
	probes         = 10    // connections of the open loop beside the writers
	probesASecond  = 2_000 // its commands
	probeRuns      = 4     // its length, in closed runs: p99.9 rests on a thousandth of the probes
	idleClients    = 1_000 // connections that asked once and stay
	idleClientsFew = 100   // for a quick run
)

// WritesCell compares what a SET waits while others write as fast as the server takes it.
type WritesCell struct {
	Keys         int
	Conns        int // that write
	Ours, Theirs []Sample
	Repeats      int
	Go           GoShare
}

// GoShare is what Go's runtime took of the node in that time.
type GoShare struct {
	Clients int     // connected and idle
	Share   float64 // of the process's CPU that collections used
	StopMS  float64 // the longest stop since the process began
	HeapMiB float64 // the most seen after a run
	Cycles  float64
}

func p999(s Sample) float64 { return s.P999 }

// Ratio is ours to theirs in p99.9.
func (c *WritesCell) Ratio() float64 {
	return medianRatio(column(c.Ours, p999), column(c.Theirs, p999))
}

func (r *runner) writes() error {
	defer r.bed.stop()
	c := WritesCell{Keys: r.many(), Conns: r.plan.conns, Go: GoShare{Clients: idleClients}}
	if r.quick {
		c.Go.Clients = idleClientsFew
	}
	ours, theirs, err := r.twins(fill{value: 64, keys: c.Keys})
	if err != nil {
		return err
	}
	idle, err := newGenerator([]string{ours.Addr}, c.Go.Clients, Workload{Op: "GET", Keys: 1, Value: 64, Depth: 1}, c.Keys)
	if err != nil {
		return err
	}
	defer idle.close()
	if _, err := idle.closed(c.Go.Clients, unlimited); err != nil {
		return err
	}
	before, err := lookAtGo(ours)
	if err != nil {
		return err
	}
	for range r.plan.rounds {
		if err := r.writesRound(&c, ours, theirs); err != nil {
			return err
		}
		after, err := lookAtGo(ours)
		if err != nil {
			return err
		}
		c.Go.add(before, after)
	}
	fmt.Fprintf(r.out, "full write load, %s keys: p99.9 engine / redis-server %.0f / %.0f µs = %.2f%s\n", countName(c.Keys),
		mid(c.Ours, p999), mid(c.Theirs, p999), c.Ratio(), judged(c.Ratio(), writesTarget))
	fmt.Fprintf(r.out, "Go in the engine meanwhile: collections %.2f %% of its CPU%s, longest stop %.3f ms%s, heap %.1f MiB%s\n",
		100*c.Go.Share, judged(c.Go.Share, gcShareTarget), c.Go.StopMS, judged(c.Go.StopMS, gcStopTarget), c.Go.HeapMiB, judged(c.Go.HeapMiB, heapTarget))
	r.results.WriteLoad = append(r.results.WriteLoad, c)
	return nil
}

func lookAtGo(s *Server) (goUse, error) {
	now, err := readSeries(s.Metrics)
	if err != nil {
		return goUse{}, err
	}
	return now.goUse()
}

// add takes up a look after a run; before is the one before the first run.
func (g *GoShare) add(before, after goUse) {
	g.Share, g.Cycles = 0, after.cycles-before.cycles
	if after.cpu > before.cpu {
		g.Share = (after.gc - before.gc) / (after.cpu - before.cpu)
	}
	g.StopMS, g.HeapMiB = max(g.StopMS, 1e3*after.stop), max(g.HeapMiB, after.heap/(1<<20))
}

func (r *runner) writesRound(c *WritesCell, ours, theirs *Server) error {
	var a, b Sample
	again, err := r.plan.calm(func() (float64, error) {
		var err error
		if a, err = r.plan.underWrites(ours, c.Keys); err != nil {
			return 0, fmt.Errorf("%s: %w", ours.Name, err)
		}
		if b, err = r.plan.underWrites(theirs, c.Keys); err != nil {
			return 0, fmt.Errorf("%s: %w", theirs.Name, err)
		}
		return max(a.Steal, b.Steal), nil
	})
	c.Repeats += again
	c.Ours, c.Theirs = append(c.Ours, a), append(c.Theirs, b)
	return err
}

// underWrites is an open loop of SETs beside connections that write one SET after the other.
func (p plan) underWrites(s *Server, keys int) (Sample, error) {
	g, err := newGenerator([]string{s.Addr}, probes+p.conns, Workload{Op: "SET", Keys: 1, Value: 64, Depth: 1}, keys)
	if err != nil {
		return Sample{}, err
	}
	defer g.close()
	g.writers = p.conns
	return p.openLoop(g, probesASecond, probeRuns*p.run)
}

func (r *Results) writesTable(w io.Writer) {
	for i := range r.WriteLoad {
		c, g := &r.WriteLoad[i], &r.WriteLoad[i].Go
		fmt.Fprintf(w, "\n## Latency under full write load\n\n%s live keys of 64 bytes. %d connections SET at depth 1 as fast as they are answered; beside them %d SETs a second go out in an open loop over %d connections, and these are timed, from when each was due. µs, medians of the rounds.\n\n",
			countName(c.Keys), c.Conns, probesASecond, probes)
		all := slices.Concat(c.Ours, c.Theirs)
		fmt.Fprintf(w, "| | engine | redis-server | ratio | target | |\n|---|---|---|---|---|---|\n")
		fmt.Fprintf(w, "| p50 / p99 / p99.9 | %s | %s | | | |\n", quantiles(c.Ours), quantiles(c.Theirs))
		fmt.Fprintf(w, "| p99.9 | %.0f | %.0f | **%.2f** | %s | %s |\n", mid(c.Ours, p999), mid(c.Theirs, p999), c.Ratio(), atMost(writesTarget), verdict(c.Ratio(), writesTarget))
		fmt.Fprintf(w, "| longest | %.0f | %.0f | | | |\n", mid(c.Ours, maxOf), mid(c.Theirs, maxOf))
		fmt.Fprintf(w, "| writes a second | %.0f | %.0f | | | |\n", mid(c.Ours, rateOf), mid(c.Theirs, rateOf))
		fmt.Fprintf(w, "| generator late, p99 | %.0f | %.0f | | | |\n", mid(c.Ours, lateOf), mid(c.Theirs, lateOf))
		fmt.Fprintf(w, "\nSteal %s.\n", stealName(stealMost(all), c.Repeats))
		fmt.Fprintf(w, "\nGo's runtime in the node meanwhile, with %d idle clients connected besides (%.0f collections):\n\n| | | target | |\n|---|---|---|---|\n", g.Clients, g.Cycles)
		fmt.Fprintf(w, "| CPU share of collections | **%.2f %%** | < %.0f %% | %s |\n", 100*g.Share, 100*gcShareTarget, verdict(g.Share, gcShareTarget))
		fmt.Fprintf(w, "| longest stop, ms | **%.3f** | ≤ %.0f | %s |\n", g.StopMS, gcStopTarget, verdict(g.StopMS, gcStopTarget))
		fmt.Fprintf(w, "| heap in use, MiB | **%.1f** | < %.0f | %s |\n", g.HeapMiB, heapTarget, verdict(g.HeapMiB, heapTarget))
	}
}

func maxOf(s Sample) float64  { return s.Max }
func lateOf(s Sample) float64 { return s.Late }
