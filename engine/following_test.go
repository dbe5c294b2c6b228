package engine_test

import (
	"strings"
	"testing"

	"larder/engine"
)

// TestFollowerHidesTheDead is Redis's rule for replicas: clients are not shown what is dead, the primary's commands find it, and nothing goes by itself.
func TestFollowerHidesTheDead(t *testing.T) {
	f := newFollower(t)
	f.obeys(commandLines("SET k v PXAT 1700000001000", "RPUSH l a", "PEXPIREAT l 1700000001000", "SET stays v", "HSET h a 1 b 2", "HPEXPIREAT h 1700000001000 FIELDS 1 a"))
	f.says("$1\r\nv\r\n", "GET", "k")
	for range 20 {
		f.b.m.Advance(ms(1000))
	}
	f.talk(`
		GET k => $-1
		EXISTS k l stays => :1
		TTL k => :-2
		TYPE l => +none
		KEYS * => *2\r\n$5\r\nstays\r\n$1\r\nh
		DBSIZE => :4
		HGET h a => $-1
		HLEN h => :1
	`)
	for range 20 {
		if key := f.do("RANDOMKEY"); key != "$5\r\nstays\r\n" && key != "$1\r\nh\r\n" {
			t.Errorf("RANDOMKEY: %q", key)
		}
	}
	f.obeys(commandLines("APPEND k w", "RPUSH l b", "HINCRBY h a 5", "PEXPIREAT k 1700000002000"))
	f.says("$-1\r\n", "GET", "k")
	f.obeys(commandLines("PERSIST k", "PERSIST l", "HPERSIST h FIELDS 1 a"))
	f.talk(`
		GET k => $2\r\nvw
		LRANGE l 0 -1 => *2\r\n$1\r\na\r\n$1\r\nb
		HGET h a => $1\r\n6`)
}

// TestFollowerThatLeads: what it hid goes as soon as it follows nobody, and is told.
func TestFollowerThatLeads(t *testing.T) {
	f := newFollower(t)
	f.b.node.Listen()
	f.obeys(commandLines("SET k v PXAT 1700000001000", "SET k2 v PXAT 1700000001000", "HSET h a 1 b 2", "HPEXPIREAT h 1700000001000 FIELDS 1 a"))
	for range 10 {
		f.b.m.Advance(ms(1000))
	}
	if stream, _ := f.b.node.Told(0); len(stream) != 0 {
		t.Errorf("a follower tells %q", stream)
	}
	f.b.node.Follow(false)
	f.says("$-1\r\n", "GET", "k")
	for range 10 {
		f.b.m.Advance(ms(1000))
	}
	f.says(":1\r\n", "DBSIZE")
	stream, _ := f.b.node.Told(0)
	if got := strings.Join(toldLines(t, stream), "; "); got != "SELECT 0; UNLINK k; UNLINK k2; HDEL h a" && got != "SELECT 0; UNLINK k; HDEL h a; UNLINK k2" {
		t.Errorf("told %s", got)
	}
}

// TestFollowerEvictsNothing: it takes what its primary has room for.
func TestFollowerEvictsNothing(t *testing.T) {
	f := newFollower(t)
	f.says("+OK\r\n", "CONFIG", "SET", "maxmemory", "1000000", "maxmemory-policy", "allkeys-lru")
	value := strings.Repeat("v", 20_000)
	for range 200 {
		f.obeys(commandLines("APPEND a "+value, "APPEND b "+value))
		f.b.m.Advance(ms(10))
	}
	f.says(":2\r\n", "DBSIZE")
	f.b.node.Follow(false)
	for range 1000 {
		f.b.m.Advance(ms(10))
	}
	f.says(":0\r\n", "DBSIZE")
}

// TestWatchedKeyDiesAtAFollower: EXEC sees that it has changed.
func TestWatchedKeyDiesAtAFollower(t *testing.T) {
	f := newFollower(t)
	f.obeys(commandLines("SET k v PXAT 1700000001000"))
	f.talk(`
		WATCH k => +OK
		MULTI => +OK
		GET k => +QUEUED`)
	f.b.m.Advance(ms(2000))
	f.says("*-1\r\n", "EXEC")
}

// TestEvictionIsTold: each key for itself, before the command that needed room.
func TestEvictionIsTold(t *testing.T) {
	k := newTeller(t)
	value := strings.Repeat("v", 10_000)
	for i := range 200 {
		k.do("SET", "k"+string(rune('a'+i%26))+string(rune('a'+i/26)), value)
	}
	k.told()
	k.says("+OK\r\n", "CONFIG", "SET", "maxmemory", "1500000", "maxmemory-policy", "allkeys-lru")
	k.do("SET", "last", value)
	k.b.m.Advance(ms(100))
	lines := toldLines(t, k.told())
	gone, multi := 0, 0
	for _, line := range lines {
		switch {
		case strings.HasPrefix(line, "UNLINK "):
			gone++
		case line == "MULTI":
			multi++
		}
	}
	if gone < 20 || multi > 0 {
		t.Errorf("%d keys are told to be gone, %d units of several: %.300q", gone, multi, lines)
	}
}

// TestPauseKeepsTheDead: while writes are held back nothing is told, so that a replica can come up to the last byte.
func TestPauseKeepsTheDead(t *testing.T) {
	k := newTeller(t)
	k.do("SET", "k", "v", "PX", "10")
	k.do("CLIENT", "PAUSE", "100000", "WRITE")
	k.told()
	k.b.m.Advance(ms(1000))
	k.says("$-1\r\n", "GET", "k")
	if stream := k.told(); len(stream) != 0 {
		t.Errorf("told %q", stream)
	}
	k.do("CLIENT", "UNPAUSE")
	k.says("$-1\r\n", "GET", "k")
	if got := toldLines(t, k.told()); len(got) != 1 || got[0] != "UNLINK k" {
		t.Errorf("told %q", got)
	}
}

// TestObeysLimitsThatMeanNothing: Redis tells a LIMIT of a trimming that was exact.
func TestObeysLimitsThatMeanNothing(t *testing.T) {
	f := newFollower(t)
	f.obeys(commandLines("XADD x MAXLEN = 2 LIMIT 10 1-1 a 1", "XADD x MAXLEN = 2 LIMIT 10 2-1 a 1", "XADD x MAXLEN = 2 LIMIT 10 3-1 a 1", "XTRIM x MAXLEN = 1 LIMIT 1"))
	f.says(":1\r\n", "XLEN", "x")
	k := newBed(t, func(*engine.Options) {}).client()
	k.says("-ERR syntax error, LIMIT cannot be used without the special ~ option\r\n", "XADD", "x", "MAXLEN", "=", "2", "LIMIT", "10", "1-1", "a", "1")
}

// TestWaitersAtAFollower: who waits at a follower is served by what its primary says, and sees what clients see.
func TestWaitersAtAFollower(t *testing.T) {
	f := newFollower(t)
	f.obeys(commandLines("XADD x 1-1 a 1", "XADD dies 1-1 a 1", "PEXPIREAT dies 1700000001000", "SET k v PXAT 1700000001000"))
	f.b.m.Advance(ms(2000))
	reader, dead, writer := f.b.client(), f.b.client(), f.b.client()
	reader.says("", "XREAD", "BLOCK", "0", "STREAMS", "x", "$")
	dead.says("", "XREAD", "BLOCK", "0", "STREAMS", "dies", "0")
	writer.says("", "BLMOVE", "l", "l2", "LEFT", "LEFT", "0")
	f.obeys(commandLines("XADD x 2-1 a 2", "XADD dies 2-1 a 2", "RPUSH l a b", "APPEND k w", "PERSIST k"))
	for _, c := range []struct {
		who  *talker
		want string
	}{
		{reader, "*1\r\n*2\r\n$1\r\nx\r\n*1\r\n*2\r\n$3\r\n2-1\r\n*2\r\n$1\r\na\r\n$1\r\n2\r\n"}, {dead, ""}, {writer, "$1\r\na\r\n"},
	} {
		if got := c.who.got(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	f.says("$2\r\nvw\r\n", "GET", "k") // what came behind found it
}
