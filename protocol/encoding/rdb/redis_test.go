package rdb_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"larder/internal/dumps"
	"larder/internal/peers"
	"larder/protocol/encoding/lzf"
	"larder/protocol/encoding/rdb"
	"larder/protocol/resp"
)

// What redis-server 7.0.15 answered to DUMP after SET k "hello, hello, hello, hello, hello" and after SET k -300.
const (
	realString = "\x00\xc3\x0f!\ahello, h\xe0\x0e\x06\x01lo\n\x00@\xf3\xe5c\\h\xbb\x7f"
	realNumber = "\x00\xc1\xd4\xfe\n\x00\xc6\xc4\x86#\xfe\xbe\xde."
)

func TestRealPayloads(t *testing.T) {
	for payload, want := range map[string]string{realString: "hello, hello, hello, hello, hello", realNumber: "-300"} {
		kind, value, version, err := rdb.OpenPayload([]byte(payload), rdb.Version)
		if kind != rdb.TypeString || version != 10 || err != nil {
			t.Fatalf("%q: type %d, version %d, %v", payload, kind, version, err)
		}
		if text, n, err := rdb.String(value, nil); string(text) != want || n != len(value) || err != nil {
			t.Errorf("%q: %q %v", payload, text, err)
		}
	}
}

// randomText is a number, or a word of a few letters again and again, or many words, so that some are worth compressing.
func randomText(rng *rand.Rand) string {
	switch rng.IntN(10) {
	case 0, 1, 2:
		return strconv.FormatInt(int64(rng.Uint64())>>rng.IntN(64), 10)
	case 3:
		var words []byte
		for range rng.IntN(6000) {
			words = fmt.Appendf(words, "word%x ", rng.IntN(1<<rng.IntN(16)))
		}
		return string(words)
	}
	letters := 1 + rng.IntN(256)
	word := make([]byte, rng.IntN(40))
	for i := range word {
		word[i] = byte(rng.IntN(letters))
	}
	return strings.Repeat(string(word), 1+rng.IntN(1+rng.IntN(500)))
}

// TestStringsAsRedis: what it dumps is what we write, byte for byte where nothing is compressed, and it restores what we write.
func TestStringsAsRedis(t *testing.T) {
	c := peers.Dial(t, peers.StartRedis(t), 0)
	rng := rand.New(rand.NewPCG(7, 7))
	var compressor lzf.Compressor
	shorter, longer := 0, 0
	for range 1500 {
		text := randomText(rng)
		c.Do("SET", "k", text)
		kind, theirs := dumps.Get(t, c, "k")
		ours := rdb.AppendString(nil, []byte(text), &compressor)
		if got, n, err := rdb.String(theirs, nil); kind != rdb.TypeString || string(got) != text || n != len(theirs) || err != nil {
			t.Fatalf("%q: %q %v", theirs, got, err)
		}
		if f, _, _ := rdb.StringForm(theirs); !f.Compressed && !bytes.Equal(ours, theirs) && len(ours) >= len(theirs) {
			t.Fatalf("%q: ours %q, theirs %q", text, ours, theirs)
		}
		shorter, longer = shorter+len(ours), longer+len(theirs)
		if reply := dumps.Restore(t, c, "r", rdb.TypeString, ours); reply != "+OK\r\n" {
			t.Fatalf("%q: %s", ours, reply)
		}
		if got, _ := resp.Value(c.Do("GET", "r")).Bytes(); string(got) != text {
			t.Fatalf("%q restored: %q", text, got)
		}
	}
	t.Logf("ours take %d bytes, Redis's %d", shorter, longer)
}

// TestScoresAsRedis has both forms of doubles in sorted sets.
func TestScoresAsRedis(t *testing.T) {
	c := peers.Dial(t, peers.StartRedis(t, "--zset-max-listpack-entries", "0"), 0)
	for _, score := range []string{"0", "1.5", "-3", "1e+22", "0.10000000000000001", "-1.7976931348623157e+308", "4.9406564584124654e-324"} {
		c.Do("ZADD", "z", score, "member")
		kind, value := dumps.Get(t, c, "z")
		want, _ := strconv.ParseFloat(score, 64)
		if got, _, err := rdb.Double(value[len("\x01\x06member"):]); kind != rdb.TypeZSet || got != want || err != nil {
			t.Errorf("%s: type %d, %v %v", score, kind, got, err)
		}
		text := append([]byte{byte(len(score))}, score...)
		if got, n, err := rdb.TextDouble(text); got != want || n != len(text) || err != nil {
			t.Errorf("%q: %v %v", text, got, err)
		}
		if reply := dumps.Restore(t, c, "old", rdb.TypeZSetText, append([]byte("\x01\x06member"), text...)); reply != "+OK\r\n" {
			t.Fatalf("%q: %s", text, reply)
		}
		if a, b := c.Do("ZSCORE", "z", "member"), c.Do("ZSCORE", "old", "member"); !bytes.Equal(a, b) {
			t.Errorf("%s: %s and %s", score, a, b)
		}
	}
}
