package resp_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"

	"larder/protocol/resp"
)

// What a real redis-server 7.0.15 does with these bytes; TestRequestsAsRedis asks it again.
func TestRequestErrors(t *testing.T) {
	long := strings.Repeat("1", 64<<10+1)
	for _, test := range []struct{ in, want string }{
		{"*x\r\n", "invalid multibulk length"},
		{"*2147483648\r\n", "invalid multibulk length"},
		{"*01\r\n", "invalid multibulk length"},
		{"*" + long, "too big mbulk count string"},
		{"*1\r\n+4\r\n", "expected '$', got '+'"},
		{"*1\r\n\r\n", "expected '$', got ' '"},
		{"*1\r\n\xff\r\n", "expected '$', got '\xff'"},
		{"*1\r\n$-1\r\n", "invalid bulk length"},
		{"*1\r\n$536870913\r\n", "invalid bulk length"},
		{"*1\r\n$" + long, "too big bulk count string"},
		{long, "too big inline request"},
		{"GET \"a\r\n", "unbalanced quotes in request"},
		{"GET 'a'b\r\n", "unbalanced quotes in request"},
	} {
		var p resp.Requests
		p.Reset(resp.DefaultLimits())
		_, n, state := p.Next([]byte(test.in))
		if want := "ERR Protocol error: " + test.want; state != resp.Failed || p.Err() != want || n != 0 {
			t.Errorf("%.40q: state %d, %d bytes, %q; want %q", test.in, state, n, p.Err(), want)
		}
		if _, _, state = p.Next([]byte("PING\r\n")); state != resp.Failed {
			t.Errorf("%.40q: it goes on after an error", test.in)
		}
		p.Reset(resp.DefaultLimits())
		if r, _, state := p.Next([]byte("PING\r\n")); state != resp.Done || show(r.Args) != `"PING"` || !r.Inline {
			t.Errorf("%.40q: after Reset: %d %s", test.in, state, show(r.Args))
		}
	}
}

func TestRequestLimits(t *testing.T) {
	limits := resp.Limits{ArgsMax: 3, BulkMax: 10, InlineMax: 20}
	for _, test := range []struct {
		limits resp.Limits
		in     string
		state  resp.State
	}{
		{limits, "*3\r\n", resp.More},
		{limits, "*4\r\n", resp.Failed},
		{limits, "*1\r\n$10\r\n", resp.More},
		{limits, "*1\r\n$11\r\n", resp.Failed},
		{limits, "12345678901234567890\n", resp.Done},
		{limits, "123456789012345678901\n", resp.Failed},
		{limits, "123456789012345678901", resp.Failed},
		{resp.PreAuthLimits(), "*10\r\n", resp.More},
		{resp.PreAuthLimits(), "*11\r\n", resp.Failed},
		{resp.PreAuthLimits(), "*1\r\n$16384\r\n", resp.More},
		{resp.PreAuthLimits(), "*1\r\n$16385\r\n", resp.Failed},
		{resp.Limits{}, "*1\r\n$536870912\r\n", resp.More},
		{resp.Limits{BulkMax: 1 << 62}, "*1\r\n$9223372036854775807\r\n", resp.Failed},
	} {
		var p resp.Requests
		p.Reset(test.limits)
		if _, _, state := p.Next([]byte(test.in)); state != test.state {
			t.Errorf("%+v %q: state %d (%s), want %d", test.limits, test.in, state, p.Err(), test.state)
		}
	}

	var p resp.Requests
	p.Reset(resp.PreAuthLimits())
	p.Next([]byte("*1"))
	p.SetLimits(resp.DefaultLimits())
	if _, _, state := p.Next([]byte("*11\r\n")); state != resp.More {
		t.Errorf("limits changed within a line: %d %s", state, p.Err())
	}
}

func TestEmptyCommandsAreDropped(t *testing.T) {
	var p resp.Requests
	p.Reset(resp.DefaultLimits())
	_, n, state := p.Next([]byte("\r\n\n*0\r\n*-1\r\n  \r\n*1\r\n$4\r\nPI"))
	if state != resp.More || n != 16 {
		t.Fatalf("state %d, %d bytes to drop; want More and 16", state, n)
	}
	r, n, state := p.Next([]byte("*1\r\n$4\r\nPING\r\nrest"))
	if state != resp.Done || n != 14 || show(r.Args) != `"PING"` || string(r.Raw) != "*1\r\n$4\r\nPING\r\n" {
		t.Fatalf("state %d, %d bytes, %s, raw %q", state, n, show(r.Args), r.Raw)
	}
	r, n, state = p.Next([]byte("\nGET a\r\n"))
	if state != resp.Done || n != 8 || string(r.Raw) != "GET a\r\n" || !r.Inline {
		t.Fatalf("state %d, %d bytes, raw %q", state, n, r.Raw)
	}
}

// A 64 MiB bulk in 1 KiB pieces: were it looked at again with each piece, this would be two TB of work.
func TestRequestsLinear(t *testing.T) {
	const size, piece = 64 << 20, 1 << 10
	whole := resp.AppendCommand(nil, []byte("SET"), []byte("k"), make([]byte, size))
	whole = resp.AppendCommandStrings(whole, append([]string{"MSET"}, strings.Split(strings.Repeat("k", 1<<17), "")...)...)
	var p resp.Requests
	p.Reset(resp.DefaultLimits())
	start, done := time.Now(), 0
	for from, to := 0, piece; from < len(whole); to = min(to+piece, len(whole)) {
		_, n, state := p.Next(whole[from:to])
		if from += n; state == resp.Done {
			done++
		}
	}
	if done != 2 {
		t.Fatalf("%d commands", done)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("%v for %d MiB in pieces of %d bytes", took, size>>20, piece)
	}
}

// A node keeps the small arguments and stores the big one as it comes; SET k <big> EX 10.
func TestBigArgumentIsTakenInPieces(t *testing.T) {
	value := bytes.Repeat([]byte("0123456789abcdef"), 10<<10)
	whole := resp.AppendCommand(nil, []byte("SET"), []byte("k"), value, []byte("EX"), []byte("10"))
	whole = append(whole, "PING\r\n"...)
	for _, first := range []int{27, 28, 29, 30, 1000, len(value) + 28, len(value) + 29, len(value) + 30} {
		for _, piece := range []int{1, 7, 4096, len(whole)} {
			if got := takeBig(t, whole, first, piece); got != fmt.Sprintf("[SET k %d EX 10] [PING]", len(value)) {
				t.Errorf("first %d, then %d at a time: %s", first, piece, got)
			}
		}
	}
}

func short(arg []byte) string {
	if len(arg) > 9 {
		return fmt.Sprint(len(arg))
	}
	return string(arg)
}

func takeBig(t *testing.T, whole []byte, first, piece int) string {
	t.Helper()
	var p resp.Requests
	p.Reset(resp.DefaultLimits())
	var words, commands []string
	var value []byte
	from := 0
	for to := first; ; to = min(to+piece, len(whole)) {
		for state := resp.Done; state == resp.Done || state == resp.Piece; {
			var r resp.Request
			var n int
			r, n, state = p.Next(whole[from:to])
			from += n
			switch state {
			case resp.Piece:
				value = append(value, r.Args[0]...)
			case resp.Done:
				if p.Dropped() > 0 {
					words = append(words, fmt.Sprint(len(value)))
				}
				for _, arg := range r.Args {
					words = append(words, short(arg))
				}
				commands, words, value = append(commands, fmt.Sprint(words)), nil, nil
			case resp.More:
				if b, ok := p.Big(); ok {
					if b.Arg != 2 || b.Count != 5 || b.Len != 160<<10 || b.Dropped != 0 || !bytes.Equal(b.Data, whole[b.Start:min(to, b.Start+int(b.Len))]) {
						t.Fatalf("Big: %d of %d, %d bytes, from %d, %d here", b.Arg, b.Count, b.Len, b.Start, len(b.Data))
					}
					for _, arg := range b.Args {
						words = append(words, string(arg))
					}
					value = append(value, b.Data...)
					n := p.Seen()
					p.Shift(n)
					from += n
				}
			}
		}
		if to == len(whole) {
			return strings.Join(commands, " ")
		}
	}
}

// A gateway passes on all that has come; several large values, and small arguments between them.
func TestBigArgumentsPassThrough(t *testing.T) {
	big := string(bytes.Repeat([]byte("v"), 100<<10))
	whole := resp.AppendCommandStrings(nil, "MSET", "a", big, "b", "small", "c", big, "d", big)
	f := newRequestFeed(resp.DefaultLimits())
	f.streaming = true
	kept := 0
	for len(whole) > 0 {
		n := min(len(whole), 5000)
		f.feed(whole[:n])
		kept = max(kept, len(f.buf))
		whole = whole[n:]
	}
	if want := fmt.Sprintf("%q", []string{"MSET", "a", big, "b", "small", "c", big, "d", big}); len(f.seen) != 1 || f.seen[0] != want {
		t.Errorf("%d commands, the first %.200q", len(f.seen), f.seen)
	}
	if kept > 16 {
		t.Errorf("%d bytes had to be kept, more than a length line", kept)
	}
}

func TestBigOnlyWhereItHelps(t *testing.T) {
	var p resp.Requests
	p.Reset(resp.DefaultLimits())
	for _, in := range []string{"", "*2\r\n", "*2\r\n$3\r\nG", "*2\r\n$3\r\nGET\r\n$65536\r\nabc"} {
		p.Next([]byte(in))
		if _, ok := p.Big(); ok {
			t.Errorf("%q: Big", in)
		}
	}
	p.Reset(resp.DefaultLimits())
	p.Next([]byte("*2\r\n$3\r\nGET\r\n$65537\r\n"))
	if b, ok := p.Big(); !ok || show(b.Args) != `"GET"` || b.Start != 21 || len(b.Data) != 0 {
		t.Errorf("not Big: %+v", b)
	}
	p.Shift(13) // "GET" and what is before it
	if b, ok := p.Big(); !ok || len(b.Args) != 0 || b.Dropped != 1 || b.Arg != 1 || b.Start != 8 {
		t.Errorf("not Big any more: %+v", b)
	}
	defer func() {
		if recover() == nil {
			t.Error("Shift into a length line does not panic")
		}
	}()
	p.Shift(3)
}

func TestRequestAllocations(t *testing.T) {
	get := resp.AppendCommandStrings(nil, "GET", "key:000000000001")
	set := resp.AppendCommand(nil, []byte("SET"), []byte("key:000000000001"), make([]byte, 1024))
	inline := []byte("set key \"a value\" ex 'ten'\r\n")
	var p resp.Requests
	p.Reset(resp.DefaultLimits())
	for name, command := range map[string][]byte{"get": get, "set": set, "inline": inline} {
		for _, cut := range []int{0, 1, len(command) / 2, len(command) - 1} {
			allocs := testing.AllocsPerRun(100, func() {
				p.Next(command[:cut])
				if r, n, state := p.Next(command); state != resp.Done || n != len(command) || len(r.Args) < 2 {
					t.Fatal(state)
				}
			})
			if allocs != 0 {
				t.Errorf("%s cut at %d: %v allocations", name, cut, allocs)
			}
		}
	}
}

// An idle connection must not hold the room that its one large command needed.
func TestRequestsRelease(t *testing.T) {
	many := make([]string, 10000)
	whole := resp.AppendCommandStrings(nil, many...)
	var p resp.Requests
	p.Reset(resp.DefaultLimits())
	allocs := testing.AllocsPerRun(10, func() {
		p.Next(whole[:100])
		p.Next(whole)
		p.Next(nil)
	})
	if allocs == 0 {
		t.Error("the room for 10000 arguments was kept")
	}
}
