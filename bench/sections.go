package main

import (
	"fmt"
	"strconv"
	"time"
)

// Targets of issue 01, "Speed": ours to theirs in CPU an operation, by depth.
func gatewayTarget(w Workload) float64 {
	switch {
	case w.Op == "MGET" && w.Depth == 16:
		return 0.7
	case w.Keys > 1:
		return 0
	}
	return byDepth(w.Depth, 1.05, 0.85, 0.35)
}

func nodeTarget(w Workload) float64 {
	if w.Keys > 1 {
		return 0
	}
	return byDepth(w.Depth, 1.05, 0.6, 0.5)
}

func byDepth(depth int, one, sixteen, sixtyFour float64) float64 {
	return map[int]float64{1: one, 16: sixteen, 64: sixtyFour}[depth]
}

// latencyTarget: p99 added by the gateway to what nutcracker adds.
const latencyTarget = 1.25

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

// MemoryCell is one server's memory for the preloaded keys.
type MemoryCell struct {
	Server        string
	Value         int
	Keys          int
	Before, After int64 // bytes resident
}

// PerKey is bytes a key, key and value included; Overhead is without them.
func (m *MemoryCell) PerKey() float64 { return float64(m.After-m.Before) / float64(m.Keys) }

func (m *MemoryCell) Overhead() float64 {
	return m.PerKey() - float64(len(keyPrefix)+digits+m.Value)
}

// cells are the loads of a section at one size of values: GET and SET at each depth, and a selection of commands over
// ten keys.
func (r *runner) cells(value int, many ...Workload) []Workload {
	var all []Workload
	for _, op := range []string{"GET", "SET"} {
		for _, depth := range []int{1, 16, 64} {
			all = append(all, Workload{Op: op, Keys: 1, Value: value, Depth: depth})
		}
	}
	for _, w := range many {
		w.Keys, w.Value = 10, value
		all = append(all, w)
	}
	return r.matching(all)
}

func (r *runner) matching(all []Workload) []Workload {
	var out []Workload
	for _, w := range all {
		if r.only.MatchString(w.String()) {
			out = append(out, w)
		}
	}
	return out
}

func (r *runner) gatewayCells(value int) []Workload {
	many := []Workload{{Op: "MGET", Depth: 16}}
	if !r.quick {
		many = append(many, Workload{Op: "MGET", Depth: 1}, Workload{Op: "MGET", Depth: 64}, Workload{Op: "MSET", Depth: 16})
	}
	return r.cells(value, many...)
}

func (r *runner) nodeCells(value int) []Workload {
	if r.quick {
		return r.cells(value)
	}
	return r.cells(value, Workload{Op: "MGET", Depth: 16}, Workload{Op: "MSET", Depth: 16})
}

// backends starts three stock servers beside the generator, each with every key: so reads hit whichever way a proxy
// spreads them, and without a proxy too.
func (r *runner) backends(value int) ([]string, error) {
	var nodes []string
	for i := range 3 {
		s, err := r.bed.redis("redis-"+strconv.Itoa(i), r.bed.otherCore)
		if err != nil {
			return nil, err
		}
		if err := r.plan.preload(s.Addr, value); err != nil {
			return nil, err
		}
		nodes = append(nodes, s.Addr)
	}
	return nodes, nil
}

func (r *runner) proxies(value int) (nodes []string, ours, theirs *Server, err error) {
	if nodes, err = r.backends(value); err != nil {
		return nil, nil, nil, err
	}
	if theirs, err = r.bed.nutcracker(nodes); err != nil {
		return nil, nil, nil, err
	}
	ours, err = r.bed.gateway(nodes)
	return nodes, ours, theirs, err
}

func (r *runner) gateway(value int) error {
	cells := r.gatewayCells(value)
	if len(cells) == 0 {
		return nil
	}
	defer r.bed.stop()
	_, ours, theirs, err := r.proxies(value)
	if err != nil {
		return err
	}
	for _, w := range cells {
		c, err := r.plan.pairs(ours, theirs, w, gatewayTarget(w))
		if err != nil {
			return err
		}
		r.say("gateway/nutcracker", &c)
		r.results.Gateway = append(r.results.Gateway, c)
	}
	return nil
}

func (r *runner) node(value int) error {
	cells := r.nodeCells(value)
	if len(cells) == 0 {
		return nil
	}
	defer r.bed.stop()
	theirs, err := r.bed.redis("redis", r.bed.serverCore)
	if err != nil {
		return err
	}
	ours, err := r.bed.engine()
	if err != nil {
		return err
	}
	for _, s := range []*Server{theirs, ours} {
		if err := r.plan.preload(s.Addr, value); err != nil {
			return err
		}
	}
	for _, w := range cells {
		c, err := r.plan.pairs(ours, theirs, w, nodeTarget(w))
		if err != nil {
			return err
		}
		r.say("engine/redis-server", &c)
		r.results.Node = append(r.results.Node, c)
	}
	return nil
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
		fmt.Fprintf(r.out, "latency at %d/s over %d connections: p99 added by the gateway / by nutcracker %.2f (want <= %.2f)\n",
			rate.PerSecond, rate.Conns, c.Ratio(), latencyTarget)
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
	for try := 0; ; try++ {
		var round [3]Sample
		steal := 0.0
		for i, addrs := range [][]string{nodes, {theirs.Addr}, {ours.Addr}} {
			s, err := r.plan.atRate(addrs, c.Rate)
			if err != nil {
				return fmt.Errorf("open loop, %d/s over %d connections to %v: %w", c.PerSecond, c.Conns, addrs, err)
			}
			round[i] = s
			steal = max(steal, s.Steal)
		}
		if steal > stealMax && try < repeatsMax {
			c.Repeats++
			continue
		}
		c.Direct, c.Theirs, c.Ours = append(c.Direct, round[0]), append(c.Theirs, round[1]), append(c.Ours, round[2])
		return nil
	}
}

// atRate is an open-loop run of GETs, after a short closed-loop one that warms the path up.
func (p plan) atRate(addrs []string, rate Rate) (Sample, error) {
	if err := p.stopped(); err != nil {
		return Sample{}, err
	}
	g, err := newGenerator(addrs, rate.Conns, Workload{Op: "GET", Keys: 1, Value: 64, Depth: 1}, p.keys)
	if err != nil {
		return Sample{}, err
	}
	defer g.close()
	if _, err := g.closed(p.requests, p.run/10); err != nil {
		return Sample{}, err
	}
	if err := g.verdict(); err != nil {
		return Sample{}, err
	}
	g.reset()
	plan := schedule{perSecond: rate.PerSecond}
	host0, err := readHost()
	if err != nil {
		return Sample{}, err
	}
	began := time.Now()
	// Twice as long as a closed run: p99 rests on a hundredth of far fewer requests.
	n, err := g.paced(plan, min(plan.count(2*p.run), p.requests))
	if err != nil {
		return Sample{}, err
	}
	took := time.Since(began)
	host1, err := readHost()
	if err != nil {
		return Sample{}, err
	}
	s := Sample{Ops: n, PerSecond: float64(n) / took.Seconds(), Steal: host1.stealSince(host0), Late: quantile(g.late, 99)}
	s.latency(g)
	return s, g.verdict()
}

// settle is how long a server may put its memory in order after the load.
const settle = 2 * time.Second

func (r *runner) memory(value int) error {
	starts := []func() (*Server, error){
		func() (*Server, error) { return r.bed.redis("redis", r.bed.serverCore) },
		r.bed.engine,
	}
	for _, start := range starts {
		if err := r.memoryOf(start, value); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) memoryOf(start func() (*Server, error), value int) error {
	defer r.bed.stop()
	s, err := start()
	if err != nil {
		return err
	}
	m := MemoryCell{Server: s.Name, Value: value, Keys: r.plan.keys}
	if m.Before, err = readRSS(s.pid()); err != nil {
		return err
	}
	if err := r.plan.preload(s.Addr, value); err != nil {
		return err
	}
	time.Sleep(settle)
	if m.After, err = readRSS(s.pid()); err != nil {
		return err
	}
	fmt.Fprintf(r.out, "memory of %s, %d keys with values of %s: %.1f bytes a key beyond key and value\n", m.Server, m.Keys, sizeName(value), m.Overhead())
	r.results.Memory = append(r.results.Memory, m)
	return nil
}
