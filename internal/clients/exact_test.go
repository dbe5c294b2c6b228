package clients_test

import (
	"encoding/json"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"larder/internal/clients"
	"larder/internal/peers"
	"larder/persistence/snapshot"
	"larder/protocol/resp"
)

// exactDB is the database of what the mixture does not flush.
const exactDB = "5"

// counting increments counters in a fixed order and pairs of keys by MULTI and by a script, and changes large collections, until it is told to stop.
type counting struct {
	stop chan struct{}
	all  sync.WaitGroup
}

const (
	counters = 300
	bigParts = 60_000
)

// begin fills what there is to change and starts.
func (c *counting) begin(t *testing.T, addr string) {
	t.Helper()
	c.stop = make(chan struct{})
	w := peers.Dial(t, addr, 2)
	want(t, w, "+OK\r\n", "SELECT", exactDB)
	const fill = `for i = tonumber(ARGV[1]), ARGV[2] - 1 do
		redis.call('hset', KEYS[1], 'f' .. i, i) redis.call('zadd', KEYS[2], i, 'm' .. i) redis.call('sadd', KEYS[3], 'e' .. i) redis.call('rpush', KEYS[4], i)
	end`
	for i := 0; i < bigParts; i += 2000 {
		want(t, w, "$-1\r\n", "EVAL", fill, "4", "big:h", "big:z", "big:s", "big:l", strconv.Itoa(i), strconv.Itoa(i+2000))
	}
	for _, round := range []func(i int) [][]string{
		func(int) (all [][]string) {
			for n := range counters {
				all = append(all, []string{"INCR", "c:" + strconv.Itoa(n)})
			}
			return all
		},
		func(i int) [][]string {
			v := strconv.Itoa(i)
			return [][]string{
				{"MULTI"},
				{"SET", "pair:a", v},
				{"HSET", "pair:h", "f", v},
				{"RPUSH", "pair:l", v},
				{"LTRIM", "pair:l", "-1", "-1"},
				{"EXEC"},
				{"EVAL", "for i=1,#KEYS do redis.call('set',KEYS[i],ARGV[1]) end", "3", "same:a", "same:b", "same:c", v},
				{"RENAME", "same:a", "same:d"},
			}
		},
		func(i int) [][]string {
			n := strconv.Itoa(i * 37 % bigParts)
			return [][]string{
				{"HSET", "big:h", "f" + n, strings.Repeat("x", i%90)},
				{"HDEL", "big:h", "f" + strconv.Itoa(i*91%bigParts)},
				{"ZINCRBY", "big:z", "1.5", "m" + n},
				{"ZPOPMIN", "big:z"},
				{"SADD", "big:s", "new" + strconv.Itoa(i)},
				{"SPOP", "big:s"},
				{"LSET", "big:l", n, strconv.Itoa(i)},
				{"LMOVE", "big:l", "big:l", "LEFT", "RIGHT"},
			}
		},
	} {
		conn, err := net.Dial("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		c.all.Go(func() { c.run(t, conn, round) })
	}
	t.Cleanup(c.end)
}

// run sends rounds as pipelines.
func (c *counting) run(t *testing.T, conn net.Conn, round func(i int) [][]string) {
	w := clients.Over(conn)
	defer w.Close()
	if _, err := w.Do("SELECT", exactDB); err != nil {
		t.Error(err)
		return
	}
	for i := 1; ; i++ {
		select {
		case <-c.stop:
			return
		default:
		}
		var out []byte
		all := round(i)
		for _, command := range all {
			out = resp.AppendCommandStrings(out, command...)
		}
		if _, err := conn.Write(out); err != nil {
			t.Error(err)
			return
		}
		for range all {
			if reply, err := w.ReplyWithin(peers.Patience); err != nil || reply[0] == '-' {
				t.Errorf("%.200q: %q, %v", all, reply, err)
				return
			}
		}
	}
}

func (c *counting) end() {
	select {
	case <-c.stop:
		return
	default:
	}
	close(c.stop)
	c.all.Wait()
}

// oneMoment judges the counters and pairs: what was done in order, or as a whole, is there so.
func oneMoment(t *testing.T, c *peers.Conn) {
	t.Helper()
	want(t, c, "+OK\r\n", "SELECT", exactDB)
	number := func(args ...string) int {
		t.Helper()
		text, _ := resp.BulkOf(c.Do(args...))
		n, err := strconv.Atoi(string(text))
		if err != nil {
			t.Fatalf("%q: %q", args, text)
		}
		return n
	}
	first, steps := number("GET", "c:0"), 0
	for n, was := 1, first; n < counters; n++ {
		now := number("GET", "c:"+strconv.Itoa(n))
		if now != was {
			steps++
		}
		if was = now; steps > 1 || now != first && now != first-1 {
			t.Fatalf("counter %d is %d, the first %d: no order of increments leaves that", n, now, first)
		}
	}
	if a, h, l := number("GET", "pair:a"), number("HGET", "pair:h", "f"), number("LINDEX", "pair:l", "0"); a != h || a != l {
		t.Errorf("what one MULTI has set is %d, %d, %d", a, h, l)
	}
	if b, d := number("GET", "same:b"), number("GET", "same:c"); b != d {
		t.Errorf("what one script has set is %d, %d", b, d)
	}
	t.Logf("the counters are at %d", first)
}

// TestSnapshotsAreExact takes snapshots of a larder dev under a load of all types, of primaries and of replicas. What each has is compared, key by key, with what
// a redis-server has that was told the node's stream up to the offset that the manifest names, and not a byte more.
func TestSnapshotsAreExact(t *testing.T) {
	t.Parallel()
	seed := dice(t).Uint64()
	for replicas := range 2 {
		t.Run(fmt.Sprintf("replicas=%d", replicas), func(t *testing.T) {
			dir, dumps := t.TempDir(), t.TempDir()
			d := larder.Dev(t, dir, "--shards", "1", "--replicas", strconv.Itoa(replicas), "--set", "engine.save=", "--set", "snapshots.bytes-per-second=4mb") // each takes seconds, in which it is overwritten
			node := d.Node(t, "n0")
			tape := record(t, node)
			var c counting
			c.begin(t, d.Addr)
			var all []*writing
			for i := range uint64(4) {
				all = append(all, write(t, []string{d.Addr, node}[i%2], seed+i))
			}
			const snapshots = 3
			for i := range snapshots {
				var sofar []int64
				for _, w := range all {
					sofar = append(sofar, w.n.Load())
				}
				eventually(t, "the load goes on", func() bool { return all[0].n.Load() > sofar[0]+300 && all[1].n.Load() > sofar[1]+300 })
				larder.Done(t, "snapshot", "create", "s"+strconv.Itoa(i), "--dir", dir)
			}
			c.end()
			for _, w := range all {
				w.end()
			}
			before := int64(0)
			for i := range snapshots {
				before = exact(t, dir, dumps, "s"+strconv.Itoa(i), replicas > 0, tape, before)
			}
		})
	}
}

// exact judges one snapshot, and gives its offset; before is the offset of one before, or 0.
func exact(t *testing.T, dir, dumps, name string, replica bool, tape *tape, before int64) int64 {
	t.Helper()
	larder.Done(t, "snapshot", "verify", name, "--dir", dir)
	var m snapshot.Manifest
	if err := json.Unmarshal([]byte(larder.Done(t, "snapshot", "show", name, "--dir", dir, "--json")), &m); err != nil {
		t.Fatal(err)
	}
	shard := m.Shards[0]
	if shard.Replica != replica || shard.ReplID != tape.id || shard.Keys < 100 {
		t.Fatalf("snapshot %s: %+v; the history is %s", name, shard, tape.id)
	}
	larder.Done(t, "snapshot", "export", name, "--to", dumps, "--dir", dir)
	loaded := clients.Redis(t, "--dir", dumps, "--dbfilename", name+"-shard-0000.rdb", "--enable-debug-command", "yes")
	whole(t, filepath.Join(dumps, name+"-shard-0000.rdb"))
	want, got := peers.Dial(t, tape.replay(t, shard.ReplOffset).Addr, 2), peers.Dial(t, loaded.Addr, 2)
	calmly(t, func() error { // a key may die of age between two looks
		if unlike := differences(want, got); unlike != "" {
			return fmt.Errorf("snapshot %s, at offset %d: what the stream leaves, and what the snapshot has: %s", name, shard.ReplOffset, unlike)
		}
		return nil
	})
	if a, b := want.Do("FUNCTION", "DUMP"), got.Do("FUNCTION", "DUMP"); string(a) != string(b) {
		t.Errorf("functions: %q, %q", a, b)
	}
	oneMoment(t, got)
	if before > 0 && differences(peers.Dial(t, tape.replay(t, before).Addr, 2), got) == "" {
		t.Error("the judge sees no difference to what the snapshot before has")
	}
	return shard.ReplOffset
}
