package proxy

import (
	"larder/protocol/command"
	"larder/protocol/resp"
	"larder/router"
)

// run takes one command. It says false when the command has to wait: nothing of it has
// happened then, and it comes again once the session is woken.
func (s *session) run(req resp.Request) bool {
	s.muted = s.mute != muteOff
	if s.mute != muteNext && s.track == nil {
		return s.dispatch(req)
	}
	was := s.mute
	if was == muteNext {
		s.mute = muteOff // before it runs: it may be another SKIP
	}
	if !s.dispatch(req) {
		s.mute = was
		return false
	}
	s.trackingRan(req.Args)
	return true
}

func (s *session) dispatch(req resp.Request) bool {
	row, text := s.p.g.find(req.Args)
	if row == nil {
		s.reject(nil, req.Args, text)
		return true
	}
	if s.guarded {
		if text := s.barred(row, req.Args); text != "" {
			s.reject(row, req.Args, text)
			return true
		}
	}
	if s.swaps != s.p.swaps {
		// A lane was replaced while older commands are out on it: they come first.
		if s.q.len() > 0 {
			return s.stall(stallEmpty)
		}
		s.swaps = s.p.swaps
	}
	if s.paused(row) {
		s.p.waitPause(s)
		return s.stall(stallPause)
	}
	if s.reads != nil && s.awayFirst(row) {
		return s.stall(stallEmpty)
	}
	s.lastRow = row
	if s.mode != 0 {
		if text := s.hearsOnly(row); text != "" {
			s.reject(row, req.Args, text)
			return true
		}
		if s.mode&modeMulti != 0 && !runsInMulti(row.ID) {
			return s.enqueue(row, req)
		}
	}
	switch row.Request {
	case command.RequestKey:
		return s.runKey(row, req)
	case command.RequestMultiShard:
		return s.runSplit(row, req)
	case command.RequestAllShards, command.RequestAllNodes:
		return s.runAll(row, req)
	case command.RequestSpecial:
		return s.runSpecial(row, req)
	default:
		if s.p.slowNS == 0 {
			return s.runNoted(row, req.Args)
		}
		return s.runHere(row, req.Args)
	}
}

// find is the row of a command, or the error that a client gets. Words between gateway
// and node are not for clients.
func (g *Gateway) find(args [][]byte) (*command.Row, string) {
	row, text := g.resolve(args)
	if row == nil {
		row = command.Lookup(args[0])
		if row == nil || !hidden(row) {
			return nil, text
		}
	}
	if hidden(row) {
		return nil, command.UnknownError(args)
	}
	return row, text
}

// hidden says whether clients of a gateway have no such command: words between gateway and node, and what only a node can do.
func hidden(row *command.Row) bool {
	own := row.ID
	if row.Parent != 0 {
		own = row.Parent
	}
	return own == command.CmdLarder || own == command.CmdShutdown || row.Flags.Has(command.NodeOnly)
}

// runKey is a command whose keys live in one slot, or that names the slot.
func (s *session) runKey(row *command.Row, req resp.Request) bool {
	var shard int
	if row.First == 1 && row.Last == 1 && !row.Flags.Has(command.MovableKeys) {
		slot := router.Slot(req.Args[1])
		shard = s.p.topo.Owner(slot)
		if shard < 0 {
			s.refuse(row, router.Unserved.Error())
			return true
		}
		if s.reads != nil {
			s.p.slots = append(s.p.slots[:0], slot)
		}
	} else if scripted(row) {
		return s.runScript(row, req)
	} else {
		if wrong := s.p.hiddenKeys(row, req.Args); wrong != "" {
			s.refuse(row, wrong)
			return true
		}
		var cross router.Cross
		if shard, cross = s.p.shardFor(row, req.Args); cross != router.Together {
			if shard = s.p.together(row, req.Args, cross); shard < 0 {
				return s.across(row, req.Args, cross)
			}
		}
		if s.reads != nil {
			s.p.noteSlots(row, req.Args)
		}
	}
	ln, ok := s.laneFor(row, shard, s.p.slots)
	if ln == nil {
		return ok
	}
	seq := s.push(row)
	ln.to(s.db)
	if req.Inline {
		at := len(ln.log)
		ln.log = resp.AppendCommand(ln.log, req.Args...)
		ln.commit(at, ticket{s: s, row: row, seq: seq})
		return true
	}
	ln.put(req.Raw, ticket{s: s, row: row, seq: seq})
	return true
}

// laneTo is the lane to a shard with room for one more command. Nil and true: refused,
// the client has its error; nil and false: the session waits.
func (s *session) laneTo(row *command.Row, shard int) (*lane, bool) {
	u := s.p.shards[shard]
	if u.known && s.db >= u.databases {
		s.refuse(row, "ERR DB index is out of range")
		return nil, true
	}
	ln := u.lane(s.line)
	if ln == nil || u.halted {
		if s.awaitShard(u) {
			return nil, false
		}
		s.refuse(row, u.whyNot())
		return nil, true
	}
	if ln.full() {
		ln.waiters = append(ln.waiters, s)
		return nil, s.stall(stallLane)
	}
	return ln, true
}

// push queues a command for which a reply will come.
func (s *session) push(row *command.Row) uint32 {
	seq := s.q.push(row, s.p.nowNS)
	if s.muted {
		s.q.at(seq).mute = true
	}
	return seq
}

// runSplit is a command over many keys that is answered shard by shard.
func (s *session) runSplit(row *command.Row, req resp.Request) bool {
	if (len(req.Args)-row.First)%row.Step != 0 {
		s.refuse(row, command.ArityError(row))
		return true
	}
	p := s.p
	if cross := p.topo.Split(req.Args, row.First, row.Step, &p.split); cross != router.Together {
		s.refuse(row, cross.Error())
		return true
	}
	if !s.splitLanes(row, req.Args) {
		return s.stalled == stallNone
	}
	seq := s.push(row)
	var m *merge
	if len(p.split.Parts) > 1 {
		m = p.merges.get(mergeOf(row), p.topoID, len(p.split.Parts))
		m.deal(p.split.Shard, p.split.Parts)
		s.q.at(seq).merge = m
	}
	for i, part := range p.split.Parts {
		p.partLanes[i].putPart(row, req.Args, part, ticket{s: s, row: row, seq: seq, sub: uint16(i), db: uint16(s.db)})
		p.partLanes[i] = nil
	}
	return true
}

// putPart puts the share of one shard on its lane as a command of its own, for the ticket's database: the session may have gone on to another meanwhile.
func (p *part) putPart(s *session, row *command.Row, args [][]byte, part router.Part, t ticket) {
	p.shards[part.Shard].lane(s.line).putPart(row, args, part, t)
}

func (ln *lane) putPart(row *command.Row, args [][]byte, part router.Part, t ticket) {
	ln.to(int(t.db))
	at := len(ln.log)
	ln.log = resp.AppendArray(ln.log, row.First+len(part.Keys)*row.Step)
	for _, arg := range args[:row.First] {
		ln.log = resp.AppendBulk(ln.log, arg)
	}
	for _, key := range part.Keys {
		from := row.First + key*row.Step
		for _, arg := range args[from : from+row.Step] {
			ln.log = resp.AppendBulk(ln.log, arg)
		}
	}
	ln.commit(at, t)
}

// runAll sends a command to every shard.
func (s *session) runAll(row *command.Row, req resp.Request) bool {
	p := s.p
	for shard := range p.shards {
		if ln, ok := s.laneTo(row, shard); ln == nil {
			return ok
		}
	}
	if m := s.fanOut(row, mergeOf(row), req.Args); row.ID == command.CmdFlushAll || row.ID == command.CmdFlushDB {
		s.flushes(m)
	}
	return true
}

// fanOut sends args to every shard as one command with one merged reply; the lanes were checked.
func (s *session) fanOut(row *command.Row, how mergeKind, args [][]byte) *merge {
	p := s.p
	seq := s.push(row)
	m := p.merges.get(how, p.topoID, len(p.shards))
	m.proto = s.proto
	s.q.at(seq).merge = m
	for i, u := range p.shards {
		ln := u.lane(s.line)
		ln.to(s.db)
		at := len(ln.log)
		ln.log = resp.AppendCommand(ln.log, args...)
		ln.commit(at, ticket{s: s, row: row, seq: seq, sub: uint16(i)})
	}
	return m
}

// refuse answers a command with an error line of ours.
func (s *session) refuse(row *command.Row, text string) {
	s.say(row, func(w *resp.Writer) { w.Error(text) })
}

// say answers a command here, in its turn. The closure does not escape: nothing is allocated.
func (s *session) say(row *command.Row, write func(*resp.Writer)) {
	p := s.p
	w := &p.w
	w.Proto = s.proto
	if s.q.len() == 0 && !s.muted {
		w.Out = s.c.Out
		from := len(w.Out)
		write(w)
		s.c.Out, w.Out = w.Out, nil
		p.ran(row, p.nowNS, s.c.Out[from:])
		s.written()
		return
	}
	w.Out = p.bufs.get()
	write(w)
	reply := w.Out
	w.Out = nil
	seq := s.push(row)
	s.complete(seq, reply)
	p.bufs.recycle(reply)
}
