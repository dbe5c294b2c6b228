package engine_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"larder/engine"
	"larder/persistence/files"
)

const misconf = "-MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. Commands that may modify the data set are" +
	" disabled, because this instance is configured to report errors during writes if RDB snapshotting fails (stop-writes-on-bgsave-error option). Please" +
	" check the Redis logs for details about the RDB error.\r\n"

// watched is a bed whose file operations are traced.
func watched(t *testing.T, change func(*engine.Options)) (*bed, *files.Trace, string) {
	t.Helper()
	dir, trace := t.TempDir(), &files.Trace{}
	b := newBedWatched(t, trace, func(o *engine.Options) {
		o.Dir = dir
		if change != nil {
			change(o)
		}
	})
	return b, trace, dir
}

// until lets the loop turn until ok.
func (b *bed) until(ok func() bool) {
	b.t.Helper()
	for deadline := time.Now().Add(time.Minute); !ok(); time.Sleep(100 * time.Microsecond) {
		b.m.EndTurn()
		if time.Now().After(deadline) {
			b.t.Fatal("it does not come to pass")
		}
	}
}

func (k *talker) persistence(name string) string { return field(k.do("INFO", "persistence"), name) }

// saves begins a save in the background and waits for its end.
func (k *talker) saves() {
	k.b.t.Helper()
	k.says("+Background saving started\r\n", "BGSAVE")
	k.b.until(func() bool { return k.persistence("rdb_bgsave_in_progress") == "0" })
}

func TestSaving(t *testing.T) {
	b, _, dir := watched(t, nil)
	k := b.client()
	k.talk(`
		SET a 1 => +OK
		BGSAVE nonsense => -ERR syntax error
		BGSAVE schedule now => -ERR syntax error
		LASTSAVE => :1700000000
	`)
	b.m.Advance(5 * time.Second)
	k.saves()
	want := k.digest()
	if got := k.do("LASTSAVE"); got != ":1700000005\r\n" {
		t.Errorf("LASTSAVE: %q", got)
	}
	for name, want := range map[string]string{
		"rdb_changes_since_last_save": "0", "rdb_last_bgsave_status": "ok", "rdb_saves": "1", "rdb_last_save_time": "1700000005", "rdb_last_bgsave_time_sec": "0",
		"rdb_current_bgsave_time_sec": "-1", "current_save_keys_total": "0",
	} {
		if got := k.persistence(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	first := readDump(t, dir)
	if got := digestInRedis(t, first); got != want {
		t.Errorf("saved: %s, want %s", got, want)
	}
	k.talk(`
		SET b 2 => +OK
		SAVE => +OK
		MULTI => +OK
		SAVE => -ERR Command not allowed inside a transaction
		BGSAVE => +QUEUED
		DISCARD => +OK
	`)
	if got, want := digestInRedis(t, readDump(t, dir)), k.digest(); got != want {
		t.Errorf("saved: %s, want %s", got, want)
	}
	names, _ := os.ReadDir(dir)
	if len(names) != 1 {
		t.Errorf("in the folder: %v", names)
	}
}

func readDump(t *testing.T, dir string) []byte {
	t.Helper()
	file, err := os.ReadFile(filepath.Join(dir, "dump.rdb"))
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// TestSavesExcludeEachOther: one in the background keeps others off, and one in a transaction waits for its end.
func TestSavesExcludeEachOther(t *testing.T) {
	b, _, dir := watched(t, nil)
	b.m.Drift = time.Millisecond
	k := b.client()
	for i := range 1000 {
		k.do("SET", fmt.Sprint("key", i), strings.Repeat("value", 1000))
	}
	k.c.Feed([]byte("BGSAVE\r\nBGSAVE\r\nSAVE\r\nBGSAVE SCHEDULE\r\nINFO persistence\r\n"))
	got := k.got()
	want := "+Background saving started\r\n" + strings.Repeat("-ERR Background save already in progress\r\n", 3)
	if !strings.HasPrefix(got, want) || field(got, "rdb_bgsave_in_progress") != "1" || field(got, "current_save_keys_total") != "1000" {
		t.Errorf("got %q", got)
	}
	b.until(func() bool { return k.persistence("rdb_bgsave_in_progress") == "0" })
	k.send([]byte("MULTI\r\nSET key0 other\r\nBGSAVE\r\nSET key1 other\r\nEXEC\r\n"))
	b.m.Advance(100 * time.Millisecond)
	b.until(func() bool {
		return k.persistence("rdb_saves") == "2" && k.persistence("rdb_bgsave_in_progress") == "0"
	})
	if got, want := digestInRedis(t, readDump(t, dir)), k.digest(); got != want {
		t.Errorf("saved: %s, want %s", got, want)
	}
}

func TestSavePoints(t *testing.T) {
	b, _, _ := watched(t, func(o *engine.Options) { o.Save = "60 3 3600 1" })
	k := b.client()
	k.talk(`
		CONFIG GET save => *2\r\n$4\r\nsave\r\n$11\r\n60 3 3600 1
		CONFIG SET save nonsense => -ERR CONFIG SET failed (possibly related to argument 'save') - Invalid save parameters
		CONFIG SET dbfilename x => -ERR CONFIG SET failed (possibly related to argument 'dbfilename') - can't set protected config
		SET a 1 => +OK
		SET a 1 => +OK
	`)
	advance := func(seconds int) {
		for range seconds {
			b.m.Advance(time.Second)
		}
		b.until(func() bool { return k.persistence("rdb_bgsave_in_progress") == "0" })
	}
	wants := func(saves string) {
		t.Helper()
		if got := k.persistence("rdb_saves"); got != saves {
			t.Fatalf("%s saves, want %s", got, saves)
		}
	}
	advance(100)
	wants("0")
	k.do("SET", "a", "1")
	advance(1)
	wants("1")
	k.do("SET", "a", "1")
	advance(3500)
	wants("1")
	advance(102)
	wants("2")
	k.says("+OK\r\n", "CONFIG", "SET", "save", "")
	k.do("SET", "a", "1")
	advance(4000)
	wants("2")
	k.says("+OK\r\n", "CONFIG", "SET", "save", "10 1")
	k.says("+OK\r\n", "FLUSHALL")
	b.m.Advance(100 * time.Millisecond)
	advance(1)
	wants("3")
}

// TestDiskErrors: for each operation that fails the file that was there stays whole, no temporary stays, the status says so, and writes wait until the disk
// is well again.
func TestDiskErrors(t *testing.T) {
	full := errors.New("no space left on device")
	for _, how := range []string{"BGSAVE", "SAVE"} {
		for n := 1; ; n++ {
			b, trace, dir := watched(t, func(o *engine.Options) { o.Save = "3600 1000000" })
			k := b.client()
			k.do("SET", "a", "1")
			if how == "BGSAVE" {
				k.saves()
			} else {
				k.says("+OK\r\n", "SAVE")
			}
			old := string(readDump(t, dir))
			k.do("SET", "b", strings.Repeat("text", 1000))
			trace.Fail(n, full, false)
			before := len(trace.Ops())
			if how == "BGSAVE" {
				k.saves()
			} else if got := k.do("SAVE"); got != "+OK\r\n" && got != "-ERR\r\n" {
				t.Fatalf("SAVE: %q", got)
			}
			ops := trace.Ops()[before:]
			if len(ops) < n {
				break // there is no n-th
			}
			syncOnly := ops[n-1].Kind == files.SyncDir // the new file is there, and not yet safe
			if now := string(readDump(t, dir)); (now != old) != syncOnly {
				t.Fatalf("%s, %q fails: the file has changed: %v", how, ops[n-1], now != old)
			}
			if names, _ := os.ReadDir(dir); len(names) != 1 {
				t.Fatalf("%s, %q fails: in the folder are %v", how, ops[n-1], names)
			}
			if how == "SAVE" {
				continue
			}
			if got := k.persistence("rdb_last_bgsave_status"); got != "err" {
				t.Fatalf("%q fails: the status is %q", ops[n-1], got)
			}
			k.says(misconf, "SET", "c", "1")
			k.says(misconf, "PING")
			k.says("$1\r\n1\r\n", "GET", "a")
			if got := k.do("EVAL", "return redis.call('set', 'c', 1)", "1", "c"); !strings.HasPrefix(got, "-MISCONF ") {
				t.Errorf("a script writes: %q", got)
			}
			k.saves()
			k.says("+OK\r\n", "SET", "c", "1")
		}
	}
}

// TestTraceOfASave has the file operations of a save in their order.
func TestTraceOfASave(t *testing.T) {
	b, trace, _ := watched(t, nil)
	k := b.client()
	k.do("SET", "a", "1")
	k.saves()
	const want = "create dump.rdb.tmp\nwrite dump.rdb.tmp (2 times)\nsync dump.rdb.tmp\nclose dump.rdb.tmp\nrename dump.rdb.tmp to dump.rdb\nsync dir\n"
	if got := strings.ReplaceAll(trace.String(), fmt.Sprint(".", os.Getpid()), ""); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
