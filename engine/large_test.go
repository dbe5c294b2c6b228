package engine_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"larder/engine"
	"larder/protocol/resp"
)

// feed gives p in pieces of n bytes.
func (k *talker) feed(p []byte, n int) string {
	var got strings.Builder
	for len(p) > 0 {
		piece := p[:min(n, len(p))]
		k.c.Feed(piece)
		p = p[len(piece):]
	}
	k.b.m.EndTurn()
	got.WriteString(k.got())
	return got.String()
}

// allocated runs f and gives what it took from the heap in all, in bytes.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// A value that comes in small pieces is copied once, into the buffer that the store keeps.
func TestLargeSetTakesItsSizeOnce(t *testing.T) {
	const size = 64 << 20
	k := newBed(t, nil).client()
	say := resp.AppendCommandStrings(nil, "SET", "k", strings.Repeat("v", size))
	const slack = 4 << 20
	if took := allocated(func() {
		if got := k.feed(say, 1024); got != "+OK\r\n" {
			t.Fatalf("got %.100q", got)
		}
	}); took > size+slack {
		t.Errorf("a value of %d bytes took %d", size, took)
	}
	k.says(fmt.Sprintf(":%d\r\n", size), "STRLEN", "k")
}

// A large reply leaves in pieces that the client has room for; nothing else of the value is copied.
func TestLargeGetTakesLittle(t *testing.T) {
	const size = 64 << 20
	b := newBed(t, nil)
	k := b.client()
	value := strings.Repeat("0123456789abcdef", size/16)
	k.feed(resp.AppendCommandStrings(nil, "SET", "k", value), 1<<20)
	k.c.Full = true
	k.c.Feed([]byte("GET k\r\nPING\r\n"))
	b.m.EndTurn()
	const buffered = 2 << 20
	if n := k.c.Conn.Unsent(); n > buffered {
		t.Fatalf("%d bytes wait in the connection's buffers", n)
	}
	b.client().says(":67108865\r\n", "APPEND", "k", "!") // what is on its way stays as it was
	k.c.Full = false
	var got strings.Builder
	for range 1000 {
		b.m.Advance(time.Millisecond)
		got.WriteString(k.got())
	}
	if want := fmt.Sprintf("$%d\r\n%s\r\n+PONG\r\n", size, value); got.String() != want {
		t.Errorf("the reply of %d bytes is wrong: %.100q", got.Len(), got.String())
	}
}

func TestLargeArguments(t *testing.T) {
	large := strings.Repeat("L", 300_000)
	other := strings.Repeat("O", 400_000)
	for _, step := range []struct {
		words []string
		want  string
	}{
		{[]string{"SET", "a", large}, "+OK\r\n"},
		{[]string{"MSET", "b", other, "c", "1", "d", large, "e", ""}, "+OK\r\n"},
		{[]string{"APPEND", "a", large}, ":600000\r\n"},
		{[]string{"SET", "f", large, "NX"}, "+OK\r\n"},
		{[]string{"SET", "f", other, "NX"}, "$-1\r\n"},
		{[]string{"SET", "f", other, "bad"}, "-ERR syntax error\r\n"},
		{[]string{"ECHO", large}, fmt.Sprintf("$%d\r\n%s\r\n", len(large), large)},
		{[]string{"GET", large, large}, "-ERR wrong number of arguments for 'get' command\r\n"},
		{[]string{"EXISTS", large, "a"}, ":1\r\n"},
		{[]string{large}, "-ERR unknown command '" + large[:128] + "', with args beginning with: \r\n"},
		{[]string{"CLIENT", large}, "-ERR unknown subcommand '" + large[:128] + "'. Try CLIENT HELP.\r\n"},
		{[]string{"AUTH", large}, "-ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?\r\n"},
	} {
		for _, piece := range []int{1 << 30, 70_000, 4096} {
			k := newBed(t, nil).client()
			k.do("SET", "a", large)
			if step.words[0] == "SET" && step.want == "$-1\r\n" {
				k.do("SET", "f", "x")
			}
			p := resp.AppendCommandStrings(nil, "PING")
			p = resp.AppendCommandStrings(p, step.words...)
			p = resp.AppendCommandStrings(p, "PING")
			if got := k.feed(p, piece); got != "+PONG\r\n"+step.want+"+PONG\r\n" {
				t.Errorf("%.60q in pieces of %d: got %.150q", step.words, piece, got)
			}
			if step.words[0] == "MSET" {
				k.says("*4\r\n$400000\r\n"+other+"\r\n$1\r\n1\r\n$300000\r\n"+large+"\r\n$0\r\n\r\n", "MGET", "b", "c", "d", "e")
			}
		}
	}
}

// A command that has arrived while CLIENT PAUSE lasts runs when that ends.
func TestLargeSetWaitsForThePause(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	b.client().says("+OK\r\n", "CLIENT", "PAUSE", "100")
	if got := k.feed(resp.AppendCommandStrings(nil, "SET", "k", strings.Repeat("v", 300_000)), 4096); got != "" {
		t.Errorf("got %q", got)
	}
	b.m.Advance(200 * time.Millisecond)
	if got := k.got(); got != "+OK\r\n" {
		t.Errorf("got %q", got)
	}
	k.says(":300000\r\n", "STRLEN", "k")
}

// Who announces much and sends nothing costs little, and who sends too much for one command is closed.
func TestAnnouncedIsNotTaken(t *testing.T) {
	k := newBed(t, nil).client()
	const most = 8 << 20
	if took := allocated(func() { k.send([]byte("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$536870912\r\nx")) }); took > most {
		t.Errorf("the announcement took %d bytes", took)
	}
	b := newBed(t, func(o *engine.Options) { o.QueryMaxBytes = 2 << 20 })
	mset, many := []string{"MSET"}, []string{"MSET"}
	for i := range 8 {
		mset = append(mset, fmt.Sprint(i), strings.Repeat("x", 300_000))
	}
	for i := range 100_000 {
		many = append(many, fmt.Sprint(i), "0123456789")
	}
	for _, words := range [][]string{mset, many} {
		k := b.client()
		if k.feed(resp.AppendCommandStrings(nil, words...), 50_000); !k.c.Closed {
			t.Errorf("a command over the limit was taken: %d arguments", len(words))
		}
	}
	b.client().says(":0\r\n", "DBSIZE")
}

// A client that does not read its replies is closed at its limit, and until then its commands stop.
func TestSlowReader(t *testing.T) {
	b := newBed(t, func(o *engine.Options) { o.OutputMaxBytes = 3 << 20 })
	k, slow := b.client(), b.client()
	k.do("SET", "k", strings.Repeat("v", 100_000))
	slow.c.Full = true
	for range 100 {
		slow.c.Feed([]byte("GET k\r\nINCR n\r\n"))
		b.m.EndTurn()
	}
	if slow.c.Closed || !slow.c.Paused() {
		t.Errorf("closed %v, paused %v", slow.c.Closed, slow.c.Paused())
	}
	k.says("$2\r\n11\r\n", "GET", "n")
	slow.c.Full = false
	for range 20 {
		b.m.Advance(time.Millisecond)
	}
	k.says("$3\r\n100\r\n", "GET", "n")
	if n := len(slow.got()); n != 100*(100_000+len("$100000\r\n\r\n"))+9*len(":1\r\n")+90*len(":10\r\n")+len(":100\r\n") {
		t.Errorf("%d bytes of replies", n)
	}
	slow.c.Full = true
	for range 9 {
		slow.do("GET", "k")
	}
	if slow.do(append([]string{"MGET"}, strings.Fields(strings.Repeat("k ", 28))...)...); !slow.c.Closed {
		t.Error("a client over its limit is still open")
	}
}

// A reply that could never be kept is not made: a few bytes ask for any amount.
func TestReplyOfManyValuesIsBounded(t *testing.T) {
	b := newBed(t, func(o *engine.Options) { o.OutputMaxBytes = 3 << 20 })
	b.client().do("SET", "big", strings.Repeat("v", 200_000))
	k := b.client()
	say := append([]byte("PING\r\n"), resp.AppendCommandStrings(nil, append([]string{"MGET"}, strings.Fields(strings.Repeat("big ", 10_000))...)...)...)
	const most = 20 << 20
	if took := allocated(func() { k.c.Feed(say) }); took > most {
		t.Errorf("took %d bytes", took)
	}
	b.m.EndTurn()
	if got := k.got(); got != "+PONG\r\n" || !k.c.Closed {
		t.Errorf("got %.100q, closed %v", got, k.c.Closed)
	}
}
