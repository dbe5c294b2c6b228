package commands_test

import (
	"fmt"
	"os"
	"runtime"
	"runtime/metrics"
	"strconv"
	"strings"
	"testing"

	"larder/engine/store"
)

// bigElements is how many elements the collections have: many more pages than one slice frees.
func bigElements() int {
	if os.Getenv("LARDER_LONG") != "" {
		return 10_000_000
	}
	return 40_000
}

// grow gives a key a collection of n elements of 8 bytes, the i-th made from the number from+i.
func (n *node) grow(t testing.TB, kind, key string, from, count int) {
	t.Helper()
	const together = 100
	args := make([]string, 0, 3*together)
	for i := from; i < from+count; {
		switch args = args[:0]; kind {
		case "stream":
			args = append(args, "XADD", key, "0-"+strconv.Itoa(i+1), "f", fmt.Sprintf("%08d", i))
			i++
		default:
			args = append(args, map[string]string{"hash": "HSET", "list": "RPUSH", "set": "SADD", "zset": "ZADD"}[kind], key)
			for end := min(i+together, from+count); i < end; i++ {
				switch kind {
				case "hash":
					args = append(args, fmt.Sprintf("%08d", i), "v")
				case "zset":
					args = append(args, strconv.Itoa(i*7919%1_000_003), fmt.Sprintf("m%07d", i))
				default:
					args = append(args, fmt.Sprintf("m%07d", i))
				}
			}
		}
		if reply := n.do(args...); reply[0] == '-' {
			t.Fatal(reply)
		}
	}
	n.settle()
}

// settle does all the work in slices that there is.
func (n *node) settle() {
	for n.store.Work(1 << 20) {
	}
}

// TestBigGoesInSlices: a command that takes a big collection away, or most of it, leaves the freeing to slices, each of which frees little.
func TestBigGoesInSlices(t *testing.T) {
	count := bigElements()
	half, last := strconv.Itoa(count/2), strconv.Itoa(count-1)
	for _, c := range []struct {
		kind    string
		command string // of the key "big"; "few" and "fewer" are small collections of the same kind, "text" is a string
		gone    bool   // the key is gone, or has something small
	}{
		{"hash", "DEL big", true},
		{"set", "UNLINK big", true},
		{"zset", "DEL big", true},
		{"list", "DEL big", true},
		{"stream", "DEL big", true},
		{"hash", "RENAME few big", true},
		{"zset", "COPY few big REPLACE", true},
		{"list", "SET big text", true},
		{"set", "SPOP few 1 | RENAME few big", true},
		{"set", "SUNIONSTORE big few fewer", true},
		{"set", "SDIFFSTORE big fewer fewer", true},
		{"zset", "ZUNIONSTORE big 2 few fewer", true},
		{"zset", "ZRANGESTORE big few 0 -1", true},
		{"hash", "PEXPIREAT big 1", true},
		{"list", "BITOP OR big text", true},
		{"list", "SORT few ALPHA STORE big", true},
		{"hash", "FLUSHDB", true},
		{"zset", "FLUSHALL ASYNC", true},
		{"zset", "ZREMRANGEBYRANK big 0 -1", true},
		{"zset", "ZREMRANGEBYSCORE big -inf +inf", true},
		{"zset", "ZREMRANGEBYLEX big - +", true},
		{"zset", "ZREMRANGEBYRANK big 2 -3", true},
		{"list", "LTRIM big 1 0", true},
		{"list", "LTRIM big 0 10", true},
		{"list", "LTRIM big 0 " + half, false},
		{"list", "LTRIM big " + half + " -1", false},
		{"stream", "XTRIM big MAXLEN 0", true},
		{"stream", "XTRIM big MINID 0-" + last, true},
		{"stream", "XTRIM big MAXLEN " + half, false},
		{"stream", "XTRIM big MAXLEN ~ " + half + " LIMIT 0", false},
		{"stream", "XADD big MAXLEN 1 * f v", true},
	} {
		t.Run(c.kind+" "+c.command, func(t *testing.T) {
			n := newNode(t, 2)
			n.grow(t, c.kind, "few", 0, 3)
			n.grow(t, c.kind, "fewer", 1, 2)
			n.do("SET", "text", "t")
			n.settle()
			empty := n.store.Reserved()
			n.grow(t, c.kind, "big", 0, count)
			full := n.store.Reserved()
			for command := range strings.SplitSeq(c.command, " | ") {
				if reply := n.do(strings.Fields(command)...); reply[0] == '-' {
					t.Fatalf("%s: %s", command, reply)
				}
			}
			// What is freed at once is the share that the write itself pays for.
			const budget, most = 16 << 10, 160 << 10
			if freed := full - n.store.Reserved(); freed > most {
				t.Errorf("%d bytes of %d were freed at once", freed, full-empty)
			}
			slices, least := 0, n.store.Reserved()
			for more := true; more; slices++ {
				before := n.store.Reserved()
				more = n.store.Work(budget)
				least = min(least, n.store.Reserved())
				if freed := before - n.store.Reserved(); freed > most {
					t.Fatalf("a slice freed %d bytes", freed)
				}
			}
			part := full - empty
			if !c.gone {
				part = part * 2 / 5
			}
			if full-least < part*9/10-64<<10 || slices < int(part/most) {
				t.Errorf("%d of %d bytes came back in %d slices", full-least, part, slices)
			}
		})
	}
}

// TestBigIsSharedUntilWritten: the first write into a big collection that a copy or a snapshot has too copies the pages on its way and no others.
func TestBigIsSharedUntilWritten(t *testing.T) {
	count := bigElements()
	for kind, write := range map[string]string{
		"hash": "HSET big 00000007 w", "list": "LSET big 7 w", "set": "SADD big w", "zset": "ZADD big 7 w", "stream": "XADD big * f v",
	} {
		t.Run(kind, func(t *testing.T) {
			n := newNode(t, 2)
			n.grow(t, kind, "big", 0, count)
			if kind == "stream" { // all pending
				n.do("XGROUP", "CREATE", "big", "g", "0")
				n.do("XREADGROUP", "GROUP", "g", "c", "COUNT", strconv.Itoa(count), "STREAMS", "big", ">")
				n.settle()
			}
			for _, share := range []string{"copy", "snapshot"} {
				const most = 64 << 10
				if share == "copy" {
					n.do("COPY", "big", "other")
				} else if _, err := n.store.Snapshot(store.SnapshotOptions{}); err != nil {
					t.Fatal(err)
				}
				full := n.store.Reserved()
				n.do(strings.Fields(write)...)
				if grown := n.store.Reserved() - full; grown > most || grown < 0 {
					t.Errorf("the first write beside a %s took %d bytes", share, grown)
				}
			}
		})
	}
}

// TestGroupGoesInSlices: a group with very many pending entries is given up as a whole.
func TestGroupGoesInSlices(t *testing.T) {
	count := bigElements()
	n := newNode(t, 2)
	n.grow(t, "stream", "big", 0, count)
	empty := n.store.Reserved()
	n.do("XGROUP", "CREATE", "big", "g", "0")
	n.do("XREADGROUP", "GROUP", "g", "c", "COUNT", strconv.Itoa(count), "STREAMS", "big", ">")
	n.settle()
	full := n.store.Reserved()
	if got := n.do("XGROUP", "DESTROY", "big", "g"); got != ":1\r\n" {
		t.Fatal(got)
	}
	if freed := full - n.store.Reserved(); freed > 160<<10 {
		t.Errorf("%d bytes of %d were freed at once", freed, full-empty)
	}
	n.settle()
	if back := full - n.store.Reserved(); back < (full-empty)*9/10 {
		t.Errorf("%d bytes of %d came back", back, full-empty)
	}
}

// allocated is how many bytes were ever taken from the Go heap.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

// TestResultsAreMadeInPages: what is stored of big collections is not gathered in the Go heap before.
func TestResultsAreMadeInPages(t *testing.T) {
	count := bigElements()
	n := newNode(t, 2)
	n.grow(t, "set", "s1", 0, count)
	n.grow(t, "set", "s2", count/2, count)
	n.grow(t, "zset", "z1", 0, count)
	n.grow(t, "zset", "z2", count/2, count)
	both, all := fmt.Sprintf(":%d\r\n", count/2), fmt.Sprintf(":%d\r\n", count+count/2)
	for _, c := range [][2]string{
		{"SUNIONSTORE to s1 s2", all},
		{"SINTERSTORE to s1 s2", both},
		{"SDIFFSTORE to s1 s2", both},
		{"SDIFFSTORE s2 s2 s1", both},
		{"SUNIONSTORE s2 s2 s1", all},
		{"ZUNIONSTORE to 2 z1 z2", all},
		{"ZINTERSTORE to 2 z1 z2", both},
		{"ZDIFFSTORE to 2 z1 z2", both},
		{"ZUNIONSTORE to 2 z1 s1 WEIGHTS 1 0", all},
		{"ZRANGESTORE to z1 0 " + strconv.Itoa(count/2-1), both},
	} {
		want := c[1]
		if strings.HasSuffix(c[0], "WEIGHTS 1 0") {
			want = fmt.Sprintf(":%d\r\n", count)
		}
		before := allocated()
		if got := n.do(strings.Fields(c[0])...); got != want {
			t.Errorf("%s: %q, want %q", c[0], got, want)
		}
		if took := allocated() - before; took > 1<<20 {
			t.Errorf("%s took %d bytes of the Go heap", c[0], took)
		}
		n.settle()
	}
	// s1 has 0 to count, s2 was made all there is.
	for _, c := range [][2]string{
		{"SINTERCARD 2 s1 s2", fmt.Sprintf(":%d\r\n", count)},
		{"SCARD s2", all},
		{"SISMEMBER s2 m" + fmt.Sprintf("%07d", count+count/2-1), ":1\r\n"},
		{"OBJECT ENCODING s2", "$9\r\nhashtable\r\n"},
		{"OBJECT ENCODING to", "$8\r\nskiplist\r\n"},
		{"SDIFFSTORE none s1 s2", ":0\r\n"},
		{"ZDIFFSTORE none 2 to z1", ":0\r\n"},
		{"ZINTERCARD 2 to z1", both},
	} {
		if got := n.do(strings.Fields(c[0])...); got != c[1] {
			t.Errorf("%s: %q, want %q", c[0], got, c[1])
		}
	}
	first, place := n.do("ZRANGE", "z1", "1000", "1003", "WITHSCORES"), n.do("ZRANGE", "to", "1000", "1003", "WITHSCORES")
	if first != place {
		t.Errorf("a range that was stored has %q, its source %q", place, first)
	}
}

// TestBigIsNotCollected: the garbage collector has nothing to look at however much there is.
func TestBigIsNotCollected(t *testing.T) {
	count := bigElements()
	n := newNode(t, 2)
	sample := []metrics.Sample{{Name: "/gc/scan/heap:bytes"}, {Name: "/gc/heap/live:bytes"}}
	read := func() (scan, live uint64) {
		runtime.GC()
		runtime.GC()
		metrics.Read(sample)
		return sample[0].Value.Uint64(), sample[1].Value.Uint64()
	}
	scan, live := read()
	for _, kind := range []string{"hash", "list", "set", "zset", "stream"} {
		n.grow(t, kind, kind, 0, count)
	}
	scanned, lives := read()
	taken := n.store.Memory()
	t.Logf("%d MiB of collections: the collector scans %d KiB, was %d; %d KiB live, was %d", taken>>20, scanned>>10, scan>>10, lives>>10, live>>10)
	if scanned > scan+uint64(taken)/200+64<<10 || lives > live+uint64(taken)/50+256<<10 {
		t.Errorf("%d bytes of collections: the collector scans %d bytes, was %d; %d live, was %d", taken, scanned, scan, lives, live)
	}
}

// TestCollectionBytes holds the memory of collections beyond their keys and elements. A listpack has 7 bytes of its own and 2 for each entry, an item 6 and
// its share of the index about 10, with few keys some more.
func TestCollectionBytes(t *testing.T) {
	const small, big = 20_000, 200_000
	for kind, c := range map[string]struct {
		command    string
		element    func(i int) []string
		small, big float64 // bytes beyond key and elements: of a collection of ten, of an element
	}{
		"hash": {"HSET", func(i int) []string { return []string{fmt.Sprintf("f%06x", i)[:7], "v"} }, 72, 9},
		"set":  {"SADD", func(i int) []string { return []string{fmt.Sprintf("m%07d", i)} }, 52, 8},
		"zset": {"ZADD", func(i int) []string { return []string{strconv.Itoa(i), fmt.Sprintf("m%07d", i)} }, 72, 40},
		"list": {"RPUSH", func(i int) []string { return []string{fmt.Sprintf("e%07d", i)} }, 52, 1.7},
	} {
		fill := func(n *node, key string, from, to int) {
			args := []string{c.command, key}
			for i := from; i < to; i++ {
				args = append(args, c.element(i)...)
			}
			n.do(args...)
		}
		const element = 8
		n := newNode(t, 2)
		before := n.store.Reserved()
		for i := range small {
			fill(n, fmt.Sprintf("key:%012d", i), 0, 10)
		}
		n.settle()
		each := float64(n.store.Reserved()-before)/small - 16 - 10*element
		n = newNode(t, 2)
		before = n.store.Reserved()
		for i := 0; i < big; i += 100 {
			fill(n, "big", i, i+100)
		}
		n.settle()
		one := float64(n.store.Reserved()-before)/big - element
		t.Logf("%s: %.1f bytes beyond key and ten elements, %.1f beyond each of %d", kind, each, one, big)
		if each > c.small || one > c.big {
			t.Errorf("%s: %.1f bytes beyond key and ten elements, want %.0f; %.1f beyond each of many, want %.1f", kind, each, c.small, one, c.big)
		}
	}
}

// TestRangesLeaveTheRest takes ranges of all sizes out of a large sorted set: both its trees have what is left, in order.
func TestRangesLeaveTheRest(t *testing.T) {
	const count = 5000
	for _, c := range [][2]int{{0, 10}, {0, count - 2}, {1, count - 1}, {5, count - 6}, {count / 2, count/2 + 700}, {count / 10, count - 1}, {100, 4200}} {
		n := newNode(t, 2)
		args := []string{"ZADD", "z"}
		for i := range count {
			args = append(args, strconv.Itoa(i), fmt.Sprintf("m%07d", i*7919%count))
		}
		n.do(args...)
		gone := c[1] - c[0] + 1
		if got := n.do("ZREMRANGEBYRANK", "z", strconv.Itoa(c[0]), strconv.Itoa(c[1])); got != fmt.Sprintf(":%d\r\n", gone) {
			t.Fatalf("%v: %q", c, got)
		}
		rank := 0
		for i := range count {
			member := fmt.Sprintf("m%07d", i*7919%count)
			want, place := "$-1\r\n", "$-1\r\n"
			if i < c[0] || i > c[1] {
				want, place = fmt.Sprintf("$%d\r\n%d\r\n", len(strconv.Itoa(i)), i), fmt.Sprintf(":%d\r\n", rank)
				rank++
			}
			if score, at := n.do("ZSCORE", "z", member), n.do("ZRANK", "z", member); score != want || at != place {
				t.Fatalf("%v: member %d has score %q at %q, want %q at %q", c, i, score, at, want, place)
			}
		}
	}
}
