package controller_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"larder/control/controller"
)

// fleetOf is a fleet of hosts that say they have nothing.
func fleetOf(hosts ...controller.Host) controller.Fleet {
	r := controller.Registry{Index: 1}
	w := newWorld(nil)
	for i, h := range hosts {
		h.ID, h.Session = fmt.Sprintf("h%02d", i), "1"
		w.setJSON(controller.HostKey(h.ID), h)
	}
	r.Entries = w.registry().Entries
	fleet, _ := controller.Fleet{}.Step(began, controller.Limits{}, r)
	for i := range hosts {
		fleet, _ = fleet.Step(began, controller.Limits{}, controller.HostSays{Host: fmt.Sprintf("h%02d", i), Session: "1", Number: 1})
	}
	return fleet
}

// TestFits: why a cluster has no place.
func TestFits(t *testing.T) {
	spec := controller.Spec{Engine: controller.Redis, Memory: 512 << 20, Shards: 2, Replicas: 1, Durability: controller.Async, Zones: []string{"b"}}
	for want, hosts := range map[string][]controller.Host{
		"":                                     {{Zone: "b", Memory: 1 << 30}, {Zone: "b", Memory: 1 << 30}},
		"no host in zone b has 512 MiB free":   {{Zone: "a", Memory: 8 << 30}, {Zone: "b", Memory: 1 << 30}},
		"no host in zone b is there":           {{Zone: "a", Memory: 8 << 30}},
		"the most is 300 MiB, on host h00":     {{Zone: "b", Memory: 300 << 20}, {Zone: "b", Memory: 200 << 20}},
		"shard 1: no host in zone b has 512 M": {{Zone: "b", Memory: 3 << 29}},
	} {
		if err := fleetOf(hosts...).Fits(&spec); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := (controller.Fleet{}).Fits(&spec); err == nil {
		t.Error("an unknown fleet has room")
	}
}

// TestPlacedApart: where nodes of one size can be placed so that no two of a shard share a host, they are: it is possible if and only if the hosts, each of
// which takes at most one node of a shard, have room for all.
func TestPlacedApart(t *testing.T) {
	dice := rand.New(rand.NewPCG(3, 4))
	possible := 0
	for range 400 {
		var rooms []int
		for range 2 + dice.IntN(6) {
			rooms = append(rooms, dice.IntN(7))
		}
		shards, replicas, sum := 1+dice.IntN(5), dice.IntN(3), 0
		for _, n := range rooms {
			sum += min(n, shards)
		}
		w := newWorld(nil)
		for i, n := range rooms {
			w.report(w.start(fmt.Sprintf("h%02d", i), "", int64(n)*nodeSize))
		}
		if err := w.do(strings.Fields(fmt.Sprintf("create c shards=%d replicas=%d", shards, replicas))); err != nil {
			t.Fatal(err)
		}
		w.deliver()
		if sum < shards*(1+replicas) {
			continue
		}
		possible++
		nodes, seen := w.plan("c").Nodes, map[string]bool{}
		for _, n := range nodes {
			at := fmt.Sprint(n.Shard, n.Host)
			if seen[at] {
				t.Fatalf("hosts with room for %v, %d shards of %d nodes: two on one host: %v", rooms, shards, 1+replicas, nodes)
			}
			seen[at] = true
		}
		if len(nodes) != shards*(1+replicas) {
			t.Fatalf("hosts with room for %v, %d shards of %d nodes: %d are placed", rooms, shards, 1+replicas, len(nodes))
		}
	}
	if possible < 100 {
		t.Errorf("only %d could be placed", possible)
	}
}

// TestBalanced: equal hosts get equally many nodes and primaries, zones are apart.
func TestBalanced(t *testing.T) {
	w := newWorld(nil)
	for i := range 6 {
		w.report(w.start(fmt.Sprintf("h%d", i), fmt.Sprint(i%3), 64*gib))
	}
	if err := w.do(strings.Fields("create c shards=60 replicas=2")); err != nil {
		t.Fatal(err)
	}
	w.deliver()
	for range 50 {
		w.step()
	}
	nodes, primaries, zones := map[string]int{}, map[string]int{}, map[string]bool{}
	for _, n := range w.plan("c").Nodes {
		nodes[n.Host]++
		if at := fmt.Sprint(n.Shard, w.machines[n.Host].Zone); zones[at] {
			t.Errorf("shard %d has two nodes in a zone", n.Shard)
		} else {
			zones[at] = true
		}
		if w.record("c", n.Shard).Primary.Node == n.ID {
			primaries[n.Host]++
		}
	}
	for host := range nodes {
		if nodes[host] != 30 || primaries[host] != 10 {
			t.Errorf("%s has %d nodes, %d primaries", host, nodes[host], primaries[host])
		}
	}
}

// BenchmarkLargeFleet is a second of a fleet of 20 hosts with 200 nodes, when nothing happens: each host and node says once how it is.
func BenchmarkLargeFleet(b *testing.B) {
	w := newWorld(nil)
	for i := range 20 {
		w.report(w.start(fmt.Sprintf("h%03d", i), fmt.Sprint(i%3), 8*gib))
	}
	for i := range 2 {
		if err := w.do(strings.Fields(fmt.Sprintf("create c%d shards=50 replicas=1", i))); err != nil {
			b.Fatal(err)
		}
	}
	w.deliver()
	for range 60 {
		w.step()
	}
	fleet := w.leaders[0].fleet
	for b.Loop() {
		for _, m := range w.machines {
			w.report(m)
		}
		for _, p := range w.procs() {
			says := w.says(p)
			fleet, _ = fleet.Step(w.now, w.limits, says)
		}
		w.deliver()
		w.now = w.now.Add(time.Second)
		fleet, _ = fleet.Step(w.now, w.limits, controller.Tick{})
	}
}
