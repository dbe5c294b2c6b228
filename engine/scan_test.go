package engine_test

import (
	"fmt"
	"slices"
	"strconv"
	"testing"

	"larder/protocol/resp"
	"larder/router"
)

// scan walks with a command from cursor on and gives the keys and the cursors it got.
func (k *talker) scan(cursor uint64, words func(cursor string) []string, done func(uint64) bool) (keys []string, cursors []uint64) {
	k.b.t.Helper()
	for range 100_000 {
		reply := []byte(k.do(words(strconv.FormatUint(cursor, 10))...))
		it := resp.Elements(reply)
		if it.Left() != 2 {
			k.b.t.Fatalf("not a reply to SCAN: %.100q", reply)
		}
		first, _ := it.Next()
		digits, _ := resp.BulkOf(first)
		cursor, _ = strconv.ParseUint(string(digits), 10, 64)
		cursors = append(cursors, cursor)
		second, _ := it.Next()
		found := resp.Elements(second)
		for e, ok := found.Next(); ok; e, ok = found.Next() {
			key, _ := resp.BulkOf(e)
			keys = append(keys, string(key))
		}
		if done(cursor) {
			slices.Sort(keys)
			return slices.Compact(keys), cursors
		}
	}
	k.b.t.Fatal("a scan without end")
	return nil, nil
}

func atZero(cursor uint64) bool { return cursor == 0 }

func filled(t *testing.T, n int) (k *talker, keys []string) {
	k = newBed(t, nil).client()
	for i := range n {
		keys = append(keys, fmt.Sprint("key:", i))
		k.do("SET", keys[i], "v")
	}
	slices.Sort(keys)
	return k, keys
}

func TestScan(t *testing.T) {
	k, keys := filled(t, 3000)
	for _, count := range []string{"1", "10", "1000", "1000000"} {
		got, cursors := k.scan(0, func(c string) []string { return []string{"SCAN", c, "COUNT", count} }, atZero)
		if !slices.Equal(got, keys) {
			t.Errorf("COUNT %s: %d keys of %d", count, len(got), len(keys))
		}
		if n := len(cursors); count == "1000000" && n != 1 || count == "1" && n < 900 {
			t.Errorf("COUNT %s: %d calls", count, n)
		}
		for _, c := range cursors {
			if c>>38&(1<<12-1) != 0 {
				t.Fatalf("cursor %x: the bits of the epoch are the gateway's", c)
			}
		}
	}
	got, _ := k.scan(0, func(c string) []string { return []string{"SCAN", c, "MATCH", "key:1?", "TYPE", "string"} }, atZero)
	if len(got) != 10 {
		t.Errorf("MATCH gives %q", got)
	}
	if got, _ := k.scan(0, func(c string) []string { return []string{"SCAN", c, "TYPE", "hash"} }, atZero); len(got) != 0 {
		t.Errorf("TYPE hash gives %q", got)
	}
	k.talk(`
		SCAN x => -ERR invalid cursor
		SCAN 0 COUNT => -ERR syntax error
		SCAN 0 COUNT x => -ERR value is not an integer or out of range
		SCAN 0 COUNT 0 => -ERR syntax error
		SCAN 0 WHAT x => -ERR syntax error
		FLUSHALL => +OK
		SCAN 0 => *2\r\n$1\r\n0\r\n*0
		SCAN 18446744073709551615 => *2\r\n$1\r\n0\r\n*0
	`)
}

// TestLarderScan: runs of slots are walked up to their end, and only keys of their slots are shown, also where a border lies inside a group.
func TestLarderScan(t *testing.T) {
	k, keys := filled(t, 3000)
	var joined []string
	borders := []int{0, 100, 103, 111, 5461, 10923, 16384}
	for i, to := range borders[1:] {
		from := borders[i]
		end := uint64(to) << 50
		if to == router.Slots {
			end = 0
		}
		got, cursors := k.scan(uint64(from)<<50, func(c string) []string { return []string{"LARDER", "SCAN", strconv.Itoa(to), c, "COUNT", "50"} },
			func(c uint64) bool { return c == end })
		for _, key := range got {
			if slot := router.Slot([]byte(key)); slot < from || slot >= to {
				t.Errorf("run %d to %d shows %q of slot %d", from, to, key, slot)
			}
		}
		for _, c := range cursors[:len(cursors)-1] {
			if slot := int(c >> 50); slot < from || slot >= to {
				t.Errorf("run %d to %d: a cursor of slot %d", from, to, slot)
			}
		}
		joined = append(joined, got...)
	}
	if slices.Sort(joined); !slices.Equal(joined, keys) {
		t.Errorf("all runs together show %d keys of %d", len(joined), len(keys))
	}
	k.talk(`
		LARDER SCAN 16385 0 => -ERR slot is not an integer or out of range
		LARDER SCAN x 0 => -ERR slot is not an integer or out of range
		LARDER SCAN 100 x => -ERR invalid cursor
		LARDER SCAN 0 0 => *2\r\n$1\r\n0\r\n*0
		LARDER SCAN 100 16777216000000000000 => *2\r\n$18\r\n112589990684262400\r\n*0
	`)
}

// Keys that are there from the first call to the last are shown, whatever else comes and goes meanwhile.
func TestScanGuarantee(t *testing.T) {
	k, keys := filled(t, 500)
	n := 0
	got, _ := k.scan(0, func(c string) []string {
		for range 20 {
			if n++; n%2000 < 1000 {
				k.do("SET", fmt.Sprint("other:", n), "v")
			} else {
				k.do("DEL", fmt.Sprint("other:", n-1000))
			}
		}
		return []string{"SCAN", c, "COUNT", "3", "MATCH", "key:*"}
	}, atZero)
	if !slices.Equal(got, keys) {
		t.Errorf("%d keys of %d were shown", len(got), len(keys))
	}
}
