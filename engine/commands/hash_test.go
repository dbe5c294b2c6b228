package commands_test

import (
	"strconv"
	"strings"
	"testing"

	"larder/engine/commands"
)

func TestHashesDoNotAllocate(t *testing.T) {
	n := newNode(t, 3)
	n.now = func() int64 { return 1_700_000_000_000 }
	n.do("HSET", "small", "field", "some value", "count", "1", "other", "x")
	for i := range 2000 {
		n.do("HSET", "big", "field"+strconv.Itoa(i), "some value")
	}
	n.do("HSET", "big", "count", "1")
	for _, line := range []string{
		"HGET small field", "HGET small none", "HGET none field", "HMGET small field none other", "HGETALL small", "HLEN small", "HEXISTS small other",
		"HSTRLEN small field", "HSET small field other-text", "HSET small field some-text", "HINCRBY small count 1", "HSETNX small field v", "HSCAN small 0",
		"HGET big field77", "HMGET big field1 none field1999", "HSET big field77 other-text", "HINCRBY big count 1", "HLEN big", "HSCAN big 0 COUNT 20",
		"HTTL big FIELDS 1 field1", "HRANDFIELD big",
	} {
		n.allocatesNothing(t, line)
	}
}

// TestHashEvents: what is told of, as Redis 7.2.6 and Valkey 9.1.2 were recorded to tell it.
func TestHashEvents(t *testing.T) {
	n := newNode(t, 2)
	now := int64(1_700_000_000_000)
	n.now = func() int64 { return now }
	n.call.Listening = commands.ClassHash | commands.ClassGeneric
	for _, x := range []struct{ line, want string }{
		{"HSET h a 1 b 2 c 3 d 4 e 5 f 6", "hset"},
		{"HSET h a 2", "hset"},
		{"HEXPIRE h 100 FIELDS 1 a", "hexpire"},
		{"HPEXPIREAT h 4102444800000 FIELDS 2 a nosuch", "hexpire"},
		{"HPEXPIREAT h 4102444800000 NX FIELDS 1 a", ""},
		{"HPERSIST h FIELDS 2 a b", "hpersist"},
		{"HPERSIST h FIELDS 1 b", ""},
		{"HEXPIRE h 0 FIELDS 1 b", "hexpired"},
		{"HGETEX h EX 100 FIELDS 1 a", "hexpire"},
		{"HGETEX h PERSIST FIELDS 1 a", "hpersist"},
		{"HGETEX h PXAT 1 FIELDS 1 a", "hexpired"},
		{"HGETDEL h FIELDS 2 c nosuch", "hdel"},
		{"HGETDEL h FIELDS 1 nosuch", ""},
		{"HSETEX h PXAT 4102444800000 FIELDS 1 d 5", "hset hexpire"},
		{"HSETEX h FIELDS 1 d 5", "hset"},
		{"HSETEX h PXAT 1 FIELDS 1 d 5", "hset hexpire hexpired"},
		{"HSETEX h2 EX 100 FIELDS 1 d 5", "hset hexpire"},
		{"HINCRBY h e 1", "hincrby"},
		{"HINCRBYFLOAT h e 1.5", "hincrbyfloat"},
		{"HDEL h e nosuch", "hdel"},
		{"HGETDEL h FIELDS 1 f", "hdel del"},
		{"HSET he a 1 b 2", "hset"},
		{"HPEXPIRE he 200 FIELDS 1 a", "hexpire"},
		{"", "hexpired"},
		{"HPEXPIRE he 200 FIELDS 1 b", "hexpire"},
		{"", "hexpired del"},
	} {
		n.call.Events = n.call.Events[:0]
		if x.line == "" {
			now += 700
			n.expire(now)
		} else {
			n.do(strings.Fields(x.line)...)
		}
		var names []string
		for _, e := range n.call.Events {
			names = append(names, e.Name)
		}
		if got := strings.Join(names, " "); got != x.want {
			t.Errorf("%s: %q, want %q", x.line, got, x.want)
		}
	}
}
