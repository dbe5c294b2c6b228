package proxy

import (
	"larder/protocol/resp"
)

// merged takes one shard's reply for a merged command; the last one completes it.
func (p *part) merged(s *session, t ticket, e *answer, reply []byte) {
	m := e.merge
	m.subs[t.sub] = p.bufs.copy(reply)
	if m.left--; m.left > 0 {
		m.bytes += len(reply)
		s.held += len(reply)
		s.limit()
		return
	}
	s.held -= m.bytes
	m.bytes = 0
	if len(m.rerun) > 0 && p.rerun(s, t, m) {
		return
	}
	if m.how == mergeFirst && p.next(s, t, m) {
		return
	}
	e.merge = nil
	p.w.Out = m.append(p.bufs.get())
	out := p.w.Out
	p.w.Out = nil
	p.merges.put(m, &p.bufs)
	s.complete(t.seq, out)
	p.bufs.recycle(out)
}

// rerun sends a command to all shards again after the set of shards changed under it.
// All such commands may run twice: they count, list or empty.
func (p *part) rerun(s *session, t ticket, m *merge) bool {
	raw := m.rerun
	m.rerun = nil
	for i, sub := range m.subs {
		if sub != nil {
			p.bufs.put(sub)
			m.subs[i] = nil
		}
	}
	m.subs = m.subs[:0]
	for _, u := range p.shards {
		m.subs = append(m.subs, nil)
		if u.lane(s.proto) == nil {
			m.subs = m.subs[:1]
			m.subs[0] = appendError(p.bufs.get(), u.err)
			p.bufs.held += len(m.subs[0])
			return false
		}
	}
	m.left, m.epoch = len(m.subs), p.topo.Epoch
	for i, u := range p.shards {
		again := t
		again.sub, again.tries = uint16(i), 0
		u.lane(s.proto).resume(raw, again)
	}
	return true
}

// next lets SCAN and RANDOMKEY go on with another shard, or rewrite the reply they have.
// True: another reply is to come.
func (p *part) next(s *session, t ticket, m *merge) bool {
	if m.scan.active {
		m.subs[0] = m.scan.rewrite(p, m.epoch, m.subs[0])
		return false
	}
	if m.tried >= len(p.shards) || !isNull(m.subs[0]) {
		return false
	}
	u := p.shards[(m.scan.shard+m.tried)%len(p.shards)]
	ln := u.lane(s.proto)
	if ln == nil {
		m.subs[0] = appendError(m.subs[0][:0], u.err)
		return false
	}
	m.tried++
	m.left = 1
	p.bufs.put(m.subs[0])
	m.subs[0] = nil
	ln.to(s.db)
	at := len(ln.log)
	ln.log = resp.AppendCommand(ln.log, wordRandomKey)
	t.tries = 0
	ln.commit(at, t)
	return true
}

var wordRandomKey = []byte("RANDOMKEY")

func isNull(reply []byte) bool {
	return len(reply) > 1 && (reply[0] == '_' || reply[0] == '$' && reply[1] == '-')
}
