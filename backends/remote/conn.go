package remote

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"time"

	"larder/protocol/resp"
)

const (
	dialWithin = 10 * time.Second
	// Patience is how long a server may take for the next byte of a reply, or to take the next of a request, if nothing else is said: a command on a huge
	// value holds a server for seconds.
	Patience = 2 * time.Minute

	readMin = 64 << 10 // room for a read, bytes
	keepMax = 8 << 20  // of a buffer that is kept after a large reply, bytes
)

// Conn is a connection to one server. Append and Flush say commands, Reply gives their replies in order. After an error that is not a *Refused it is of no
// more use, and whether what was said ran is unknown.
type Conn struct {
	Addr     string
	Patience time.Duration

	ctx     context.Context // which it ends with
	release func() bool
	conn    net.Conn
	out     []byte
	buf     []byte
	start   int // of what was received and not given out
	replies resp.Replies
	asked   int // commands whose replies were not given out
	db      int
}

// Dial connects to one of the address's servers, logs in and, if the address means one database, selects it. The connection ends with ctx. Errors: *Refused
// if the server does not take the login, else what the network said.
func (a Address) Dial(ctx context.Context, addr string) (*Conn, error) {
	return a.dial(ctx, addr, a.Login, max(a.DB, 0))
}

func (a Address) dial(ctx context.Context, addr string, login Login, db int) (*Conn, error) {
	d := net.Dialer{Timeout: dialWithin}
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("reach server %s: %w", addr, err)
	}
	if a.TLS {
		if conn, err = a.secure(ctx, conn, addr); err != nil {
			return nil, err
		}
	}
	c := &Conn{Addr: addr, Patience: Patience, ctx: ctx, conn: conn}
	c.release = c.endWith(ctx)
	if err = c.login(login); err == nil && db > 0 {
		err = c.Select(db)
	}
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

func (a Address) secure(ctx context.Context, conn net.Conn, addr string) (net.Conn, error) {
	config, err := a.tlsConfig(addr)
	if err != nil {
		_ = conn.Close()
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialWithin)
	defer cancel()
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, fmt.Errorf("TLS with server %s: %w (is it rediss:// there? ?ca=FILE names who signs its certificate)", addr, err)
	}
	return secure, nil
}

func (a Address) tlsConfig(addr string) (*tls.Config, error) {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	c := &tls.Config{ServerName: host, InsecureSkipVerify: a.Insecure, MinVersion: tls.VersionTLS12}
	if a.ServerName != "" {
		c.ServerName = a.ServerName
	}
	if a.CA != "" {
		pem, err := os.ReadFile(a.CA)
		if err != nil {
			return nil, fmt.Errorf("TLS: ca: %w", err)
		}
		if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("TLS: ca: %s has no certificate in PEM", a.CA)
		}
	}
	if a.Cert != "" || a.Key != "" {
		pair, err := tls.LoadX509KeyPair(a.Cert, a.Key)
		if err != nil {
			return nil, fmt.Errorf("TLS: cert and key: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

func (c *Conn) login(l Login) error {
	if l.Password == "" {
		return nil
	}
	words := []string{"AUTH", l.Password}
	if l.User != "" {
		words = []string{"AUTH", l.User, l.Password}
	}
	_, err := c.Do(words...)
	return err
}

// Select makes a database the one that commands mean.
func (c *Conn) Select(db int) error {
	if c.db == db {
		return nil
	}
	if _, err := c.Do("SELECT", strconv.Itoa(db)); err != nil {
		return fmt.Errorf("database %d: %w", db, err)
	}
	c.db = db
	return nil
}

// Append adds a command to what Flush sends.
func (c *Conn) Append(args ...[]byte) {
	c.out = resp.AppendCommand(c.out, args...)
	c.asked++
}

// AppendWords is Append for texts.
func (c *Conn) AppendWords(args ...string) {
	c.out = resp.AppendCommandStrings(c.out, args...)
	c.asked++
}

// Pending is how many bytes wait for Flush.
func (c *Conn) Pending() int { return len(c.out) }

// Asked is how many replies are still to come.
func (c *Conn) Asked() int { return c.asked }

// Flush sends what was appended.
func (c *Conn) Flush() error {
	if len(c.out) == 0 {
		return nil
	}
	err := c.conn.SetWriteDeadline(time.Now().Add(c.Patience))
	if err == nil {
		_, err = c.conn.Write(c.out)
	}
	if c.out = c.out[:0]; cap(c.out) > keepMax {
		c.out = nil
	}
	return c.explain(err, "send to")
}

// Reply waits for the next reply, or push, whatever it is. The bytes are a view until the next call.
func (c *Conn) Reply() (resp.Value, error) {
	for {
		n, kind, state := c.replies.Next(c.buf[c.start:])
		switch state {
		case resp.Done:
			reply := c.buf[c.start : c.start+n : c.start+n]
			c.start += n
			if !kind.IsPush() {
				c.asked--
			}
			return reply, nil
		case resp.Failed:
			return nil, fmt.Errorf("server %s does not speak Redis's protocol: %s", c.Addr, c.replies.Err())
		case resp.More:
		}
		if err := c.receive(); err != nil {
			return nil, err
		}
	}
}

// receive waits for more bytes.
func (c *Conn) receive() error {
	if c.start > 0 {
		rest := c.buf[c.start:]
		if cap(c.buf) > keepMax && len(rest) < readMin {
			c.buf = slices.Grow([]byte(nil), readMin)
		}
		c.buf = append(c.buf[:0], rest...)
		c.start = 0
	}
	c.buf = slices.Grow(c.buf, max(readMin, int(min(c.replies.Missing(), keepMax))))
	if err := c.conn.SetReadDeadline(time.Now().Add(c.Patience)); err != nil {
		return c.explain(err, "hear from")
	}
	n, err := c.conn.Read(c.buf[len(c.buf):cap(c.buf)])
	c.buf = c.buf[:len(c.buf)+n]
	if n > 0 {
		return nil
	}
	return c.explain(err, "hear from")
}

// Tell sends a command at once, on any goroutine, while another one waits for replies, its reply among them; nobody may use Append and Flush meanwhile.
func (c *Conn) Tell(words ...string) error {
	err := c.conn.SetWriteDeadline(time.Now().Add(dialWithin))
	if err == nil {
		_, err = c.conn.Write(resp.AppendCommandStrings(nil, words...))
	}
	return c.explain(err, "send to")
}

// explain says why a connection failed: that it was ended comes first.
func (c *Conn) explain(err error, what string) error {
	switch {
	case err == nil:
		return nil
	case c.ctx.Err() != nil:
		return context.Cause(c.ctx)
	case errors.Is(err, os.ErrDeadlineExceeded):
		return fmt.Errorf("%s server %s: nothing came for %s: %w", what, c.Addr, c.Patience, err)
	}
	return fmt.Errorf("%s server %s: %w", what, c.Addr, err)
}

// Do says one command and waits for its reply, a view until the next call. Nothing else may be on the way. Errors: *Refused for an error reply.
func (c *Conn) Do(words ...string) (resp.Value, error) {
	c.AppendWords(words...)
	if err := c.Flush(); err != nil {
		return nil, err
	}
	reply, err := c.Reply()
	if err != nil {
		return nil, err
	}
	return reply, c.refusal(reply)
}

// refusal makes an error of an error reply.
func (c *Conn) refusal(reply resp.Value) error {
	if !reply.Kind().IsError() {
		return nil
	}
	text, _ := reply.Bytes()
	return &Refused{Addr: c.Addr, Text: string(text)}
}

// Taken is Reply for a reply that must be no error.
func (c *Conn) Taken() (resp.Value, error) {
	reply, err := c.Reply()
	if err == nil {
		err = c.refusal(reply)
	}
	return reply, err
}

// Close ends the connection.
func (c *Conn) Close() {
	c.release()
	_ = c.conn.Close() // nothing was promised about what is on the way
}
