package engine_test

import (
	"slices"
	"strings"
	"testing"

	"larder/protocol/resp"
)

// TestNothingIsToldUnheard: before anybody listens nothing is kept.
func TestNothingIsToldUnheard(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	k.says("+OK\r\n", "SET", "k", "v")
	k.says("$1\r\nv\r\n", "GETEX", "k", "PX", "1")
	b.m.Advance(ms(50))
	if stream, end := b.node.Told(0); len(stream) != 0 || end != 0 {
		t.Errorf("told %q", stream)
	}
}

// TestTold is a table of what commands do to the stream: "> command", then a line for each command told. (wait N) lets time pass.
func TestTold(t *testing.T) {
	k := newTeller(t)
	check := func(said string, want []string) {
		t.Helper()
		if got := toldLines(t, k.told()); !slices.Equal(got, want) {
			t.Errorf("%s\n  told %q\n  want %q", said, got, want)
		}
	}
	said, want := "", []string(nil)
	for line := range strings.Lines(tellings) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "//"):
		case strings.HasPrefix(line, "> "):
			check(said, want)
			said, want = line, nil
			k.do(words(line[2:])...)
		case strings.HasPrefix(line, "(wait"):
			check(said, want)
			said, want = line, nil
			k.b.m.Advance(ms(1000))
		case strings.HasPrefix(line, "(pass"):
			k.b.m.Pass(ms(1000)) // no tick
		default:
			want = append(want, line)
		}
	}
	check(said, want)
}

// tellings: the clock begins at 1700000000000.
const tellings = `
> SET k v
SELECT 0
SET k v
> SELECT 3
> SET k v EX 100
SELECT 3
SET k v PXAT 1700000100000
> GET k
> DEL nosuch
> MULTI
> SET a 1
> SELECT 0
> GET a
> SET b 2 XX GET
> EXEC
SET a 1
> MULTI
> SET a 1
> SELECT 5
> INCR n
> EXEC
SELECT 0
MULTI
SET a 1
SELECT 5
INCR n
EXEC
> SET gone 1 PX 10
SET gone 1 PXAT 1700000000010
> GET gone
(pass)
> GET gone
UNLINK gone
> SET gone 1 PX 10
SET gone 1 PXAT 1700000001010
(pass)
> SET gone 2
MULTI
UNLINK gone
SET gone 2
EXEC
> SET x 1 PX 10
SET x 1 PXAT 1700000002010
> SET y 1 PX 100
SET y 1 PXAT 1700000002100
(wait)
UNLINK x
UNLINK y
> SADD s a
SADD s a
> SPOP s
SREM s a
> EVAL redis.call('set',KEYS[1],1);redis.call('get',KEYS[1]);redis.call('incrbyfloat',KEYS[1],'0.5') 1 e
MULTI
set e 1
SET e 1.5 KEEPTTL
EXEC
> EVAL redis.set_repl(redis.REPL_NONE);redis.call('set',KEYS[1],1);redis.set_repl(redis.REPL_ALL);redis.call('set',KEYS[1],2) 1 e
set e 2
> EVAL redis.call('set',KEYS[1],3);error('x') 1 e
set e 3
> HSET h a 1
HSET h a 1
> HEXPIRE h 1 FIELDS 2 a b
HPEXPIREAT h 1700000004000 FIELDS 1 a
> FLUSHALL
FLUSHALL
> FLUSHDB
FLUSHDB
> PUBLISH a b
PUBLISH a b
> SWAPDB 0 1
SWAPDB 0 1
`

// TestLargeValuesAreTold: as they came, alone, with the key that was dead, and in a transaction.
func TestLargeValuesAreTold(t *testing.T) {
	k := newTeller(t)
	k.c.Feed(commandLines("CONFIG SET repl-backlog-size 100mb"))
	value := strings.Repeat("0123456789abcdef", 1<<16)
	other := strings.Repeat("x", 1<<20)
	k.told()
	said := func(want ...[]string) {
		t.Helper()
		var all []byte
		for _, args := range want {
			all = resp.AppendCommandStrings(all, args...)
		}
		if got := k.told(); string(got) != string(all) {
			t.Errorf("%d bytes are told, %.200q; want %d, %.200q", len(got), got, len(all), all)
		}
	}
	sends := func(args ...string) {
		p := resp.AppendCommandStrings(nil, args...)
		for len(p) > 0 {
			n := min(len(p), 100_000)
			k.c.Feed(p[:n])
			p = p[n:]
		}
	}
	sends("SET", "k", value)
	said([]string{"SELECT", "0"}, []string{"SET", "k", value})
	sends("SET", "k", value, "PX", "10")
	said([]string{"SET", "k", value, "PXAT", "1700000000010"})
	k.b.m.Pass(ms(1000))
	sends("MSET", "k", value, "l", other, "m", "1")
	said([]string{"MULTI"}, []string{"UNLINK", "k"}, []string{"MSET", "k", value, "l", other, "m", "1"}, []string{"EXEC"})
	k.do("MULTI")
	sends("APPEND", "k", other)
	k.do("INCR", "m")
	k.do("EXEC")
	said([]string{"MULTI"}, []string{"APPEND", "k", other}, []string{"INCR", "m"}, []string{"EXEC"})
	if got, want := k.do("GET", "k"), "$2097152\r\n"+value+other+"\r\n"; got != want {
		t.Errorf("%d bytes", len(got))
	}
}
