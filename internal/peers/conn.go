package peers

import (
	"bytes"
	"net"
	"strconv"
	"testing"
	"time"

	"larder/protocol/resp"
)

const replyWithin = 20 * time.Second

// Conn is a client's connection that gives replies as the bytes they came in. It belongs to the test's goroutine and is closed with the test.
type Conn struct {
	t       testing.TB
	conn    net.Conn
	in      []byte // received and not given out
	buf     []byte
	replies resp.Replies
}

// Dial connects to a server and greets it with HELLO proto; proto 0: no greeting.
func Dial(t testing.TB, addr string, proto int) *Conn {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	const bufBytes = 64 << 10
	c := &Conn{t: t, conn: conn, buf: make([]byte, bufBytes)}
	if proto != 0 {
		if reply := c.Do("HELLO", strconv.Itoa(proto)); reply[0] == '-' {
			t.Fatalf("HELLO %d: %s", proto, reply)
		}
	}
	return c
}

// Do sends one command and gives its reply.
func (c *Conn) Do(args ...string) []byte {
	c.t.Helper()
	c.Send(resp.AppendCommandStrings(nil, args...))
	return c.Reply()
}

// Send writes bytes as they are.
func (c *Conn) Send(p []byte) {
	c.t.Helper()
	_ = c.conn.SetDeadline(time.Now().Add(replyWithin))
	if _, err := c.conn.Write(p); err != nil {
		c.t.Fatal(err)
	}
}

// Reply waits for the next reply, or push, and gives its bytes, which are the caller's.
func (c *Conn) Reply() []byte {
	c.t.Helper()
	_ = c.conn.SetDeadline(time.Now().Add(replyWithin))
	for {
		n, _, state := c.replies.Next(c.in)
		switch state {
		case resp.Done:
			reply := bytes.Clone(c.in[:n])
			c.in = append(c.in[:0], c.in[n:]...)
			return reply
		case resp.Failed:
			c.t.Fatalf("not a reply: %.100q: %s", c.in, c.replies.Err())
		}
		n, err := c.conn.Read(c.buf)
		if err != nil {
			c.t.Fatalf("waiting for a reply, with %d bytes of it: %v", len(c.in), err)
		}
		c.in = append(c.in, c.buf[:n]...)
	}
}
