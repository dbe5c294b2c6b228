package main

import (
	"context"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"larder/router"
)

// in gives a client of one of the databases at a client's endpoint.
func in(t *testing.T, c *redis.Client, db int) *redis.Client {
	t.Helper()
	other := redis.NewClient(&redis.Options{Network: c.Options().Network, Addr: c.Options().Addr, DB: db})
	t.Cleanup(func() { other.Close() })
	return other
}

// everywhere is every key of some databases, as "DB KEY", with what DUMP gives of it, whether it expires and its encoding.
func everywhere(t *testing.T, c *redis.Client, dbs ...int) map[string]string {
	t.Helper()
	ctx := t.Context()
	all := map[string]string{}
	for _, db := range dbs {
		c := in(t, c, db)
		for key, value := range state(t, c) {
			encoding, err := c.ObjectEncoding(ctx, key).Result()
			if err != nil {
				t.Fatal(err)
			}
			all[fmt.Sprint(db, " ", key)] = value + " as " + encoding
		}
	}
	return all
}

// selected is what of everywhere's keys is selected.
func selected(all map[string]string, s router.Selection) map[string]string {
	all = maps.Clone(all)
	maps.DeleteFunc(all, func(name, _ string) bool {
		db, key, _ := strings.Cut(name, " ")
		return !s.Has(int(db[0]-'0'), []byte(key))
	})
	return all
}

// fillBoth fills databases 0 and 3, and loads a library.
func fillBoth(t *testing.T, c *redis.Client) map[string]string {
	t.Helper()
	filled(t, c, 1500)
	filled(t, in(t, c, 3), 300)
	if err := c.FunctionLoad(t.Context(), "#!lua name=mine\nredis.register_function('f', function() return 1 end)").Err(); err != nil {
		t.Fatal(err)
	}
	return everywhere(t, c, 0, 3)
}

// taken takes a snapshot.
func taken(t *testing.T, dir, name string) {
	t.Helper()
	if code, stdout, stderr := say(t, "snapshot", "create", name, "--dir", dir); code != 0 {
		t.Fatal(stdout, stderr)
	}
}

func libraries(t *testing.T, c *redis.Client) int {
	t.Helper()
	list, err := c.FunctionList(context.WithoutCancel(t.Context()), redis.FunctionListQuery{}).Result()
	if err != nil {
		t.Fatal(err)
	}
	return len(list)
}

// TestStartWithSelected: dev starts with a part of a snapshot: exactly the keys that are selected, and functions only with all of them.
func TestStartWithSelected(t *testing.T) {
	dir := t.TempDir()
	c, stop := dev(t, dir, "--shards", "2")
	want := fillBoth(t, c)
	taken(t, dir, "one")
	stop()
	from := dir + "/snapshots/" + folderOf(t, dir, "one")
	for _, only := range [][]string{{}, {"--restore-db", "3"}, {"--restore-prefix", "text:1"}, {"--restore-slots", "0-999,16000-16383"}, {"--restore-db", "0", "--restore-prefix", "hash", "--restore-slots", "0-9000"}} {
		var say [3]string
		for i := 0; i < len(only); i += 2 {
			say[map[string]int{"--restore-db": 0, "--restore-prefix": 1, "--restore-slots": 2}[only[i]]] = only[i+1]
		}
		s, err := router.ParseSelection(say[0], say[1], say[2])
		if err != nil {
			t.Fatal(err)
		}
		restored, stop := dev(t, t.TempDir(), append([]string{"--shards", "3", "--restore", from}, only...)...)
		part := selected(want, s)
		if len(part) == 0 {
			t.Fatalf("%s selects nothing", &s)
		}
		same(t, everywhere(t, restored, 0, 3), part)
		if n := libraries(t, restored); (n == 1) != s.All() {
			t.Errorf("%s: %d libraries", &s, n)
		}
		stop()
	}
	refused(t, "must be a number", t.TempDir(), "--restore", from, "--restore-db", "first")
	refused(t, "not from where", t.TempDir(), "--restore-prefix", "a")
}

// folderOf is the folder of a snapshot in dev's own store.
func folderOf(t *testing.T, dir, name string) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(dir, "snapshots", name+"-2*"))
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	return filepath.Base(found[0])
}
