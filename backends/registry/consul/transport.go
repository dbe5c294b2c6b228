package consul

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// Consul's own client reads CONSUL_HTTP_TOKEN and its like by itself. This transport has the last word instead, so that what `larder config` shows is what
// holds: the token, and where an Enterprise's namespaces and partitions are named, are those of the Options. It is also where answers become errors.

// Limits of the connections to the agent.
const (
	idleMax      = 64 // connections kept: a watch holds one
	idleFor      = 90 * time.Second
	refusalBytes = 2 << 10 // of an answer that refuses, for the error's text
)

// transport is an http.RoundTripper. Any goroutine.
type transport struct {
	base      *http.Transport
	namespace bool // the options name one
	token     token
	count     *counters
}

func newTransport(o Options, at place, count *counters) (*transport, error) {
	config, err := tlsConfig(o)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: o.Timeout, KeepAlive: 30 * time.Second}
	base := &http.Transport{
		DialContext: dialer.DialContext, TLSClientConfig: config, TLSHandshakeTimeout: o.Timeout, ForceAttemptHTTP2: true,
		MaxIdleConns: idleMax, MaxIdleConnsPerHost: idleMax, IdleConnTimeout: idleFor,
	}
	if at.socket != "" {
		base.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", at.socket)
		}
	}
	t := &transport{base: base, namespace: o.Namespace != "", token: token{text: o.Token, file: o.TokenFile}, count: count}
	if _, err := t.token.now(); err != nil {
		return nil, err
	}
	return t, nil
}

func tlsConfig(o Options) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: o.ServerName}
	if o.CAFile != "" {
		pem, err := os.ReadFile(o.CAFile)
		if err != nil {
			return nil, fmt.Errorf("certificates to trust: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("certificates to trust: %s has none in PEM", o.CAFile)
		}
	}
	if o.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(o.CertFile, o.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("client's certificate: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config, nil
}

// refusal is an answer that is an error.
type refusal struct {
	code int
	text string
}

func (r *refusal) Error() string {
	if r.text == "" {
		return http.StatusText(r.code)
	}
	return r.text
}

// RoundTrip implements http.RoundTripper. What Consul refuses is an error, but for the answers that its client looks at: nothing there, and a
// transaction that failed.
func (t *transport) RoundTrip(request *http.Request) (*http.Response, error) {
	text, err := t.token.now()
	if err != nil {
		return nil, err
	}
	request = request.Clone(request.Context())
	request.Header.Del("X-Consul-Token")
	if text != "" {
		request.Header.Set("X-Consul-Token", text)
	}
	if query := request.URL.Query(); query.Has("partition") || query.Has("ns") && !t.namespace {
		query.Del("partition")
		if !t.namespace {
			query.Del("ns")
		}
		request.URL.RawQuery = query.Encode()
	}
	t.count.request(request)
	answer, err := t.base.RoundTrip(request)
	if err == nil && answer.StatusCode >= http.StatusMultipleChoices && answer.StatusCode != http.StatusNotFound && answer.StatusCode != http.StatusConflict {
		text, _ := io.ReadAll(io.LimitReader(answer.Body, refusalBytes))
		_ = answer.Body.Close()
		err = &refusal{code: answer.StatusCode, text: strings.TrimSpace(string(text))}
	}
	if err != nil {
		return nil, err
	}
	return answer, nil
}

// token is what the agent is told. A file is looked at again at each request, so that a token can be changed while the process runs.
type token struct {
	text, file string

	mu       sync.Mutex
	modified time.Time
	read     string
}

func (t *token) now() (string, error) {
	if t.file == "" {
		return t.text, nil
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	info, err := os.Stat(t.file)
	if err != nil {
		return "", fmt.Errorf("token file: %w", err)
	}
	if t.read != "" && info.ModTime().Equal(t.modified) {
		return t.read, nil
	}
	content, err := os.ReadFile(t.file)
	if err != nil {
		return "", fmt.Errorf("token file: %w", err)
	}
	text := strings.TrimSpace(string(content))
	if text == "" || strings.ContainsAny(text, " \t\r\n") {
		return "", errors.New("token file " + t.file + ": must have one word, the token")
	}
	t.modified, t.read = info.ModTime(), text
	return text, nil
}
