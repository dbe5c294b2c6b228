package proxy

import (
	"strconv"
	"strings"

	"larder/protocol/command"
	"larder/protocol/resp"
)

const textUnblocked = "UNBLOCKED client unblocked via CLIENT UNBLOCK"

var wordClient, wordUnblock, unblockedPrefix = []byte("CLIENT"), []byte("UNBLOCK"), []byte("-UNBLOCKED ")

// clientUnblock ends another client's waiting (Redis 7.2 networking.c, clientCommand). Its node is asked to: only there it is sure whether the command has
// got something at this moment.
func (s *session) clientUnblock(row *command.Row, args [][]byte) {
	how, wrong := "TIMEOUT", ""
	if len(args) > 4 {
		s.refuse(row, command.SubArgumentsError(args))
		return
	}
	if len(args) == 4 {
		switch how = strings.ToUpper(string(args[3])); how {
		case "TIMEOUT":
		case "ERROR":
			wrong = textUnblocked
		default:
			s.refuse(row, "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
			return
		}
	}
	id, ok := resp.ParseNumber(args[2])
	if !ok {
		s.refuse(row, "ERR value is not an integer or out of range")
		return
	}
	seq, found := s.push(row), false
	answer := func(n int64) { s.later(seq, func(w *resp.Writer) { w.Int(n) }) }
	s.p.everywhere(func(p *part) {
		other := p.sessions[uint64(id)]
		if other == nil || other.block == nil {
			return
		}
		found = true
		b := other.block
		b.asked = true
		other.endBlock(how, wrong, func(n int64) {
			b.asked = n == 1
			if p == s.p {
				answer(n)
				return
			}
			s.p.l.Post(func() {
				s.p.enter()
				answer(n)
			})
		})
	}, func() {
		if !found {
			answer(0)
		}
	})
}

// endBlock has the session's command stop waiting; then is told 1 if it did so because of this. It may be called before endBlock returns.
func (s *session) endBlock(how, wrong string, then func(n int64)) {
	b := s.block
	if ln := b.ln; ln != nil && ln.state == laneReady {
		shared := ln.u.lane(ln.proto)
		if shared == nil || ln.nodeID == 0 {
			then(0)
			return
		}
		shared.query(func(reply []byte) {
			n, _ := resp.ParseInt(reply)
			if n == 1 && s.block == b { // its own reply is still on the way
				b.told = append(b.told, func() { then(n) })
				return
			}
			then(n)
		}, wordClient, wordUnblock, strconv.AppendInt(nil, ln.nodeID, 10), []byte(how))
		return
	}
	// No node has it yet, or any more.
	s.p.forgetRetry(s)
	s.dropBlock()
	reply := s.nullArray()
	if b.acks != nil {
		reply = resp.AppendInt(nil, 0)
	}
	if wrong != "" {
		reply = appendError(nil, wrong)
	}
	s.complete(b.seq, reply)
	then(1)
}

// forgetRetry drops the one command of a session that waits to go again.
func (p *part) forgetRetry(s *session) {
	kept := p.retries[:0]
	for _, r := range p.retries {
		if r.t.s != s {
			kept = append(kept, r)
		}
	}
	clear(p.retries[len(kept):])
	p.retries = kept
	s.retrying = 0
}
