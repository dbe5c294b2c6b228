package engine

import (
	"bytes"

	"larder/protocol/command"
	"larder/router"
)

// slotSet are the slots that a lane's scripts may touch; immutable.
type slotSet [router.Slots / 64]uint64

func (set *slotSet) has(slot int) bool { return set[slot/64]>>(slot%64)&1 != 0 }

// slotsOf is the set of the ranges; nil: they are all slots, and there is nothing to check.
func slotsOf(ranges []router.Range) *slotSet {
	var set slotSet
	n := 0
	for _, r := range ranges {
		for slot := r.From; slot <= r.To; slot++ {
			if !set.has(slot) {
				set[slot/64] |= 1 << (slot % 64)
				n++
			}
		}
	}
	if n == router.Slots {
		return nil
	}
	return &set
}

// saidSlots are the slots that a lane has said last, kept because the other lanes of a gateway say the same.
type saidSlots struct {
	text []byte
	set  *slotSet
}

// larderSlots notes the slots that the gateway takes for this node's. It is for nodes that were assigned none: what a node was told by LARDER ASSIGN goes
// before it.
func larderSlots(s *session, args [][]byte) {
	said := &s.p.said
	if said.text == nil || !bytes.Equal(said.text, args[2]) {
		ranges, err := router.ParseRanges(string(args[2]))
		if err != nil {
			s.fail("ERR " + err.Error())
			return
		}
		*said = saidSlots{text: append([]byte{}, args[2]...), set: slotsOf(ranges)}
	}
	s.slots = said.set
	s.ok()
}

// ownSlots are the slots whose keys the session's scripts may touch; nil: any. Only lanes are asked: a plain client of a node sees that node alone.
func (s *session) ownSlots() *slotSet {
	switch {
	case !s.lane:
		return nil
	case s.p.assigned.epoch != 0:
		return s.p.assigned.own
	}
	return s.slots
}

// errElsewhere and errAllShards are the errors of a script's command that one shard cannot run alone: the first in the words of a Redis Cluster
// (Redis 7.0 script.c, scriptVerifyClusterState). A cluster would run the second on the keys of one node.
const (
	errElsewhere = "ERR Script attempted to access a non local key in a cluster node"
	errAllShards = "ERR Script attempted to look at the keys of all shards: it runs on one of them"
	errNoCluster = "ERR Can not run script on cluster, 'no-cluster' flag is set."
)

// patternDenied is the error of a SORT that looks up keys by a pattern, in the words of a Redis Cluster (Redis 7.0 sort.c, sortCommandGeneric).
func patternDenied(args [][]byte) string {
	for i := 2; i+1 < len(args); i++ {
		switch {
		case command.EqualFold(args[i], "limit"):
			i += 2
		case command.EqualFold(args[i], "store"):
			i++
		case command.EqualFold(args[i], "get"):
			return "ERR GET option of SORT denied in cluster mode."
		case command.EqualFold(args[i], "by"):
			if i++; bytes.IndexByte(args[i], '*') >= 0 {
				return "ERR BY option of SORT denied in cluster mode."
			}
		}
	}
	return ""
}

// elsewhere is the error of a script's command that concerns what other shards have, "" if there is none.
func (j *job) elsewhere(own *slotSet, row *command.Row, args [][]byte) string {
	p := j.p
	p.keys = row.KeyPositions(args, p.keys[:0])
	for _, at := range p.keys {
		if !own.has(router.Slot(args[at])) {
			return errElsewhere
		}
	}
	switch row.ID {
	case command.CmdKeys, command.CmdScan, command.CmdRandomKey, command.CmdDBSize, command.CmdFlushAll, command.CmdFlushDB, command.CmdSwapDB:
		return errAllShards
	case command.CmdSort, command.CmdSortRO:
		return patternDenied(args)
	}
	return ""
}
