package clients

import (
	"bytes"
	"fmt"
	"net"
	"time"

	"larder/protocol/resp"
)

// Wire is a connection that gives replies as bytes, and errors instead of ending the test: for goroutines beside the test's. One goroutine uses it.
type Wire struct {
	conn    net.Conn
	in      []byte
	buf     []byte
	replies resp.Replies
}

// Open connects.
func Open(addr string) (*Wire, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &Wire{conn: conn, buf: make([]byte, 64<<10)}, nil
}

// Close ends the connection.
func (w *Wire) Close() { _ = w.conn.Close() }

// Do sends one command and waits for its reply, whose bytes are the caller's.
func (w *Wire) Do(args ...string) ([]byte, error) {
	const within = 30 * time.Second
	_ = w.conn.SetDeadline(time.Now().Add(within))
	if _, err := w.conn.Write(resp.AppendCommandStrings(nil, args...)); err != nil {
		return nil, err
	}
	for {
		n, _, state := w.replies.Next(w.in)
		switch state {
		case resp.Done:
			reply := bytes.Clone(w.in[:n])
			w.in = append(w.in[:0], w.in[n:]...)
			return reply, nil
		case resp.Failed:
			return nil, fmt.Errorf("not a reply: %.100q", w.in)
		}
		n, err := w.conn.Read(w.buf)
		if err != nil {
			return nil, err
		}
		w.in = append(w.in, w.buf[:n]...)
	}
}
