package scan_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"larder/backends/remote"
	"larder/control/compare"
	"larder/control/migrate"
	"larder/control/migrate/scan"
	"larder/engine"
	"larder/internal/fleet"
	"larder/internal/peers"
	"larder/internal/writes"
	"larder/protocol/resp"
)

func address(t *testing.T, text string) remote.Address {
	t.Helper()
	a, err := remote.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// managed starts a server and gives the address of a user who may do all but follow it; without gives further rules of his.
func managed(t *testing.T, without string, args ...string) (addr, source string) {
	t.Helper()
	addr = peers.StartRedis(t, args...)
	c := peers.Dial(t, addr, 0)
	rules := append([]string{"ACL", "SETUSER", "mover", "on", ">p", "~*", "&*", "+@all", "-psync", "-sync", "-replconf"}, strings.Fields(without)...)
	if reply := c.Do(rules...); reply[0] == '-' {
		t.Fatal(string(reply))
	}
	mover := peers.Dial(t, addr, 0)
	mover.Do("AUTH", "mover", "p")
	if reply := mover.Do("PSYNC", "?", "-1"); !strings.HasPrefix(string(reply), "-NOPERM") {
		t.Fatalf("PSYNC is answered %q", reply)
	}
	return addr, "redis://mover:p@" + addr
}

var _ migrate.Way = (*scan.Way)(nil)

// moving is a way that runs.
type moving struct {
	*scan.Way
	t     *testing.T
	ended chan error
	stop  context.CancelFunc
}

func move(t *testing.T, source, target string, change ...func(o *scan.Options)) *moving {
	t.Helper()
	o := scan.Options{
		Source: address(t, source), Target: address(t, "redis://"+target), Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now, Sleep: sleep,
	}
	for _, f := range change {
		f(&o)
	}
	ctx, stop := context.WithCancel(context.Background())
	m := &moving{Way: scan.New(o), t: t, ended: make(chan error, 1), stop: stop}
	go func() { m.ended <- m.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		<-m.ended
	})
	return m
}

// await waits until ok, which must come.
func (m *moving) await(what string, ok func(s migrate.Status) bool) {
	m.t.Helper()
	for deadline := time.Now().Add(peers.Patience); !ok(m.Status()); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			m.t.Fatalf("%s: not within %s: %+v", what, peers.Patience, m.Status())
		}
	}
}

func (m *moving) follows() {
	m.t.Helper()
	m.await("it follows", func(s migrate.Status) bool { return s.Phase == migrate.Following && s.LagKeys == 0 })
}

// cut cuts over and waits for the end.
func (m *moving) cut(o migrate.CutoverOptions) migrate.Cut {
	m.t.Helper()
	cut, err := m.Cutover(m.t.Context(), o)
	if err != nil {
		m.t.Fatalf("%v; %+v", err, m.Status())
	}
	if err := m.over(); err != nil || m.Status().Phase != migrate.CutOver {
		m.t.Fatal(err, m.Status())
	}
	return cut
}

func (m *moving) over() error {
	m.t.Helper()
	select {
	case err := <-m.ended:
		m.ended <- err
		return err
	case <-time.After(peers.Patience):
		m.t.Fatal("it does not end")
		return nil
	}
}

// equal compares all of both sides.
func equal(t *testing.T, source, target string) *compare.Report {
	t.Helper()
	r, err := compare.Run(t.Context(), compare.Options{Source: address(t, source), Target: address(t, "redis://"+target), Now: time.Now, Sleep: sleep})
	if err != nil || !r.Equal || r.Changing > 0 {
		t.Fatalf("%v %v: %+v", err, r.Counts, r.First)
	}
	return r
}

// writers write all types to a server, from so many connections, each with a seed of its own, until stop. Where they are paused they wait.
func writers(t *testing.T, n int, seed uint64, source writes.Source, addr func(i int) string) (stop func(), done *atomic.Int64) {
	t.Helper()
	done = new(atomic.Int64)
	var wait sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	for i := range n {
		s := source
		s.Rand = rand.New(rand.NewPCG(seed, uint64(i)))
		a := remote.Address{DB: remote.AllDBs}
		c, err := a.Dial(ctx, addr(i))
		if err != nil {
			t.Fatal(err)
		}
		wait.Add(1)
		go func() {
			defer wait.Done()
			defer c.Close()
			for ctx.Err() == nil {
				if s.DBs > 1 && s.Rand.IntN(20) == 0 {
					_ = c.Select(s.Rand.IntN(s.DBs)) // a pause or the end shows in what follows
				}
				for range 20 {
					c.AppendWords(s.Next()...)
				}
				if c.Flush() != nil {
					return
				}
				for range 20 {
					if _, err := c.Reply(); err != nil {
						return
					}
					done.Add(1)
				}
			}
		}()
	}
	stop = func() { cancel(); wait.Wait() }
	t.Cleanup(stop)
	return stop, done
}

// TestUnderWrites: a server that refuses to be followed is moved into three shards while many clients write all types, over keys, databases and with all that
// no notification tells; after the cutover nothing is lost.
func TestUnderWrites(t *testing.T) {
	for seed := range uint64(3) {
		addr, source := managed(t, "")
		gateway := fleet.Gateway(t, fleet.Nodes(t, 3))
		c := peers.Dial(t, addr, 0)
		for i := range 3000 {
			c.Do("SET", fmt.Sprint("quiet:", i), fmt.Sprint(i))
		}
		c.Do("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 1 end)")
		stop, done := writers(t, 4, seed, writes.Source{Keys: 40, NowMS: time.Now().UnixMilli(), DBs: 3, Flush: seed == 2}, func(int) string { return addr })
		m := move(t, source, gateway)
		m.await("it follows", func(s migrate.Status) bool { return s.Phase == migrate.Following })
		from := done.Load()
		m.await("clients write on", func(migrate.Status) bool { return done.Load() >= from+3000 })
		cut := m.cut(migrate.CutoverOptions{Timeout: peers.Patience, Hold: 10 * time.Minute})
		t.Logf("%d commands, writes stopped for %s, %d keys in that time; %+v", done.Load(), cut.Stopped, cut.Keys, m.Status())
		r := equal(t, source, gateway)
		if r.Alike < 20 {
			t.Errorf("only %d keys are there", r.Alike)
		}
		c.Do("CLIENT", "UNPAUSE")
		stop()
	}
}

// TestUntold: what the source tells of no key leads to another pass, and the setting that was changed is put back.
func TestUntold(t *testing.T) {
	addr, source := managed(t, "", "--notify-keyspace-events", "Ex")
	target := fleet.Node(t)
	c, d := peers.Dial(t, addr, 0), peers.Dial(t, target, 0)
	for i := range 500 {
		c.Do("SET", fmt.Sprint("k", i), "v")
	}
	m := move(t, source, target)
	m.follows()
	if got := string(c.Do("CONFIG", "GET", "notify-keyspace-events")); !strings.Contains(got, "AKE") {
		t.Errorf("the setting is %q", got)
	}
	has := func(db, key, want string) {
		t.Helper()
		m.await(key, func(migrate.Status) bool {
			d.Do("SELECT", db)
			return string(d.Do("GET", key)) == want
		})
	}
	c.Do("SET", "one", "1")
	has("0", "one", "$1\r\n1\r\n")
	c.Do("DEL", "one")
	has("0", "one", "$-1\r\n")
	passes := m.Status().Passes
	c.Do("SWAPDB", "0", "7")
	has("7", "k1", "$1\r\nv\r\n")
	has("0", "k1", "$-1\r\n")
	c.Do("SELECT", "7")
	c.Do("FLUSHDB")
	has("7", "k1", "$-1\r\n")
	m.await("two more passes", func(s migrate.Status) bool { return s.Passes >= passes+2 })
	c.Do("XADD", "s", "1-1", "f", "v")
	c.Do("XGROUP", "CREATE", "s", "g", "0")
	m.follows()
	has("7", "nothing", "$-1\r\n")
	c.Do("XREADGROUP", "GROUP", "g", "me", "STREAMS", "s", ">")
	m.cut(migrate.CutoverOptions{Timeout: 30 * time.Second})
	equal(t, source, target)
	if got := string(c.Do("CONFIG", "GET", "notify-keyspace-events")); !strings.Contains(got, "\r\nxE\r\n") {
		t.Errorf("the setting is %q, and was Ex", got)
	}
}

// TestLarge: values that are brought in pieces, changed meanwhile.
func TestLarge(t *testing.T) {
	addr, source := managed(t, "")
	target := fleet.Gateway(t, fleet.Nodes(t, 2))
	c := peers.Dial(t, addr, 0)
	for i := range 30 {
		hash, set, zset, list := []string{"HSET", "hash"}, []string{"SADD", "set"}, []string{"ZADD", "zset"}, []string{"RPUSH", "list"}
		for j := range 100 {
			word := fmt.Sprintf("element %d %s", i*100+j, strings.Repeat("x", 60))
			hash, set, list, zset = append(hash, word, word), append(set, word), append(list, word), append(zset, fmt.Sprintf("%d.1", j), word)
		}
		for _, command := range [][]string{hash, set, zset, list} {
			c.Do(command...)
		}
	}
	c.Do("SET", "text", strings.Repeat("0123456789", 400_000))
	c.Do("PEXPIREAT", "hash", "4102444800000")
	for i := range 2000 {
		c.Do("XADD", "stream", fmt.Sprintf("%d-1", i+1), "field", strings.Repeat("x", 100))
	}
	m := move(t, source, target, func(o *scan.Options) { o.Large = 50 << 10 })
	m.follows()
	for i := range 20 {
		c.Do("HSET", "hash", fmt.Sprint("more ", i), "1")
		c.Do("LPUSH", "list", "more")
		c.Do("ZADD", "zset", "-inf", fmt.Sprint("more ", i))
		c.Do("APPEND", "text", "more")
	}
	c.Do("SREM", "set", "element 5 "+strings.Repeat("x", 60))
	c.Do("DEL", "zset")
	c.Do("HSET", "zset", "another", "type")
	m.cut(migrate.CutoverOptions{Timeout: 30 * time.Second})
	if r := equal(t, source, target); r.Alike != 6 {
		t.Errorf("%+v", r)
	}
}

// TestLinks: notifications that are cut off, and more changes than may wait, lead to another pass; a server that is gone is waited for.
func TestLinks(t *testing.T) {
	addr, source := managed(t, "")
	target := fleet.Node(t)
	c := peers.Dial(t, addr, 0)
	for i := range 300 {
		c.Do("SET", fmt.Sprint("k", i), "v")
	}
	m := move(t, source, target, func(o *scan.Options) { o.ChangedMax = 20 })
	m.follows()
	passes := m.Status().Passes
	if reply := c.Do("CLIENT", "KILL", "TYPE", "pubsub"); string(reply) != ":1\r\n" {
		t.Fatal(string(reply))
	}
	for i := range 50 {
		c.Do("SET", fmt.Sprint("k", i), "w")
	}
	m.await("another pass", func(s migrate.Status) bool { return s.Passes > passes })
	c.Do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
	c.Do("DEL", "k299")
	passes = m.Status().Passes
	m.await("another pass", func(s migrate.Status) bool { return s.Passes > passes })
	var many []byte
	for i := range 250 {
		many = resp.AppendCommandStrings(many, "SET", fmt.Sprint("k", i), "x")
	}
	c.Send(many)
	for range 250 {
		c.Reply()
	}
	m.cut(migrate.CutoverOptions{Timeout: peers.Patience})
	equal(t, source, target)
}

// TestRefusals: what is said of a source that does not tell, a target with keys, a wrong password, a value too many, and of a pause that is not allowed.
func TestRefusals(t *testing.T) {
	addr, source := managed(t, "-config")
	c := peers.Dial(t, addr, 0)
	c.Do("SET", "a", "1")
	target := fleet.Node(t)
	fails := func(kind error, wants string, m *moving) {
		t.Helper()
		if err := m.over(); !errors.Is(err, kind) && kind != nil || err == nil || !strings.Contains(err.Error(), wants) || strings.Contains(err.Error(), "mover:p") {
			t.Errorf("%v; want %q", err, wants)
		}
	}
	fails(scan.ErrNotifications, "--notifications assume", move(t, source, target))
	fails(nil, "WRONGPASS", move(t, strings.Replace(source, ":p@", ":q@", 1), target))
	fails(nil, "refused", move(t, fmt.Sprintf("redis://127.0.0.1:%d", peers.FreePort(t)), target))
	small := fleet.Node(t, func(o *engine.Options) { o.MaxMemory = 4 << 20 })
	for i := range 40 {
		c.Do("SET", fmt.Sprint("large", i), strings.Repeat(fmt.Sprint(i), 200_000))
	}
	full := move(t, source, small, func(o *scan.Options) { o.Notifications = scan.None })
	fails(scan.ErrValue, "the target has no room for key", full)

	m := move(t, source, target, func(o *scan.Options) { o.Notifications = scan.None })
	m.follows()
	c.Do("SET", "b", "1")
	m.cut(migrate.CutoverOptions{Timeout: peers.Patience})
	equal(t, source, target)
	fails(scan.ErrNotEmpty, "--replace", move(t, source, target, func(o *scan.Options) { o.Notifications = scan.None }))

	c.Do("CONFIG", "SET", "notify-keyspace-events", "KA")
	c.Do("ACL", "SETUSER", "mover", "-client|pause")
	m = move(t, source, target, func(o *scan.Options) { o.Notifications, o.Replace = scan.Assume, true })
	m.follows()
	if _, err := m.Cutover(t.Context(), migrate.CutoverOptions{Timeout: 30 * time.Second}); !errors.Is(err, migrate.ErrBehind) || !strings.Contains(err.Error(), "--no-pause") {
		t.Error(err)
	}
	c.Do("SET", "c", "1")
	m.follows()
	c.Do("DEL", "b")
	m.cut(migrate.CutoverOptions{NoPause: true, Timeout: 30 * time.Second})
	equal(t, source, target)
}

// TestBehind: a cutover for which there is no time is undone: clients write on, and the next one succeeds.
func TestBehind(t *testing.T) {
	addr, source := managed(t, "")
	target := fleet.Node(t)
	stop, done := writers(t, 3, 5, writes.Source{Keys: 300, NowMS: time.Now().UnixMilli()}, func(int) string { return addr })
	m := move(t, source, target)
	m.await("it follows", func(s migrate.Status) bool { return s.Phase == migrate.Following })
	if _, err := m.Cutover(t.Context(), migrate.CutoverOptions{Timeout: time.Microsecond}); !errors.Is(err, migrate.ErrBehind) {
		t.Fatal(err)
	}
	from := done.Load()
	m.await("clients write on", func(migrate.Status) bool { return done.Load() >= from+1000 })
	m.cut(migrate.CutoverOptions{Timeout: peers.Patience, Hold: 10 * time.Minute})
	equal(t, source, target)
	peers.Dial(t, addr, 0).Do("CLIENT", "UNPAUSE")
	stop()
}

// TestCluster moves a Redis Cluster of three primaries into two shards, under writes.
func TestCluster(t *testing.T) {
	nodes := peers.StartRedisCluster(t, 3)
	gateway := fleet.Gateway(t, fleet.Nodes(t, 2))
	tags := make([]string, len(nodes))
	for i := range 50 {
		tag := fmt.Sprintf("{t%d}", i)
		for n, addr := range nodes {
			if tags[n] == "" && peers.Dial(t, addr, 0).Do("GET", tag)[0] == '$' {
				tags[n] = tag
			}
		}
		if !slices.Contains(tags, "") {
			break
		}
	}
	var stops []func()
	for n := range nodes {
		stop, _ := writers(t, 1, uint64(n), writes.Source{Keys: 30, NowMS: time.Now().UnixMilli(), Tag: tags[n]}, func(int) string { return nodes[n] })
		stops = append(stops, stop)
	}
	source := "redis+cluster://" + nodes[0]
	m := move(t, source, gateway)
	m.await("it follows", func(s migrate.Status) bool { return s.Phase == migrate.Following && s.Keys > 1000 })
	m.cut(migrate.CutoverOptions{Timeout: peers.Patience, Hold: 10 * time.Minute})
	if r := equal(t, source, gateway); r.Alike < 100 {
		t.Errorf("%+v", r)
	}
	for i, addr := range nodes {
		peers.Dial(t, addr, 0).Do("CLIENT", "UNPAUSE")
		stops[i]()
	}
}

func TestMain(m *testing.M) { os.Exit(fleet.Main(m)) }
