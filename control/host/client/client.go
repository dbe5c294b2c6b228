// Package client asks hosts over HTTP, as a controller does (control/host serves it). What must hold: an answer is the named host's or an error; the fleet's key is
// in no error. Its methods may be called from any goroutine and block until the answer is there or their context has ended.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"larder/control/controller"
	"larder/control/host"
)

// Client asks hosts.
type Client struct {
	key  string
	http *http.Client
}

// New makes one for the fleet that has that key. Whoever makes it closes it.
func New(key string) *Client {
	return &Client{key: key, http: &http.Client{
		Transport: &http.Transport{MaxIdleConnsPerHost: 2},
		// Whoever answers with another place is no host, and is not to hear the key.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Close closes connections that are kept.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// answerMax is how long an answer may be, in bytes: a thousand nodes take a quarter of a megabyte.
const answerMax = 16 << 20

// Says asks a host how things are.
func (c *Client) Says(ctx context.Context, h controller.Host) (says controller.HostSays, err error) {
	return c.says(ctx, h, "")
}

// News is Says once the host is in another state than one that was seen, or after a second.
func (c *Client) News(ctx context.Context, h controller.Host, seen uint64) (controller.HostSays, error) {
	return c.says(ctx, h, "?seen="+strconv.FormatUint(seen, 10))
}

func (c *Client) says(ctx context.Context, h controller.Host, query string) (says controller.HostSays, err error) {
	err = c.ask(ctx, h, http.MethodGet, query, nil, &says)
	if err == nil && says.Host != h.ID {
		err = fmt.Errorf("host %s at %s: %w: %q", h.ID, h.Addr, host.ErrOther, says.Host)
	}
	return says, err
}

// Obey gives it an order.
func (c *Client) Obey(ctx context.Context, h controller.Host, o controller.Order) error {
	return c.ask(ctx, h, http.MethodPost, "/orders", o, nil)
}

func (c *Client) ask(ctx context.Context, h controller.Host, method, path string, body, into any) error {
	answer, err := c.exchange(ctx, h, method, path, body)
	if err != nil {
		return fmt.Errorf("ask host %s: %w", h.ID, err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, answerMax))
	if err != nil {
		return fmt.Errorf("ask host %s: %w", h.ID, err)
	}
	if answer.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("host %s at %s: %w", h.ID, h.Addr, problem(answer.StatusCode, text))
	}
	if into == nil {
		return nil
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("host %s at %s: the answer cannot be read: %w", h.ID, h.Addr, err)
	}
	return nil
}

func (c *Client) exchange(ctx context.Context, h controller.Host, method, path string, body any) (*http.Response, error) {
	text := []byte(nil)
	if body != nil {
		var err error
		if text, err = json.Marshal(body); err != nil {
			return nil, err
		}
	}
	r, err := http.NewRequestWithContext(ctx, method, "http://"+h.Addr+"/v1/hosts/"+url.PathEscape(h.ID)+path, bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+c.key)
	return c.http.Do(r)
}

// ErrKey says that a host has another key.
var ErrKey = errors.New("it does not take the fleet's key")

// problem is what a host has answered that does not do as it was asked.
func problem(status int, text []byte) error {
	var p host.Problem
	if json.Unmarshal(text, &p) != nil || p.Code == "" {
		return fmt.Errorf("it answers with status %d, as no host does", status)
	}
	if p.Code == host.CodeKey {
		return fmt.Errorf("%w: %s", ErrKey, p.Error)
	}
	if is := host.Codes()[p.Code]; is != nil {
		return told{is, p.Error}
	}
	return errors.New(p.Error)
}

// told is an error of the host's, in its words.
type told struct {
	is   error
	text string
}

func (t told) Error() string { return t.text }
func (t told) Unwrap() error { return t.is }
