package s3

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"larder/persistence"
	"larder/process"
)

// wire is how requests go over the network. It remembers what the service's clock said.
type wire struct {
	*http.Transport
	ahead atomic.Pointer[time.Duration] // this clock against the service's at the last answer; nil: none has told
}

const dialTimeout = 10 * time.Second

func newWire(o Options) (*wire, error) {
	dialer := &net.Dialer{Timeout: min(dialTimeout, o.Stall)}
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			conn, err := dialer.DialContext(ctx, network, addr)
			if err != nil {
				return nil, err
			}
			return &stallingConn{conn, o.Stall}, nil
		},
		TLSHandshakeTimeout: min(dialTimeout, o.Stall),
		IdleConnTimeout:     time.Minute,
		MaxIdleConnsPerHost: 4,
		DisableCompression:  true, // an object is what it is
		TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
	}
	if o.CAFile != "" {
		text, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, wrong("ca-file", "%v", err)
		}
		pool, err := x509.SystemCertPool()
		if err != nil {
			pool = x509.NewCertPool()
		}
		if !pool.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("ca-file: %w: %s has no certificate in PEM", persistence.ErrInvalid, o.CAFile)
		}
		transport.TLSClientConfig.RootCAs = pool
	}
	return &wire{Transport: transport}, nil
}

// RoundTrip sends a request and looks at the clock of who answers.
func (w *wire) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := w.Transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	if date, err := http.ParseTime(response.Header.Get("Date")); err == nil {
		ahead := time.Since(date)
		w.ahead.Store(&ahead)
	}
	return response, nil
}

// skew is how far this machine's clock is ahead of the service's.
func (w *wire) skew() (time.Duration, bool) {
	if d := w.ahead.Load(); d != nil {
		return *d, true
	}
	return 0, false
}

// sending is what of a request is large. Who reads it is the goroutine that writes it to the service's connection, which belongs to the library: it is to give way
// as the one does that compresses.
func sending(data []byte) io.ReadSeeker { return &body{data: bytes.NewReader(data)} }

type body struct {
	data       *bytes.Reader
	background bool
}

func (b *body) Read(p []byte) (int, error) {
	if !b.background {
		b.background = true
		process.InBackground()
	}
	return b.data.Read(p)
}

// Seek has the next reader begin anew.
func (b *body) Seek(offset int64, whence int) (int64, error) {
	b.background = false
	return b.data.Seek(offset, whence)
}

// stallingConn fails when for a while no byte moves, in either direction: while a long request is written nothing is to be read, and the other way round.
type stallingConn struct {
	net.Conn
	stall time.Duration
}

// writtenAtOnce is how much is written under one deadline: a whole part, on a slow line, may take longer.
const writtenAtOnce = 64 << 10

func (c *stallingConn) Read(p []byte) (int, error) {
	if err := c.SetDeadline(time.Now().Add(c.stall)); err != nil {
		return 0, err
	}
	return c.Conn.Read(p)
}

func (c *stallingConn) Write(p []byte) (int, error) {
	for written := 0; ; {
		if err := c.SetDeadline(time.Now().Add(c.stall)); err != nil {
			return written, err
		}
		n, err := c.Conn.Write(p[written:min(len(p), written+writtenAtOnce)])
		if written += n; err != nil || written == len(p) {
			return written, err
		}
	}
}
