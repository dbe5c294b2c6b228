package loop_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"larder/loop"
)

func TestMain(m *testing.M) {
	// gnet keeps one pool of workers for the life of the process.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"), goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"))
}

// part is a server whose behaviour a test fills in.
type part struct {
	l      *loop.Loop
	accept func(p *part, c *loop.Conn) loop.Handler
	ticked func(p *part, now time.Time)
	ticks  atomic.Int64
	stops  atomic.Int64
}

func (p *part) Accept(c *loop.Conn) loop.Handler { return p.accept(p, c) }
func (p *part) Tick(now time.Time) {
	p.ticks.Add(1)
	if p.ticked != nil {
		p.ticked(p, now)
	}
}
func (p *part) Stop() { p.stops.Add(1) }

type handler struct {
	data    func(c *loop.Conn)
	flush   func(c *loop.Conn)
	drained func(c *loop.Conn)
	closed  func(c *loop.Conn, err error)
	ended   bool
}

func (h *handler) Data(c *loop.Conn) { h.data(c) }
func (h *handler) Flush(c *loop.Conn) {
	if h.flush != nil {
		h.flush(c)
	}
}

func (h *handler) Drained(c *loop.Conn) {
	if h.drained != nil {
		h.drained(c)
	}
}

func (h *handler) Ended(*loop.Conn) bool { return h.ended }

func (h *handler) Closed(c *loop.Conn, err error) {
	if h.closed != nil {
		h.closed(c, err)
	}
}

func echo(*part, *loop.Conn) loop.Handler {
	return &handler{data: func(c *loop.Conn) {
		c.Out = append(c.Out, c.In()...)
		c.Took(len(c.In()))
		c.Touch()
	}}
}

// serve runs a loop until the test ends and gives its address.
func serve(t *testing.T, o loop.Options, accept func(*part, *loop.Conn) loop.Handler) (addr string, parts *atomic.Int64, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan string, 1), make(chan error, 1)
	o.Listen, o.Logger = "127.0.0.1:0", slog.New(slog.DiscardHandler)
	o.Ready = func(a net.Addr) { ready <- a.String() }
	parts = new(atomic.Int64)
	go func() {
		ended <- loop.Run(ctx, o, func(l *loop.Loop) loop.Part {
			parts.Add(1)
			return &part{l: l, accept: accept}
		})
	}()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-ended
	}
	t.Cleanup(func() {
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
	select {
	case addr = <-ready:
	case err := <-ended:
		t.Fatal(err)
	case <-time.After(time.Minute):
		t.Fatal("not ready in time")
	}
	return addr, parts, stop
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestEcho(t *testing.T) {
	addr, parts, _ := serve(t, loop.Options{Loops: 2}, echo)
	if parts.Load() != 2 {
		t.Errorf("%d parts for 2 loops", parts.Load())
	}
	for range 4 {
		c := dial(t, addr)
		want := bytes.Repeat([]byte("larder "), 50_000)
		go func() { _, _ = c.Write(want) }()
		got := make([]byte, len(want))
		if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want) {
			t.Fatalf("echoed %d bytes wrongly: %v", len(got), err)
		}
	}
}

func TestStrangerIsClosedUnread(t *testing.T) {
	addr, _, _ := serve(t, loop.Options{Loops: 1}, func(*part, *loop.Conn) loop.Handler { return nil })
	c := dial(t, addr)
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Fatalf("read %d, %v: want the end", n, err)
	}
}

func TestClientsMax(t *testing.T) {
	addr, _, _ := serve(t, loop.Options{Loops: 1, ClientsMax: 1, Refuse: []byte("full\n")}, echo)
	first := dial(t, addr)
	if _, err := first.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(first, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	second, err := io.ReadAll(dial(t, addr))
	if string(second) != "full\n" {
		t.Fatalf("second client got %q, %v", second, err)
	}
	first.Close()
	for end := time.Now().Add(time.Minute); ; {
		third := dial(t, addr)
		_, _ = third.Write([]byte("y"))
		if got := make([]byte, 1); func() bool { _, err := io.ReadFull(third, got); return err == nil && got[0] == 'y' }() {
			return
		}
		if time.Now().After(end) {
			t.Fatal("no room for a client although the first has gone")
		}
	}
}

func TestPortTaken(t *testing.T) {
	addr, _, _ := serve(t, loop.Options{Loops: 1}, echo)
	err := loop.Run(context.Background(), loop.Options{Listen: addr, Loops: 1, Logger: slog.New(slog.DiscardHandler), Ready: func(net.Addr) { t.Error("ready") }},
		func(*loop.Loop) loop.Part { return &part{accept: echo} })
	if err == nil || !strings.Contains(err.Error(), "taken by another process") || !strings.Contains(err.Error(), addr) {
		t.Fatal(err)
	}
}

// A paused connection is not read: what its sender can get rid of is what the kernel's buffers hold, however long it tries.
func TestPauseHoldsTheSender(t *testing.T) {
	conns := make(chan *loop.Conn, 1)
	loops := make(chan *loop.Loop, 1)
	var got atomic.Int64
	addr, _, _ := serve(t, loop.Options{Loops: 1}, func(p *part, c *loop.Conn) loop.Handler {
		conns <- c
		loops <- p.l
		first := true
		return &handler{data: func(c *loop.Conn) {
			if first {
				first = false
				c.Pause()
				return // nothing taken: it must still be there later
			}
			got.Add(int64(len(c.In())))
			c.Took(len(c.In()))
		}}
	})
	client := dial(t, addr)
	const total = 64 << 20
	sent := make(chan error, 1)
	var wrote atomic.Int64
	go func() {
		chunk := make([]byte, 64<<10)
		for range total / len(chunk) {
			n, err := client.Write(chunk)
			wrote.Add(int64(n))
			if err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	c, l := <-conns, <-loops
	// It has stalled when nothing moves for a while.
	last := int64(-1)
	for wrote.Load() != last {
		last = wrote.Load()
		select {
		case <-sent:
			t.Fatal("a paused connection took 64 MiB")
		case <-time.After(200 * time.Millisecond):
		}
	}
	if got.Load() != 0 {
		t.Fatal("data came while paused")
	}
	l.Post(c.Resume)
	if err := <-sent; err != nil {
		t.Fatal(err)
	}
	for end := time.Now().Add(time.Minute); got.Load() != total; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("got %d of %d bytes", got.Load(), total)
		}
	}
}

func TestDrainedAndFinish(t *testing.T) {
	const size = 32 << 20
	var drained atomic.Int64
	addr, _, _ := serve(t, loop.Options{Loops: 1}, func(*part, *loop.Conn) loop.Handler {
		return &handler{
			data: func(c *loop.Conn) {
				c.Took(len(c.In()))
				c.Out = append(c.Out, make([]byte, size)...)
				c.Touch()
				c.WhenDrained(size / 2)
			},
			drained: func(c *loop.Conn) {
				drained.Add(1)
				c.Finish()
			},
		}
	})
	client := dial(t, addr)
	if _, err := client.Write([]byte("go")); err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, client)
	if n != size || err != nil || drained.Load() != 1 {
		t.Fatalf("got %d bytes (%v), drained %d times", n, err, drained.Load())
	}
}

func TestDial(t *testing.T) {
	addr, _, _ := serve(t, loop.Options{Loops: 1}, echo)
	type result struct {
		text string
		err  error
	}
	results := make(chan result, 2)
	relay, _, _ := serve(t, loop.Options{Loops: 1}, func(p *part, c *loop.Conn) loop.Handler {
		return &handler{data: func(c *loop.Conn) {
			target := string(c.In())
			c.Took(len(c.In()))
			p.l.Dial(target, time.Second, func(up *loop.Conn, err error) loop.Handler {
				if err != nil {
					results <- result{err: err}
					return nil
				}
				up.Out = append(up.Out, "hello"...)
				up.Touch()
				return &handler{data: func(up *loop.Conn) {
					results <- result{text: string(up.In())}
					up.Took(len(up.In()))
					up.Close()
				}}
			})
		}}
	})
	client := dial(t, relay)
	for _, target := range []string{addr, "127.0.0.1:1"} {
		if _, err := client.Write([]byte(target)); err != nil {
			t.Fatal(err)
		}
		select {
		case r := <-results:
			if (target == addr) != (r.text == "hello") || (target == addr) != (r.err == nil) {
				t.Errorf("%s: %q %v", target, r.text, r.err)
			}
		case <-time.After(time.Minute):
			t.Fatal(target, "no answer")
		}
	}
}

func TestStopClosesConnections(t *testing.T) {
	addr, _, stop := serve(t, loop.Options{Loops: 1}, echo)
	c := dial(t, addr)
	_, _ = c.Write([]byte("x"))
	if _, err := io.ReadFull(c, make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) && err == nil {
		t.Fatal("still open")
	}
}

// A client that ends its sending and waits gets what comes later; then the connection ends.
func TestHalfClosedClientIsAnswered(t *testing.T) {
	const size = 8 << 20
	asked := make(chan func(), 1)
	addr, _, _ := serve(t, loop.Options{Loops: 1}, func(p *part, c *loop.Conn) loop.Handler {
		return &handler{ended: true, data: func(c *loop.Conn) {
			c.Took(len(c.In()))
			asked <- func() {
				p.l.Post(func() {
					c.Out = append(c.Out, make([]byte, size)...)
					c.Touch()
					c.Finish()
				})
			}
		}}
	})
	client := dial(t, addr)
	_, _ = client.Write([]byte("question"))
	if err := client.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	answer := <-asked
	time.Sleep(20 * time.Millisecond) // so that the end of the question has surely come; if it has not, the test is only weaker
	answer()
	n, err := io.Copy(io.Discard, client)
	if n != size || err != nil {
		t.Fatalf("got %d bytes: %v", n, err)
	}
}
