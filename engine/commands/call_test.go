package commands_test

import (
	"bytes"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/protocol/command"
)

func TestNoAllocations(t *testing.T) {
	n := newNode(t, 3)
	n.now = func() int64 { return 1_700_000_000_000 }
	n.do("MSET", "text", "some value of usual length", "number", "12345", "other", "x")
	n.do("EXPIRE", "text", "100000")
	for _, line := range []string{
		"GET text", "GET number", "GET none", "SET text some-other-value-of-usual-l KEEPTTL", "SET number 77", "SET other v PX 100000", "SETNX text v",
		"INCRBYFLOAT other 0.25", "SET other 1",
		"MGET text number none other", "MSET text a-value-of-usual-length other y", "INCR number", "DECRBY number 3", "EXPIRE text 100000", "EXPIRE text 200000 GT",
		"PEXPIREAT text 1800000000000 XX", "TTL text", "PERSIST none", "DEL none none2", "EXISTS text none", "STRLEN text", "GETRANGE text 2 5",
		"GETBIT text 9", "BITCOUNT text 0 -1", "BITPOS text 1 2", "BITOP XOR other text number", "BITFIELD text GET i5 7 GET u7 9",
		"TYPE text", "OBJECT ENCODING number", "DBSIZE", "TOUCH text", "GETEX text EX 100",
	} {
		n.allocatesNothing(t, line)
	}
	n.do("MSET", "{group}1", "v", "{group}2", "v") // the first key of a group of slots makes its table
	set, del := views([]string{"SET", "{group}", "comes and goes"}), views([]string{"DEL", "{group}"})
	if got := testing.AllocsPerRun(100, func() { n.run(set); n.run(del) }); got != 0 {
		t.Errorf("SET and DEL: %v allocations", got)
	}
}

func TestNoTouch(t *testing.T) {
	n := newNode(t, 2)
	now := int64(1_700_000_000_000)
	n.now = func() int64 { return now }
	n.do("SET", "k", "v")
	now += 50_000
	n.call.NoTouch = true
	for _, line := range []string{"GET k", "STRLEN k", "MGET k", "GETRANGE k 0 1", "EXISTS k", "TTL k", "TYPE k", "OBJECT ENCODING k", "BITCOUNT k", "SETNX k v", "COPY k k"} {
		n.do(strings.Fields(line)...)
		if got := n.do("OBJECT", "IDLETIME", "k"); got != ":50\r\n" {
			t.Errorf("%s with NO-TOUCH: idle %q", line, got)
		}
	}
	n.do("TOUCH", "k")
	if got := n.do("OBJECT", "IDLETIME", "k"); got != ":0\r\n" {
		t.Errorf("TOUCH with NO-TOUCH: idle %q", got)
	}
	n.call.NoTouch = false
	for line, idle := range map[string]string{"GET k": ":0\r\n", "EXISTS k": ":50\r\n", "TTL k": ":50\r\n", "TYPE k": ":50\r\n", "EXPIRE k 1000": ":0\r\n"} {
		n.do("SET", "k", "v")
		now += 50_000
		n.do(strings.Fields(line)...)
		if got := n.do("OBJECT", "IDLETIME", "k"); got != idle {
			t.Errorf("%s: idle %q, want %q", line, got, idle)
		}
	}
}

// TestOwned hands a large value over: SET takes it, and a command that does not keep it leaves it to the caller.
func TestOwned(t *testing.T) {
	n := newNode(t, 2)
	for _, c := range []struct {
		words []string
		takes bool
	}{{[]string{"SET", "k"}, true}, {[]string{"SET", "k", "", "XX"}, true}, {[]string{"SET", "none", "", "XX"}, false}, {[]string{"APPEND", "k"}, false}} {
		value := bytes.Repeat([]byte("x"), 1<<20)
		row := command.Lookup([]byte(c.words[0]))
		args := make([][]byte, 0, 4)
		for _, word := range c.words {
			args = append(args, []byte(word))
		}
		if len(args) == 2 {
			args = append(args, nil)
		}
		big := n.store.NewBig(len(value))
		if _, err := big.Write(value); err != nil {
			t.Fatal(err)
		}
		args[2] = big.Bytes()
		n.w.Out = n.w.Out[:0]
		n.call.Reset(row, args)
		n.call.Owned, n.call.Big = 2, big
		n.handlers[row.ID](&n.call)
		if took := n.call.Big == nil; took != c.takes {
			t.Errorf("%q: taken %v", c.words, took)
		}
		if n.call.Big != nil {
			n.call.Big.Drop()
		}
		if c.words[1] == "none" {
			continue
		}
		want := ":1048576\r\n"
		if c.words[0] == "APPEND" {
			want = ":2097152\r\n"
		}
		if got := n.do("STRLEN", c.words[1]); got != want {
			t.Errorf("%q: %q", c.words, got)
		}
	}
}

func TestShared(t *testing.T) {
	n := newNode(t, 2)
	n.call.ShareMin = 64 << 10
	n.do("SET", "small", strings.Repeat("s", 64<<10-1))
	n.do("SET", "k", strings.Repeat("x", 1<<20))
	if n.do("GET", "small"); n.call.Pinned {
		t.Error("a small value is handed over")
	}
	head := n.do("GET", "k")
	shared := n.call.Shared
	if head != "$1048576\r\n" || !n.call.Pinned || len(shared.Bytes()) != 1<<20 {
		t.Fatalf("%q, pinned %v", head, n.call.Pinned)
	}
	n.do("SETRANGE", "k", "0", "yyy")
	n.do("DEL", "k")
	if !bytes.Equal(shared.Bytes(), bytes.Repeat([]byte("x"), 1<<20)) {
		t.Error("what was handed over has changed")
	}
	shared.Unpin()
	if n.do("GET", "k"); n.call.Pinned {
		t.Error("of no key something is handed over")
	}
}

// changes is the server's count of changes.
func (p *pair) changes() int {
	p.t.Helper()
	_, rest, ok := strings.Cut(string(p.redis.Do("INFO", "persistence")), "rdb_changes_since_last_save:")
	digits, _, _ := strings.Cut(rest, "\r\n")
	count, err := strconv.Atoi(digits)
	if !ok || err != nil {
		p.t.Fatalf("INFO: %v", err)
	}
	return count
}

// TestChangedAsRedis compares the count of changes with the server's own, which INFO tells.
func TestChangedAsRedis(t *testing.T) {
	addr := startRedis(t)
	rows := ours()
	d := &draws{Rand: rand.New(rand.NewPCG(*seedFlag, 3)), now: time.Now().UnixMilli()}
	p := newPair(t, addr, 2)
	before := p.changes()
	for range 4000 {
		for _, args := range d.next(rows) {
			n := p.ours
			n.call.Changed = 0
			p.run([][]string{args})
			after := p.changes()
			// A BITFIELD that fails has made the value longer all the same: we count that, Redis forgets it.
			failed := strings.EqualFold(args[0], "bitfield") && after == before && n.call.Changed == 1
			if n.call.Changed != after-before && !failed {
				t.Fatalf("%q: changed %d, redis %d", args, n.call.Changed, after-before)
			}
			before = after
		}
	}
}

// TestLimitsAsRedis runs what proto-max-bulk-len bounds, with the smallest that a server takes.
func TestLimitsAsRedis(t *testing.T) {
	const limit = 1 << 20
	p := newPair(t, startRedis(t, "--proto-max-bulk-len", strconv.Itoa(limit)), 3)
	p.ours.call.BulkMax = limit
	last := strconv.Itoa(limit - 1)
	end := strconv.Itoa(limit)
	p.run([][]string{
		{"SETRANGE", "k", end, "x"},
		{"SETRANGE", "k", last, "xy"},
		{"SETRANGE", "k", last, "x"},
		{"STRLEN", "k"},
		{"SETRANGE", "k", end, ""},
		{"APPEND", "k", "x"},
		{"APPEND", "k", ""},
		{"SETRANGE", "k", "0", "abc"},
		{"SETRANGE", "k", end, "x"},
		{"APPEND", "none", "x"},
		{"SETBIT", "b", strconv.Itoa(8 * limit), "1"},
		{"SETBIT", "b", strconv.Itoa(8*limit - 1), "1"},
		{"GETBIT", "b", strconv.Itoa(8 * limit)},
		{"BITFIELD", "f", "GET", "u8", "#" + end},
		{"BITFIELD", "f", "SET", "u8", "#" + end, "1"},
		{"BITFIELD", "f", "SET", "u8", "#" + last, "1"},
		{"STRLEN", "f"},
		{"BITFIELD", "f", "SET", "i64", strconv.Itoa(8*limit - 1), "-1"},
		{"STRLEN", "f"},
		{"SETRANGE", "l", "510", "x"},
		{"SETRANGE", "m", "511", "x"},
		{"LCS", "l", "l", "LEN"},
		{"LCS", "l", "m", "LEN"},
		{"LCS", "m", "m", "LEN"},
		{"LCS", "m", "m"},
		{"LCS", "m", "m", "LEN", "IDX"},
		{"LCS", "k", "none", "LEN"},
		{"LCS", "k", "none", "foo"},
		{"LCS", "f", "l", "IDX"},
	})
	p.compareKeyspace()
}
