package engine_test

import (
	"bytes"
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/engine"
	"larder/protocol/resp"
)

// script is a client's commands, each in its bytes.
type script [][]byte

func (s script) bytes() []byte { return bytes.Join(s, nil) }

// writer makes random scripts of commands that depend on each other and on what the connection was told before. Nothing in them depends on the order in
// which a node keeps its keys.
type writer struct {
	r     *rand.Rand
	heavy bool // some values are large: they come and go in pieces
}

func (w *writer) key() string { return "k" + strconv.Itoa(w.r.IntN(8)) }

func (w *writer) pick(words ...string) string { return words[w.r.IntN(len(words))] }

func (w *writer) value() string {
	if w.heavy && w.r.IntN(4) == 0 {
		return strings.Repeat("V", 200_000+w.r.IntN(400_000))
	}
	switch w.r.IntN(12) {
	case 0:
		return strings.Repeat("v", 20_000+w.r.IntN(3))
	case 1:
		return ""
	case 2:
		return "a\r\nb\x00\xff"
	default:
		return strconv.Itoa(w.r.IntN(100) - 20)
	}
}

// command is one command, its words in the usual form.
func (w *writer) command() []string {
	switch w.r.IntN(31) {
	case 0, 1, 2:
		return []string{"SET", w.key(), w.value()}
	case 3:
		return []string{"set", w.key(), w.value(), w.pick("NX", "XX", "GET", "KEEPTTL", "bad"), w.pick("GET", "XX")}
	case 4, 5, 6:
		return []string{"GET", w.key()}
	case 7:
		return []string{w.pick("INCR", "DECR", "PERSIST", "STRLEN", "GETDEL", "PTTL", "TYPE", "EXISTS", "UNLINK"), w.key()}
	case 8:
		return []string{"APPEND", w.key(), w.value()}
	case 9:
		return []string{"MGET", w.key(), w.key(), "none"}
	case 10:
		return []string{"MSET", w.key(), w.value(), w.key(), w.value()}
	case 11:
		return []string{"SETRANGE", w.key(), strconv.Itoa(w.r.IntN(40)), w.value()}
	case 12:
		return []string{"PEXPIRE", w.key(), strconv.Itoa(w.r.IntN(3000) - 200)}
	case 13:
		return []string{"SELECT", w.pick("0", "1", "2", "99", "x")}
	case 14:
		return []string{w.pick("MOVE", "COPY", "RENAME", "RENAMENX"), w.key(), w.pick("1", "k1", "k2")}
	case 15:
		return []string{"CLIENT", "REPLY", w.pick("OFF", "ON", "SKIP", "SKIP", "ON", "bad")}
	case 16:
		return []string{"HELLO", w.pick("2", "3", "3", "4"), w.pick("SETNAME", "AUTH"), w.pick("n1", "default"), w.pick("pw", "no")}[:1+w.r.IntN(2)*(1+w.r.IntN(2)*2)]
	case 17:
		return []string{w.pick("AUTH", "AUTH", "ECHO"), w.pick("pw", "pw", "wrong")}
	case 18:
		return []string{"CONFIG", "SET", "requirepass", w.pick("pw", "", "pw")}
	case 19:
		return []string{"CONFIG", "SET", "proto-max-bulk-len", w.pick("1mb", "2mb")}
	case 20:
		return []string{"CONFIG", "SET", "maxmemory", w.pick("0", "1", "100mb")}
	case 21:
		return []string{"RESET"}
	case 22:
		return []string{w.pick("GET", "SET", "NOSUCH", "CLIENT", "CONFIG", "OBJECT"), w.pick("x", "NOSUCH")}[:1+w.r.IntN(2)]
	case 23:
		return []string{"DBSIZE"}
	case 24:
		return []string{w.pick("FLUSHDB", "FLUSHALL", "PING", "PING"), "async"}[:1+w.r.IntN(2)]
	case 25:
		return []string{"CLIENT", w.pick("GETNAME", "ID", "NO-TOUCH", "NO-EVICT", "UNPAUSE"), "on"}[:2+w.r.IntN(2)]
	case 26:
		return []string{"LARDER", w.pick("HELLO", "TERM", "HELP", "ASSIGN"), w.pick("1", "2", "5"), "1 c 5 a@h:1=0-16383"}[:2+w.r.IntN(3)]
	case 27:
		return []string{w.pick("SADD", "SREM", "SISMEMBER", "HGET", "HDEL", "ZSCORE", "ZREM"), w.key(), w.value()}
	case 28:
		return []string{w.pick("HSET", "HINCRBY", "ZADD", "ZINCRBY"), w.key(), w.pick("1", "2", "x"), w.value()}
	case 29:
		return []string{"CONFIG", "SET", w.pick("set-max-listpack-entries", "set-max-intset-entries", "hash-max-listpack-entries", "zset-max-listpack-entries"), w.pick("1", "128")}
	default:
		return []string{"OBJECT", "ENCODING", w.key()}
	}
}

// script gives n commands and perhaps an end that closes the connection.
func (w *writer) script(n int) script {
	var s script
	for range n {
		if w.r.IntN(8) == 0 { // GETs in a row have a way of their own
			for range 2 + w.r.IntN(5) {
				s = append(s, []byte("*2\r\n$3\r\nGET\r\n$2\r\n"+w.key()+"\r\n"))
			}
		}
		c := w.command()
		switch w.r.IntN(10) {
		case 0:
			s = append(s, []byte("\r\n*0\r\n"))
		case 1:
			line := make([]string, len(c))
			for i, word := range c {
				line[i] = fmt.Sprintf(`"%s"`, escaped(word))
			}
			s = append(s, []byte(strings.Join(line, " ")+"\r\n"))
			continue
		}
		s = append(s, resp.AppendCommandStrings(nil, c...))
	}
	switch w.r.IntN(5) {
	case 0:
		s = append(s, []byte("QUIT\r\n"), []byte("PING\r\n"))
	case 1:
		s = append(s, []byte("*2\r\n$3\r\nGET\r\n:5\r\n"), []byte("PING\r\n"))
	case 2:
		s = append(s, []byte("SET k1 half"))
	}
	return s
}

// escaped is a word for quotes in an inline command; a long one is cut, since a line has a limit.
func escaped(word string) string {
	var b strings.Builder
	for _, c := range []byte(word[:min(len(word), 1000)]) {
		fmt.Fprintf(&b, `\x%02x`, c)
	}
	return b.String()
}

// outcome is all that can be seen of a script: its replies, whether the connection lives, and the keyspace.
type outcome struct {
	replies string
	closed  bool
	keys    string
}

// play gives a script to a new node in pieces; the client reads nothing while slow says so.
func play(t *testing.T, s script, pieces func(p []byte) int, slow func() bool) outcome {
	t.Helper()
	b := newBed(t, func(o *engine.Options) { o.ID = "n1" })
	watcher, k := b.client(), b.client()
	var replies strings.Builder
	for rest := s.bytes(); len(rest) > 0; {
		k.c.Full = slow()
		n := pieces(rest)
		replies.WriteString(k.send(rest[:n]))
		rest = rest[n:]
	}
	k.c.Full = false
	for range 200 {
		b.m.Advance(0)
		replies.WriteString(k.got())
	}
	return outcome{replies.String(), k.c.Closed, watcher.dump()}
}

func never() bool { return false }

var seedFlag = flag.Uint64("seed", 1, "seed of the scripts that come in batches; 0: a new one, which is printed")

// TestBatchesAreOneByOne: whatever pieces a script comes in, and whether its replies are read or not, the result is that of one command after the other.
func TestBatchesAreOneByOne(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	t.Logf("-seed %d", seed)
	rounds := 90
	if testing.Short() {
		rounds = 30
	}
	for round := range rounds {
		w := &writer{r: rand.New(rand.NewPCG(seed, uint64(round))), heavy: round%2 == 0}
		s := w.script(1 + w.r.IntN(100))
		at := 0
		want := play(t, s, func([]byte) int { at++; return len(s[at-1]) }, never)
		for name, got := range map[string]outcome{
			"whole":  play(t, s, func(p []byte) int { return len(p) }, never),
			"pieces": play(t, s, func(p []byte) int { return min(len(p), 1+w.r.IntN(3000)) }, never),
			"slow":   play(t, s, func(p []byte) int { return min(len(p), 1+w.r.IntN(100_000)) }, func() bool { return w.r.IntN(20) > 0 }),
			"unread": play(t, s, func(p []byte) int { return min(len(p), 1+w.r.IntN(1000_000)) }, func() bool { return true }),
		} {
			compare(t, fmt.Sprintf("seed %d round %d, %s", seed, round, name), s, got, want)
		}
		if small := s.bytes(); len(small) < 4000 {
			compare(t, fmt.Sprintf("seed %d round %d, bytes", seed, round), s, play(t, s, func([]byte) int { return 1 }, never), want)
		}
		if t.Failed() {
			return
		}
	}
}

func compare(t *testing.T, what string, s script, got, want outcome) {
	t.Helper()
	if got == want {
		return
	}
	i := 0
	for i < min(len(got.replies), len(want.replies)) && got.replies[i] == want.replies[i] {
		i++
	}
	t.Errorf("%s: closed %v, want %v; same keys %v; replies of %d and %d bytes differ from byte %d on: %.200q, want %.200q",
		what, got.closed, want.closed, got.keys == want.keys, len(got.replies), len(want.replies), i, got.replies[i:], want.replies[i:])
	for _, c := range s {
		t.Logf("%.120q", c)
	}
}
