package clients_test

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"larder/internal/clients"
	"larder/internal/peers"
	"larder/router"
)

// backends are what a gateway may have behind it.
var backends = []struct {
	name  string
	start func(t *testing.T) *clients.Process
}{
	{"larder engine", func(t *testing.T) *clients.Process { return larder.Engine(t) }},
	{"redis-server", func(t *testing.T) *clients.Process { return clients.Redis(t) }},
}

// overThree is a gateway over three nodes, with short time limits.
func overThree(t *testing.T, start func(t *testing.T) *clients.Process) (*clients.Process, []*clients.Process) {
	t.Helper()
	nodes := []*clients.Process{start(t), start(t), start(t)}
	return larder.Gateway(t, nodes, "--set", "gateway.upstream.reply-timeout="+replyTimeout.String(), "--set", "gateway.upstream.dial-timeout=1s",
		"--set", "gateway.upstream.backoff-max=300ms"), nodes
}

// replyTimeout is how long a node may hang before it is given up: long for one that is only kept from the processor for a while.
const replyTimeout = 2 * time.Second

// keyOn is a key, the i-th, of one of three shards.
func keyOn(shard, i int) string {
	for n := 0; ; n++ {
		k := fmt.Sprintf("k%d", n)
		group := router.Slot([]byte(k)) / router.GroupSlots
		if group >= shard*router.Groups/3 && group < (shard+1)*router.Groups/3 {
			if i == 0 {
				return k
			}
			i--
		}
	}
}

// TestNodeKilled: commands for a dead node's keys get a clear error within the deadline, other keys are served on the same connection, and once the node
// is back so are its keys.
func TestNodeKilled(t *testing.T) {
	t.Parallel()
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			gateway, nodes := overThree(t, b.start)
			c := peers.Dial(t, gateway.Addr, 3)
			for shard := range 3 {
				want(t, c, "+OK\r\n", "SET", keyOn(shard, 0), "v")
			}
			nodes[1].Kill()
			for range 20 {
				for _, args := range [][]string{{"GET", keyOn(1, 0)}, {"SET", keyOn(1, 1), "x"}, {"MGET", keyOn(0, 0), keyOn(1, 0), keyOn(2, 0)}, {"DBSIZE"}} {
					began := time.Now()
					got := string(c.Do(args...))
					if !strings.HasPrefix(got, "-CLUSTERDOWN ") && !strings.HasPrefix(got, "-UNKNOWN ") {
						t.Fatalf("%q: %q, want CLUSTERDOWN", args, got)
					}
					if took := time.Since(began); took > replyTimeout {
						t.Fatalf("%q took %v", args, took)
					}
				}
				want(t, c, "$1\r\nv\r\n", "GET", keyOn(0, 0))
				want(t, c, "+OK\r\n", "SET", keyOn(2, 0), "v")
				want(t, c, "*2\r\n$1\r\nv\r\n$1\r\nv\r\n", "MGET", keyOn(0, 0), keyOn(2, 0))
			}
			nodes[1].Start(t)
			eventually(t, "the keys of the node that is back", func() bool { return string(c.Do("SET", keyOn(1, 0), "back")) == "+OK\r\n" })
			want(t, c, "$4\r\nback\r\n", "GET", keyOn(1, 0))
			want(t, c, ":3\r\n", "EXISTS", keyOn(0, 0), keyOn(1, 0), keyOn(2, 0))
		})
	}
}

func want(t *testing.T, c *peers.Conn, reply string, args ...string) {
	t.Helper()
	if got := string(c.Do(args...)); got != reply {
		t.Fatalf("%.100q: %.300q, want %q", args, got, reply)
	}
}

// TestNodeFrozen: a node that hangs does not delay other shards' replies on other connections; on the same connection what stands behind waits for no
// longer than the reply time-out.
func TestNodeFrozen(t *testing.T) {
	t.Parallel()
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			gateway, nodes := overThree(t, b.start)
			same, other := peers.Dial(t, gateway.Addr, 2), peers.Dial(t, gateway.Addr, 2)
			for shard := range 3 {
				want(t, same, "+OK\r\n", "SET", keyOn(shard, 0), "v")
				want(t, other, "$1\r\nv\r\n", "GET", keyOn(shard, 0))
			}
			calmly(t, func() error {
				nodes[1].Freeze(t)
				began := time.Now()
				same.Send(fmt.Appendf(nil, "INCR %s\r\nGET %s\r\n", keyOn(1, 1), keyOn(0, 0)))
				longest := longestOf(replyTimeout/2, func() {
					want(t, other, "$1\r\nv\r\n", "GET", keyOn(0, 0))
					want(t, other, "+OK\r\n", "SET", keyOn(2, 0), "v")
				})
				// A write that may have run when the node goes on.
				if got := string(same.Reply()); !strings.HasPrefix(got, "-UNKNOWN ") {
					t.Errorf("INCR at the frozen node: %q, want UNKNOWN", got)
				}
				if got := string(same.Reply()); got != "$1\r\nv\r\n" {
					t.Errorf("GET behind it: %q", got)
				}
				took := time.Since(began)
				nodes[1].Thaw(t)
				for _, c := range []*peers.Conn{same, other} {
					eventually(t, "the keys of the node that goes on", func() bool { return string(c.Do("GET", keyOn(1, 0))) == "$1\r\nv\r\n" })
				}
				return undelayed(longest, took, replyTimeout*3/2)
			})
		})
	}
}

// longestOf does something again and again for a while, and gives the longest that it took.
func longestOf(while time.Duration, do func()) (longest time.Duration) {
	for began := time.Now(); time.Since(began) < while; {
		at := time.Now()
		do()
		longest = max(longest, time.Since(at))
	}
	return longest
}

// undelayed judges what others waited for while a node hung, and how long it took to give that up.
func undelayed(longest, took, most time.Duration) error {
	const little = 300 * time.Millisecond // far above a round trip, far below the time-out
	if longest > little {
		return fmt.Errorf("a reply of another shard on another connection took %v", longest)
	}
	if took < replyTimeout*9/10 || took > most {
		return fmt.Errorf("the time-out of %v took %v, want up to %v", replyTimeout, took, most)
	}
	return nil
}

// TestGatherFrozen: a command over several shards waits for the one that hangs, for no longer than the deadline allows, and gets a clear error in its turn;
// other connections notice nothing, not even if they ask for the same kind of thing of the other shards.
func TestGatherFrozen(t *testing.T) {
	t.Parallel()
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			gateway, nodes := overThree(t, b.start)
			same, other := peers.Dial(t, gateway.Addr, 2), peers.Dial(t, gateway.Addr, 2)
			for shard := range 3 {
				want(t, same, ":1\r\n", "SADD", keyOn(shard, 0), "v")
				want(t, other, ":1\r\n", "SCARD", keyOn(shard, 0))
			}
			want(t, same, "*1\r\n$1\r\nv\r\n", "SUNION", keyOn(0, 0), keyOn(1, 0), keyOn(2, 0))
			calmly(t, func() error {
				nodes[1].Freeze(t)
				began := time.Now()
				same.Send(fmt.Appendf(nil, "SINTER %s %s\r\nSCARD %s\r\n", keyOn(0, 0), keyOn(1, 0), keyOn(2, 0)))
				longest := longestOf(replyTimeout, func() {
					want(t, other, "*1\r\n$1\r\nv\r\n", "SINTER", keyOn(0, 0), keyOn(2, 0))
					want(t, other, ":1\r\n", "SCARD", keyOn(2, 0))
				})
				if got := string(same.Reply()); !strings.HasPrefix(got, "-CLUSTERDOWN ") {
					t.Errorf("SINTER of the frozen node's key: %q", got)
				}
				if got := string(same.Reply()); got != ":1\r\n" {
					t.Errorf("SCARD behind it: %q", got)
				}
				took := time.Since(began)
				nodes[1].Thaw(t)
				for _, c := range []*peers.Conn{same, other} {
					eventually(t, "the keys of the node that goes on", func() bool {
						return string(c.Do("SUNION", keyOn(0, 0), keyOn(1, 0))) == "*1\r\n$1\r\nv\r\n"
					})
				}
				// The reply's time-out, and that of the greeting of the lane on which it was to go again.
				return undelayed(longest, took, replyTimeout*5/2)
			})
		})
	}
}

// TestWritesWhileLanesDie counts: an acknowledged INCR is never lost while its node lives, one that got UNKNOWN may have run, one that got CLUSTERDOWN did
// not. The lane is what dies here: the node's connections are cut, its data stays.
func TestWritesWhileLanesDie(t *testing.T) {
	t.Parallel()
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			gateway, nodes := overThree(t, b.start)
			var count tally
			stop := make(chan struct{})
			var group sync.WaitGroup
			for range 8 {
				group.Go(func() { count.incr(gateway.Addr, keyOn(1, 0), stop) })
			}
			cutLanes(t, nodes[1], 40)
			close(stop)
			group.Wait()
			value := number(t, peers.Dial(t, nodes[1].Addr, 2).Do("GET", keyOn(1, 0)))
			t.Logf("value %d, acknowledged %d, unknown %d, surely not run %d", value, count.ok, count.unknown, count.not)
			if value < count.ok || value > count.ok+count.unknown {
				t.Errorf("the value is %d; want from %d acknowledged to %d more that are unknown", value, count.ok, count.unknown)
			}
			if count.other != "" {
				t.Errorf("another reply: %q", count.other)
			}
			if count.ok == 0 || count.unknown == 0 {
				t.Errorf("no writes, or none was under way when a lane was cut: the test shows nothing")
			}
		})
	}
}

// cutLanes closes all other connections of a node, again and again.
func cutLanes(t *testing.T, node *clients.Process, times int) {
	t.Helper()
	admin := peers.Dial(t, node.Addr, 2)
	for range times {
		time.Sleep(25 * time.Millisecond)
		if got := string(admin.Do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")); got[0] != ':' {
			t.Fatalf("CLIENT KILL: %q", got)
		}
	}
}

// tally counts replies to writes.
type tally struct {
	mu               sync.Mutex
	ok, unknown, not int64
	other            string
}

// incr sends INCR until stop is closed, or the connection fails, which must not be.
func (n *tally) incr(addr, key string, stop <-chan struct{}) {
	err := untilStopped(addr, stop, func(w *clients.Wire) error {
		got, err := w.Do("INCR", key)
		if err == nil {
			n.note(string(got))
		}
		return err
	})
	if err != nil {
		n.note(err.Error())
	}
}

func (n *tally) note(reply string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch {
	case reply[0] == ':':
		n.ok++
	case strings.HasPrefix(reply, "-UNKNOWN "):
		n.unknown++
	case strings.HasPrefix(reply, "-CLUSTERDOWN "), strings.HasPrefix(reply, "-LOADING "):
		n.not++
	default:
		n.other = reply
	}
}

// untilStopped calls do with a connection of its own, again and again.
func untilStopped(addr string, stop <-chan struct{}, do func(*clients.Wire) error) error {
	w, err := clients.Open(addr)
	if err != nil {
		return err
	}
	defer w.Close()
	for {
		select {
		case <-stop:
			return nil
		default:
		}
		if err := do(w); err != nil {
			return err
		}
	}
}

func number(t *testing.T, reply []byte) int64 {
	t.Helper()
	var length, n int64
	if _, err := fmt.Sscanf(string(reply), "$%d\r\n%d", &length, &n); err != nil {
		t.Fatalf("%q: %v", reply, err)
	}
	return n
}

// TestReadsAreSentAgain: a read whose lane was cut goes again; its client sees nothing of it.
func TestReadsAreSentAgain(t *testing.T) {
	t.Parallel()
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			gateway, nodes := overThree(t, b.start)
			peers.Dial(t, gateway.Addr, 2).Do("SET", keyOn(1, 0), "v")
			stop := make(chan struct{})
			var group errgroup.Group
			var done [8]atomic.Int64
			for i := range done {
				group.Go(func() error {
					return untilStopped(gateway.Addr, stop, func(w *clients.Wire) error {
						got, err := w.Do("GET", keyOn(1, 0))
						if err == nil && string(got) != "$1\r\nv\r\n" {
							err = fmt.Errorf("GET: %q", got)
						}
						done[i].Add(1)
						return err
					})
				})
			}
			// A lane is cut once it serves: a node that cuts it at the greeting counts as one out of reach.
			for range 20 {
				for i := range done {
					from := done[i].Load()
					eventually(t, "reads that go on", func() bool { return done[i].Load() > from+2 })
				}
				cutLanes(t, nodes[1], 1)
			}
			close(stop)
			if err := group.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestNodeKilledMidWrites: kill -9 under load, again and again. Every write gets an answer and none hangs; what was acknowledged is there after the
// restart (the node writes to disk before it answers), and what is there was acknowledged or unknown.
func TestNodeKilledMidWrites(t *testing.T) {
	t.Parallel()
	gateway, nodes := overThree(t, func(t *testing.T) *clients.Process {
		return clients.Redis(t, "--appendonly", "yes", "--appendfsync", "always")
	})
	var counts [3]tally
	stop := make(chan struct{})
	var group sync.WaitGroup
	for shard := range counts {
		for range 3 {
			group.Go(func() { counts[shard].incr(gateway.Addr, keyOn(shard, 0), stop) })
		}
	}
	for range 4 {
		acknowledgedMore(t, &counts[1])
		nodes[1].Kill()
		nodes[1].Start(t)
	}
	acknowledgedMore(t, &counts[1])
	close(stop)
	group.Wait()
	for shard := range counts {
		n := &counts[shard]
		value := number(t, peers.Dial(t, nodes[shard].Addr, 2).Do("GET", keyOn(shard, 0)))
		t.Logf("shard %d: value %d, acknowledged %d, unknown %d, surely not run %d", shard, value, n.ok, n.unknown, n.not)
		if value < n.ok || value > n.ok+n.unknown || n.other != "" {
			t.Errorf("shard %d: the value is %d; want from %d acknowledged to %d more that are unknown; other reply: %q", shard, value, n.ok, n.unknown, n.other)
		}
		if shard != 1 && n.unknown+n.not > 0 {
			t.Errorf("shard %d, whose node lives, saw %d unknown and %d refused", shard, n.unknown, n.not)
		}
	}
	if counts[1].not+counts[1].unknown == 0 {
		t.Errorf("no write met the dead node: the test shows nothing")
	}
}

// acknowledgedMore waits until writes get through.
func acknowledgedMore(t *testing.T, n *tally) {
	t.Helper()
	const more = 50
	from := n.acknowledged()
	eventually(t, "writes that are acknowledged", func() bool { return n.acknowledged() > from+more })
}

func (n *tally) acknowledged() int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.ok
}
