package main

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"sort"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// values is every key of some databases, as "DB KEY", with its type, encoding, expiry and value as commands tell them, so that servers can be compared that
// keep them in other orders.
func values(t *testing.T, c *redis.Client, dbs ...int) map[string]string {
	t.Helper()
	ctx := t.Context()
	all := map[string]string{}
	for _, db := range dbs {
		c := in(t, c, db)
		keys, err := c.Keys(ctx, "*").Result()
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range keys {
			kind := told(t, c, "TYPE", key)
			all[fmt.Sprint(db, " ", key)] = fmt.Sprint(kind, encoding(kind, told(t, c, "OBJECT", "ENCODING", key)), told(t, c, "PEXPIRETIME", key), value(t, c, kind.(string), key))
		}
	}
	return all
}

// encoding is one that Redis 7.0 and 7.2 both have: from 7.2 on small lists and sets of texts are listpacks too.
func encoding(kind, encoding any) any {
	switch {
	case kind == "list":
		return "quicklist"
	case kind == "set" && encoding != "intset":
		return "hashtable"
	}
	return encoding
}

func told(t *testing.T, c *redis.Client, args ...any) any {
	t.Helper()
	answer, err := c.Do(t.Context(), args...).Result()
	if err != nil {
		t.Fatal(args, err)
	}
	return answer
}

func value(t *testing.T, c *redis.Client, kind, key string) any {
	t.Helper()
	switch kind {
	case "string":
		return told(t, c, "GET", key)
	case "list":
		return told(t, c, "LRANGE", key, 0, -1)
	case "set":
		members := c.SMembers(t.Context(), key).Val()
		slices.Sort(members)
		return members
	case "hash":
		return c.HGetAll(t.Context(), key).Val() // it is printed in order
	case "zset":
		return told(t, c, "ZRANGE", key, 0, -1, "WITHSCORES")
	}
	return stream(t, c, key)
}

// stream is its entries, counters and groups with what is pending there, without times that pass.
func stream(t *testing.T, c *redis.Client, key string) any {
	t.Helper()
	ctx := t.Context()
	info := c.XInfoStream(ctx, key).Val()
	text := []any{told(t, c, "XRANGE", key, "-", "+"), info.Length, info.LastGeneratedID, info.MaxDeletedEntryID, info.EntriesAdded}
	groups := c.XInfoGroups(ctx, key).Val()
	sort.Slice(groups, func(i, j int) bool { return groups[i].Name < groups[j].Name })
	for _, group := range groups {
		pending := c.XPendingExt(ctx, &redis.XPendingExtArgs{Stream: key, Group: group.Name, Start: "-", End: "+", Count: 1000}).Val()
		for i := range pending {
			pending[i].Idle = 0
		}
		text = append(text, group, pending)
		consumers := c.XInfoConsumers(ctx, key, group.Name).Val()
		for _, one := range consumers {
			text = append(text, one.Name, one.Pending)
		}
	}
	return text
}

// redisServer runs a redis-server until the test ends.
func redisServer(t *testing.T, args ...string) *redis.Client {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	server := exec.Command("redis-server", append([]string{"--port", "0", "--unixsocket", socket, "--save", "", "--dir", t.TempDir()}, args...)...)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(&redis.Options{Network: "unix", Addr: socket})
	t.Cleanup(func() {
		c.Close()
		_ = server.Process.Kill()
		_ = server.Wait()
	})
	for deadline := time.Now().Add(time.Minute); c.Ping(t.Context()).Err() != nil; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("redis-server does not serve")
		}
	}
	return c
}
