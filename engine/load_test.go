package engine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"larder/engine"
)

// TestLoadingAtStart: while the file is loaded all but a few commands are told so, and what is read at the end is what was saved.
func TestLoadingAtStart(t *testing.T) {
	b, _, dir := watched(t, nil)
	k := b.client()
	k.fillLarge()
	k.do("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 'from f' end)")
	k.do("SET", "dead", "v", "PX", "1000")
	k.do("SET", "alive", "v", "PX", "100000")
	k.do("SELECT", "7")
	k.do("SET", "other", "db")
	k.says("+OK\r\n", "SAVE")
	k.do("SELECT", "0")
	k.do("DEL", "dead")
	want := k.digest()

	again := newBedAt(t, start.Add(10*time.Second), nil, func(o *engine.Options) { o.Dir = dir })
	c := again.client()
	const loading = "-LOADING Redis is loading the dataset in memory\r\n"
	got := c.send([]byte("GET a\r\nSET a 1\r\nPING\r\nDBSIZE\r\nSAVE\r\nBGSAVE\r\nINFO persistence\r\n")) // the loop has had no turn yet
	info, told := strings.CutPrefix(got, strings.Repeat(loading, 6))
	if !told || field(info, "loading") != "1" || field(info, "loading_total_bytes") == "" {
		t.Errorf("while loading: %q", got)
	}
	again.until(func() bool { return c.do("PING") == "+PONG\r\n" })
	if got := c.digest(); got != want {
		t.Errorf("digest %s, want %s", got, want)
	}
	for name, want := range map[string]string{"loading": "0", "rdb_last_load_keys_expired": "1", "rdb_last_load_keys_loaded": "9", "rdb_changes_since_last_save": "0"} {
		if got := c.persistence(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	c.says("$6\r\nfrom f\r\n", "FCALL", "f", "0")
}

// TestLeftovers: what killed processes left of a save is removed at the start, and what is others' is not.
func TestLeftovers(t *testing.T) {
	dir := t.TempDir()
	const dead = "4194304" // more than a process can be numbered
	for _, name := range []string{"dump.rdb." + dead + ".tmp", "dump.rdb.tmp", "dump.rdb.x.tmp", "other.rdb." + dead + ".tmp", "dump.rdb.1.tmp"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	newBedAt(t, start, nil, func(o *engine.Options) { o.Dir = dir })
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(names) != 4 || strings.Contains(strings.Join(names, " "), "dump.rdb."+dead) {
		t.Errorf("there are %v", names)
	}
}
