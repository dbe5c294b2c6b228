package clients_test

import (
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/internal/clients"
	"larder/internal/peers"
	"larder/protocol/resp"
)

func open(t *testing.T, addr string) *clients.Wire {
	t.Helper()
	w, err := clients.Open(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

func ask(t *testing.T, w *clients.Wire, args ...string) string {
	t.Helper()
	reply, err := w.Do(args...)
	if err != nil {
		t.Fatalf("%.100q: %v", args, err)
	}
	return string(reply)
}

// answers wants a reply as it is on the wire.
func answers(t *testing.T, w *clients.Wire, want string, args ...string) {
	t.Helper()
	if got := ask(t, w, args...); got != want {
		t.Fatalf("%.100q is answered %.1000q, want %q", args, got, want)
	}
}

const (
	mib = 1 << 20
	// ownBytes is what a node takes beside its keys: Go's heap and the program's own pages.
	ownBytes = 48 * mib
)

// phases are ranges of sizes that follow one another.
var phases = [][2]int{{10, 300}, {40, 80}, {2000, 9000}, {16, 32}, {300, 900}, {20_000, 90_000}, {8, 2000}, {100, 300_000}}

// TestMaxMemory: under random writes of shifting sizes the memory stays below maxmemory, as it is told and as the system sees it.
func TestMaxMemory(t *testing.T) {
	for _, policy := range []string{"allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl", "noeviction"} {
		t.Run(policy, func(t *testing.T) { maxMemory(t, policy, 32*mib, 5*mib) })
	}
}

// maxMemory writes bytes in each phase.
func maxMemory(t *testing.T, policy string, limit, bytes int) {
	node := larder.Engine(t, "--maxmemory", fmt.Sprint(limit), "--maxmemory-policy", policy)
	w, rng := open(t, node.Addr), dice(t)
	volatile := strings.HasPrefix(policy, "volatile")
	const stay = 1000
	if volatile {
		clients.Load(t, node.Addr, stay, func(i int) []string { return []string{"SET", fmt.Sprint("stays:", i), strings.Repeat("s", 1000)} }, clients.Fine(t))
	}
	refused := 0
	value := strings.Repeat("v", 300_000)
	for _, phase := range phases {
		for left := 2 * bytes; left > 0; {
			const batch = 200
			clients.Load(t, node.Addr, batch, func(int) []string {
				n := phase[0] + rng.IntN(phase[1]-phase[0])
				left -= n + 20
				args := []string{"SET", fmt.Sprint("k", rng.IntN(400_000)), value[:n]}
				if volatile {
					args = append(args, "EX", fmt.Sprint(1000+rng.IntN(1000)))
				}
				return args
			}, func(i int, reply []byte) {
				switch {
				case reply[0] == '+':
				case string(reply) == "-OOM command not allowed when used memory > 'maxmemory'.\r\n":
					refused++
				default:
					t.Fatalf("SET is answered %q", reply)
				}
			})
			if used := usedMemory(t, w); used > int64(limit)*102/100 {
				t.Fatalf("sizes %v: %d bytes used, maxmemory is %d", phase, used, limit)
			}
			if policy == "noeviction" && refused > 0 {
				break
			}
		}
		if rss := node.RSS(t); rss > int64(limit)*102/100+ownBytes {
			t.Errorf("sizes %v: %d bytes resident, maxmemory is %d", phase, rss, limit)
		}
	}
	info := clients.Info(t, w)
	evicted := clients.Number(t, info, "evicted_keys")
	switch {
	case policy == "noeviction":
		if refused == 0 || evicted != 0 {
			t.Errorf("%d writes refused, %d keys evicted", refused, evicted)
		}
		goesOnWhenFull(t, node)
	case refused > 0 || evicted == 0:
		t.Errorf("%d writes refused, %d keys evicted", refused, evicted)
	case volatile:
		clients.Load(t, node.Addr, stay, func(i int) []string { return []string{"EXISTS", fmt.Sprint("stays:", i)} }, func(i int, reply []byte) {
			if string(reply) != ":1\r\n" {
				t.Errorf("key %d without an expiry was evicted", i)
			}
		})
	}
}

// usedMemory is clients.Info's, of no more than is needed: it is asked very often.
func usedMemory(t *testing.T, w *clients.Wire) int64 {
	t.Helper()
	text := ask(t, w, "INFO", "memory")
	_, text, _ = strings.Cut(text, "\nused_memory:")
	text, _, _ = strings.Cut(text, "\r\n")
	used, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return used
}

// goesOnWhenFull: what needs no memory goes on, and with room writes do.
func goesOnWhenFull(t *testing.T, node *clients.Process) {
	t.Helper()
	w := open(t, node.Addr)
	const oom = "-OOM command not allowed when used memory > 'maxmemory'.\r\n"
	big := strings.Repeat("b", 8*mib)
	for range 3 { // taken in as it comes, or not at all
		if got := ask(t, w, "SET", "big", big); got != oom {
			t.Errorf("SET of a large value: %q", got)
		}
	}
	if got := ask(t, w, "RANDOMKEY"); got[0] != '$' {
		t.Errorf("RANDOMKEY: %q", got)
	}
	keys := clients.Number(t, clients.Info(t, w), "evicted_keys")
	deleted := 0
	for i := 0; i < 400_000; i += 1000 {
		if got := ask(t, w, "GET", fmt.Sprint("k", i)); got[0] != '$' {
			t.Errorf("GET: %q", got)
		}
	}
	clients.Load(t, node.Addr, 400_000, func(i int) []string { return []string{"DEL", fmt.Sprint("k", i)} }, func(_ int, reply []byte) {
		if reply[1] == '1' {
			deleted++
		}
	})
	if deleted == 0 || keys != 0 {
		t.Errorf("%d keys deleted, %d evicted", deleted, keys)
	}
	eventually(t, "room for a large value", func() bool { return ask(t, w, "SET", "big", big) == "+OK\r\n" })
}

// TestMemoryIsTrue: what INFO tells is what the system sees.
func TestMemoryIsTrue(t *testing.T) {
	for _, size := range []int{16, 200, 3000, 40_000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			node := larder.Engine(t, "--enable-debug-command", "yes")
			w := open(t, node.Addr)
			empty := node.RSS(t)
			n := 96 * mib / (size + 40)
			populate(t, w, n, size)
			info := clients.Info(t, w)
			told, rss, used := clients.Number(t, info, "used_memory_rss"), node.RSS(t), clients.Number(t, info, "used_memory")
			if diff := told - rss; diff > 4*mib || diff < -4*mib {
				t.Errorf("used_memory_rss is %d, the system sees %d", told, rss)
			}
			if least := int64(n * size); used < least || used > least*2 && size > 100 {
				t.Errorf("used_memory is %d for %d bytes of values", used, least)
			}
			// What is resident beyond the used memory is the program, free segments, and behind long values the rest of their runs, up to
			// 64 KiB each where the system gives huge pages.
			bound := used * 115 / 100
			if size > 32<<10 {
				bound = used * 175 / 100
			}
			if grown := rss - empty; grown > bound+16*mib || grown < used*80/100-16*mib {
				t.Errorf("used_memory is %d, the process has grown by %d", used, grown)
			}
			if peak := clients.Number(t, info, "used_memory_peak"); peak < used {
				t.Errorf("the peak is %d, %d are used", peak, used)
			}
			if sum := clients.Number(t, info, "used_memory_overhead") + clients.Number(t, info, "used_memory_dataset"); sum != used {
				t.Errorf("overhead and dataset are %d, %d are used", sum, used)
			}
			answers(t, w, "+OK\r\n", "FLUSHALL")
			eventually(t, "memory is given back", func() bool { return node.RSS(t) < empty+24*mib })
			eventually(t, "nothing is used", func() bool { return clients.Number(t, clients.Info(t, w), "used_memory") < 4*mib })
		})
	}
}

// pauses are the most that clients may notice of work on very many keys at once, and how soon its memory is to be back.
type pauses struct {
	chores time.Duration // a slice of the node's own work
	wait   time.Duration // a client's wait for its reply
	back   time.Duration
}

// busy is for ordinary runs, where other tests have the processors too; soak tests are closer.
var busy = pauses{chores: 50 * time.Millisecond, wait: 500 * time.Millisecond, back: time.Second}

// TestExpiryOfMany: a million keys that die at once keep nobody waiting, and their memory is back within a second.
func TestExpiryOfMany(t *testing.T) {
	calmly(t, func() error { return expiryOfMany(t, busy) })
}

func expiryOfMany(t *testing.T, most pauses) error {
	const keys = 1_000_000
	node := larder.Engine(t)
	defer node.Kill()
	w := open(t, node.Addr)
	empty := node.RSS(t)
	ask(t, w, "SET", "stays", "v")
	due := fillToDie(t, w, keys)
	ask(t, w, "CONFIG", "RESETSTAT")
	probe := clients.StartProbe(t, node.Addr, "EXISTS", "stays")
	time.Sleep(time.Until(due))
	allGone := func() bool { return ask(t, w, "DBSIZE") == ":1\r\n" }
	gone := holds(time.Until(due.Add(most.back)), allGone)
	back := holds(time.Until(due.Add(most.back)), func() bool { return node.RSS(t) < empty+24*mib })
	took := time.Since(due)
	waited, err := probe.Stop()
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "all keys are gone", allGone)
	info := clients.Info(t, w)
	chores := time.Duration(clients.Number(t, info, "chores_longest_usec")) * time.Microsecond
	t.Logf("gone %s after their time; the longest wait was %s, of it chores %s; %s ms of chores", took, waited, chores, info["expire_cycle_cpu_milliseconds"])
	if got := clients.Number(t, info, "expired_keys"); got != keys {
		t.Errorf("%d keys have expired", got)
	}
	if waited > most.wait || chores > most.chores || !gone || !back {
		return fmt.Errorf("another client waited %s, chores took up to %s; after %s all keys were gone: %v, and the memory was back: %v", waited, chores, took, gone, back)
	}
	return nil
}

// fillToDie sets keys that die all at once, and says when: soon after they are there, however long it takes to set them.
func fillToDie(t *testing.T, w *clients.Wire, keys int) (due time.Time) {
	t.Helper()
	const some = 10_000
	for within := 8 * time.Second; within < 5*time.Minute; within *= 2 {
		due = time.Now().Add(within)
		for from := 0; from < keys; from += some {
			if got := ask(t, w, "EVAL", "for i = tonumber(ARGV[1]), ARGV[1] + ARGV[2] - 1 do redis.call('set', 'key:' .. i, ARGV[3], 'pxat', ARGV[4]) end", "0", fmt.Sprint(from),
				fmt.Sprint(some), strings.Repeat("v", 64), fmt.Sprint(due.UnixMilli())); got != "$-1\r\n" {
				t.Fatal(got)
			}
		}
		if got := ask(t, w, "DBSIZE"); got == fmt.Sprintf(":%d\r\n", keys+1) && time.Until(due) > within/8 {
			return due
		}
		t.Logf("%d keys take more than %v", keys, within)
		eventually(t, "what came too late is gone", func() bool { return ask(t, w, "DBSIZE") == ":1\r\n" })
	}
	t.Fatal("the machine is too slow for this test")
	return due
}

// TestFlushOfMany: emptying two million keys keeps nobody waiting, however it is asked for.
func TestFlushOfMany(t *testing.T) {
	node := larder.Engine(t, "--enable-debug-command", "yes")
	for _, how := range []string{"SYNC", "ASYNC"} {
		calmly(t, func() error { return flushOfMany(t, node, how, busy) })
	}
}

func flushOfMany(t *testing.T, node *clients.Process, how string, most pauses) error {
	const keys = 2_000_000
	w := open(t, node.Addr)
	empty := node.RSS(t)
	populate(t, w, keys, 32)
	ask(t, w, "CONFIG", "RESETSTAT")
	probe := clients.StartProbe(t, node.Addr, "PING")
	begun := time.Now()
	answers(t, w, "+OK\r\n", "FLUSHALL", how)
	took := time.Since(begun)
	back := holds(2*most.back, func() bool { return node.RSS(t) < empty+24*mib })
	t.Logf("FLUSHALL %s took %s, memory was back after %s", how, took, time.Since(begun))
	waited, err := probe.Stop()
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "memory is given back", func() bool { return node.RSS(t) < empty+24*mib })
	chores := time.Duration(clients.Number(t, clients.Info(t, w), "chores_longest_usec")) * time.Microsecond
	if took > most.wait || waited > most.wait || chores > most.chores || !back {
		return fmt.Errorf("FLUSHALL %s took %s, another client waited %s, chores took up to %s, memory was back in time: %v", how, took, waited, chores, back)
	}
	return nil
}

// populate has a node that is started for debugging make keys of its own, key:0 and so on.
func populate(t *testing.T, w *clients.Wire, keys, size int) {
	t.Helper()
	answers(t, w, "+OK\r\n", "DEBUG", "POPULATE", fmt.Sprint(keys), "key", fmt.Sprint(size))
	answers(t, w, fmt.Sprintf(":%d\r\n", keys), "DBSIZE")
}

// TestValueTakesItsSizeOnce: a large value is in memory once while it comes, while it is there and while it goes out.
func TestValueTakesItsSizeOnce(t *testing.T) {
	calmly(t, func() error { return valueOnce(t, 128*mib) })
}

func valueOnce(t *testing.T, size int) error {
	node := larder.Engine(t)
	defer node.Kill()
	w := open(t, node.Addr)
	empty := node.RSS(t)
	conn, err := net.Dial("tcp", node.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(peers.Patience))
	piece := []byte(strings.Repeat("0123456789abcdef", mib/16))
	fmt.Fprintf(conn, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n", size)
	for range size / mib {
		if _, err := conn.Write(piece); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Fprint(conn, "\r\nGET k\r\n")
	if n, err := io.CopyN(io.Discard, conn, int64(len("+OK\r\n")+len(fmt.Sprintf("$%d\r\n", size))+size+2)); err != nil {
		t.Fatalf("after %d bytes: %v", n, err)
	}
	if peak := node.PeakRSS(t) - empty; peak > int64(size)*105/100+16*mib {
		t.Errorf("a value of %d bytes took %d", size, peak)
	}
	begun := time.Now()
	if got := ask(t, w, "DEL", "k"); got != ":1\r\n" {
		t.Errorf("DEL: %q", got)
	}
	took := time.Since(begun)
	if back := holds(time.Second, func() bool { return node.RSS(t) < empty+24*mib }); !back || took > 50*time.Millisecond {
		return fmt.Errorf("DEL took %s, its memory was back: %v", took, back)
	}
	return nil
}

// TestOutputCounts: replies that are not read count towards maxmemory: keys go for them.
func TestOutputCounts(t *testing.T) {
	const limit, keys, size = 128 * mib, 1000, 100_000
	node := larder.Engine(t, "--maxmemory", fmt.Sprint(limit), "--maxmemory-policy", "allkeys-lru")
	w := open(t, node.Addr)
	clients.Load(t, node.Addr, keys, func(i int) []string { return []string{"SET", fmt.Sprint("key:", i), strings.Repeat("v", size)} }, clients.Fine(t))
	all := []string{"MGET"}
	for i := range keys / 2 {
		all = append(all, fmt.Sprint("key:", i))
	}
	conn, err := net.Dial("tcp", node.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.Write(resp.AppendCommandStrings(nil, all...)); err != nil {
		t.Fatal(err)
	}
	const buffered = 30 * mib // the kernel has the rest
	eventually(t, "unread replies are told", func() bool { return clients.Number(t, clients.Info(t, w), "mem_clients_normal") > buffered })
	eventually(t, "keys go for them", func() bool {
		info := clients.Info(t, w)
		return clients.Number(t, info, "used_memory") <= limit*102/100 && clients.Number(t, info, "evicted_keys") > 0
	})
	conn.Close()
	eventually(t, "they are forgotten with their client", func() bool { return clients.Number(t, clients.Info(t, w), "mem_clients_normal") < mib })
}

// TestGoHeapIsSmall: the Go heap holds no keys, and hardly ever is cleaned up. (What a collection takes is measured on a
// quiet machine, by TestSoakBigCollections: the share that Go tells counts a marker's time while it waits for a processor.)
func TestGoHeapIsSmall(t *testing.T) {
	const idle, keys, most = 500, 500_000, 10
	node := larder.Engine(t)
	for range idle {
		ask(t, open(t, node.Addr), "PING")
	}
	clients.Load(t, node.Addr, keys, func(i int) []string {
		return []string{"SET", fmt.Sprint("key:", i), strings.Repeat("v", 100), "EX", "1000"}
	}, clients.Fine(t))
	info := clients.Info(t, open(t, node.Addr))
	heap, cycles := clients.Number(t, info, "go_heap_bytes"), clients.Number(t, info, "go_gc_cycles")
	t.Logf("%d bytes of Go heap, %d collections, which took %s", heap, cycles, info["go_gc_cpu_perc"])
	if cycles > most {
		t.Errorf("%d collections while %d keys were written", cycles, keys)
	}
	if heap > 64*mib {
		t.Errorf("the Go heap has %d bytes", heap)
	}
}
