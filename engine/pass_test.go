package engine_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/engine"
	"larder/internal/conform"
	"larder/internal/peers"
	"larder/loop"
	"larder/persistence/files"
	"larder/persistence/rdb"
	"larder/protocol/resp"
)

// newBedNow is newBed at the present time, with a folder of its own, where DEBUG may be said.
func newBedNow(t testing.TB, change func(*engine.Options)) *bed {
	t.Helper()
	return newBedAt(t, time.Now(), nil, change)
}

// newBedWatched is such a bed at the usual time, whose file operations are traced.
func newBedWatched(t testing.TB, trace *files.Trace, change func(*engine.Options)) *bed {
	t.Helper()
	return newBedAt(t, start, trace.Watch, change)
}

func newBedAt(t testing.TB, at time.Time, watch func(files.Op) error, change func(*engine.Options)) *bed {
	t.Helper()
	o := engine.DefaultOptions()
	o.Dir, o.DebugCommand = t.TempDir(), "yes"
	if change != nil {
		change(&o)
	}
	n, err := engine.New(o, quiet(), nil)
	if err != nil {
		t.Fatal(err)
	}
	n.WatchFiles(watch)
	m := loop.NewMemLoop(at, n.NewPart)
	t.Cleanup(func() {
		m.Stop()
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return &bed{t: t, node: n, m: m}
}

// digest is what DEBUG DIGEST answers.
func (k *talker) digest() string { return strings.TrimSpace(k.do("DEBUG", "DIGEST")) }

// digests is what DEBUG DIGEST-VALUE says of each key of a server, by database and key. Scores are mixed in as text, which 7.0 and 7.2 write differently.
func digests(do func(args ...string) string) map[string]string {
	all := map[string]string{}
	for db := range engine.DefaultOptions().Databases {
		do("SELECT", strconv.Itoa(db))
		it := resp.Elements([]byte(do("KEYS", "*")))
		for e, ok := it.Next(); ok; e, ok = it.Next() {
			key, _ := resp.BulkOf(e)
			text := do("DEBUG", "DIGEST-VALUE", string(key))
			if do("TYPE", string(key)) == "+zset\r\n" {
				text = scores(do("ZRANGE", string(key), "0", "-1", "WITHSCORES")) + do("PEXPIRETIME", string(key))
			}
			all[fmt.Sprintf("%d %q", db, key)] = text
		}
	}
	do("SELECT", "0")
	return all
}

// scores is a reply of members and scores in a form that does not depend on how numbers are written.
func scores(reply string) string {
	var out strings.Builder
	it := resp.Elements([]byte(reply))
	for i := 0; ; i++ {
		e, ok := it.Next()
		if !ok {
			return out.String()
		}
		text, _ := resp.BulkOf(e)
		if n, err := strconv.ParseFloat(string(text), 64); err == nil && i%2 == 1 {
			fmt.Fprintf(&out, "%v ", n)
		} else {
			fmt.Fprintf(&out, "%q ", text)
		}
	}
}

// digestInRedis has a redis-server load a file and gives its digest.
func digestInRedis(t *testing.T, file []byte) string {
	t.Helper()
	c := inRedis(t, file)
	return strings.TrimSpace(string(c.Do("DEBUG", "DIGEST")))
}

// inRedis is a client of a redis-server that has loaded a file.
func inRedis(t *testing.T, file []byte) *peers.Conn {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "dump.rdb"), file, 0o600); err != nil {
		t.Fatal(err)
	}
	return peers.Dial(t, peers.StartRedis(t, "--dir", dir, "--enable-debug-command", "yes"), 0)
}

// fillLarge makes a large value of each type, larger than a slice of a pass.
func (k *talker) fillLarge() {
	var batch []byte
	for i := range 20_000 {
		n := strconv.Itoa(i)
		batch = resp.AppendCommandStrings(batch, "HSET", "large:hash", "field:"+n, "value of "+n)
		batch = resp.AppendCommandStrings(batch, "RPUSH", "large:list", "element "+n, n)
		batch = resp.AppendCommandStrings(batch, "SADD", "large:set", "member:"+n)
		batch = resp.AppendCommandStrings(batch, "ZADD", "large:zset", n+".5", "member:"+n)
		batch = resp.AppendCommandStrings(batch, "XADD", "large:stream", n+"-1", "field", "value of "+n)
	}
	batch = resp.AppendCommandStrings(batch, "XGROUP", "CREATE", "large:stream", "group", "0")
	for i := range 20 {
		batch = resp.AppendCommandStrings(batch, "XREADGROUP", "GROUP", "group", "consumer"+strconv.Itoa(i), "COUNT", "500", "STREAMS", "large:stream", ">")
	}
	batch = resp.AppendCommandStrings(batch, "SET", "large:text", strings.Repeat("text ", 1<<19))
	batch = resp.AppendCommandStrings(batch, "RPUSH", "large:elements", strings.Repeat("x", 2<<20), "y", strings.Repeat("z", 100<<10))
	k.send(batch)
	for range 100 {
		k.b.m.EndTurn()
		k.got()
	}
}

// changeLarge changes the large values while they are written.
func (k *talker) changeLarge(rng *rand.Rand) {
	n := strconv.Itoa(rng.IntN(20_000))
	for _, line := range []string{
		"HSET large:hash field:" + n + " changed", "HDEL large:hash field:1" + n, "LPOP large:list", "LPUSH large:list new", "SREM large:set member:" + n,
		"ZADD large:zset -1 member:" + n, "XDEL large:stream " + n + "-1", "XACK large:stream group " + n + "-1", "APPEND large:text more", "SETRANGE large:text 5 other",
		"LSET large:elements 1 changed",
	} {
		k.do(strings.Fields(line)...)
	}
}

// settle makes keys that would die soon stay, so that a server that loads them later has them too.
func (k *talker) settle() {
	for db := range engine.DefaultOptions().Databases {
		k.do("SELECT", strconv.Itoa(db))
		it := resp.Elements([]byte(k.do("KEYS", "*")))
		for e, ok := it.Next(); ok; e, ok = it.Next() {
			key, _ := resp.BulkOf(e)
			const hour = 3_600_000
			if left, _ := strconv.Atoi(strings.Trim(k.do("PTTL", string(key)), ":\r\n")); left >= 0 && left < hour {
				k.do("PERSIST", string(key))
			}
		}
	}
	k.do("SELECT", "0")
}

// TestPassIsExact: what a pass writes is the keyspace as it was when it began, whatever commands of all types do meanwhile, and a redis-server has it.
func TestPassIsExact(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 7))
			b := newBedNow(t, nil)
			k := b.client()
			drawn := conform.NewGenerator(rng, time.Now(), true)
			draw := func(n int) {
				for _, step := range drawn.Section("drawn", n).Steps {
					k.send(resp.AppendCommand(nil, step.Args(time.Now())...))
				}
				k.do("SELECT", strconv.Itoa(rng.IntN(3)))
			}
			draw(1500)
			k.do("SELECT", "0")
			k.fillLarge()
			draw(300)
			k.settle()
			k.do("HELLO", "2")
			want := digests(k.do)

			b.m.Drift = 100 * time.Microsecond // slices end
			open := false
			a, other := &engine.PassSink{Room: func() bool { return open }}, &engine.PassSink{}
			wake, _, err := b.node.BeginPass(false, a, other)
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; !a.Ended; i++ {
				open = rng.IntN(3) == 0
				wake()
				k.do("SELECT", "0")
				k.changeLarge(rng)
				draw(20)
				if i > 10_000 {
					t.Fatal("the pass does not end")
				}
			}
			if a.Err != nil || other.Err != nil || !other.Ended {
				t.Fatalf("%v, %v", a.Err, other.Err)
			}
			if string(a.Bytes) != string(other.Bytes) {
				t.Fatal("two sinks have got different bytes")
			}
			c := inRedis(t, rdb.AppendSum(a.Bytes, 0))
			got := digests(func(args ...string) string { return string(c.Do(args...)) })
			if len(got) != len(want) || len(want) < 7 {
				t.Errorf("%d keys were written, want %d", len(got), len(want))
			}
			for key, digest := range want {
				if got[key] != digest {
					t.Errorf("%s: %.300q, want %.300q", key, got[key], digest)
				}
			}
			if kept := b.node.Kept(); kept != 0 {
				t.Errorf("%d bytes are kept when the pass is over", kept)
			}
		})
	}
}

// TestPassIsReadBack: a node that loads what a pass wrote is what the other was when the pass began, with fields that expire too, in either form.
func TestPassIsReadBack(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 8))
			b := newBedNow(t, func(o *engine.Options) { o.MaxMemoryPolicy = engine.Policies()[rng.IntN(8)] })
			k := b.client()
			k.do("CONFIG", "SET", "hash-max-listpack-entries", "4", "list-max-listpack-size", "3", "stream-node-max-entries", "5", "set-max-intset-entries", "4")
			drawn := conform.NewGenerator(rng, time.Now(), true)
			change := func(n int) {
				for _, step := range drawn.Section("drawn", n).Steps {
					k.send(resp.AppendCommand(nil, step.Args(time.Now())...))
				}
				for range n {
					field := fmt.Sprint("f", rng.IntN(50))
					k.do("SELECT", strconv.Itoa(rng.IntN(3)))
					k.do("HSET", "fields", field, field)
					k.do("HPEXPIRE", "fields", strconv.Itoa(3_600_000+rng.IntN(1000)), "FIELDS", "1", field)
					k.do("RPUSH", "longer", field)
				}
			}
			change(400)
			k.settle()
			want := k.digest()
			b.m.Drift = 200 * time.Microsecond
			open := false
			sink := &engine.PassSink{Room: func() bool { return open }}
			wake, _, err := b.node.BeginPass(rng.IntN(2) == 0, sink)
			if err != nil {
				t.Fatal(err)
			}
			for !sink.Ended {
				open = rng.IntN(4) == 0
				wake()
				change(3)
			}
			if sink.Err != nil {
				t.Fatal(sink.Err)
			}
			other := loadedBed(t, rdb.AppendSum(sink.Bytes, 0))
			if got := other.digest(); got != want {
				t.Errorf("read back: %s, want %s", got, want)
			}
		})
	}
}

// TestPassesAreLimited: two at a time, and each ends by itself, by a cancellation, or when it would keep too much.
func TestPassesAreLimited(t *testing.T) {
	b := newBedNow(t, func(o *engine.Options) { o.MaxMemory = 64 << 20 })
	k := b.client()
	for i := range 40 {
		k.do("SET", "key"+strconv.Itoa(i), strings.Repeat("x", 500_000))
	}
	closed := func() bool { return false }
	first, second := &engine.PassSink{Room: closed}, &engine.PassSink{Room: closed}
	_, cancel, err := b.node.BeginPass(false, first)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err = b.node.BeginPass(false, second); err != nil {
		t.Fatal(err)
	}
	if _, _, err = b.node.BeginPass(false, &engine.PassSink{}); err == nil {
		t.Error("a third pass began")
	}
	b.m.EndTurn()
	stop := errors.New("stop")
	if cancel(stop); !first.Ended || !errors.Is(first.Err, stop) {
		t.Errorf("cancelled: %v %v", first.Ended, first.Err)
	}
	for i := range 40 {
		k.do("SET", "key"+strconv.Itoa(i), strings.Repeat("y", 500_000))
	}
	wakeAll(b)
	if !second.Ended || second.Err == nil {
		t.Errorf("a pass that keeps more than a tenth of maxmemory goes on: %d bytes kept", b.node.Kept())
	}
	if kept := b.node.Kept(); kept != 0 {
		t.Errorf("%d bytes are kept when no pass is left", kept)
	}
}

// wakeAll lets time pass, so that passes find out what became of them.
func wakeAll(b *bed) {
	for range 3 {
		b.m.Advance(100 * time.Millisecond)
	}
}
