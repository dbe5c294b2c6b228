package engine_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"larder/engine"
	"larder/internal/conform"
	"larder/persistence/rdb"
	"larder/protocol/resp"
)

var streamSeed = flag.Uint64("stream-seed", 0, "of what followers are told by chance; 0: a few")

// streamSeeds are the seeds of a test that takes n of its own.
func streamSeeds(n int) (seeds []uint64) {
	if *streamSeed != 0 {
		return []uint64{*streamSeed}
	}
	for i := range n {
		seeds = append(seeds, uint64(i+1))
	}
	return seeds
}

// TestFollowersAreEqual has a node do what chance says, of all types, and another obey the node's stream: at each checkpoint they have the same keys, values
// and times, whatever the clock of the second shows.
func TestFollowersAreEqual(t *testing.T) {
	for _, seed := range streamSeeds(6) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			newFollowing(t, seed).run(40, 60)
		})
	}
}

// following is a node, one that follows it, and dice.
type following struct {
	t    *testing.T
	rng  *rand.Rand
	node *teller
	copy *follower
	said []string // since the last checkpoint

	tell  func(args [][]byte) // a command, to the first
	knows knows
	lacks func(line string) bool // tells which of specials are not for it
}

func newFollowing(t *testing.T, seed uint64) *following {
	f := &following{t: t, rng: rand.New(rand.NewPCG(seed, seed)), node: newTeller(t), copy: newFollower(t), knows: knows{true, true, true}}
	f.copy.b.m.Advance(ms(f.rng.IntN(5000)))
	return f
}

// run draws commands and compares the nodes after each round of them.
func (f *following) run(rounds, commands int) {
	drawn := conform.NewGenerator(f.rng, start, true)
	for range rounds {
		f.round(drawn, commands)
		f.check()
	}
}

// round says commands, and has time pass between them.
func (f *following) round(drawn *conform.Generator, commands int) {
	steps := drawn.Section("model", commands).Steps
	for i := range steps {
		args := steps[i].Args(start)
		if f.rng.IntN(3) == 0 {
			args = f.special()
		}
		if len(args) > 0 && !f.unfit(args) {
			f.say(args)
		}
		if f.node != nil && f.rng.IntN(6) == 0 {
			f.node.b.m.Pass(ms(f.rng.IntN(300)))
		}
		if f.node != nil && f.rng.IntN(10) == 0 {
			f.node.b.m.Advance(ms(f.rng.IntN(300)))
		}
	}
}

func (f *following) say(args [][]byte) {
	f.said = append(f.said, conform.Quote(args))
	if f.tell != nil {
		f.tell(args)
		return
	}
	if f.rng.IntN(20) == 0 { // somebody else says it too, and may wait for it
		f.node.b.client().send(resp.AppendCommand(nil, args...))
	}
	f.node.send(resp.AppendCommand(nil, args...))
}

// unfit are commands that would end the test, or hang it.
func (f *following) unfit(args [][]byte) bool {
	switch strings.ToLower(string(args[0])) {
	case "config", "client", "hello", "auth", "reset", "quit", "shutdown", "debug", "larder":
		return true
	}
	return false
}

// specials are what the generator leaves out: # is a number, f a field, K k H L S Z X are keys of a family.
var specials = []string{
	"SPOP S", "SPOP S #", "SPOP S 100", "SADD S a b c d e f g h 1 2 3", "SADD S 1 2 3 4 5",
	"HPEXPIRE H # FIELDS 2 f f", "HEXPIRE H 1 NX FIELDS 1 f", "HPEXPIREAT H 1 FIELDS 1 f", "HPEXPIRE H 200 GT FIELDS 3 f f f", "HPERSIST H FIELDS 2 f f",
	"HGETEX H PX # FIELDS 2 f f", "HGETEX H PERSIST FIELDS 1 f", "HSETEX H PX # FIELDS 2 f v f w", "HSETEX H KEEPTTL FIELDS 2 f v f w",
	"HSETEX H FNX KEEPTTL FIELDS 1 f v", "HGETDEL H FIELDS 2 f f", "HSET H f v f w f x", "HSET H f 1 f 2", "HSETNX H f v", "HINCRBY H f 2", "HINCRBYFLOAT H f 0.5",
	"HDEL H f f f", "HLEN H", "EXISTS H",
	"PEXPIRE K #", "PEXPIRE H #", "PEXPIRE L #", "PEXPIRE S #", "PEXPIRE Z #", "PEXPIRE X #", "SET K v PX #", "SET K v EX 1 GET", "GETEX K PX #", "PSETEX K # v",
	"SELECT 0", "SELECT 1", "SWAPDB 0 1", "MULTI", "EXEC", "DISCARD", "WATCH K",
	"BLPOP L 0.001", "BLMOVE L L LEFT RIGHT 0.001", "BRPOPLPUSH L L 0.001", "BZPOPMIN Z 0.001", "BZMPOP 0.001 1 Z MAX COUNT 2", "BLMPOP 0.001 2 L L RIGHT COUNT 3",
	"GEOSEARCHSTORE Z Z FROMLONLAT 10 10 BYRADIUS 5000 km", "ZRANGESTORE Z Z 0 -1", "ZREMRANGEBYLEX Z - (c", "SORT L ALPHA STORE L", "SORT S ALPHA STORE L",
	"SORT S BY w* ALPHA STORE L", "SORT S BY nosort STORE L", "SORT S BY k* GET # GET h*->f ALPHA DESC STORE L", "SORT Z BY k* ALPHA LIMIT 0 2 STORE L", "SADD S 0 1 2",
	"XGROUP CREATE X g 0 MKSTREAM", "XREADGROUP GROUP g c1 COUNT 2 STREAMS X >", "XREADGROUP GROUP g c2 NOACK STREAMS X >", "XREADGROUP GROUP g c3 STREAMS X 0",
	"XADD X * a 1", "XADD X MAXLEN ~ 3 * a 1", "XTRIM X MINID ~ 5", "XCLAIM X g c4 0 1-1 2-2", "XAUTOCLAIM X g c5 0 0 COUNT 2", "XADD X * b 2",
	"EVAL redis.call('set',KEYS[1],'1','PX','#');redis.call('spop',KEYS[2]) 2 K S", "EVAL redis.pcall('incr',KEYS[1]);redis.pcall('lpush',KEYS[2],'a') 2 K L",
	"EVAL redis.call('get',KEYS[1]);redis.call('select',1);redis.pcall('append',KEYS[1],'x') 1 K", "PUBLISH c m",
	"BLPOP L L 0", "BLMOVE L L RIGHT LEFT 0", "BZPOPMAX Z 0", "XREADGROUP GROUP g c9 BLOCK 0 STREAMS X >", "LPUSH L a b", "RPUSH L c", "ZADD Z 1 a 2 b",
	"CONFIG SET maxmemory 1 maxmemory-policy allkeys-lru", "CONFIG SET maxmemory 0", "CONFIG SET maxmemory 1 maxmemory-policy volatile-ttl",
	"DEBUG SET-ACTIVE-EXPIRE 0", "DEBUG SET-ACTIVE-EXPIRE 1", "CLIENT PAUSE 300 WRITE", "CLIENT UNPAUSE",
	"FLUSHALL", "MOVE K 1", "COPY H H REPLACE DB 1", "RENAME H H", "RENAME K H",
}

func (f *following) special() (args [][]byte) {
	line := specials[f.rng.IntN(len(specials))]
	if line == "FLUSHALL" && f.rng.IntN(10) > 0 || f.lacks != nil && f.lacks(line) {
		return nil
	}
	return f.filled(line)
}

// filled draws what a line leaves open.
func (f *following) filled(line string) (args [][]byte) {
	for i, word := range strings.Fields(line) {
		switch {
		case i > 0 && slices.Contains([]string{"K", "H", "L", "S", "Z", "X"}, word):
			word = strings.ToLower(word) + strconv.Itoa(f.rng.IntN(3))
		case i > 0 && word == "f":
			word = "f" + strconv.Itoa(f.rng.IntN(4))
		default:
			word = strings.ReplaceAll(word, "#", strconv.Itoa(1+f.rng.IntN(600)))
		}
		args = append(args, []byte(word))
	}
	return args
}

// check is a checkpoint.
func (f *following) check() {
	f.t.Helper()
	f.letDie()
	stream := f.node.told()
	nests(f.t, toldLines(f.t, stream))
	f.copy.obeys(stream)
	f.copy.b.node.Obey(func() { f.compare(stream, f.node.b.client(), f.copy.b.client()) }) // other clients: those of before may wait
}

// letDie has all go that is due.
func (f *following) letDie() {
	f.node.b.client().do("DEBUG", "SET-ACTIVE-EXPIRE", "1")
	f.node.b.client().do("CONFIG", "SET", "maxmemory", "0")
	f.node.b.client().do("CLIENT", "UNPAUSE")
	f.node.b.m.Advance(ms(1000))
	for range 10_000 { // a tick does only so much
		if f.node.b.m.Advance(ms(1)); f.node.b.node.Rests() {
			return
		}
	}
	f.t.Fatal("it has not come to an end")
}

// compare compares the pictures of two nodes.
func (f *following) compare(stream []byte, first, second asker) {
	f.t.Helper()
	if want, got := picture(first, f.knows), picture(second, f.knows); want != got {
		f.t.Fatalf("the nodes differ\nthe first:\n%s\nthe second:\n%s\nsaid:\n%s\ntold:\n%s", minus(want, got), minus(got, want), strings.Join(f.said, "\n"),
			strings.Join(toldLines(f.t, stream), "\n"))
	}
	f.said = f.said[:0]
}

// nests sees that no MULTI is inside another and each has its EXEC.
func nests(t *testing.T, lines []string) {
	t.Helper()
	open := false
	for i, line := range lines {
		switch {
		case line == "MULTI" && open, line == "EXEC" && !open:
			t.Fatalf("%s as the %d. of\n%s", line, i, strings.Join(lines, "\n"))
		case line == "MULTI", line == "EXEC":
			open = !open
		}
	}
	if open {
		t.Fatalf("a MULTI without EXEC in\n%s", strings.Join(lines, "\n"))
	}
}

// knows says what a node has a word for.
type knows struct {
	fields bool // fields that die
	size   bool // how many keys there are, dead ones too, when it is asked
	groups bool // consumers of streams that have got nothing, and how much a group has read
}

// picture is all that is in a node, a line for each key, as it is compared.
func picture(k asker, of knows) string {
	var all []string
	for db := range 16 {
		k.do("SELECT", strconv.Itoa(db))
		for _, key := range elements(k.do("KEYS", "*")) {
			kind := k.do("TYPE", key)
			line := fmt.Sprintf("%d %q type %q dies %q ", db, key, kind, k.do("PEXPIRETIME", key))
			if kind == "+zset\r\n" { // digests of scores are other ones in Redis 7.0
				line += zScores(k, key)
			} else {
				line += k.do("DEBUG", "DIGEST-VALUE", key)
			}
			if kind == "+hash\r\n" && of.fields {
				line += fmt.Sprintf(" fields %q", k.do("HPEXPIRETIME", key, "FIELDS", "4", "f0", "f1", "f2", "f3"))
			}
			if kind == "+stream\r\n" && of.groups {
				line += " groups " + groups(k, key)
			}
			all = append(all, strings.ReplaceAll(line, "\r\n", " "))
		}
		if of.size {
			all = append(all, fmt.Sprintf("%d has %q", db, k.do("DBSIZE")))
		}
	}
	k.do("SELECT", "0")
	slices.Sort(all)
	return strings.Join(all, "\n")
}

// elements are the texts of an array.
func elements(reply string) (all []string) {
	it := resp.Elements([]byte(reply))
	for e, ok := it.Next(); ok; e, ok = it.Next() {
		text, _ := resp.BulkOf(e)
		all = append(all, string(text))
	}
	return all
}

// zScores are the members of a sorted set with their scores as numbers.
func zScores(k asker, key string) string {
	all := elements(k.do("ZRANGE", key, "0", "-1", "WITHSCORES"))
	for i := 1; i < len(all); i += 2 {
		n, _ := strconv.ParseFloat(all[i], 64)
		all[i] = fmt.Sprint(n)
	}
	return fmt.Sprintf("%q", all)
}

// groups are a stream's groups, without what only clocks say, and without how often an entry was read again, which is not told.
func groups(k asker, key string) string {
	reply := k.do("XINFO", "GROUPS", key)
	out := fmt.Sprintf("%q", reply)
	it := resp.Elements([]byte(reply))
	for g, ok := it.Next(); ok; g, ok = it.Next() {
		out += fmt.Sprintf(" pending %q", k.do("XPENDING", key, elements(string(g))[1]))
	}
	return out
}

// minus are the lines of one picture that the other lacks.
func minus(a, b string) string {
	var out []string
	have := strings.Split(b, "\n")
	for line := range strings.SplitSeq(a, "\n") {
		if !slices.Contains(have, line) {
			out = append(out, line)
		}
	}
	return strings.Join(out, "\n")
}

// FuzzTold has bytes choose what a node does: its stream is whole commands, and a follower obeys them.
func FuzzTold(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c"))
	f.Add([]byte("\x1d\x25\x1d\x2a\x1d\x30\x3b\x41\x49\x55\xff\x1d\x05"))
	f.Add([]byte("\x28\x20\x21\x28\x29\x43\x2a\xfe\x4d\x4e\x50\x2a"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 2000 {
			return
		}
		w := newFollowing(t, 1)
		for _, b := range data {
			if b == 255 {
				w.node.b.m.Advance(ms(200))
				continue
			}
			w.rng = rand.New(rand.NewPCG(uint64(b), 1))
			w.say(w.filled(specials[int(b)%len(specials)]))
		}
		w.check()
	})
}

// TestCopiesCatchUp: who loads what a pass has written, of any moment, and obeys the stream from that moment on has what the node has. So it is for replicas and
// for a journal's base.
func TestCopiesCatchUp(t *testing.T) {
	for _, seed := range streamSeeds(6) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			f := newFollowing(t, seed)
			drawn := conform.NewGenerator(f.rng, start, true)
			f.round(drawn, 200)
			for range 4 {
				f.node.b.client().do("DEBUG", "SET-ACTIVE-EXPIRE", strconv.Itoa(f.rng.IntN(2)))
				f.round(drawn, 60)
				f.catchUp(drawn)
			}
		})
	}
}

// catchUp makes a copy anew and compares it.
func (f *following) catchUp(drawn *conform.Generator) {
	node, sink := f.node.b.node, &engine.PassSink{}
	node.Listen() // who begins to listen is told the database
	began := node.StreamEnd()
	wake, _, err := node.BeginPass(true, sink)
	if err != nil {
		f.t.Fatal(err)
	}
	f.node.b.m.Drift = ms(1) / 10 // slices end
	for i := 0; !sink.Ended; i++ {
		f.round(drawn, 10)
		wake()
		if i > 1000 {
			f.t.Fatal("the pass does not end")
		}
	}
	f.node.b.m.Drift = 0
	if sink.Err != nil {
		f.t.Fatal(sink.Err)
	}
	f.letDie()
	f.copy = newFollower(f.t)
	f.copy.b.m.Advance(ms(f.rng.IntN(200_000)))
	f.copy.b.node.Obey(func() {
		if _, _, _, err := f.copy.b.node.LoadRDB(rdb.AppendSum(sink.Bytes, 0), 1+f.rng.IntN(5000), true); err != nil {
			f.t.Fatal(err)
		}
	})
	stream, end := node.Told(began)
	f.node.heard = end
	f.copy.obeys(stream)
	f.copy.b.node.Obey(func() { f.compare(stream, f.node.b.client(), f.copy.b.client()) })
	f.said = f.said[:0]
}
