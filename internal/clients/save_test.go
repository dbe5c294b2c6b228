package clients_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"larder/internal/clients"
	"larder/internal/peers"
	"larder/protocol/resp"
)

// persists is a line of INFO persistence.
func persists(c *peers.Conn, name string) string {
	text, _ := resp.Value(c.Do("INFO", "persistence")).Bytes()
	_, rest, _ := strings.Cut(string(text), "\r\n"+name+":")
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}

// fillKeys sets n keys to a value that begins with mark, and a large hash; a node that cannot save may refuse some.
func fillKeys(t *testing.T, c *peers.Conn, n int, mark string) {
	t.Helper()
	const script = `for i = tonumber(ARGV[1]), ARGV[2] - 1 do
		redis.call('set', 'key:' .. i, ARGV[3] .. string.rep('value ', 30))
		redis.call('hset', 'hash', 'field:' .. i, ARGV[3])
	end`
	const batch = 500
	for i := 0; i < n; i += batch {
		if got := string(c.Do("EVAL", script, "0", strconv.Itoa(i), strconv.Itoa(i+batch), mark)); got != "$-1\r\n" && !strings.HasPrefix(got, "-MISCONF ") {
			t.Fatal(got)
		}
	}
}

// whole has redis-check-rdb look at a file.
func whole(t *testing.T, path string) {
	t.Helper()
	if out, err := exec.Command("redis-check-rdb", path).CombinedOutput(); err != nil {
		t.Fatalf("redis-check-rdb: %v: %s", err, out)
	}
}

func temporaries(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.tmp"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestKilledWhileSaving: whenever a node is killed while it saves, its file is a whole one, of this save or of the one before; what is started anew has that
// file's data, and leaves nothing of the other.
func TestKilledWhileSaving(t *testing.T) {
	t.Parallel()
	rng := dice(t)
	dir := t.TempDir()
	node := larder.Engine(t, "--dir", dir)
	dump := filepath.Join(dir, "dump.rdb")
	const keys = 30_000
	c := peers.Dial(t, node.Addr, 2)
	fillKeys(t, c, keys, "round 0 ")
	want(t, c, "+OK\r\n", "SAVE")
	saved := "round 0 "
	inTheMiddle := 0
	for round := range 12 {
		mark := fmt.Sprintf("round %d ", round+1)
		fillKeys(t, c, keys, mark)
		want(t, c, "+Background saving started\r\n", "BGSAVE")
		time.Sleep(time.Duration(rng.IntN(40_000)) * time.Microsecond) // the moment is what is drawn
		node.Kill()
		whole(t, dump)
		if len(temporaries(t, dir)) > 0 {
			inTheMiddle++
		}
		node.Start(t)
		if left := temporaries(t, dir); len(left) > 0 {
			t.Fatalf("there remains %v", left)
		}
		c = peers.Dial(t, node.Addr, 2)
		want(t, c, fmt.Sprintf(":%d\r\n", keys+1), "DBSIZE")
		text, _ := resp.Value(c.Do("GET", "key:7")).Bytes()
		switch {
		case strings.HasPrefix(string(text), mark):
			saved = mark
		case !strings.HasPrefix(string(text), saved):
			t.Fatalf("in round %d it has %.20q, neither of this save nor of the last that ended (%s)", round, text, saved)
		}
		for _, key := range []string{"key:0", "key:" + strconv.Itoa(keys-1)} {
			if other, _ := resp.Value(c.Do("GET", key)).Bytes(); string(other) != string(text) {
				t.Fatalf("of two saves: %.20q and %.20q", text, other)
			}
		}
		want(t, c, fmt.Sprintf(":%d\r\n", keys), "HLEN", "hash")
		want(t, c, string(resp.AppendBulkString(nil, saved)), "HGET", "hash", "field:"+strconv.Itoa(keys/2))
	}
	if inTheMiddle == 0 {
		t.Error("no save was cut off")
	}
}

// limitFiles lets a process make files of at most so many bytes.
func limitFiles(t *testing.T, p *clients.Process, bytes string) {
	t.Helper()
	if out, err := exec.Command("prlimit", "--pid", strconv.Itoa(p.PID()), "--fsize="+bytes+":unlimited").CombinedOutput(); err != nil {
		t.Fatalf("prlimit: %v: %s", err, out)
	}
}

// TestFullDisk: while there is no room for a save, writes are refused and reads are not; the file that was there stays; with room again the node goes on by
// itself.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	node := larder.Engine(t, "--dir", dir, "--save", "1 1")
	c := peers.Dial(t, node.Addr, 2)
	want(t, c, "+OK\r\n", "SET", "a", "1")
	eventually(t, "the first save", func() bool { return persists(c, "rdb_changes_since_last_save") == "0" })
	limitFiles(t, node, "100000")
	fillKeys(t, c, 5000, "x")
	eventually(t, "a save that fails", func() bool { return persists(c, "rdb_last_bgsave_status") == "err" })
	if got := string(c.Do("SET", "b", "1")); !strings.HasPrefix(got, "-MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk. ") {
		t.Errorf("SET: %q", got)
	}
	want(t, c, "$1\r\n1\r\n", "GET", "a")
	whole(t, filepath.Join(dir, "dump.rdb"))
	if left := temporaries(t, dir); len(left) > 0 {
		t.Errorf("there remains %v", left)
	}
	limitFiles(t, node, "unlimited")
	eventually(t, "writes again", func() bool { return string(c.Do("SET", "b", "1")) == "+OK\r\n" })
	whole(t, filepath.Join(dir, "dump.rdb"))
	limitFiles(t, node, "100")
	if err := node.Terminate(); err != nil {
		t.Fatal(err)
	}
	if code := node.Wait(t); code == 0 {
		t.Error("it ends without a word of what it could not save")
	}
	whole(t, filepath.Join(dir, "dump.rdb"))
}

// TestFullFileSystem is TestFullDisk with a file system that has no room.
func TestFullFileSystem(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=512k"); err != nil {
		t.Fatalf("mount a file system of the test's own (the tests run as root): %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	node := larder.Engine(t, "--dir", dir, "--save", "1 1", "--rdbcompression", "no")
	c := peers.Dial(t, node.Addr, 2)
	fillKeys(t, c, 5000, "x")
	eventually(t, "a save that fails", func() bool { return persists(c, "rdb_last_bgsave_status") == "err" })
	if got := string(c.Do("SET", "b", "1")); !strings.HasPrefix(got, "-MISCONF ") {
		t.Errorf("SET: %q", got)
	}
	if left := temporaries(t, dir); len(left) > 0 {
		t.Errorf("there remains %v", left)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "writes again", func() bool { return string(c.Do("SET", "b", "1")) == "+OK\r\n" })
	whole(t, filepath.Join(dir, "dump.rdb"))
}

// TestEndsWithASave: a node with save points saves when it is told to end, by a signal or by SHUTDOWN, and has everything when it is started again; SHUTDOWN
// NOSAVE saves nothing.
func TestEndsWithASave(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]func(p *clients.Process, c *peers.Conn) error{
		"SIGTERM":         func(p *clients.Process, _ *peers.Conn) error { return p.Terminate() },
		"SHUTDOWN":        func(_ *clients.Process, c *peers.Conn) error { c.Send([]byte("SHUTDOWN\r\n")); return nil },
		"SHUTDOWN SAVE":   func(_ *clients.Process, c *peers.Conn) error { c.Send([]byte("SHUTDOWN SAVE\r\n")); return nil },
		"SHUTDOWN NOSAVE": func(_ *clients.Process, c *peers.Conn) error { c.Send([]byte("SHUTDOWN NOSAVE\r\n")); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			points := "3600 100000"
			if name == "SHUTDOWN SAVE" {
				points = ""
			}
			node := larder.Engine(t, "--save", points)
			c := peers.Dial(t, node.Addr, 2)
			want(t, c, "+OK\r\n", "SET", "a", "1")
			want(t, c, ":1\r\n", "SADD", "s", "member")
			if err := end(node, c); err != nil {
				t.Fatal(err)
			}
			node.Wait(t)
			node.Start(t)
			keys := ":2\r\n"
			if name == "SHUTDOWN NOSAVE" {
				keys = ":0\r\n"
			}
			want(t, peers.Dial(t, node.Addr, 2), keys, "DBSIZE")
		})
	}
}

// TestDamagedFile: a node does not start with a file that is not whole, says where it is damaged, and leaves it as it is.
func TestDamagedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	node := larder.Engine(t, "--dir", dir)
	c := peers.Dial(t, node.Addr, 2)
	fillKeys(t, c, 500, "x")
	want(t, c, "+OK\r\n", "SAVE")
	node.Kill()
	path := filepath.Join(dir, "dump.rdb")
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string]string{
		"cut off": string(file[:len(file)/2]), "changed": string(file[:len(file)/2]) + "\x00\x01\x02\x03" + string(file[len(file)/2+4:]), "empty": "", "of something else": "hello",
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
				t.Fatal(err)
			}
			said, code := larder.EngineFails(t, "--dir", dir)
			if code == 0 || !strings.Contains(said, path) || !strings.Contains(said, "offset") {
				t.Errorf("exit code %d: %s", code, said)
			}
			if now, _ := os.ReadFile(path); string(now) != damaged {
				t.Error("the file has changed")
			}
		})
	}
}
