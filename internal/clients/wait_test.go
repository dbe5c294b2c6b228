package clients_test

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/internal/clients"
	"larder/internal/fleet"
	"larder/internal/peers"
)

// TestWaitThroughGateway: WAIT answers for what its session has written on each of three shards, over whatever lanes that went, as one server does for a
// connection.
func TestWaitThroughGateway(t *testing.T) {
	t.Parallel()
	nodes := fleet.Nodes(t, 3)
	followers := make([]*clients.Process, len(nodes))
	for i, addr := range nodes {
		followers[i] = follower(t, addr)
		node := peers.Dial(t, addr, 2)
		eventually(t, "the replica is there", func() bool { return strings.Contains(info(t, node, "slave0"), "state=online") })
	}
	gateway := fleet.Gateway(t, nodes)
	for _, proto := range []int{2, 3} {
		c, other := peers.Dial(t, gateway, proto), peers.Dial(t, gateway, proto)
		want(t, c, ":1\r\n", "WAIT", "1", waitMS) // it has written nothing
		for i := range 30 {
			want(t, c, "+OK\r\n", "SET", "k"+strconv.Itoa(i), "v")
			want(t, c, ":1\r\n", "WAIT", "1", waitMS)
			want(t, c, ":1\r\n", "WAIT", "0", "0")
		}
		want(t, c, ":30\r\n", append([]string{"DEL"}, keysNamed("k", 30)...)...)
		want(t, c, ":1\r\n", "WAIT", "1", waitMS)
		want(t, c, ":1\r\n", "WAIT", "2", "50")
		want(t, c, "-ERR timeout is negative\r\n", "WAIT", "1", "-1")
		want(t, c, "-ERR value is not an integer or out of range\r\n", "WAIT", "x", "0")
		want(t, c, "*2\r\n:0\r\n:0\r\n", "WAITAOF", "0", "1", "50")

		followers[1].Freeze(t)
		for i := range 30 {
			want(t, c, "+OK\r\n", "SET", "k"+strconv.Itoa(i), "v")
		}
		began := time.Now()
		want(t, c, ":0\r\n", "WAIT", "1", "300")
		if took := time.Since(began); took < 250*time.Millisecond {
			t.Errorf("WAIT was over after %v", took)
		}
		want(t, other, ":1\r\n", "WAIT", "1", waitMS) // has written nothing that the frozen one lacks
		want(t, other, ":1\r\n", "WAIT", "1", waitMS)
		followers[1].Thaw(t)
		want(t, c, ":1\r\n", "WAIT", "1", waitMS)
		want(t, c, "+OK\r\n", "MULTI")
		want(t, c, "+QUEUED\r\n", "WAIT", "1", "0")
		want(t, c, "*1\r\n:1\r\n", "EXEC")
	}
}

func keysNamed(prefix string, n int) (keys []string) {
	for i := range n {
		keys = append(keys, prefix+strconv.Itoa(i))
	}
	return keys
}

// TestWaitUnblocked: who waits for replicas that never come can be told to stop, and leaves no trace when it goes.
func TestWaitUnblocked(t *testing.T) {
	t.Parallel()
	nodes := fleet.Nodes(t, 2)
	gateway := fleet.Gateway(t, nodes)
	c, other := peers.Dial(t, gateway, 2), peers.Dial(t, gateway, 2)
	id := string(c.Do("CLIENT", "ID"))
	raw, err := net.Dial("tcp", gateway)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := raw.Write([]byte("WAIT 1 0\r\n")); err != nil {
		t.Fatal(err)
	}
	answers := make(chan string, 1)
	go func() { answers <- string(c.Do("WAIT", "1", "0")) }()
	eventually(t, "both wait", func() bool { return info(t, other, "blocked_clients") == "2" })
	want(t, other, ":1\r\n", "CLIENT", "UNBLOCK", id[1:len(id)-2])
	if got := <-answers; got != ":0\r\n" {
		t.Errorf("unblocked: %q", got)
	}
	want(t, c, "+PONG\r\n", "PING")
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "nobody waits", func() bool { return info(t, other, "blocked_clients") == "0" })
}
