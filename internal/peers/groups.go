package peers

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// StartRedisCluster runs a Redis Cluster of so many primaries, in the order of their slots, until the test ends, and gives their addresses. args are
// further options of each.
func StartRedisCluster(t testing.TB, primaries int, args ...string) []string {
	t.Helper()
	const slots = 16384
	nodes := make([]string, primaries)
	conns := make([]*Conn, primaries)
	for i := range nodes {
		bus := FreePort(t)
		nodes[i] = StartRedis(t, append([]string{"--cluster-enabled", "yes", "--cluster-port", strconv.Itoa(bus), "--cluster-node-timeout", "60000"}, args...)...)
		conns[i] = Dial(t, nodes[i], 0)
		from, to := i*slots/primaries, (i+1)*slots/primaries-1
		if reply := conns[i].Do("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(from), strconv.Itoa(to)); reply[0] == '-' {
			t.Fatalf("ADDSLOTSRANGE: %s", reply)
		}
		conns[i].Do("CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1))
		host, port, err := net.SplitHostPort(nodes[i])
		if err != nil {
			t.Fatal(err)
		}
		if reply := conns[0].Do("CLUSTER", "MEET", host, port, strconv.Itoa(bus)); i > 0 && reply[0] == '-' {
			t.Fatalf("MEET: %s", reply)
		}
	}
	for _, c := range conns {
		Await(t, "the cluster is whole", func() bool {
			info := c.Do("CLUSTER", "INFO")
			return bytes.Contains(info, []byte("cluster_state:ok")) && bytes.Contains(info, fmt.Appendf(nil, "cluster_known_nodes:%d\r", primaries))
		})
	}
	return nodes
}

// StartSentinel runs a sentinel that watches the server at addr by a name, until the test ends, and gives its address. settings are further lines of its
// configuration.
func StartSentinel(t testing.TB, name, addr string, settings ...string) string {
	t.Helper()
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	var p *process
	for range tries {
		dir, own := t.TempDir(), FreePort(t)
		text := fmt.Sprintf("port %d\nbind 127.0.0.1\ndir %s\nsentinel monitor %s %s %s 1\n", own, dir, name, host, port)
		for _, line := range settings {
			text += line + "\n"
		}
		file := filepath.Join(dir, "sentinel.conf")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		p = start(t, dir, nil, "redis-server", file, "--sentinel")
		if p.ready(func() bool { return answers(addrOf(own)) }) {
			t.Cleanup(p.stop)
			return addrOf(own)
		}
		p.stop()
	}
	p.fail(t)
	return ""
}

// Await polls until ok, which must come.
func Await(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(Patience); !ok(); time.Sleep(pollEvery) {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %s", what, Patience)
		}
	}
}
