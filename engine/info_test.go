package engine_test

import (
	"strings"
	"testing"
	"time"

	"larder/engine"
)

// field is a line's value in INFO's answer, "" if there is none.
func field(info, name string) string {
	_, rest, _ := strings.Cut(info, "\r\n"+name+":")
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}

func TestInfo(t *testing.T) {
	b := newBed(t, func(o *engine.Options) { o.ID, o.MaxMemory = "n1", 1<<30 })
	k := b.client()
	k.do("SET", "a", "1")
	k.do("SET", "b", "1", "PX", "50")
	k.do("SELECT", "3")
	k.do("SET", "c", "1")
	k.do("GET")
	k.do("INCR", "c")
	k.do("SETRANGE", "c", "-1", "x")
	b.m.Advance(20 * time.Millisecond)
	b.m.Advance(100 * time.Millisecond)
	if err := b.node.Assign(1, topology(t, 9, 3)); err != nil {
		t.Fatal(err)
	}
	info := k.do("INFO", "everything")
	for name, want := range map[string]string{
		"redis_version": "7.2.4", "redis_mode": "standalone", "role": "master", "connected_clients": "1", "maxmemory": "1073741824",
		"maxmemory_human": "1.00G", "maxmemory_policy": "noeviction", "loading": "0", "cluster_enabled": "0", "expired_keys": "1",
		"db0": "keys=1,expires=0,avg_ttl=0", "db3": "keys=1,expires=0,avg_ttl=0", "db1": "", "rdb_changes_since_last_save": "4",
		"errorstat_ERR": "count=2", "total_error_replies": "2", "total_commands_processed": "7", "tcp_port": "6379",
		"node_id": "n1", "shard": "1", "topology_epoch": "9", "slots": "5456-10911",
	} {
		if got := field(info, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	for name, want := range map[string]string{"cmdstat_set": "calls=3,", "cmdstat_get": "calls=0,", "cmdstat_setrange": "calls=1,"} {
		if got := field(info, name); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %s…", name, got, want)
		}
	}
	if got := field(info, "cmdstat_get"); !strings.HasSuffix(got, "rejected_calls=1,failed_calls=0") {
		t.Errorf("cmdstat_get: %q", got)
	}
	if got := field(info, "cmdstat_setrange"); !strings.HasSuffix(got, "rejected_calls=0,failed_calls=1") {
		t.Errorf("cmdstat_setrange: %q", got)
	}
	k.says("+OK\r\n", "CONFIG", "RESETSTAT")
	info = k.do("INFO", "all")
	for name, want := range map[string]string{"expired_keys": "0", "cmdstat_set": "", "errorstat_ERR": "", "total_error_replies": "0", "maxmemory": "1073741824"} {
		if got := field(info, name); got != want {
			t.Errorf("after RESETSTAT %s: %q, want %q", name, got, want)
		}
	}
}

func TestInfoSections(t *testing.T) {
	k := newBed(t, nil).client()
	headings := func(args ...string) string {
		var found []string
		for line := range strings.Lines(k.do(append([]string{"INFO"}, args...)...)) {
			if name, ok := strings.CutPrefix(strings.TrimSpace(line), "# "); ok {
				found = append(found, name)
			}
		}
		return strings.Join(found, " ")
	}
	const usual = "Server Clients Memory Persistence Stats Replication CPU Errorstats Cluster Keyspace Larder"
	for want, args := range map[string][]string{
		usual:          {},
		"CPU Keyspace": {"keyspace", "cpu", "nosuch"},
		"Commandstats": {"CommandStats"},
		usual[:len("Server Clients Memory Persistence Stats Replication CPU ")] + "Commandstats Errorstats Latencystats Cluster Keyspace Keyprefixes Larder": {"all"},
	} {
		if got := headings(args...); got != want {
			t.Errorf("%q: %q, want %q", args, got, want)
		}
	}
	if got := headings("default"); got != usual {
		t.Errorf("default: %q", got)
	}
	k.says("$0\r\n\r\n", "INFO", "nosuch")
	k.do("HELLO", "3")
	if got := k.do("INFO", "cluster"); got != "=34\r\ntxt:# Cluster\r\ncluster_enabled:0\r\n\r\n" {
		t.Errorf("RESP3: %q", got)
	}
}

// Keys that nobody asks for die by themselves, and not all of many in one tick.
func TestExpiry(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	for i := range 1000 {
		k.do("SET", "k"+string(rune('a'+i%26))+strings.Repeat("x", i/26), "v", "PX", "100")
	}
	k.do("SET", "stays", "v")
	b.m.Advance(50 * time.Millisecond)
	k.says(":1001\r\n", "DBSIZE")
	for range 50 {
		b.m.Advance(10 * time.Millisecond)
	}
	k.says(":1\r\n", "DBSIZE")
}

// TestInfoRates: what the last second brought, and what clients' caches hold.
func TestInfoRates(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	b.m.Advance(time.Second)
	k.do("HELLO", "3")
	k.do("CLIENT", "TRACKING", "ON")
	for range 98 {
		k.do("GET", "k")
	}
	b.m.Advance(time.Second)
	info := k.do("INFO", "stats")
	for name, want := range map[string]string{"instantaneous_ops_per_sec": "100", "tracking_total_keys": "1", "tracking_total_items": "1", "tracking_total_prefixes": "0"} {
		if got := field(info, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if in := field(info, "instantaneous_input_kbps"); in == "" || in == "0.00" {
		t.Errorf("instantaneous_input_kbps: %q", in)
	}
	b.m.Advance(time.Second)
	b.m.Advance(time.Second)
	if got := field(k.do("INFO", "stats"), "instantaneous_ops_per_sec"); got != "0" {
		t.Errorf("after a second of silence: %q", got)
	}
}
