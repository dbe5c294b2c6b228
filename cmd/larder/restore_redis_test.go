package main

import (
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// fillAll fills a server with each type in each of its forms, with expiries, and a library.
func fillAll(t *testing.T, c *redis.Client, prefix string) {
	t.Helper()
	ctx := t.Context()
	long := strings.Repeat("a text that is longer than what a listpack takes ", 4)
	_, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
		p.Set(ctx, prefix+"int", 12345, 0)
		p.Set(ctx, prefix+"embstr", "short", time.Hour)
		p.Set(ctx, prefix+"raw", long, 0)
		p.Set(ctx, prefix+"compressed", strings.Repeat("larder", 5000), 0)
		p.Set(ctx, prefix+"large", strings.Repeat("0123456789abcdefg", 40_000), time.Hour)
		p.Set(ctx, prefix+"\x00\xff bytes", "\x00\xff", 0)
		for i := range 600 {
			p.SAdd(ctx, prefix+"hashtable", fmt.Sprint("member ", i))
			p.ZAdd(ctx, prefix+"skiplist", redis.Z{Score: float64(i) / 3, Member: i})
			p.HSet(ctx, prefix+"hash", fmt.Sprint("field ", i), i)
			p.RPush(ctx, prefix+"quicklist", strings.Repeat("element ", i%60))
			p.SAdd(ctx, prefix+"intset", i%300)
		}
		p.HSet(ctx, prefix+"hash of listpack", "f", "v", "g", 7)
		p.HSet(ctx, prefix+"hash of a long value", "f", long)
		p.ZAdd(ctx, prefix+"zset of listpack", redis.Z{Score: -1.5, Member: "a"}, redis.Z{Score: 1e300, Member: "b"})
		p.RPush(ctx, prefix+"list of listpack", 1, "two", long)
		p.SAdd(ctx, prefix+"small", "a", "b", "c")
		p.PFAdd(ctx, prefix+"hyperloglog", "a", "b", "c")
		p.Do(ctx, "GEOADD", prefix+"geo", "13.36", "38.11", "Palermo")
		p.SetBit(ctx, prefix+"bits", 70_000, 1)
		p.PExpireAt(ctx, prefix+"small", time.Now().Add(time.Hour))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestRestoreOfRedis: what redis-servers have saved, also several, is restored equal: types, encodings, expiries, several databases, streams with groups,
// functions; and the replicas have it too, as a snapshot of them says.
func TestRestoreOfRedis(t *testing.T) {
	want := map[string]string{}
	var files []string
	for i := range 2 { // as two shards of a Redis Cluster have saved
		folder := t.TempDir()
		server := redisServer(t, "--dir", folder, "--enable-debug-command", "yes")
		fillAll(t, server, fmt.Sprint(i, ":"))
		fillAll(t, in(t, server, 7), fmt.Sprint(i, "-"))
		if i == 1 {
			fillStream(t, server)
		}
		if err := server.FunctionLoad(t.Context(), "#!lua name=mine\nredis.register_function('f', function() return 1 end)").Err(); err != nil {
			t.Fatal(err)
		}
		if err := server.Save(t.Context()).Err(); err != nil {
			t.Fatal(err)
		}
		told(t, server, "DEBUG", "RELOAD", "NOSAVE") // so that its encodings are those of what was loaded
		maps.Copy(want, values(t, server, 0, 7))
		files = append(files, filepath.Join(folder, "dump.rdb"))
	}
	dir := t.TempDir()
	c, stop := dev(t, dir, "--shards", "3", "--replicas", "1")
	defer stop()
	restore(t, fmt.Sprintf("%d keys in 3 shards", len(want)), dir, files...)
	same(t, values(t, c, 0, 7), want)
	if n := libraries(t, c); n != 1 {
		t.Errorf("%d libraries", n)
	}
	taken(t, dir, "after")
	if code, stdout, stderr := say(t, "snapshot", "show", "after", "--dir", dir); code != 0 || strings.Count(stdout, "(replica)") != 3 {
		t.Fatal(stdout, stderr)
	}
	again, stopAgain := dev(t, t.TempDir(), "--shards", "1", "--restore", filepath.Join(dir, "snapshots", folderOf(t, dir, "after")))
	defer stopAgain()
	same(t, values(t, again, 0, 7), want)
}

// TestRestoreHasNoRoom: what cannot fit is refused before anything is lost.
func TestRestoreHasNoRoom(t *testing.T) {
	dir := t.TempDir()
	c, stop := dev(t, dir, "--shards", "1")
	ctx := t.Context()
	for i := range 40 {
		if err := c.Set(ctx, fmt.Sprint("k", i), strings.Repeat("v", 1<<20), 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	taken(t, dir, "one")
	stop()
	from := filepath.Join(dir, "snapshots", folderOf(t, dir, "one"))
	into := t.TempDir()
	c, stop = dev(t, into, "--shards", "1", "--set", "engine.maxmemory=32mb")
	defer stop()
	if err := c.Set(ctx, "mine", 1, 0).Err(); err != nil {
		t.Fatal(err)
	}
	refuses(t, "there is no room", into, from, "--replace")
	if got := c.Get(ctx, "mine").Val(); got != "1" {
		t.Errorf("mine is %q", got)
	}
	restore(t, "11 keys", into, from, "--replace", "--prefix", "k1")
}
