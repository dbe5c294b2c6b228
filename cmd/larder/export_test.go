package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"
)

// TestExportOne: all shards in one file, which redis-server loads with every key and library, and which its own tool finds right.
func TestExportOne(t *testing.T) {
	dir := t.TempDir()
	c, stop := dev(t, dir, "--shards", "3")
	defer stop()
	fillBoth(t, c)
	if err := c.Set(t.Context(), "large", strings.Repeat("larder", 100<<10), 0).Err(); err != nil {
		t.Fatal(err)
	}
	fillStream(t, c)
	want := values(t, c, 0, 3)
	taken(t, dir, "one")
	to := t.TempDir()
	file := filepath.Join(to, "below", "all.rdb")
	if code, stdout, stderr := say(t, "snapshot", "export", "one", "--one", file, "--dir", dir); code != 0 || stdout != file+"\n" {
		t.Fatal(code, stdout, stderr)
	}
	if code, _, stderr := say(t, "snapshot", "export", "one", "--one", file, "--dir", dir); code != 1 || !strings.Contains(stderr, "is there already") {
		t.Error(code, stderr)
	}
	if out, err := exec.Command("redis-check-rdb", file).CombinedOutput(); err != nil || !strings.Contains(string(out), "RDB looks OK") {
		t.Errorf("%s%v", out, err)
	}
	server := redisServer(t, "--dir", filepath.Dir(file), "--dbfilename", filepath.Base(file))
	same(t, values(t, server, 0, 3), want)
	if n := libraries(t, server); n != 1 {
		t.Errorf("%d libraries", n)
	}

	object := filepath.Join(dir, "snapshots", folderOf(t, dir, "one"), "shard-0002.rdb.zst")
	b, err := os.ReadFile(object)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 0x55
	if err := os.WriteFile(object, b, 0o600); err != nil {
		t.Fatal(err)
	}
	damaged := filepath.Join(to, "damaged.rdb")
	if code, _, stderr := say(t, "snapshot", "export", "one", "--one", damaged, "--dir", dir); code != 1 || !strings.Contains(stderr, "shard-0002.rdb.zst is damaged") {
		t.Error(code, stderr)
	}
	if left, err := os.ReadDir(to); err != nil || len(left) != 1 {
		t.Errorf("a damaged export has left %v (%v)", left, err)
	}
}

// fillStream makes a stream with groups and what is pending in them.
func fillStream(t *testing.T, c *redis.Client) {
	t.Helper()
	ctx := t.Context()
	for range 300 {
		if err := c.XAdd(ctx, &redis.XAddArgs{Stream: "stream", Values: []any{"f", "v", "g", "w"}}).Err(); err != nil {
			t.Fatal(err)
		}
	}
	for _, group := range []string{"one", "two"} {
		told(t, c, "XGROUP", "CREATE", "stream", group, "0")
		told(t, c, "XREADGROUP", "GROUP", group, "me", "COUNT", "40", "STREAMS", "stream", ">")
	}
	told(t, c, "XTRIM", "stream", "MAXLEN", "250")
}
