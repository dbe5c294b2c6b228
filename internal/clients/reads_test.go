package clients_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"larder/internal/clients"
	"larder/internal/peers"
	"larder/protocol/resp"
	"larder/router"
)

// readFleet is a gateway over a primary and its replicas, which read for it.
type readFleet struct {
	nodes   []*clients.Process // the primary first
	gateway *clients.Process
}

func startReadFleet(t *testing.T, replicas int, args ...string) *readFleet {
	t.Helper()
	f := &readFleet{nodes: []*clients.Process{larder.Engine(t)}}
	shard := router.Shard{Primary: router.Node{Addr: f.nodes[0].Addr}}
	host, port, _ := strings.Cut(f.nodes[0].Addr, ":")
	for range replicas {
		n := larder.Engine(t)
		c := peers.Dial(t, n.Addr, 0)
		c.Do("REPLICAOF", host, port)
		eventually(t, "a replica follows", func() bool { return info(t, c, "master_link_status") == "up" })
		f.nodes, shard.Replicas = append(f.nodes, n), append(shard.Replicas, router.Node{Addr: n.Addr})
	}
	topo, err := router.EvenShards("main", 0, []router.Shard{shard})
	if err != nil {
		t.Fatal(err)
	}
	text, err := topo.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "topology.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	f.gateway = larder.Gateway(t, nil, append([]string{"--topology", path, "--loops", "2"}, args...)...)
	return f
}

// gets is how many GETs a node has answered.
func (f *readFleet) gets(t *testing.T, node int) (n int) {
	t.Helper()
	text := string(peers.Dial(t, f.nodes[node].Addr, 0).Do("INFO", "commandstats"))
	_, rest, _ := strings.Cut(text, "cmdstat_get:calls=")
	digits, _, _ := strings.Cut(rest, ",")
	n, _ = strconv.Atoi(digits)
	return n
}

// readersAndWriter write numbers that grow to keys and read them, over connections of both loops, until they are stopped.
type readersAndWriter struct {
	stop          chan struct{}
	all           sync.WaitGroup
	acked         [readKeys]atomic.Int64
	reads, writes atomic.Int64
	mu            sync.Mutex
	wrong         []string
}

const readKeys = 1000

func (f *readFleet) load(t *testing.T, readers int) *readersAndWriter {
	t.Helper()
	l := &readersAndWriter{stop: make(chan struct{})}
	run := func(one func(w *clients.Wire, n int) error) {
		w, err := clients.Open(f.gateway.Addr)
		if err != nil {
			t.Fatal(err)
		}
		l.all.Go(func() {
			defer w.Close()
			for n := 1; ; n++ {
				select {
				case <-l.stop:
					return
				default:
				}
				if err := one(w, n); err != nil {
					l.fail(err.Error())
					return
				}
			}
		})
	}
	run(func(w *clients.Wire, n int) error {
		key := n % readKeys
		reply, err := w.Do("SET", "k"+strconv.Itoa(key), strconv.Itoa(n))
		if err != nil || reply[0] != '+' {
			return fmt.Errorf("SET: %q %w", reply, err)
		}
		l.acked[key].Store(int64(n))
		l.writes.Add(1)
		time.Sleep(500 * time.Microsecond)
		return nil
	})
	for range readers {
		run(func(w *clients.Wire, n int) error {
			key := n * 7 % readKeys
			if n%8 == 0 { // the one that was written last
				key = int(l.writes.Load()) % readKeys
			}
			least := l.acked[key].Load()
			reply, err := w.Do("GET", "k"+strconv.Itoa(key))
			if err != nil || reply[0] == '-' {
				return fmt.Errorf("GET: %q %w", reply, err)
			}
			text, _ := resp.BulkOf(reply)
			if got, _ := strconv.ParseInt(string(text), 10, 64); got < least {
				l.fail(fmt.Sprintf("k%d: read %d, and %d was written", key, got, least))
			}
			l.reads.Add(1)
			return nil
		})
	}
	return l
}

func (l *readersAndWriter) fail(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong = append(l.wrong, text)
}

func (l *readersAndWriter) end(t *testing.T) {
	t.Helper()
	close(l.stop)
	l.all.Wait()
	if len(l.wrong) > 0 {
		t.Errorf("%d faults, the first: %s", len(l.wrong), l.wrong[0])
	}
}

// more waits for so many more reads.
func (l *readersAndWriter) more(t *testing.T, n int64) {
	t.Helper()
	from := l.reads.Load()
	eventually(t, "reads go on", func() bool { return l.reads.Load()-from >= n })
}

// TestReadsFromReplicas: at level gateway replicas answer reads, and none shows less than what was written over any connection; a replica that is killed, or
// stands still, costs no error, and no replica at all none either.
func TestReadsFromReplicas(t *testing.T) {
	f := startReadFleet(t, 2, "--read-from", "prefer-replica")
	l := f.load(t, 6)
	eventually(t, "both replicas read", func() bool { return f.gets(t, 1) > 0 && f.gets(t, 2) > 0 })
	before, reads := [3]int{f.gets(t, 0), f.gets(t, 1), f.gets(t, 2)}, l.reads.Load()
	l.more(t, 10_000)
	primary, away := f.gets(t, 0)-before[0], f.gets(t, 1)+f.gets(t, 2)-before[1]-before[2]
	t.Logf("of %d reads the primary answered %d and replicas %d, beside %d writes", l.reads.Load()-reads, primary, away, l.writes.Load())
	if away < primary {
		t.Errorf("the primary answered %d reads, its replicas %d", primary, away)
	}
	f.nodes[1].Kill()
	l.more(t, 2000)
	f.nodes[2].Freeze(t)
	l.more(t, 2000)
	f.nodes[2].Thaw(t)
	again := f.gets(t, 2)
	eventually(t, "the replica reads again", func() bool { return f.gets(t, 2) > again+100 })
	l.end(t)
}

// TestReadOnlyConnections: READONLY has a connection's reads go to replicas where nothing else does, READWRITE ends that.
func TestReadOnlyConnections(t *testing.T) {
	f := startReadFleet(t, 1)
	w, err := clients.Open(f.gateway.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	do := func(want string, words ...string) {
		t.Helper()
		if reply, err := w.Do(words...); err != nil || string(reply) != want {
			t.Fatalf("%q: %q %v, want %q", words, reply, err, want)
		}
	}
	do("+OK\r\n", "SET", "k", "v")
	do("$1\r\nv\r\n", "GET", "k")
	if n := f.gets(t, 1); n != 0 {
		t.Fatalf("the replica answered %d reads before READONLY", n)
	}
	do("+OK\r\n", "READONLY")
	eventually(t, "the replica reads", func() bool {
		do("$1\r\nv\r\n", "GET", "k")
		return f.gets(t, 1) > 0
	})
	do("$1\r\nv\r\n", "EVAL_RO", "return redis.call('get', KEYS[1])", "1", "k")
	do("+OK\r\n", "READWRITE")
	away := f.gets(t, 1)
	for range 50 {
		do("$1\r\nv\r\n", "GET", "k")
	}
	if n := f.gets(t, 1); n != away {
		t.Errorf("the replica answered %d reads behind READWRITE", n-away)
	}
}
