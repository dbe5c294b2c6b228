package peers_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"larder/internal/peers"
)

// TestToxiproxy: what is done to a link happens to it, and ends.
func TestToxiproxy(t *testing.T) {
	link := peers.StartToxiproxy(t).Link(peers.StartRedis(t))
	ping := func(wait time.Duration) (net.Conn, string, error) {
		conn, err := net.Dial("tcp", link.Addr)
		if err != nil {
			return nil, "", err
		}
		t.Cleanup(func() { _ = conn.Close() })
		_ = conn.SetDeadline(time.Now().Add(wait))
		if _, err := conn.Write([]byte("PING\r\n")); err != nil {
			return conn, "", err
		}
		line, err := bufio.NewReader(conn).ReadString('\n')
		return conn, line, err
	}
	const soon, late = 50 * time.Millisecond, 20 * time.Second
	well := func() net.Conn {
		t.Helper()
		conn, line, err := ping(late)
		if err != nil || line != "+PONG\r\n" {
			t.Fatalf("%q, %v", line, err)
		}
		return conn
	}
	conn := well()
	link.Cut()
	if n, err := conn.Read(make([]byte, 1)); n != 0 || err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("cut: %d bytes, %v", n, err)
	}
	well()
	link.Open(false)
	if _, _, err := ping(late); err == nil {
		t.Error("closed: it can be reached")
	}
	link.Open(true)
	link.Ail("timeout", peers.Down, map[string]int{"timeout": 0})
	silent, _, err := ping(soon)
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("silent: %v", err)
	}
	link.Heal()
	_ = silent.SetDeadline(time.Now().Add(late))
	if n, err := silent.Read(make([]byte, 1)); n != 0 || !errors.Is(err, io.EOF) {
		t.Errorf("silent, then healed: %d bytes, %v", n, err)
	}
	link.Ail("limit_data", peers.Down, map[string]int{"bytes": 3})
	if _, line, err := ping(late); line != "+PO" || err == nil {
		t.Errorf("three bytes: %q, %v", line, err)
	}
	link.Heal()
	well()
}
