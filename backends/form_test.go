package backends_test

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"larder/backends"
	"larder/backends/registry"
	"larder/router"
)

var update = flag.Bool("update", false, "write the golden files anew")

// scattered is a cluster in which no two neighbouring slots are one shard's: the worst there is.
func scattered(t testing.TB, shards, replicas int) *router.Topology {
	t.Helper()
	all := make([]router.Shard, shards)
	node := 0
	next := func() router.Node {
		node++
		return router.Node{ID: fmt.Sprintf("orders-%04d", node), Addr: fmt.Sprintf("10.%d.%d.%d:%d", node%7, node%251, node*37%253, 6000+node)}
	}
	for i := range all {
		all[i].Primary = next()
		for range replicas {
			all[i].Replicas = append(all[i].Replicas, next())
		}
	}
	chance, last := uint32(1), -1
	for slot := range router.Slots {
		owner := last
		for owner == last {
			chance = chance*1664525 + 1013904223
			owner = int(chance>>8) % shards
		}
		all[owner].Slots = append(all[owner].Slots, router.Range{From: slot, To: slot})
		last = owner
	}
	topo, err := router.New("orders", 1<<40, all)
	if err != nil {
		t.Fatal(err)
	}
	return topo
}

func TestTopologyIsSmall(t *testing.T) {
	for _, c := range []struct{ shards, replicas int }{{334, 2}, {1000, 0}, {167, 5}} {
		topo := scattered(t, c.shards, c.replicas)
		value, err := backends.EncodeTopology(topo)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%d shards of %d: %d bytes", c.shards, 1+c.replicas, len(value))
		const most = 256 << 10
		if len(value) > most {
			t.Errorf("%d shards of %d take %d bytes, at most %d are wanted", c.shards, 1+c.replicas, len(value), most)
		}
		if err := registry.CheckValue(value); err != nil {
			t.Error(err)
		}
		back, err := backends.DecodeTopology(value)
		if err != nil || back.Line() != topo.Line() {
			t.Errorf("it does not come back: %v", err)
		}
	}
}

// TestTopologyForm holds docs/formats/topology.md: what was once written is read for ever, and what is written unfolds to the file's form.
func TestTopologyForm(t *testing.T) {
	topo, err := router.New("orders", 7, []router.Shard{
		{
			Primary: router.Node{ID: "n0", Addr: "10.0.0.1:6379"}, Replicas: []router.Node{{ID: "n2", Addr: "[2001:db8::2]:6379"}},
			Slots: []router.Range{{From: 0, To: 8191}, {From: 16383, To: 16383}},
		},
		{Primary: router.Node{ID: "stock", Addr: "redis.example:6379", External: true}, Slots: []router.Range{{From: 8192, To: 16382}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	value, err := backends.EncodeTopology(topo)
	if err != nil {
		t.Fatal(err)
	}
	text, err := registry.Unpack(value)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"topology.json": text, "topology.json.zst": value} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		golden, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		back, err := backends.DecodeTopology(golden)
		if err != nil || back.Line() != topo.Line() {
			t.Errorf("%s is read as %+v, %v", name, back, err)
		}
		if name == "topology.json" && !bytes.Equal(golden, content) {
			t.Errorf("%s is not what is written: %s", name, content)
		}
	}
}

func FuzzDecodeTopology(f *testing.F) {
	for _, name := range []string{"topology.json", "topology.json.zst"} {
		golden, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(golden)
		f.Add(golden[:len(golden)/2])
	}
	bomb, err := registry.Pack([]byte(strings.Repeat(" ", registry.UnpackedMaxBytes+1)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(bomb)
	f.Fuzz(func(t *testing.T, value []byte) {
		topo, err := backends.DecodeTopology(value)
		if err != nil {
			return
		}
		again, err := backends.EncodeTopology(topo)
		if err != nil {
			t.Fatal(err)
		}
		back, err := backends.DecodeTopology(again)
		if err != nil || back.Line() != topo.Line() {
			t.Errorf("%q became %q: %v", topo.Line(), back.Line(), err)
		}
	})
}

func TestBombIsRefused(t *testing.T) {
	bomb, err := registry.Pack([]byte(strings.Repeat(" ", registry.UnpackedMaxBytes+1)))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := registry.Unpack(bomb); err == nil {
		t.Errorf("%d bytes unfold to more than %d", len(bomb), registry.UnpackedMaxBytes)
	}
}
