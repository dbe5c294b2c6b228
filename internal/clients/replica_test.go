package clients_test

import (
	"bytes"
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"

	"larder/internal/clients"
	"larder/internal/peers"
	"larder/protocol/resp"
)

// A node as a replica, of real servers and of nodes.

// dialFor is a connection with time for what tests of replication do.
func replicate(t *testing.T, c *peers.Conn, primary string) {
	t.Helper()
	host, port, _ := net.SplitHostPort(primary)
	want(t, c, "+OK\r\n", "REPLICAOF", host, port)
}

// told is a field of INFO.
func told(c *peers.Conn, section, field string) string {
	for line := range strings.Lines(string(c.Do("INFO", section))) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return "absent"
}

// linked waits until a replica's link to its primary is up.
func linked(t *testing.T, replica *peers.Conn) {
	t.Helper()
	eventually(t, "the replica's link is up", func() bool { return told(replica, "replication", "master_link_status") == "up" })
}

// level waits until a replica has what its primary has, and compares all of it.
func level(t *testing.T, primary, replica *peers.Conn) {
	t.Helper()
	eventually(t, "the replica is where its primary is", func() bool {
		return told(replica, "replication", "master_link_status") == "up" &&
			told(replica, "replication", "slave_repl_offset") == told(primary, "replication", "master_repl_offset")
	})
	if a, b := told(replica, "replication", "master_replid"), told(primary, "replication", "master_replid"); a != b {
		t.Fatalf("the replica's history is %s, the primary's %s", a, b)
	}
	// What the primary has let die since its last command comes as commands, so that is waited for too.
	a, b := "", ""
	same := func() bool {
		a, b = digest(primary), digest(replica)
		return a == b
	}
	if !holds(peers.Patience, same) {
		t.Fatalf("the primary has %q, the replica %q: %s", a, b, unlike(primary, replica))
	}
	if n := told(replica, "stats", "unexpected_error_replies"); n != "0" && n != "absent" {
		t.Errorf("%s commands of the primary have failed at the replica", n)
	}
}

// unlike are some keys that two servers have otherwise.
func unlike(a, b *peers.Conn) string {
	var out strings.Builder
	for db := range 16 {
		keys := map[string]bool{}
		for _, c := range []*peers.Conn{a, b} {
			c.Do("SELECT", strconv.Itoa(db))
			it := resp.Elements(c.Do("KEYS", "*"))
			for e, ok := it.Next(); ok; e, ok = it.Next() {
				key, _ := resp.BulkOf(e)
				keys[string(key)] = true
			}
		}
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			for _, ask := range [][]string{{"DEBUG", "DIGEST-VALUE", key}, {"PEXPIRETIME", key}} {
				if x, y := a.Do(ask...), b.Do(ask...); !bytes.Equal(x, y) && out.Len() < 2000 {
					fmt.Fprintf(&out, "\n%d %s %s: %q, %q", db, ask[0], key, x, y)
				}
			}
		}
	}
	return out.String()
}

var redisDebug = []string{"--enable-debug-command", "yes", "--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"}

func debugNode(t *testing.T, args ...string) *clients.Process {
	t.Helper()
	return larder.Engine(t, append([]string{"--enable-debug-command", "yes"}, args...)...)
}

// TestFollowsRedis: a node follows a redis-server under writes of all types, while all that networks do is done to its link, and has at the end what that one
// has.
func TestFollowsRedis(t *testing.T) {
	t.Parallel()
	for _, form := range []struct {
		name string
		args []string
	}{{"diskless", []string{"--repl-diskless-sync", "yes"}}, {"from a file", []string{"--repl-diskless-sync", "no"}}} {
		t.Run(form.name, func(t *testing.T) {
			t.Parallel()
			d := changes{dice(t)}
			primary := clients.Redis(t, append(append([]string{"--repl-backlog-size", "64mb"}, redisDebug...), form.args...)...)
			node := debugNode(t)
			p, r := peers.Dial(t, primary.Addr, 0), peers.Dial(t, node.Addr, 0)
			d.say(t, p, 5000)
			want(t, r, "+OK\r\n", "SET", "of my own", "x")
			link := peers.StartToxiproxy(t).Link(primary.Addr)
			replicate(t, r, link.Addr)
			d.say(t, p, 5000)
			level(t, p, r)
			full := told(p, "stats", "sync_full")
			troubled(d.rand, link, func() { linked(t, r) }, func() {
				for range d.rand.IntN(8) {
					d.say(t, p, 200)
				}
			})
			d.say(t, p, 1000)
			level(t, p, r)
			if got := told(p, "stats", "sync_full"); got != full {
				t.Errorf("%s copies of all data, of which only %s had to be", got, full)
			}
			if got := told(p, "stats", "sync_partial_ok"); got == "0" {
				t.Error("no link was taken up again where it was cut")
			}
		})
	}
}

// TestFollowsRedisBroken: the copy of all data breaks off at a random byte, many times; what is served is nothing or all.
func TestFollowsRedisBroken(t *testing.T) {
	t.Parallel()
	d := changes{dice(t)}
	primary := clients.Redis(t, redisDebug...)
	node := debugNode(t)
	p, r := peers.Dial(t, primary.Addr, 0), peers.Dial(t, node.Addr, 0)
	d.say(t, p, 3000)
	link := peers.StartToxiproxy(t).Link(primary.Addr)
	breakAfter := func(bytes int) { link.Ail("limit_data", peers.Down, map[string]int{"bytes": bytes}) }
	breakAfter(500)
	replicate(t, r, link.Addr)
	for range 12 {
		link.Open(false) // no attempt gets through between the one limit and the next
		link.Heal()
		breakAfter(200 + d.rand.IntN(100_000))
		before := told(p, "stats", "sync_full")
		link.Open(true)
		eventually(t, "another attempt", func() bool { return told(p, "stats", "sync_full") != before })
		if got := string(r.Do("DBSIZE")); got != ":0\r\n" && !strings.HasPrefix(got, "-LOADING ") && told(r, "replication", "master_link_status") != "up" {
			t.Fatalf("DBSIZE while all data is on its way: %q", got)
		}
	}
	link.Heal()
	level(t, p, r)
}

// TestFollowsNode: a node follows a node, while all that networks do is done to its link.
func TestFollowsNode(t *testing.T) {
	t.Parallel()
	d := changes{dice(t)}
	primary, node := debugNode(t), debugNode(t)
	p, r := peers.Dial(t, primary.Addr, 0), peers.Dial(t, node.Addr, 0)
	d.say(t, p, 3000)
	link := peers.StartToxiproxy(t).Link(primary.Addr)
	replicate(t, r, link.Addr)
	troubled(d.rand, link, func() { linked(t, r) }, func() { d.say(t, p, 500) })
	d.say(t, p, 1000)
	level(t, p, r)
}

// TestChain: redis-server, node, redis-server, node, each following the one before. Then the second is made the primary, and those behind it go on without
// a copy of all data.
func TestChain(t *testing.T) {
	t.Parallel()
	d := changes{dice(t)}
	head, second, third, last := clients.Redis(t, redisDebug...), debugNode(t), clients.Redis(t, redisDebug...), debugNode(t)
	all := []*clients.Process{head, second, third, last}
	conns := make([]*peers.Conn, len(all))
	for i, s := range all {
		conns[i] = peers.Dial(t, s.Addr, 0)
	}
	d.say(t, conns[0], 2000)
	for i := 1; i < len(all); i++ {
		replicate(t, conns[i], all[i-1].Addr)
		level(t, conns[i-1], conns[i])
	}
	d.say(t, conns[0], 3000)
	for i := 1; i < len(all); i++ {
		level(t, conns[0], conns[i])
	}
	full := told(conns[1], "stats", "sync_full")
	want(t, conns[1], "+OK\r\n", "REPLICAOF", "NO", "ONE")
	d.say(t, conns[1], 2000)
	level(t, conns[1], conns[2])
	level(t, conns[1], conns[3])
	if got := told(conns[1], "stats", "sync_full"); got != full {
		t.Errorf("after the promotion %s copies of all data, before it %s", got, full)
	}
	// The old head comes back behind the second: its history has gone another way only if it was written to.
	replicate(t, conns[0], second.Addr)
	level(t, conns[1], conns[0])
}

// TestPrimaryRestarts: a primary that comes back empty, or hangs, is followed again.
func TestPrimaryRestarts(t *testing.T) {
	t.Parallel()
	d := changes{dice(t)}
	primary := clients.Redis(t, redisDebug...)
	node := debugNode(t, "--replicaof", strings.Replace(primary.Addr, ":", " ", 1))
	r := peers.Dial(t, node.Addr, 0)
	for range 3 {
		p := peers.Dial(t, primary.Addr, 0)
		d.say(t, p, 500)
		level(t, p, r)
		primary.Kill()
		eventually(t, "the link is down", func() bool { return told(r, "replication", "master_link_status") == "down" })
		primary.Start(t)
	}
	p := peers.Dial(t, primary.Addr, 0)
	d.say(t, p, 500)
	level(t, p, r)
	want(t, r, "+OK\r\n", "CONFIG", "SET", "repl-timeout", "2")
	primary.Freeze(t)
	eventually(t, "a primary that hangs is given up", func() bool { return told(r, "replication", "master_link_status") == "down" })
	primary.Thaw(t)
	level(t, p, r)
	node.Kill()
	node.Start(t)
	level(t, p, peers.Dial(t, node.Addr, 0))
}
