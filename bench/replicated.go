package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"larder/router"
)

// ReplicatedCell compares writes that are answered when a replica has them too with writes that it gets when they are answered.
type ReplicatedCell struct {
	Workload          Workload
	Conns             int
	Async, Replicated []Sample
	Repeats           int
}

func p50(s Sample) float64 { return s.P50 }

// Ratio is in p50.
func (c *ReplicatedCell) Ratio() float64 {
	return medianRatio(column(c.Replicated, p50), column(c.Async, p50))
}

// replicated measures what it costs to wait for a replica on the same machine. Only nodes do that, so there is nobody to compare with.
func (r *runner) replicated() error {
	defer r.bed.stop()
	f := fill{value: 64, keys: r.plan.keys}
	async, err := r.bed.engineNamed("engine", r.bed.serverCore)
	if err != nil {
		return err
	}
	if err := r.plan.fill(async.Addr, f); err != nil {
		return err
	}
	replica, err := r.replica(true)
	if err != nil {
		return err
	}
	if err := r.plan.follow(replica, async); err != nil {
		return err
	}
	managed, err := r.shard(f)
	if err != nil {
		return err
	}
	for _, load := range []struct{ conns, depth int }{{1, 1}, {r.plan.conns, 1}, {r.plan.conns, 16}} {
		c := ReplicatedCell{Workload: Workload{Op: "SET", Keys: 1, Value: 64, Depth: load.depth}, Conns: load.conns}
		for range r.plan.rounds {
			if err := r.replicatedRound(&c, async, managed); err != nil {
				return err
			}
		}
		fmt.Fprintf(r.out, "%s over %d connections with one replica: p50 replicated / async %.0f / %.0f µs = %.2f%s\n", c.Workload, c.Conns, mid(c.Replicated, p50), mid(c.Async, p50),
			c.Ratio(), judged(c.Ratio(), replicatedTarget(c.Workload)))
		r.results.Replicated = append(r.results.Replicated, c)
	}
	return nil
}

func (r *runner) replicatedRound(c *ReplicatedCell, async, managed *Server) error {
	var a, b Sample
	p := r.plan
	p.conns = c.Conns
	again, err := p.calm(func() (float64, error) {
		var err error
		if a, err = p.measure(async, c.Workload); err != nil {
			return 0, err
		}
		if b, err = p.measure(managed, c.Workload); err != nil {
			return 0, err
		}
		return max(a.Steal, b.Steal), nil
	})
	c.Repeats += again
	c.Async, c.Replicated = append(c.Async, a), append(c.Replicated, b)
	return err
}

// shard starts two nodes that get orders, with the data, and makes them the members of a shard whose writes wait for both (docs/formats/shard.md).
func (r *runner) shard(f fill) (primary *Server, err error) {
	names, cores := []string{"a", "b"}, []int{r.bed.serverCore, r.bed.otherCore}
	nodes := make([]*Server, len(names))
	for i, name := range names {
		if nodes[i], err = r.bed.engineNamed("managed-"+name, cores[i], managedFlag, "--node-id", name); err != nil {
			return nil, err
		}
	}
	order := func(record *router.Record, to ...*Server) error {
		words := []string{"LARDER", "RECORD", record.Line()}
		for i, name := range names {
			words = append(words, name+"="+nodes[i].Addr)
		}
		for _, s := range to {
			if err := s.tell([][]string{words}); err != nil {
				return err
			}
		}
		return nil
	}
	first, err := nodes[0].run(names[0])
	if err != nil {
		return nil, err
	}
	record := router.Record{Epoch: 1, Term: 1, Reign: 1, Primary: first, Set: []router.Run{first}, MinInSync: 1, Replicated: true}
	if err := order(&record, nodes[0]); err != nil {
		return nil, err
	}
	if err := r.plan.fill(nodes[0].Addr, f); err != nil {
		return nil, err
	}
	if err := order(&record, nodes[1]); err != nil {
		return nil, err
	}
	if err := nodes[1].awaitInfo(r.plan, "replication", "master_link_status", "up", syncMax); err != nil {
		return nil, err
	}
	second, err := nodes[1].run(names[1]) // that of the data which it has now
	if err != nil {
		return nil, err
	}
	record.Epoch, record.Joining = 2, []router.Run{second}
	if err := order(&record, nodes...); err != nil {
		return nil, err
	}
	if err := nodes[0].awaitJoined(r.plan); err != nil {
		return nil, err
	}
	record.Epoch, record.Set, record.Joining = 3, []router.Run{first, second}, nil
	record.MinInSync = len(record.Set)
	return nodes[0], order(&record, nodes...)
}

// run is the present run of a node that gets orders.
func (s *Server) run(name string) (router.Run, error) {
	id, err := s.infoField("server", "run_id")
	return router.Run{Node: name, ID: id}, err
}

// awaitJoined waits until the primary says that who joins has everything.
func (s *Server) awaitJoined(p plan) error {
	for end := time.Now().Add(syncMax); ; time.Sleep(infoEvery) {
		state, err := s.ask("LARDER", "STATE")
		switch {
		case err != nil:
			return err
		case strings.Contains(string(state), "$9\r\nconfirmed\r\n*1\r\n"):
			return nil
		case time.Now().After(end):
			return fmt.Errorf("%s: the replica has not everything after %s: %q", s.Name, syncMax, state)
		}
		if err := p.stopped(); err != nil {
			return err
		}
	}
}

func (r *Results) replicatedTable(w io.Writer) {
	if len(r.Replicated) == 0 {
		return
	}
	fmt.Fprintf(w, "\n## Writes that wait for a replica\n\nTwo nodes on this machine, the replica on the generator's core: p50 of writes that are answered when it has them too, against those that it gets when they are answered. A closed loop; µs, medians of the rounds.\n\n")
	fmt.Fprintf(w, "| load | connections | async p50 / p99 / p99.9 | replicated | ratio of p50 | target | | async /s | replicated /s | steal |\n|---|---|---|---|---|---|---|---|---|---|\n")
	for i := range r.Replicated {
		c := &r.Replicated[i]
		target := replicatedTarget(c.Workload)
		fmt.Fprintf(w, "| %s | %d | %s | %s | **%.2f** | %s | %s | %.0f | %.0f | %s |\n", c.Workload, c.Conns, quantiles(c.Async), quantiles(c.Replicated), c.Ratio(), atMost(target),
			verdict(c.Ratio(), target), mid(c.Async, rateOf), mid(c.Replicated, rateOf), stealName(stealMost(slices.Concat(c.Async, c.Replicated)), c.Repeats))
	}
}
