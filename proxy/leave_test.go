package proxy_test

import (
	"errors"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"larder/internal/fleet"
	"larder/internal/peers"
)

// leaver is a client of a gateway that ends. What it says takes a while to get there, so that an end meanwhile would cost it a command.
type leaver struct {
	net.Conn
	far time.Duration
}

// say sends text; the gateway must not have ended the connection before it comes.
func (l *leaver) say(text string) error {
	time.Sleep(l.far)
	if l.isOver() {
		return errors.New("the connection ended while " + text + " was on its way")
	}
	_, err := l.Write([]byte(text))
	return err
}

// isOver looks without waiting whether the other side has ended the connection.
func (l *leaver) isOver() bool {
	raw, err := l.Conn.(syscall.Conn).SyscallConn()
	if err != nil {
		return true
	}
	n := 0
	if raw.Read(func(fd uintptr) bool {
		n, err = syscall.Read(int(fd), make([]byte, 1))
		return true
	}) != nil {
		return true
	}
	return n >= 0 || !errors.Is(err, syscall.EAGAIN)
}

func (l *leaver) hear(reply string) error {
	got := make([]byte, len(reply))
	if _, err := io.ReadFull(l, got); err != nil || string(got) != reply {
		return errors.Join(err, errors.New("got "+string(got)+", want "+reply))
	}
	return nil
}

// steps says and hears in turn.
func (l *leaver) steps(texts ...string) error {
	for i, text := range texts {
		do := l.say
		if i%2 == 1 {
			do = l.hear
		}
		if err := do(text); err != nil {
			return err
		}
	}
	return nil
}

// TestClientsAreSentAway: each when nothing of it is pending, with its last reply; who never is, when the time is up.
func TestClientsAreSentAway(t *testing.T) {
	t.Parallel()
	g, addr := fleet.StartGateway(t, fleet.Nodes(t, 1), prometheus.NewRegistry())
	var group errgroup.Group
	begun, ending := make(chan struct{}, 5), make(chan struct{})
	client := func(name string, far time.Duration, before, after []string) {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(peers.Patience))
		l := &leaver{conn, far}
		group.Go(func() error {
			err := l.steps(before...)
			begun <- struct{}{}
			if after == nil { // at work all the time
				for err == nil && !l.isOver() {
					err = l.steps(before...)
				}
			}
			<-ending
			if err == nil {
				err = l.steps(after...)
			}
			if rest, wrong := io.ReadAll(l); err == nil && (wrong != nil || len(rest) > 0) {
				err = errors.Join(wrong, errors.New("instead of the end: "+string(rest)))
			}
			if err != nil {
				return errors.Join(errors.New(name), err)
			}
			return nil
		})
	}
	const long = 350 * time.Millisecond // longer than anybody has to be silent
	client("at work", 20*time.Millisecond, []string{"PING\r\n", "+PONG\r\n"}, nil)
	client("amid a transaction", long, []string{"MULTI\r\n", "+OK\r\n"}, []string{"SET k v\r\n", "+QUEUED\r\n", "EXEC\r\n", "*1\r\n+OK\r\n"})
	client("amid a command", long, []string{"PING\r\nPI", "+PONG\r\n"}, []string{"NG\r\n", "+PONG\r\n"})
	client("watches", long, []string{"WATCH k\r\n", "+OK\r\n"}, []string{"UNWATCH\r\n", "+OK\r\n"})
	client("never done", 0, []string{"MULTI\r\n", "+OK\r\n"}, []string{})
	for range cap(begun) {
		<-begun
	}
	close(ending)
	const most = 2 * time.Second
	at := time.Now()
	if err := g.Dismiss(t.Context(), most); err != nil {
		t.Error(err)
	}
	if took := time.Since(at); took < most {
		t.Errorf("who was never done had %v, want %v", took, most)
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}
