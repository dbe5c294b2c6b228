package engine_test

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/engine"
	"larder/internal/conform"
	"larder/internal/peers"
	"larder/protocol/resp"
)

// laneTold has what is drawn be said over numbered lanes, several commands a turn. One that waits is left for another now and then.
type laneTold struct {
	*following
	lane  *talker
	count int
	text  []byte
}

func (f *following) overLanes() *laneTold {
	l := &laneTold{following: f}
	f.tell = func(args [][]byte) {
		l.text = resp.AppendCommand(l.text, args...)
		if f.rng.IntN(8) == 0 {
			l.flush()
		}
	}
	return l
}

func (l *laneTold) flush() {
	if l.lane == nil || l.lane.c.Closed || l.rng.IntN(30) == 0 {
		l.count++
		l.lane = l.node.b.lane("lane:" + strconv.Itoa(l.count))
	}
	if l.lane.send(l.text) == "" {
		l.lane = nil // it waits
	}
	l.text = l.text[:0]
}

// TestFollowersOfLanes: what is drawn of all types is said over numbered lanes, and a node that follows has the same keys, values and lanes.
func TestFollowersOfLanes(t *testing.T) {
	for _, seed := range streamSeeds(4) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			f := &following{t: t, rng: rand.New(rand.NewPCG(seed, 17)), node: newTeller(t), knows: knows{true, true, true}}
			replica := newBed(t, withDebug)
			drawn := conform.NewGenerator(f.rng, start, true)
			l := f.overLanes()
			w := follows(t, replica, f.node.b)
			for range 30 {
				f.round(drawn, 60)
				l.flush()
				f.letDie()
				replica.m.Advance(time.Second)
				w.rest()
				stream := f.node.told()
				nests(t, toldLines(t, stream))
				replica.node.Obey(func() { f.compare(stream, f.node.b.client(), replica.client()) })
				sameLanes(t, f.node.b, replica)
			}
		})
	}
}

// sameLanes compares what a node and one that has its whole stream know of lanes. What was told to nobody, or was a request for nothing new, only the first counts.
func sameLanes(t *testing.T, first, second *bed) {
	t.Helper()
	all, copied := first.node.Lanes(), second.node.Lanes()
	for id, number := range all {
		if got, known := copied[id]; !known || got > number || number > 0 && got == 0 && number > 500 {
			t.Fatalf("lane %s: %d, and where it is followed %d", id, number, got)
		}
	}
	if len(all) != len(copied) {
		t.Fatalf("%d lanes, and where they are followed %d", len(all), len(copied))
	}
}

// TestRedisObeysMarks has a redis-server follow the stream of numbered lanes.
func TestRedisObeysMarks(t *testing.T) {
	for _, seed := range streamSeeds(2) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			redis := peers.Dial(t, peers.StartRedis(t, "--enable-debug-command", "yes", "--repl-timeout", "3600"), 2)
			primary := leadsTo(t, redis)
			f := &following{t: t, rng: rand.New(rand.NewPCG(seed, 7)), node: newTellerAt(t, time.Now().Add(time.Hour)), knows: knows{size: true, groups: true}}
			f.lacks = lacksFields
			drawn := conform.NewGenerator(f.rng, time.Now().Add(time.Hour), true)
			l, marks := f.overLanes(), 0
			for range 10 {
				f.round(drawn, 60)
				l.flush()
				f.letDie()
				stream := f.node.told()
				marks += strings.Count(string(stream), "__larder:lanes__")
				primary.send(redis, stream)
				f.compare(stream, f.node.b.client(), redisAsker{redis})
			}
			if marks < 20 {
				t.Errorf("%d marks were told", marks)
			}
		})
	}
}

// TestRedisTakesFilesWithLanes: redis-server and its tools take a file and a journal that have lanes in them, and have the data.
func TestRedisTakesFilesWithLanes(t *testing.T) {
	dir := t.TempDir()
	b := newBedAt(t, time.Now(), nil, func(o *engine.Options) { o.Dir, o.AppendOnly, o.AppendFsync = dir, true, "no" })
	k, lane, other := b.client(), b.lane("gw:1"), b.lane("gw:2")
	lane.turn("SET a 1", "LPUSH l x y z", "GET a")
	lane.turn("INCR n", "BGREWRITEAOF", "INCR n") // the base has lanes too
	b.rewritten("1")
	other.turn("SADD s a b", "SET b 2")
	lane.turn("SELECT 2", "HSET h f v")
	k.says("+OK\r\n", "LARDER", "FORGET", "gw:2")
	lane.turn("INCR n", "SAVE", "GET n")
	b.written()
	redisTakes(t, dir)
	out, err := exec.Command("redis-check-rdb", filepath.Join(dir, "dump.rdb")).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "AUX FIELD larder-lane = '1 gw:1 9'") {
		t.Errorf("redis-check-rdb: %v\n%s", err, out)
	}
	for _, journal := range []bool{true, false} {
		a := newBedAt(t, time.Now(), nil, func(o *engine.Options) { o.Dir, o.AppendOnly = copyOfDir(t, dir), journal })
		c := a.client()
		a.until(func() bool { return c.do("PING") == "+PONG\r\n" })
		if got, want := c.digest(), k.digest(); got != want {
			t.Errorf("a node, with the journal: %v: digest %s, want %s", journal, got, want)
		}
		a.lanesAre(map[string]uint64{"gw:1": 9})
	}
	for _, args := range [][]string{{"--appendonly", "yes"}, {"--appendonly", "no"}} {
		redis := peers.Dial(t, peers.StartRedis(t, append(args, "--dir", copyOfDir(t, dir), "--enable-debug-command", "yes")...), 2)
		eventually(t, "redis-server has loaded it", func() bool { return string(redis.Do("PING")) == "+PONG\r\n" })
		if got, want := strings.TrimSpace(string(redis.Do("DEBUG", "DIGEST"))), k.digest(); got != want {
			t.Errorf("%v: digest %s, want %s", args, got, want)
		}
		if got := string(redis.Do("INFO", "errorstats")); strings.Contains(got, "errorstat_") {
			t.Errorf("%v: redis-server met errors: %s", args, got)
		}
	}
}

func copyOfDir(t *testing.T, dir string) string {
	t.Helper()
	copied := t.TempDir()
	if err := os.CopyFS(copied, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return copied
}
