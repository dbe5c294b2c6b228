package engine

import (
	"maps"
	"slices"
	"time"

	"larder/engine/lanes"
	"larder/engine/shard"
	"larder/engine/store"
	"larder/persistence/rdb"
)

// numbered is what the node knows of lanes whose requests have numbers (docs/formats/upstream.md).
//
// What must hold: the table belongs to the data. It says of a lane a number up to which all of its requests have run in these data, and nothing that has changed
// them is behind that. It changes with the data only: in the same callback, by the same unit of the stream, with the same file.
type numbered struct {
	table  lanes.Table
	open   map[string]*session // that are lanes, by name
	ended  lanes.Ended
	agedMS int64 // when the table was looked through last
}

// numbering is a lane's count of its requests: the first one behind the word that began it is number 1.
type numbering struct {
	id    string
	from  uint64      // session.ran at that word
	multi uint64      // session.ran at the MULTI of the present transaction
	entry *lanes.Lane // nil: the node follows another, which alone says which lanes there are
	past  bool        // it had one before that: what has run of it since is another's to say
	dirty int64       // part.dirty when the batch began, or was cut last
}

const (
	laneKeepMS = int64(time.Hour / time.Millisecond) // a lane without a connection is forgotten then: nobody will ask about it any more
	laneLookMS = int64(time.Minute / time.Millisecond)
)

const errLaneName = "ERR a lane's name has 1 to 64 letters, digits and any of -._:"

// larderLane makes the connection a numbered lane. One that may not be is closed: what its gateway sends next would have no numbers.
func larderLane(s *session, args [][]byte) {
	p := s.p
	if wrong := p.mayNumber(s, args[2]); wrong != "" {
		s.fail(wrong)
		s.closing = true
		return
	}
	s.numbers = &numbering{id: string(args[2]), from: s.ran}
	if p.numbered.open == nil {
		p.numbered.open = map[string]*session{}
	}
	p.numbered.open[s.numbers.id] = s
	p.enterLane(s)
	s.ok()
}

func (p *part) mayNumber(s *session, id []byte) (wrong string) {
	v := &p.numbered
	switch {
	case !lanes.ValidID(id):
		return errLaneName
	case s.numbers != nil:
		return "ERR this connection is lane " + s.numbers.id + " already"
	case v.ended.Has(id):
		return "ERR lane " + string(id) + " has ended"
	case v.open[string(id)] != nil, v.table.Get(id) != nil:
		return "ERR there was a lane " + string(id) + " already: its name is to be another for each connection, for ever"
	case len(v.open) >= lanes.Most, !p.follows() && !p.roomForLane():
		return "ERR max number of numbered lanes reached"
	}
	return ""
}

// enterLane has an open lane in the table, and says so in the stream: who knows a lane knows that it has run nothing else.
func (p *part) enterLane(s *session) {
	if p.follows() {
		return
	}
	m := lanes.Mark{ID: []byte(s.numbers.id)}
	s.numbers.entry = p.numbered.table.Obey(m)
	p.tellLane(m)
	if s.writing {
		p.openBatch(s) // it is amid its requests
	}
}

// stands tells whether the stream is not to grow by what the node says itself: it is another's, or writes are held back.
func (p *part) stands() bool { return p.store.Deaths() != store.Remove }

// tellLane adds a mark to the stream that belongs to no batch. If it cannot, the lane's first batch says that there is such a lane.
func (p *part) tellLane(m lanes.Mark) {
	if t := p.stream; t.wanted && !p.stands() {
		t.mark = m.AppendCommand(t.mark[:0])
		t.past.Append(t.mark)
		p.streamed()
		p.replicas.noted = t.past.End()
	}
}

// settleLanes is called when the node has begun to follow another, or has ended it: open lanes are in the table of whoever lets them write. One that the node had
// let write before it followed another ends: some of what it did then may not be in the data any more.
func (p *part) settleLanes() {
	for _, id := range slices.Sorted(maps.Keys(p.numbered.open)) {
		s := p.numbered.open[id]
		n := s.numbers
		n.past = n.past || n.entry != nil
		n.entry = nil
		switch {
		case p.follows():
		case n.past:
			p.endLane(id)
		default:
			p.enterLane(s)
		}
	}
}

// takeLanes has the table be that of the data that were loaded.
func (p *part) takeLanes(l *loading) { p.numbered.table = l.lanes }

// auxOfLanes writes the table into a file.
func (p *part) auxOfLanes(w *rdb.Frame) {
	for _, l := range p.numbered.table.All() {
		w.Aux(lanes.Aux, string(l.Mark().AppendText(nil)))
	}
}

// isMark tells whether a PUBLISH of a stream is a mark.
func isMark(args [][]byte) bool { return len(args) == 3 && string(args[1]) == lanes.Channel }

const errNoMark = "ERR what it says of a lane is not to be understood here: is the other node a later one?"

// obeyMark does what a mark of a stream says; false: it cannot be read.
func (p *part) obeyMark(text []byte) bool {
	m, ok := lanes.Parse(text)
	if ok {
		p.numbered.table.Obey(m)
	}
	return ok
}

// leaveNumbers: the session has ended. What is known of the lane stays.
func (s *session) leaveNumbers() {
	if n := s.numbers; n != nil && s.p.numbered.open[n.id] == s {
		delete(s.p.numbered.open, n.id)
	}
}

// endLane has nothing run any more that comes under a name: what lies unread is not read, and a connection that is yet to be let in is refused.
func (p *part) endLane(id string) {
	p.numbered.ended.Add(id)
	s := p.numbered.open[id]
	if s == nil {
		return
	}
	if s.closing = true; !s.writing { // else it ends behind its present request
		s.c.Out = s.c.Out[:0]
		s.c.Close()
	}
}

// ends is why the session cannot end a lane, "" if it can.
func (s *session) ends(id []byte) (wrong string) {
	switch {
	case !lanes.ValidID(id):
		return errLaneName
	case s.numbers != nil && s.numbers.id == string(id):
		return "ERR a lane cannot end itself"
	}
	return ""
}

// knowsNot is why the node cannot say how far lanes have come, "" if it can: it must be the primary, by the asking gateway's record too.
func (s *session) knowsNot() string {
	p := s.p
	switch g := p.reign; {
	case g != nil && (g.isStale(s) || g.role == shard.Follower && g.stale != ""):
		return g.stale
	case g != nil && p.guard&guardShard != 0:
		return g.notServed(s, rowGet)
	case p.follows():
		return "ERR this node follows another, which may send more of that lane: ask the primary"
	}
	return ""
}

// larderEnded ends a lane and tells up to which number its requests have run; null: that is not known. What follows is where the stream stands then.
func larderEnded(s *session, args [][]byte) {
	p, id := s.p, args[2]
	wrong := s.ends(id)
	if wrong == "" {
		wrong = s.knowsNot()
	}
	if wrong != "" {
		s.fail(wrong)
		return
	}
	s.showsData()
	p.endLane(string(id))
	w, at := &p.w, p.stamp()
	w.Array(4)
	if l := p.numbered.table.Get(id); l != nil {
		w.Int(int64(l.Number))
	} else {
		w.Null()
	}
	w.Int(int64(at.reign))
	w.Int(at.executed)
	w.Bulk(p.stream.past.ID)
}

// larderForget ends lanes about which nobody will ask.
func larderForget(s *session, args [][]byte) {
	p := s.p
	for _, id := range args[2:] {
		if wrong := s.ends(id); wrong != "" {
			s.fail(wrong)
			return
		}
	}
	for _, id := range args[2:] {
		p.endLane(string(id))
		p.forgetLane(p.numbered.table.Get(id))
	}
	s.ok()
}

// forgetLane takes a lane out of the table, which is a record in the stream; while that stands it has to stay.
func (p *part) forgetLane(l *lanes.Lane) {
	if l == nil || p.stands() {
		return
	}
	m := l.Mark()
	m.Over = true
	p.numbered.table.Obey(m)
	p.tellLane(m)
}

// noteLeft notes which lanes have no connection here.
func (p *part) noteLeft() {
	for _, l := range p.numbered.table.All() {
		switch open := p.numbered.open[l.ID] != nil; {
		case open:
			l.LeftMS = 0
		case l.LeftMS == 0:
			l.LeftMS = p.nowMS
		}
	}
}

// roomForLane makes room for one more in the table.
func (p *part) roomForLane() bool {
	v := &p.numbered
	if v.table.Len() < lanes.Most {
		return true
	}
	p.noteLeft()
	p.forgetLane(v.table.Oldest())
	return v.table.Len() < lanes.Most
}

// ageLanes forgets lanes that have had no connection for long. It belongs to the tick.
func (p *part) ageLanes() {
	v := &p.numbered
	if v.table.Len() == 0 || p.stands() || p.nowMS-v.agedMS < laneLookMS {
		return
	}
	v.agedMS = p.nowMS
	p.noteLeft()
	for i := v.table.Len() - 1; i >= 0; i-- {
		if l := v.table.All()[i]; l.LeftMS != 0 && p.nowMS-l.LeftMS >= laneKeepMS {
			p.forgetLane(l)
		}
	}
}
