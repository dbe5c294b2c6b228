package remote_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"larder/backends/remote"
	"larder/internal/peers"
)

func address(t *testing.T, text string) remote.Address {
	t.Helper()
	a, err := remote.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func dial(t *testing.T, a remote.Address, addr string) *remote.Conn {
	t.Helper()
	c, err := a.Dial(t.Context(), addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// TestConn says many commands at once to a real server, with large values among them, and gets the replies in order.
func TestConn(t *testing.T) {
	addr := peers.StartRedis(t, "--requirepass", "hush")
	c := dial(t, address(t, "redis://:hush@"+addr+"/3"), addr)
	large := strings.Repeat("x", 20<<20)
	for i := range 500 {
		c.AppendWords("SET", fmt.Sprint(i), fmt.Sprint(i*i))
	}
	c.AppendWords("SET", "large", large)
	c.AppendWords("INCR", "large")
	c.AppendWords("GET", "large")
	for i := range 500 {
		c.AppendWords("GET", fmt.Sprint(i))
	}
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	for i := range 501 {
		if _, err := c.Taken(); err != nil {
			t.Fatal(i, err)
		}
	}
	refused := (*remote.Refused)(nil)
	if _, err := c.Taken(); !errors.As(err, &refused) || refused.Text != "ERR value is not an integer or out of range" {
		t.Error(err)
	}
	if reply, err := c.Taken(); err != nil {
		t.Error(err)
	} else if text, _ := reply.Bytes(); string(text) != large {
		t.Errorf("%d bytes came back of %d", len(text), len(large))
	}
	for i := range 500 {
		reply, err := c.Taken()
		if text, _ := reply.Bytes(); err != nil || string(text) != fmt.Sprint(i*i) {
			t.Fatalf("%d: %q %v", i, reply, err)
		}
	}
	if c.Asked() != 0 {
		t.Errorf("%d replies are still to come", c.Asked())
	}
	if info, err := c.Info("keyspace"); err != nil || !strings.HasPrefix(info["db3"], "keys=501,") {
		t.Error(info, err)
	}
}

// TestConnFails: each way in which a server is not to be had, and no wait is longer than said.
func TestConnFails(t *testing.T) {
	addr := peers.StartRedis(t, "--requirepass", "hush")
	_, err := address(t, "redis://:wrong@"+addr).Dial(t.Context(), addr)
	if err == nil || !strings.Contains(err.Error(), "WRONGPASS") || strings.Contains(err.Error(), ":wrong") {
		t.Error(err)
	}
	if _, err := address(t, "redis://:hush@"+addr+"/4000").Dial(t.Context(), addr); err == nil || !strings.Contains(err.Error(), "database 4000") {
		t.Error(err)
	}
	if _, err := address(t, "rediss://:hush@"+addr).Dial(t.Context(), addr); err == nil || !strings.Contains(err.Error(), "TLS with server") {
		t.Error(err)
	}
	nobody := fmt.Sprintf("127.0.0.1:%d", peers.FreePort(t))
	if _, err := address(t, "redis://"+nobody).Dial(t.Context(), nobody); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Error(err)
	}
	c := dial(t, address(t, "redis://:hush@"+addr), addr)
	c.Patience = 20 * time.Millisecond
	if _, err := c.Do("BLPOP", "nothing", "0"); err == nil || !strings.Contains(err.Error(), "nothing came for 20ms") {
		t.Error(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	a := address(t, "redis://:hush@"+addr)
	if c, err = a.Dial(ctx, addr); err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.AppendWords("BLPOP", "nothing", "0")
	if err := c.Flush(); err != nil {
		t.Fatal(err)
	}
	enough := errors.New("enough")
	cancel(enough)
	if _, err := c.Reply(); !errors.Is(err, enough) {
		t.Error(err)
	}
}

// TestPrimaries finds the servers of a cluster by one of them, and of a sentinel's primary.
func TestPrimaries(t *testing.T) {
	nodes := peers.StartRedisCluster(t, 3)
	for _, text := range []string{"redis+cluster://127.0.0.1:1," + nodes[1], "redis://" + nodes[2]} {
		list, err := address(t, text).Primaries(t.Context())
		if err != nil || len(list) != 3 {
			t.Fatal(text, list, err)
		}
		slots := 0
		for i, p := range list {
			if p.Addr != nodes[i] {
				t.Errorf("%s: primary %d is %s, want %s", text, i, p.Addr, nodes[i])
			}
			for _, r := range p.Slots {
				slots += r.To - r.From + 1
			}
		}
		if slots != 16384 {
			t.Errorf("%d slots", slots)
		}
	}
	single := peers.StartRedis(t)
	sentinel := peers.StartSentinel(t, "main", single)
	list, err := address(t, "redis+sentinel://"+sentinel+"/main").Primaries(t.Context())
	if err != nil || len(list) != 1 || list[0].Addr != single {
		t.Error(list, err)
	}
	if _, err = address(t, "redis+sentinel://"+sentinel+"/other").Primaries(t.Context()); err == nil || !strings.Contains(err.Error(), `no primary named "other"`) {
		t.Error(err)
	}
	if list, err = address(t, "redis://"+single).Primaries(t.Context()); err != nil || len(list) != 1 || list[0].Slots != nil {
		t.Error(list, err)
	}
}

// TestUnpause: a server that is silent does not keep another paused.
func TestUnpause(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	addr := peers.StartRedis(t)
	a := address(t, "redis+cluster://"+silent.Addr().String()+","+addr)
	writer := dial(t, a, addr)
	if _, err := writer.Do("CLIENT", "PAUSE", "3600000", "WRITE"); err != nil {
		t.Fatal(err)
	}
	writer.AppendWords("SET", "a", "1")
	if err := writer.Flush(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- a.Unpause(ctx, a.Hosts...) }()
	writer.Patience = peers.Patience
	if _, err := writer.Taken(); err != nil {
		t.Error("it stays paused:", err)
	}
	stop()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("of the silent one nothing is told: %v", err)
	}
}

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }
