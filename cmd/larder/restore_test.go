package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

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

// restore says that a restore must end well and print something.
func restore(t *testing.T, wants, dir string, args ...string) {
	t.Helper()
	if code, stdout, stderr := say(t, append([]string{"snapshot", "restore", "--dir", dir}, args...)...); code != 0 || !strings.Contains(stdout, wants) {
		t.Fatalf("restore %v: code %d, does not say %q:\n%s%s", args, code, wants, stdout, stderr)
	}
}

// refuses says that a restore must not be.
func refuses(t *testing.T, wants, dir string, args ...string) {
	t.Helper()
	if code, stdout, stderr := say(t, append([]string{"snapshot", "restore", "--dir", dir}, args...)...); code != 1 || !strings.Contains(stderr, wants) {
		t.Errorf("restore %v: code %d, does not say %q:\n%s%s", args, code, wants, stdout, stderr)
	}
}

// TestRestoreRunning: a snapshot of two shards into running clusters of one, three and five, every key with value, type, expiry and encoding; keys that are
// there are not overwritten without --replace, and with it only what is selected is.
func TestRestoreRunning(t *testing.T) {
	dir := t.TempDir()
	c, stop := dev(t, dir, "--shards", "2", "--replicas", "0") // a replica's consumers were seen at a time of their own
	fillStream(t, c)
	if err := c.Set(t.Context(), "large", strings.Repeat("larder", 100<<10), time.Hour).Err(); err != nil {
		t.Fatal(err)
	}
	want := fillBoth(t, c)
	taken(t, dir, "one")
	stop()
	from := filepath.Join(dir, "snapshots", folderOf(t, dir, "one"))
	for _, shards := range []string{"1", "3", "5"} {
		into := t.TempDir()
		c, stop := dev(t, into, "--shards", shards, "--replicas", "1")
		restore(t, fmt.Sprintf("all keys are restored: %d keys in %s shards", len(want), shards), into, from)
		same(t, everywhere(t, c, 0, 3), want)
		if n := libraries(t, c); n != 1 {
			t.Errorf("%d libraries", n)
		}
		if shards != "3" {
			stop()
			continue
		}
		refuses(t, fmt.Sprintf("it has %d keys", len(want)), into, from)
		for _, only := range []router.Selection{
			{DB: 3},
			{DB: router.AllDatabases, Prefix: []byte("text:1")},
			{DB: router.AllDatabases, Slots: []router.Range{{From: 0, To: 999}, {From: 16000, To: 16383}}},
			{DB: 0, Prefix: []byte("hash"), Slots: []router.Range{{From: 0, To: 9000}}},
			router.Everything(),
		} {
			now := changed(t, c, only)
			for key := range selected(now, only) {
				delete(now, key)
			}
			maps.Copy(now, selected(want, only))
			args := []string{from, "--replace", "--prefix", string(only.Prefix), "--slots", string(router.AppendRanges(nil, only.Slots))}
			if only.DB != router.AllDatabases {
				args = append(args, "--db", fmt.Sprint(only.DB))
			}
			restore(t, only.String()+" are restored", into, args...)
			same(t, everywhere(t, c, 0, 3), now)
		}
		if code, stdout, stderr := say(t, "snapshot", "events", "--dir", into); code != 0 || !strings.Contains(stdout, "snapshot-restored") || !strings.Contains(stdout, "snapshot-restore-failed") {
			t.Error(stdout, stderr)
		}
		stop()
	}
}

// changed changes, removes and adds keys in both databases, among them some that are selected, and gives what there is then.
func changed(t *testing.T, c *redis.Client, s router.Selection) map[string]string {
	t.Helper()
	ctx := t.Context()
	for _, db := range []int{0, 3} {
		c := in(t, c, db)
		_, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
			for i := range 200 {
				p.Set(ctx, fmt.Sprintf("text:%d", i), "changed", 0)
				p.Set(ctx, fmt.Sprintf("hash:%d", i), "changed", 0)
				p.Set(ctx, fmt.Sprintf("text:1added:%d", i), "added", 0)
				p.Del(ctx, fmt.Sprintf("text:%d", 1000+i))
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	all := everywhere(t, c, 0, 3)
	if len(selected(all, s)) == 0 {
		t.Fatalf("%s selects nothing", &s)
	}
	return all
}

// TestRestoreDamaged: a damaged object is refused by its name, and the cluster has what it had.
func TestRestoreDamaged(t *testing.T) {
	dir := t.TempDir()
	c, stop := dev(t, dir, "--shards", "2")
	defer stop()
	want := fillBoth(t, c)
	taken(t, dir, "one")
	object := filepath.Join(dir, "snapshots", folderOf(t, dir, "one"), "shard-0001.rdb.zst")
	b, err := os.ReadFile(object)
	if err != nil {
		t.Fatal(err)
	}
	b[len(b)/2] ^= 0x55
	if err := os.WriteFile(object, b, 0o600); err != nil {
		t.Fatal(err)
	}
	refuses(t, "shard-0001.rdb.zst is damaged", dir, "one", "--replace")
	refuses(t, "nothing was changed", dir, "one", "--replace")
	same(t, everywhere(t, c, 0, 3), want)
	refuses(t, "no such snapshot", dir, "two")
	refuses(t, "must be a whole one", dir, "no/such/file.rdb")
	refuses(t, "slots", dir, "one", "--slots", "9-1")
	refuses(t, "no database 99", dir, "one", "--replace", "--db", "99")
}
