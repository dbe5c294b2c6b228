package clients_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"larder/internal/clients"
	"larder/internal/peers"
	"larder/protocol/resp"
)

// recordedPrimary is a primary that has nothing at first and then sends what was recorded of another. It gives its address.
func recordedPrimary(t *testing.T, stream []byte) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var ends sync.WaitGroup
	var mu sync.Mutex
	var conns []net.Conn
	ends.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			mu.Lock()
			conns = append(conns, conn)
			mu.Unlock()
			ends.Go(func() { playRecorded(conn, stream) })
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		mu.Lock()
		for _, conn := range conns {
			_ = conn.Close()
		}
		mu.Unlock()
		ends.Wait()
	})
	return listener.Addr().String()
}

// playRecorded plays the primary's part on a connection until that ends.
func playRecorded(conn net.Conn, stream []byte) {
	defer conn.Close()
	const mark = "0123456789012345678901234567890123456789"
	var requests resp.Requests
	requests.Reset(resp.Limits{})
	var in []byte
	buf := make([]byte, 4096)
	sent := false
	for {
		request, n, state := requests.Next(in)
		in = in[n:]
		if state == resp.More {
			n, err := conn.Read(buf)
			if err != nil {
				return
			}
			in = append(bytes.Clone(in), buf[:n]...)
			continue
		}
		if state != resp.Done {
			return
		}
		say := []byte("+OK\r\n")
		switch {
		case strings.EqualFold(string(request.Args[0]), "ping"):
			say = []byte("+PONG\r\n")
		case strings.EqualFold(string(request.Args[0]), "psync"):
			say = fmt.Appendf(nil, "+FULLRESYNC 0123456789abcdef0123456789abcdef01234567 0\r\n$EOF:%s\r\nREDIS0010\xff\x00\x00\x00\x00\x00\x00\x00\x00%s", mark, mark)
		case len(request.Args) > 1 && strings.EqualFold(string(request.Args[1]), "ack"):
			if say = nil; !sent {
				sent = true
				say = stream
			}
		}
		if _, err := conn.Write(say); err != nil {
			return
		}
	}
}

// beforeFlushes are the lengths of the stream's parts that end where a FLUSHALL or FLUSHDB stands, and of all of it.
func beforeFlushes(t *testing.T, stream []byte) (ends []int) {
	t.Helper()
	var requests resp.Requests
	requests.Reset(resp.Limits{})
	inside := false
	for at := 0; at < len(stream); {
		request, n, state := requests.Next(stream[at:])
		if state != resp.Done {
			t.Fatalf("the recording is no whole commands at %d", at)
		}
		switch name := strings.ToUpper(string(request.Args[0])); {
		case name == "MULTI", name == "EXEC":
			inside = name == "MULTI"
		case strings.HasPrefix(name, "FLUSH") && !inside:
			ends = append(ends, at)
		}
		at += n
	}
	return append(ends, len(stream))
}

// TestFollowsRecorded: a recorded stream of Redis 7.0.15, up to each place where all is deleted, has the same come of it in a node as in a redis-server.
// Times in it have passed long ago: the keys that they are of are counted and not shown, here and there.
func TestFollowsRecorded(t *testing.T) {
	t.Parallel()
	stream, err := os.ReadFile(filepath.Join("..", "..", "engine", "testdata", "recorded", "replication", "redis-7.0.15", "stream.bin"))
	if err != nil {
		t.Fatal(err)
	}
	server, node := clients.Redis(t, redisDebug...), debugNode(t)
	a, b := peers.Dial(t, server.Addr, 0), peers.Dial(t, node.Addr, 0)
	for _, end := range beforeFlushes(t, stream) {
		addr := recordedPrimary(t, stream[:end])
		for _, c := range []*peers.Conn{a, b} {
			replicate(t, c, addr)
			eventually(t, "the stream is taken in", func() bool { return told(c, "replication", "slave_repl_offset") == strconv.Itoa(end) })
		}
		if x, y := string(a.Do("DBSIZE")), string(b.Do("DBSIZE")); x != y {
			t.Errorf("after %d bytes redis-server has %q keys, the node %q", end, x, y)
		}
		if other := unlike(a, b); other != "" {
			t.Errorf("after %d bytes, redis-server and the node:%s", end, other)
		}
		if n := told(b, "stats", "unexpected_error_replies"); n != "0" {
			t.Errorf("after %d bytes %s commands have failed in the node", end, n)
		}
	}
}
