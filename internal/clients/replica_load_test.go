package clients_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"

	"larder/internal/peers"
	"larder/protocol/resp"
)

// changes draws commands that write, of all types.
type changes struct{ rand *rand.Rand }

func (d changes) key(kind string) string { return kind + strconv.Itoa(d.rand.IntN(60)) }
func (d changes) word() string           { return "w" + strconv.Itoa(d.rand.IntN(300)) }
func (d changes) number() string         { return strconv.Itoa(d.rand.IntN(1000) - 200) }

// text is a value, now and then a long one.
func (d changes) text() string {
	n := d.rand.IntN(40)
	switch d.rand.IntN(50) {
	case 0:
		n = d.rand.IntN(5000)
	case 1:
		n = d.rand.IntN(70000)
	}
	p := make([]byte, n)
	for i := range p {
		p[i] = byte('a' + d.rand.IntN(20))
	}
	return string(p)
}

// some are up to n words.
func (d changes) some(n int, of func() string) (words []string) {
	for range 1 + d.rand.IntN(n) {
		words = append(words, of())
	}
	return words
}

func with(head []string, more ...[]string) []string {
	for _, m := range more {
		head = append(head, m...)
	}
	return head
}

// next is a command.
func (d changes) next() []string {
	forms := changeForms
	return forms[d.rand.IntN(len(forms))](d)
}

var changeForms = []func(d changes) []string{
	func(d changes) []string { return []string{"SET", d.key("s"), d.text()} },
	func(d changes) []string {
		return []string{"SET", d.key("s"), d.text(), "EX", strconv.Itoa(1 + d.rand.IntN(1000))}
	},
	func(d changes) []string {
		return []string{"SET", d.key("s"), d.text(), "PX", strconv.Itoa(1 + d.rand.IntN(50))}
	},
	func(d changes) []string { return []string{"APPEND", d.key("s"), d.word()} },
	func(d changes) []string {
		return []string{"SETRANGE", d.key("s"), strconv.Itoa(d.rand.IntN(100)), d.word()}
	},
	func(d changes) []string { return []string{"GETDEL", d.key("s")} },
	func(d changes) []string { return []string{"GETEX", d.key("s"), "EX", "100"} },
	func(d changes) []string { return []string{"INCRBY", d.key("n"), d.number()} },
	func(d changes) []string { return []string{"INCRBYFLOAT", d.key("f"), d.number() + ".25"} },
	func(d changes) []string { return []string{"SETBIT", d.key("b"), strconv.Itoa(d.rand.IntN(5000)), "1"} },
	func(d changes) []string { return []string{"BITFIELD", d.key("b"), "INCRBY", "u8", "#3", "7"} },
	func(d changes) []string { return []string{"BITOP", "XOR", d.key("b"), d.key("b"), d.key("b")} },
	func(d changes) []string { return with([]string{"PFADD", d.key("p")}, d.some(20, d.word)) },
	func(d changes) []string { return []string{"PFMERGE", d.key("p"), d.key("p"), d.key("p")} },
	func(d changes) []string { return with([]string{"LPUSH", d.key("l")}, d.some(10, d.text)) },
	func(d changes) []string { return with([]string{"RPUSH", d.key("l")}, d.some(10, d.number)) },
	func(d changes) []string { return []string{"LPOP", d.key("l"), strconv.Itoa(d.rand.IntN(8))} },
	func(d changes) []string { return []string{"LMOVE", d.key("l"), d.key("l"), "LEFT", "RIGHT"} },
	func(d changes) []string { return []string{"LTRIM", d.key("l"), "0", "50"} },
	func(d changes) []string { return []string{"LSET", d.key("l"), "1", d.word()} },
	func(d changes) []string { return []string{"LINSERT", d.key("l"), "BEFORE", d.number(), d.word()} },
	func(d changes) []string {
		return []string{"BLMPOP", "0.01", "2", d.key("l"), d.key("l"), "RIGHT", "COUNT", "3"}
	},
	func(d changes) []string { return with([]string{"SADD", d.key("S")}, d.some(30, d.word)) },
	func(d changes) []string { return with([]string{"SADD", d.key("I")}, d.some(30, d.number)) },
	func(d changes) []string { return with([]string{"SREM", d.key("S")}, d.some(30, d.word)) },
	func(d changes) []string { return []string{"SPOP", d.key("S"), strconv.Itoa(d.rand.IntN(6))} },
	func(d changes) []string { return []string{"SMOVE", d.key("S"), d.key("S"), d.word()} },
	func(d changes) []string { return []string{"SDIFFSTORE", d.key("S"), d.key("S"), d.key("S")} },
	func(d changes) []string {
		return []string{"HSET", d.key("h"), d.word(), d.text(), d.word(), d.number()}
	},
	func(d changes) []string { return with([]string{"HDEL", d.key("h")}, d.some(20, d.word)) },
	func(d changes) []string { return []string{"HINCRBYFLOAT", d.key("H"), d.word(), "0.5"} },
	func(d changes) []string {
		return []string{"ZADD", d.key("z"), d.number(), d.word(), d.number() + ".5", d.word()}
	},
	func(d changes) []string { return []string{"ZADD", d.key("z"), "GT", "CH", d.number(), d.word()} },
	func(d changes) []string { return []string{"ZINCRBY", d.key("z"), "1.5", d.word()} },
	func(d changes) []string { return with([]string{"ZREM", d.key("z")}, d.some(20, d.word)) },
	func(d changes) []string { return []string{"ZPOPMIN", d.key("z"), strconv.Itoa(d.rand.IntN(4))} },
	func(d changes) []string { return []string{"ZUNIONSTORE", d.key("z"), "2", d.key("z"), d.key("S")} },
	func(d changes) []string { return []string{"ZRANGESTORE", d.key("z"), d.key("z"), "0", "40"} },
	func(d changes) []string { return []string{"GEOADD", d.key("g"), "13.361389", "38.115556", d.word()} },
	func(d changes) []string { return []string{"XADD", d.key("x"), "*", d.word(), d.text()} },
	func(d changes) []string {
		return []string{"XADD", d.key("x"), "MAXLEN", "~", "100", "*", d.word(), d.word()}
	},
	func(d changes) []string { return []string{"XTRIM", d.key("x"), "MAXLEN", "60"} },
	func(d changes) []string { return []string{"XGROUP", "CREATE", d.key("x"), "g", "0", "MKSTREAM"} },
	func(d changes) []string {
		return []string{"XREADGROUP", "GROUP", "g", d.word(), "COUNT", "3", "STREAMS", d.key("x"), ">"}
	},
	func(d changes) []string {
		return []string{"XAUTOCLAIM", d.key("x"), "g", d.word(), "0", "0", "COUNT", "5"}
	},
	func(d changes) []string { return []string{"EXPIRE", d.key("h"), strconv.Itoa(d.rand.IntN(500))} },
	func(d changes) []string { return []string{"PEXPIRE", d.key("z"), strconv.Itoa(d.rand.IntN(100))} },
	func(d changes) []string { return []string{"PERSIST", d.key("h")} },
	func(d changes) []string { return []string{"DEL", d.key("l"), d.key("S"), d.key("h")} },
	func(d changes) []string { return []string{"UNLINK", d.key("z"), d.key("x")} },
	func(d changes) []string { return []string{"RENAME", d.key("l"), d.key("l")} },
	func(d changes) []string { return []string{"COPY", d.key("h"), d.key("h"), "REPLACE"} },
	func(d changes) []string { return []string{"COPY", d.key("z"), d.key("z"), "DB", "3", "REPLACE"} },
	func(d changes) []string { return []string{"MOVE", d.key("s"), "2"} },
	func(d changes) []string { return []string{"SORT", d.key("l"), "ALPHA", "STORE", d.key("o")} },
	func(d changes) []string { return []string{"PUBLISH", "c", d.word()} },
	func(d changes) []string {
		return []string{"EVAL", "redis.call('INCR',KEYS[1]) redis.call('SADD',KEYS[2],redis.call('GET',KEYS[1])) return 1", "2", d.key("n"), d.key("I")}
	},
	func(d changes) []string {
		name := d.word()
		return []string{"FUNCTION", "LOAD", "REPLACE", "#!lua name=" + name + "\nredis.register_function('f" + name + "', function() return " + strconv.Itoa(d.rand.IntN(9)) + " end)"}
	},
}

// some writes are said as one pipeline; errors among the replies, of values of a wrong type and the like, are as good.
func (d changes) say(t *testing.T, c *peers.Conn, n int) {
	t.Helper()
	var out []byte
	replies := 0
	put := func(args ...string) {
		out = resp.AppendCommandStrings(out, args...)
		replies++
	}
	for i := 0; i < n; i++ {
		switch d.rand.IntN(40) {
		case 0:
			put("MULTI")
			for range d.rand.IntN(100) {
				put(d.next()...)
			}
			put("EXEC")
		case 1:
			put("SELECT", strconv.Itoa(d.rand.IntN(4)))
		default:
			put(d.next()...)
		}
	}
	c.Send(out)
	for range replies {
		c.Reply()
	}
}

// digest is a server's DEBUG DIGEST, with what it has of functions.
func digest(c *peers.Conn) string {
	return fmt.Sprintf("%s%s", c.Do("DEBUG", "DIGEST"), c.Do("FUNCTION", "STATS"))
}
