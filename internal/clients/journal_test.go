package clients_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"larder/internal/peers"
	"larder/protocol/resp"
)

const manifestName = "appendonlydir/appendonly.aof.manifest"

// aofIsWhole has redis-check-aof look at a journal.
func aofIsWhole(t *testing.T, dir string) {
	t.Helper()
	out, err := exec.Command("redis-check-aof", filepath.Join(dir, manifestName)).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "All AOF files and manifest are valid") {
		t.Fatalf("redis-check-aof: %v: %s", err, out)
	}
}

// copyOf is a copy of a folder.
func copyOf(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}

// digestOf is DEBUG DIGEST.
func digestOf(c *peers.Conn) string { return strings.TrimSpace(string(c.Do("DEBUG", "DIGEST"))) }

// writer says commands of all kinds on a connection, one after the other, until that ends, and knows how many were acknowledged.
type writer struct {
	id      string
	acked   int
	refused string
}

// batchOf is the n-th thing that the writer does, and how many replies it has. Each leaves n in what a later look finds.
func (w *writer) batchOf(n int) (commands []byte, replies int) {
	key, number := func(kind string) string { return kind + ":" + w.id }, strconv.Itoa(n)
	b := resp.AppendCommandStrings(nil, "INCR", key("count"))
	b = resp.AppendCommandStrings(b, "SET", key("set"), number, "EX", "1000")
	b = resp.AppendCommandStrings(b, "RPUSH", key("list"), number)
	b = resp.AppendCommandStrings(b, "HSET", key("hash"), "n", number, "f"+number, number)
	b = resp.AppendCommandStrings(b, "ZADD", key("zset"), number, "m"+number)
	b = resp.AppendCommandStrings(b, "SADD", key("ints"), number)
	b = resp.AppendCommandStrings(b, "XADD", key("stream"), "*", "n", number)
	b = resp.AppendCommandStrings(b, "MULTI")
	b = resp.AppendCommandStrings(b, "INCR", key("left"))
	b = resp.AppendCommandStrings(b, "INCR", key("right"))
	b = resp.AppendCommandStrings(b, "EXEC")
	b = resp.AppendCommandStrings(b, "EVAL", "redis.call('incr', KEYS[1]) return redis.call('incr', KEYS[2])", "2", key("one"), key("two"))
	return b, 12
}

// run goes on until the connection ends, which may be while it is made.
func (w *writer) run(addr string) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	for n := w.acked + 1; ; n++ {
		commands, replies := w.batchOf(n)
		if _, err := conn.Write(commands); err != nil {
			return
		}
		for range replies {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			switch line[0] {
			case '-':
				w.refused = line
				return
			case '$', '*':
				for range map[byte]int{'$': 1, '*': 2}[line[0]] {
					if _, err := in.ReadString('\n'); err != nil {
						return
					}
				}
			}
		}
		w.acked = n
	}
}

// judge looks for what was acknowledged; what was on its way may be there too, up to a place in the batch.
func (w *writer) judge(t *testing.T, c *peers.Conn, what string) {
	t.Helper()
	number := func(args ...string) int {
		text := strings.TrimSpace(string(c.Do(args...)))
		if text[0] == '$' {
			_, text, _ = strings.Cut(text, "\r\n")
		}
		n, _ := strconv.Atoi(strings.TrimPrefix(text, ":"))
		return n
	}
	last := w.acked + 1
	for _, look := range [][]string{
		{"GET", "count:"}, {"GET", "set:"}, {"LLEN", "list:"}, {"HGET", "hash:", "n"}, {"ZCARD", "zset:"}, {"SCARD", "ints:"}, {"XLEN", "stream:"}, {"GET", "left:"}, {"GET", "right:"}, {"GET", "one:"}, {"GET", "two:"},
	} {
		look[1] += w.id
		got := number(look...)
		if got != last && got != w.acked {
			t.Fatalf("%s: %q is %d, acknowledged was %d", what, look, got, w.acked)
		}
		last = got // each is done behind the one before it
	}
	if left, right := number("GET", "left:"+w.id), number("GET", "right:"+w.id); left != right {
		t.Fatalf("%s: half a transaction: %d and %d", what, left, right)
	}
	if one, two := number("GET", "one:"+w.id), number("GET", "two:"+w.id); one != two {
		t.Fatalf("%s: half a script: %d and %d", what, one, two)
	}
	if number("GET", "count:"+w.id) != number("GET", "two:"+w.id) {
		c.Do("DEL", "count:"+w.id, "set:"+w.id, "list:"+w.id, "hash:"+w.id, "zset:"+w.id, "ints:"+w.id, "stream:"+w.id, "left:"+w.id, "right:"+w.id, "one:"+w.id, "two:"+w.id)
		w.acked = 0
		return
	}
	w.acked = last
}

// TestKilledAcknowledged kills a node with appendfsync always at moments that are drawn, while clients write all types, also while its journal is rewritten:
// nothing that was acknowledged is missing, no transaction is there by half, and Redis's tools and server take the journal.
func TestKilledAcknowledged(t *testing.T) {
	t.Parallel()
	rng := dice(t)
	dir := t.TempDir()
	node := larder.Engine(t, "--dir", dir, "--appendonly", "yes", "--appendfsync", "always", "--enable-debug-command", "yes")
	writers := make([]*writer, 8)
	for i := range writers {
		writers[i] = &writer{id: strconv.Itoa(i)}
	}
	total, rewriting := 0, 0
	for round := range 15 {
		var all sync.WaitGroup
		for _, w := range writers {
			all.Go(func() { w.run(node.Addr) })
		}
		if round%3 > 0 {
			c := peers.Dial(t, node.Addr, 2)
			time.Sleep(time.Duration(rng.IntN(100_000)) * time.Microsecond) // the moment is what is drawn
			want(t, c, "+Background append only file rewriting started\r\n", "BGREWRITEAOF")
			time.Sleep(time.Duration(rng.IntN(15_000)) * time.Microsecond)
		} else {
			time.Sleep(time.Duration(rng.IntN(200_000)) * time.Microsecond)
		}
		node.Kill()
		all.Wait()
		if names, _ := filepath.Glob(filepath.Join(dir, "appendonlydir", "temp-*")); len(names) > 0 {
			rewriting++
		}
		copied := copyOf(t, dir)
		node.Start(t)
		c := peers.Dial(t, node.Addr, 2)
		eventually(t, "the journal is loaded", func() bool { return string(c.Do("PING")) == "+PONG\r\n" })
		if names, _ := filepath.Glob(filepath.Join(dir, "appendonlydir", "temp-*")); len(names) > 0 {
			t.Fatalf("there remains %v", names)
		}
		if round%5 == 4 {
			redis := peers.Dial(t, peers.StartRedis(t, "--dir", copied, "--appendonly", "yes", "--enable-debug-command", "yes"), 2)
			eventually(t, "redis-server has loaded it", func() bool { return string(redis.Do("PING")) == "+PONG\r\n" })
			if ours, theirs := digestOf(c), digestOf(redis); ours != theirs {
				t.Fatalf("round %d: our digest is %s, of redis-server on a copy of the journal %s", round, ours, theirs)
			}
		}
		for _, w := range writers {
			if w.refused != "" {
				t.Fatalf("round %d: %s", round, w.refused)
			}
			total += w.acked
			w.judge(t, c, fmt.Sprintf("round %d, writer %s", round, w.id))
		}
		aofIsWhole(t, dir)
	}
	t.Logf("%d rounds were killed while the journal was rewritten", rewriting)
	if total == 0 {
		t.Error("nothing was acknowledged")
	}
}

// TestKilledEverySecond: with everysec the last may be missing, and nothing is damaged.
func TestKilledEverySecond(t *testing.T) {
	t.Parallel()
	rng := dice(t)
	dir := t.TempDir()
	node := larder.Engine(t, "--dir", dir, "--appendonly", "yes")
	for range 6 {
		w := &writer{id: strconv.Itoa(rng.Int())}
		var all sync.WaitGroup
		all.Go(func() { w.run(node.Addr) })
		time.Sleep(time.Duration(rng.IntN(100_000)) * time.Microsecond) // the moment is what is drawn
		node.Kill()
		all.Wait()
		node.Start(t)
		c := peers.Dial(t, node.Addr, 2)
		eventually(t, "the journal is loaded", func() bool { return string(c.Do("PING")) == "+PONG\r\n" })
		aofIsWhole(t, dir)
		if left, right := string(c.Do("GET", "left:"+w.id)), string(c.Do("GET", "right:"+w.id)); left != right {
			t.Fatalf("half a transaction: %q and %q", left, right)
		}
	}
}

// TestJournalOfRedis: a node starts on a copy of a redis-server's folder, and a redis-server on a copy of the node's.
func TestJournalOfRedis(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	addr := peers.StartRedis(t, "--dir", dir, "--appendonly", "yes", "--appendfsync", "always", "--enable-debug-command", "yes", "--aof-timestamp-enabled", "yes")
	redis := peers.Dial(t, addr, 2)
	w := &writer{id: "x"}
	say := func(c *peers.Conn, from, to int) {
		for n := from; n < to; n++ {
			commands, replies := w.batchOf(n)
			c.Send(commands)
			for range replies {
				c.Reply()
			}
		}
	}
	say(redis, 1, 300)
	want(t, redis, "+Background append only file rewriting started\r\n", "BGREWRITEAOF")
	eventually(t, "the rewrite", func() bool { return persists(redis, "aof_rewrite_in_progress") == "0" })
	redis.Do("SELECT", "5")
	say(redis, 300, 400)
	redis.Do("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 'from f' end)")

	ours := copyOf(t, dir)
	node := larder.Engine(t, "--dir", ours, "--appendonly", "yes", "--enable-debug-command", "yes")
	c := peers.Dial(t, node.Addr, 2)
	eventually(t, "the journal is loaded", func() bool { return string(c.Do("PING")) == "+PONG\r\n" })
	if got, want := digestOf(c), digestOf(redis); got != want {
		t.Errorf("our digest is %s, want %s", got, want)
	}
	want(t, c, "$6\r\nfrom f\r\n", "FCALL", "f", "0")
	want(t, c, "+OK\r\n", "SELECT", "3")
	say(c, 1, 100)
	want(t, c, "+Background append only file rewriting started\r\n", "BGREWRITEAOF")
	say(c, 100, 200)
	eventually(t, "the rewrite", func() bool { return persists(c, "aof_rewrites") == "1" })
	say(c, 200, 300)
	digest := digestOf(c)
	if err := node.Terminate(); err != nil {
		t.Fatal(err)
	}
	node.Wait(t)
	aofIsWhole(t, ours)
	back := peers.Dial(t, peers.StartRedis(t, "--dir", copyOf(t, ours), "--appendonly", "yes", "--enable-debug-command", "yes"), 2)
	eventually(t, "redis-server has loaded it", func() bool { return string(back.Do("PING")) == "+PONG\r\n" })
	if got := digestOf(back); got != digest {
		t.Errorf("redis-server's digest is %s, want %s", got, digest)
	}
}

// TestDamagedJournal: a torn end is cut off and said, anything else ends the start, and nothing is changed.
func TestDamagedJournal(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	node := larder.Engine(t, "--dir", dir, "--appendonly", "yes", "--appendfsync", "always")
	c := peers.Dial(t, node.Addr, 2)
	for i := range 10 {
		want(t, c, "+OK\r\n", "SET", "key:"+strconv.Itoa(i), "value")
	}
	node.Kill()
	path := filepath.Join(dir, "appendonlydir", "appendonly.aof.1.incr.aof")
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := strings.Index(string(file), "key:4") - len("*3\r\n$3\r\nSET\r\n$5\r\n")
	for name, damaged := range map[string]string{
		"changed":         string(file[:at]) + "x" + string(file[at+1:]),
		"a wrong length":  strings.Replace(string(file), "$5\r\nkey:4", "$5000\r\nkey:4", 1),
		"no such command": strings.Replace(string(file), "$3\r\nSET\r\n$5\r\nkey:4", "$3\r\nSOT\r\n$5\r\nkey:4", 1),
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(path, []byte(damaged), 0o600); err != nil {
				t.Fatal(err)
			}
			said, code := larder.EngineFails(t, "--dir", dir, "--appendonly", "yes")
			if code == 0 || !strings.Contains(said, path) || !strings.Contains(said, "offset "+strconv.Itoa(at)) {
				t.Errorf("exit code %d, want offset %d: %s", code, at, said)
			}
			if now, _ := os.ReadFile(path); string(now) != damaged {
				t.Error("the file has changed")
			}
		})
	}
	if err := os.WriteFile(path, file[:len(file)-3], 0o600); err != nil {
		t.Fatal(err)
	}
	if said, code := larder.EngineFails(t, "--dir", dir, "--appendonly", "yes", "--aof-load-truncated", "no"); code == 0 || !strings.Contains(said, "ends amid a command") {
		t.Errorf("exit code %d: %s", code, said)
	}
	node.Start(t)
	c = peers.Dial(t, node.Addr, 2)
	want(t, c, ":9\r\n", "DBSIZE")
}

// TestJournalFullDisk: while the journal cannot grow writes are refused and reads are not, and with room again the node goes on by itself.
func TestJournalFullDisk(t *testing.T) {
	t.Parallel()
	for _, policy := range []string{"always", "everysec"} {
		dir := t.TempDir()
		node := larder.Engine(t, "--dir", dir, "--appendonly", "yes", "--appendfsync", policy)
		c, other := peers.Dial(t, node.Addr, 2), peers.Dial(t, node.Addr, 2)
		want(t, c, "+OK\r\n", "SET", "a", "1")
		limitFiles(t, node, "100000")
		c.Send(resp.AppendCommandStrings(nil, "SET", "large", strings.Repeat("x", 200_000)))
		eventually(t, "a write that fails", func() bool { return persists(other, "aof_last_write_status") == "err" })
		want(t, other, "-MISCONF Errors writing to the AOF file: File too large\r\n", "SET", "b", "1")
		want(t, other, "$1\r\n1\r\n", "GET", "a")
		limitFiles(t, node, "unlimited")
		if got := string(c.Reply()); got != "+OK\r\n" {
			t.Errorf("%s: %q", policy, got)
		}
		eventually(t, "writes again", func() bool { return string(other.Do("SET", "b", "1")) == "+OK\r\n" })
		want(t, other, ":3\r\n", "DBSIZE")
		eventually(t, "all is written", func() bool { return persists(other, "aof_buffer_length") == "0" })
		node.Kill()
		aofIsWhole(t, dir)
		node.Start(t)
		want(t, peers.Dial(t, node.Addr, 2), ":3\r\n", "DBSIZE")
	}
}

// TestJournalAdoptsTheFile: who turns appendonly on where there is a dump has its data, after a kill too.
func TestJournalAdoptsTheFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	node := larder.Engine(t, "--dir", dir)
	c := peers.Dial(t, node.Addr, 2)
	want(t, c, "+OK\r\n", "SET", "a", "1")
	want(t, c, "+OK\r\n", "SAVE")
	node.Kill()
	node = larder.Engine(t, "--dir", dir, "--appendonly", "yes", "--appendfsync", "always")
	c = peers.Dial(t, node.Addr, 2)
	eventually(t, "it is loaded", func() bool { return string(c.Do("PING")) == "+PONG\r\n" })
	want(t, c, ":2\r\n", "INCR", "a")
	node.Kill()
	if err := os.Remove(filepath.Join(dir, "dump.rdb")); err != nil {
		t.Fatal(err)
	}
	node.Start(t)
	c = peers.Dial(t, node.Addr, 2)
	eventually(t, "it is loaded", func() bool { return string(c.Do("PING")) == "+PONG\r\n" })
	want(t, c, "$1\r\n2\r\n", "GET", "a")
}

// TestReplicaOfRestarted: a redis-server that follows a node goes on where it was when the node was killed and has started from its journal.
func TestReplicaOfRestarted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	node := larder.Engine(t, "--dir", dir, "--appendonly", "yes", "--appendfsync", "always", "--enable-debug-command", "yes")
	replica := peers.Dial(t, follower(t, node.Addr).Addr, 2)
	c := peers.Dial(t, node.Addr, 2)
	want(t, c, "+OK\r\n", "SELECT", "3")
	for n := range 200 {
		commands, replies := (&writer{id: "x"}).batchOf(n)
		c.Send(commands)
		for range replies {
			c.Reply()
		}
	}
	c = peers.Dial(t, node.Addr, 2)
	upToDate(t, c, replica)
	for round := range 3 {
		node.Kill()
		node.Start(t)
		c = peers.Dial(t, node.Addr, 2)
		eventually(t, "the journal is loaded", func() bool { return string(c.Do("PING")) == "+PONG\r\n" })
		want(t, c, "+OK\r\n", "SELECT", strconv.Itoa(round))
		want(t, c, ":1\r\n", "INCR", "round:"+strconv.Itoa(round))
		upToDate(t, c, replica)
		if full, partial := info(t, c, "sync_full"), info(t, c, "sync_partial_ok"); full != "0" || partial == "0" {
			t.Fatalf("round %d: %s full and %s partial synchronizations", round, full, partial)
		}
	}
}
