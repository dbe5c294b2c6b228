package controller_test

import (
	"fmt"
	"strings"
	"testing"

	"larder/control/controller"
)

// TestFitsBeside: whether what is there could be changed, and why not; nothing is changed by asking.
func TestFitsBeside(t *testing.T) {
	w := newWorld(nil)
	for i, zone := range []string{"a", "b"} {
		w.report(w.start(fmt.Sprintf("h%d", i), zone, 2*gib))
	}
	if err := w.do(strings.Fields("create c shards=2 replicas=1")); err != nil {
		t.Fatal(err)
	}
	w.deliver()
	for range 50 {
		w.step()
	}
	fleet := w.leaders[0].fleet
	seen, ok := fleet.Cluster("c")
	if !ok || seen.Total != 4 || seen.Members != 4 || seen.Topology == nil || len(fleet.Clusters()) != 1 {
		t.Fatalf("%+v", seen)
	}
	const mib = 1 << 20
	for _, c := range []struct {
		change func(*controller.Spec)
		want   string
	}{
		{func(*controller.Spec) {}, ""},
		{func(s *controller.Spec) { s.Replicas = 0 }, ""},
		{func(s *controller.Spec) { s.Replicas = 3 }, ""},
		{func(s *controller.Spec) { s.Replicas = 4 }, "shard 0 lacks a node: no host has 512 MiB free"},
		{func(s *controller.Spec) { s.Memory = 1024 * mib }, ""},
		{func(s *controller.Spec) { s.Memory = 1025 * mib }, "no other host has 1025 MiB free"},
		{func(s *controller.Spec) { s.Zones = []string{"a"} }, ""},
		{func(s *controller.Spec) { s.Zones = []string{"c"} }, "no other host in zone c is there"},
	} {
		spec := seen.Spec
		c.change(&spec)
		if err := fleet.FitsChange("c", &spec); (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", spec, err, c.want)
		}
	}
	if again, _ := fleet.Cluster("c"); again.Spec.Memory != seen.Spec.Memory || fleet.Unsettled("c") != "" || len(fleet.Reasons("c")) != 0 {
		t.Errorf("asking has changed it: %+v, %s %v", again, fleet.Unsettled("c"), fleet.Reasons("c"))
	}
	roles := map[controller.Role]int{}
	for _, n := range fleet.Nodes("c") {
		roles[n.Role]++
		if !n.There || !n.Runs || n.Addr == "" || n.Zone == "" || n.Cluster != "c" {
			t.Errorf("%+v", n)
		}
	}
	if roles[controller.Primary] != 2 || roles[controller.Replica] != 2 {
		t.Error(roles)
	}
	for _, h := range fleet.Hosts() {
		if !h.There || !h.Heard || h.Free != gib || h.Nodes != 2 {
			t.Errorf("%+v", h)
		}
	}
	if err := fleet.FitsAnother("c", fleet.Nodes("c")[0].ID, true); err != nil {
		t.Error(err)
	}
	if err := (controller.Fleet{}).FitsChange("c", &seen.Spec); err == nil {
		t.Error("an unknown fleet has room")
	}
}
