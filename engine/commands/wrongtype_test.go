package commands_test

import (
	"strings"
	"testing"

	"larder/engine/store"
	"larder/protocol/encoding/listpack"
)

// TestWrongTypeAsRedis runs commands on strings on a key that holds a list, and commands on any key; the errors, and which comes first, are the server's.
func TestWrongTypeAsRedis(t *testing.T) {
	lines := []string{
		"GET l", "STRLEN l", "MGET l s none", "GETDEL l", "GETEX l", "GETEX l FOO", "GETEX l EX x", "GETEX l PERSIST", "GETSET l v", "SET l v GET",
		"SET l v NX GET", "SET l v XX GET", "SET l v NX", "SET l v EX 0 GET", "SETNX l v", "MSETNX l v s v", "SETEX l 0 v", "APPEND l v", "GETRANGE l 0 1",
		"GETRANGE l x 1", "SUBSTR l 0 1", "SETRANGE l 0 v", "SETRANGE l -1 v", "SETRANGE l 1 \"\"", "SETRANGE l 99999999999 v", "INCR l", "DECR l", "INCRBY l 2",
		"INCRBY l x", "DECRBY l -9223372036854775808", "INCRBYFLOAT l 1", "INCRBYFLOAT l x", "LCS l s", "LCS s l FOO", "LCS l none LEN IDX", "LCS none l",
		"SETBIT l 0 1", "SETBIT l x 1", "SETBIT l 0 2", "GETBIT l 0", "GETBIT l x", "BITCOUNT l", "BITCOUNT l x", "BITPOS l 1", "BITPOS l 2", "BITPOS l 1 x",
		"BITOP AND d l s", "BITOP AND d s l", "BITOP NOT d l", "BITOP NOT d l s", "BITOP FOO d l", "BITFIELD l", "BITFIELD l GET u8 0", "BITFIELD l SET u8 0 1",
		"BITFIELD l SET u99 0 1", "BITFIELD_RO l GET u8 0", "BITFIELD_RO l SET u8 0 1",
		"TYPE l", "EXISTS l", "OBJECT REFCOUNT l", "OBJECT IDLETIME l", "OBJECT FREQ l", "MEMORY USAGE l", "EXPIRE l 1000", "PERSIST l", "TOUCH l",
		"COPY l m", "TYPE m", "GET m", "RENAME m s", "TYPE s", "MOVE s 1", "SET s v", "BITOP AND l s none", "TYPE l", "DEL l s", "SET l v",
	}
	addr := startRedis(t)
	for proto := 2; proto <= 3; proto++ {
		p := newPair(t, addr, proto)
		blob := listpack.New(nil).Append([]byte("element"))
		put := func(key string) {
			p.redis.Do("DEL", key)
			p.redis.Do("RPUSH", key, "element")
			p.ours.store.DB(0).SetBlob([]byte(key), store.KindList, blob, store.NoExpiry, p.ours.now())
		}
		for _, line := range lines {
			p.run([][]string{{"SET", "s", "text"}})
			put("l")
			args := strings.Fields(strings.ReplaceAll(line, `""`, ""))
			if strings.HasSuffix(line, `""`) {
				args = append(args, "")
			}
			p.run([][]string{args, {"EXISTS", "l", "s", "d"}, {"TYPE", "l"}})
			if got := p.ours.do("OBJECT", "ENCODING", "l"); line == "TYPE l" && got != "$8\r\nlistpack\r\n" {
				t.Errorf("encoding %q", got)
			}
		}
		for key, want := range map[string]string{"list": "*1\r\n$1\r\nl\r\n", "LIST": "*1\r\n$1\r\nl\r\n", "string": "*1\r\n$1\r\ns\r\n", "hash": "*0\r\n", "none": "*0\r\n"} {
			p.fresh()
			put("l")
			p.run([][]string{{"SET", "s", "text"}})
			if got := p.ours.do("SCAN", "0", "TYPE", key, "COUNT", "1000000"); !strings.HasSuffix(got, want) {
				t.Errorf("SCAN TYPE %s: %q", key, got)
			}
		}
	}
}
