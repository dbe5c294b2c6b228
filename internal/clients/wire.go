package clients

import (
	"bytes"
	"fmt"
	"net"
	"time"

	"larder/internal/peers"
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
func Open(addr string) (*Wire, error) { return OpenWithin(addr, 5*time.Second) }

// OpenWithin is Open with a time limit.
func OpenWithin(addr string, d time.Duration) (*Wire, error) {
	conn, err := net.DialTimeout("tcp", addr, d)
	if err != nil {
		return nil, err
	}
	return Over(conn), nil
}

// Over speaks on a connection that is there.
func Over(conn net.Conn) *Wire { return &Wire{conn: conn, buf: make([]byte, 64<<10)} }

// Close ends the connection.
func (w *Wire) Close() { _ = w.conn.Close() }

// Do sends one command and waits for its reply, whose bytes are the caller's.
func (w *Wire) Do(args ...string) ([]byte, error) {
	return w.DoWithin(peers.Patience, args...)
}

// DoWithin is Do with a time limit. After an error the connection is of no use any more.
func (w *Wire) DoWithin(d time.Duration, args ...string) ([]byte, error) {
	_ = w.conn.SetDeadline(time.Now().Add(d))
	if _, err := w.conn.Write(resp.AppendCommandStrings(nil, args...)); err != nil {
		return nil, err
	}
	return w.ReplyWithin(d)
}

// Say sends text as it is: commands inline, several, or half of one.
func (w *Wire) Say(text string) error {
	_ = w.conn.SetDeadline(time.Now().Add(peers.Patience))
	_, err := w.conn.Write([]byte(text))
	return err
}

// ReplyWithin waits for the next reply, or push.
func (w *Wire) ReplyWithin(d time.Duration) ([]byte, error) {
	_ = w.conn.SetDeadline(time.Now().Add(d))
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
