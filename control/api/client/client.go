// Package client asks a management API. Its methods may be called from any goroutine and block until the answer is there or their context has ended. An
// answer that is an error is an *Error.
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
	"os"
	"path/filepath"
	"strings"
	"time"

	"larder/control"
	"larder/control/api"
	"larder/control/migrate"
)

// Client asks the API at one address.
type Client struct {
	URL  string
	Key  string
	HTTP *http.Client
}

// Address is what an appliance leaves in its folder for who may read it.
type Address struct {
	URL string `json:"url"`
	Key string `json:"key"`
}

// AddressFile is the name of that file.
const AddressFile = "api.json"

// FromFolder makes a client of the appliance that runs on a folder.
func FromFolder(dir string) (*Client, error) {
	path := filepath.Join(dir, AddressFile)
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("no Larder runs on folder %s (there is no %s in it): start one by larder dev --dir %s, or say --api", dir, AddressFile, dir)
	}
	if err != nil {
		return nil, fmt.Errorf("find the appliance: %w", err)
	}
	var a Address
	if err := json.Unmarshal(text, &a); err != nil {
		return nil, fmt.Errorf("find the appliance: %s: %w", path, err)
	}
	return &Client{URL: a.URL, Key: a.Key, HTTP: http.DefaultClient}, nil
}

// Error is an answer that is an error.
type Error struct {
	Status  int
	Problem api.Problem
}

func (e *Error) Error() string { return e.Problem.Error }

// ask sends a request and reads the answer into into, if that is not nil.
func (c *Client) ask(ctx context.Context, method, path string, body, into any) error {
	in, err := c.send(ctx, method, path, body)
	if err != nil {
		return err
	}
	defer in.Close()
	if into == nil {
		return nil
	}
	if err := json.NewDecoder(in).Decode(into); err != nil {
		return fmt.Errorf("%s answers what is no JSON: is it Larder's management API? %w", c.URL, err)
	}
	return nil
}

func (c *Client) send(ctx context.Context, method, path string, body any) (io.ReadCloser, error) {
	var text io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		text = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(c.URL, "/")+path, text)
	if err != nil {
		return nil, fmt.Errorf("API %q: %w", c.URL, err)
	}
	r.Header.Set("Authorization", "Bearer "+c.Key)
	answer, err := c.HTTP.Do(r)
	if err != nil {
		return nil, fmt.Errorf("the appliance cannot be reached: %w", err)
	}
	if answer.StatusCode < 300 {
		return answer.Body, nil
	}
	defer answer.Body.Close()
	failed := &Error{Status: answer.StatusCode}
	if err := json.NewDecoder(answer.Body).Decode(&failed.Problem); err != nil || failed.Problem.Error == "" {
		failed.Problem = api.Problem{Code: "failed", Error: c.URL + " answers " + answer.Status + ": is it Larder's management API?"}
	}
	return nil, failed
}

func of(cluster string, parts ...string) string {
	path := "/v1/clusters/" + url.PathEscape(cluster)
	for _, part := range parts {
		path += "/" + url.PathEscape(part)
	}
	return path
}

// ofSnapshots is the path to snapshots by a cluster, or, without one, by none.
func ofSnapshots(cluster string, name ...string) string {
	if cluster != "" {
		return of(cluster, append([]string{"snapshots"}, name...)...)
	}
	path := "/v1/snapshots"
	for _, part := range name {
		path += "/" + url.PathEscape(part)
	}
	return path
}

// Snapshots lists them.
func (c *Client) Snapshots(ctx context.Context, cluster string) (list api.Snapshots, err error) {
	return list, c.ask(ctx, http.MethodGet, ofSnapshots(cluster), nil, &list)
}

// Snapshot tells of one.
func (c *Client) Snapshot(ctx context.Context, cluster, name string) (s api.Snapshot, err error) {
	return s, c.ask(ctx, http.MethodGet, ofSnapshots(cluster, name), nil, &s)
}

// CreateSnapshot begins one.
func (c *Client) CreateSnapshot(ctx context.Context, cluster, name string) (t control.Task, err error) {
	return t, c.ask(ctx, http.MethodPost, of(cluster, "snapshots"), api.Create{Name: name}, &t)
}

// DeleteSnapshot removes one.
func (c *Client) DeleteSnapshot(ctx context.Context, cluster, name string) error {
	return c.ask(ctx, http.MethodDelete, ofSnapshots(cluster, name), nil, nil)
}

// VerifySnapshot begins to read one back.
func (c *Client) VerifySnapshot(ctx context.Context, cluster, name string) (t control.Task, err error) {
	return t, c.ask(ctx, http.MethodPost, of(cluster, "snapshots", name, "verify"), nil, &t)
}

// CopySnapshot begins to copy one.
func (c *Client) CopySnapshot(ctx context.Context, cluster, name string, want api.Copy) (t control.Task, err error) {
	return t, c.ask(ctx, http.MethodPost, of(cluster, "snapshots", name, "copy"), want, &t)
}

// Restore begins to fill the running cluster.
func (c *Client) Restore(ctx context.Context, cluster string, want api.Restore) (t control.Task, err error) {
	return t, c.ask(ctx, http.MethodPost, of(cluster, "restore"), want, &t)
}

// Object reads one of a snapshot's objects as it is. Who reads must compare it with the manifest (snapshot.NewObject).
func (c *Client) Object(ctx context.Context, cluster, name, object string) (io.ReadCloser, error) {
	return c.send(ctx, http.MethodGet, of(cluster, "snapshots", name, "objects", object), nil)
}

// Tasks lists what is and was under way, the newest first.
func (c *Client) Tasks(ctx context.Context, cluster string) ([]control.Task, error) {
	var answer api.Tasks
	err := c.ask(ctx, http.MethodGet, of(cluster, "tasks"), nil, &answer)
	return answer.Tasks, err
}

// Cancel stops a task; it ends when it has cleaned up.
func (c *Client) Cancel(ctx context.Context, cluster, task string) error {
	return c.ask(ctx, http.MethodDelete, of(cluster, "tasks", task), nil, nil)
}

// Task gives a task when it is over, or after a time.
func (c *Client) Task(ctx context.Context, cluster, task string, wait time.Duration) (t control.Task, err error) {
	return t, c.ask(ctx, http.MethodGet, of(cluster, "tasks", task)+fmt.Sprintf("?wait=%g", wait.Seconds()), nil, &t)
}

// Migrations lists them, the newest first.
func (c *Client) Migrations(ctx context.Context, cluster string) (list api.Migrations, err error) {
	return list, c.ask(ctx, http.MethodGet, of(cluster, "migrations"), nil, &list)
}

// StartMigration begins one.
func (c *Client) StartMigration(ctx context.Context, cluster string, want migrate.Request) (m migrate.Migration, err error) {
	return m, c.ask(ctx, http.MethodPost, of(cluster, "migrations"), want, &m)
}

// Migration tells of one.
func (c *Client) Migration(ctx context.Context, cluster, id string) (m migrate.Migration, err error) {
	return m, c.ask(ctx, http.MethodGet, of(cluster, "migrations", id), nil, &m)
}

// CutOver has the source's clients' writes stopped and waits until the cluster has all.
func (c *Client) CutOver(ctx context.Context, cluster, id string, want api.Cutover) (m migrate.Migration, err error) {
	return m, c.ask(ctx, http.MethodPost, of(cluster, "migrations", id, "cutover"), want, &m)
}

// AbortMigration ends one, or lets the source of one that is cut over write again.
func (c *Client) AbortMigration(ctx context.Context, cluster, id string) (m migrate.Migration, err error) {
	return m, c.ask(ctx, http.MethodDelete, of(cluster, "migrations", id), nil, &m)
}
