package clients_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"larder/engine"
	"larder/internal/clients"
	"larder/internal/fleet"
	"larder/internal/peers"
	"larder/protocol/resp"
)

// debugging has a node show its digest.
func debugging(o *engine.Options) { o.DebugCommand = "yes" }

// follower starts a redis-server that follows addr.
func follower(t *testing.T, addr string, args ...string) *clients.Process {
	t.Helper()
	return clients.Redis(t, followerArgs(addr, args...)...)
}

func followerArgs(addr string, args ...string) []string {
	host, port, _ := net.SplitHostPort(addr)
	return append([]string{"--replicaof", host + " " + port, "--enable-debug-command", "yes", "--repl-diskless-load", "disabled"}, args...)
}

// info is a field of INFO.
func info(t *testing.T, c *peers.Conn, field string) string {
	t.Helper()
	_, rest, _ := strings.Cut(string(c.Do("INFO", "everything")), "\n"+field+":")
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}

// upToDate waits until a replica has all that its primary has, then compares what they have.
func upToDate(t *testing.T, primary, replica *peers.Conn) {
	t.Helper()
	eventually(t, "the replica's link is up", func() bool { return info(t, replica, "master_link_status") == "up" })
	eventually(t, "the replica has the primary's stream", func() bool {
		return info(t, primary, "master_repl_offset") == info(t, replica, "slave_repl_offset")
	})
	same := func() bool { return string(primary.Do("DEBUG", "DIGEST")) == string(replica.Do("DEBUG", "DIGEST")) }
	if !holds(peers.Patience, same) {
		t.Fatalf("primary and replica differ: %s", differences(primary, replica))
	}
}

// differences names keys that two servers do not have alike.
func differences(a, b *peers.Conn) string {
	var out strings.Builder
	for db := range 16 {
		for _, c := range []*peers.Conn{a, b} {
			c.Do("SELECT", strconv.Itoa(db))
		}
		for _, key := range slices.Compact(keysOf("*", a, b)) {
			for _, ask := range [][]string{{"TYPE", key}, {"DEBUG", "DIGEST-VALUE", key}, {"PEXPIRETIME", key}} {
				if x, y := string(a.Do(ask...)), string(b.Do(ask...)); x != y {
					fmt.Fprintf(&out, "\ndb %d %q: %.200q, %.200q", db, ask, x, y)
				}
			}
		}
		if out.Len() > 3000 {
			break
		}
	}
	return out.String()
}

// keysOf are those of the servers' keys that fit, in order, each as often as there are servers that have it.
func keysOf(pattern string, servers ...*peers.Conn) (keys []string) {
	for _, c := range servers {
		it := resp.Elements(c.Do("KEYS", pattern))
		for e, ok := it.Next(); ok; e, ok = it.Next() {
			key, _ := resp.BulkOf(e)
			keys = append(keys, string(key))
		}
	}
	slices.Sort(keys)
	return keys
}

// writing sends commands of all types, some a time, until it is told to stop.
type writing struct {
	stop chan struct{}
	wg   sync.WaitGroup
	t    *testing.T
	n    atomic.Int64
}

func write(t *testing.T, addr string, seed uint64) *writing {
	t.Helper()
	w := &writing{stop: make(chan struct{}), t: t}
	c, err := clients.Open(addr)
	if err != nil {
		t.Fatal(err)
	}
	m := mixture{rng: rand.New(rand.NewPCG(seed, 1)), keys: 20}
	w.wg.Go(func() {
		defer c.Close()
		for {
			select {
			case <-w.stop:
				_, _ = c.Do("DISCARD")
				return
			default:
			}
			if _, err := c.Do(m.next()...); err != nil {
				t.Error(err)
				return
			}
			w.n.Add(1)
		}
	})
	t.Cleanup(w.end)
	return w
}

func (w *writing) end() {
	select {
	case <-w.stop:
		return
	default:
	}
	close(w.stop)
	w.wg.Wait()
	w.t.Logf("%d commands were written", w.n.Load())
}

// TestRedisFollowsNode: real redis-servers follow a node from its full copy on, under a load of all types, whatever way they take the copy.
func TestRedisFollowsNode(t *testing.T) {
	t.Parallel()
	seed := dice(t).Uint64()
	node := fleet.Node(t, debugging)
	c := peers.Dial(t, node, 2)
	fill(t, c)
	w := write(t, node, seed)
	var all []*peers.Conn
	for _, args := range [][]string{nil, {"--repl-diskless-load", "swapdb"}, {"--repl-diskless-load", "on-empty-db"}} {
		all = append(all, peers.Dial(t, follower(t, node, args...).Addr, 2))
	}
	for _, r := range all {
		eventually(t, "a link is up", func() bool { return info(t, r, "master_link_status") == "up" })
	}
	was := w.n.Load()
	eventually(t, "the load goes on with all of them there", func() bool { return w.n.Load() > was+2000 })
	w.end()
	for _, r := range all {
		upToDate(t, c, r)
	}
	want(t, c, ":3\r\n", "WAIT", "3", waitMS)
	if got := info(t, c, "connected_slaves"); got != "3" {
		t.Errorf("%s replicas", got)
	}
	if got := string(all[0].Do("INFO", "errorstats")); strings.Contains(got, "errorstat_") {
		t.Errorf("the replica met errors: %s", got)
	}
}

// fill puts values of all types and forms into a server, large ones among them.
func fill(t *testing.T, c *peers.Conn) {
	t.Helper()
	m := mixture{rng: rand.New(rand.NewPCG(1, 1)), keys: 200}
	for range 3000 {
		words := m.next()
		if words[0] == "multi" || words[0] == "flushdb" || strings.HasPrefix(words[0], "b") {
			continue
		}
		c.Do(words...)
	}
	want(t, c, "+OK\r\n", "SELECT", "0")
	want(t, c, "+OK\r\n", "SET", "large", strings.Repeat("0123456789", 300_000))
	for i := range 200 {
		args := [][]string{{"RPUSH", "big-list"}, {"SADD", "big-set"}, {"HSET", "big-hash"}, {"ZADD", "big-zset"}}
		for j := range 100 {
			member := fmt.Sprintf("member-%d-%d", i, j)
			args[0], args[1] = append(args[0], member), append(args[1], member)
			args[2], args[3] = append(args[2], member, "value"), append(args[3], fmt.Sprint(j), member)
		}
		for _, a := range args {
			c.Do(a...)
		}
		c.Do("XADD", "big-stream", "*", "field", strings.Repeat("v", i))
	}
	if got := string(c.Do("FUNCTION", "LOAD", "REPLACE", "#!lua name=lib\nredis.register_function('f', function(keys) return redis.call('incr', keys[1]) end)")); got[0] == '-' {
		t.Fatal(got)
	}
}

// TestRedisGoesOn: a replica to whose link all is done that networks do, under load, goes on where it was, and has the same at the end.
func TestRedisGoesOn(t *testing.T) {
	t.Parallel()
	d := dice(t)
	node := fleet.Node(t, debugging)
	c := peers.Dial(t, node, 2)
	want(t, c, "+OK\r\n", "CONFIG", "SET", "repl-backlog-size", "64mb")
	fill(t, c)
	link := peers.StartToxiproxy(t).Link(node)
	r := peers.Dial(t, follower(t, link.Addr).Addr, 2)
	upToDate(t, c, r)
	w := write(t, node, d.Uint64())
	troubled(d, link, func() { linked(t, r) }, func() {
		was := w.n.Load()
		eventually(t, "the load goes on", func() bool { return w.n.Load() > was+100 })
	})
	w.end()
	upToDate(t, c, r)
	if full := info(t, c, "sync_full"); full != "1" {
		t.Errorf("%s copies were sent, one would do", full)
	}
	if partial := info(t, c, "sync_partial_ok"); partial == "0" {
		t.Error("no link was taken up again where it was cut")
	}
}

// TestReplicaOfReplica: what a redis-server that follows a node passes on is as good.
func TestReplicaOfReplica(t *testing.T) {
	t.Parallel()
	seed := dice(t).Uint64()
	node := fleet.Node(t, debugging)
	c := peers.Dial(t, node, 2)
	fill(t, c)
	first := follower(t, node, "--repl-diskless-sync-delay", "0")
	second := follower(t, first.Addr)
	a, b := peers.Dial(t, first.Addr, 2), peers.Dial(t, second.Addr, 2)
	upToDate(t, c, a)
	w := write(t, node, seed)
	eventually(t, "the second link is up", func() bool { return info(t, b, "master_link_status") == "up" })
	w.end()
	upToDate(t, c, a)
	upToDate(t, c, b)
}

// TestCopyByFile: with repl-diskless-sync no the copy goes to a file first and its length before it.
func TestCopyByFile(t *testing.T) {
	t.Parallel()
	node := fleet.Node(t, debugging)
	c := peers.Dial(t, node, 2)
	want(t, c, "+OK\r\n", "CONFIG", "SET", "repl-diskless-sync", "no")
	fill(t, c)
	w := write(t, node, dice(t).Uint64())
	one, two := peers.Dial(t, follower(t, node).Addr, 2), peers.Dial(t, follower(t, node).Addr, 2)
	for _, r := range []*peers.Conn{one, two} {
		eventually(t, "a link is up", func() bool { return info(t, r, "master_link_status") == "up" })
	}
	w.end()
	upToDate(t, c, one)
	upToDate(t, c, two)
}

// TestFrozenReplica: one that is stopped delays no client, and neither the other replica; it is cut at its limit.
func TestFrozenReplica(t *testing.T) {
	t.Parallel()
	node := larder.Engine(t, "--set", "engine.enable-debug-command=yes")
	c := peers.Dial(t, node.Addr, 2)
	want(t, c, "+OK\r\n", "CONFIG", "SET", "client-output-buffer-limit", "replica 8mb 0 0")
	frozen, well := follower(t, node.Addr), follower(t, node.Addr)
	w := peers.Dial(t, well.Addr, 2)
	upToDate(t, c, peers.Dial(t, frozen.Addr, 2))
	upToDate(t, c, w)
	value := strings.Repeat("v", 100_000)
	calmly(t, func() error {
		frozen.Freeze(t)
		var longest time.Duration
		for i := 0; info(t, c, "connected_slaves") == "2"; i++ {
			began := time.Now()
			want(t, c, "+OK\r\n", "SET", fmt.Sprint(i%100), value)
			longest = max(longest, time.Since(began))
			if i > 2000 {
				t.Fatal("200 MB are kept for a replica that may have 8")
			}
		}
		want(t, c, ":1\r\n", "WAIT", "1", waitMS)
		upToDate(t, c, w)
		frozen.Thaw(t)
		eventually(t, "the thawed one is back", func() bool { return info(t, c, "connected_slaves") == "2" })
		upToDate(t, c, peers.Dial(t, frozen.Addr, 2))
		if longest > 500*time.Millisecond {
			return fmt.Errorf("a client waited %v", longest)
		}
		return nil
	})
}

// TestRedisCLIFollows: redis-cli --replica shows the stream, redis-cli --rdb takes a copy that redis-check-rdb and redis-server accept.
func TestRedisCLIFollows(t *testing.T) {
	t.Parallel()
	node := fleet.Node(t, debugging)
	c := peers.Dial(t, node, 2)
	fill(t, c)
	host, port, _ := net.SplitHostPort(node)
	dir := t.TempDir()
	file := filepath.Join(dir, "dump.rdb")
	if out, err := exec.Command("redis-cli", "-h", host, "-p", port, "--rdb", file).CombinedOutput(); err != nil {
		t.Fatalf("redis-cli --rdb: %v: %s", err, out)
	}
	if out, err := exec.Command("redis-check-rdb", file).CombinedOutput(); err != nil || !bytes.Contains(out, []byte("RDB looks OK")) {
		t.Errorf("redis-check-rdb: %v: %s", err, out)
	}
	r := peers.Dial(t, peers.StartRedis(t, "--dir", dir, "--enable-debug-command", "yes"), 2)
	if got := differences(c, r); got != "" {
		t.Errorf("the file has not what the node has: %s", got)
	}
	functions := filepath.Join(dir, "functions.rdb")
	if out, err := exec.Command("redis-cli", "-h", host, "-p", port, "--functions-rdb", functions).CombinedOutput(); err != nil {
		t.Fatalf("redis-cli --functions-rdb: %v: %s", err, out)
	}
	if text, err := os.ReadFile(functions); err != nil || !bytes.Contains(text, []byte("register_function")) || bytes.Contains(text, []byte("big-list")) {
		t.Errorf("functions: %.200q, %v", text, err)
	}

	var out peers.Output
	cli := exec.Command("redis-cli", "-h", host, "-p", port, "--replica")
	cli.Stdout, cli.Stderr = &out, &out
	if err := cli.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cli.Process.Kill()
		_ = cli.Wait()
	}()
	eventually(t, "redis-cli is shown the stream", func() bool {
		want(t, c, "+OK\r\n", "SET", "shown", "yes")
		return strings.Contains(out.String(), `"SET","shown","yes"`)
	})
}

// TestFailoverToRedis: a node hands over to a redis-server that follows it, and that one back to the node; what was written last is there each time.
func TestFailoverToRedis(t *testing.T) {
	t.Parallel()
	node := fleet.Node(t, debugging)
	c := peers.Dial(t, node, 2)
	fill(t, c)
	redis := follower(t, node)
	r := peers.Dial(t, redis.Addr, 2)
	upToDate(t, c, r)
	n := 0
	for range 3 {
		for _, way := range []struct {
			from, to *peers.Conn
			addr     string
		}{{c, r, redis.Addr}, {r, c, node}} {
			n++
			want(t, way.from, fmt.Sprintf(":%d\r\n", n), "INCR", "handed-over")
			host, port, _ := net.SplitHostPort(way.addr)
			want(t, way.from, "+OK\r\n", "FAILOVER", "TO", host, port, "TIMEOUT", waitMS)
			eventually(t, "the failover is done", func() bool {
				return info(t, way.from, "role") == "slave" && info(t, way.from, "master_failover_state") == "no-failover" && info(t, way.to, "role") == "master"
			})
			upToDate(t, way.to, way.from)
		}
	}
	want(t, c, ":7\r\n", "INCR", "handed-over")
	if full := info(t, c, "sync_full"); full != "1" {
		t.Errorf("the node has sent %s copies, one would do", full)
	}
}

// TestNodeRestartsAsPrimary: a node with a journal that is killed and started again is the same to its replica, which goes on without a copy.
func TestNodeRestartsAsPrimary(t *testing.T) {
	t.Parallel()
	node := larder.Engine(t, "--set", "engine.enable-debug-command=yes", "--appendonly", "yes", "--appendfsync", "always")
	c := peers.Dial(t, node.Addr, 2)
	fill(t, c)
	r := peers.Dial(t, follower(t, node.Addr).Addr, 2)
	upToDate(t, c, r)
	for i := range 3 {
		want(t, c, "+OK\r\n", "SET", "last", fmt.Sprint(i))
		want(t, c, ":1\r\n", "WAIT", "1", waitMS)
		node.Kill()
		node.Start(t)
		c = peers.Dial(t, node.Addr, 2)
		eventually(t, "the node has its data and its replica", func() bool {
			return info(t, c, "loading") == "0" && info(t, c, "connected_slaves") == "1" && info(t, r, "master_link_status") == "up"
		})
		if full := info(t, c, "sync_full"); full != "0" {
			t.Errorf("restart %d: a copy was sent", i)
		}
		want(t, c, fmt.Sprintf("$1\r\n%d\r\n", i), "GET", "last")
		upToDate(t, c, r)
	}
}
