package resp_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"larder/protocol/resp"
)

// splits calls with every way to cut data in two, and with data byte by byte; of long data only some.
func splits(data []byte, with func(pieces ...[]byte)) {
	step := 1 + len(data)/256
	for i := 0; i <= len(data); i += step {
		with(data[:i], data[i:])
	}
	if len(data) <= 1024 {
		var pieces [][]byte
		for i := range data {
			pieces = append(pieces, data[i:i+1])
		}
		with(pieces...)
	}
}

func checkRequests(t *testing.T, data []byte) {
	t.Helper()
	want := naiveRequests(string(data))
	for _, streaming := range []bool{false, true} {
		splits(data, func(pieces ...[]byte) {
			f := newRequestFeed(resp.DefaultLimits())
			f.streaming = streaming
			for _, piece := range pieces {
				f.feed(piece)
			}
			if !slices.Equal(f.seen, want) {
				t.Fatalf("%q cut in %d after %d (streaming %v):\n got %q\nwant %q", data, len(pieces), len(pieces[0]), streaming, f.seen, want)
			}
			if !f.failed && string(f.raw)+string(f.buf) != string(data) {
				t.Fatalf("%q: bytes were lost: %q and %q", data, f.raw, f.buf)
			}
		})
	}
}

func checkReplies(t *testing.T, data []byte) {
	t.Helper()
	want := naiveReplies(data)
	for _, streaming := range []bool{false, true} {
		splits(data, func(pieces ...[]byte) {
			f := &replyFeed{streaming: streaming}
			for _, piece := range pieces {
				f.feed(piece)
			}
			if !slices.Equal(f.seen, want) {
				t.Fatalf("%q cut in %d after %d (streaming %v):\n got %q\nwant %q", data, len(pieces), len(pieces[0]), streaming, f.seen, want)
			}
		})
	}
	checkViews(data)
}

// checkViews calls all that looks into replies, on right and wrong bytes: nothing may panic.
func checkViews(data []byte) {
	v := resp.Value(data)
	v.Kind()
	v.IsNull()
	v.Int()
	v.Bytes()
	v.Len()
	resp.IsError(data)
	resp.ErrorOf(data)
	resp.FirstError(data)
	resp.BulkOf(data)
	it := v.Elements()
	for elem, ok := it.Next(); ok; elem, ok = it.Next() {
		resp.BulkOf(elem)
		resp.ParseInt(elem)
	}
}

const fuzzBytesMax = 4096 // longer inputs find nothing that short ones don't, and take the time of many

func FuzzRequests(f *testing.F) {
	for _, seed := range requestSeeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > fuzzBytesMax {
			return
		}
		checkRequests(t, data)
	})
}

func FuzzReplies(f *testing.F) {
	for _, seed := range replySeeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > fuzzBytesMax || strings.Count(string(data), "\n") > 256 {
			return
		}
		checkReplies(t, data)
	})
}

var requestSeeds = []string{
	"*1\r\n$4\r\nPING\r\n",
	"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n",
	"*2\r\n$3\r\nGET\r\n$0\r\n\r\n",
	"*12\r\n$1\r\n0\r\n$1\r\n1\r\n$1\r\n2\r\n$1\r\n3\r\n$1\r\n4\r\n$1\r\n5\r\n$1\r\n6\r\n$1\r\n7\r\n$1\r\n8\r\n$1\r\n9\r\n$1\r\na\r\n$11\r\nabcdefghijk\r\n",
	"PING\r\n\r\n\nECHO hello\n", "*0\r\n*-1\r\n*-7\r\n*1\r\n$4\r\nPING\r\n",
	"SET k \"a\\x41\\n\\\"\" 'it\\'s' pre\"fix\" ''\r\n", "GET \"open\r\n", "GET 'a'b\r\n", "GET a\vb \v\fc\r\n", "\"\\", "a\"\\\r\n", "GET \"\\xZZ\"\n", "\\\n",
	"*x\r\n", "*\r\n", "*01\r\n", "*+1\r\n", "*2147483648\r\n", "*99999999999999999999\r\n", "*1\r\n+4\r\n", "*1\r\n\r\n$", "*1\r\n\n\r\n",
	"*1\r\n$-1\r\n", "*1\r\n$x\r\n", "*1\r\n$04\r\n", "*1\r\n$536870913\r\n", "*1\r\n$4\rxPINGab*1\ry$4\r\nPONGcd", "*1\r\n$\x004\r\n", "PI\x00NG\r\n",
	"*-0\r\n", "*1\r\n$-0\r\n", "* 1\r\n", "*1\r\n$4\r\nPIN", "*2\r\n$1\r\na\r\nb", "\r", "\r\n", " \t\r\n",
}

var replySeeds = []string{
	"+OK\r\n", "-ERR no\r\n", ":1\r\n", ":-12\r\n", ":+5\r\n", ":9223372036854775807\r\n", ":9223372036854775808\r\n", "$5\r\nhello\r\n", "$-1\r\n", "$0\r\n\r\n",
	"*-1\r\n", "*0\r\n", "*2\r\n$1\r\na\r\n*2\r\n:1\r\n$-1\r\n", "_\r\n", "#t\r\n#f\r\n", ",1.5\r\n,inf\r\n,-inf\r\n,nan\r\n,1e+20\r\n,-3.25E-7\r\n",
	"!5\r\nERR x\r\n", "=8\r\ntxt:text\r\n", "(123456789012345678901234567890\r\n(-1\r\n", "%2\r\n+a\r\n:1\r\n+b\r\n*1\r\n_\r\n", "~2\r\n:1\r\n:2\r\n",
	">2\r\n+invalidate\r\n*1\r\n$1\r\nk\r\n+OK\r\n", "|1\r\n+ttl\r\n:5\r\n$1\r\nx\r\n", "|0\r\n+x\r\n", "*2\r\n|1\r\n+a\r\n+b\r\n:1\r\n:2\r\n", "|1\r\n|1\r\n+a\r\n+b\r\n+k\r\n+v\r\n-E\r\n",
	"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", "$5\r\nhelloXX", "$5\r\nhello\rX", "?\r\n", ":x\r\n", "#x\r\n", "_x\r\n", ",1.\r\n", ",.5\r\n", ",\r\n", "(\r\n", "$-2\r\n", "*-2\r\n",
	"%-1\r\n", "=3\r\nabc\r\n", "+a\rb\r\n", "$1099511627777\r\n", "*4294967297\r\n", "$01\r\nx\r\n", "+\r\n-\r\n", "+123456789012345678901234567890123456\r\n",
}

// A command that is read by the head of one like it is read as by itself.
func FuzzLike(f *testing.F) {
	f.Add([]byte("*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"), []byte("*2\r\n$3\r\nGET\r\n$12\r\nabcdefghijkl\r\n*1\r\n$4\r\nPING\r\n"))
	f.Add([]byte("*1\r\n$4\r\nPING\r\n"), []byte("*1\r\n$4\r\nPING\r\n"))
	f.Add([]byte("*1\r\n$4\rxPINGab"), []byte("*1\r\n$4\rxPINGab"))
	f.Add([]byte("*2\r\n$12\r\nabcdefghijkl\r\n$1\r\nk\r\n"), []byte("*2\r\n$12\r\nabcdefghijkl\r\n$0\r\n\r\n"))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var p, alone resp.Requests
		p.Reset(resp.DefaultLimits())
		alone.Reset(resp.DefaultLimits())
		args, n := p.Append(nil, first)
		if n == 0 {
			return
		}
		var h resp.Head
		h.Set(args, first)
		got, n := p.Like(&h, nil, second)
		if n == 0 {
			return
		}
		r, want, state := alone.Next(second)
		if state != resp.Done || n != want || !slices.EqualFunc(got, r.Args, bytes.Equal) {
			t.Fatalf("%q after %q: %q, %d bytes; alone %v, %q, %d bytes", second, first, got, n, state, r.Args, want)
		}
	})
}
