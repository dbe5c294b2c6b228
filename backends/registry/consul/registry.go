// Package consul is the registry on HashiCorp's Consul, by way of the agent on this machine. What must hold: what its callers see is registry's contract
// and nothing of Consul's own ways; a write that a fence stands before is one transaction with the check of the lock's session, so a leader that was
// deposed writes nothing; the token is in no error and in no log; requests end with their context, after Options.Timeout, or with Close. It keeps no state
// but which locks the sessions opened here hold, and starts no goroutine of its own. Any goroutine may call it.
package consul

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/consul/api"
	"github.com/prometheus/client_golang/prometheus"

	"larder/backends/registry"
)

// Registry implements registry.Registry.
type Registry struct {
	options   Options
	client    *api.Client
	transport *transport
	count     *counters
	open      context.Context // ends with Close
	close     context.CancelFunc

	mu   sync.Mutex
	held map[registry.SessionID]*session // opened here
}

// session is what EndSession has to release.
type session struct {
	ephemeral bool
	keys      map[string]bool
}

// New reads the files that the options name and asks nobody yet. Its metrics go to reg.
func New(o Options, reg prometheus.Registerer) (*Registry, error) {
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("consul: %w", err)
	}
	at, err := parseAddress(o.Address)
	if err != nil {
		return nil, fmt.Errorf("consul: %w", err)
	}
	r := &Registry{options: o, count: newCounters(), held: map[registry.SessionID]*session{}}
	if err := reg.Register(r.count); err != nil {
		return nil, fmt.Errorf("consul: register metrics: %w", err)
	}
	if r.transport, err = newTransport(o, at, r.count); err != nil {
		return nil, fmt.Errorf("consul: %w", err)
	}
	const overwritten = "by the transport" // a word here keeps the client from reading the environment's token
	r.client, err = api.NewClient(&api.Config{
		Address: at.host, Scheme: at.scheme, Datacenter: o.Datacenter, Namespace: o.Namespace, Token: overwritten,
		HttpClient: &http.Client{Transport: r.transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	})
	if err != nil {
		return nil, fmt.Errorf("consul: %w", err)
	}
	r.open, r.close = context.WithCancel(context.Background())
	return r, nil
}

// Close implements registry.Registry. Requests under way end.
func (r *Registry) Close() error {
	r.close()
	r.transport.base.CloseIdleConnections()
	return nil
}

// do makes requests that together may take Options.Timeout and wait, and says what their failure is to registry's callers: "get a/b: …".
func (r *Registry) do(ctx context.Context, wait time.Duration, what string, requests func(ctx context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	bounded, done := r.bound(ctx, r.options.Timeout+wait)
	defer done()
	err := requests(bounded)
	if err == nil {
		r.count.reached(true)
		return nil
	}
	err = r.judge(ctx, err)
	return fmt.Errorf("%s: %w", what, err)
}

// lasts are errors that are registry's words already.
var lasts = []error{
	registry.ErrNotFound, registry.ErrConflict, registry.ErrHeld, registry.ErrNotHeld, registry.ErrSessionLost, registry.ErrInvalid, registry.ErrDenied,
}

// judge turns an error of a request into one of registry's.
func (r *Registry) judge(ctx context.Context, err error) error {
	for _, last := range lasts {
		if errors.Is(err, last) {
			r.count.reached(true)
			return err
		}
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case r.open.Err() != nil:
		return fmt.Errorf("closed: %w", registry.ErrUnavailable)
	case errors.Is(err, context.DeadlineExceeded):
		err = fmt.Errorf("no answer within %s", r.options.Timeout)
	}
	if request := (*url.Error)(nil); errors.As(err, &request) {
		err = request.Err // the agent's address is told once, below
	}
	var refused *refusal
	_ = errors.As(err, &refused)
	text := err.Error()
	switch {
	case refused != nil && refused.code == http.StatusForbidden, denied(text):
		r.count.reached(true)
		return fmt.Errorf("%w by Consul: %s; give a token with that right (consul.token)", registry.ErrDenied, text)
	case refused != nil && refused.code == http.StatusRequestEntityTooLarge:
		r.count.reached(true)
		return fmt.Errorf("%w: too large for Consul: %s", registry.ErrInvalid, text)
	}
	r.count.reached(false)
	return fmt.Errorf("%w: %s: %s", registry.ErrUnavailable, r.options.Address, text)
}

// denied knows refusals by their words where Consul sends them with another code: inside a transaction, and from servers behind the agent.
func denied(text string) bool {
	return strings.Contains(text, "Permission denied") || strings.Contains(text, "ACL not found")
}

func (r *Registry) key(key string) string { return r.options.Prefix + key }

// query is for a request that reads; write for one that changes.
func query(ctx context.Context) *api.QueryOptions { return (&api.QueryOptions{}).WithContext(ctx) }
func write(ctx context.Context) *api.WriteOptions { return (&api.WriteOptions{}).WithContext(ctx) }
