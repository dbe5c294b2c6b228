package mirror

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"larder/backends"
	"larder/protocol/resp"
)

// link is a connection to a server on which commands are said and their replies awaited. Every wait has an end.
type link struct {
	addr    string
	auth    backends.Auth
	timeout time.Duration

	conn    net.Conn
	in      []byte
	taken   int // in[:taken] are replies that were given out
	replies resp.Replies
	db      int // that it is in once all that was written is done
	proto3  bool

	retry time.Time
	delay time.Duration
	err   error // why it is closed
}

var errAway = errors.New("it is not tried again yet")

const (
	linkDelayMin = 200 * time.Millisecond
	linkDelayMax = 3 * time.Second
	linkReadSize = 64 << 10
	linkKeepMax  = 1 << 20 // of a buffer
)

// open sees to it that there is a connection.
func (l *link) open(ctx context.Context) error {
	if l.conn != nil {
		return nil
	}
	if time.Now().Before(l.retry) {
		return errAway
	}
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", l.addr)
	if err != nil {
		l.close(err)
		return err
	}
	l.conn, l.in, l.taken, l.db, l.proto3 = conn, l.in[:0], 0, 0, false
	l.replies.Reset()
	words := [][]string{{"PING"}}
	if l.auth.Password != "" {
		user := l.auth.User
		if user == "" {
			user = "default"
		}
		words = [][]string{{"AUTH", user, l.auth.Password}, {"PING"}}
	}
	for _, w := range words {
		reply, err := l.do(w...)
		if err == nil && resp.IsError(reply) {
			err = fmt.Errorf("it answers %s: %s", w[0], reply)
		}
		if err != nil {
			l.close(err)
			return err
		}
	}
	l.delay, l.err = 0, nil
	return nil
}

// close ends the connection; the next one is made after a while.
func (l *link) close(err error) {
	if l.conn != nil {
		_ = l.conn.Close()
	}
	l.conn, l.err = nil, err
	l.delay = min(max(2*l.delay, linkDelayMin), linkDelayMax)
	l.retry = time.Now().Add(l.delay)
}

// write sends what begins a round of questions.
func (l *link) write(p []byte) error {
	l.in = append(l.in[:0], l.in[l.taken:]...)
	l.taken = 0
	if cap(l.in) > linkKeepMax && len(l.in) == 0 {
		l.in = nil
	}
	if err := l.conn.SetDeadline(time.Now().Add(l.timeout)); err != nil {
		return err
	}
	_, err := l.conn.Write(p)
	return err
}

// next is the next reply, valid until write.
func (l *link) next() ([]byte, error) {
	for {
		n, kind, st := l.replies.Next(l.in[l.taken:])
		switch {
		case st == resp.Failed:
			return nil, fmt.Errorf("it answers what is no reply: %s", l.replies.Err())
		case st == resp.Done && kind.IsPush():
			l.taken += n
		case st == resp.Done:
			reply := l.in[l.taken : l.taken+n : l.taken+n]
			l.taken += n
			return reply, nil
		default:
			if err := l.read(); err != nil {
				return nil, err
			}
		}
	}
}

func (l *link) read() error {
	have := len(l.in)
	if cap(l.in)-have < linkReadSize {
		bigger := make([]byte, have, 2*cap(l.in)+linkReadSize)
		copy(bigger, l.in)
		l.in = bigger // replies that were given out keep the old one
	}
	n, err := l.conn.Read(l.in[have : have+linkReadSize])
	l.in = l.in[:have+n]
	if n > 0 {
		return nil
	}
	return err
}

// do says one command and waits for its reply.
func (l *link) do(words ...string) ([]byte, error) {
	if err := l.write(resp.AppendCommandStrings(nil, words...)); err != nil {
		return nil, err
	}
	return l.next()
}
