package clients_test

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/internal/clients"
)

// TestBigCollections: very large collections keep nobody waiting, when they go, when others take their place and when they are first written beside a copy;
// and the garbage collector has nothing to do with them. The probe shares the machine with the node, so the bounds are wide; Soak's are on a quiet one.
func TestBigCollections(t *testing.T) {
	calmly(t, func() error { return bigCollections(t, 300_000, 500*time.Millisecond) })
}

func bigCollections(t *testing.T, elements int, longest time.Duration) error {
	node := larder.Engine(t)
	defer node.Kill()
	w := open(t, node.Addr)
	empty := node.RSS(t)
	ask(t, w, "SADD", "few", "a", "b")
	ask(t, w, "ZADD", "scores", "1", "a")
	pour(t, node, elements, "ZADD", "zset", func(i int) []string { return []string{strconv.Itoa(i * 7919 % 1_000_003), fmt.Sprintf("m%09d", i)} })
	pour(t, node, elements, "HSET", "hash", func(i int) []string { return []string{fmt.Sprintf("f%09d", i), "value"} })
	pour(t, node, elements/10, "SADD", "set", func(i int) []string { return []string{fmt.Sprintf("m%09d", i)} })
	pour(t, node, elements/10, "RPUSH", "list", func(i int) []string { return []string{fmt.Sprintf("e%09d", i)} })

	late := collected(t, node, w, longest)

	for _, commands := range []string{
		"COPY zset zset2", "ZADD zset 7 m000000007", "COPY hash hash2", "HSET hash f000000007 other", "ZREM zset2 m000000008", "HDEL hash2 f000000008",
		"DEL zset", "UNLINK zset2", "RENAME scores hash", "SET hash2 text", "SUNIONSTORE set few", "LTRIM list 1 0",
	} {
		ask(t, w, "CONFIG", "RESETSTAT")
		probe := clients.StartProbe(t, node.Addr, "PING")
		begun := time.Now()
		reply := ask(t, w, strings.Fields(commands)...)
		took := time.Since(begun)
		settled(t, w)
		waited, err := probe.Stop()
		chores := time.Duration(clients.Number(t, clients.Info(t, w), "chores_longest_usec")) * time.Microsecond
		t.Logf("%s took %s; the longest wait was %s, of chores %s; all settled after %s", commands, took, waited, chores, time.Since(begun))
		if err != nil || reply[0] == '-' {
			t.Errorf("%s: %q; another client: %v", commands, reply, err)
		}
		if took > longest || waited > longest || chores > longest {
			late = errors.Join(late, fmt.Errorf("%s took %s, another client waited %s, chores took up to %s", commands, took, waited, chores))
		}
	}
	eventually(t, "memory is given back", func() bool { return node.RSS(t) < empty+32*mib })
	return late
}

// pour makes a collection, a hundred elements a command.
func pour(t *testing.T, node *clients.Process, elements int, command, key string, element func(i int) []string) {
	t.Helper()
	const together = 100
	clients.Load(t, node.Addr, elements/together, func(n int) []string {
		args := []string{command, key}
		for i := range together {
			args = append(args, element(n*together+i)...)
		}
		return args
	}, clients.Fine(t))
}

// settled waits until the node has done what it does in slices: memory that was taken has not changed for some ticks.
func settled(t *testing.T, w *clients.Wire) {
	t.Helper()
	const still = 15
	last, same := int64(-1), 0
	eventually(t, "what was freed in slices is free", func() bool {
		time.Sleep(20 * time.Millisecond)
		now := clients.Number(t, clients.Info(t, w), "allocator_active")
		if same++; now != last {
			last, same = now, 0
		}
		return same == still
	})
}

// collected writes for a while and then looks at what Go's collector took of the processor, and for how long it stopped the node.
func collected(t *testing.T, node *clients.Process, w *clients.Wire, longest time.Duration) error {
	t.Helper()
	const writes = 300_000
	clients.Load(t, node.Addr, writes, func(i int) []string {
		if i%2 == 0 {
			return []string{"ZADD", "zset", strconv.Itoa(i), fmt.Sprintf("m%09d", i)}
		}
		return []string{"HSET", "hash", fmt.Sprintf("f%09d", i), "again"}
	}, clients.Fine(t))
	info := clients.Info(t, w)
	share, err := strconv.ParseFloat(strings.TrimSuffix(info["go_gc_cpu_perc"], "%"), 64)
	stop := time.Duration(metric(t, node, `go_gc_duration_seconds{quantile="1"}`) * float64(time.Second))
	t.Logf("%s bytes used, %s in the Go heap: %s collections took %.2f %% of the processor, the longest stop was %s", info["used_memory"], info["go_heap_bytes"], info["go_gc_cycles"], share, stop)
	if err != nil {
		t.Error(err)
	}
	if heap := clients.Number(t, info, "go_heap_bytes"); heap > 32*mib {
		t.Errorf("%d bytes in the Go heap", heap)
	}
	if share > 1 || stop > longest {
		return fmt.Errorf("the collector took %.2f %% of the processor and stopped the node for up to %s", share, stop)
	}
	return nil
}

// metric reads one of a process's metrics.
func metric(t *testing.T, p *clients.Process, name string) float64 {
	t.Helper()
	reply, err := http.Get("http://" + p.Metrics + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer reply.Body.Close()
	lines := bufio.NewScanner(reply.Body)
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), name+" "); ok {
			v, err := strconv.ParseFloat(rest, 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
	}
	t.Fatalf("no metric %s: %v", name, lines.Err())
	return 0
}
