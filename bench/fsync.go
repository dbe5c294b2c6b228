package main

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// alwaysSlices is into how many short runs a run under appendfsync always is cut: the disk's speed changes from second to second.
const alwaysSlices = 2

// FsyncCell compares the same writes with a journal and without.
type FsyncCell struct {
	Workload                             Workload
	OursOff, OursOn, TheirsOff, TheirsOn []Sample
	Repeats                              int
}

// Loss is the part of ours's throughput that the journal costs.
func (c *FsyncCell) Loss() float64 { return lossOf(c.OursOff, c.OursOn) }

func lossOf(off, on []Sample) float64 {
	return 1 - medianRatio(column(on, rateOf), column(off, rateOf))
}

// fsyncs measures what the journal costs: first always, whose figures are the disk's, before others make it busy.
func (r *runner) fsyncs() error {
	if err := r.always(); err != nil {
		return err
	}
	return r.everySecond()
}

// journaled starts a server whose journal is never rewritten: that is another matter.
func (r *runner) journaled(ours bool, policy string) (*Server, error) {
	args := []string{"--appendonly", "yes", "--appendfsync", policy, "--auto-aof-rewrite-percentage", "0"}
	if ours {
		return r.bed.engineNamed("engine-"+policy, r.bed.serverCore, args...)
	}
	return r.bed.redisNamed("redis-"+policy, r.bed.serverCore, args...)
}

// always has writes that are answered when they are on the disk.
func (r *runner) always() error {
	w := Workload{Op: "SET", Keys: 1, Value: 64, Depth: 1}
	if !r.only.MatchString("always/" + w.String()) {
		return nil
	}
	defer r.bed.stop()
	var both [2]*Server
	for i := range both {
		var err error
		if both[i], err = r.journaled(i == 0, "always"); err != nil {
			return err
		}
		if err := r.plan.fill(both[i].Addr, fill{value: 64, keys: r.plan.keys}); err != nil {
			return err
		}
	}
	p := r.plan
	p.rounds, p.run = alwaysSlices*p.rounds, p.run/alwaysSlices
	c, err := p.pairs(both[0], both[1], w, alwaysTarget)
	if err != nil {
		return err
	}
	ratio := alwaysRatio(&c)
	fmt.Fprintf(r.out, "appendfsync always, %d connections: engine / redis-server %.0f / %.0f writes a second; theirs to ours %.2f%s; CPU a write %.2f\n", p.conns,
		mid(c.Ours, rateOf), mid(c.Theirs, rateOf), ratio, judged(ratio, alwaysTarget), c.Ratio())
	r.results.Always = append(r.results.Always, c)
	return nil
}

// alwaysRatio is theirs to ours in writes a second.
func alwaysRatio(c *Cell) float64 {
	return medianRatio(column(c.Theirs, rateOf), column(c.Ours, rateOf))
}

// everySecond has the journal made safe each second, beside servers without one.
func (r *runner) everySecond() error {
	var loads []Workload
	for _, depth := range []int{1, 16} {
		if w := (Workload{Op: "SET", Keys: 1, Value: 64, Depth: depth}); r.only.MatchString("everysec/" + w.String()) {
			loads = append(loads, w)
		}
	}
	if len(loads) == 0 {
		return nil
	}
	defer r.bed.stop()
	ours, theirs, err := r.twins(fill{value: 64, keys: r.plan.keys})
	if err != nil {
		return err
	}
	all := []*Server{ours, nil, theirs, nil}
	for i := 1; i < len(all); i += 2 {
		if all[i], err = r.journaled(i == 1, "everysec"); err != nil {
			return err
		}
		if err := r.plan.fill(all[i].Addr, fill{value: 64, keys: r.plan.keys}); err != nil {
			return err
		}
	}
	for _, w := range loads {
		c := FsyncCell{Workload: w}
		for range r.plan.rounds {
			if err := r.everySecondRound(&c, all); err != nil {
				return err
			}
		}
		fmt.Fprintf(r.out, "%s with appendfsync everysec: throughput lost in engine / redis-server %.1f / %.1f %%%s\n", c.Workload, 100*c.Loss(), 100*lossOf(c.TheirsOff, c.TheirsOn),
			judged(c.Loss(), everySecondTarget))
		r.results.Fsync = append(r.results.Fsync, c)
	}
	return nil
}

func (r *runner) everySecondRound(c *FsyncCell, all []*Server) error {
	var round [4]Sample
	again, err := r.plan.calm(func() (float64, error) {
		steal := 0.0
		for i, s := range all {
			var err error
			if round[i], err = r.plan.measure(s, c.Workload); err != nil {
				return 0, err
			}
			steal = max(steal, round[i].Steal)
			if err := r.plan.sleepUntil(time.Now().Add(diskRest)); err != nil {
				return 0, err
			}
		}
		return steal, nil
	})
	c.Repeats += again
	for i, to := range []*[]Sample{&c.OursOff, &c.OursOn, &c.TheirsOff, &c.TheirsOn} {
		*to = append(*to, round[i])
	}
	return err
}

// diskRest lets the disk come to rest between two runs.
const diskRest = 200 * time.Millisecond

func (r *Results) fsyncTables(w io.Writer) {
	for i := range r.Always {
		c := &r.Always[i]
		ratio := alwaysRatio(c)
		fmt.Fprintf(w, "\n## Writes with appendfsync always\n\n%d connections, %s, both journals on the same disk. The ratio is theirs to ours in writes a second, the median of the rounds.\n\n", r.Conns, c.Workload)
		fmt.Fprintf(w, "| | engine | redis-server | ratio | target | |\n|---|---|---|---|---|---|\n")
		fmt.Fprintf(w, "| writes a second | %.0f | %.0f | **%.2f** | %s | %s |\n", mid(c.Ours, rateOf), mid(c.Theirs, rateOf), ratio, atMost(alwaysTarget), verdict(ratio, alwaysTarget))
		fmt.Fprintf(w, "| p50 / p99 / p99.9, µs | %s | %s | | | |\n", quantiles(c.Ours), quantiles(c.Theirs))
		fmt.Fprintf(w, "| CPU a write, µs | %.2f | %.2f | %.2f | | |\n", mid(c.Ours, cpuOf), mid(c.Theirs, cpuOf), c.Ratio())
		fmt.Fprintf(w, "\nSteal %s.\n", stealName(stealMost(slices.Concat(c.Ours, c.Theirs)), c.Repeats))
	}
	if len(r.Fsync) == 0 {
		return
	}
	fmt.Fprintf(w, "\n## Writes with appendfsync everysec\n\nWrites a second without a journal and with one; lost is the median of the rounds. The journal's thread has the server's one core too.\n\n")
	fmt.Fprintf(w, "| load | engine without → with | lost | target | | redis-server without → with | lost | steal |\n|---|---|---|---|---|---|---|---|\n")
	for i := range r.Fsync {
		c := &r.Fsync[i]
		fmt.Fprintf(w, "| %s | %.0f → %.0f | **%.1f %%** | ≤ %.0f %% | %s | %.0f → %.0f | %.1f %% | %s |\n", c.Workload, mid(c.OursOff, rateOf), mid(c.OursOn, rateOf), 100*c.Loss(),
			100*everySecondTarget, verdict(c.Loss(), everySecondTarget), mid(c.TheirsOff, rateOf), mid(c.TheirsOn, rateOf), 100*lossOf(c.TheirsOff, c.TheirsOn),
			stealName(stealMost(slices.Concat(c.OursOff, c.OursOn, c.TheirsOff, c.TheirsOn)), c.Repeats))
	}
}
