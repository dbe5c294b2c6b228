package api_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"larder/backends/registry/embedded"
	"larder/control"
	"larder/control/api"
	"larder/control/api/client"
	"larder/persistence/dir"
	"larder/persistence/snapshot"
	"larder/router"
)

// nobody is a fleet whose nodes do not answer.
type nobody struct{}

func (nobody) Topology() *router.Topology { return nil }

func (nobody) Settings(context.Context) (map[string]string, []string, error) {
	return nil, nil, errors.New("nobody answers")
}

func (nobody) Snapshot(context.Context, int, control.Object, func(control.Progress)) (control.Taken, error) {
	return control.Taken{}, errors.New("nobody answers")
}

func serve(t *testing.T) (*client.Client, string) {
	t.Helper()
	bucket, err := dir.Open(dir.Options{Path: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	reg, err := embedded.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	a := control.New(control.Options{
		Cluster: "main", Fleet: nobody{}, Store: snapshot.Store{Bucket: bucket}, Registry: reg, Log: slog.New(slog.NewTextHandler(io.Discard, nil)), Now: time.Now,
		Sleep: func(context.Context, time.Duration) error { return nil }, Chance: rand.New(rand.NewPCG(1, 2)),
	})
	ctx, stop := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- a.Run(ctx, ready) }()
	<-ready
	server := httptest.NewServer(api.New(api.Options{Key: "the key", Clusters: served{"main": {Agent: a}}}))
	t.Cleanup(func() {
		server.Close()
		stop()
		if err := errors.Join(<-ended, reg.Close(), bucket.Close()); err != nil {
			t.Error(err)
		}
	})
	return &client.Client{URL: server.URL, Key: "the key", HTTP: server.Client()}, server.URL
}

// served are clusters that stay.
type served map[string]api.Served

func (s served) Names() []string { return slices.Sorted(maps.Keys(s)) }

func (s served) Cluster(name string) (api.Served, bool) {
	c, ok := s[name]
	return c, ok
}

// TestErrors: each has a code that programs decide on and a text that says what to do; nothing is told without the key.
func TestErrors(t *testing.T) {
	c, _ := serve(t)
	for _, ask := range []struct {
		method, path, key, body string
		status                  int
		says                    string
	}{
		{"GET", "/v1/clusters", "", "", 401, `"code": "unauthorized"`},
		{"GET", "/v1/clusters", "another key", "", 401, "api.json"},
		{"GET", "/v1/clusters", "the key", "", 200, `"main"`},
		{"GET", "/nothing", "the key", "", 404, "no such path"},
		{"PUT", "/v1/clusters/main/snapshots", "the key", "", 404, "PUT"},
		{"GET", "/v1/clusters/other/snapshots", "the key", "", 404, "no cluster"},
		{"GET", "/v1/clusters/main/snapshots/one", "the key", "", 404, "no such snapshot"},
		{"DELETE", "/v1/clusters/main/snapshots/one", "the key", "", 404, `"code": "unknown"`},
		{"POST", "/v1/clusters/main/snapshots", "the key", `{"name":"a b"}`, 400, `"code": "invalid"`},
		{"POST", "/v1/clusters/main/snapshots", "the key", `{"nom":"a"}`, 400, "nom"},
		{"POST", "/v1/clusters/main/snapshots", "the key", `{`, 400, "body"},
		{"POST", "/v1/clusters/main/snapshots/one/verify", "the key", "", 404, "no such snapshot"},
		{"POST", "/v1/clusters/main/snapshots/one/copy", "the key", `{"as":"two","to":"/somewhere"}`, 400, "one store"},
		{"GET", "/v1/clusters/main/tasks/t", "the key", "", 404, "not known"},
		{"DELETE", "/v1/clusters/main/tasks/t", "the key", "", 404, "not known"},
		{"GET", "/v1/clusters/main/events", "the key", "", 200, `"events"`},
	} {
		r, err := http.NewRequestWithContext(t.Context(), ask.method, c.URL+ask.path, strings.NewReader(ask.body))
		if err != nil {
			t.Fatal(err)
		}
		if ask.key != "" {
			r.Header.Set("Authorization", "Bearer "+ask.key)
		}
		answer, err := c.HTTP.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if err != nil || answer.StatusCode != ask.status || !strings.Contains(string(text), ask.says) {
			t.Errorf("%s %s: %d %s %v; want %d and %q", ask.method, ask.path, answer.StatusCode, text, err, ask.status, ask.says)
		}
	}
}

// TestClient: what the API says is what the client's errors say, and a task that fails says why.
func TestClient(t *testing.T) {
	c, url := serve(t)
	ctx := t.Context()
	task, err := c.CreateSnapshot(ctx, "main", "one")
	if err != nil {
		t.Fatal(err)
	}
	if task, err = c.Task(ctx, "main", task.ID, 20*time.Second); err != nil || task.State != control.TaskFailed || !strings.Contains(task.Error, "nobody answers") {
		t.Error(task, err)
	}
	if list, err := c.Tasks(ctx, "main"); err != nil || len(list) != 1 || list[0].ID != task.ID {
		t.Error(list, err)
	}
	var refused *client.Error
	if _, err := c.Snapshot(ctx, "main", "../../x"); !errors.As(err, &refused) || refused.Problem.Code != "invalid" {
		t.Error(err)
	}
	c.Key = "another"
	if _, err := c.Snapshots(ctx, "main"); !errors.As(err, &refused) || refused.Status != http.StatusUnauthorized {
		t.Error(err)
	}
	folder := t.TempDir()
	if _, err := client.FromFolder(folder); err == nil || !strings.Contains(err.Error(), "larder dev --dir") {
		t.Error(err)
	}
	if err := os.WriteFile(filepath.Join(folder, client.AddressFile), []byte(`{"url":"`+url+`","key":"the key"}`), 0o600); err != nil {
		t.Fatal(err)
	}
	found, err := client.FromFolder(folder)
	if err != nil {
		t.Fatal(err)
	}
	if names, err := found.Clusters(ctx); err != nil || len(names) != 1 {
		t.Error(names, err)
	}
}
