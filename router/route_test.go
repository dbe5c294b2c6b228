package router_test

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"larder/router"
)

// drawTopology makes one with holes, single slots and empty shards among its cases.
func drawTopology(t *rapid.T) *router.Topology {
	count := rapid.IntRange(1, 6).Draw(t, "shards")
	shards := make([]router.Shard, count)
	for i := range shards {
		shards[i].Primary = router.Node{ID: drawName(t, i), Addr: fmt.Sprintf("host-%d:%d", i, rapid.IntRange(1, 65535).Draw(t, "port")), External: rapid.Bool().Draw(t, "external")}
		for j := range rapid.IntRange(0, 2).Draw(t, "replicas") {
			shards[i].Replicas = append(shards[i].Replicas, router.Node{ID: fmt.Sprintf("r%d.%d", i, j), Addr: fmt.Sprintf("[fe80::%d]:%d", i, j+1)})
		}
	}
	for slot := 0; slot < router.Slots; {
		end := min(slot+rapid.SampledFrom([]int{1, 2, 15, 16, 17, 160, 5000, router.Slots}).Draw(t, "run"), router.Slots)
		owner := rapid.IntRange(-1, count-1).Draw(t, "owner")
		if owner >= 0 {
			shards[owner].Slots = append(shards[owner].Slots, router.Range{From: slot, To: end - 1})
		}
		slot = end
		if rapid.IntRange(0, 9).Draw(t, "last") == 0 {
			break
		}
	}
	topo, err := router.New(rapid.SampledFrom([]string{"", "-", "main", "a b%=,@!", "größe"}).Draw(t, "cluster"), rapid.Uint64().Draw(t, "epoch"), shards)
	if err != nil {
		t.Fatal(err)
	}
	return topo
}

func drawName(t *rapid.T, i int) string {
	return fmt.Sprintf("%s%d", rapid.SampledFrom([]string{"n", "a=b", "x,y ", "%20", "é@!", ""}).Draw(t, "name"), i)
}

// naiveOwner looks through the ranges.
func naiveOwner(t *router.Topology, slot int) int {
	for i, shard := range t.Shards {
		for _, r := range shard.Slots {
			if r.From <= slot && slot <= r.To {
				return i
			}
		}
	}
	return router.Nobody
}

func drawKeys(t *rapid.T) []string {
	return rapid.SliceOfN(rapid.OneOf(
		rapid.StringMatching(`[a-f]{0,3}`),
		rapid.StringMatching(`\{[ab]\}[a-z]{0,2}`),
	), 0, 12).Draw(t, "keys")
}

func naiveOneShard(t *router.Topology, keys []string) (int, router.Cross) {
	shard := 0
	for i, key := range keys {
		slot := naiveSlot(key)
		if i > 0 && len(t.Shards) > 1 && slot != naiveSlot(keys[0]) {
			return router.Nobody, router.Crosses
		}
		if shard = naiveOwner(t, slot); shard == router.Nobody {
			return router.Nobody, router.Unserved
		}
	}
	return shard, router.Together
}

func TestRouteAsNaive(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		topo := drawTopology(t)
		for _, key := range drawKeys(t) {
			if got, want := topo.ShardOf([]byte(key)), naiveOwner(topo, naiveSlot(key)); got != want {
				t.Fatalf("%q: shard %d, want %d", key, got, want)
			}
		}
		keys := drawKeys(t)
		args, at := [][]byte{[]byte("CMD")}, []int{}
		for _, key := range keys {
			at = append(at, len(args))
			args = append(args, []byte(key), []byte("between"))
		}
		shard, cross := topo.OneShard(args, at)
		wantShard, wantCross := naiveOneShard(topo, keys)
		if shard != wantShard || cross != wantCross {
			t.Fatalf("%q: shard %d %v, want %d %v", keys, shard, cross, wantShard, wantCross)
		}
	})
}

func TestSplitAsNaive(t *testing.T) {
	var split router.Split
	rapid.Check(t, func(t *rapid.T) {
		topo := drawTopology(t)
		keys := drawKeys(t)
		first, step := rapid.IntRange(1, 3).Draw(t, "first"), rapid.IntRange(1, 2).Draw(t, "step")
		args := make([][]byte, first)
		want := map[int][]int{}
		var order []int
		unserved := false
		for i, key := range keys {
			args = append(args, []byte(key))
			args = append(args, make([][]byte, step-1)...)
			owner := naiveOwner(topo, naiveSlot(key))
			unserved = unserved || owner == router.Nobody
			if want[owner] == nil {
				order = append(order, owner)
			}
			want[owner] = append(want[owner], i)
		}
		cross := topo.Split(args, first, step, &split)
		if unserved {
			if cross != router.Unserved {
				t.Fatalf("%q: %v, want Unserved", keys, cross)
			}
			return
		}
		if cross != router.Together || len(split.Shard) != len(keys) || len(split.Parts) != len(order) {
			t.Fatalf("%q: %v %+v", keys, cross, split)
		}
		for i, part := range split.Parts {
			if part.Shard != order[i] || !slices.Equal(part.Keys, want[part.Shard]) {
				t.Fatalf("%q: part %d is %+v, want shard %d with %v", keys, i, part, order[i], want[order[i]])
			}
			for _, key := range part.Keys {
				if split.Shard[key] != part.Shard {
					t.Fatalf("key %d: shard %d and %d", key, split.Shard[key], part.Shard)
				}
			}
		}
	})
}

// A scan goes from run to run: together they are all owned slots, each once, each run with one owner and as long as possible.
func TestRunsCoverAllOwnedSlots(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		topo := drawTopology(t)
		next := 0
		for slot := topo.NextOwned(0); slot < router.Slots; slot = topo.NextOwned(topo.RunEnd(slot)) {
			for ; next < slot; next++ {
				if naiveOwner(topo, next) != router.Nobody {
					t.Fatalf("slot %d is left out", next)
				}
			}
			for end := topo.RunEnd(slot); next < end; next++ {
				if topo.Owner(next) != topo.Owner(slot) {
					t.Fatalf("slot %d is %d's in a run of %d's", next, topo.Owner(next), topo.Owner(slot))
				}
			}
			if next < router.Slots && topo.Owner(next) == topo.Owner(slot) {
				t.Fatalf("the run from %d ends too early, at %d", slot, next)
			}
		}
	})
}

func TestCrossTexts(t *testing.T) {
	for cross, want := range map[router.Cross]string{
		router.Together: "", router.Crosses: "CROSSSLOT Keys in request don't hash to the same slot", router.Unserved: "CLUSTERDOWN Hash slot not served",
	} {
		if cross.Error() != want {
			t.Error(cross.Error())
		}
	}
}

func TestRouteAllocations(t *testing.T) {
	topo, err := router.Even("c", 1, nodes(3))
	if err != nil {
		t.Fatal(err)
	}
	args := [][]byte{[]byte("MSET"), []byte("{a}1"), nil, []byte("{a}2"), nil, []byte("{a}3"), nil}
	keys := []int{1, 3, 5}
	var split router.Split
	topo.Split(args, 1, 1, &split)
	if allocs := testing.AllocsPerRun(100, func() {
		topo.ShardOf(args[1])
		topo.OneShard(args, keys)
		topo.Split(args, 1, 2, &split)
		topo.RunEnd(100)
	}); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

func BenchmarkRoute(b *testing.B) {
	topo, _ := router.Even("c", 1, nodes(3))
	args := [][]byte{[]byte("MGET")}
	for i := range 10 {
		args = append(args, fmt.Appendf(nil, "key:%012d", i))
	}
	b.Run("one", func(b *testing.B) {
		for b.Loop() {
			topo.OneShard(args, []int{1})
		}
	})
	b.Run("split10", func(b *testing.B) {
		var split router.Split
		b.ReportAllocs()
		for b.Loop() {
			topo.Split(args, 1, 1, &split)
		}
	})
}
