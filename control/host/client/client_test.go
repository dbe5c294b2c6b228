package client_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"larder/control/controller"
	"larder/control/host"
	"larder/control/host/client"
)

const key = "0123456789abcdef-the-key"

// desk answers as it is told to.
type desk struct {
	says  controller.HostSays
	order controller.Order
	err   error
}

func (d *desk) News(ctx context.Context, h controller.Host, _ uint64) (controller.HostSays, error) {
	return d.Says(ctx, h)
}

func (d *desk) Says(context.Context, controller.Host) (controller.HostSays, error) {
	return d.says, d.err
}

func (d *desk) Obey(_ context.Context, _ controller.Host, o controller.Order) error {
	d.order = o
	return d.err
}

// TestThereAndBack: what is said and ordered arrives as it was, errors too.
func TestThereAndBack(t *testing.T) {
	d := &desk{says: controller.HostSays{
		Host: "a", Session: "s", Number: 1 << 60, Obeyed: map[string]uint64{"c": 7},
		Nodes: []controller.Running{{Cluster: "c", Node: "c-1", Run: "r", Addr: "h:1", Exited: "q", Memory: 1 << 50, Settings: -1, Failed: "it <fails>"}},
	}}
	server := httptest.NewServer(host.NewHandler(d, key))
	defer server.Close()
	c := client.New(key)
	defer c.Close()
	a := controller.Host{ID: "a", Addr: strings.TrimPrefix(server.URL, "http://")}
	if says, err := c.Says(t.Context(), a); err != nil || !reflect.DeepEqual(says, d.says) {
		t.Errorf("%+v, %v", says, err)
	}
	order := controller.Order{
		Host: "a", Cluster: "c", Version: 9, Parameters: map[string]string{"hz": "1"},
		Nodes: []controller.Assignment{{Node: "c-1", Shard: 3, Memory: 1 << 50, MaxMemory: 5, Settings: 2, Stop: true}},
	}
	if err := c.Obey(t.Context(), a, order); err != nil || !reflect.DeepEqual(d.order, order) {
		t.Errorf("%+v, %v", d.order, err)
	}
	for _, is := range []error{host.ErrOther, host.ErrLate, host.ErrOrder, host.ErrNoRoom} {
		d.err = fmt.Errorf("for a reason: %w", is)
		if err := c.Obey(t.Context(), a, order); !errors.Is(err, is) || !strings.Contains(err.Error(), "for a reason") || !strings.Contains(err.Error(), "host a at") {
			t.Errorf("%v came as %v", is, err)
		}
	}
	d.err = errors.New("the disk is full")
	if _, err := c.Says(t.Context(), a); err == nil || !strings.Contains(err.Error(), "the disk is full") {
		t.Error(err)
	}
	d.err = nil
	if _, err := c.Says(t.Context(), controller.Host{ID: "b", Addr: a.Addr}); !errors.Is(err, host.ErrOther) {
		t.Errorf("another host's answer counts: %v", err)
	}
}

// TestStrangers: without the key nothing is told or done, and nobody learns it; what is no host is not taken for one.
func TestStrangers(t *testing.T) {
	d := &desk{says: controller.HostSays{Host: "a"}}
	server := httptest.NewServer(host.NewHandler(d, key))
	defer server.Close()
	c := client.New("another-key-of-sixteen")
	defer c.Close()
	a := controller.Host{ID: "a", Addr: strings.TrimPrefix(server.URL, "http://")}
	_, err := c.Says(t.Context(), a)
	if !errors.Is(err, client.ErrKey) || strings.Contains(err.Error(), key) || strings.Contains(err.Error(), "another-key") {
		t.Error(err)
	}
	if err := c.Obey(t.Context(), a, controller.Order{Cluster: "c"}); !errors.Is(err, client.ErrKey) || d.order.Cluster != "" {
		t.Errorf("%v; ordered %+v", err, d.order)
	}
	heard := ""
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { heard = r.Header.Get("Authorization") }))
	defer elsewhere.Close()
	for _, answer := range []func(http.ResponseWriter, *http.Request){
		func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		},
		func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) },
		func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusBadGateway) },
	} {
		stranger := httptest.NewServer(http.HandlerFunc(answer))
		_, err := c.Says(t.Context(), controller.Host{ID: "a", Addr: strings.TrimPrefix(stranger.URL, "http://")})
		if err == nil || heard != "" {
			t.Errorf("%v; elsewhere was heard %q", err, heard)
		}
		stranger.Close()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	hangs := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer hangs.Close()
	if _, err := c.Says(ctx, controller.Host{ID: "a", Addr: strings.TrimPrefix(hangs.URL, "http://")}); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

// TestRequests: what is no order changes nothing and is told what is wrong.
func TestRequests(t *testing.T) {
	d := &desk{}
	handler := host.NewHandler(d, key)
	for _, test := range []struct {
		method, path, body string
		status             int
		says               string
	}{
		{"POST", "/v1/hosts/a/orders", "{", http.StatusBadRequest, `"invalid"`},
		{"POST", "/v1/hosts/a/orders", `{"Version": -1}`, http.StatusBadRequest, `"invalid"`},
		{"POST", "/v1/hosts/a/orders", `{"Cluster": "` + strings.Repeat("x", 2<<20) + `"}`, http.StatusBadRequest, "too large"},
		{"GET", "/v1/hosts", "", http.StatusNotFound, "no such path"},
		{"DELETE", "/v1/hosts/a", "", http.StatusNotFound, "no such path"},
	} {
		r := httptest.NewRequest(test.method, test.path, strings.NewReader(test.body))
		r.Header.Set("Authorization", "Bearer "+key)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		if w.Code != test.status || !strings.Contains(w.Body.String(), test.says) {
			t.Errorf("%s %s %.20s: %d %s", test.method, test.path, test.body, w.Code, w.Body)
		}
	}
}

func TestReadKey(t *testing.T) {
	for text, want := range map[string]string{
		key: key, " " + key + "\n\n": key, "": "", "short": "", key + "\n" + key: "", key + "\u00e9": "", strings.Repeat("x", 2000): "",
	} {
		file := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := host.ReadKey(file)
		if got != want || (err == nil) != (want != "") || err != nil && (!strings.Contains(err.Error(), file) || text != "" && strings.Contains(err.Error(), text)) {
			t.Errorf("%.30q: %q, %v", text, got, err)
		}
	}
	if _, err := host.ReadKey("/nowhere"); err == nil {
		t.Error("no file, and a key")
	}
}
