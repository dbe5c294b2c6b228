package conform_test

import (
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/internal/conform"
	"larder/internal/fleet"
	"larder/internal/peers"
	"larder/protocol/resp"
)

// redisCluster is a Redis Cluster of one node that has all slots.
func redisCluster(t *testing.T) string {
	t.Helper()
	addr := peers.StartRedis(t, "--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(peers.FreePort(t)), "--cluster-announce-ip", "127.0.0.1")
	c := peers.Dial(t, addr, 2)
	if r := string(c.Do("CLUSTER", "ADDSLOTSRANGE", "0", "16383")); r != "+OK\r\n" {
		t.Fatalf("ADDSLOTSRANGE: %q", r)
	}
	for deadline := time.Now().Add(peers.Patience); !strings.Contains(string(c.Do("CLUSTER", "INFO")), "cluster_state:ok"); {
		if time.Now().After(deadline) {
			t.Fatal("the Redis Cluster is not ok")
		}
		time.Sleep(10 * time.Millisecond)
	}
	return addr
}

// TestClusterAsRedisCluster: cluster-aware clients ask a gateway what they ask a Redis Cluster of one node with all slots, and get answers of the same
// form. What differs rightly (ids, addresses, epochs) is replaced before comparing.
func TestClusterAsRedisCluster(t *testing.T) {
	ref := redisCluster(t)
	for _, e := range endpoints {
		if !has(e.tags, conform.TagGateway) {
			continue
		}
		t.Run(e.name, func(t *testing.T) {
			addr := e.start(t)
			for proto := 2; proto <= 3; proto++ {
				theirs, ours := peers.Dial(t, ref, proto), peers.Dial(t, addr, proto)
				for _, line := range sameInCluster {
					args := strings.Fields(line)
					want, got := plain(theirs.Do(args...), ref), plain(ours.Do(args...), addr)
					if want != got {
						t.Errorf("RESP%d %s:\n  redis  %q\n  larder %q", proto, line, want, got)
					}
				}
				fieldsOfInfo(t, theirs, ours)
			}
		})
	}
}

// TestSlots: through a gateway a slot's keys are listed by the node that has them.
func TestSlots(t *testing.T) {
	ours := peers.Dial(t, fleet.Gateway(t, fleet.Nodes(t, 3)), 2)
	for i := range 300 {
		ours.Do("SET", fmt.Sprint("key:", i), "v")
	}
	for i := range 300 {
		key := fmt.Sprint("key:", i)
		slot := strings.Trim(string(ours.Do("CLUSTER", "KEYSLOT", key)), ":\r\n")
		if got := string(ours.Do("CLUSTER", "GETKEYSINSLOT", slot, "100")); !strings.Contains(got, "\r\n"+key+"\r\n") {
			t.Errorf("%s is not among the keys of its slot %s: %q", key, slot, got)
		}
		if got := string(ours.Do("CLUSTER", "COUNTKEYSINSLOT", slot)); got == ":0\r\n" || got[0] != ':' {
			t.Errorf("slot %s: %q", slot, got)
		}
	}
	for _, args := range [][]string{{"16384"}, {"-1"}} {
		if got := string(ours.Do(append([]string{"CLUSTER", "COUNTKEYSINSLOT"}, args...)...)); got != "-ERR Invalid slot\r\n" {
			t.Errorf("%q: %q", args, got)
		}
	}
	if got := string(ours.Do("CLUSTER", "GETKEYSINSLOT", "x", "1")); got != "-ERR value is not an integer or out of range\r\n" {
		t.Errorf("no number: %q", got)
	}
}

var sameInCluster = []string{
	"CLUSTER SLOTS", "CLUSTER SHARDS", "CLUSTER NODES", "CLUSTER MYID",
	"CLUSTER KEYSLOT a", "CLUSTER KEYSLOT {a}b", "CLUSTER KEYSLOT {}b", "CLUSTER KEYSLOT a{b}c{d}", "CLUSTER KEYSLOT {", "CLUSTER KEYSLOT }{", "CLUSTER KEYSLOT {{a}}",
	"CLUSTER KEYSLOT", "CLUSTER KEYSLOT a b", "CLUSTER SLOTS x", "CLUSTER NODES x", "CLUSTER INFO x", "CLUSTER SHARDS x", "CLUSTER MYID x", "CLUSTER NOPE", "CLUSTER",
	"READONLY", "READWRITE", "ASKING", "READONLY x", "READWRITE x", "ASKING x", "SET k v", "GET k", "DEL k",
}

var (
	nodeID  = regexp.MustCompile(`[0-9a-f]{40}`)
	bulk    = regexp.MustCompile(`[$=]\d+\r\n`)
	busPort = regexp.MustCompile(`@\d+`)
	epochs  = regexp.MustCompile(` 0 0 \d+ connected`)
	// A node that has no hostname says so in an empty map or array; its NODES line in an empty word.
	hostname = regexp.MustCompile(`@BUS,\S* `)
	offset   = regexp.MustCompile(`replication-offset\r\n:\d+`)
)

// plain replaces what differs between any two servers, lengths of texts included.
func plain(reply []byte, addr string) string {
	host, port, _ := net.SplitHostPort(addr)
	s := bulk.ReplaceAllString(string(reply), "$$")
	s = nodeID.ReplaceAllString(s, "ID")
	s = strings.ReplaceAll(s, host+":"+port, "ADDR")
	s = busPort.ReplaceAllString(s, "@BUS")
	s = hostname.ReplaceAllString(s, "@BUS ")
	s = epochs.ReplaceAllString(s, " 0 0 EPOCH connected")
	s = offset.ReplaceAllString(s, "OFFSET")
	return strings.ReplaceAll(s, ":"+port+"\r\n", ":PORT\r\n")
}

// fieldsOfInfo: what we say in CLUSTER INFO has names that a Redis Cluster says too, and the facts that clients look at agree.
func fieldsOfInfo(t *testing.T, theirs, ours *peers.Conn) {
	t.Helper()
	want, got := infoFields(theirs.Do("CLUSTER", "INFO")), infoFields(ours.Do("CLUSTER", "INFO"))
	for name, value := range got {
		if want[name] == "" {
			t.Errorf("CLUSTER INFO: Redis has no field %s", name)
		}
		if !strings.HasSuffix(name, "_epoch") && want[name] != value && name != "cluster_enabled" {
			t.Errorf("CLUSTER INFO: %s is %s, want %s", name, value, want[name])
		}
	}
	for _, name := range []string{"cluster_state", "cluster_slots_assigned", "cluster_slots_ok", "cluster_known_nodes", "cluster_size", "cluster_current_epoch"} {
		if got[name] == "" {
			t.Errorf("CLUSTER INFO: no %s", name)
		}
	}
}

func infoFields(reply []byte) map[string]string {
	text, _ := resp.Value(reply).Bytes()
	out := map[string]string{}
	for line := range strings.SplitSeq(string(text), "\r\n") {
		if name, value, ok := strings.Cut(line, ":"); ok && name[0] != '#' {
			out[name] = value
		}
	}
	return out
}

func has(tags []string, tag string) bool {
	e := conform.Endpoint{Tags: tags}
	return e.Has(tag)
}

// TestKeySlots: the gateway computes slots as a Redis Cluster does, for any bytes.
func TestKeySlots(t *testing.T) {
	theirs, ours := peers.Dial(t, redisCluster(t), 2), peers.Dial(t, endpoints[2].start(t), 2)
	rng := dice(t, 5)
	for range 2000 {
		key := make([]byte, rng.IntN(20))
		for i := range key {
			key[i] = "ab{}\x00\r\n\xff"[rng.IntN(8)]
		}
		if a, b := theirs.Do("CLUSTER", "KEYSLOT", string(key)), ours.Do("CLUSTER", "KEYSLOT", string(key)); string(a) != string(b) {
			t.Fatalf("%q: redis %q, larder %q", key, a, b)
		}
	}
}

// TestPlaced: each key is on the node that the slots say, and on no other.
func TestPlaced(t *testing.T) {
	nodes := stockNodes(t, 3)
	c := peers.Dial(t, gatewayOver(t, nodes), 2)
	for i := range 300 {
		c.Do("SET", fmt.Sprintf("k%d", i), "v")
	}
	total := 0
	for i, addr := range nodes {
		n := resp.Elements(peers.Dial(t, addr, 2).Do("KEYS", "*"))
		total += n.Left()
		for e, ok := n.Next(); ok; e, ok = n.Next() {
			key, _ := resp.BulkOf(e)
			if at := slotOwner(key, len(nodes)); at != i {
				t.Errorf("%s is on node %d, want %d", key, i, at)
			}
		}
	}
	if total != 300 {
		t.Errorf("%d keys on the nodes, want 300", total)
	}
}
