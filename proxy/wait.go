package proxy

import (
	"larder/protocol/command"
	"larder/protocol/resp"
)

// textNoWait: a stock server tells a connection how far replicas are with what that connection wrote. What a client wrote has gone over other lanes.
const textNoWait = "ERR WAIT and WAITAOF are not possible over stock nodes: they know of a connection's writes, and those of a client go over several"

func waitsForReplicas(row *command.Row) bool {
	return row.ID == command.CmdWait || row.ID == command.CmdWaitAOF
}

// runWait answers WAIT. Nodes have no replicas in this version, so that any node knows as much as all: it answers 0 when the client's time is over.
func (s *session) runWait(row *command.Row, req resp.Request) bool {
	for _, u := range s.p.shards {
		switch ln := u.lane(s.proto); {
		case u.known && u.larder:
		case u.known:
			s.refuse(row, textNoWait)
			return true
		case ln == nil:
			s.refuse(row, u.err)
			return true
		default:
			ln.waiters = append(ln.waiters, s)
			return s.stall(stallLane)
		}
	}
	return s.runBlocking(row, req)
}

// mayWaitInMulti is the error of a WAIT in a transaction, "" if its node can answer it: there it waits for nothing.
func (p *part) mayWaitInMulti() string {
	for _, u := range p.shards {
		if !u.known || !u.larder {
			return textNoWait
		}
	}
	return ""
}
