package proxy

// merged takes one shard's reply for a merged command; the last one completes it.
func (p *part) merged(s *session, t ticket, e *answer, reply []byte) {
	m := e.merge
	if m.tx != nil {
		s.executed(t.seq, e, reply)
		return
	}
	if m.job != nil {
		m.job.take(t.sub, reply)
		return
	}
	m.subs[t.sub] = p.bufs.copy(reply)
	if m.left--; m.left > 0 {
		m.bytes += len(reply)
		s.held += len(reply)
		s.limit()
		return
	}
	s.held -= m.bytes
	m.bytes = 0
	if m.poll != nil {
		p.polled(e)
		return
	}
	if len(m.rerun) > 0 && p.rerun(s, t, m) {
		return
	}
	if m.scan.active {
		m.subs[0] = m.scan.rewrite(p, m.topoID, m.subs[0])
	}
	e.merge = nil
	p.w.Out = m.append(p.bufs.get())
	out := p.w.Out
	p.w.Out = nil
	after := m.after
	p.merges.put(m, &p.bufs)
	if after == nil || !after(t, out) {
		s.complete(t.seq, out)
	}
	p.bufs.recycle(out)
}

// rerun sends a command to all shards again after the set of shards changed under it.
// All such commands only count or list.
func (p *part) rerun(s *session, t ticket, m *merge) bool {
	raw := m.rerun
	m.rerun = nil
	for i, sub := range m.subs {
		if sub != nil {
			p.bufs.put(sub)
			m.subs[i] = nil
		}
	}
	m.subs, m.left, m.topoID = m.subs[:0], 0, p.topoID
	for _, u := range p.shards {
		if u.lane(s.line) == nil {
			m.subs = append(m.subs, appendError(p.bufs.get(), u.err))
			p.bufs.held += len(m.subs[0])
			return false
		}
	}
	t.tries = 0
	if m.how == mergeRandom {
		p.askRandom(s, t, m)
		return true
	}
	for i, u := range p.shards {
		m.subs = append(m.subs, nil)
		m.left++
		t.sub = uint16(i)
		u.lane(s.line).resume(raw, t)
	}
	return true
}
