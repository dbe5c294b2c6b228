package resp_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"larder/protocol/resp"
)

func TestReplyKinds(t *testing.T) {
	for _, test := range []struct {
		in   string
		kind resp.Kind
	}{
		{"+OK\r\n", '+'},
		{"-ERR x\r\n", '-'},
		{":1\r\n", ':'},
		{"$1\r\nx\r\n", '$'},
		{"*0\r\n", '*'},
		{"_\r\n", '_'},
		{",1\r\n", ','},
		{"#t\r\n", '#'},
		{"!1\r\nx\r\n", '!'},
		{"=4\r\ntxt:\r\n", '='},
		{"(1\r\n", '('},
		{"%1\r\n:1\r\n:2\r\n", '%'},
		{"~1\r\n:1\r\n", '~'},
		{">1\r\n:1\r\n", '>'},
		{"|1\r\n+a\r\n*1\r\n+b\r\n-ERR x\r\n", '-'},
		{"|1\r\n+a\r\n+b\r\n|1\r\n+a\r\n+b\r\n>1\r\n:1\r\n", '>'},
	} {
		var s resp.Replies
		n, kind, state := s.Next([]byte(test.in + "+more"))
		if n != len(test.in) || kind != test.kind || state != resp.Done {
			t.Errorf("%q: %d bytes of %c, state %d", test.in, n, kind, state)
		}
		if kind.IsError() != (kind == '-' || kind == '!') || kind.IsPush() != (kind == '>') {
			t.Errorf("%c: IsError %v, IsPush %v", kind, kind.IsError(), kind.IsPush())
		}
	}
}

func TestReplyFailures(t *testing.T) {
	for _, test := range []struct{ in, want string }{
		{"HTTP/1.1 400 Bad Request\r\n", `malformed reply: an unknown type in "H"`},
		{":1x\r\n", `malformed reply: a malformed value in ":"`},
		{"$2\r\nabcd", `malformed reply: a bulk that does not end in CR LF in "$"`},
		{"$-3\r\n", `malformed reply: a malformed length in "$"`},
		{"*-3\r\n", `malformed reply: a malformed count in "*"`},
		{"+a\rb", `malformed reply: a CR without LF in "+"`},
		{"+" + strings.Repeat("a", 1<<20), `malformed reply: a line without end in "+"`},
		{strings.Repeat("*4294967296\r\n", 1<<17), `malformed reply: too many values in "*"`},
	} {
		var s resp.Replies
		if _, _, state := s.Next([]byte(test.in)); state != resp.Failed || s.Err() != test.want {
			t.Errorf("%.40q: state %d, %q, want %q", test.in, state, s.Err(), test.want)
		}
		if _, _, state := s.Next([]byte("+OK\r\n")); state != resp.Failed {
			t.Errorf("%.40q: it goes on after an error", test.in)
		}
	}
}

// Depth costs nothing: no recursion, no stack of its own.
func TestRepliesDeep(t *testing.T) {
	const depth = 1 << 20
	deep := []byte(strings.Repeat("*1\r\n", depth) + ":1\r\n")
	var s resp.Replies
	if n, _, state := s.Next(deep); n != len(deep) || state != resp.Done {
		t.Fatalf("%d bytes, state %d", n, state)
	}
	it := resp.Elements(deep)
	if elem, ok := it.Next(); !ok || len(elem) != len(deep)-4 {
		t.Errorf("element of %d bytes", len(elem))
	}
	if _, ok := resp.FirstError(deep); ok {
		t.Error("an error in it")
	}
}

func TestRepliesLinear(t *testing.T) {
	const size, piece = 64 << 20, 1 << 10
	whole := resp.AppendBulk(nil, make([]byte, size))
	whole = append(whole, "*1000000\r\n"+strings.Repeat("$1\r\nx\r\n", 1000000)...)
	whole = append(append(append(whole, '+'), bytes.Repeat([]byte("x"), 1<<20-1)...), "\r\n"...)
	var s resp.Replies
	start, done := time.Now(), 0
	for from, to := 0, piece; from < len(whole); to = min(to+piece, len(whole)) {
		n, _, state := s.Next(whole[from:to])
		if from += n; state == resp.Done {
			done++
		}
		if state == resp.Failed {
			t.Fatal(s.Err())
		}
	}
	if done != 3 {
		t.Fatalf("%d replies", done)
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("%v for %d MiB in pieces of %d bytes", took, len(whole)>>20, piece)
	}
}

// Missing never promises more than really comes, and is exact within a bulk.
func TestMissing(t *testing.T) {
	big := strings.Repeat("x", 100<<10)
	for _, reply := range append([]string{"*3\r\n$102400\r\n" + big + "\r\n_\r\n+OK\r\n"}, replySeeds...) {
		var s resp.Replies
		if n, _, state := s.Next([]byte(reply)); state != resp.Done || n != len(reply) {
			continue
		}
		for cut := 1; cut < len(reply); cut += 1 + len(reply)/500 {
			s.Reset()
			s.Next([]byte(reply[:cut]))
			left := int64(len(reply) - cut)
			missing := s.Missing()
			if missing < 1 || missing > left {
				t.Fatalf("%.50q cut at %d: %d missing, really %d", reply, cut, missing, left)
			}
			if _, m, ok := s.Big(); ok != (missing > resp.BigMin) || m != missing {
				t.Fatalf("%.50q cut at %d: Big %d %v", reply, cut, m, ok)
			}
		}
	}
	var s resp.Replies
	s.Next([]byte("$102400\r\nab"))
	if kind, missing, ok := s.Big(); kind != '$' || missing != 102400 || !ok {
		t.Errorf("%c %d %v", kind, missing, ok)
	}
	s.Shift(s.Seen())
	if n, _, state := s.Next([]byte(big[2:] + "\r\n:1\r\n")); n != 102400 || state != resp.Done {
		t.Errorf("%d bytes after Shift, state %d", n, state)
	}
	if s.Missing() != 0 || s.Seen() != 0 {
		t.Errorf("between replies: %d missing, %d seen", s.Missing(), s.Seen())
	}
}

func TestReplyAllocations(t *testing.T) {
	for _, reply := range []string{
		"+OK\r\n", ":12\r\n", "$-1\r\n", "-ERR x\r\n", "$1024\r\n" + strings.Repeat("x", 1024) + "\r\n", "*2\r\n$1\r\na\r\n$-1\r\n", "%1\r\n+a\r\n,1.5\r\n", "_\r\n", "#t\r\n", ">1\r\n+x\r\n",
	} {
		var s resp.Replies
		bytes := []byte(reply)
		allocs := testing.AllocsPerRun(100, func() {
			s.Next(bytes[:len(bytes)/2])
			if n, _, state := s.Next(bytes); state != resp.Done || n != len(bytes) {
				t.Fatal(state)
			}
			it := resp.Elements(bytes)
			for elem, ok := it.Next(); ok; elem, ok = it.Next() {
				resp.BulkOf(elem)
			}
			resp.ParseInt(bytes)
			resp.FirstError(bytes)
		})
		if allocs != 0 {
			t.Errorf("%.20q: %v allocations", reply, allocs)
		}
	}
}
