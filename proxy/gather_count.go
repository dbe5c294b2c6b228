package proxy

import (
	"bytes"

	"larder/protocol/command"
	"larder/protocol/resp"
)

const (
	// countFirst is how many members of the smallest key are looked at first; then twice as many each time, up to countMost.
	countFirst = 1000
	countMost  = 20_000
)

// countSome is SINTERCARD or ZINTERCARD with a LIMIT below the size of the smallest key. Members of that key are looked at a few at a time, until so many of
// them were found in all the others.
//
// A member may be given twice by SSCAN and ZSCAN, so those that count are remembered. One that comes or goes meanwhile is counted or not, as elsewhere where
// shards are asked one after the other.
func (j *job) countSome(in *inter) {
	least := in.keys[0]
	var others [][]byte
	for _, key := range in.keys[1:] {
		if in.sizes[string(key)] < in.sizes[string(least)] {
			key, least = least, key
		}
		others = append(others, key)
	}
	c := &countingSome{in: in, key: least, others: others, counted: map[string]struct{}{}, cursor: []byte("0"), window: countFirst, topoID: j.p.topoID}
	j.countMore(c)
}

type countingSome struct {
	in      *inter
	key     []byte   // whose members are looked at
	others  [][]byte // the other keys
	counted map[string]struct{}
	bytes   int // of those
	cursor  []byte
	window  int
	topoID  uint64 // of the topology in which the cursor means something: another node has another one
}

func (j *job) countMore(c *countingSome) {
	id, read := command.CmdSScan, membersOf
	if c.in.scored[string(c.key)] {
		id, read = command.CmdZScan, scoredOf
	}
	j.ask(func(j *job) {
		if j.failed() {
			return
		}
		it := resp.Elements(j.replies[0])
		next, _ := it.Next()
		some, ok := it.Next()
		cursor, isText := resp.BulkOf(next)
		if !ok || !isText {
			j.finish([]byte(errorOutOfForm))
			return
		}
		o, ok := read(some)
		switch {
		case !ok:
			j.finish([]byte(errorOutOfForm))
			return
		case j.p.topoID != c.topoID:
			j.drop()
			j.begin(j)
			return
		}
		c.cursor = bytes.Clone(cursor)
		var fresh [][]byte
		for _, member := range o.members {
			if _, known := c.counted[string(member)]; !known {
				fresh = append(fresh, bytes.Clone(member))
			}
		}
		if len(fresh) == 0 {
			j.count(c, nil)
			return
		}
		j.askWho(c.in, c.others, fresh, func(all [][]byte) { j.count(c, all) })
	}, j.question(id, c.key, c.cursor, []byte("COUNT"), decimalOf(c.window)))
}

// count takes in which members of a piece are in all keys, and goes on to the next piece.
func (j *job) count(c *countingSome, all [][]byte) {
	j.drop()
	for _, member := range all {
		c.counted[string(member)] = struct{}{}
		c.bytes += len(member) + memberCost
	}
	n := int64(len(c.counted))
	if n >= c.in.limit || string(c.cursor) == "0" {
		j.p.count.gathers++
		j.finish(resp.AppendInt(nil, min(n, c.in.limit)))
		return
	}
	c.window = min(2*c.window, countMost)
	j.keep(c.bytes)
	j.countMore(c)
}
