package proxy

import (
	"maps"
	"slices"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// holders are the sessions that have read a key: mostly one.
type holders struct {
	one  uint64
	more map[uint64]struct{}
}

// add says whether id is new.
func (h *holders) add(id uint64) bool {
	switch {
	case h.one == 0:
		h.one = id
		return true
	case h.one == id:
		return false
	case h.more == nil:
		h.more = map[uint64]struct{}{}
	}
	if _, known := h.more[id]; known {
		return false
	}
	h.more[id] = struct{}{}
	return true
}

func (h *holders) len() int { return 1 + len(h.more) }

// all are in the order of the ids, in which Redis tells them.
func (h *holders) all() []uint64 {
	if h.more == nil {
		return []uint64{h.one}
	}
	ids := append(slices.Collect(maps.Keys(h.more)), h.one)
	slices.Sort(ids)
	return ids
}

// isScript says whether a command may read keys that are not among its arguments.
func isScript(row *command.Row) bool {
	switch row.ID {
	case command.CmdEval, command.CmdEvalSHA, command.CmdEvalRO, command.CmdEvalSHARO, command.CmdFCall, command.CmdFCallRO:
		return true
	}
	return false
}

// mayRead says whether a command may read keys.
func mayRead(row *command.Row) bool {
	return row.Flags.Has(command.ReadOnly) && len(row.KeySpecs) > 0 || isScript(row) || row.ID == command.CmdExec
}

// judge says what a command of a session that tracks is to its cache.
func (s *session) judge(t *ticket) ticketKind {
	switch tr := s.track; {
	case tr.Bcast || !mayRead(t.row):
		return kindJudged
	case tr.Caches() || t.kind&kindPiece != 0 && s.tracksPiece(t):
		return kindJudged | kindCached
	default:
		return kindJudged | kindUncached
	}
}

// tracksPiece says whether CLIENT CACHING stands in a transaction: then all that it reads is remembered.
func (s *session) tracksPiece(t *ticket) bool {
	return slices.ContainsFunc(s.q.at(t.seq).merge.tx.queue, func(q queuedCommand) bool { return q.row.ID == command.CmdClientCaching })
}

// precede puts what has to be said of a command of a tracking session before it; the log holds the command from at on. It returns where that stands then.
func (ln *lane) precede(at int, t *ticket) int {
	s := t.s
	if t.kind&kindJudged == 0 {
		t.kind |= s.judge(t)
	}
	var words []byte
	if s.speaksUp(ln, t.row) {
		words = resp.AppendCommand(words, wordLarder, wordAs, s.identity())
	}
	n := ln.insert(at, words)
	if t.kind&kindUncached != 0 && ln.line >= lineReads2 {
		n += ln.insert(at+n, resp.AppendCommand(nil, wordClient, wordCaching, wordNo))
	}
	if t.kind&kindCached != 0 && ln.line == lineReads2 { // the message may be here before the reply
		ln.remember(s, ln.log[at+n:])
	}
	return at + n
}

// speaksUp says whether a node is to know who writes, because the session is not to be told of its own changes. A stock server cannot be told: over such it
// is told of them all the same.
func (s *session) speaksUp(ln *lane, row *command.Row) bool {
	return s.track.NoLoop && ln.u.larder && !row.Flags.Has(command.ReadOnly)
}

// insert puts a word of the lane's own before the command that the log holds from at on. It may be refused, by a node that is busy with a script: then the
// session is told too much, if the command is not refused too.
func (ln *lane) insert(at int, word []byte) int {
	if len(word) > 0 {
		ln.log = slices.Insert(ln.log, at, word...)
		ln.queue.push(ticket{bytes: uint32(len(word)), db: uint16(ln.db), startNS: ln.p.nowNS, kind: kindHears})
		ln.hears = append(ln.hears, whatever)
	}
	return len(word)
}

// whatever is who hears what need not be heard.
func whatever([]byte) {}

var wordAs = []byte("AS")

// heardRead takes note of a reply to a tracking session before it gets it. What was not read on a lane that tells is told to be invalid behind the reply.
func (ln *lane) heardRead(t *ticket) {
	s := t.s
	if tr := s.track; int32(t.seq+1-tr.done) > 0 {
		tr.done = t.seq + 1
	}
	if t.kind&kindCached == 0 || t.bytes == 0 {
		return
	}
	raw := ln.log[ln.head : ln.head+int(t.bytes)]
	if ln.remembers() {
		ln.remember(s, raw)
		return
	}
	ln.p.eachRead(raw, func(_ *command.Row, key []byte) {
		if key == nil {
			s.invalid(t.seq+1, nil)
		} else {
			s.invalid(t.seq+1, [][]byte{key})
		}
	})
}

// eachRead calls f with the keys that commands read; nil: with those that a script may read besides.
func (p *part) eachRead(raw []byte, f func(row *command.Row, key []byte)) {
	for len(raw) > 0 {
		req, n, st := p.caches.parser.Next(raw)
		if st != resp.Done {
			return // it cannot be: a node was sent these bytes
		}
		raw = raw[n:]
		row, _ := p.g.resolve(req.Args)
		if row == nil || !mayRead(row) {
			continue
		}
		for _, at := range row.KeyPositions(req.Args, nil) {
			f(row, req.Args[at])
		}
		if isScript(row) {
			f(row, nil)
		}
	}
}

// remember notes what a session has read of a node.
func (ln *lane) remember(s *session, raw []byte) {
	u, p := ln.u, ln.p
	p.eachRead(raw, func(_ *command.Row, key []byte) {
		s.track.reads(u, key == nil)
		if key == nil {
			p.caches.wild[s] = struct{}{}
			return
		}
		u.note(s, key)
	})
	if most := p.trackedMax(); most > 0 && p.caches.keys > most {
		p.evictRead(u, p.caches.keys-most)
	}
}

func (t *tracker) reads(u *upstream, wild bool) {
	for i := range t.readers {
		if t.readers[i].u == u {
			t.readers[i].wild = t.readers[i].wild || wild
			return
		}
	}
	t.readers = append(t.readers, reading{u, wild})
}

// forget says whether the session may have kept something of a node, until now.
func (t *tracker) forget(u *upstream) bool {
	n := len(t.readers)
	t.readers = slices.DeleteFunc(t.readers, func(r reading) bool { return r.u == u })
	return len(t.readers) < n
}

// trackedMax is how many keys this loop may remember, 0 = any number: its share of the gateway's.
func (p *part) trackedMax() int {
	c := &p.caches
	if set := p.g.settings.Load(); c.limited != set {
		c.limited, c.most = set, set.trackedMax
		if c.most > 0 {
			p.g.mu.Lock()
			c.most = max(1, c.most/max(1, len(p.g.parts)))
			p.g.mu.Unlock()
		}
	}
	return c.most
}

// evictRead forgets n keys, whichever they are. Who has read them is told.
func (p *part) evictRead(u *upstream, n int) {
	for key := range u.cached {
		if n--; n < 0 {
			return
		}
		p.changedRead(u, []byte(key), 0)
	}
}

// changedRead tells those who have read a key; they are told once. by is the session that changed it, 0 = another's, or nobody.
func (p *part) changedRead(u *upstream, key []byte, by uint64) {
	h, known := u.cached[string(key)]
	if known {
		delete(u.cached, string(key))
		p.caches.keys--
		p.caches.items -= h.len()
		for _, id := range h.all() {
			p.tellReader(u, id, key, by)
		}
	}
	for s := range p.caches.wild { // who ran scripts is told of what they may have read
		wild := slices.ContainsFunc(s.track.readers, func(r reading) bool { return r.u == u && r.wild })
		if _, told := h.more[s.id]; wild && !told && s.id != h.one {
			p.tellReader(u, s.id, key, by)
		}
	}
}

func (p *part) tellReader(u *upstream, id uint64, key []byte, by uint64) {
	s := p.caches.clients[id]
	if s == nil || s.track.Bcast {
		return
	}
	told := s.track.tells(by, id)
	after := s.track.done
	if s.line == lineReads2 && (s.q.len() > 0 || !told) {
		// Message and reply come over two lanes: it may be about the key as it was before the session read it anew. So it is told behind all replies, and is to
		// be told again.
		after = s.asked()
		u.note(s, key)
	}
	if told {
		s.invalid(after, [][]byte{key})
	}
}

// tells says whether the session with that id is to be told of what a session has changed. Its own changes are not news to who asked for that; but one that
// was answered UNKNOWN may run at any time.
func (t *tracker) tells(by, id uint64) bool { return !t.NoLoop || by != id || t.unsure }

// note remembers that a session has read a key.
func (u *upstream) note(s *session, key []byte) {
	c := &s.p.caches
	h, known := u.cached[string(key)]
	if !h.add(s.id) {
		return
	}
	if u.cached == nil {
		u.cached = map[string]holders{}
	}
	u.cached[string(key)] = h
	c.items++
	if !known {
		c.keys++
	}
}

// forgetReads drops what is remembered of a node.
func (p *part) forgetReads(u *upstream) {
	for _, h := range u.cached {
		p.caches.keys--
		p.caches.items -= h.len()
	}
	u.cached = nil
}

// tellReadersOf tells those who may keep something of a node, and read it on such a lane, that nothing holds.
func (p *part) tellReadersOf(u *upstream, line int) {
	if line == lineReads3 {
		p.forgetReads(u)
	}
	p.count.cacheFlushes++
	for _, s := range p.trackers() {
		if t := s.track; t != nil && (line != lineReads2 || s.line == line) && t.forget(u) {
			s.invalid(t.done, nil)
		}
	}
}

// trackers are the loop's sessions that track, in the order of their ids.
func (p *part) trackers() []*session {
	out := make([]*session, 0, len(p.caches.clients))
	for _, id := range slices.Sorted(maps.Keys(p.caches.clients)) {
		out = append(out, p.caches.clients[id])
	}
	return out
}

// tellReadersAll tells all who read for their caches that nothing holds: the slots have other nodes.
func (p *part) tellReadersAll() {
	for _, u := range p.upstreams {
		p.forgetReads(u)
	}
	for _, s := range p.trackers() {
		if s.track != nil && !s.track.Bcast {
			s.track.readers = nil
			s.invalid(s.asked(), nil)
		}
	}
}
