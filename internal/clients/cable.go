package clients

import (
	"net"
	"sync"
	"testing"
)

// Cable stands between a client and a server, and can be cut. Its methods may be called from any goroutine.
type Cable struct {
	Addr string // where the client connects

	to       string
	listener net.Listener
	ends     sync.WaitGroup

	mu    sync.Mutex
	conns map[net.Conn]struct{}
	dead  bool
	limit int64 // bytes after which a connection breaks by itself, 0 = none
}

// NewCable lays a cable to an address, until the test ends.
func NewCable(t testing.TB, to string) *Cable {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &Cable{Addr: listener.Addr().String(), to: to, listener: listener, conns: map[net.Conn]struct{}{}}
	c.start()
	t.Cleanup(func() {
		c.mu.Lock()
		c.dead = true
		c.mu.Unlock()
		_ = listener.Close()
		c.Cut()
		c.ends.Wait()
	})
	return c
}

// Cut breaks all connections; new ones can be made at once.
func (c *Cable) Cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.conns {
		_ = conn.Close()
	}
}

// BreakAfter has each connection that is made from now on break when the server has sent so many bytes; 0: it does not.
func (c *Cable) BreakAfter(bytes int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.limit = bytes
}

// keep notes a connection that can be cut; false: the cable is gone.
func (c *Cable) keep(conn net.Conn) (limit int64, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.dead {
		_ = conn.Close()
		return 0, false
	}
	c.conns[conn] = struct{}{}
	return c.limit, true
}

func (c *Cable) drop(conn net.Conn) {
	_ = conn.Close()
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.conns, conn)
}
