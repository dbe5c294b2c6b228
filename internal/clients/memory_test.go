package clients_test

import (
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"larder/internal/clients"
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
		t.Fatal(err)
	}
	return string(reply)
}

// soon waits for a condition.
func soon(t *testing.T, within time.Duration, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(within); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Errorf("not within %s: %s", within, what)
			return
		}
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
		t.Run(policy, func(t *testing.T) { maxMemory(t, policy, 64*mib, 10*mib) })
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
	for _, phase := range phases {
		for left := 2 * bytes; left > 0; {
			const batch = 200
			clients.Load(t, node.Addr, batch, func(int) []string {
				n := phase[0] + rng.IntN(phase[1]-phase[0])
				left -= n + 20
				args := []string{"SET", fmt.Sprint("k", rng.IntN(400_000)), strings.Repeat("v", n)}
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
			info := clients.Info(t, w)
			if used := clients.Number(t, info, "used_memory"); used > int64(limit)*102/100 {
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
	for i := 0; i < 400_000; i++ {
		if i%1000 == 0 {
			if got := ask(t, w, "GET", fmt.Sprint("k", i)); got[0] != '$' {
				t.Errorf("GET: %q", got)
			}
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
	soon(t, time.Second, "room for a large value", func() bool { return ask(t, w, "SET", "big", big) == "+OK\r\n" })
}

// TestMemoryIsTrue: what INFO tells is what the system sees.
func TestMemoryIsTrue(t *testing.T) {
	for _, size := range []int{16, 200, 3000, 40_000} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			node := larder.Engine(t)
			w := open(t, node.Addr)
			empty := node.RSS(t)
			n := 96 * mib / (size + 40)
			clients.Load(t, node.Addr, n, func(i int) []string { return []string{"SET", fmt.Sprint("key:", i), strings.Repeat("v", size)} }, clients.Fine(t))
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
			if got := ask(t, w, "FLUSHALL"); got != "+OK\r\n" {
				t.Fatal(got)
			}
			soon(t, time.Second, "memory is given back", func() bool { return node.RSS(t) < empty+24*mib })
			soon(t, time.Second, "nothing is used", func() bool { return clients.Number(t, clients.Info(t, w), "used_memory") < 4*mib })
		})
	}
}

// TestExpiryOfMany: a million keys that die at once keep nobody waiting, and their memory is back within a second.
func TestExpiryOfMany(t *testing.T) { expiryOfMany(t, 50*time.Millisecond, busyWait) }

// busyWait is how long a client may wait in ordinary runs, where other tests have the processors too. What the node itself takes is bounded closely.
const busyWait = 500 * time.Millisecond

func expiryOfMany(t *testing.T, longest, wait time.Duration) {
	const keys = 1_000_000
	node := larder.Engine(t)
	w := open(t, node.Addr)
	empty := node.RSS(t)
	ask(t, w, "SET", "stays", "v")
	due := time.Now().Add(25 * time.Second)
	at := fmt.Sprint(due.UnixMilli())
	clients.Load(t, node.Addr, keys, func(i int) []string {
		return []string{"SET", fmt.Sprint("key:", i), strings.Repeat("v", 64), "PXAT", at}
	}, clients.Fine(t))
	if got := ask(t, w, "DBSIZE"); got != fmt.Sprintf(":%d\r\n", keys+1) {
		t.Fatalf("%s keys before their time: the machine is too slow for this test", got)
	}
	ask(t, w, "CONFIG", "RESETSTAT")
	probe := clients.StartProbe(t, node.Addr, "EXISTS", "stays")
	time.Sleep(time.Until(due))
	soon(t, time.Second, "all keys are gone", func() bool { return ask(t, w, "DBSIZE") == ":1\r\n" })
	soon(t, time.Until(due.Add(time.Second)), "their memory is given back", func() bool { return node.RSS(t) < empty+24*mib })
	waited, err := probe.Stop()
	info := clients.Info(t, w)
	chores := time.Duration(clients.Number(t, info, "chores_longest_usec")) * time.Microsecond
	t.Logf("gone %s after their time; the longest wait was %s, of it chores %s; %s ms of chores", time.Since(due), waited, chores, info["expire_cycle_cpu_milliseconds"])
	if err != nil || waited > wait || chores > longest {
		t.Errorf("another client waited %s, chores took up to %s: %v", waited, chores, err)
	}
	if got := clients.Number(t, info, "expired_keys"); got != keys {
		t.Errorf("%d keys have expired", got)
	}
}

// TestFlushOfMany: emptying two million keys keeps nobody waiting, however it is asked for.
func TestFlushOfMany(t *testing.T) { flushOfMany(t, 50*time.Millisecond, busyWait) }

func flushOfMany(t *testing.T, longest, wait time.Duration) {
	const keys = 2_000_000
	node := larder.Engine(t)
	w := open(t, node.Addr)
	empty := node.RSS(t)
	for _, how := range []string{"SYNC", "ASYNC"} {
		clients.Load(t, node.Addr, keys, func(i int) []string { return []string{"SET", fmt.Sprint("key:", i), strings.Repeat("v", 32)} }, clients.Fine(t))
		ask(t, w, "CONFIG", "RESETSTAT")
		probe := clients.StartProbe(t, node.Addr, "PING")
		begun := time.Now()
		if got := ask(t, w, "FLUSHALL", how); got != "+OK\r\n" {
			t.Fatal(got)
		}
		took := time.Since(begun)
		soon(t, 2*time.Second, "memory is given back", func() bool { return node.RSS(t) < empty+24*mib })
		back := time.Since(begun)
		waited, err := probe.Stop()
		chores := time.Duration(clients.Number(t, clients.Info(t, w), "chores_longest_usec")) * time.Microsecond
		t.Logf("FLUSHALL %s took %s, memory was back after %s; the longest wait was %s, of chores %s", how, took, back, waited, chores)
		if err != nil || took > wait || waited > wait || chores > longest {
			t.Errorf("FLUSHALL %s took %s, another client waited %s, chores took up to %s: %v", how, took, waited, chores, err)
		}
	}
}

// TestValueTakesItsSizeOnce: a large value is in memory once while it comes, while it is there and while it goes out.
func TestValueTakesItsSizeOnce(t *testing.T) { valueOnce(t, 128*mib) }

func valueOnce(t *testing.T, size int) {
	node := larder.Engine(t)
	w := open(t, node.Addr)
	empty := node.RSS(t)
	conn, err := net.Dial("tcp", node.Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
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
	if got := ask(t, w, "DEL", "k"); got != ":1\r\n" || time.Since(begun) > 50*time.Millisecond {
		t.Errorf("DEL: %q after %s", got, time.Since(begun))
	}
	soon(t, time.Second, "memory is given back", func() bool { return node.RSS(t) < empty+24*mib })
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
	soon(t, 3*time.Second, "unread replies are told", func() bool { return clients.Number(t, clients.Info(t, w), "mem_clients_normal") > buffered })
	soon(t, 3*time.Second, "keys go for them", func() bool {
		info := clients.Info(t, w)
		return clients.Number(t, info, "used_memory") <= limit*102/100 && clients.Number(t, info, "evicted_keys") > 0
	})
	conn.Close()
	soon(t, 3*time.Second, "they are forgotten with their client", func() bool { return clients.Number(t, clients.Info(t, w), "mem_clients_normal") < mib })
}

// TestGoHeapIsSmall: the Go heap holds no keys, and cleaning it up takes next to nothing.
func TestGoHeapIsSmall(t *testing.T) {
	const idle, keys = 500, 500_000
	node := larder.Engine(t)
	for range idle {
		ask(t, open(t, node.Addr), "PING")
	}
	clients.Load(t, node.Addr, keys, func(i int) []string {
		return []string{"SET", fmt.Sprint("key:", i), strings.Repeat("v", 100), "EX", "1000"}
	}, clients.Fine(t))
	info := clients.Info(t, open(t, node.Addr))
	heap, share := clients.Number(t, info, "go_heap_bytes"), info["go_gc_cpu_perc"]
	t.Logf("%d bytes of Go heap, %s collections, which took %s", heap, info["go_gc_cycles"], share)
	var percent float64
	if _, err := fmt.Sscanf(share, "%f%%", &percent); err != nil || percent >= 1 {
		t.Errorf("collecting takes %q of the processor: %v", share, err)
	}
	if heap > 64*mib {
		t.Errorf("the Go heap has %d bytes", heap)
	}
}
