package engine_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/engine"
	"larder/internal/peers"
	"larder/protocol/resp"
	"larder/router"
)

// TestSlotsAsRedisCluster: a node answers for any slot as a Redis Cluster that has them all.
func TestSlotsAsRedisCluster(t *testing.T) {
	theirs := peers.Dial(t, peers.StartRedis(t, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(peers.FreePort(t))), 2)
	if got := string(theirs.Do("CLUSTER", "ADDSLOTSRANGE", "0", "16383")); got != "+OK\r\n" {
		t.Fatal(got)
	}
	ours := newBed(t, nil).client()
	slot := fmt.Sprint(router.Slot([]byte("{t}")))
	for end := time.Now().Add(within); strings.HasPrefix(string(theirs.Do("SET", "{t}a", "1")), "-CLUSTERDOWN"); {
		if time.Now().After(end) {
			t.Fatal("the Redis Cluster does not take its slots over")
		}
	}
	for _, key := range []string{"{t}a", "{t}b", "{t}c", "other"} {
		theirs.Do("SET", key, "1")
		ours.do("SET", key, "1")
	}
	for _, args := range [][]string{
		{"COUNTKEYSINSLOT", slot},
		{"COUNTKEYSINSLOT", "0"},
		{"COUNTKEYSINSLOT", "-1"},
		{"COUNTKEYSINSLOT", "16384"},
		{"COUNTKEYSINSLOT", "x"},
		{"COUNTKEYSINSLOT"},
		{"GETKEYSINSLOT", slot, "10"},
		{"GETKEYSINSLOT", slot, "0"},
		{"GETKEYSINSLOT", slot, "-1"},
		{"GETKEYSINSLOT", "16384", "1"},
		{"GETKEYSINSLOT", "x", "1"},
		{"GETKEYSINSLOT", "1", "x"},
		{"GETKEYSINSLOT", "0", "5"},
		{"GETKEYSINSLOT", slot},
	} {
		args := append([]string{"CLUSTER"}, args...)
		if got, want := inOrder(ours.do(args...)), inOrder(string(theirs.Do(args...))); got != want {
			t.Errorf("%q: %q, want %q", args, got, want)
		}
	}
	if got := ours.do("CLUSTER", "GETKEYSINSLOT", slot, "2"); !strings.HasPrefix(got, "*2\r\n$4\r\n{t}") {
		t.Errorf("at most two: %q", got)
	}
}

// inOrder sorts the elements of an array.
func inOrder(reply string) string {
	if reply[0] != '*' {
		return reply
	}
	var all []string
	it := resp.Elements([]byte(reply))
	for e, ok := it.Next(); ok; e, ok = it.Next() {
		all = append(all, string(e))
	}
	slices.Sort(all)
	return strings.Join(all, "")
}

// Slots are listed in the client's database, and dead keys are not.
func TestSlotsOfDatabases(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	slot := fmt.Sprint(router.Slot([]byte("a")))
	k.says("+OK\r\n", "SET", "a", "1")
	k.says("+OK\r\n", "SELECT", "1")
	k.says(":0\r\n", "CLUSTER", "COUNTKEYSINSLOT", slot)
	k.says("+OK\r\n", "SET", "{a}b", "1")
	k.says("+OK\r\n", "SET", "{a}dies", "1", "PX", "1")
	b.m.Advance(2 * time.Millisecond)
	k.says(":1\r\n", "CLUSTER", "COUNTKEYSINSLOT", slot)
	k.says("*1\r\n$4\r\n{a}b\r\n", "CLUSTER", "GETKEYSINSLOT", slot, "10")
}

func TestPrefixes(t *testing.T) {
	b := newBed(t, func(o *engine.Options) { o.KeyPrefixes = []string{"user:", "user:vip:", "s"} })
	k := b.client()
	for i := range 10 {
		k.do("SET", fmt.Sprint("user:", i), "v")
		k.do("SET", fmt.Sprint("user:vip:", i), "v", "PX", "50")
	}
	k.do("SET", "t", "v")
	k.do("DEL", "user:3")
	info := k.do("INFO", "keyprefixes")
	for name, want := range map[string]string{"prefix0": `keys=9,`, "prefix1": `keys=10,`, "prefix2": `keys=0,bytes=0,prefix="s"`} {
		if got := field(info, name); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %s…", name, got, want)
		}
	}
	for range 10 {
		b.m.Advance(10 * time.Millisecond)
	}
	if got := field(k.do("INFO", "keyprefixes"), "prefix1"); got != `keys=0,bytes=0,prefix="user:vip:"` {
		t.Errorf("after their time: %q", got)
	}
	for _, bad := range [][]string{{""}, {"a", "a"}, {"\xff"}, make([]string, 65)} {
		o := engine.DefaultOptions()
		o.KeyPrefixes = bad
		if o.Validate() == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
