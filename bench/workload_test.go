package main

import (
	"bytes"
	"compress/flate"
	"strings"
	"testing"
	"time"
)

func TestShape(t *testing.T) {
	tests := []struct {
		w              Workload
		command, reply string
	}{
		{
			Workload{Op: "GET", Keys: 1, Value: 9, Depth: 1},
			"*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000042\r\n", "$9\r\n0000042vv\r\n",
		},
		{
			Workload{Op: "SET", Keys: 1, Value: 9, Depth: 1},
			"*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000042\r\n$9\r\n0000042vv\r\n", "+OK\r\n",
		},
		{
			Workload{Op: "MGET", Keys: 2, Value: 7, Depth: 1},
			"*3\r\n$4\r\nMGET\r\n$16\r\nkey:000000000042\r\n$16\r\nkey:000000000043\r\n", "*2\r\n$7\r\n0000042\r\n$7\r\n0000043\r\n",
		},
		{
			Workload{Op: "MSET", Keys: 2, Value: 8, Depth: 1},
			"*5\r\n$4\r\nMSET\r\n$16\r\nkey:000000000042\r\n$8\r\n0000042v\r\n$16\r\nkey:000000000043\r\n$8\r\n0000043v\r\n", "+OK\r\n",
		},
		{
			Workload{Op: "SET", Keys: 1, Value: 7, Depth: 1, TTL: true},
			"*5\r\n$3\r\nSET\r\n$16\r\nkey:000000000042\r\n$7\r\n0000042\r\n$4\r\nPXAT\r\n$13\r\n1700000021000\r\n", "+OK\r\n",
		},
	}
	for _, tt := range tests {
		g, c := loop(tt.w)
		g.sequential, g.next, g.expiry = true, 41, expiry{fromMS: 1_700_000_000_000, perSecond: 2}
		c.ask(g, 0)
		if string(c.out) != tt.command {
			t.Errorf("%s: sends %q, want %q", tt.w, c.out, tt.command)
		}
		if len(g.shape.reply) != len(tt.reply) || !g.shape.right([]byte(tt.reply), c.keys[:tt.w.Keys]) {
			t.Errorf("%s: %q is not taken as the right reply", tt.w, tt.reply)
		}
		for i := range tt.reply { // no other bytes are right
			bad := []byte(tt.reply)
			bad[i] ^= 1
			if g.shape.right(bad, c.keys[:tt.w.Keys]) {
				t.Errorf("%s: %q is taken as right", tt.w, bad)
			}
		}
	}
}

// loop makes a generator with one connection and no socket.
func loop(w Workload) (*generator, *conn) {
	g := &generator{shape: w.shape(), depth: w.Depth, keys: keysMax, dice: 1, hist: newHistogram(), late: newHistogram(), base: time.Now()}
	c := &conn{in: make([]byte, 4096), keys: make([]uint32, w.Depth*w.Keys), due: make([]time.Duration, w.Depth)}
	return g, c
}

// TestNoise: a value of noise cannot be shortened.
func TestNoise(t *testing.T) {
	text := Workload{Noise: true}.filler(1024)
	var out bytes.Buffer
	z, err := flate.NewWriter(&out, flate.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil || out.Len() < len(text) {
		t.Errorf("%d bytes are compressed to %d, %v", len(text), out.Len(), err)
	}
	if text := (Workload{}).filler(3); string(text) != "vvv" {
		t.Errorf("%q", text)
	}
}

func TestConsume(t *testing.T) {
	one, two := "$9\r\n0000001vv\r\n", "$9\r\n0000002vv\r\n"
	tests := []struct {
		name, in string
		answered int
		errors   int
		fails    string
	}{
		{"both right", one + two, 2, 0, ""},
		{"changed places", two + one, 2, 2, ""},
		{"an error", "-ERR no\r\n" + two, 2, 1, ""},
		{"a miss", "$-1\r\n" + two, 2, 1, ""},
		{"incomplete", one + two[:9], 1, 0, ""},
		{"too long a value", "$10\r\n0000001vvv\r\n" + two, 2, 1, ""},
		{"no reply", "HTTP/1.1 400\r\n" + two, 0, 0, "malformed"},
		{"too many", one + two + one, 2, 0, "nobody asked"},
		{"garbage without end", strings.Repeat("+", 4096), 0, 0, "malformed"},
	}
	for _, tt := range tests {
		for piece := 1; piece <= len(tt.in); piece++ {
			g, c := loop(Workload{Op: "GET", Keys: 1, Value: 9, Depth: 2})
			g.sequential = true
			c.ask(g, 0)
			c.ask(g, 0)
			answered, err := feed(g, c, tt.in, piece)
			failed := err != nil && tt.fails != "" && strings.Contains(err.Error(), tt.fails)
			if answered != tt.answered || g.errors != tt.errors || failed != (tt.fails != "") || (err != nil) != failed {
				t.Fatalf("%s in pieces of %d: %d answered, %d wrong, %v; want %d, %d, %q", tt.name, piece, answered, g.errors, err, tt.answered, tt.errors, tt.fails)
			}
			if piece > 64 {
				piece += len(tt.in) / 7
			}
		}
	}
}

func feed(g *generator, c *conn, in string, piece int) (answered int, err error) {
	for len(in) > 0 && err == nil {
		n := copy(c.in[c.have:], in[:min(piece, len(in))])
		in = in[n:]
		c.have += n
		var more int
		more, err = c.consume(g)
		answered += more
	}
	return answered, err
}

func TestReplyLen(t *testing.T) {
	for _, whole := range []string{"+OK\r\n", "-ERR\r\n", ":1\r\n", "$-1\r\n", "$0\r\n\r\n", "$2\r\nab\r\n", "*-1\r\n", "*0\r\n", "*2\r\n$1\r\na\r\n*1\r\n:5\r\n"} {
		if got := replyLen([]byte(whole + "+x\r\n")); got != len(whole) {
			t.Errorf("%q: length %d, want %d", whole, got, len(whole))
		}
		for i := range whole {
			if got := replyLen([]byte(whole[:i])); got != 0 {
				t.Errorf("%q: length %d, want 0: incomplete", whole[:i], got)
			}
		}
	}
	for _, bad := range []string{"x\r\n", "\r\n", "$a\r\n", "$-2\r\n", "$1\r\nabc", "*1\r\nq\r\n"} {
		if got := replyLen([]byte(bad)); got != -1 {
			t.Errorf("%q: length %d, want -1", bad, got)
		}
	}
}

func TestDigitsAndDice(t *testing.T) {
	var b [digits]byte
	for _, n := range []uint32{0, 7, 1234567, keysMax - 1} {
		putDigits(b[:], n)
		if !hasDigits(b[:], n) || hasDigits(b[:], n+1) {
			t.Errorf("%d written as %q", n, b)
		}
	}
	d, seen := dice(1), map[uint32]int{}
	for range 10_000 {
		seen[d.below(10)]++
	}
	for n := range uint32(10) {
		if seen[n] < 800 || seen[n] > 1200 {
			t.Errorf("%d was thrown %d times of 10000", n, seen[n])
		}
	}
}

func TestHotPathAllocatesNothing(t *testing.T) {
	g, c := loop(Workload{Op: "GET", Keys: 1, Value: 64, Depth: 1})
	c.out = make([]byte, 0, 1024)
	reply := bytes.Clone(g.shape.reply)
	n := testing.AllocsPerRun(1000, func() {
		c.out = c.out[:0]
		c.ask(g, 0)
		putDigits(reply[g.shape.tags[0]:], c.keys[0])
		c.have = copy(c.in, reply)
		if answered, err := c.consume(g); answered != 1 || err != nil || g.errors != 0 {
			t.Fatal(answered, err, g.sample)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations a command", n)
	}
}
