package loop_test

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"larder/loop"
)

// TestDismiss: whoever is sent away has got all that was sent, learns of the end with it, and what it says then takes nothing of that back.
func TestDismiss(t *testing.T) {
	t.Parallel()
	const large = 8 << 20 // more than sockets hold
	thrown := new(atomic.Int64)
	addr, _, _ := serve(t, loop.Options{Loops: 1}, func(*part, *loop.Conn) loop.Handler {
		away := false
		return &handler{
			data: func(c *loop.Conn) {
				in := string(c.In())
				c.Took(len(in))
				switch {
				case away:
					thrown.Add(int64(len(in)))
				case strings.HasPrefix(in, "bye"):
					c.Out = append(c.Out, "bye"...)
					away = true
					c.Dismiss()
				default:
					c.Out = append(c.Out, make([]byte, large)...)
					away = true
					c.Dismiss()
				}
			},
		}
	})
	for range 20 {
		c := dial(t, addr)
		if _, err := c.Write([]byte("bye")); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 8)
		n, err := c.Read(got)
		if err != nil || string(got[:n]) != "bye" {
			t.Fatalf("%q, %v", got[:n], err)
		}
		// The end came with it: who looks whether its connection lives, as drivers do, sees it at once.
		if n, err := readNow(t, c, got); n != 0 || err != nil {
			t.Fatalf("behind the reply: %d, %v; want the end", n, err)
		}
	}
	c := dial(t, addr)
	if _, err := c.Write([]byte("large")); err != nil {
		t.Fatal(err)
	}
	first := make([]byte, 1)
	if _, err := io.ReadFull(c, first); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write([]byte("more")); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(time.Minute); thrown.Load() != 4; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("%d bytes were thrown away, want 4", thrown.Load())
		}
	}
	rest, err := io.ReadAll(c)
	if err != nil || len(rest) != large-1 {
		t.Errorf("%d of %d bytes: %v", len(rest)+1, large, err)
	}
}

// readNow is read(2), which does not wait.
func readNow(t *testing.T, c net.Conn, p []byte) (n int, err error) {
	t.Helper()
	raw, wrong := c.(*net.TCPConn).SyscallConn()
	if wrong == nil {
		wrong = raw.Read(func(fd uintptr) bool {
			n, err = syscall.Read(int(fd), p)
			return true
		})
	}
	if wrong != nil {
		t.Fatal(wrong)
	}
	return n, err
}

// TestStopListening: who has connected is served, whether accepted or not; who comes later is refused; the loops go on.
func TestStopListening(t *testing.T) {
	t.Parallel()
	for _, loops := range []int{1, 2} {
		stopped := make(chan error, 1)
		addr, _, stop := serve(t, loop.Options{Loops: loops}, func(p *part, _ *loop.Conn) loop.Handler {
			return &handler{data: func(c *loop.Conn) {
				if in := string(c.In()); in == "stop" {
					stopped <- p.l.StopListening()
				}
				c.Out = append(c.Out, c.In()...)
				c.Took(len(c.In()))
				c.Touch()
			}}
		})
		a, b := dial(t, addr), dial(t, addr) // b may not be accepted yet
		say(t, a, "stop")
		if err := <-stopped; err != nil {
			t.Fatal(err)
		}
		if _, err := net.Dial("tcp", addr); err == nil {
			t.Error("a client could connect")
		}
		say(t, a, "on")
		say(t, b, "too")
		if err := stop(); err != nil {
			t.Error(err)
		}
	}
}

// say wants back what it says.
func say(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := c.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(text))
	if _, err := io.ReadFull(c, got); err != nil || string(got) != text {
		t.Fatalf("%q, %v; want %q", got, err, text)
	}
}
