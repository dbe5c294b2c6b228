package engine_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
)

// stampOf is the stamp at the head of a write, its parts as text, and what follows. Nothing stands before it.
func stampOf(t *testing.T, got string) (parts []string, rest string) {
	t.Helper()
	lines := strings.SplitAfterN(got, "\r\n", 9)
	if len(lines) < 6 || lines[1] != "$5\r\n" || lines[2] != "stamp\r\n" {
		t.Fatalf("no stamp: %q", got)
	}
	n := 6
	if lines[0] == ">5\r\n" {
		n = 8
	} else if lines[0] != ">4\r\n" {
		t.Fatalf("no stamp: %q", got)
	}
	for _, line := range append(append([]string(nil), lines[3:6]...), lines[min(7, n):n]...) {
		parts = append(parts, strings.Trim(line, ":\r\n"))
	}
	return parts, strings.Join(lines[n:], "")
}

// TestStamps: a lane that asked for it is told at the head of each write how far the node is, if that has changed; others are not.
func TestStamps(t *testing.T) {
	b := newBed(t, nil)
	lane, plain := b.client(), b.client()
	parts, rest := stampOf(t, lane.do("LARDER", "STAMPS", "ON"))
	if len(parts) != 4 || parts[1] != "0" || len(parts[3]) != 40 || rest != "+OK\r\n" {
		t.Fatalf("at first: %q, then %q", parts, rest)
	}
	lane.says("+OK\r\n", "SET", "a", "1") // nobody listens: nothing is told
	f := b.mirror()
	f.syncs()
	history := f.id
	last := int64(0)
	for i, command := range []string{"SET a 2", "GET a", "INCR a", "MULTI", "INCR a", "EXEC", "GET a"} {
		got := lane.do(words(command)...)
		f.reads(f.got())
		if !strings.HasPrefix(got, ">") {
			if f.offset != last {
				t.Fatalf("%s: the stream ends at %d, the lane was told %d", command, f.offset, last)
			}
			continue
		}
		parts, rest = stampOf(t, got)
		last, _ = strconv.ParseInt(parts[1], 10, 64)
		if last != f.offset || parts[2] != parts[1] || strings.HasPrefix(rest, ">") || i > 0 && len(parts) != 3 {
			t.Fatalf("%s: %q then %q, the stream ends at %d", command, parts, rest, f.offset)
		}
		if i == 0 && len(parts) == 4 && parts[3] != history {
			t.Errorf("the history is called %q, to the replica %q", parts[3], history)
		}
	}
	plain.says("+OK\r\n", "SET", "a", "3")
	if parts, rest = stampOf(t, lane.do("PING")); rest != "+PONG\r\n" {
		t.Errorf("another's write: %q then %q", parts, rest)
	}
	lane.says("+PONG\r\n", "PING")
	lane.says("-ERR syntax error\r\n", "LARDER", "STAMPS", "MAYBE")
	lane.says("+OK\r\n", "LARDER", "STAMPS", "OFF")
	lane.says("+OK\r\n", "SET", "a", "4")
}

// TestStampsBesideLargeReplies: a large value leaves in pieces; a stamp stands before it or behind it.
func TestStampsBesideLargeReplies(t *testing.T) {
	b := newBed(t, nil)
	lane, other := b.client(), b.client()
	b.mirror().syncs()
	large := strings.Repeat("v", 3<<20)
	other.says("+OK\r\n", "SET", "large", large)
	lane.do("LARDER", "STAMPS", "ON")
	got := lane.send([]byte("SET a 1\r\nGET large\r\nSET b 1\r\nGET large\r\n"))
	for range 50 {
		other.says("+OK\r\n", "SET", "c", "1")
		b.m.EndTurn()
		got += lane.got()
	}
	var rest strings.Builder
	for got != "" {
		at := strings.Index(got, ">")
		if at < 0 {
			rest.WriteString(got)
			break
		}
		rest.WriteString(got[:at])
		_, got = stampOf(t, got[at:])
	}
	value := fmt.Sprintf("$%d\r\n%s\r\n", len(large), large)
	if want := "+OK\r\n" + value + "+OK\r\n" + value; rest.String() != want {
		t.Errorf("without its stamps the output is %d bytes, want %d", rest.Len(), len(want))
	}
}

// TestWaitFor: a gateway says for which writes WAIT comes.
func TestWaitFor(t *testing.T) {
	b := newBed(t, nil)
	lane, other := b.client(), b.client()
	f := b.mirror()
	f.syncs()
	other.says("+OK\r\n", "SET", "a", "1")
	f.told("SELECT 0", "SET a 1")
	at := strconv.FormatInt(f.offset, 10)
	lane.says(":1\r\n", "WAIT", "1", "0")
	lane.says("+OK\r\n", "LARDER", "AT", f.id, at)
	lane.says("", "WAIT", "1", "0")
	f.acks()
	if got := lane.got(); got != ":1\r\n" {
		t.Errorf("acknowledged: %q", got)
	}
	lane.says("+OK\r\n", "LARDER", "AT", f.id, at+"0")
	lane.says(":0\r\n", "WAIT", "1", "0") // it has not come so far
	lane.says("+OK\r\n", "LARDER", "AT", strings.Repeat("0", 40), "1")
	lane.says(":0\r\n", "WAIT", "1", "0") // of another history
	lane.says("+OK\r\n", "LARDER", "AT", "", "0")
	lane.says(":1\r\n", "WAIT", "1", "0")
	lane.says("-ERR offset is not an integer or out of range\r\n", "LARDER", "AT", f.id, "x")
}

// TestShared: a node says how much it has of a stream: of its own, of the one that it went on from when it was promoted, and nothing of others.
func TestShared(t *testing.T) {
	b := newBed(t, nil)
	c := b.client()
	f := b.mirror()
	f.syncs()
	c.says("+OK\r\n", "SET", "a", "1")
	f.reads(f.got())
	before, at := f.id, f.offset
	c.says(fmt.Sprintf(":%d\r\n", at), "LARDER", "SHARED", before)
	c.says(":-1\r\n", "LARDER", "SHARED", strings.Repeat("0", 40))
	c.says(":-1\r\n", "LARDER", "SHARED", "")
	c.says("+OK\r\n", "REPLICAOF", "127.0.0.1", "1")
	c.says("+OK\r\n", "REPLICAOF", "NO", "ONE")
	for range 15 { // it is the last but so many
		c.says("+OK\r\n", "SET", "a", "2")
		c.says(fmt.Sprintf(":%d\r\n", at), "LARDER", "SHARED", before)
		c.says("+OK\r\n", "REPLICAOF", "127.0.0.1", "1")
		c.says("+OK\r\n", "REPLICAOF", "NO", "ONE")
	}
}
