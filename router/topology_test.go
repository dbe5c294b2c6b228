package router_test

import (
	"fmt"
	"strings"
	"testing"

	"larder/router"
)

func nodes(n int) []router.Node {
	list := make([]router.Node, n)
	for i := range list {
		list[i] = router.Node{ID: fmt.Sprintf("n%d", i), Addr: fmt.Sprintf("10.0.0.%d:6379", i%250+1)}
	}
	return list
}

func TestEven(t *testing.T) {
	for _, n := range []int{1, 2, 3, 7, 16, 100, router.ShardsMax} {
		topo, err := router.Even("c", 1, nodes(n))
		if err != nil {
			t.Fatal(err)
		}
		least, most := router.Slots, 0
		for i, shard := range topo.Shards {
			if len(shard.Slots) != 1 {
				t.Fatalf("%d shards: shard %d has %v", n, i, shard.Slots)
			}
			r := shard.Slots[0]
			if r.From%router.GroupSlots != 0 || (r.To+1)%router.GroupSlots != 0 {
				t.Errorf("%d shards: %v cuts a slot group", n, r)
			}
			least, most = min(least, r.To-r.From+1), max(most, r.To-r.From+1)
		}
		for slot := range router.Slots {
			if owner := topo.Owner(slot); owner < 0 || owner >= n {
				t.Fatalf("%d shards: slot %d is %d's", n, slot, owner)
			}
		}
		if most-least > router.GroupSlots {
			t.Errorf("%d shards: from %d to %d slots", n, least, most)
		}
	}
	topo, _ := router.Even("c", 1, nodes(3))
	if got := fmt.Sprint(topo.Shards[0].Slots, topo.Shards[1].Slots, topo.Shards[2].Slots); got != "[0-5455] [5456-10911] [10912-16383]" {
		t.Error(got)
	}
}

func TestNewRefuses(t *testing.T) {
	a, b := router.Node{ID: "a", Addr: "h:1"}, router.Node{ID: "b", Addr: "h:2"}
	shard := func(p router.Node, slots ...router.Range) router.Shard { return router.Shard{Primary: p, Slots: slots} }
	for _, test := range []struct {
		cluster string
		shards  []router.Shard
		want    string
	}{
		{"c", nil, "no shards"},
		{"c", make([]router.Shard, router.ShardsMax+1), "1025 shards, at most 1024 are possible"},
		{"c\n", []router.Shard{shard(a)}, `cluster: name "c\n"`},
		{"c", []router.Shard{shard(a, router.Range{From: 0, To: 9}), shard(b, router.Range{From: 9, To: 12})}, "shard 1: slot 9 is already shard 0's"},
		{"c", []router.Shard{shard(a, router.Range{From: 0, To: 9}, router.Range{From: 5, To: 5})}, "shard 0: slot 5 is listed twice"},
		{"c", []router.Shard{shard(a, router.Range{From: -1, To: 9})}, "shard 0: slots -1-9"},
		{"c", []router.Shard{shard(a, router.Range{From: 0, To: 16384})}, "shard 0: slots 0-16384"},
		{"c", []router.Shard{shard(a, router.Range{From: 5, To: 4})}, "shard 0: slots 5-4"},
		{"c", []router.Shard{shard(a), shard(a)}, `shard 1: primary: node "a" is already shard 0: primary`},
		{"c", []router.Shard{{Primary: a, Replicas: []router.Node{b, a}}}, `shard 0: replica 1: node "a" is already shard 0: primary`},
		{"c", []router.Shard{shard(router.Node{ID: "\xff", Addr: "h:1"})}, `shard 0: primary: id: name "\xff"`},
	} {
		if _, err := router.New(test.cluster, 1, test.shards); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%v\nwant %s", err, test.want)
		}
	}
	for _, addr := range []string{"", "h", ":1", "h:", "h:0", "h:65536", "h:x", "h:+1", "h:01", "::1:6379", "[]:1", "[::1]", "a b:1", "a\n:1", "[h:1", "h]:1", "a\u00a0b:1"} {
		if _, err := router.New("c", 1, []router.Shard{shard(router.Node{Addr: addr})}); err == nil || !strings.Contains(err.Error(), "shard 0: primary: address") {
			t.Errorf("%q: %v", addr, err)
		}
	}
	if _, err := router.Even("c", 1, nil); err == nil {
		t.Error("Even over nobody")
	}
	if _, err := router.Even("c", 1, nodes(router.ShardsMax+1)); err == nil {
		t.Error("Even over too many")
	}
}

func TestNewCopiesAndJoins(t *testing.T) {
	shards := []router.Shard{
		{Primary: router.Node{Addr: "[::1]:6379"}, Slots: []router.Range{{From: 10, To: 12}, {From: 0, To: 4}, {From: 5, To: 9}, {From: 20, To: 20}}},
		{Primary: router.Node{ID: "b", Addr: "host:1"}, Replicas: []router.Node{{ID: "r", Addr: "host:2"}}},
	}
	topo, err := router.New("c", 1, shards)
	if err != nil {
		t.Fatal(err)
	}
	shards[0].Slots[0].From, shards[1].Replicas[0].ID = 16000, "changed"
	if got := fmt.Sprint(topo.Shards[0].Slots); got != "[0-12 20]" {
		t.Error(got)
	}
	if topo.Shards[0].Primary.ID != "[::1]:6379" || topo.Shards[1].Replicas[0].ID != "r" {
		t.Errorf("%+v", topo.Shards)
	}
	for slot, want := range map[int]int{0: 0, 12: 0, 13: router.Nobody, 20: 0, 21: router.Nobody, 16383: router.Nobody} {
		if got := topo.Owner(slot); got != want {
			t.Errorf("slot %d: %d, want %d", slot, got, want)
		}
	}
	for slot, want := range map[int]int{0: 13, 12: 13, 13: 20, 20: 21, 21: router.Slots, 16383: router.Slots} {
		if got := topo.RunEnd(slot); got != want {
			t.Errorf("RunEnd(%d) = %d, want %d", slot, got, want)
		}
	}
	for slot, want := range map[int]int{0: 0, 13: 20, 20: 20, 21: router.Slots, router.Slots: router.Slots} {
		if got := topo.NextOwned(slot); got != want {
			t.Errorf("NextOwned(%d) = %d, want %d", slot, got, want)
		}
	}
}
