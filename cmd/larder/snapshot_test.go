package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"larder/control"
	"larder/persistence/inspect"
)

// printed is what somebody prints while the test looks at it.
type printed struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (p *printed) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buf.Write(b)
}

func (p *printed) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.buf.String()
}

// dev runs larder dev on a folder until stop, and gives a client of its endpoint.
func dev(t *testing.T, dir string, args ...string) (c *redis.Client, stop func()) {
	t.Helper()
	var out, log printed
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, append([]string{"dev", "--listen", "127.0.0.1:0", "--metrics", "off", "--dir", dir}, args...), &out, &log)
	}()
	stop = func() {
		cancel()
		if code, open := <-ended; open && code != 0 {
			t.Errorf("dev ended with code %d:\n%s", code, log.String())
		}
		close(ended)
	}
	endpoint := regexp.MustCompile(`shards at (\S+)`)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if found := endpoint.FindStringSubmatch(out.String()); found != nil && strings.Contains(out.String(), "Ctrl-C") {
			c = redis.NewClient(&redis.Options{Addr: found[1]})
			t.Cleanup(func() { c.Close() })
			return c, stop
		}
		select {
		case code := <-ended:
			close(ended)
			t.Fatalf("dev ended with code %d:\n%s", code, log.String())
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("dev does not serve:\n%s", log.String())
		}
	}
}

// filled puts keys of all types and expiries into two databases.
func filled(t *testing.T, c *redis.Client, keys int) {
	t.Helper()
	ctx := t.Context()
	_, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range keys {
			p.Set(ctx, fmt.Sprintf("text:%d", i), strings.Repeat("v", i%300), time.Duration(i%3)*time.Hour)
			p.HSet(ctx, fmt.Sprintf("hash:%d", i%40), fmt.Sprintf("f%d", i), i)
			p.ZAdd(ctx, fmt.Sprintf("zset:%d", i%7), redis.Z{Score: float64(i), Member: i})
			p.RPush(ctx, fmt.Sprintf("list:%d", i%5), i)
			p.SAdd(ctx, fmt.Sprintf("set:%d", i%3), i)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// state is every key with what DUMP gives of it and whether it expires.
func state(t *testing.T, c *redis.Client) map[string]string {
	t.Helper()
	ctx := t.Context()
	keys, err := c.Keys(ctx, "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, key := range keys {
		dump, err := c.Dump(ctx, key).Result()
		if err != nil {
			t.Fatal(err)
		}
		at, err := c.PExpireTime(ctx, key).Result()
		if err != nil {
			t.Fatal(err)
		}
		all[key] = fmt.Sprintf("%x until %s", dump, at)
	}
	return all
}

func same(t *testing.T, got, want map[string]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d keys, want %d", len(got), len(want))
	}
	for key, value := range want {
		if got[key] != value {
			t.Fatalf("key %s is %.200q, want %.200q", key, got[key], value)
		}
	}
}

// TestSnapshots: taken of two shards, told of, verified, copied, exported, restored into one, three and five shards with every key as it was.
func TestSnapshots(t *testing.T) {
	dir := t.TempDir()
	c, stop := dev(t, dir, "--shards", "2", "--replicas", "1")
	defer stop()
	filled(t, c, 1500)
	want := state(t, c)
	ok := func(wants string, args ...string) string {
		t.Helper()
		code, stdout, stderr := say(t, append([]string{"snapshot"}, args...)...)
		if code != 0 || !strings.Contains(stdout, wants) {
			t.Fatalf("snapshot %v: code %d, does not say %q:\n%s%s", args, code, wants, stdout, stderr)
		}
		return stdout
	}
	wrong := func(wants string, args ...string) {
		t.Helper()
		if code, stdout, stderr := say(t, append([]string{"snapshot"}, args...)...); code != 1 || !strings.Contains(stderr, wants) {
			t.Errorf("snapshot %v: code %d, does not say %q:\n%s%s", args, code, wants, stdout, stderr)
		}
	}
	ok("there are no snapshots", "list", "--dir", dir)
	ok(fmt.Sprintf("snapshot one is there: %d keys of 2 shards", len(want)), "create", "one", "--dir", dir)
	wrong("there is a snapshot of that name", "create", "one", "--dir", dir)
	wrong("no such snapshot", "verify", "two", "--dir", dir)
	wrong("no Larder runs on folder", "list", "--dir", t.TempDir())
	ok("snapshot one is right", "verify", "one", "--dir", dir)
	ok("n0r1 (replica)", "show", "one", "--dir", dir)
	ok("snapshot one is copied as two", "copy", "one", "--as", "two", "--dir", dir)
	other := filepath.Join(t.TempDir(), "other")
	ok("copied", "copy", "one", "--to", other, "--dir", dir)
	ok("two", "list", "--dir", dir)
	ok("snapshot two is deleted", "delete", "two", "--dir", dir)
	var task control.Task
	if err := json.Unmarshal([]byte(ok("", "create", "three", "--json", "--dir", dir)), &task); err != nil || task.State != control.TaskDone {
		t.Error(task, err)
	}
	ok("snapshot.create", "tasks", "--dir", dir)

	to := t.TempDir()
	ok("one-shard-0001.rdb", "export", "one", "--to", to, "--dir", dir)
	wrong("is there already", "export", "one", "--to", to, "--dir", dir)
	for _, name := range []string{"one-shard-0000.rdb", "one-shard-0001.rdb"} {
		f, err := os.Open(filepath.Join(to, name))
		if err != nil {
			t.Fatal(err)
		}
		if s, err := inspect.Check(f, inspect.Options{Now: time.Now()}); err != nil || !s.Checksum {
			t.Error(s, err)
		}
		f.Close()
	}
	folders, err := filepath.Glob(filepath.Join(other, "one-*"))
	if err != nil || len(folders) != 1 {
		t.Fatal(folders, err)
	}
	for shards, from := range map[string]string{"1": folders[0], "3": to, "5": folders[0]} {
		restored, stop := dev(t, t.TempDir(), "--shards", shards, "--restore", from)
		same(t, state(t, restored), want)
		stop()
	}
	file, err := filepath.Glob(filepath.Join(dir, "snapshots", "one-*", "shard-0001.rdb.zst"))
	if err != nil || len(file) != 1 {
		t.Fatal(file, err)
	}
	b, err := os.ReadFile(file[0])
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 0x55
	if err := os.WriteFile(file[0], b, 0o600); err != nil {
		t.Fatal(err)
	}
	wrong("shard-0001.rdb.zst is damaged", "verify", "one", "--dir", dir)
	refused(t, "shard-0001.rdb.zst is damaged", t.TempDir(), "--restore", filepath.Dir(file[0]))
}

// refused says that dev must not begin to serve.
func refused(t *testing.T, wants, dir string, args ...string) {
	t.Helper()
	code, stdout, stderr := say(t, append([]string{"dev", "--listen", "127.0.0.1:0", "--metrics", "off", "--dir", dir}, args...)...)
	if code != 1 || !strings.Contains(stderr, wants) || strings.Contains(stdout, "Ctrl-C") {
		t.Errorf("dev %v: code %d, does not say %q:\n%s%s", args, code, wants, stdout, stderr)
	}
}

// TestRestoreRefuses: what cannot be restored, and what would overwrite keys.
func TestRestoreRefuses(t *testing.T) {
	dir := t.TempDir()
	c, stop := dev(t, dir, "--shards", "1")
	if err := c.Set(t.Context(), "a", 1, 0).Err(); err != nil {
		t.Fatal(err)
	}
	if code, stdout, stderr := say(t, "snapshot", "create", "mine", "--dir", dir); code != 0 {
		t.Fatal(stdout, stderr)
	}
	stop()
	if _, err := os.Stat(filepath.Join(dir, "api.json")); !os.IsNotExist(err) {
		t.Errorf("the address of a process that has ended is still there: %v", err)
	}
	refused(t, "has data already", dir, "--shards", "1", "--restore", "mine")
	refused(t, "no such snapshot", dir, "--shards", "1", "--restore", "yours")
	refused(t, "neither manifest.json nor files", t.TempDir(), "--restore", t.TempDir())
	notes := write(t, "notes.rdb", []byte("no dump at all"))
	refused(t, "no RDB file", t.TempDir(), "--restore", notes)
}
