package commands_test

import (
	"strconv"
	"strings"
	"testing"
)

const steadyNow = 1_700_000_000_000

func TestSortedSetsDoNotAllocate(t *testing.T) {
	n := newNode(t, 3)
	n.now = func() int64 { return steadyNow }
	n.do("SET", "{comes}", "the first key of a group of slots makes its table")
	n.do("ZADD", "small", "1", "a", "2.5", "b", "3", "c", "3", "17")
	for i := range 3000 {
		n.do("ZADD", "big", strconv.Itoa(i%700), "member"+strconv.Itoa(i))
		n.do("ZADD", "text", "0", "member"+strconv.Itoa(i))
	}
	for _, key := range []string{"small", "big"} {
		member := map[string]string{"small": "b", "big": "member77"}[key]
		for _, line := range []string{
			"ZADD <key> 1 <member>; ZADD <key> 2.5 <member>", "ZADD <key> 1 new 2 newer; ZREM <key> new newer", "ZADD <key> GT CH 1 <member>", "ZADD <key> XX INCR 1 <member>",
			"ZINCRBY <key> 1.5 <member>", "ZSCORE <key> <member>", "ZSCORE <key> none", "ZMSCORE <key> <member> none", "ZRANK <key> <member>", "ZREVRANK <key> <member> WITHSCORE",
			"ZCARD <key>", "ZCOUNT <key> 1 (3", "ZLEXCOUNT <key> - +", "ZRANGE <key> 0 -1", "ZRANGE <key> 0 99 WITHSCORES", "ZREVRANGE <key> 0 9", "ZRANGEBYSCORE <key> 1 (3 LIMIT 1 2",
			"ZRANGE <key> 3 1 BYSCORE REV WITHSCORES", "ZADD <key> -inf low; ZPOPMIN <key>", "ZADD <key> +inf high; ZPOPMAX <key> 1", "ZADD <key> -inf low; ZMPOP 1 <key> MIN",
			"ZADD <key> -inf l1 -inf l2; ZREMRANGEBYRANK <key> 0 1", "ZADD <key> -inf l1 -inf l2; ZREMRANGEBYSCORE <key> -inf (-1000", "ZSCAN <key> 0 COUNT 20", "ZRANDMEMBER <key>",
			"ZRANGESTORE to <key> 0 2",
		} {
			n.allocatesNothing(t, fill(line, key, member))
		}
	}
	for _, line := range []string{"ZRANGE text [member1 [member2 BYLEX", "ZLEXCOUNT text [member1 +", "ZADD text 0 member00 0 member000; ZREMRANGEBYLEX text [member00 [member000"} {
		n.allocatesNothing(t, line)
	}
	n.allocatesNothing(t, "ZADD comes 1 a; ZREM comes a")
}

func TestPlacesDoNotAllocate(t *testing.T) {
	n := newNode(t, 3)
	n.now = func() int64 { return steadyNow }
	for i := range 2000 {
		n.do("GEOADD", "places", strconv.Itoa(i%90), strconv.Itoa(i%80), "place"+strconv.Itoa(i))
	}
	for _, line := range []string{
		"GEOADD places 1 1 place77; GEOADD places 77 77 place77", "GEODIST places place1 place2 km", "GEOPOS places place1", "GEOHASH places place1",
		"GEOSEARCH places FROMLONLAT 10 10 BYRADIUS 900 km", "GEOSEARCH places FROMLONLAT 10 10 BYRADIUS 3000 km ASC COUNT 3 WITHDIST",
		"GEOSEARCH places FROMMEMBER place5 BYBOX 900 900 km DESC WITHCOORD", "GEOSEARCH places FROMMEMBER place5 BYRADIUS 9000 km COUNT 2 ANY WITHHASH",
	} {
		n.allocatesNothing(t, line)
	}
}

// fill puts a key and one of its members into a line.
func fill(line, key, member string) string {
	return strings.NewReplacer("<key>", key, "<member>", member).Replace(line)
}

func TestSetsDoNotAllocate(t *testing.T) {
	n := newNode(t, 3)
	n.now = func() int64 { return steadyNow }
	n.do("MSET", "{comes}", "the first key of a group of slots makes its table", "{other}", "", "{small}", "", "{numbers}", "")
	n.do("SADD", "numbers", "1", "2", "3", "-70000")
	n.do("SADD", "small", "a", "b", "c", "17")
	for i := range 3000 {
		n.do("SADD", "big", "member"+strconv.Itoa(i))
	}
	for _, key := range []string{"numbers", "small", "big"} {
		member := map[string]string{"numbers": "-70000", "small": "b", "big": "member77"}[key]
		for _, line := range []string{
			"SADD <key> 77 78; SREM <key> 77 78", "SADD <key> <member>", "SREM <key> 4444", "SISMEMBER <key> <member>", "SISMEMBER <key> 4444", "SMISMEMBER <key> <member> 4444", "SCARD <key>",
			"SMEMBERS <key>", "SRANDMEMBER <key>", "SPOP <key>; SADD <key> 5", "SSCAN <key> 0 COUNT 20", "SADD other 9; SMOVE other <key> 9; SREM <key> 9",
		} {
			n.allocatesNothing(t, fill(line, key, member))
		}
	}
	n.allocatesNothing(t, "SADD comes 1; SREM comes 1")
	n.allocatesNothing(t, "SADD comes a; SREM comes a")
}
