package conform_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"

	"larder/internal/fleet"
	"larder/internal/peers"
	"larder/protocol/resp"
)

// TestStreamsAsPayloads: a stream that one side has made, dumped there and restored by the other, is the same to XINFO STREAM FULL, and goes on the same;
// so it is when it comes back.
func TestStreamsAsPayloads(t *testing.T) {
	const rounds = 25
	rng := dice(t, 30)
	node, redis := peers.Dial(t, fleet.Node(t), 2), peers.Dial(t, peers.StartRedis(t), 2)
	for round := range rounds {
		for name, sides := range map[string][2]*peers.Conn{"node to redis-server": {node, redis}, "redis-server to node": {redis, node}} {
			t.Run(fmt.Sprintf("%d %s", round, name), func(t *testing.T) {
				from, to := sides[0], sides[1]
				from.Do("FLUSHALL")
				to.Do("FLUSHALL")
				s := streamMaker{rng: rng, steps: 1 << (4 + rng.IntN(8))}
				if round == 0 {
					s.steps = 10_000
				}
				s.limits(from, to)
				s.make(from)
				over(t, from, to, "k", "k")
				over(t, to, from, "k", "again")
				sameFull(t, from, to, "again", "k")
				s.goOn(t, from, to)
			})
		}
	}
}

// over takes a stream to another side, by DUMP and RESTORE.
func over(t *testing.T, from, to *peers.Conn, key, as string) {
	t.Helper()
	payload, ok := resp.BulkOf(from.Do("DUMP", key))
	if !ok {
		t.Fatal("no stream")
	}
	if r := to.Do("RESTORE", as, "0", string(payload)); string(r) != "+OK\r\n" {
		t.Fatalf("RESTORE: %q", r)
	}
	sameFull(t, from, to, key, as)
}

func sameFull(t *testing.T, a, b *peers.Conn, keyA, keyB string) {
	t.Helper()
	want, got := full(a, keyA), full(b, keyB)
	if want == got {
		return
	}
	x, y := strings.Split(want, "\n"), strings.Split(got, "\n")
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			t.Fatalf("line %d: %q, then %q, behind\n%.3000s", i, x[i], y[i], strings.Join(x[max(0, i-30):i], "\n"))
		}
	}
	t.Fatalf("%d lines, then %d", len(x), len(y))
}

// notOfTheStream are the fields that tell of how a server keeps it, that are not in 7.0's payload, or that 7.2 works out in another way from the same.
var notOfTheStream = map[string]bool{"radix-tree-keys": true, "radix-tree-nodes": true, "active-time": true, "lag": true}

// full is XINFO STREAM FULL as lines.
func full(c *peers.Conn, key string) string {
	var b strings.Builder
	plainTree(&b, c.Do("XINFO", "STREAM", key, "FULL", "COUNT", "0"), "")
	return b.String()
}

func plainTree(b *strings.Builder, reply []byte, indent string) {
	if resp.Value(reply).Kind() != resp.KindArray || resp.Value(reply).IsNull() {
		fmt.Fprintf(b, "%s%q\n", indent, reply)
		return
	}
	fmt.Fprintf(b, "%sarray\n", indent)
	it := resp.Elements(reply)
	for e, ok := it.Next(); ok; e, ok = it.Next() {
		if name, isText := resp.BulkOf(e); isText && notOfTheStream[string(name)] {
			_, _ = it.Next()
			continue
		}
		plainTree(b, e, indent+" ")
	}
	fmt.Fprintf(b, "%send\n", indent)
}

// streamMaker makes a stream of random commands.
type streamMaker struct {
	rng    *rand.Rand
	steps  int
	ms     int
	ids    []string
	groups int
}

// limits sets how much is in one block.
func (s *streamMaker) limits(sides ...*peers.Conn) {
	entries, bytes := []string{"100", "100", "3", "0", "1"}[s.rng.IntN(5)], []string{"4096", "4096", "200", "0"}[s.rng.IntN(4)]
	for _, c := range sides {
		c.Do("CONFIG", "SET", "stream-node-max-entries", entries, "stream-node-max-bytes", bytes)
	}
}

func (s *streamMaker) make(c *peers.Conn) {
	s.add(c)
	for range s.steps {
		s.step(c)
	}
}

func (s *streamMaker) text() string {
	switch s.rng.IntN(8) {
	case 0:
		return strconv.FormatInt(s.rng.Int64()>>s.rng.IntN(64), 10)
	case 1:
		return ""
	case 2:
		return strings.Repeat("long ", s.rng.IntN(1000))
	case 3:
		return string([]byte{0, 0xff, byte(s.rng.IntN(256))})
	default:
		return "v" + strconv.Itoa(s.rng.IntN(1000))
	}
}

func (s *streamMaker) add(c *peers.Conn) {
	if s.ms += s.rng.IntN(3); len(s.ids) == 0 {
		s.ms = 1
	}
	id := fmt.Sprintf("%d-%d", s.ms, len(s.ids))
	if s.rng.IntN(50) == 0 {
		s.ms += 1 << 40
	}
	args := []string{"XADD", "k", id}
	names := []string{"name", "value", "other", "1", ""}
	if s.rng.IntN(4) == 0 {
		s.rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
	}
	for _, name := range names[:1+s.rng.IntN(2)*s.rng.IntN(len(names))] {
		args = append(args, name, s.text())
	}
	c.Do(args...)
	s.ids = append(s.ids, id)
}

func (s *streamMaker) id() string { return s.ids[s.rng.IntN(len(s.ids))] }

func (s *streamMaker) group() string { return "g" + strconv.Itoa(s.rng.IntN(max(s.groups, 1))) }

func (s *streamMaker) consumer() string { return "c" + strconv.Itoa(s.rng.IntN(4)) }

func (s *streamMaker) step(c *peers.Conn) {
	switch draw := s.rng.IntN(40); {
	case draw < 20:
		s.add(c)
	case draw < 23:
		c.Do("XDEL", "k", s.id(), s.id())
	case draw == 23:
		c.Do("XTRIM", "k", "MAXLEN", strconv.Itoa(s.rng.IntN(len(s.ids)+1)))
	case draw == 24:
		c.Do("XTRIM", "k", "MINID", s.id())
	case draw < 27 && s.groups < 4:
		s.groups++
		args := []string{"XGROUP", "CREATE", "k", "g" + strconv.Itoa(s.groups-1), []string{"0", "$", s.id()}[s.rng.IntN(3)]}
		if s.rng.IntN(3) == 0 {
			args = append(args, "ENTRIESREAD", strconv.Itoa(s.rng.IntN(len(s.ids)+1)))
		}
		c.Do(args...)
	case draw < 31:
		c.Do("XREADGROUP", "GROUP", s.group(), s.consumer(), "COUNT", strconv.Itoa(1+s.rng.IntN(20)), "STREAMS", "k", ">")
	case draw == 31:
		c.Do("XREADGROUP", "GROUP", s.group(), s.consumer(), "COUNT", "3", "NOACK", "STREAMS", "k", ">")
	case draw < 34:
		c.Do("XACK", "k", s.group(), s.id(), s.id(), s.id())
	case draw == 34:
		c.Do("XCLAIM", "k", s.group(), s.consumer(), "0", s.id(), s.id(), "TIME", strconv.Itoa(1+s.rng.IntN(1<<40)), "RETRYCOUNT", strconv.Itoa(s.rng.IntN(300)), "FORCE")
	case draw == 35:
		c.Do("XGROUP", "CREATECONSUMER", "k", s.group(), s.consumer())
	case draw == 36:
		c.Do("XGROUP", "DELCONSUMER", "k", s.group(), s.consumer())
	case draw == 37:
		c.Do("XGROUP", "SETID", "k", s.group(), s.id())
	case draw == 38:
		c.Do("XSETID", "k", fmt.Sprintf("%d-%d", s.ms, len(s.ids)), "ENTRIESADDED", strconv.Itoa(len(s.ids)+s.rng.IntN(10)), "MAXDELETEDID", s.id())
	default:
		c.Do("XAUTOCLAIM", "k", s.group(), s.consumer(), "0", s.id(), "COUNT", "5")
	}
}

// goOn sees that the stream that came over does as the first one.
func (s *streamMaker) goOn(t *testing.T, from, to *peers.Conn) {
	t.Helper()
	next := strconv.Itoa(s.ms+1<<41) + "-1"
	for _, line := range []string{
		"XLEN k", "XADD k " + next + " name last", "XADD k 0-1 a b", "XREADGROUP GROUP g0 new COUNT 5 STREAMS k >", "XPENDING k g0", "XPENDING k g1",
		"XREADGROUP GROUP g1 c1 COUNT 5 STREAMS k 0", "XACK k g0 " + s.id() + " " + s.id(), "XDEL k " + s.id() + " " + s.id(), "XREVRANGE k + - COUNT 20",
		"XRANGE k " + s.id() + " + COUNT 20", "XGROUP DELCONSUMER k g0 c0", "XTRIM k MAXLEN 10", "XLEN k",
	} {
		if a, b := from.Do(strings.Fields(line)...), to.Do(strings.Fields(line)...); string(a) != string(b) {
			t.Errorf("%s: %.500q, then %.500q", line, a, b)
		}
	}
}
