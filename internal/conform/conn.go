package conform

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"larder/internal/peers"
	"larder/protocol/resp"
)

// conn is a client's connection as bytes.
type conn struct {
	net     net.Conn
	in      []byte // received, from at on not yet given out
	at      int
	replies resp.Replies
	closed  bool
}

func dial(addr string) (*conn, error) {
	c, err := net.DialTimeout("tcp", addr, peers.Patience)
	if err != nil {
		return nil, err
	}
	return &conn{net: c}, nil
}

// next is the next reply whole. io.EOF: the server closed the connection before it was.
func (c *conn) next() ([]byte, error) {
	for {
		n, _, st := c.replies.Next(c.in[c.at:])
		switch st {
		case resp.Done:
			reply := bytes.Clone(c.in[c.at : c.at+n])
			c.at += n
			return reply, nil
		case resp.Failed:
			return nil, fmt.Errorf("bytes that are no reply: %s: %.200q", c.replies.Err(), c.in[c.at:])
		}
		if err := c.fill(); err != nil {
			return nil, err
		}
	}
}

func (c *conn) fill() error {
	if c.at > 0 {
		c.in = c.in[:copy(c.in, c.in[c.at:])]
		c.at = 0
	}
	const piece = 64 << 10
	if cap(c.in)-len(c.in) < piece {
		grown := make([]byte, len(c.in), 2*cap(c.in)+piece)
		copy(grown, c.in)
		c.in = grown
	}
	n, err := c.net.Read(c.in[len(c.in):cap(c.in)])
	c.in = c.in[:len(c.in)+n]
	if n > 0 {
		return nil
	}
	if errors.Is(err, io.EOF) || isReset(err) {
		c.closed = true
		return io.EOF
	}
	return err
}

// isReset: a server that closes with bytes unread resets the connection.
func isReset(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && !op.Timeout()
}

// ended reports whether the server closes the connection within a moment, with nothing more said.
func (c *conn) ended() bool {
	if c.closed {
		return true
	}
	_ = c.net.SetDeadline(time.Now().Add(peers.Patience))
	_, err := c.next()
	return errors.Is(err, io.EOF)
}

// do sends one command and gives its reply.
func (c *conn) do(args ...string) ([]byte, error) {
	_ = c.net.SetDeadline(time.Now().Add(peers.Patience))
	if _, err := c.net.Write(resp.AppendCommandStrings(nil, args...)); err != nil {
		return nil, err
	}
	return c.next()
}
