package engine_test

import (
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"larder/engine"
	"larder/loop"
	"larder/protocol/resp"
)

func TestMain(m *testing.M) {
	// gnet keeps one pool of workers for the life of the process.
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).purgeStaleWorkers"),
		goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*poolCommon).ticktock"), goleak.IgnoreAnyFunction("github.com/panjf2000/ants/v2.(*goWorker).run.func1"))
}

var (
	loopback = netip.MustParseAddrPort("127.0.0.1:50000")
	stranger = netip.MustParseAddrPort("192.0.2.7:50000")
	start    = time.UnixMilli(1_700_000_000_000)
)

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

// bed is a node on a loop in memory.
type bed struct {
	t    testing.TB
	node *engine.Node
	m    *loop.MemLoop
}

// noFolder is the folder of nodes that are not to write files.
const noFolder = "/nonexistent/larder"

// newBed makes a node; change alters its options.
func newBed(t testing.TB, change func(*engine.Options)) *bed {
	t.Helper()
	return newBedThen(t, start, change)
}

// newBedThen is newBed at another time.
func newBedThen(t testing.TB, now time.Time, change func(*engine.Options)) *bed {
	t.Helper()
	o := engine.DefaultOptions()
	o.Dir = noFolder
	if change != nil {
		change(&o)
	}
	n, err := engine.New(o, quiet(), nil)
	if err != nil {
		t.Fatal(err)
	}
	m := loop.NewMemLoop(now, n.NewPart)
	t.Cleanup(func() {
		m.Stop()
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return &bed{t: t, node: n, m: m}
}

// talker is a client of a bed.
type talker struct {
	b *bed
	c *loop.MemConn
}

func (b *bed) client() *talker {
	b.t.Helper()
	c := b.m.Open(loopback)
	if c == nil {
		b.t.Fatal("the client was refused")
	}
	return &talker{b, c}
}

// send feeds bytes as one read, ends the turn and gives what came back.
func (k *talker) send(p []byte) string {
	k.c.Feed(p)
	k.b.m.EndTurn()
	return k.got()
}

func (k *talker) got() string { return string(k.c.Written()) }

// do sends one command.
func (k *talker) do(args ...string) string { return k.send(resp.AppendCommandStrings(nil, args...)) }

// says sends one command and compares its reply.
func (k *talker) says(want string, args ...string) {
	k.b.t.Helper()
	if got := k.do(args...); got != want {
		k.b.t.Errorf("%.200q: got %.300q, want %.300q", args, got, want)
	}
}

// words cuts a line into words at blanks; "" is an empty one.
func words(line string) []string {
	w := strings.Fields(line)
	for i := range w {
		if w[i] == `""` {
			w[i] = ""
		}
	}
	return w
}

// talk is a table of commands and replies on one connection: lines "words of the command => reply", the reply with \r\n left out at its end.
func (k *talker) talk(lines string) {
	k.b.t.Helper()
	for line := range strings.Lines(lines) {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "//") {
			continue
		}
		command, want, ok := strings.Cut(line, " =>")
		if !ok {
			k.b.t.Fatalf("no reply in %q", line)
		}
		want = strings.TrimPrefix(want, " ")
		if want != "" {
			want = strings.ReplaceAll(want, `\r\n`, "\r\n") + "\r\n"
		}
		k.says(want, words(command)...)
	}
}

// dump is the keyspace in a form to be compared. It is to be asked of a connection that was opened before anybody could set a password.
func (k *talker) dump() string {
	var out strings.Builder
	for db := range engine.DefaultOptions().Databases {
		k.do("SELECT", strconv.Itoa(db))
		var keys []string
		it := resp.Elements([]byte(k.do("KEYS", "*")))
		for e, ok := it.Next(); ok; e, ok = it.Next() {
			key, _ := resp.BulkOf(e)
			keys = append(keys, string(key))
		}
		slices.Sort(keys)
		for _, key := range keys {
			fmt.Fprintf(&out, "%d %q %q %q %q\n", db, key, k.do("OBJECT", "ENCODING", key), k.do("PEXPIRETIME", key), k.do("GET", key))
		}
	}
	return out.String()
}
