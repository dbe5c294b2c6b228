package clients_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"larder/internal/clients"
	"larder/internal/peers"
)

// balancer connects to the first of some gateways that says that it is ready, as a load balancer does that asks /readyz.
type balancer []*clients.Process

func (b balancer) dial(ctx context.Context) (net.Conn, error) {
	for {
		for _, p := range b {
			if p.Ready() {
				return (&net.Dialer{}).DialContext(ctx, "tcp", p.Addr)
			}
		}
		select {
		case <-ctx.Done():
			return nil, errors.New("no gateway is ready")
		case <-time.After(time.Millisecond):
		}
	}
}

// lives looks whether the other side has ended a connection on which nothing is to come, as drivers do before they use one.
func lives(c net.Conn) bool {
	raw, err := c.(syscall.Conn).SyscallConn()
	if err != nil {
		return false
	}
	n, got := 0, make([]byte, 1)
	if err := raw.Read(func(fd uintptr) bool {
		n, err = syscall.Read(int(fd), got)
		return true
	}); err != nil {
		return false
	}
	return n < 0 && errors.Is(err, syscall.EAGAIN)
}

// caller says things to whichever gateway is ready, on one connection after the other.
type caller struct {
	b     balancer
	conn  net.Conn
	w     *clients.Wire
	moves int // connections that were ended before it wanted to say something
}

// wire is a connection that lives.
func (c *caller) wire(ctx context.Context) (*clients.Wire, error) {
	if c.conn != nil && lives(c.conn) {
		return c.w, nil
	}
	if c.conn != nil {
		c.moves++
		c.conn.Close()
	}
	conn, err := c.b.dial(ctx)
	if err != nil {
		return nil, err
	}
	c.conn, c.w = conn, clients.Over(conn)
	return c.w, nil
}

// counts says INCR in batches, or in transactions that take their time, and returns how many were answered. Any error is one too many.
func counts(ctx context.Context, b balancer, key string, done *atomic.Int64, batch int, pause time.Duration) (int, error) {
	c, n := &caller{b: b}, 0
	defer func() {
		if c.conn != nil {
			c.conn.Close()
		}
	}()
	for ctx.Err() == nil {
		w, err := c.wire(context.Background())
		if err != nil {
			return n, err
		}
		words := []string{strings.Repeat("INCR "+key+"\r\n", batch)}
		wanted := batch
		if pause > 0 {
			words = []string{"MULTI\r\nINCR " + key + "\r\n", "EXE", "C\r\n"} // and half a command too
			wanted = 3
		}
		for i, text := range words {
			if i > 0 {
				time.Sleep(pause)
			}
			if err := w.Say(text); err != nil {
				return n, fmt.Errorf("%s: after %d: %w", key, n, err)
			}
		}
		for i := range wanted {
			reply, err := w.ReplyWithin(peers.Patience)
			if err != nil || reply[0] == '-' {
				return n, fmt.Errorf("%s: reply %d of %d after %d: %s %w", key, i, wanted, n, reply, err)
			}
		}
		if pause > 0 {
			wanted = 1
		}
		n += wanted
		done.Add(int64(wanted))
	}
	return n, nil
}

// TestGatewayLeaves: a gateway of two that is told to end is not ready at once, serves on for a while, new clients too, and then sends its clients away: those that
// send one command, those that pipeline, those amid a transaction or half a command, and last those that wait. No command fails, no reply is lost, none runs twice.
func TestGatewayLeaves(t *testing.T) {
	t.Parallel()
	nodes := []*clients.Process{larder.Engine(t), larder.Engine(t)}
	delay := []string{"--set", "gateway.drain-delay=400ms", "--set", "gateway.drain-timeout=1m"}
	b := balancer{larder.Gateway(t, nodes, delay...), larder.Gateway(t, nodes, delay...)}
	first := b[0]
	ctx, stop := context.WithCancel(within(t, 2*time.Minute))
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	var done atomic.Int64
	want := make([]int, 9)
	for i := range want {
		key := fmt.Sprint("counter", i)
		switch {
		case i < 3: // a driver with a pool that repeats nothing
			c := redis.NewClient(&redis.Options{MaxRetries: -1, Dialer: func(ctx context.Context, _, _ string) (net.Conn, error) { return b.dial(ctx) }})
			t.Cleanup(func() { _ = c.Close() })
			group.Go(func() error {
				for ctx.Err() == nil {
					if err := c.Incr(context.Background(), key).Err(); err != nil {
						return fmt.Errorf("%s after %d: %w", key, want[i], err)
					}
					want[i]++
					done.Add(1)
				}
				return nil
			})
		case i < 6:
			group.Go(func() (err error) { want[i], err = counts(ctx, b, key, &done, 50, 0); return err })
		default:
			group.Go(func() (err error) { want[i], err = counts(ctx, b, key, &done, 0, 20*time.Millisecond); return err })
		}
	}
	waiting := waitsAt(t, first)
	eventually(t, "clients are served", func() bool { return done.Load() > 2000 || ctx.Err() != nil })
	if err := first.Terminate(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is not ready", func() bool { return !first.Ready() })
	late, err := clients.Open(first.Addr) // from a balancer that has not seen it yet
	if err != nil {
		t.Fatalf("a client that comes late: %v", err)
	}
	t.Cleanup(late.Close)
	if reply, err := late.Do("SET", "late", "1"); err != nil || string(reply) != "+OK\r\n" {
		t.Errorf("who comes late: %q, %v", reply, err)
	}
	if code := first.Wait(t); code != 0 {
		t.Errorf("it ended with code %d", code)
	}
	waiting(b[1])
	at := done.Load()
	eventually(t, "clients are served by the other one", func() bool { return done.Load() > at+1000 || ctx.Err() != nil })
	stop()
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	c := goRedis(t, redis.Options{Addr: b[1].Addr})
	for i, n := range want {
		if got, err := c.Get(context.Background(), fmt.Sprint("counter", i)).Int(); err != nil || got != n {
			t.Errorf("counter %d: %d, %v; %d were answered", i, got, err, n)
		}
	}
}

// waitsAt has clients wait at a gateway: one for an element, one for messages. What it returns wants both sent away as they should be.
func waitsAt(t *testing.T, p *clients.Process) func(other *clients.Process) {
	t.Helper()
	open := func() *clients.Wire {
		w, err := clients.Open(p.Addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.Close)
		return w
	}
	pops, hears := open(), open()
	if err := pops.Say("BLPOP queue 0\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := hears.Do("SUBSCRIBE", "news"); err != nil {
		t.Fatal(err)
	}
	return func(other *clients.Process) {
		if reply, err := pops.ReplyWithin(peers.Patience); err != nil || string(reply) != "*-1\r\n" {
			t.Errorf("who waits for an element: %q, %v; want to be told that there is none", reply, err)
		}
		for name, w := range map[string]*clients.Wire{"who waits for an element": pops, "who waits for messages": hears} {
			if reply, err := w.ReplyWithin(peers.Patience); !errors.Is(err, io.EOF) {
				t.Errorf("%s: %q, %v; want the end", name, reply, err)
			}
		}
		if n, err := goRedis(t, redis.Options{Addr: other.Addr}).LPush(context.Background(), "queue", "x").Result(); err != nil || n != 1 {
			t.Errorf("the queue has %d, %v; want what was just put there", n, err)
		}
	}
}
