package proxy

import "larder/protocol/command"

// answer is one command of a session that waits for its reply.
type answer struct {
	row     *command.Row
	merge   *merge // nil: one node's reply is the reply
	reply   []byte // came before its turn; of the part's buffers
	startNS int64  // when the command was read, on the part's clock
	done    bool
	mute    bool   // CLIENT REPLY OFF or SKIP: counted, not written
	slow    uint32 // the number behind its entry in the slow log; 0 = it has none that waits for this
	within  bool   // of a command that the gateway ran for an EXEC: its reply goes into that of the EXEC
}

// answers is the ring of a session's unanswered commands, oldest first. A command is
// known by its sequence number, which wraps with uint32 and indexes the ring.
type answers struct {
	ring       []answer
	head, tail uint32 // tail-head commands wait; head is the next to be written
}

func (a *answers) len() int { return int(a.tail - a.head) }

func (a *answers) at(seq uint32) *answer { return &a.ring[seq&uint32(len(a.ring)-1)] }

// push returns the number of a new command.
func (a *answers) push(row *command.Row, startNS int64) uint32 {
	if a.len() == len(a.ring) {
		a.grow()
	}
	seq := a.tail
	*a.at(seq) = answer{row: row, startNS: startNS}
	a.tail++
	return seq
}

func (a *answers) grow() {
	bigger := make([]answer, max(8, 2*len(a.ring)))
	for seq := a.head; seq != a.tail; seq++ {
		bigger[seq&uint32(len(bigger)-1)] = *a.at(seq)
	}
	a.ring = bigger
}

// shrink drops a ring that a burst made large; only when nothing waits.
func (a *answers) shrink(keep int) {
	if a.head == a.tail && len(a.ring) > keep {
		a.ring = nil
	}
}
