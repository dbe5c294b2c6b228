package consul_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"larder/backends/registry"
	"larder/backends/registry/consul"
)

// fake answers as a Consul in trouble would.
func fake(t *testing.T, answer http.HandlerFunc) consul.Options {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	o := consul.DefaultOptions()
	o.Address, o.Timeout = server.URL, time.Second
	return o
}

// An index that goes back is taken as it is; one of zero would make the next request return at once for ever.
func TestWatchIndex(t *testing.T) {
	indexes := []string{"7", "7", "3", "0", "9"}
	var asked []string
	o := fake(t, func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Query().Get("index"))
		w.Header().Set("X-Consul-Index", indexes[len(asked)-1])
		fmt.Fprintf(w, `[{"Key":"a","Value":"eA==","ModifyIndex":%d}]`, len(asked))
	})
	r := open(t, o)
	var seen uint64
	told := ""
	for range len(indexes) - 1 { // the second 7 tells nothing
		found, next, err := r.Watch(bounded(t), "a", seen)
		if err != nil {
			t.Fatal(err)
		}
		seen = next
		told += fmt.Sprintf("%d@%d ", found[0].Version, next)
	}
	if want := "1@7 3@3 4@1 5@9 "; told != want {
		t.Errorf("got %q, want %q", told, want)
	}
	if want := " 7 7 3 1"; strings.Join(asked, " ") != want {
		t.Errorf("asked with %q, want %q", strings.Join(asked, " "), want)
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		code int
		body string
		want error
		says string
	}{
		{403, "Permission denied: token with AccessorID 'x' lacks permission 'key:write' on \"k\"", registry.ErrDenied, "lacks permission 'key:write'"},
		{403, "ACL not found", registry.ErrDenied, "consul.token"},
		{500, "rpc error making call: Permission denied: token lacks", registry.ErrDenied, "token lacks"},
		{500, "No cluster leader", registry.ErrUnavailable, "No cluster leader"},
		{413, "Request body too large, max size: 524288 bytes", registry.ErrInvalid, "max size"},
		{429, "", registry.ErrUnavailable, "Too Many Requests"},
		{301, "moved", registry.ErrUnavailable, "moved"},
		{200, "not json", registry.ErrUnavailable, "invalid character"},
	} {
		o := fake(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Consul-Index", "1")
			w.WriteHeader(c.code)
			fmt.Fprint(w, c.body)
		})
		o.Token = "top-secret"
		r := open(t, o)
		ctx := bounded(t)
		_, got := r.Get(ctx, "k")
		_, listed := r.List(ctx, "k")
		_, _, watched := r.Watch(ctx, "k", 0)
		_, set := r.CompareAndSet(ctx, "k", nil, 0)
		_, session := r.OpenSession(ctx, registry.Session{TTL: registry.TTLMin})
		for _, err := range []error{got, listed, watched, set, session} {
			if !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%d %q: got %v, want %v that says %q", c.code, c.body, err, c.want, c.says)
			}
			if err != nil && strings.Contains(err.Error(), "top-secret") {
				t.Errorf("the token is in the error: %v", err)
			}
		}
	}
}

// A request that nobody answers ends after the timeout, and one's own context goes before.
func TestSilence(t *testing.T) {
	quiet := make(chan struct{})
	o := fake(t, func(http.ResponseWriter, *http.Request) { <-quiet })
	t.Cleanup(func() { close(quiet) })
	o.Timeout = 200 * time.Millisecond
	r := open(t, o)
	if err := r.Put(bounded(t), "k", nil); !errors.Is(err, registry.ErrUnavailable) || !strings.Contains(err.Error(), "no answer within 200ms") {
		t.Error(err)
	}
	if _, _, err := r.Watch(bounded(t), "k", 0); !errors.Is(err, registry.ErrUnavailable) {
		t.Error(err)
	}
}

// A lock whose acquisition nobody answered in time may be held: with its session it is opened.
func TestAcquireUnheard(t *testing.T) {
	const id = "01234567-89ab-cdef-0123-456789abcdef"
	for _, ephemeral := range []bool{false, true} {
		for _, givenUp := range []bool{false, true} {
			ctx, giveUp := context.WithCancel(bounded(t))
			defer giveUp()
			var asked []string
			o := fake(t, func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil {
					t.Error(err)
				}
				switch {
				case r.URL.Path == "/v1/session/create":
					fmt.Fprintf(w, `{"ID":%q}`, id)
				case r.URL.Query().Has("acquire"):
					if givenUp {
						giveUp()
					}
					<-r.Context().Done()
				case r.URL.Path == "/v1/kv/k":
					w.Header().Set("X-Consul-Index", "1")
					fmt.Fprintf(w, `[{"Key":"k","Value":"eA==","ModifyIndex":1,"Session":%q}]`, id)
				case r.URL.Path == "/v1/txn":
					asked = append(asked, string(body))
					fmt.Fprint(w, `{"Results":[{"KV":{"Key":"k","ModifyIndex":2}}]}`)
				case r.URL.Path == "/v1/session/destroy/"+id:
					asked = append(asked, "destroy")
					fmt.Fprint(w, "true")
				}
			})
			o.Timeout = 300 * time.Millisecond
			r := open(t, o)
			opened, err := r.OpenSession(bounded(t), registry.Session{Name: "leader", TTL: 10 * time.Second, Ephemeral: ephemeral})
			if err != nil {
				t.Fatal(err)
			}
			if err := r.Acquire(ctx, "k", nil, opened); !errors.Is(err, registry.ErrUnavailable) && !errors.Is(err, context.Canceled) {
				t.Fatal(err)
			}
			if err := r.EndSession(bounded(t), opened); err != nil {
				t.Error(err)
			}
			verb := map[bool]string{false: `"unlock"`, true: `"delete"`}[ephemeral]
			if len(asked) != 2 || !strings.Contains(asked[0], verb) || asked[1] != "destroy" {
				t.Errorf("given up %v, ephemeral %v: asked %q, want %s and then the session's end", givenUp, ephemeral, asked, verb)
			}
		}
	}
}

// The environment that Consul's own tools read changes nothing, and a token's file is read again when it changes.
func TestToken(t *testing.T) {
	t.Setenv("CONSUL_HTTP_TOKEN", "of the environment")
	t.Setenv("CONSUL_NAMESPACE", "of-the-environment")
	t.Setenv("CONSUL_PARTITION", "of-the-environment")
	var got, query string
	o := fake(t, func(w http.ResponseWriter, r *http.Request) {
		got, query = r.Header.Get("X-Consul-Token"), r.URL.RawQuery
		w.WriteHeader(http.StatusNotFound)
	})
	ask := func(o consul.Options, token, inQuery string) {
		t.Helper()
		if _, err := open(t, o).Get(bounded(t), "k"); !errors.Is(err, registry.ErrNotFound) {
			t.Error(err)
		}
		if got != token || query != inQuery {
			t.Errorf("token %q, query %q; want %q, %q", got, query, token, inQuery)
		}
	}
	ask(o, "", "consistent=")
	o.Token, o.Namespace, o.Datacenter = "given", "team", "dc2"
	ask(o, "given", "consistent=&dc=dc2&ns=team")
	o.Token, o.Namespace, o.Datacenter, o.TokenFile = "", "", "", filepath.Join(t.TempDir(), "token")
	if _, err := consul.New(o, prometheus.NewRegistry()); err == nil || !strings.Contains(err.Error(), "token file") {
		t.Errorf("without the file: %v", err)
	}
	write := func(text string, when time.Time) {
		if err := os.WriteFile(o.TokenFile, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(o.TokenFile, when, when); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	write("first\n", now)
	r := open(t, o)
	for i, token := range []string{"first", "second"} {
		write(token+"\n", now.Add(time.Duration(i)*time.Second))
		if _, err := r.Get(bounded(t), "k"); !errors.Is(err, registry.ErrNotFound) || got != token {
			t.Errorf("got token %q and error %v, want %q", got, err, token)
		}
	}
	write("two words", now.Add(time.Minute))
	if _, err := r.Get(bounded(t), "k"); err == nil || !strings.Contains(err.Error(), "must have one word") || strings.Contains(err.Error(), "two words") {
		t.Error(err)
	}
}

func TestOptions(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*consul.Options)
		says   string
	}{
		"scheme":       {func(o *consul.Options) { o.Address = "127.0.0.1:8500" }, "must be http://"},
		"path":         {func(o *consul.Options) { o.Address = "http://h:1/consul" }, "must be http://"},
		"password":     {func(o *consul.Options) { o.Address = "http://u:secret@h:1" }, "the token apart"},
		"garbage":      {func(o *consul.Options) { o.Address = "http://u:secret@h:1\x7f" }, "cannot be read"},
		"both tokens":  {func(o *consul.Options) { o.Token, o.TokenFile = "secret", "f" }, "both ways"},
		"blank":        {func(o *consul.Options) { o.Token = "secret secret" }, "blanks"},
		"half a pair":  {func(o *consul.Options) { o.CertFile = "f" }, "needs its key"},
		"prefix":       {func(o *consul.Options) { o.Prefix = "/a" }, "not begin with a slash"},
		"empty part":   {func(o *consul.Options) { o.Prefix = "a//" }, "empty parts"},
		"dots":         {func(o *consul.Options) { o.Prefix = "../" }, "empty parts"},
		"timeout":      {func(o *consul.Options) { o.Timeout = 0 }, "must be at least 100ms"},
		"wait":         {func(o *consul.Options) { o.Wait = time.Hour }, "to 10m0s"},
		"missing CA":   {func(o *consul.Options) { o.CAFile = "/nowhere" }, "certificates to trust"},
		"missing pair": {func(o *consul.Options) { o.CertFile, o.KeyFile = "/nowhere", "/nowhere" }, "client's certificate"},
	} {
		o := consul.DefaultOptions()
		c.change(&o)
		_, err := consul.New(o, prometheus.NewRegistry())
		if err == nil || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: got %v, want something with %q", name, err, c.says)
		}
	}
	for _, address := range []string{"http://127.0.0.1:8500", "https://consul.example:8501/", "unix:///run/consul.sock", "http://[::1]:8500", "http://h"} {
		o := consul.DefaultOptions()
		o.Address = address
		if err := o.Validate(); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// FuzzOptions: no address makes it panic, and no error shows what may be a password.
func FuzzOptions(f *testing.F) {
	for _, address := range []string{"http://127.0.0.1:8500", "unix:///s", "http://u:p@h", "https://[::1]:1/x?y#z", "://", "http://h:x"} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		o := consul.DefaultOptions()
		o.Address = address
		if o.Validate() == nil {
			_ = open(t, o)
		}
		const secret = "s3cr3t-of-the-user"
		o.Address = strings.Replace(address, "://", "://user:"+secret+"@", 1)
		if err := o.Validate(); err != nil && strings.Contains(err.Error(), secret) {
			t.Errorf("%q: %v", o.Address, err)
		}
	})
}
