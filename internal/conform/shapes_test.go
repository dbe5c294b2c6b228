package conform_test

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/internal/conform"
	"larder/internal/peers"
	"larder/protocol/resp"
)

// Replies that rightly differ in their numbers are checked here for what must hold of them.

// onAll runs a test on each of our forms.
func onAll(t *testing.T, f func(t *testing.T, addr string, sharded bool)) {
	for _, e := range endpoints {
		t.Run(e.name, func(t *testing.T) { f(t, e.start(t), has(e.tags, conform.TagSharded)) })
	}
}

func text(t *testing.T, reply []byte) string {
	t.Helper()
	b, ok := resp.Value(reply).Bytes()
	if !ok || resp.IsError(reply) {
		t.Fatalf("no text: %q", reply)
	}
	return string(b)
}

func integer(t *testing.T, reply []byte) int64 {
	t.Helper()
	n, ok := resp.ParseInt(reply)
	if !ok {
		t.Fatalf("no integer: %q", reply)
	}
	return n
}

// fieldNames are the names in a line of CLIENT LIST, in order.
func fieldNames(line string) []string {
	var names []string
	for f := range strings.FieldsSeq(line) {
		name, _, _ := strings.Cut(f, "=")
		names = append(names, name)
	}
	return names
}

func fieldOf(line, name string) string {
	for f := range strings.FieldsSeq(line) {
		if n, v, _ := strings.Cut(f, "="); n == name {
			return v
		}
	}
	return ""
}

// TestClientLines: the fields are Redis 7.0's in its order, then 7.2's two; and what they say is true.
func TestClientLines(t *testing.T) {
	theirs := fieldNames(text(t, peers.Dial(t, peers.StartRedis(t), 2).Do("CLIENT", "INFO")))
	onAll(t, func(t *testing.T, addr string, _ bool) {
		c := peers.Dial(t, addr, 3)
		others := make([]*peers.Conn, 5)
		for i := range others {
			others[i] = peers.Dial(t, addr, 2)
			others[i].Do("CLIENT", "SETNAME", fmt.Sprintf("other%d", i))
		}
		for _, args := range [][]string{{"CLIENT", "SETNAME", "me"}, {"CLIENT", "SETINFO", "lib-name", "l"}, {"CLIENT", "SETINFO", "lib-ver", "1.2"}, {"SELECT", "4"}} {
			if got := string(c.Do(args...)); got != "+OK\r\n" {
				t.Errorf("%q: %q", args, got)
			}
		}
		line := text(t, c.Do("CLIENT", "INFO"))
		if got, want := fieldNames(line), append(slices.Clone(theirs), "lib-name", "lib-ver"); !slices.Equal(got, want) {
			t.Errorf("fields of CLIENT INFO:\n  redis  %q\n  larder %q", want, got)
		}
		id := strconv.FormatInt(integer(t, c.Do("CLIENT", "ID")), 10)
		for name, want := range map[string]string{
			"id": id, "laddr": addr, "name": "me", "db": "4", "resp": "3", "lib-name": "l", "lib-ver": "1.2", "cmd": "client|info", "user": "default", "multi": "-1", "sub": "0",
		} {
			if got := fieldOf(line, name); got != want {
				t.Errorf("%s=%s in CLIENT INFO, want %s", name, got, want)
			}
		}
		list := strings.Split(strings.TrimRight(text(t, c.Do("CLIENT", "LIST")), "\n"), "\n")
		if len(list) < 1+len(others) {
			t.Errorf("CLIENT LIST has %d lines: %q", len(list), list)
		}
		if !slices.ContainsFunc(list, func(l string) bool { return fieldOf(l, "id") == id && fieldOf(l, "name") == "me" }) {
			t.Errorf("CLIENT LIST lacks the client that asks: %q", list)
		}
		last := strconv.FormatInt(integer(t, others[4].Do("CLIENT", "ID")), 10)
		one := text(t, c.Do("CLIENT", "LIST", "ID", last, "999999"))
		if strings.Count(one, "\n") != 1 || fieldOf(one, "name") != "other4" {
			t.Errorf("CLIENT LIST ID %s: %q", last, one)
		}
	})
}

// TestClientIDsGrow: an ID is never given again.
func TestClientIDsGrow(t *testing.T) {
	onAll(t, func(t *testing.T, addr string, _ bool) {
		last := int64(0)
		for range 10 {
			id := integer(t, peers.Dial(t, addr, 2).Do("CLIENT", "ID"))
			if id <= last {
				t.Errorf("client %d came after %d", id, last)
			}
			last = id
		}
	})
}

func TestClientKill(t *testing.T) {
	onAll(t, func(t *testing.T, addr string, _ bool) {
		c := peers.Dial(t, addr, 2)
		id := strconv.FormatInt(integer(t, c.Do("CLIENT", "ID")), 10)
		dial := func() string { // the address of a new client
			return fieldOf(text(t, peers.Dial(t, addr, 2).Do("CLIENT", "INFO")), "addr")
		}
		alive := func(peer string) bool {
			return slices.ContainsFunc(strings.Split(text(t, c.Do("CLIENT", "LIST")), "\n"), func(l string) bool { return fieldOf(l, "addr") == peer })
		}
		for _, x := range []struct {
			args func(peer string) []string
			want string
		}{
			{func(peer string) []string { return []string{peer} }, "+OK\r\n"},
			{func(peer string) []string { return []string{"ADDR", peer} }, ":1\r\n"},
			{func(peer string) []string {
				return []string{"ADDR", peer, "TYPE", "normal", "USER", "default", "LADDR", addr}
			}, ":1\r\n"},
			{func(peer string) []string { return []string{"ADDR", peer, "ID", id} }, ":0\r\n"},
			{func(peer string) []string { return []string{"ADDR", peer, "TYPE", "pubsub"} }, ":0\r\n"},
		} {
			peer := dial()
			args := append([]string{"CLIENT", "KILL"}, x.args(peer)...)
			if got := string(c.Do(args...)); got != x.want {
				t.Errorf("%q: %q, want %q", args, got, x.want)
			}
			dies := x.want != ":0\r\n"
			for deadline := time.Now().Add(peers.Patience); dies && alive(peer); time.Sleep(time.Millisecond) {
				if time.Now().After(deadline) {
					t.Fatalf("%q: the client is still there", args)
				}
			}
			if !dies && !alive(peer) {
				t.Errorf("%q: the client is gone", args)
			}
		}
		if got := string(c.Do("CLIENT", "KILL", "ID", id)); got != ":0\r\n" {
			t.Errorf("oneself is spared: %q", got)
		}
	})
}

// TestClientPause: WRITE holds writes of all clients and lets reads pass; ALL holds both; UNPAUSE ends it at once.
func TestClientPause(t *testing.T) {
	onAll(t, func(t *testing.T, addr string, _ bool) {
		admin, c, reader := peers.Dial(t, addr, 2), peers.Dial(t, addr, 2), peers.Dial(t, addr, 2)
		c.Do("SET", "k", "v")
		const pause = 150 * time.Millisecond
		ms := strconv.Itoa(int(pause.Milliseconds()))
		for _, mode := range []string{"WRITE", "ALL"} {
			began := time.Now()
			admin.Do("CLIENT", "PAUSE", ms, mode)
			if mode == "WRITE" {
				c.Do("SET", "k", "v")
			} else {
				c.Do("GET", "k")
			}
			if took := time.Since(began); took < pause*9/10 {
				t.Errorf("PAUSE %s %s: held for %v only", ms, mode, took)
			}
		}
		began := time.Now()
		admin.Do("CLIENT", "PAUSE", "600000", "WRITE")
		if got := string(reader.Do("GET", "k")); got != "$1\r\nv\r\n" {
			t.Errorf("a read in a pause of writes: %q", got)
		}
		admin.Do("CLIENT", "PAUSE", "600000", "ALL")
		c.Send([]byte("SET k w\r\nGET k\r\n"))
		admin.Do("CLIENT", "UNPAUSE")
		if got := string(c.Reply()) + string(c.Reply()); got != "+OK\r\n$1\r\nw\r\n" || time.Since(began) > 2*peers.Patience {
			t.Errorf("behind UNPAUSE: %q after %v", got, time.Since(began))
		}
	})
}

func TestTime(t *testing.T) {
	onAll(t, func(t *testing.T, addr string, _ bool) {
		c := peers.Dial(t, addr, 2)
		last := time.Time{}
		for range 50 {
			it := resp.Elements(c.Do("TIME"))
			s, _ := it.Next()
			us, _ := it.Next()
			seconds, err1 := strconv.ParseInt(text(t, s), 10, 64)
			micro, err2 := strconv.ParseInt(text(t, us), 10, 64)
			if err1 != nil || err2 != nil || micro < 0 || micro > 999_999 {
				t.Fatalf("TIME: %q %q", s, us)
			}
			now := time.Unix(seconds, micro*1000)
			if now.Before(last) || time.Since(now).Abs() > 5*time.Second {
				t.Fatalf("TIME: %v, before it %v, here it is %v", now, last, time.Now())
			}
			last = now
		}
	})
}

// TestRandomKey: every key comes up, whatever its shard; where there is only one, always that one.
func TestRandomKey(t *testing.T) {
	onAll(t, func(t *testing.T, addr string, _ bool) {
		c := peers.Dial(t, addr, 2)
		for i := range 20 {
			c.Do("SET", fmt.Sprint("one", i), "v")
			for range 5 {
				if got := text(t, c.Do("RANDOMKEY")); got != fmt.Sprint("one", i) {
					t.Fatalf("the only key is one%d: %q", i, got)
				}
			}
			c.Do("DEL", fmt.Sprint("one", i))
		}
		for i := range 30 {
			c.Do("SET", fmt.Sprint("k", i), "v")
		}
		seen := map[string]bool{}
		const tries = 3000
		c.Send(bytes.Repeat([]byte("RANDOMKEY\r\n"), tries))
		for range tries {
			seen[text(t, c.Reply())] = true
		}
		if len(seen) != 30 {
			t.Errorf("of 30 keys %d came up in %d tries", len(seen), tries)
		}
	})
}

// ourFields are INFO's that a redis-server 7.0 does not have.
var ourFields = map[string]string{
	"server_name":   "7.2 and its forks have it",
	"larder_role":   "node or gateway",
	"go_version":    "instead of gcc_version",
	"errorstat_ALL": "the gateway's sum of all errors",

	"pubsub_clients": "7.4 has it",

	"mem_kept_for_snapshots": "what was overwritten and is kept for saves and replicas",
	"go_heap_bytes":          "what the Go runtime takes, apart from the keyspace",
	"go_gc_cycles":           "and how often it cleans up",
	"go_gc_cpu_perc":         "and what of the processor that took",
	"chores_longest_usec":    "the longest slice of work between commands",
	"acl_access_denied_auth": "7.2 has it",

	"client_output_buffer_limit_disconnections": "7.2 has it",
	"client_query_buffer_limit_disconnections":  "7.2 has it",
}

// ourParameters are CONFIG's that a redis-server 7.0 does not have.
var ourParameters = map[string]string{
	"set-max-listpack-entries": "7.2 has it",
	"set-max-listpack-value":   "7.2 has it",
}

// TestInfoFields: our fields have the names of Redis's, in the sections of Redis's; tools look for them there.
func TestInfoFields(t *testing.T) {
	theirs := infoSections(text(t, peers.Dial(t, peers.StartRedis(t), 2).Do("INFO", "everything")))
	onAll(t, func(t *testing.T, addr string, _ bool) {
		c := peers.Dial(t, addr, 3)
		c.Do("SET", "k", "v")
		c.Do("NOPE")
		ours := infoSections(text(t, c.Do("INFO", "everything")))
		for section, fields := range ours {
			if section == "Gateway" || section == "Keyspace" || section == "Node" || section == "Larder" {
				continue
			}
			for name := range fields {
				if theirs[section][name] == "" && ourFields[name] == "" && !strings.HasPrefix(name, "errorstat_") && !strings.HasPrefix(name, "cmdstat_") &&
					!strings.HasPrefix(name, "latency_percentiles_usec_") {
					t.Errorf("INFO, section %s: Redis has no field %s there", section, name)
				}
			}
		}
		for section, names := range map[string][]string{
			"Server":      {"redis_version", "redis_mode", "process_id", "run_id", "tcp_port", "uptime_in_seconds"},
			"Clients":     {"connected_clients"},
			"Memory":      {"used_memory", "maxmemory", "maxmemory_policy"},
			"Stats":       {"total_connections_received", "total_commands_processed"},
			"Replication": {"role", "connected_slaves", "master_replid"},
			"CPU":         {"used_cpu_sys", "used_cpu_user"},
			"Cluster":     {"cluster_enabled"},
		} {
			for _, name := range names {
				if ours[section][name] == "" {
					t.Errorf("INFO, section %s: no %s", section, name)
				}
			}
		}
		if got := text(t, c.Do("INFO", "keyspace")); !strings.HasPrefix(got, "# Keyspace\r\ndb0:keys=1,expires=0") {
			t.Errorf("INFO keyspace: %q", got)
		}
		if got := text(t, c.Do("INFO", "nope")); got != "" {
			t.Errorf("INFO nope: %q", got)
		}
	})
}

// infoSections are INFO's fields by section.
func infoSections(info string) map[string]map[string]string {
	out := map[string]map[string]string{}
	section := ""
	for line := range strings.SplitSeq(info, "\r\n") {
		if name, ok := strings.CutPrefix(line, "# "); ok {
			section = name
			out[section] = map[string]string{}
		} else if name, value, ok := strings.Cut(line, ":"); ok {
			out[section][name] = value + " " // never empty
		}
	}
	return out
}

// TestConfigNames: each parameter that we have is one of Redis's, or of Larder's by its name.
func TestConfigNames(t *testing.T) {
	theirs := peers.Dial(t, peers.StartRedis(t), 2)
	onAll(t, func(t *testing.T, addr string, _ bool) {
		it := resp.Elements(peers.Dial(t, addr, 2).Do("CONFIG", "GET", "*"))
		found := 0
		for name, ok := it.Next(); ok; name, ok = it.Next() {
			_, _ = it.Next()
			found++
			if n := text(t, name); !strings.HasPrefix(n, "larder-") && ourParameters[n] == "" && resp.Value(theirs.Do("CONFIG", "GET", n)).Len() != 2 {
				t.Errorf("CONFIG GET: Redis has no parameter %s", n)
			}
		}
		if found < 5 {
			t.Errorf("CONFIG GET *: %d parameters", found)
		}
	})
}
