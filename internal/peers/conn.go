package peers

import (
	"bytes"
	"net"
	"slices"
	"strconv"
	"testing"
	"time"

	"larder/protocol/resp"
)

// Conn is a client's connection that gives replies as the bytes they came in. It belongs to the test's goroutine and is closed with the test.
type Conn struct {
	t       testing.TB
	conn    net.Conn
	in      []byte // received and not given out: the end of buf
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
	c := &Conn{t: t, conn: conn}
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
	_ = c.conn.SetDeadline(time.Now().Add(Patience))
	if _, err := c.conn.Write(p); err != nil {
		c.t.Fatal(err)
	}
}

// Reply waits for the next reply, or push, and gives its bytes, which are the caller's.
func (c *Conn) Reply() []byte {
	c.t.Helper()
	_ = c.conn.SetDeadline(time.Now().Add(Patience))
	for {
		n, _, state := c.replies.Next(c.in)
		switch state {
		case resp.Done:
			reply := bytes.Clone(c.in[:n])
			c.in = c.in[n:]
			return reply
		case resp.Failed:
			c.t.Fatalf("not a reply: %.100q: %s", c.in, c.replies.Err())
		}
		c.receive()
	}
}

// receive waits for more bytes.
func (c *Conn) receive() {
	c.t.Helper()
	const readMin = 64 << 10
	c.buf = append(c.buf[:0], c.in...)
	c.buf = slices.Grow(c.buf, max(readMin, len(c.buf)))
	n, err := c.conn.Read(c.buf[len(c.buf):cap(c.buf)])
	if err != nil {
		c.t.Fatalf("waiting for a reply, with %d bytes of it: %v", len(c.in), err)
	}
	c.in = c.buf[:len(c.buf)+n]
}
