package proxy

import "larder/protocol/command"

// ticket is one command on a lane that the node has not answered.
type ticket struct {
	s       *session     // nil: the lane's own word, its reply only has to be good
	row     *command.Row // nil with s
	startNS int64        // when it was put on a lane, on the part's clock
	seq     uint32       // the session's number for it
	bytes   uint32       // its length in the lane's log; 0 = streamed, not kept
	sub     uint16       // which part of a merged command
	db      uint16
	tries   uint8
	kind    ticketKind
}

// ticketKind says what is special about a command on a lane; 0 on the usual way.
type ticketKind uint16

const (
	kindPiece    ticketKind = 1 << iota // MULTI, commands, EXEC: the last reply is the client's
	kindReads                           // it may run twice, whatever its row says
	kindLent                            // it needs a lane of its own
	kindBlocks                          // it may wait at the node for any time
	kindHears                           // asked in the lane's own name: see lane.query
	kindJudged                          // of a session that tracks keys: it is known what the command is to its cache
	kindCached                          // what it reads is to be remembered
	kindUncached                        // what it reads is not
	kindSelects                         // a piece with SELECT in it: it leaves the lane in whatever database
)

// tickets is a lane's queue, oldest first.
type tickets struct {
	ring       []ticket
	head, tail uint32
}

func (q *tickets) len() int { return int(q.tail - q.head) }

func (q *tickets) push(t ticket) {
	if q.len() == len(q.ring) {
		bigger := make([]ticket, max(16, 2*len(q.ring)))
		for i := q.head; i != q.tail; i++ {
			bigger[i&uint32(len(bigger)-1)] = q.ring[i&uint32(len(q.ring)-1)]
		}
		q.ring = bigger
	}
	q.ring[q.tail&uint32(len(q.ring)-1)] = t
	q.tail++
}

func (q *tickets) at(i uint32) *ticket { return &q.ring[i&uint32(len(q.ring)-1)] }

// front is the oldest; only when len is not 0. It stays valid until push.
func (q *tickets) front() *ticket { return q.at(q.head) }

func (q *tickets) pop() ticket {
	t := q.front()
	out := *t
	t.s, t.row = nil, nil
	q.head++
	return out
}
