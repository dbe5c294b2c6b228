package main

import (
	"fmt"
	"strconv"
)

// manyFold is how many times the usual keys the sections of many keys have: five million by default.
const manyFold = 5

func (r *runner) many() int { return manyFold * r.plan.keys }

// section is a part of the bench that can be run by itself.
type section struct {
	name string
	do   func(*runner) error
}

func sections() []section {
	return []section{
		{"gateway", func(r *runner) error { return r.bySize(r.gateway) }},
		{"node", (*runner).node},
		{"behind", (*runner).behind},
		{"latency", (*runner).latency},
		{"beside", (*runner).beside},
		{"pubsub", (*runner).pubsub},
		{"blocked", (*runner).blocked},
		{"pieces", (*runner).pieces},
		{"memory", (*runner).memory},
		{"writes", (*runner).writes},
		{"expiry", (*runner).expiry},
		{"types", (*runner).types},
		{"rdb", (*runner).loading},
		{"save", (*runner).saves},
		{"sync", (*runner).following},
		{"journal", (*runner).fsyncs},
		{"replicated", (*runner).replicated},
		{"snapshots", (*runner).snapshots},
		{"levels", (*runner).levels},
	}
}

// bySize measures at each size of values.
func (r *runner) bySize(f func(value int) error) error {
	for _, v := range r.sizes() {
		if err := f(v); err != nil {
			return err
		}
	}
	return nil
}

func (r *runner) sizes() []int {
	if r.quick {
		return []int{64}
	}
	return []int{64, 1024}
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
	many := []Workload{{Op: "MGET", Depth: 16}}
	if !r.quick {
		many = append(many, Workload{Op: "MGET", Depth: 1}, Workload{Op: "MGET", Depth: 64}, Workload{Op: "MSET", Depth: 16})
	}
	return r.cells(value, many...)
}

// manyCells are the node's loads over many keys.
func (r *runner) manyCells() []Workload {
	var all []Workload
	for _, w := range r.cells(64) {
		w.Space = r.many()
		all = append(all, w)
	}
	return all
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
		if err := r.plan.fill(s.Addr, fill{value: value, keys: r.plan.keys}); err != nil {
			return nil, err
		}
		nodes = append(nodes, s.Addr)
	}
	return nodes, nil
}

// gatewayOver is one of ours in front of filled backends.
func (r *runner) gatewayOver(value int) (*Server, error) {
	nodes, err := r.backends(value)
	if err != nil {
		return nil, err
	}
	return r.bed.gateway(nodes)
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
	r.results.Gateway, err = r.compare(r.results.Gateway, ours, theirs, cells, gatewayTarget)
	return err
}

func (r *runner) node() error {
	err := r.bySize(func(value int) error { return r.nodes(r.nodeCells(value), value, r.plan.keys) })
	if err != nil {
		return err
	}
	return r.nodes(r.manyCells(), 64, r.many())
}

// nodes compares a node and a redis-server with so many keys each.
func (r *runner) nodes(cells []Workload, value, keys int) error {
	if len(cells) == 0 {
		return nil
	}
	defer r.bed.stop()
	ours, theirs, err := r.twins(fill{value: value, keys: keys})
	if err != nil {
		return err
	}
	r.results.Node, err = r.compare(r.results.Node, ours, theirs, cells, nodeTarget)
	return err
}

// twins starts a node and a redis-server with the same keys.
func (r *runner) twins(f fill) (ours, theirs *Server, err error) {
	if theirs, err = r.bed.redis("redis", r.bed.serverCore); err != nil {
		return nil, nil, err
	}
	if ours, err = r.bed.engine(); err != nil {
		return nil, nil, err
	}
	for _, s := range []*Server{theirs, ours} {
		if f.keys == 0 {
			continue
		}
		if err := r.plan.fill(s.Addr, f); err != nil {
			return nil, nil, err
		}
	}
	return ours, theirs, nil
}

// behindConns is how many clients the gateway gathers commands of.
const behindConns = 200

// behind compares what a node and a redis-server spend on a GET that comes through a gateway. Here the server under
// test is the node, so the gateways share the generator's core.
func (r *runner) behind() error {
	defer r.bed.stop()
	ours, theirs, err := r.twins(fill{value: 64, keys: r.plan.keys})
	if err != nil {
		return err
	}
	var fronts [2]*Server
	for i, s := range []*Server{ours, theirs} {
		gateway, err := r.bed.gatewayOn(r.bed.otherCore, []string{s.Addr})
		if err != nil {
			return err
		}
		front := *s // measured is the node, spoken to the gateway
		front.Addr = gateway.Addr
		fronts[i] = &front
	}
	p := r.plan
	p.conns = behindConns
	w := Workload{Op: "GET", Keys: 1, Value: 64, Depth: 1}
	c, err := p.pairs(fronts[0], fronts[1], w, behindTarget)
	if err != nil {
		return err
	}
	r.say(&c, ours, theirs)
	r.results.Behind = append(r.results.Behind, c)
	return nil
}

// compare measures each load on both and adds it to the cells that there are.
func (r *runner) compare(to []Cell, ours, theirs *Server, loads []Workload, target func(Workload) float64) ([]Cell, error) {
	for _, w := range loads {
		c, err := r.plan.pairs(ours, theirs, w, target(w))
		if err != nil {
			return to, err
		}
		r.say(&c, ours, theirs)
		to = append(to, c)
	}
	return to, nil
}

func (r *runner) say(c *Cell, ours, theirs *Server) {
	fmt.Fprintf(r.out, "%s / %s %-14s CPU an operation %.3f / %.3f µs = %.2f%s\n", ours.Name, theirs.Name, c.Workload,
		mid(c.Ours, cpuOf), mid(c.Theirs, cpuOf), c.Ratio(), judged(c.Ratio(), c.Target))
}
