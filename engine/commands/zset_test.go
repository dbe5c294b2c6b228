package commands_test

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"larder/engine/zsets"
	"larder/protocol/command"
)

// zdraws draws commands on sorted sets.
type zdraws struct{ *rand.Rand }

func (d *zdraws) one(words ...string) string { return words[d.IntN(len(words))] }

func (d *zdraws) key() string { return d.one("z1", "z2", "z3", "z4", "nokey", "str") }

// lexKey is a key whose members all have one score: what a range of members is where scores differ is nobody's promise.
func (d *zdraws) lexKey() string { return d.one("l1", "l2", "l1", "l2", "l3") }

func (d *zdraws) member() string {
	if d.IntN(30) == 0 {
		return d.one("", strings.Repeat("x", 64), strings.Repeat("x", 65), "\x00\xff", "9223372036854775807", "-0", "007", strings.Repeat("y", 5000))
	}
	if d.IntN(3) == 0 {
		return strconv.Itoa(d.IntN(40))
	}
	return "m" + strconv.Itoa(d.IntN(40))
}

func (d *zdraws) score() string {
	switch d.IntN(12) {
	case 0:
		return d.one("inf", "-inf", "+inf", "1e400", "nan", "x", "", " 1", "1 ", "0x10", "1e5", "1e17", "1e18", "4611686018427387904", "1e-400", "5e-324", "-0", "-0", "0x1p-3", "infinity", ".5", "5.", "1\x00", "123456789012345678")
	case 1, 2:
		return strconv.FormatFloat(d.NormFloat64(), 'g', -1, 64)
	case 3:
		return strconv.Itoa(d.IntN(1000000) - 500000)
	}
	return strconv.Itoa(d.IntN(10))
}

func (d *zdraws) bound() string {
	if d.IntN(12) == 0 {
		return d.one("", "(", "((1", "x", "(inf", "(-inf", "1e400", "-1e400", " 1", "1 ", "1\x00x", "nan", "(nan")
	}
	return d.one("", "", "(") + d.one("-inf", "+inf", d.score(), d.score(), d.score(), d.score())
}

func (d *zdraws) lexBound() string {
	if d.IntN(15) == 0 {
		return d.one("", "x", "--", "++", "[", "(")
	}
	return d.one("-", "+", "["+d.member(), "["+d.member(), "("+d.member())
}

func (d *zdraws) index() string {
	if d.IntN(20) == 0 {
		return d.one("x", "", "1.5", "9223372036854775807", "-9223372036854775808")
	}
	return strconv.Itoa(d.IntN(60) - 30)
}

func (d *zdraws) count() string {
	if d.IntN(20) == 0 {
		return d.one("x", "-1", "9223372036854775807")
	}
	return strconv.Itoa(d.IntN(6))
}

// maybe gives the words once in n.
func (d *zdraws) maybe(n int, words ...string) []string {
	if d.IntN(n) == 0 {
		return words
	}
	return nil
}

func (d *zdraws) shuffled(groups ...[]string) (out []string) {
	d.Shuffle(len(groups), func(i, j int) { groups[i], groups[j] = groups[j], groups[i] })
	for _, g := range groups {
		out = append(out, g...)
	}
	return out
}

func (d *zdraws) add() []string {
	if d.IntN(4) == 0 {
		args := []string{"ZADD", d.one("l1", "l2")}
		for range 1 + d.IntN(5) {
			args = append(args, "1", d.member())
		}
		return args
	}
	args := []string{"ZADD", d.key()}
	args = append(args, d.shuffled(d.maybe(6, "NX"), d.maybe(6, "xx"), d.maybe(6, "GT"), d.maybe(6, "lt"), d.maybe(3, "CH"), d.maybe(6, "INCR"))...)
	for range 1 + d.IntN(4)*d.IntN(3) {
		args = append(args, d.score(), d.member())
	}
	return args
}

func (d *zdraws) keys() []string {
	n := 1 + d.IntN(3)
	out := []string{strconv.Itoa(n)}
	for range n {
		out = append(out, d.one(d.key(), d.key(), "set"))
	}
	if d.IntN(20) == 0 {
		out[0] = d.one("0", "-1", "x", "9")
	}
	return out
}

func (d *zdraws) aggregation() []string {
	var weights []string
	if d.IntN(3) == 0 {
		weights = []string{"WEIGHTS"}
		for range 1 + d.IntN(3) {
			weights = append(weights, d.score())
		}
	}
	return d.shuffled(weights, d.maybe(2, "AGGREGATE", d.one("sum", "MIN", "max", "avg")))
}

// rangeArgs gives a key and a range of it.
func (d *zdraws) rangeArgs() (out []string) {
	key := d.key()
	by := d.one("", "BYSCORE", "BYLEX")
	switch by {
	case "BYSCORE":
		out = []string{d.bound(), d.bound()}
	case "BYLEX":
		key = d.lexKey()
		out = []string{d.lexBound(), d.lexBound()}
	default:
		out = []string{d.index(), d.index()}
	}
	if by != "" {
		out = append(out, by)
	}
	limit := d.maybe(3, "LIMIT", d.index(), d.index())
	out = append([]string{key}, out...)
	return append(out, d.shuffled(limit, d.maybe(3, "REV"))...)
}

func join(parts ...[]string) (out []string) {
	for _, p := range parts {
		out = append(out, p...)
	}
	return out
}

func (d *zdraws) read() []string {
	k, withScores := d.key(), d.maybe(2, "WITHSCORES")
	limit := d.maybe(3, "LIMIT", d.index(), d.index())
	switch d.IntN(18) {
	case 0:
		return []string{"ZSCORE", k, d.member()}
	case 1:
		return []string{"ZMSCORE", k, d.member(), d.member()}
	case 2:
		return []string{"ZCARD", k}
	case 3:
		return []string{"ZCOUNT", k, d.bound(), d.bound()}
	case 4:
		return []string{"ZLEXCOUNT", d.lexKey(), d.lexBound(), d.lexBound()}
	case 5:
		return []string{d.one("ZRANK", "ZREVRANK"), k, d.member()}
	case 6, 7:
		return join([]string{"ZRANGE"}, d.rangeArgs(), withScores)
	case 8:
		return join([]string{"ZREVRANGE", k, d.index(), d.index()}, withScores)
	case 9, 10:
		return join([]string{d.one("ZRANGEBYSCORE", "ZREVRANGEBYSCORE"), k, d.bound(), d.bound()}, d.shuffled(withScores, limit))
	case 11, 12:
		return join([]string{d.one("ZRANGEBYLEX", "ZREVRANGEBYLEX"), d.lexKey(), d.lexBound(), d.lexBound()}, limit)
	case 13:
		return join([]string{"ZRANDMEMBER", k}, d.maybe(2, d.index()), d.maybe(4, "WITHSCORES"))
	case 14:
		return join([]string{d.one("ZUNION", "ZINTER")}, d.keys(), d.aggregation(), withScores)
	case 15:
		return join([]string{"ZDIFF"}, d.keys(), withScores)
	case 16:
		return join([]string{"ZINTERCARD"}, d.keys(), d.maybe(2, "LIMIT", d.count()))
	}
	return join([]string{"ZSCAN", k, "0", "COUNT", "10000"}, d.maybe(3, "MATCH", d.one("m*", "*1", "nope")))
}

func (d *zdraws) write() []string {
	k := d.key()
	switch d.IntN(18) {
	case 0, 1, 2, 3, 4, 5, 6:
		return d.add()
	case 7:
		return []string{"ZINCRBY", k, d.score(), d.member()}
	case 8, 9:
		return []string{"ZREM", k, d.member(), d.member(), d.member()}
	case 10:
		return []string{"ZREMRANGEBYRANK", k, d.index(), d.index()}
	case 11:
		return []string{"ZREMRANGEBYSCORE", k, d.bound(), d.bound()}
	case 12:
		return []string{"ZREMRANGEBYLEX", d.lexKey(), d.lexBound(), d.lexBound()}
	case 13:
		return join([]string{d.one("ZPOPMIN", "ZPOPMAX"), k}, d.maybe(2, d.count()))
	case 14:
		return join([]string{"ZMPOP"}, d.keys(), []string{d.one("MIN", "max")}, d.maybe(2, "COUNT", d.count()))
	case 15:
		return join([]string{"ZRANGESTORE", d.key()}, d.rangeArgs())
	case 16:
		return join([]string{d.one("ZUNIONSTORE", "ZINTERSTORE"), d.key()}, d.keys(), d.aggregation())
	}
	return join([]string{"ZDIFFSTORE", d.key()}, d.keys())
}

func (d *zdraws) command() []string {
	var args []string
	switch d.IntN(12) {
	case 0:
		args = []string{"OBJECT", "ENCODING", d.key()}
	case 1:
		args = []string{"DEL", d.key()}
		if d.IntN(2) == 0 {
			args = []string{"SADD", "set", d.member(), d.member(), d.member()}
		}
		if d.IntN(3) > 0 {
			args = []string{"SET", "str", "x"}
		}
	case 2, 3, 4, 5:
		args = d.read()
	default:
		args = d.write()
	}
	if d.IntN(40) == 0 && !strings.HasSuffix(args[0], "RANK") { // 7.2's WITHSCORE is another number of arguments
		args = append(args, d.one("x", "LIMIT", "NX", "WITHSCORES", "1"))
	}
	if d.IntN(60) == 0 && args[0] != "ZSCAN" { // which without its COUNT shows a part, each server another
		args = args[:1+d.IntN(len(args))]
	}
	return args
}

// TestZSetsAsRedis draws commands on sorted sets that become large early and late.
func TestZSetsAsRedis(t *testing.T) {
	for _, most := range []int{0, 8, 128} {
		addr := startRedis(t, "--zset-max-listpack-entries", strconv.Itoa(most))
		for _, proto := range []int{2, 3} {
			p := newPair(t, addr, proto)
			p.ours.call.Limits.ZSet = zsets.Limits{EntriesMax: most, ValueMax: 64}
			d := &zdraws{rand.New(rand.NewPCG(*seedFlag, uint64(most)))}
			for range 60 {
				for range 20 {
					var cmds [][]string
					for range 20 {
						cmds = append(cmds, d.command())
					}
					p.run(cmds)
				}
				p.fresh()
			}
		}
	}
}

// TestZSetChangesAsRedis compares the count of changes with the server's own.
func TestZSetChangesAsRedis(t *testing.T) {
	p := newPair(t, startRedis(t), 2)
	d := &zdraws{rand.New(rand.NewPCG(*seedFlag, 7))}
	before := p.changes()
	for range 3000 {
		args := d.command()
		p.ours.call.Changed = 0
		p.run([][]string{args})
		if row, _ := command.Resolve(views(args)); row == nil {
			continue
		}
		after := p.changes()
		if n := p.ours.call.Changed; n != after-before {
			t.Fatalf("%q: changed %d, redis %d", args, n, after-before)
		}
		before = after
	}
}
