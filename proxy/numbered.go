package proxy

import (
	"fmt"
	"time"
)

// Lanes to nodes that get orders have their requests numbered, by their place: so it can be asked of each one whether it has run when the lane is lost
// (docs/formats/upstream.md). A lane counts the requests that are answered; those that are not follow, in the order of its queue.

// numberAgainNS is how long no lane to a node is numbered that has refused to number one.
const numberAgainNS = int64(time.Minute)

var wordLane = []byte("LANE")

// askNumber has the node number what the lane says from here on. An ear says no command.
func (ln *lane) askNumber() {
	u := ln.u
	if !ln.greet.ordered || ln.ear != nil || u.replica || u.unnumberedNS > ln.p.nowNS {
		return
	}
	id := fmt.Appendf(nil, "%s-%d", ln.p.g.id, ln.p.g.lanes.Add(1))
	ln.ask((*lane).heardNumber, wordLarder, wordLane, id)
	ln.id = string(id)
}

// heardNumber: a node of an earlier release does not know the word, and one that has too many lanes takes none.
func (ln *lane) heardNumber(reply []byte) error {
	if reply[0] == '-' {
		ln.id = ""
		ln.u.unnumberedNS = ln.p.nowNS + numberAgainNS
		ln.p.g.log.Warn("node does not number a lane", "node", ln.u.addr, "reply", firstLine(string(reply[1:])))
	}
	return nil
}

// requests is how many requests a ticket is. A transaction has the number of its last one.
func (ln *lane) requests(t *ticket) uint64 {
	if t.kind&kindPiece == 0 {
		return 1
	}
	return uint64(t.s.q.at(t.seq).merge.tx.sent) + 2
}
