package controller

import (
	"errors"
	"fmt"

	"larder/router"
)

// errUnknownFleet is why nothing can be said of places: a controller that has just begun has read nothing yet.
var errUnknownFleet = errors.New("the fleet is not known yet")

// Fits tells whether a cluster could be placed now, and why not if it could not.
func (f Fleet) Fits(spec *Spec) error {
	if !f.known {
		return errUnknownFleet
	}
	if spec.External() {
		return nil // it takes nothing of a host
	}
	s := &stepper{Fleet: f}
	r, p := s.rooms("", nil), &Plan{}
	for shard := range spec.Shards {
		for range spec.wanted() {
			got, err := r.pick(search{others: p.of(shard), memory: spec.Memory, zones: spec.Zones})
			if err != nil {
				return fmt.Errorf("shard %d: %w", shard, err)
			}
			p.add("", got.id, shard, spec.Memory)
			r.take(got.id, spec.Memory, 1)
		}
	}
	return nil
}

// FitsChange tells whether a cluster that is there could be as spec wants it, and why not: with more replicas, more memory, or in other zones.
func (f Fleet) FitsChange(name string, spec *Spec) error {
	p, err := f.planner(name, spec)
	if err != nil {
		return err
	}
	if spec.External() {
		return nil
	}
	p.resize()
	p.fill()
	for _, topic := range sortedKeys(p.reasons) {
		if p.reasons[topic] != "" {
			return fmt.Errorf("%s: %s", topic, p.reasons[topic])
		}
	}
	for i := range p.next.Nodes {
		n := &p.next.Nodes[i]
		for _, why := range []Why{WhyMemory, WhyDrained} {
			if n.State != Stays || !p.should(n, why) {
				continue
			}
			if err := p.elsewhere(n, n.Host); err != nil {
				return fmt.Errorf("node %s: %w", n.ID, err)
			}
			break
		}
	}
	return nil
}

// FitsAnother tells whether there is a place for another in a node's stead, and why not. away: not on the same host.
func (f Fleet) FitsAnother(cluster, node string, away bool) error {
	p, err := f.planner(cluster, nil)
	if err != nil {
		return err
	}
	n := p.next.node(node)
	if n == nil {
		return fmt.Errorf("cluster %s has no node %s", cluster, node)
	}
	not := ""
	if away {
		not = n.Host
	}
	return p.elsewhere(n, not)
}

// elsewhere gives a node's successor a place, which is then taken.
func (p *planner) elsewhere(n *Node, not string) error {
	got, err := p.free().pick(search{others: p.others(n.Shard, n), memory: p.spec().Memory, zones: p.spec().Zones, not: not})
	if err == nil {
		p.free().take(got.id, p.spec().Memory, 1)
	}
	return err
}

// planner is one that looks at what would be with another wish; nil: with the one that stands. What it plans nobody does.
func (f Fleet) planner(name string, spec *Spec) (*planner, error) {
	c := f.clusters[name]
	switch {
	case !f.known:
		return nil, errUnknownFleet
	case c == nil || c.spec.value == nil:
		return nil, fmt.Errorf("there is no cluster %s", name)
	}
	c = c.clone()
	if spec != nil {
		c.spec.value = spec
	}
	next := &Plan{}
	if c.plan.value != nil {
		next = c.plan.value.clone()
	}
	if c.records == nil {
		c.records = map[int]stored[*router.Record]{}
	}
	return &planner{stepper: &stepper{Fleet: f, limits: Limits{}.filled()}, c: c, next: next, reasons: map[string]string{}}, nil
}
