package proxy

import (
	"bytes"
	"strconv"
	"time"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// WAIT and WAITAOF ask how many replicas have what the client wrote. Its writes have gone over shared lanes to several nodes, so each node to which it sent
// any is asked, one after the other, on a lane lent for that, on which it is first told for which writes (sayWrites). The client is told the least of what the
// nodes say. Replicas of the later nodes keep up while the first is waited for, so it
// takes no longer than all at once, but for the ways.

// A stock server tells a connection how far replicas are with what that connection wrote, and what a client wrote has gone over other lanes. So the lane
// writes something into the server's stream itself, behind all that the client has written: a message on a shard channel that nobody is subscribed to, which
// its replicas get too. Redis before 7.0 knows no such channels: there any command counts, as if the connection had written all that the server has.
const (
	textNoWaitInMulti = "ERR WAIT is not possible in a transaction over stock nodes: they know of a connection's writes, and those of a client go over several"
	textNoWaitAOF     = "ERR WAITAOF is not possible over stock nodes: they know of a connection's writes, and those of a client go over several"
)

var wordWrote, channelWait = []byte("WROTE"), []byte("larder:wait")

func waitsForReplicas(row *command.Row) bool {
	return row.ID == command.CmdWait || row.ID == command.CmdWaitAOF
}

// acks is a WAIT or WAITAOF under way.
type acks struct {
	row     *command.Row
	args    [][]byte
	left    []*upstream // to be asked; the first one is
	untilNS int64       // then the time is over; 0 = it is endless
	have    bool        // least is what a node has said
	least   [2]int64    // of the replies: the number, or both
	unable  string      // what the node said to the words that sayWrites has for it, if it does not take them
}

// runWait begins WAIT, behind all that the session has under way.
func (s *session) runWait(row *command.Row, req resp.Request) bool {
	for _, u := range s.p.shards {
		switch ln := u.lane(s.proto); {
		case u.known && (u.larder || row.ID == command.CmdWait):
		case u.known:
			s.refuse(row, textNoWaitAOF)
			return true
		case ln == nil && s.awaitShard(u):
			return false
		case ln == nil:
			s.refuse(row, u.err)
			return true
		default:
			ln.waiters = append(ln.waiters, s)
			return s.stall(stallLane)
		}
	}
	if s.q.len() > 0 {
		return s.stall(stallEmpty)
	}
	a := &acks{row: row, args: copied(req.Args), left: s.writtenTo()}
	if ms, ok := resp.ParseNumber(req.Args[len(req.Args)-1]); ok && ms > 0 && ms < int64(time.Hour) {
		a.untilNS = s.p.nowNS + ms*int64(time.Millisecond)
	}
	s.block = &blocking{seq: s.push(row), beganNS: s.p.nowNS, acks: a}
	s.p.g.blocked.Add(1)
	s.stalled = stallBlocked
	s.p.count.pauses++
	s.askAcks()
	return true
}

// writtenTo are the nodes to which the session has sent what may write; all, if it has written nothing.
func (s *session) writtenTo() []*upstream {
	var all, wrote []*upstream
	seen := map[*upstream]bool{}
	for _, u := range s.p.shards {
		if seen[u] {
			continue
		}
		seen[u] = true
		if all = append(all, u); s.wrote&u.bit != 0 {
			wrote = append(wrote, u)
		}
	}
	if len(wrote) > 0 {
		return wrote
	}
	return all
}

// askAcks asks the next node, for what is left of the time.
func (s *session) askAcks() {
	b := s.block
	a := b.acks
	ln, wrong := a.left[0].lend(s, useBlock)
	if b.ln = ln; ln == nil && a.left[0].halts() {
		s.p.later(a.left[0], ticket{s: s, row: a.row, seq: b.seq, kind: kindLent | kindBlocks | kindReads}, resp.AppendCommand(nil, a.args...))
		return
	}
	if ln == nil {
		s.unblock()
		s.complete(b.seq, appendError(nil, wrong))
		return
	}
	args := a.args
	if a.untilNS != 0 {
		left := max(1, (a.untilNS-s.p.nowNS)/int64(time.Millisecond))
		args = append(args[:len(args)-1:len(args)-1], strconv.AppendInt(nil, left, 10))
	}
	ln.sayWrites(s, func(reply []byte) {
		if resp.IsError(reply) {
			a.unable = firstLine(string(reply[1:]))
		}
	})
	at := len(ln.log)
	ln.log = resp.AppendCommand(ln.log, args...)
	ln.commit(at, ticket{s: s, row: a.row, seq: b.seq, kind: kindLent | kindBlocks | kindReads})
}

// askAcksAgain asks who is the primary now where the node that was asked before is lost.
func (s *session) askAcksAgain(t ticket) {
	a := s.block.acks
	u := s.p.present(a.left[0])
	if u == nil {
		s.answered(t, appendError(nil, downText(a.left[0].addr, errLeft)))
		return
	}
	a.left[0] = u
	s.askAcks()
}

// inVain is the reply to a WAIT whose time is over while there is no primary to be asked: nobody is known to have what was written. Nil: it waits on.
func (s *session) inVain() []byte {
	if s.block == nil || s.block.acks == nil || s.block.acks.untilNS == 0 || s.p.nowNS < s.block.acks.untilNS {
		return nil
	}
	if s.block.acks.row.ID == command.CmdWaitAOF {
		return []byte("*2\r\n:0\r\n:0\r\n")
	}
	return []byte(":0\r\n")
}

// acked takes what a node says. It gives the client's reply, nil while another node is to be asked.
func (s *session) acked(reply []byte) []byte {
	a := s.block.acks
	if a.unable != "" {
		return appendError(nil, "ERR WAIT and WAITAOF are not possible over node "+a.left[0].addr+": "+a.unable)
	}
	said, ok := ackCounts(reply)
	if !ok {
		return reply // an error
	}
	if !a.have {
		a.least = said
	}
	a.have = true
	a.least = [2]int64{min(a.least[0], said[0]), min(a.least[1], said[1])}
	if a.left = a.left[1:]; len(a.left) > 0 {
		if a.lacks() {
			a.untilNS = max(1, s.p.nowNS) // it has waited in vain, or was told not to: the others are only to say how far they are
		}
		s.askAcks()
		return nil
	}
	w := resp.Writer{Proto: s.proto}
	if a.row.ID == command.CmdWaitAOF {
		w.Array(2)
		w.Int(a.least[0])
	}
	w.Int(a.least[1])
	return w.Out
}

// lacks tells whether a node has fewer than the client waits for.
func (a *acks) lacks() bool {
	replicas, _ := resp.ParseNumber(a.args[len(a.args)-2])
	local := int64(0)
	if a.row.ID == command.CmdWaitAOF {
		local, _ = resp.ParseNumber(a.args[1])
	}
	return a.least[0] < local || a.least[1] < replicas
}

// ackCounts reads the reply to WAIT or WAITAOF: journals that have it on disk, and replicas.
func ackCounts(reply []byte) (said [2]int64, ok bool) {
	if n, is := resp.ParseInt(reply); is {
		return [2]int64{0, n}, true
	}
	if !bytes.HasPrefix(reply, []byte("*2\r\n")) {
		return said, false
	}
	it := resp.Elements(reply)
	for i := range said {
		e, _ := it.Next()
		if said[i], ok = resp.ParseInt(e); !ok {
			return said, false
		}
	}
	return said, true
}

// mayWaitInMulti is the error of a WAIT in a transaction, "" if its node can answer it: there it waits for nothing.
func (p *part) mayWaitInMulti() string {
	for _, u := range p.shards {
		if !u.known || !u.larder {
			return textNoWaitInMulti
		}
	}
	return ""
}
