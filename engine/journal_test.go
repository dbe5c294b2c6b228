package engine_test

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"larder/engine"
	"larder/internal/conform"
	"larder/persistence/files"
	"larder/persistence/journal"
	"larder/protocol/resp"
)

// journaled is a bed whose journal has been begun while it serves.
func journaled(t *testing.T, policy string) (*bed, *files.Trace, string) {
	t.Helper()
	b, trace, dir := watched(t, func(o *engine.Options) { o.AppendFsync = policy })
	b.client().says("+OK\r\n", "CONFIG", "SET", "appendonly", "yes")
	b.rewritten("1")
	return b, trace, dir
}

// rewritten waits for so many rewrites.
func (b *bed) rewritten(n string) {
	b.t.Helper()
	k := b.client()
	b.until(func() bool {
		b.m.Advance(time.Millisecond)
		return k.persistence("aof_rewrites") == n
	})
}

// written waits until the journal has what was said.
func (b *bed) written() {
	b.t.Helper()
	k := b.client()
	b.until(func() bool {
		b.m.Advance(time.Millisecond)
		return k.persistence("aof_buffer_length") == "0" && k.persistence("aof_last_write_status") == "ok"
	})
}

// journalText is the commands of the journal's increments, a line each.
func journalText(t *testing.T, dir string) string {
	t.Helper()
	f, err := journal.Look(files.In(dir, nil), "appendonlydir", "appendonly.aof")
	if err != nil {
		t.Fatal(err)
	}
	parts, err := f.Parts()
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, part := range parts {
		if part.Kind == journal.Base {
			continue
		}
		text, err := os.ReadFile(part.Path)
		if err != nil {
			t.Fatal(err)
		}
		r := journal.NewReader(bytes.NewReader(text), 0, int64(len(text)))
		for {
			rec, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", part.Path, err)
			}
			if rec.Args != nil {
				out.Write(bytes.Join(rec.Args, []byte(" ")))
				out.WriteByte('\n')
			}
		}
	}
	return out.String()
}

// redisTakes has Redis's own tool look at a copy of the journal.
func redisTakes(t *testing.T, dir string) {
	t.Helper()
	out, err := exec.Command("redis-check-aof", filepath.Join(dir, "appendonlydir", "appendonly.aof.manifest")).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "All AOF files and manifest are valid") {
		t.Errorf("redis-check-aof: %v\n%s", err, out)
	}
}

// TestJournal: what was there when it began is in the base, what comes is in the increment, and a rewrite makes a base of both.
func TestJournal(t *testing.T) {
	for _, policy := range engine.FsyncPolicies() {
		b, _, dir := watched(t, func(o *engine.Options) { o.AppendFsync = policy })
		k := b.client()
		k.says("+OK\r\n", "SET", "before", "1")
		k.says("+OK\r\n", "CONFIG", "SET", "appendonly", "yes")
		b.rewritten("1")
		tell := func(args ...string) {
			k.c.Feed(sentence(args...))
			b.until(func() bool { return k.got() != "" })
		}
		tell("SET", "a", "1")
		tell("SELECT", "3")
		tell("INCR", "n")
		b.written()
		if got := journalText(t, dir); got != "SELECT 0\nSET a 1\nSELECT 3\nINCR n\n" {
			t.Errorf("%s: %q", policy, got)
		}
		redisTakes(t, dir)
		k.says("+Background append only file rewriting started\r\n", "BGREWRITEAOF")
		tell("INCR", "n")
		b.rewritten("2")
		b.written()
		if got := journalText(t, dir); got != "SELECT 3\nINCR n\n" {
			t.Errorf("%s: %q", policy, got)
		}
		redisTakes(t, dir)
		k.says("+OK\r\n", "CONFIG", "SET", "appendonly", "no")
		tell("INCR", "n")
		if got := journalText(t, dir); got != "SELECT 3\nINCR n\n" {
			t.Errorf("%s: %q after it was ended", policy, got)
		}
	}
}

// TestJournalAlways: nothing is answered that is not safe.
func TestJournalAlways(t *testing.T) {
	b, trace, _ := journaled(t, "always")
	k, other := b.client(), b.client()
	before := len(trace.Ops())
	k.c.Feed(sentence("SET", "a", "1"))
	other.says("$-1\r\n", "GET", "b")
	b.until(func() bool { return k.got() == "+OK\r\n" })
	ops := trace.Ops()[before:]
	if len(ops) != 2 || ops[0].Kind != files.Write || ops[1].Kind != files.Sync {
		t.Errorf("%v", ops)
	}
}

// TestJournalDiskFull: writes are refused while the journal cannot be written, those that ran are answered when it can, and nothing is missing or there twice.
func TestJournalDiskFull(t *testing.T) {
	const full = "-MISCONF Errors writing to the AOF file: No space left on device\r\n"
	for _, policy := range []string{"always", "everysec"} {
		b, trace, dir := journaled(t, policy)
		k, other := b.client(), b.client()
		trace.Fail(1, syscall.ENOSPC, true)
		k.c.Feed(sentence("SET", "a", "1"))
		b.until(func() bool {
			b.m.Advance(time.Millisecond)
			return other.persistence("aof_last_write_status") == "err"
		})
		other.says(full, "SET", "b", "1")
		other.says(full, "PING")
		other.says("$-1\r\n", "GET", "b")
		if policy != "always" { // it would wait: nobody knows what a script has seen
			if got := other.do("EVAL", "return redis.call('set', 'b', '1')", "0"); !strings.HasPrefix(got, strings.TrimSpace(full)) {
				t.Errorf("a script: %q", got)
			}
		}
		want := "+OK\r\n"
		if policy == "always" {
			want = ""
		}
		if got := k.got(); got != want {
			t.Errorf("%s: %q, want %q", policy, got, want)
		}
		trace.Fail(1, nil, false)
		b.until(func() bool {
			b.m.Advance(time.Millisecond)
			return other.persistence("aof_last_write_status") == "ok"
		})
		if policy == "always" {
			b.until(func() bool { return k.got() == "+OK\r\n" })
		}
		other.c.Feed(sentence("SET", "b", "2"))
		b.until(func() bool { return other.got() == "+OK\r\n" })
		b.written()
		if got := journalText(t, dir); got != "SELECT 0\nSET a 1\nSET b 2\n" {
			t.Errorf("%s: %q", policy, got)
		}
	}
}

// TestJournalRestores: a node that starts on a copy of another's journal has its data, whatever commands of all types were drawn, with a rewrite among them.
func TestJournalRestores(t *testing.T) {
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(seed, 11))
		dir := t.TempDir()
		now := time.Now()
		b := newBedAt(t, now, nil, func(o *engine.Options) { o.Dir, o.AppendOnly, o.AppendFsync = dir, true, "no" })
		k := b.client()
		drawn := conform.NewGenerator(rng, now, true)
		draw := func(n int) {
			for _, step := range drawn.Section("drawn", n).Steps {
				if args := step.Args(now); !strings.HasPrefix(strings.ToLower(string(args[0])), "flush") || rng.IntN(20) == 0 {
					k.send(resp.AppendCommand(nil, args...))
				}
			}
			k.do("SELECT", strconv.Itoa(rng.IntN(3)))
			b.m.Advance(time.Duration(rng.IntN(50)) * time.Millisecond)
		}
		for range 20 {
			draw(50)
		}
		k.do("BGREWRITEAOF")
		for range 20 {
			draw(50)
		}
		b.rewritten("1")
		draw(100)
		k.do("HELLO", "2")
		b.written()
		copied := t.TempDir()
		if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
			t.Fatal(err)
		}
		redisTakes(t, copied)
		want, count := k.digest(), k.do("INFO", "keyspace")
		if strings.Count(count, "keys=") < 2 {
			t.Fatalf("seed %d: the commands leave next to nothing: %s", seed, count)
		}
		again := newBedAt(t, b.m.Loop.Now(), nil, func(o *engine.Options) { o.Dir, o.AppendOnly = copied, true })
		c := again.client()
		again.until(func() bool { return c.do("PING") == "+PONG\r\n" })
		if got := c.digest(); got != want {
			t.Errorf("seed %d: digest %s, want %s\n%s\n%s", seed, got, want, c.do("INFO", "keyspace"), count)
		}
	}
}

// TestJournalTellsNobody: what is read from a journal at the start is past. Nobody who subscribes meanwhile is told of it: it may not even be what became of the
// shard.
func TestJournalTellsNobody(t *testing.T) {
	const many = 20_000
	dir, now := t.TempDir(), time.Now()
	b := newBedAt(t, now, nil, func(o *engine.Options) { o.Dir, o.AppendOnly, o.AppendFsync = dir, true, "no" })
	k := b.client()
	k.do("CONFIG", "SET", "notify-keyspace-events", "KEA")
	for range many / 100 {
		k.do("EVAL", "for i = 1, 100 do redis.call('RPUSH', KEYS[1], i) redis.call('PUBLISH', 'news', i) end", "1", "list")
	}
	b.written()
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	again := newBedAt(t, now, nil, func(o *engine.Options) { o.Dir, o.AppendOnly = copied, true })
	hears := again.client()
	said := hears.send([]byte("CONFIG SET notify-keyspace-events KEA\r\nINFO persistence\r\nPSUBSCRIBE *\r\n")) // the loop has had no turn yet
	_, told, subscribed := strings.Cut(said, "*3\r\n$10\r\npsubscribe\r\n$1\r\n*\r\n:1\r\n")
	if field(said, "loading") != "1" || !subscribed {
		t.Fatalf("the subscriber came too late for this to prove anything: %q", said)
	}
	asks := again.client()
	again.until(func() bool { return asks.do("LLEN", "list") == fmt.Sprintf(":%d\r\n", many) })
	if told += hears.got(); told != "" {
		t.Errorf("a subscriber was told of what is past: %.200q", told)
	}
}

// TestJournalOfOtherData: when the node's history is another's, the journal is begun anew with what the node has then.
func TestJournalOfOtherData(t *testing.T) {
	b, _, dir := journaled(t, "always")
	k := b.client()
	k.c.Feed(sentence("SET", "a", "1"))
	b.until(func() bool { return k.got() == "+OK\r\n" })
	b.node.Restart(strings.Repeat("b", 40), 5000)
	b.rewritten("2")
	k.c.Feed(sentence("SET", "b", "1"))
	b.until(func() bool { return k.got() == "+OK\r\n" })
	if got := journalText(t, dir); got != "SELECT 0\nSET b 1\n" {
		t.Errorf("%q", got)
	}
	redisTakes(t, dir)
}

// TestJournalEndsUnderItsName: what is still to be written of a history that the node has no more is not given the name of the one that it has now: who starts
// on that journal would go on in the wrong one.
func TestJournalEndsUnderItsName(t *testing.T) {
	var armed atomic.Bool
	began, on := make(chan struct{}, 10), make(chan struct{})
	dir := t.TempDir()
	b := newBedAt(t, start, func(op files.Op) error {
		if op.Kind == files.Write && armed.Load() {
			began <- struct{}{}
			<-on
		}
		return nil
	}, func(o *engine.Options) { o.Dir, o.AppendOnly, o.AppendFsync = dir, true, "no" })
	k := b.client()
	b.until(func() bool { return k.do("SET", "a", "0") == "+OK\r\n" })
	b.written()
	armed.Store(true)
	k.c.Feed(sentence("SET", "a", "1"))
	<-began
	k.c.Feed(sentence("SET", "last", "1")) // the writer is busy
	other := strings.Repeat("b", 40)
	b.node.Restart(other, 5000)
	armed.Store(false)
	close(on)
	b.m.Advance(100 * time.Millisecond)
	all, err := filepath.Glob(filepath.Join(dir, "*", "*.incr.aof"))
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, name := range all {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(text), "last") {
			found = true
			if strings.Contains(string(text), other) {
				t.Errorf("%s: %q", name, text)
			}
		}
	}
	if !found {
		t.Errorf("the end is in none of %q", all)
	}
}

// TestJournalBegins under writes: what comes before its base is begun is in that, and not a second time behind it.
func TestJournalBegins(t *testing.T) {
	for _, policy := range engine.FsyncPolicies() {
		b, _, dir := watched(t, func(o *engine.Options) { o.AppendFsync = policy })
		k := b.client()
		k.says("+OK\r\n", "CONFIG", "SET", "appendonly", "yes")
		k.says(":1\r\n", "INCR", "n") // before the next tick
		b.rewritten("1")
		k.c.Feed(sentence("INCR", "n"))
		b.until(func() bool { return k.got() != "" })
		b.written()
		if got := journalText(t, dir); got != "SELECT 0\nINCR n\n" {
			t.Errorf("%s: behind the base comes %q", policy, got)
		}
		redisTakes(t, dir)
	}
}

// TestRewriteFails at each of its operations: the journal goes on and has all.
func TestRewriteFails(t *testing.T) {
	for n := 1; ; n++ {
		b, trace, dir := journaled(t, "everysec")
		k := b.client()
		k.says("+OK\r\n", "SET", "a", "1")
		b.written()
		before := len(trace.Ops())
		trace.Fail(n, syscall.EIO, false)
		k.do("BGREWRITEAOF")
		b.until(func() bool {
			b.m.Advance(time.Millisecond)
			return k.persistence("aof_rewrite_in_progress") == "0"
		})
		reached := len(trace.Ops()) >= before+n
		trace.Fail(1<<30, nil, false)
		failed := k.persistence("aof_last_bgrewrite_status") == "err"
		k.says("+OK\r\n", "SET", "b", "1")
		b.written()
		text := journalText(t, dir)
		switch text {
		case "SELECT 0\nSET a 1\nSELECT 0\nSET b 1\n", "SELECT 0\nSET a 1\nSET b 1\n":
		case "SELECT 0\nSET b 1\n": // the new base has the other
			if failed && !strings.Contains(fmt.Sprint(trace.Ops()[before:before+n]), "rename temp-appendonly.aof.manifest") {
				t.Errorf("operation %d: %q", n, text)
			}
		default:
			t.Errorf("operation %d: %q", n, text)
		}
		redisTakes(t, dir)
		k.says("+Background append only file rewriting started\r\n", "BGREWRITEAOF")
		b.rewritten(map[bool]string{true: "2", false: "3"}[failed])
		if left, _ := filepath.Glob(filepath.Join(dir, "appendonlydir", "temp-*")); len(left) > 0 {
			t.Errorf("operation %d: %v stay", n, left)
		}
		if !reached {
			break
		}
	}
}

// TestRewriteByGrowth: it begins by itself.
func TestRewriteByGrowth(t *testing.T) {
	b, _, _ := journaled(t, "no")
	k := b.client()
	k.says("+OK\r\n", "CONFIG", "SET", "auto-aof-rewrite-min-size", "10kb")
	k.says("+OK\r\n", "SET", "a", strings.Repeat("x", 20<<10))
	b.rewritten("2")
	if got := k.persistence("aof_base_size"); got == "0" {
		t.Error("it knows of no size after the rewrite")
	}
}

func sentence(args ...string) []byte { return resp.AppendCommandStrings(nil, args...) }
