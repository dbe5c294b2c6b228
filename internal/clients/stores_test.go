package clients_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"larder/control"
	"larder/control/api"
	"larder/internal/clients"
	"larder/internal/peers"
	"larder/protocol/resp"
)

// place is where a larder dev of a test has its snapshots.
type place struct {
	args []string        // of dev
	left func() []string // what lies there that is of no snapshot, or not finished
}

// folderPlace is a folder.
func folderPlace(t *testing.T, path string) place {
	t.Helper()
	return place{args: []string{"--snapshots", path}, left: func() (left []string) {
		whole := map[string]bool{}
		files := map[string]string{}
		err := filepath.WalkDir(path, func(name string, entry fs.DirEntry, err error) error {
			if err != nil || name == path {
				return err
			}
			folder := filepath.Dir(name)
			if entry.IsDir() {
				folder = name
			}
			files[name] = folder
			whole[folder] = whole[folder] || filepath.Base(name) == "manifest.json"
			return nil
		})
		if err != nil {
			return []string{err.Error()} // it went away while it was looked at: the next look tells
		}
		for name, folder := range files {
			if !whole[folder] || strings.HasPrefix(filepath.Base(name), ".") {
				left = append(left, name)
			}
		}
		return left
	}}
}

const bucket = "snapshots"

// servicePlace is a bucket of a service at its address, or at one through which it is reached.
func servicePlace(t *testing.T, v *peers.Versitygw, through, options string) place {
	t.Helper()
	transport := &http.Transport{DisableKeepAlives: true}
	core, err := minio.NewCore(v.Addr, &minio.Options{
		Creds: credentials.NewStaticV4(peers.VersitygwAccessKey, peers.VersitygwSecretKey, ""), Region: peers.VersitygwRegion, Transport: transport,
	})
	if err == nil {
		err = core.MakeBucket(t.Context(), bucket, minio.MakeBucketOptions{})
	}
	if err != nil {
		t.Fatal(err)
	}
	return place{
		args: []string{
			"--snapshots", fmt.Sprintf("s3://%s/pre?endpoint=http://%s&region=%s&part-size=5mb%s", bucket, through, peers.VersitygwRegion, options),
			"--set", "snapshots.access-key=" + peers.VersitygwAccessKey, "--set", "snapshots.secret-key=" + peers.VersitygwSecretKey,
		},
		left: func() (left []string) {
			whole, files := map[string]bool{}, []string{}
			ctx, cancel := context.WithTimeout(context.Background(), peers.Patience)
			defer cancel()
			for o := range core.ListObjectsIter(ctx, bucket, minio.ListObjectsOptions{Recursive: true}) {
				if o.Err != nil {
					return []string{o.Err.Error()}
				}
				files = append(files, o.Key)
				whole[filepath.Dir(o.Key)] = whole[filepath.Dir(o.Key)] || filepath.Base(o.Key) == "manifest.json"
			}
			for _, name := range files {
				if !whole[filepath.Dir(name)] {
					left = append(left, name)
				}
			}
			uploads, err := core.ListMultipartUploads(ctx, bucket, "", "", "", "", 1000)
			if err != nil {
				return []string{err.Error()}
			}
			for _, u := range uploads.Uploads {
				if !strings.Contains(u.Key, ".check-") {
					left = append(left, "upload "+u.Key)
				}
			}
			return left
		},
	}
}

// nothingLeft waits until what is not whole is gone.
func (p place) nothingLeft(t *testing.T) {
	t.Helper()
	var left []string
	if !holds(peers.Patience, func() bool { left = p.left(); return len(left) == 0 }) {
		t.Fatalf("there is left: %q", left)
	}
}

// listed are the snapshots that the appliance on a folder tells of.
func listed(t *testing.T, dir string) []api.Snapshot {
	t.Helper()
	var list api.Snapshots
	if err := json.Unmarshal([]byte(larder.Done(t, "snapshot", "list", "--json", "--dir", dir)), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Broken) > 0 {
		t.Errorf("broken: %v", list.Broken)
	}
	return list.Snapshots
}

// taskOf is the newest task of a snapshot.
func taskOf(t *testing.T, dir, name string) (task control.Task, there bool) {
	t.Helper()
	var list []control.Task
	if err := json.Unmarshal([]byte(larder.Done(t, "snapshot", "tasks", "--json", "--dir", dir)), &list); err != nil {
		t.Fatal(err)
	}
	for _, task := range list {
		if task.Subject == name {
			return task, true
		}
	}
	return control.Task{}, false
}

// reported counts the events of a kind.
func reported(t *testing.T, dir, kind string) (n int) {
	t.Helper()
	var list []control.Event
	if err := json.Unmarshal([]byte(larder.Done(t, "snapshot", "events", "--json", "--dir", dir)), &list); err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if e.Kind == kind {
			n++
		}
	}
	return n
}

// fails wants a command to fail with a text and its task with a code.
func fails(t *testing.T, code, says, dir, name string) {
	t.Helper()
	stdout, stderr, exit := larder.Run(t, "snapshot", "create", name, "--dir", dir, "--json")
	var task control.Task
	if err := json.Unmarshal([]byte(stdout), &task); err != nil {
		t.Fatalf("%v: %s%s", err, stdout, stderr)
	}
	if exit != 1 || task.Code != code || !strings.Contains(stderr, says) {
		t.Errorf("want code %s and %q, have %s, exit code %d: %s", code, says, task.Code, exit, stderr)
	}
	t.Log(stderr)
}

// noise sets so many values of a KiB that cannot be compressed.
func noise(t *testing.T, addr string, keys int) {
	t.Helper()
	c, rng := peers.Dial(t, addr, 2), rand.NewChaCha8([32]byte{1})
	value := make([]byte, 1<<10)
	const batch = 500
	for i := 0; i < keys; i += batch {
		var out []byte
		for k := range batch {
			_, _ = rng.Read(value)
			out = resp.AppendCommandStrings(out, "SET", "noise:"+strconv.Itoa(i+k), string(value))
		}
		c.Send(out)
		for range batch {
			if got := string(c.Reply()); got != "+OK\r\n" {
				t.Fatal(got)
			}
		}
	}
}

// taking is a larder snapshot create that is under way.
type taking struct {
	ended chan struct{}
	out   string
	code  int
}

func take(t *testing.T, dir, name string) *taking {
	t.Helper()
	s := &taking{ended: make(chan struct{})}
	go func() {
		defer close(s.ended)
		_, s.out, s.code = larder.Run(t, "snapshot", "create", name, "--dir", dir)
	}()
	t.Cleanup(func() { <-s.ended })
	return s
}

// underWay waits until nodes have written something of a snapshot.
func underWay(t *testing.T, d *clients.Process, before float64) {
	t.Helper()
	eventually(t, "the snapshot is under way", func() bool { return metric(t, d, `larder_snapshot_read_bytes_total{cluster="main"}`) > before })
}
