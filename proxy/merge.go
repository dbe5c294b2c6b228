package proxy

import (
	"bytes"
	"math"

	"larder/protocol/command"
	"larder/protocol/resp"
	"larder/router"
)

// mergeKind is how the replies of several shards become one.
type mergeKind uint8

const (
	mergeSum     mergeKind = iota // integers are added
	mergeAllOK                    // all say OK
	mergeConcat                   // arrays, one after the other
	mergeKeys                     // arrays with an element a key, in the order of the keys
	mergeFirst                    // the one reply there is, rewritten by who started it
	mergeRandom                   // RANDOMKEY: of pairs of a number of keys and a key, one key
	mergeTexts                    // texts for people, one under the other
	mergeStats                    // MEMORY STATS, added up
	mergeAnd                      // arrays of 0 and 1: 1 where all say so
	mergeOneOK                    // one succeeded
	mergeEvery                    // all have to make a change
	mergeRunning                  // FUNCTION STATS
	mergeNames                    // PUBSUB CHANNELS: each name once
	mergeLeast                    // integers: the lowest
	mergeMost                     // PUBSUB NUMSUB, NUMPAT: the highest of the numbers
)

// mergeOf is what a row's response policy asks for.
func mergeOf(row *command.Row) mergeKind {
	switch {
	case row.Response == command.ResponseAggSum:
		return mergeSum
	case row.Response == command.ResponseAggMin:
		return mergeLeast
	case row.Response == command.ResponseAllSucceeded:
		return mergeAllOK
	case row.ID == command.CmdMemoryStats:
		return mergeStats
	case row.ID == command.CmdPubSubChannels, row.ID == command.CmdPubSubShardChannels:
		return mergeNames
	case row.Parent == command.CmdPubSub:
		return mergeMost
	case row.Response == command.ResponseSpecial:
		return mergeTexts
	case row.Request == command.RequestMultiShard:
		return mergeKeys
	default:
		return mergeConcat
	}
}

// merge collects the replies of one command that went to several shards. It is pooled.
type merge struct {
	how    mergeKind
	proto  int
	topoID uint64   // of the topology that its shards are of
	left   int      // replies that have not come
	bytes  int      // of the replies that have, counted in the session's held
	subs   [][]byte // replies by part; buffers of the pool
	keys   []uint16 // for mergeKeys: the part that has key i
	iters  []resp.Iter

	scan  scanState              // with mergeFirst, for SCAN
	dice  uint64                 // with mergeRandom
	poll  func(replies [][]byte) // takes them, and sees to the reply
	job   *job                   // the replies are its
	rerun []byte                 // the command, if it has to go to all shards once more

	tx *transaction // with mergeFirst, for EXEC

	after func(t ticket, reply []byte) bool // hears the merged reply before the client; true: it completes the command itself
}

// merges is a loop's free list.
type merges struct{ free []*merge }

func (f *merges) get(how mergeKind, topoID uint64, parts int) *merge {
	var m *merge
	if n := len(f.free); n > 0 {
		m, f.free = f.free[n-1], f.free[:n-1]
	} else {
		m = &merge{}
	}
	m.how, m.topoID, m.left = how, topoID, parts
	for len(m.subs) < parts {
		m.subs = append(m.subs, nil)
	}
	m.subs = m.subs[:parts]
	return m
}

const mergesFreeMax = 256

// put takes m back; its replies are given to bufs.
func (f *merges) put(m *merge, bufs *buffers) {
	for i, sub := range m.subs {
		if sub != nil {
			bufs.put(sub)
		}
		m.subs[i] = nil
	}
	m.keys, m.subs, m.iters = m.keys[:0], m.subs[:0], m.iters[:0]
	m.scan, m.dice, m.rerun, m.tx, m.job, m.after, m.poll = scanState{}, 0, nil, nil, nil, nil, nil
	if len(f.free) < mergesFreeMax {
		f.free = append(f.free, m)
	}
}

// deal notes which part has which key.
func (m *merge) deal(shardOfKey []int, parts []router.Part) {
	if m.how != mergeKeys {
		return
	}
	for range shardOfKey {
		m.keys = append(m.keys, 0)
	}
	for i, part := range parts {
		for _, key := range part.Keys {
			m.keys[key] = uint16(i)
		}
	}
}

// errorOutOfForm is told when a node's reply has not the shape that its row promises.
const errorOutOfForm = "-ERR a node's reply has an unexpected form\r\n"

// append adds the merged reply to dst. An error of any shard is the reply: the first one.
func (m *merge) append(dst []byte) []byte {
	switch m.how {
	case mergeOneOK:
		return append(dst, m.pickOne()...)
	case mergeRunning:
		return append(dst, m.pickRunning()...)
	case mergeEvery:
		return m.appendEvery(dst)
	}
	for _, sub := range m.subs {
		if len(sub) > 0 && sub[0] == '-' {
			return append(dst, sub...)
		}
	}
	from := len(dst)
	ok := false
	switch m.how {
	case mergeSum:
		dst, ok = m.appendSum(dst)
	case mergeAllOK:
		dst, ok = append(dst, m.subs[0]...), true
	case mergeConcat:
		dst, ok = m.appendConcat(dst)
	case mergeKeys:
		dst, ok = m.appendKeys(dst)
	case mergeRandom:
		dst, ok = m.appendRandom(dst)
	case mergeAnd:
		dst, ok = m.appendAnd(dst)
	case mergeTexts:
		dst, ok = m.appendTexts(dst)
	case mergeStats:
		dst, ok = m.appendStats(dst)
	case mergeNames:
		dst, ok = m.appendNames(dst)
	case mergeLeast:
		dst, ok = m.appendLeast(dst)
	case mergeMost:
		dst, ok = m.appendMost(dst)
	default:
		dst, ok = append(dst, m.subs[0]...), true
	}
	if !ok {
		return append(dst[:from], errorOutOfForm...)
	}
	return dst
}

func (m *merge) appendSum(dst []byte) ([]byte, bool) {
	var sum int64
	for _, sub := range m.subs {
		n, ok := resp.ParseInt(sub)
		if !ok {
			return dst, false
		}
		sum += n
	}
	return resp.AppendInt(dst, sum), true
}

func (m *merge) appendLeast(dst []byte) ([]byte, bool) {
	least := int64(math.MaxInt64)
	for _, sub := range m.subs {
		n, ok := resp.ParseInt(sub)
		if !ok {
			return dst, false
		}
		least = min(least, n)
	}
	return resp.AppendInt(dst, least), true
}

func (m *merge) appendConcat(dst []byte) ([]byte, bool) {
	total := 0
	for _, sub := range m.subs {
		if !isArray(sub) {
			return dst, false
		}
		it := resp.Elements(sub)
		total += it.Left()
	}
	dst = resp.AppendArray(dst, total)
	for _, sub := range m.subs {
		dst = append(dst, sub[bytes.IndexByte(sub, '\n')+1:]...)
	}
	return dst, true
}

// isArray: a null array has no elements to put anywhere.
func isArray(reply []byte) bool { return len(reply) > 3 && reply[0] == '*' && reply[1] != '-' }

func (m *merge) appendKeys(dst []byte) ([]byte, bool) {
	m.iters = m.iters[:0]
	for _, sub := range m.subs {
		if !isArray(sub) {
			return dst, false
		}
		m.iters = append(m.iters, resp.Elements(sub))
	}
	dst = resp.AppendArray(dst, len(m.keys))
	for _, part := range m.keys {
		elem, ok := m.iters[part].Next()
		if !ok {
			return dst, false
		}
		dst = append(dst, elem...)
	}
	return dst, true
}
