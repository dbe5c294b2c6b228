package engine_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"larder/engine"
	"larder/internal/peers"
	"larder/persistence/rdb"
	form "larder/protocol/encoding/rdb"
	"larder/router"
)

// serving runs a node until the test ends.
func serving(t *testing.T, change func(*engine.Options)) *engine.Node {
	t.Helper()
	o := engine.DefaultOptions()
	o.Dir, o.Listen = t.TempDir(), "127.0.0.1:0"
	if change != nil {
		change(&o)
	}
	n, err := engine.New(o, quiet(), nil)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- n.Run(ctx) }()
	<-n.Ready()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return n
}

// TestIntake: a serving node takes keys in; who watches or caches them is told, and a redis-server that follows it has all, also what its own version could not read.
func TestIntake(t *testing.T) {
	n := serving(t, func(o *engine.Options) { o.AppendOnly = true })
	c, watcher := peers.Dial(t, n.Addr(), 2), peers.Dial(t, n.Addr(), 2)
	cacher := peers.Dial(t, n.Addr(), 3)
	c.Do("MSET", "a", "old", "gone", "x", "other", "y")
	cacher.Do("CLIENT", "TRACKING", "ON")
	cacher.Do("GET", "a")
	watcher.Do("WATCH", "a")
	host, port, _ := strings.Cut(n.Addr(), ":")
	follower := peers.Dial(t, peers.StartRedis(t, "--replicaof", host+" "+port), 2)
	for end := time.Now().Add(peers.Patience); !strings.Contains(string(follower.Do("INFO", "replication")), "master_link_status:up"); {
		if time.Now().After(end) {
			t.Fatal("the follower has no link")
		}
	}
	large := strings.Repeat("larder ", 100_000)
	later := time.Now().Add(time.Hour).UnixMilli()
	file := fileOf(func(w *rdb.Frame) {
		w.Function("#!lua name=mine\nredis.register_function('f', function() return 1 end)")
		keyIn(w, "a", "new", later)
		keyIn(w, "large", large, later)
		keyIn(w, "dead", "x", 1)
		packed := "\x0b\x00\x00\x00\x02\x00\x81m\x02\x81n\x02\xff"
		packed = string([]byte{byte(len(packed))}) + packed[1:]
		w.Copy(&rdb.Entry{Value: form.Value{Key: []byte("set"), Type: form.TypeSetListpack, Body: form.AppendString(nil, []byte(packed), nil), IdleS: -1, Freq: -1}, DB: 5}, rdb.Key)
	})
	of := &engine.Intake{In: iotest.HalfReader(bytes.NewReader(file)), Functions: true}
	if err := n.Intake(t.Context(), of); err != nil || of.Taken != 3 || of.Expired != 1 {
		t.Fatal(err, of.Taken, of.Expired)
	}
	watcher.Do("MULTI")
	if got := string(watcher.Do("EXEC")); got != "*-1\r\n" {
		t.Errorf("EXEC of who watched: %q", got)
	}
	cacher.Send([]byte("PING\r\n"))
	if got := string(cacher.Reply()); got != ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n" {
		t.Errorf("who cached is told %q", got)
	}
	if v, err := n.Survey(t.Context(), router.Selection{DB: router.AllDatabases, Prefix: []byte("g")}, nil); err != nil || v.Keys != 5 || v.Selected != 1 || v.Bytes == 0 {
		t.Error(v, err)
	}
	if got, err := n.Discard(t.Context(), router.Selection{DB: router.AllDatabases, Prefix: []byte("g")}); err != nil || got != 1 {
		t.Error(got, err)
	}
	c.Do("SET", "last", "1")
	if got := string(c.Do("WAIT", "1", "20000")); got != ":1\r\n" {
		t.Fatalf("WAIT: %q", got)
	}
	for _, k := range []*peers.Conn{c, follower} {
		k.Do("SELECT", "0")
		for want, words := range map[string][]string{
			"$3\r\nnew\r\n": {"GET", "a"}, ":" + strconv.FormatInt(later, 10) + "\r\n": {"PEXPIRETIME", "large"}, ":700000\r\n": {"STRLEN", "large"},
			":0\r\n": {"EXISTS", "dead", "gone"}, "$1\r\ny\r\n": {"GET", "other"}, ":4\r\n": {"DBSIZE"}, ":1\r\n": {"EXISTS", "last"},
		} {
			if got := string(k.Do(words...)); got != want {
				t.Errorf("%v: %.100q, want %q", words, got, want)
			}
		}
		k.Do("SELECT", "5")
		if got := string(k.Do("SCARD", "set")); got != ":2\r\n" {
			t.Errorf("SCARD: %q", got)
		}
		if got := string(k.Do("FUNCTION", "LIST")); !strings.Contains(got, "mine") {
			t.Errorf("FUNCTION LIST: %q", got)
		}
	}
}

// TestIntakeEnds: sources that break off, nodes that take no writes, contexts that end; none hangs, and what is large is given back.
func TestIntakeEnds(t *testing.T) {
	n := serving(t, nil)
	file := fileOf(func(w *rdb.Frame) {
		keyIn(w, "a", "v", 0)
		keyIn(w, "large", strings.Repeat("v", 400<<10), 0)
	})
	broken := errors.New("the line is gone")
	for name, c := range map[string]struct {
		in   io.Reader
		says string
	}{
		"amid":           {io.MultiReader(bytes.NewReader(file[:300<<10]), iotest.ErrReader(broken)), "the line is gone"},
		"behind the end": {io.MultiReader(bytes.NewReader(file), iotest.ErrReader(broken)), "the line is gone"},
		"cut off":        {bytes.NewReader(file[:300<<10]), "missing"},
		"no file":        {strings.NewReader("something else, something else"), "no RDB file"},
	} {
		if err := n.Intake(t.Context(), &engine.Intake{In: c.in}); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	in, out := io.Pipe()
	go func() {
		_, _ = out.Write(file[:300<<10])
		cancel(broken)
		_ = out.CloseWithError(broken)
	}()
	if err := n.Intake(ctx, &engine.Intake{In: in}); !errors.Is(err, broken) {
		t.Error(err)
	}
	if _, err := n.Survey(t.Context(), router.Selection{DB: 77}, nil); err == nil || !strings.Contains(err.Error(), "no database 77") {
		t.Error(err)
	}
	if _, err := n.Survey(t.Context(), router.Everything(), []string{"#!lua name=l\nnothing"}); err == nil || !strings.Contains(err.Error(), "library") {
		t.Error(err)
	}
	c := peers.Dial(t, n.Addr(), 2)
	c.Do("REPLICAOF", "127.0.0.1", "1")
	if _, err := n.Survey(t.Context(), router.Everything(), nil); err == nil || !strings.Contains(err.Error(), "READONLY") {
		t.Error(err)
	}
}
