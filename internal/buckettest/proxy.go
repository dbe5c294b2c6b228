package buckettest

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
	"time"
)

// Fault is what a Proxy does to a request.
type Fault struct {
	Kind   Kind
	Bytes  int64         // of CutBody and CutAnswer: how many pass
	Status int           // of Refuse
	Code   string        // of Refuse: as the protocol names errors
	Pause  time.Duration // of Slow: before each 32 KiB
	After  func()        // of LoseAnswer, if not nil: called when the server has done it
}

// Kind of a fault.
type Kind uint8

// Kinds of faults.
const (
	Pass       Kind = iota // none
	Reset                  // the connection breaks before the server sees the request
	CutBody                // the connection breaks in the middle of the request, which the server sees too
	LoseAnswer             // the server has done it, and the connection breaks before it can say so
	CutAnswer              // the connection breaks in the middle of the answer
	Hang                   // nothing comes back, until the client gives up
	Refuse                 // another answer than the server's, which sees nothing
	Slow                   // the request comes slowly
)

var kindNames = [...]string{"pass", "reset", "cut body", "lose answer", "cut answer", "hang", "refuse", "slow"}

func (k Kind) String() string { return kindNames[k] }

// Proxy stands before an S3 server. Who signs a request signs the proxy's address, and the server accepts that.
type Proxy struct {
	Server *httptest.Server
	to     *url.URL

	mu    sync.Mutex
	fault func(r *http.Request) Fault
	seen  []string
}

// NewProxy starts a proxy before a server at host:port; it ends with the test.
func NewProxy(t testing.TB, to string) *Proxy { return newProxy(t, to, httptest.NewServer) }

// NewTLSProxy is a proxy that speaks TLS, with a certificate that only those trust who were told to: Server.Certificate.
func NewTLSProxy(t testing.TB, to string) *Proxy { return newProxy(t, to, httptest.NewTLSServer) }

func newProxy(t testing.TB, to string, start func(http.Handler) *httptest.Server) *Proxy {
	p := &Proxy{to: &url.URL{Scheme: "http", Host: to}}
	p.Server = start(p)
	t.Cleanup(func() {
		p.Server.CloseClientConnections()
		p.Server.Close()
	})
	return p
}

// Do has a function say what becomes of each request from now on; nil: all pass. It may be called by several goroutines at once.
func (p *Proxy) Do(fault func(r *http.Request) Fault) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault, p.seen = fault, nil
}

// Nth has one request, from 1, meet a fault, and all others pass.
func (p *Proxy) Nth(n int, f Fault) {
	var mu sync.Mutex
	count := 0
	p.Do(func(*http.Request) Fault {
		mu.Lock()
		defer mu.Unlock()
		if count++; count == n {
			return f
		}
		return Fault{}
	})
}

// Seen are the requests since Do, as "PUT /bucket/key?query".
func (p *Proxy) Seen() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string(nil), p.seen...)
}

func (p *Proxy) faultOf(r *http.Request) Fault {
	p.mu.Lock()
	p.seen = append(p.seen, r.Method+" "+r.URL.RequestURI())
	fault := p.fault
	p.mu.Unlock()
	if fault == nil {
		return Fault{}
	}
	return fault(r)
}

// ServeHTTP does what the fault says.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	forward := &httputil.ReverseProxy{
		Rewrite: func(x *httputil.ProxyRequest) {
			x.Out.URL.Scheme, x.Out.URL.Host, x.Out.Host = p.to.Scheme, p.to.Host, x.In.Host
		},
		Transport:    &http.Transport{DisableCompression: true, DisableKeepAlives: true},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { reset(w) },
		ErrorLog:     log.New(io.Discard, "", 0),
	}
	switch f := p.faultOf(r); f.Kind {
	case Reset:
		reset(w)
	case CutBody:
		r.Body = io.NopCloser(io.MultiReader(io.LimitReader(r.Body, f.Bytes), brokenReader{}))
		forward.ServeHTTP(httptest.NewRecorder(), r)
		reset(w)
	case LoseAnswer:
		forward.ServeHTTP(httptest.NewRecorder(), r)
		if f.After != nil {
			f.After()
		}
		reset(w)
	case CutAnswer:
		cut := &cutWriter{ResponseWriter: w, left: f.Bytes}
		forward.ServeHTTP(cut, r)
		_ = http.NewResponseController(w).Flush()
		reset(w)
	case Hang:
		_, _ = io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	case Refuse:
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(f.Status)
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>by the proxy</Message></Error>", f.Code)
	case Slow:
		r.Body = &slowReader{r.Body, f.Pause}
		forward.ServeHTTP(w, r)
	default:
		forward.ServeHTTP(w, r)
	}
}

// reset breaks the client's connection, in the middle of whatever there was.
func reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// brokenReader fails.
type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, io.ErrClosedPipe }

// cutWriter lets some bytes of an answer pass, and drops the rest.
type cutWriter struct {
	http.ResponseWriter
	left int64
}

func (w *cutWriter) Write(p []byte) (int, error) {
	n := min(int64(len(p)), w.left)
	w.left -= n
	_, err := w.ResponseWriter.Write(p[:n])
	return len(p), err
}

// slowReader pauses.
type slowReader struct {
	io.ReadCloser
	pause time.Duration
}

func (r *slowReader) Read(p []byte) (int, error) {
	const piece = 32 << 10
	time.Sleep(r.pause)
	return r.ReadCloser.Read(p[:min(len(p), piece)])
}
