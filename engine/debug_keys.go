package engine

import (
	"encoding/hex"
	"fmt"
	"strings"

	"larder/engine/commands"
	"larder/engine/store"
	"larder/protocol/client"
	"larder/protocol/resp"
)

// The subcommands of DEBUG that look at keys or make some.

func debugDigest(s *session, args [][]byte) {
	d := s.debugCall(args).DigestAll()
	s.p.w.Status(hex.EncodeToString(d[:]))
}

func debugDigestValue(s *session, args [][]byte) {
	c := s.debugCall(args)
	s.p.w.Array(len(args) - 2)
	for _, key := range args[2:] {
		d := c.DigestValue(key)
		s.p.w.Status(hex.EncodeToString(d[:]))
	}
}

func debugPopulate(s *session, args [][]byte) {
	p := s.p
	c := s.debugCall(args)
	ended := func() bool {
		select {
		case <-p.n.done:
			return true
		default:
			return false
		}
	}
	c.DebugPopulate(ended, func(key []byte) {
		if !c.Unwatched {
			p.touch(s, s.dbIndex, key)
			p.signal(s.dbIndex, key)
		}
		p.notify(s.dbIndex, commands.ClassNew, "new", key)
	})
	p.dirty += int64(c.Changed)
}

const debugPrinted = " structure printed on stdout"

// debugListpack and debugQuicklist answer as Redis does, which prints the value to its own output; a node keeps values out of its log.
func debugListpack(s *session, args [][]byte) {
	if s.debugCall(args).DebugEncoding(store.ListPack) {
		s.p.w.Status("Listpack" + debugPrinted)
	}
}

func debugQuicklist(s *session, args [][]byte) {
	if s.debugCall(args).DebugEncoding(store.QuickList) {
		s.p.w.Status("Quicklist" + debugPrinted)
	}
}

// debugHTStats tells of the index in the words of Redis, as far as both have the same: an index has buckets of several keys, and no table of expiries.
func debugHTStats(s *session, args [][]byte) {
	n, ok := resp.ParseNumber(args[2])
	switch {
	case !ok:
		s.fail(errNotInt)
		return
	case n < 0 || n >= int64(s.p.store.Databases()):
		s.fail("ERR Out of range database")
		return
	}
	db := s.p.store.DB(int(n))
	index, _ := db.Overhead()
	var b strings.Builder
	b.WriteString("[Dictionary HT]\n")
	tableStats(&b, index/store.BucketBytes, db.Len())
	b.WriteString("[Expires HT]\n")
	tableStats(&b, int64(db.Expires()), db.Expires())
	s.p.w.Verbatim("txt", b.String())
}

func tableStats(b *strings.Builder, size int64, elements int) {
	b.WriteString("Hash table 0 stats (main hash table):\n")
	if elements == 0 {
		b.WriteString("No stats available for empty dictionaries\n")
		return
	}
	fmt.Fprintf(b, " table size: %d\n number of elements: %d\n", size, elements)
}

func debugHTStatsKey(s *session, args [][]byte) {
	if n, ok := s.debugCall(args).DebugTable(); ok {
		var b strings.Builder
		tableStats(&b, int64(n), n)
		s.p.w.Verbatim("txt", b.String())
	}
}

// debugPackedThreshold takes what Redis takes; an element of a list is kept as its bytes, whatever their number.
func debugPackedThreshold(s *session, args [][]byte) {
	const most = 4 << 30
	if n, wrong := client.ParseMemory(string(args[2]), 0); wrong != "" || n >= most {
		s.fail("ERR argument must be a memory value bigger than 1 and smaller than 4gb")
		return
	}
	s.ok()
}

// debugStructSize tells what Redis tells of its structures: of ours those that each key takes.
func debugStructSize(s *session, _ [][]byte) {
	s.p.w.Bulk(fmt.Sprintf("bits:%d bucket:%d ", 64, store.BucketBytes))
}
