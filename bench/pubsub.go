package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
)

// subscribers is how many connections hear the one channel.
func (r *runner) subscribers() int {
	if r.quick {
		return 1000
	}
	return 10_000
}

// pubsub compares what one delivery of a message costs the gateway, over three nodes, and a redis-server.
func (r *runner) pubsub() error {
	defer r.bed.stop()
	ours, theirs, err := r.studios()
	if err != nil {
		return err
	}
	for _, w := range r.matching(audienceLoads(r.sizes())) {
		c := Cell{Workload: w, Target: deliveryTarget}
		for range r.plan.rounds {
			if err := r.heardRound(&c, ours, theirs, r.heard); err != nil {
				return err
			}
		}
		r.say(&c, ours, theirs)
		r.results.PubSub = append(r.results.PubSub, c)
	}
	return nil
}

func audienceLoads(sizes []int) (loads []Workload) {
	for _, value := range sizes {
		for _, depth := range []int{1, 16} {
			loads = append(loads, Workload{Op: "PUBLISH", Keys: 1, Value: value, Depth: depth})
		}
	}
	return loads
}

// studios are the servers, with room for all subscribers.
func (r *runner) studios() (ours, theirs *Server, err error) {
	var nodes []string
	for i := range 3 {
		s, err := r.bed.redis("redis-"+strconv.Itoa(i), r.bed.otherCore)
		if err != nil {
			return nil, nil, err
		}
		nodes = append(nodes, s.Addr)
	}
	room := strconv.Itoa(r.subscribers() + 100)
	if ours, err = r.bed.role(r.bed.serverCore, "gateway", "--nodes", strings.Join(nodes, ","), "--set", "gateway.clients-max="+room); err != nil {
		return nil, nil, err
	}
	if theirs, err = r.bed.redis("redis", r.bed.serverCore); err != nil {
		return nil, nil, err
	}
	if reply, err := call(theirs.Addr, "CONFIG", "SET", "maxclients", room); err != nil || reply != "+OK" {
		return nil, nil, fmt.Errorf("room for subscribers: %q, %w", reply, err)
	}
	return ours, theirs, nil
}

// heardRound measures a load on both, one after the other.
func (r *runner) heardRound(c *Cell, ours, theirs *Server, measure func(*Server, Workload) (Sample, error)) error {
	var round [2]Sample
	again, err := r.plan.calm(func() (float64, error) {
		steal := 0.0
		for i, s := range []*Server{ours, theirs} {
			var err error
			if round[i], err = measure(s, c.Workload); err != nil {
				return 0, fmt.Errorf("%s against %s: %w", c.Workload, s.Name, err)
			}
			steal = max(steal, round[i].Steal)
		}
		return steal, nil
	})
	c.Repeats += again
	c.Ours, c.Theirs = append(c.Ours, round[0]), append(c.Theirs, round[1])
	return err
}

// heard is a run with one audience: an operation is one message delivered to one subscriber.
func (r *runner) heard(s *Server, w Workload) (Sample, error) {
	a, err := newAudience(s.Addr, r.subscribers(), w.Value)
	if err != nil {
		return Sample{}, err
	}
	defer a.close()
	if _, err := a.publish(w.Depth, r.plan.run/10); err != nil {
		return Sample{}, err
	}
	a.hist.Reset()
	out, err := watch(s, func() (int, error) { return a.publish(w.Depth, r.plan.run) })
	if err != nil {
		return Sample{}, err
	}
	out.P50, out.P99, out.P999, out.Max = quantile(a.hist, 50), quantile(a.hist, 99), quantile(a.hist, 99.9), quantile(a.hist, 100)
	return out, nil
}

func (r *Results) pubsubTable(w io.Writer) {
	if len(r.PubSub) == 0 {
		return
	}
	fmt.Fprintf(w, "\n## Publish/subscribe: one channel, very many subscribers\n\nThrough the gateway over three redis-servers, against a redis-server directly. An operation is one message delivered to one subscriber; latency is the publisher's: the next batch follows its replies.\n\n")
	pairsTable(w, "gateway", "redis-server", r.PubSub)
}
