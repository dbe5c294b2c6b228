package resp_test

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"larder/internal/conform"
	"larder/internal/peers"
	"larder/protocol/resp"
)

// exchange sends bytes, closes its side, and gives all that the server answers.
func exchange(t *testing.T, addr string, in []byte) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	if _, err := conn.Write(in); err != nil {
		t.Fatal(err)
	}
	conn.(*net.TCPConn).CloseWrite()
	out, err := io.ReadAll(conn)
	if err != nil && len(out) == 0 {
		t.Fatalf("%.200q: %v", in, err)
	}
	return string(out)
}

// expected is what the server should answer if we parse as it does: the replies to our commands, well encoded, and our error.
func expected(t *testing.T, addr string, limits resp.Limits, in []byte) string {
	t.Helper()
	var p resp.Requests
	p.Reset(limits)
	var clean []byte
	failure := ""
	for state, n := resp.Done, 0; state == resp.Done; in = in[n:] {
		var r resp.Request
		if r, n, state = p.Next(in); state == resp.Done {
			clean = resp.AppendCommand(clean, r.Args...)
		}
		if state == resp.Failed {
			failure = string(resp.AppendError(nil, p.Err()))
		}
	}
	if len(clean) == 0 {
		return failure
	}
	return exchange(t, addr, clean) + failure
}

func TestRequestsAsRedis(t *testing.T) {
	addr := peers.StartRedis(t)
	inputs := append([]string{
		"*1\r\n$4\r\nPING\r\n" + strings.Repeat("\n", 5) + "PING x\n",
		"ECHO " + strings.Repeat("y", 60<<10) + "\n",
		strings.Repeat("y", 100<<10),
		strings.Repeat("y", 100<<10) + "\nPING\n",
		"*" + strings.Repeat("1", 100<<10),
		"*1\r\n$" + strings.Repeat("1", 100<<10),
		"*1\r\n\x80\r\n", "*1\r\nabc\r\n", "*1\r\n'\r\n", "*1\r\n\t\r\n", "*1\n\r\n$4\r\nPING\r\n",
		"*2147483647\r\n$1\r\na\r\n",
	}, requestSeeds...)
	rng := rand.New(rand.NewPCG(1, 2))
	for range 400 {
		inputs = append(inputs, randomInput(rng))
	}
	for _, in := range inputs {
		want := exchange(t, addr, []byte(in))
		if got := expected(t, addr, resp.DefaultLimits(), []byte(in)); got != want {
			t.Errorf("%.200q:\n  larder %.300q\n  redis  %.300q", in, got, want)
		}
	}
}

// randomInput is two or three commands, most of them ECHO, inline or not, with a byte changed, added or lost now and then.
func randomInput(rng *rand.Rand) string {
	const bytesOfInterest = "\"'\\ \t\v\r\nxnab01*$-+\x80"
	var in []byte
	for range 1 + rng.IntN(3) {
		var word []byte
		for range rng.IntN(8) {
			word = append(word, bytesOfInterest[rng.IntN(len(bytesOfInterest))])
		}
		if rng.IntN(2) == 0 {
			in = resp.AppendCommand(in, []byte("ECHO"), word)
		} else {
			in = append(append(append(in, "ECHO "...), word...), "\r\n"...)
		}
	}
	for rng.IntN(3) == 0 {
		at, c := rng.IntN(len(in)), bytesOfInterest[rng.IntN(len(bytesOfInterest))]
		switch rng.IntN(3) {
		case 0:
			in[at] = c
		case 1:
			in = append(in[:at], in[at+1:]...)
		default:
			in = bytes.Join([][]byte{in[:at], in[at:]}, []byte{c})
		}
	}
	return string(in)
}

func TestRequestsAsRedisBeforeAuth(t *testing.T) {
	addr := peers.StartRedis(t, "--requirepass", "secret")
	for _, in := range []string{
		"*11\r\n$1\r\n", "*10\r\n$1\r\n", "*2\r\n$16385\r\n", "*2\r\n$4\r\nECHO\r\n$16384\r\n" + strings.Repeat("x", 16384) + "\r\n",
		"*2147483648\r\n", "*1\r\n$-5\r\n", "*1\r\n$536870913\r\n", "PING a b c d e f g\r\n", "*0\r\n*-12\r\n*1\r\n$4\r\nPING\r\n",
	} {
		want := exchange(t, addr, []byte(in))
		if got := expected(t, addr, resp.PreAuthLimits(), []byte(in)); got != want {
			t.Errorf("%.200q:\n  larder %.300q\n  redis  %.300q", in, got, want)
		}
	}
}

func TestDoublesAsRedis(t *testing.T) {
	addr := peers.StartRedis(t)
	numbers := []float64{0, 1, -1, 0.1, -0.1, 1.0 / 3, 1e15, 1e16, 1e17, 123456789012345678, 1e-4, 1e-5, 5e-324, math.MaxFloat64, 3.0e10, 100, 123.5, 2.5e-7, math.Inf(1), math.Inf(-1), 1e21, 1e100}
	rng := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		if f := math.Float64frombits(rng.Uint64()); f == f {
			numbers = append(numbers, f, float64(rng.IntN(1e6))/100)
		}
	}
	for proto := 2; proto <= 3; proto++ {
		in := resp.AppendCommandStrings(nil, "HELLO", fmt.Sprint(proto))
		want := resp.Writer{Proto: proto}
		for _, f := range numbers {
			in = resp.AppendCommandStrings(in, "ZADD", "z", fmt.Sprintf("%.17g", f), "m")
			in = resp.AppendCommandStrings(in, "ZSCORE", "z", "m")
			want.Double(f)
		}
		var s resp.Replies
		var got []byte
		out := []byte(exchange(t, addr, in))
		for i := 0; len(out) > 0; i++ {
			n, kind, state := s.Next(out)
			if state != resp.Done || kind.IsError() {
				t.Fatalf("RESP%d: %c %.100q: %s", proto, kind, out, s.Err())
			}
			if i > 0 && i%2 == 0 {
				got = append(got, out[:n]...)
			}
			out = out[n:]
		}
		head := resp.AppendArray(nil, len(numbers))
		if !conform.SameDoubles(append(head, got...), append(head, want.Out...)) {
			t.Errorf("RESP%d:\nlarder %.2000q\n redis %.2000q", proto, want.Out, got)
		}
	}
}

// TestFormsAsRedis compares Writer with all that DEBUG PROTOCOL gives, one reply of each kind, and measures them.
func TestFormsAsRedis(t *testing.T) {
	addr := peers.StartRedis(t, "--enable-debug-command", "yes")
	forms := map[string]func(w *resp.Writer){
		"string":  func(w *resp.Writer) { w.Bulk("Hello World") },
		"integer": func(w *resp.Writer) { w.Int(12345) },
		"double":  func(w *resp.Writer) { w.Double(3.141) },
		"null":    func(w *resp.Writer) { w.Null() },
		"array":   func(w *resp.Writer) { w.Array(3); w.Int(0); w.Int(1); w.Int(2) },
		"set":     func(w *resp.Writer) { w.Set(3); w.Int(0); w.Int(1); w.Int(2) },
		"map": func(w *resp.Writer) {
			w.Map(3)
			w.Int(0)
			w.Bool(false)
			w.Int(1)
			w.Bool(true)
			w.Int(2)
			w.Bool(false)
		},
		"attrib": attributeForm,
		"push": func(w *resp.Writer) {
			w.Push(2)
			w.Bulk("server-cpu-usage")
			w.Int(42)
			w.Bulk("Some real reply following the push reply")
		},
		"bignum":    func(w *resp.Writer) { w.BigNumber("1234567999999999999999999999999999999") },
		"true":      func(w *resp.Writer) { w.Bool(true) },
		"false":     func(w *resp.Writer) { w.Bool(false) },
		"verbatim":  func(w *resp.Writer) { w.Verbatim("txt", "This is a verbatim\nstring") },
		"nullarray": nil, // BLPOP's, below
	}
	for proto := 2; proto <= 3; proto++ {
		for name, form := range forms {
			in := resp.AppendCommandStrings(nil, "HELLO", fmt.Sprint(proto))
			w := resp.Writer{Proto: proto}
			if form == nil {
				in = resp.AppendCommandStrings(in, "LPOP", "none", "1")
				w.NullArray()
			} else {
				in = resp.AppendCommandStrings(in, "DEBUG", "PROTOCOL", name)
				form(&w)
			}
			out := []byte(exchange(t, addr, in))
			var s resp.Replies
			n, _, state := s.Next(out)
			if state != resp.Done {
				t.Fatalf("HELLO %d: %q", proto, out)
			}
			got := string(out[n:])
			if proto == 2 && name == "push" {
				continue // a real server asserts that a push is RESP3; ours is pub/sub's array
			}
			if got != string(w.Out) {
				t.Errorf("RESP%d %s: larder %q, redis %q", proto, name, w.Out, got)
			}
			if n, kind, state := s.Next([]byte(got)); state != resp.Done || kind.IsPush() != (name == "push") {
				t.Errorf("RESP%d %s: measured %d of %q: %s", proto, name, n, got, s.Err())
			}
		}
	}
}

func attributeForm(w *resp.Writer) {
	if w.Attribute(1) {
		w.Bulk("key-popularity")
		w.Array(2)
		w.Bulk("key:123")
		w.Int(90)
	}
	w.Bulk("Some real reply following the attribute")
}
