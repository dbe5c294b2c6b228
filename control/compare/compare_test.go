package compare_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"testing"
	"time"

	"larder/backends/remote"
	"larder/control/compare"
	"larder/internal/fleet"
	"larder/internal/peers"
	"larder/internal/writes"
)

func address(t *testing.T, text string) remote.Address {
	t.Helper()
	a, err := remote.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func run(t *testing.T, source, target string, change ...func(o *compare.Options)) *compare.Report {
	t.Helper()
	o := compare.Options{Source: address(t, source), Target: address(t, target), Now: time.Now, Sleep: sleep, Large: 200 << 10}
	for _, f := range change {
		f(&o)
	}
	r, err := compare.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// fill writes the same into each server, by draws from a seed, and values that are large.
func fill(t *testing.T, n int, tag string, conns ...*peers.Conn) {
	t.Helper()
	s := writes.Source{Rand: rand.New(rand.NewPCG(9, 9)), Keys: 30, NowMS: 4_000_000_000_000, Tag: tag} // nothing dies meanwhile
	var all [][]string
	for i := range n {
		command := s.Next()
		switch command[0] {
		case "XADD": // an ID of the server's own would differ
			command[2] = fmt.Sprintf("%d-1", i+1)
		case "XREADGROUP", "XAUTOCLAIM", "SPOP", "LMOVE", "BLMOVE": // what depends on time or chance
			continue
		}
		all = append(all, command)
	}
	for _, c := range conns {
		for _, command := range all {
			c.Do(command...)
		}
	}
}

// large writes a value of each type that is read in parts.
func large(t *testing.T, tag string, conns ...*peers.Conn) {
	t.Helper()
	for _, c := range conns {
		c.Do("SET", "large:text"+tag, strings.Repeat("0123456789abcdef", 200_000))
		for i := range 4 {
			hash, set, zset, list := []string{"HSET", "large:hash" + tag}, []string{"SADD", "large:set" + tag}, []string{"ZADD", "large:zset" + tag}, []string{"RPUSH", "large:list" + tag}
			for j := range 1000 {
				word := fmt.Sprintf("element %d %s", i*1000+j, strings.Repeat("x", 60))
				hash, set, list = append(hash, word, word), append(set, word), append(list, word)
				zset = append(zset, fmt.Sprintf("%d.1", j), word)
			}
			for _, command := range [][]string{hash, set, zset, list} {
				if reply := c.Do(command...); reply[0] == '-' {
					t.Fatal(string(reply))
				}
			}
		}
	}
}

func twins(t *testing.T) (source, target string, a, b *peers.Conn) {
	t.Helper()
	source = peers.StartRedis(t)
	target = peers.StartRedis(t, "--hash-max-listpack-entries", "4", "--set-max-intset-entries", "2", "--zset-max-listpack-entries", "4", "--list-max-listpack-size", "3")
	return "redis://" + source, "redis://" + target, peers.Dial(t, source, 0), peers.Dial(t, target, 0)
}

// TestEqual: two servers with the same keys in other forms, in several databases, large values among them.
func TestEqual(t *testing.T) {
	source, target, a, b := twins(t)
	fill(t, 3000, "", a, b)
	large(t, "", a, b)
	for _, c := range []*peers.Conn{a, b} {
		c.Do("SELECT", "5")
	}
	fill(t, 200, "", a, b)
	done, total := int64(0), int64(0)
	r := run(t, source, target, func(o *compare.Options) { o.Progress = func(d, n int64) { done, total = d, n } })
	if !r.Equal || r.Changing != 0 || len(r.First) > 0 || len(r.Databases) != 2 || len(r.Notes) > 0 {
		t.Fatalf("%+v", r)
	}
	if r.Alike < 200 || r.Databases[1].DB != 5 || r.Databases[0].Source.Types["zset"] < 10 || r.Databases[0].Source.Types["stream"] < 5 || done != total || total < 400 {
		t.Errorf("%+v, databases %+v, progress %d of %d", r, r.Databases[0], done, total)
	}
	keys := int64(0)
	for _, at := range r.Ranges {
		if at.Source != at.Target || at.SourceKeys != at.TargetKeys {
			t.Errorf("%+v", at)
		}
		keys += at.SourceKeys
	}
	if keys != r.Alike {
		t.Errorf("%d keys in the ranges, %d in all", keys, r.Alike)
	}
	if one := run(t, source+"/5", target); !one.Equal || len(one.Databases) != 1 || one.Alike >= r.Alike {
		t.Errorf("%+v", one)
	}
	if two := run(t, source+"/5", target+"/0"); two.Equal {
		t.Error("two databases with other keys are equal")
	}
}

// TestDifferences: each kind of difference is found, once, and nothing else.
func TestDifferences(t *testing.T) {
	source, target, a, b := twins(t)
	fill(t, 1000, "", a, b)
	large(t, "", a, b)
	for _, c := range []*peers.Conn{a, b} {
		c.Do("SET", "here", "1")
		c.Do("SET", "there", "1")
		c.Do("SET", "kind", "1")
		c.Do("SET", "dies", "1", "PXAT", "4102444800000")
		c.Do("SET", "lives", "1")
		c.Do("SET", "near", "1", "PXAT", "4102444800000")
		c.Do("HSET", "fields", "a", "1")
		c.Do("FUNCTION", "LOAD", "#!lua name=same\nredis.register_function('same', function() return 1 end)")
	}
	a.Do("DEL", "there")
	b.Do("DEL", "here")
	b.Do("DEL", "kind")
	b.Do("RPUSH", "kind", "1")
	b.Do("PEXPIREAT", "dies", "4102444800002")
	b.Do("PEXPIREAT", "near", "4102444800001")
	b.Do("PEXPIREAT", "lives", "4102444800000")
	b.Do("HSET", "fields", "a", "2")
	b.Do("SADD", "large:set", "one more")
	b.Do("LSET", "large:list", "-1", "another")
	b.Do("SETRANGE", "large:text", "3000000", "X")
	a.Do("HSET", "\x00\xff", "binary", "1")
	a.Do("FUNCTION", "LOAD", "#!lua name=mine\nredis.register_function('mine', function() return 1 end)")
	r := run(t, source, target)
	want := map[compare.What]int64{
		compare.MissingAtTarget: 3, compare.MissingAtSource: 1, compare.OtherType: 1, compare.OtherValue: 4, compare.OtherExpiry: 2,
	}
	if r.Equal || r.Changing != 0 || fmt.Sprint(r.Counts) != fmt.Sprint(want) || r.Differences() != 11 {
		t.Errorf("%v, want %v; %+v", r.Counts, want, r.First)
	}
	shown := map[string]compare.Difference{}
	for _, d := range r.First {
		shown[d.Key+d.KeyHex+d.Function] = d
	}
	for key, what := range map[string]compare.What{
		"here": compare.MissingAtTarget, "there": compare.MissingAtSource, "kind": compare.OtherType, "dies": compare.OtherExpiry, "lives": compare.OtherExpiry,
		"fields": compare.OtherValue, "large:set": compare.OtherValue, "large:list": compare.OtherValue, "large:text": compare.OtherValue,
		"00ff": compare.MissingAtTarget, "mine": compare.MissingAtTarget,
	} {
		if shown[key].What != what {
			t.Errorf("%s: %+v, want %s", key, shown[key], what)
		}
	}
	if len(shown) != 11 || shown["kind"].Target != "list of 1 elements, digest "+strings.Split(shown["kind"].Target, "digest ")[1] ||
		shown["dies"].Target != "expires 2100-01-01 00:00:00.002" || shown["lives"].Source != "never expires" {
		t.Errorf("%+v", shown)
	}
}

// TestManyDifferences: an empty target; 20 keys are shown.
func TestManyDifferences(t *testing.T) {
	source, target, a, _ := twins(t)
	for i := range 5000 {
		a.Do("SET", fmt.Sprint("k", i), "v")
	}
	soon := func(o *compare.Options) { o.Sleep = func(context.Context, time.Duration) error { return nil } }
	r := run(t, source, target, soon)
	if r.Counts[compare.MissingAtTarget] != 5000 || len(r.First) != 20 {
		t.Errorf("%v, %d shown", r.Counts, len(r.First))
	}
	r = run(t, source, target, soon, func(o *compare.Options) { o.Sample, o.Seed = 500, 7 })
	if n := r.Counts[compare.MissingAtTarget]; n < 350 || n > 650 || r.Read != n {
		t.Errorf("a sample of 500 has %d differences of %d keys", n, r.Read)
	}
}

// TestChanging: keys that are written all the time are no differences, and those that come to rest are equal.
func TestChanging(t *testing.T) {
	source, target, a, b := twins(t)
	for _, c := range []*peers.Conn{a, b} {
		c.Do("MSET", "hot", "1", "rests", "1", "gone", "1", "quiet", "1")
	}
	b.Do("SET", "quiet", "2")
	a.Do("SET", "rests", "2")
	a.Do("DEL", "gone")
	rounds := 0
	r := run(t, source, target, func(o *compare.Options) {
		o.Sleep = func(context.Context, time.Duration) error {
			a.Do("INCR", "hot")
			if rounds++; rounds == 3 {
				b.Do("SET", "rests", "2")
				b.Do("DEL", "gone")
			}
			return nil
		}
		o.Progress = func(done, _ int64) {
			if done == 0 {
				return
			}
			a.Do("INCR", "hot")
		}
	})
	if r.Differences() != 1 || r.Counts[compare.OtherValue] != 1 || r.Equal {
		t.Errorf("%+v", r)
	}
	a.Do("SET", "quiet", "2")
	b.Do("SET", "hot", "-1")
	r = run(t, source, target, func(o *compare.Options) {
		o.Sleep = func(context.Context, time.Duration) error { a.Do("INCR", "hot"); return nil }
	})
	if !r.Equal || r.Changing != 1 || len(r.First) != 1 || r.First[0].What != compare.StillChanging || r.First[0].Key != "hot" {
		t.Errorf("%+v", r)
	}
}

// TestOldServer: a source that has no PEXPIRETIME and refuses MEMORY USAGE and INFO is compared by what it lets do.
func TestOldServer(t *testing.T) {
	source, target, a, b := twins(t)
	fill(t, 1500, "", a, b)
	large(t, "", a, b)
	a.Do("ACL", "SETUSER", "old", "on", ">p", "~*", "&*", "+@all", "-pexpiretime", "-memory", "-info", "-function")
	old := strings.Replace(source, "redis://", "redis://old:p@", 1)
	r := run(t, old, target)
	if !r.Equal || r.Changing != 0 || r.Alike < 100 || len(r.Notes) != 2 || strings.Contains(r.Source, "p@") {
		t.Errorf("%+v", r)
	}
	b.Do("SET", "one", "1", "PX", "100000000")
	a.Do("SET", "one", "1", "PX", "100005000")
	if r := run(t, old, target); r.Equal || r.Counts[compare.OtherExpiry] != 1 {
		t.Errorf("%+v", r)
	}
	a.Do("ACL", "SETUSER", "mute", "on", ">p", "~*", "+@all", "-dump")
	_, err := compare.Run(t.Context(), compare.Options{Source: address(t, strings.Replace(source, "redis://", "redis://mute:p@", 1)), Target: address(t, target), Now: time.Now, Sleep: sleep})
	if err == nil || !strings.Contains(err.Error(), "the source: server") || !strings.Contains(err.Error(), "+@read") {
		t.Error(err)
	}
}

// TestClusterAndLarder: a Redis Cluster against a Larder of three shards.
func TestClusterAndLarder(t *testing.T) {
	nodes := peers.StartRedisCluster(t, 3)
	gateway := fleet.Gateway(t, fleet.Nodes(t, 3))
	g := peers.Dial(t, gateway, 0)
	for _, tag := range []string{"{a}", "{b}", "{c}", "{d}"} {
		for _, addr := range nodes {
			c := peers.Dial(t, addr, 0)
			if reply := c.Do("SET", "probe"+tag, "1"); reply[0] == '+' {
				fill(t, 400, tag, c, g)
				large(t, tag, c, g)
				g.Do("SET", "probe"+tag, "1")
			}
		}
	}
	source := "redis+cluster://" + nodes[1]
	r := run(t, source, "redis://"+gateway)
	if !r.Equal || r.Changing != 0 || r.Alike < 200 {
		t.Fatalf("%+v %+v", r, r.Databases[0])
	}
	g.Do("DEL", "probe{b}")
	g.Do("SET", "more{c}", "1")
	g.Do("HSET", "large:hash{d}", "element 5 "+strings.Repeat("x", 60), "y")
	if r := run(t, source, "redis://"+gateway); r.Equal || r.Differences() != 3 || r.Counts[compare.OtherValue] != 1 {
		t.Errorf("%+v", r)
	}
}

// TestRateAndEnd: it is as slow as is said, and ends with its context.
func TestRateAndEnd(t *testing.T) {
	source, target, a, b := twins(t)
	for i := range 2000 {
		a.Do("SET", fmt.Sprint("k", i), "v")
		b.Do("SET", fmt.Sprint("k", i), "v")
	}
	now, slept := time.Unix(1000, 0), time.Duration(0)
	r := run(t, source, target, func(o *compare.Options) {
		o.Rate = 100
		o.Now = func() time.Time { return now }
		o.Sleep = func(_ context.Context, d time.Duration) error { slept += d; now = now.Add(d); return nil }
	})
	if !r.Equal || slept < 39*time.Second || slept > 41*time.Second || r.Took != slept {
		t.Errorf("4000 readings at 100 a second took %s", slept)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	enough := errors.New("enough")
	part, err := compare.Run(ctx, compare.Options{
		Source: address(t, source), Target: address(t, target), Now: time.Now, Sleep: sleep,
		Progress: func(done, _ int64) { cancel(enough) },
	})
	if !errors.Is(err, enough) && !errors.Is(err, context.Canceled) || part.Seen == 0 || part.Seen >= 4000 {
		t.Errorf("%+v %v", part, err)
	}
}

func TestMain(m *testing.M) { os.Exit(fleet.Main(m)) }
