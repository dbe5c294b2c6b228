package controller_test

import (
	"errors"
	"strings"
	"testing"

	"larder/control/controller"
)

// TestSpecs: what cannot be is told in words.
func TestSpecs(t *testing.T) {
	good := controller.Spec{Engine: controller.Redis, Memory: 512 << 20, Shards: 3, Replicas: 5, Durability: controller.Replicated, MinInSync: 2}
	if err := good.Validate(controller.Limits{}); err != nil {
		t.Fatal(err)
	}
	for want, change := range map[string]func(*controller.Spec){
		"engine \"mysql\"":  func(s *controller.Spec) { s.Engine = "mysql" },
		"0 shards":          func(s *controller.Spec) { s.Shards = 0 },
		"1025 shards":       func(s *controller.Spec) { s.Shards = 1025 },
		"want 0 to 5":       func(s *controller.Spec) { s.Replicas = 6 },
		"at least 16 MiB":   func(s *controller.Spec) { s.Memory = 1 << 20 },
		"durability":        func(s *controller.Spec) { s.Durability = "always" },
		"min-in-sync 7":     func(s *controller.Spec) { s.MinInSync = 7 },
		"goes with":         func(s *controller.Spec) { s.Durability = controller.Async },
		"memcached cluster": func(s *controller.Spec) { s.Engine = controller.Memcached },
		"no name":           func(s *controller.Spec) { s.Zones = []string{"a", ""} },
	} {
		s := good
		change(&s)
		if err := s.Validate(controller.Limits{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
	if err := good.Validate(controller.Limits{Replicas: 2}); err == nil || !strings.Contains(err.Error(), "want 0 to 2") {
		t.Error(err)
	}
	other := good
	other.Shards = 4
	if err := other.ValidateChange(&good, controller.Limits{}); err == nil || !strings.Contains(err.Error(), "the cluster has 3") {
		t.Error(err)
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"orders", "a", "orders-2", strings.Repeat("a", 40)} {
		if err := controller.CheckName(name); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"", "Orders", "1st", "-a", "a-", "a--b", "a_b", "a/b", "grün", strings.Repeat("a", 41)} {
		if err := controller.CheckName(name); err == nil || !strings.Contains(err.Error(), "name") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestGroups: a node's parameters are known to whoever is handed in, the node type's own are not a group's.
func TestGroups(t *testing.T) {
	known := func(name, value string) error {
		if name == "timeout" && value != "" {
			return nil
		}
		return errors.New("unknown")
	}
	for want, values := range map[string]map[string]string{
		"":                              {"timeout": "5", controller.ReservedPercent: "10"},
		"parameter foo: unknown":        {"foo": "1"},
		"less reserved-memory-percent":  {"maxmemory": "1gb"},
		"\"91\": want a number from 0":  {controller.ReservedPercent: "91"},
		"\"x\": want a number from 0":   {controller.ReservedPercent: "x"},
		"\"999\": want a number from 0": {controller.ReservedPercent: "999"},
		"\"\": want a number":           {controller.ReservedPercent: ""},
	} {
		g := controller.Group{Engine: controller.Redis, Values: values}
		if err := g.Validate(known); want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%v: %v, want %q", values, err, want)
		}
	}
}

func TestBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 bytes", 512 << 20: "512 MiB", 3 << 29: "1536 MiB", 20 << 30: "20 GiB", 1 << 40: "1 TiB", 1023: "1023 bytes", 10 << 10: "10 KiB"} {
		if got := controller.Bytes(n); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

// FuzzRegistry: whatever stands in the registry, a controller goes on, and what is broken counts as it was before.
func FuzzRegistry(f *testing.F) {
	w := newWorld(nil)
	for _, line := range []string{"host a zone=1", "host b zone=2", "create c replicas=1", "group g timeout=1", "task node.replace cluster=c subject=c-0001-001", "tick 3s"} {
		if err := w.do(strings.Fields(line)); err != nil {
			f.Fatal(err)
		}
		w.deliver()
	}
	for key, e := range w.entries {
		f.Add(key, e.Value)
		f.Add(key, e.Value[:len(e.Value)/2])
	}
	f.Add("larder/clusters/c/shards/0", []byte("1 3 1 1 normal - 0 x@1 -"))
	f.Add("larder/clusters/d/spec", []byte(`{"shards":2147483647,"replicas":2147483647,"engine":"redis"}`))
	f.Add("larder/clusters/c/plan", []byte(`{"nodes":[{"id":"a","host":"a","shard":1023,"memory":9223372036854775807,"reserved":1}]}`))
	whole := w.registry()
	f.Fuzz(func(t *testing.T, key string, value []byte) {
		fleet, _ := controller.Fleet{}.Step(began, controller.Limits{}, whole)
		broken := whole
		broken.Index++
		broken.Entries = append(append([]controller.Entry(nil), whole.Entries...), controller.Entry{Key: key, Value: value, Version: 1 << 40})
		fleet, _ = fleet.Step(began, controller.Limits{}, broken)
		for _, m := range w.machines {
			fleet, _ = fleet.Step(began, controller.Limits{}, controller.HostSays{Host: m.ID, Session: m.Session, Number: 1 << 40})
		}
		fleet, _ = fleet.Step(began, controller.Limits{}, controller.Tick{})
		_ = fleet.Unsettled("c")
	})
}
