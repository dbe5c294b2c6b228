package catalog_test

import (
	"errors"
	"strings"
	"testing"

	"larder/control/catalog"
)

// TestNodeTypes: each row says something sensible, and names are looked up.
func TestNodeTypes(t *testing.T) {
	seen := map[string]bool{}
	var before int64
	for _, n := range catalog.All() {
		if seen[n.Name] || !strings.HasPrefix(n.Name, "cache.") || strings.Count(n.Name, ".") != 2 {
			t.Errorf("name %q", n.Name)
		}
		seen[n.Name] = true
		if n.Memory < 100<<20 || n.Replicas > n.Memory/8 || n.Processors < 1 || n.Clients < 1000 || n.BurstMbit != 0 && n.BurstMbit < n.NetworkMbit || n.Memory < before {
			t.Errorf("%+v", n)
		}
		before = n.Memory
		if found, err := catalog.Lookup(n.Name); err != nil || found != n {
			t.Errorf("%s: %+v, %v", n.Name, found, err)
		}
	}
	if len(seen) < 100 {
		t.Errorf("only %d node types", len(seen))
	}
	micro, err := catalog.Lookup("cache.t3.micro")
	if err != nil || micro.Memory != 512<<20 || micro.Clients != 20000 {
		t.Errorf("%+v, %v", micro, err)
	}
	for name, want := range map[string]string{"cache.t3.huge": "cache.t3.small", "": "cache.t3.micro", "t3.micro": "cache.t3.micro", "cache.x9.large": "cache.r6g.large"} {
		if _, err := catalog.Lookup(name); !errors.Is(err, catalog.ErrUnknown) || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestMemoryOf: not every type fits every engine.
func TestMemoryOf(t *testing.T) {
	micro, _ := catalog.Lookup("cache.t3.medium")
	if m, err := micro.MemoryOf("redis"); err != nil || m != micro.Memory {
		t.Error(m, err)
	}
	if m, err := micro.MemoryOf("memcached"); err != nil || m != 3364<<20 {
		t.Error(m, err)
	}
	disk, _ := catalog.Lookup("cache.r6gd.xlarge")
	if _, err := disk.MemoryOf("memcached"); err == nil {
		t.Error("a type without a memcached size is taken")
	}
}
