// Package writes draws commands that write, of all types and over several keys, from a seed: what applications do to a server while its data is copied away.
// Most of them do something: keys of a type have names of their own. It is for tests; a Source belongs to one goroutine.
package writes

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// Source draws commands.
type Source struct {
	// Rand is the chance.
	Rand *rand.Rand
	// Keys is how many keys of each type there are.
	Keys int
	// Tag is in all keys, so that all are of one slot; empty: each has the slot that it has.
	Tag string
	// NowMS is what expiries are counted from.
	NowMS int64
	// DBs is how many databases MOVE, COPY and SWAPDB may name; up to 1: none of them is drawn.
	DBs int
	// Flush lets FLUSHDB happen, rarely.
	Flush bool
}

// draw is a kind of command, and how often it comes.
type draw struct {
	weight int
	make   func(s *Source) []string
}

func (s *Source) key(kind string) string {
	return fmt.Sprintf("%s%s:%d", kind, s.Tag, s.Rand.IntN(s.Keys))
}

func (s *Source) n(limit int) string { return strconv.Itoa(s.Rand.IntN(limit)) }

func (s *Source) text() string {
	switch s.Rand.IntN(8) {
	case 0:
		return strconv.Itoa(s.Rand.IntN(1 << 30))
	case 1:
		return strings.Repeat(fmt.Sprintf("words %d and ", s.Rand.IntN(1000)), s.Rand.IntN(60))
	case 2:
		raw := make([]byte, s.Rand.IntN(300))
		for i := range raw {
			raw[i] = byte(s.Rand.Uint32())
		}
		return string(raw)
	}
	return fmt.Sprintf("text %x", s.Rand.Uint64())
}

// pairs makes so many times what two draws give.
func pairs(n int, words []string, a, b func() string) []string {
	for range n {
		words = append(words, a(), b())
	}
	return words
}

func (s *Source) any() string {
	kinds := []string{"text", "count", "hash", "list", "set", "zset", "stream", "bits", "geo", "hll"}
	return s.key(kinds[s.Rand.IntN(len(kinds))])
}

// same gives two keys of one type.
func (s *Source) same() (from, to string) {
	kinds := []string{"text", "hash", "list", "set", "zset", "stream"}
	kind := kinds[s.Rand.IntN(len(kinds))]
	return s.key(kind), s.key(kind)
}

func (s *Source) database() string { return s.n(s.DBs) }

// Next draws a command. It may be answered by an error.
func (s *Source) Next() []string {
	if s.DBs > 1 && s.Rand.IntN(40) == 0 {
		return s.overDatabases()
	}
	if s.Flush && s.Rand.IntN(3000) == 0 {
		return []string{"FLUSHDB"}
	}
	all := 0
	for _, d := range draws {
		all += d.weight
	}
	at := s.Rand.IntN(all)
	for _, d := range draws {
		if at -= d.weight; at < 0 {
			return d.make(s)
		}
	}
	return []string{"PING"}
}

func (s *Source) overDatabases() []string {
	switch s.Rand.IntN(12) {
	case 0:
		return []string{"SWAPDB", s.database(), s.database()}
	case 1, 2, 3:
		from, to := s.same()
		return []string{"COPY", from, to, "DB", s.database(), "REPLACE"}
	}
	return []string{"MOVE", s.any(), s.database()}
}

// expiry is a time: far away, soon, or past.
func (s *Source) expiry() string {
	switch s.Rand.IntN(6) {
	case 0:
		return strconv.FormatInt(s.NowMS+s.Rand.Int64N(3000), 10)
	case 1:
		return strconv.FormatInt(s.NowMS-s.Rand.Int64N(3000), 10)
	}
	return strconv.FormatInt(s.NowMS+100_000_000+s.Rand.Int64N(1_000_000_000), 10)
}

const script = `local n = redis.call('INCR', KEYS[1]) redis.call('RPUSH', KEYS[2], n, ARGV[1]) redis.call('SADD', KEYS[3], ARGV[1]) return n`
