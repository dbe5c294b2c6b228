package commands_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestFieldExpiryAsRecorded says to a node what a server of Valkey 9.1 was told, and compares the replies: testdata/fields, a request on a line that
// begins with "1> ", its reply behind "1< ", escaped; "(wait N ms)" is time that passes; <ms> is any number.
func TestFieldExpiryAsRecorded(t *testing.T) {
	for proto := 2; proto <= 3; proto++ {
		text, err := os.ReadFile(fmt.Sprintf("testdata/fields/resp%d.txt", proto))
		if err != nil {
			t.Fatal(err)
		}
		n, now := newNode(t, proto), int64(1_700_000_000_000)
		n.now = func() int64 { return now }
		var args []string
		for i, line := range strings.Split(string(text), "\n") {
			if said, ok := strings.CutPrefix(line, "1> "); ok {
				args = parse(t, said)[0]
			} else if want, ok := strings.CutPrefix(line, "1< "); ok {
				if got := n.do(args...); !matches(t, want, got) && (args[0] != "HGETALL" || !slices.Equal(sorted(got), sorted(unescaped(t, want)))) {
					t.Errorf("RESP%d, line %d: %q\n  ours    %q\n  Valkey  %s", proto, i+1, args, got, want)
				}
			} else if wait, ok := strings.CutPrefix(line, "(wait "); ok {
				ms, err := strconv.Atoi(strings.TrimSuffix(wait, " ms)"))
				if err != nil {
					t.Fatal(err)
				}
				now += int64(ms)
				n.expire(now)
			}
		}
	}
}

// matches compares a reply with a recorded one.
func matches(t *testing.T, recorded, got string) bool {
	t.Helper()
	pattern := strings.ReplaceAll(regexp.QuoteMeta(unescaped(t, recorded)), "<ms>", `\d+`)
	return regexp.MustCompile(`\A(?s:` + pattern + `)\z`).MatchString(got)
}

func unescaped(t *testing.T, recorded string) string {
	t.Helper()
	text, err := strconv.Unquote(`"` + strings.ReplaceAll(recorded, `"`, `\"`) + `"`)
	if err != nil {
		t.Fatalf("%s: %v", recorded, err)
	}
	return text
}

// expire does what a node does now and then: dead keys go, and dead fields of hashes, at most two at a time.
func (n *node) expire(now int64) {
	n.store.Expire(now, 1000)
	n.call.NowMS = now
	for _, key := range n.due {
		for n.call.SweepHash([]byte(key), 2) {
		}
	}
	n.due = n.due[:0]
}
