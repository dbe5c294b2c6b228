package commands_test

import (
	"strconv"
	"strings"
	"testing"

	"larder/protocol/encoding/rdb"
)

// payload is what DUMP writes of some value; a byte of some is wrong.
func (d *draws) payload() string {
	b := append([]byte(nil), byte(rdb.TypeString))
	b = rdb.AppendString(b, []byte(d.value()), nil)
	if d.chance(2) {
		b = append(b[:0], byte(rdb.TypeList))
		n := 1 + d.IntN(20)
		b = rdb.AppendLength(b, uint64(n))
		for range n {
			b = rdb.AppendString(b, []byte(d.value()), nil)
		}
	}
	b = rdb.AppendFooter(b, 0)
	if d.chance(20) {
		b[d.IntN(len(b))] ^= byte(1 + d.IntN(255))
	}
	return string(b)
}

// TestPayloadsAsRedis has each side read what the other wrote.
func TestPayloadsAsRedis(t *testing.T) {
	p := newPair(t, startRedis(t), 2)
	large := make([]string, 3000)
	for i := range large {
		large[i] = strings.Repeat(strconv.Itoa(i), 1+i%40)
	}
	for name, make := range map[string][]string{
		"int":    {"SET", "k", "12345"},
		"text":   {"SET", "k", strings.Repeat("text ", 1000)},
		"small":  {"RPUSH", "k", "a", "", "12345", "-9223372036854775808", "\x00\xff", strings.Repeat("b", 5000)},
		"big":    append([]string{"RPUSH", "k"}, large...),
		"longer": {"RPUSH", "k", strings.Repeat("c", 100000), "d", strings.Repeat("e", 9000)},
	} {
		t.Run(name, func(t *testing.T) {
			p.t = t
			p.fresh()
			p.run([][]string{make})
			ours, theirs := textOf(p.ours.do("DUMP", "k")), textOf(string(p.redis.Do("DUMP", "k")))
			p.run([][]string{{"RESTORE", "ours", "0", ours}, {"RESTORE", "theirs", "0", theirs}})
			p.compareKeyspace()
		})
	}
}

// textOf is the text of a bulk string.
func textOf(reply string) string {
	_, text, _ := strings.Cut(reply, "\r\n")
	return strings.TrimSuffix(text, "\r\n")
}

// FuzzRestore gives RESTORE any value with a right checksum: nothing panics, what is refused changes nothing, and what is taken can be dumped and read.
func FuzzRestore(f *testing.F) {
	for t := range 22 {
		f.Add(append([]byte{byte(t)}, "\x02\x01a\x01b"...))
		f.Add(append([]byte{byte(t)}, "\x01\x02\x0a\x0a\x00\x00\x00\x01\x00\x81a\x02\xff"...))
		f.Add(append([]byte{byte(t)}, "\x0d\x0d\x00\x00\x00\x0a\x00\x00\x00\x01\x00\x00\xf2\xff"...))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		n := newNode(t, 2)
		n.call.BulkMax = 1 << 20
		payload := string(rdb.AppendFooter(value, 0))
		if n.do("RESTORE", "k", "0", payload) != "+OK\r\n" {
			if n.do("DBSIZE") != ":0\r\n" {
				t.Fatal("refused, and a key is there")
			}
			return
		}
		again := textOf(n.do("DUMP", "k"))
		if got := n.do("RESTORE", "l", "0", again); got != "+OK\r\n" {
			t.Fatalf("%q, dumped as %q: %q", value, again, got)
		}
	})
}
