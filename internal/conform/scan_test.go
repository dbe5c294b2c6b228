package conform_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"larder/internal/fleet"
	"larder/internal/peers"
	"larder/protocol/resp"
	"larder/router"
)

func gatewayOver(t *testing.T, nodes []string) string {
	t.Helper()
	return fleet.Gateway(t, nodes)
}

// slotOwner is which of n shards has a key, by the rule of router.Even.
func slotOwner(key []byte, n int) int {
	group := router.Slot(key) / router.GroupSlots
	for i := range n {
		if group < (i+1)*router.Groups/n {
			return i
		}
	}
	return -1
}

// TestScan: keys that are there from beginning to end are seen at least once, whatever else comes and goes; the cursor is a decimal below 2^64 and the
// walk ends at 0.
func TestScan(t *testing.T) {
	for _, e := range endpoints {
		t.Run(e.name, func(t *testing.T) {
			addr := e.start(t)
			for _, count := range []string{"1", "10", "1000"} {
				t.Run("COUNT "+count, func(t *testing.T) { scanWhileKeysChange(t, addr, count) })
			}
		})
	}
}

func scanWhileKeysChange(t *testing.T, addr, count string) {
	const stay, pass = 1000, 2000
	c := peers.Dial(t, addr, 2)
	c.Do("FLUSHALL")
	fillKeys(c, "stay:", stay)
	rng := dice(t, 7)
	seen := map[string]int{}
	born := 0
	cursor := "0"
	for calls := 0; ; calls++ {
		if calls > 100*stay {
			t.Fatal("the walk does not end")
		}
		next, keys := scanReply(t, c.Do("SCAN", cursor, "COUNT", count))
		for _, k := range keys {
			seen[k]++
		}
		if cursor = next; cursor == "0" {
			break
		}
		// Keys come, so that tables grow, and go, so that they shrink.
		for range rng.IntN(4) {
			if born < pass {
				c.Do("SET", fmt.Sprintf("pass:%d", born), "v")
				born++
			}
		}
		if born > 0 && rng.IntN(2) == 0 {
			c.Do("DEL", fmt.Sprintf("pass:%d", rng.IntN(born)))
		}
	}
	for i := range stay {
		if seen[fmt.Sprintf("stay:%d", i)] == 0 {
			t.Errorf("stay:%d was never seen", i)
		}
	}
	for k := range seen {
		if !strings.HasPrefix(k, "stay:") && !strings.HasPrefix(k, "pass:") {
			t.Errorf("%q was never there", k)
		}
	}
}

// fillKeys sets n keys of a prefix.
func fillKeys(c *peers.Conn, prefix string, n int) {
	var out []byte
	for i := range n {
		out = resp.AppendCommandStrings(out, "SET", prefix+strconv.Itoa(i), "v")
	}
	c.Send(out)
	for range n {
		c.Reply()
	}
}

func scanReply(t *testing.T, reply []byte) (cursor string, keys []string) {
	t.Helper()
	it := resp.Elements(reply)
	first, _ := it.Next()
	text, ok := resp.BulkOf(first)
	if !ok || it.Left() != 1 {
		t.Fatalf("no reply of SCAN: %.200q", reply)
	}
	if n, err := strconv.ParseUint(string(text), 10, 64); err != nil || strconv.FormatUint(n, 10) != string(text) {
		t.Fatalf("cursor %q is no decimal below 2^64", text)
	}
	list, _ := it.Next()
	elems := resp.Elements(list)
	for e, ok := elems.Next(); ok; e, ok = elems.Next() {
		k, _ := resp.BulkOf(e)
		keys = append(keys, string(k))
	}
	return string(text), keys
}

// TestScanFilters: MATCH and TYPE leave out keys, never the walk's end, and each database has a walk of its own.
func TestScanFilters(t *testing.T) {
	for _, e := range endpoints {
		t.Run(e.name, func(t *testing.T) {
			c := peers.Dial(t, e.start(t), 3)
			fillKeys(c, "a:", 500)
			fillKeys(c, "b:", 500)
			for _, x := range []struct {
				args []string
				want int
			}{
				{nil, 1000},
				{[]string{"MATCH", "a:*"}, 500},
				{[]string{"MATCH", "b:1?"}, 10},
				{[]string{"TYPE", "string"}, 1000},
				{[]string{"TYPE", "list"}, 0},
				{[]string{"COUNT", "7", "MATCH", "a:*", "TYPE", "STRING"}, 500},
				{[]string{"MATCH", "c*"}, 0},
				{[]string{"MATCH", "a:7"}, 1},
			} {
				if got := len(walk(t, c, x.args...)); got != x.want {
					t.Errorf("SCAN %q: %d keys, want %d", x.args, got, x.want)
				}
			}
			c.Do("SELECT", "1")
			c.Do("SET", "other", "v")
			if got := walk(t, c); len(got) != 1 || got["other"] == 0 {
				t.Errorf("database 1: %v", got)
			}
		})
	}
}

func walk(t *testing.T, c *peers.Conn, args ...string) map[string]int {
	t.Helper()
	seen := map[string]int{}
	for cursor := "0"; ; {
		next, keys := scanReply(t, c.Do(append([]string{"SCAN", cursor}, args...)...))
		for _, k := range keys {
			seen[k]++
		}
		if cursor = next; cursor == "0" {
			return seen
		}
	}
}
