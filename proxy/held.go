package proxy

import (
	"bytes"
	"fmt"
	"time"

	"larder/protocol/command"
)

// Under durability: replicated a node answers at once, and the gateway holds what may show a write that is not committed, until it is: each reply for itself, so
// that nobody waits for another's. What must hold: nothing that a client was shown of such a shard is ever taken back; a session's replies keep their order, which its
// queue sees to; what is held too long is answered, a write UNKNOWN. docs/formats/upstream.md has what is held and what is not.

// hold is what one connection to a node has brought and has not been let go. It outlives the connection.
type hold struct {
	p      *part
	u      *upstream
	queue  [2]heldQueue // of reads, and of writes, which may be answered later: offsets grow within each
	bytes  int
	listed bool // it is among the part's holds
	ln     *lane
	id     string // the lane's, if that is numbered
	asked  bool   // a primary was asked about that, and is to forget it when nothing of it is held any more
	wanted bool   // the next primary may not have what is in front: it is asked about the lane
	ear    *ear   // the connection was one: what is held is messages, and what came behind them
}

// heldReply is one reply, or a message. It may show what its node's stream said up to an offset.
type heldReply struct {
	t       ticket // with a session: whose it is
	reply   []byte // of the part's buffers
	past    *past
	offset  int64
	sinceNS int64
	push    bool
	raw     []byte // the command, if it can go again; of the part's buffers
	number  uint64 // on its lane
}

// heldQueue is in the order in which they came.
type heldQueue struct {
	items []heldReply
	head  int
}

func (q *heldQueue) len() int { return len(q.items) - q.head }

func (q *heldQueue) pop() heldReply {
	r := q.items[q.head]
	q.items[q.head] = heldReply{}
	if q.head++; q.head == len(q.items) {
		q.items, q.head = q.items[:0], 0
	}
	return r
}

// heldKeepMax is how much of the front of a queue may be done with before the rest is moved there.
const heldKeepMax = 1024

func (q *heldQueue) push(r heldReply) {
	if q.head >= heldKeepMax && q.head > len(q.items)/2 {
		n := copy(q.items, q.items[q.head:])
		clear(q.items[n:])
		q.items, q.head = q.items[:n], 0
	}
	q.items = append(q.items, r)
}

// ofWrites and ofReads index hold.queue.
const (
	ofReads = iota
	ofWrites
)

// heeds looks at a reply to a session before it is passed on: it notes the session's writes, and says true if the reply is held instead. whole: the reply was not
// passed on in pieces.
func (ln *lane) heeds(t *ticket, reply []byte, whole bool) bool {
	if ln.heed&heedMirror != 0 {
		ln.mirrors(t, reply, whole)
		if ln.heed&^(t.row.Flags|heedMirror) == 0 {
			return false
		}
	}
	if ln.heed&heedUnserved != 0 {
		if t.s.retrying > 0 {
			t.s.overtakes(t, ln.u)
		}
		if ln.heed&^(t.row.Flags|heedMirror|heedUnserved) == 0 {
			return false
		}
	}
	if ln.u.replica && ln.followsRefused(t, whole) {
		return true
	}
	writes := !t.row.Flags.Has(command.ReadOnly) && t.kind&kindReads == 0
	if writes {
		t.s.noteWrite(ln)
	}
	if ln.heed&heedReads != 0 {
		ln.noteHigh(t, writes)
	}
	if ln.heed&heedAlways == 0 || ln.past.safe(writes) >= ln.stamp.executed || showsNothing(t.row) || provesUnrun(reply) {
		return false
	}
	if t.kind&kindBlocks != 0 {
		if reply = t.s.woken(reply); reply == nil {
			return true
		}
		t.kind &^= kindBlocks // so much of its end has been seen to
	}
	s, which := t.s, ofReads
	if writes {
		which = ofWrites
	}
	s.held += len(reply)
	s.holding++
	ln.keep(which, heldReply{t: *t, reply: reply, raw: ln.replayable(t), number: ln.done})
	if !s.gone {
		s.limit()
	}
	return true
}

// keep holds a reply that has just come.
func (ln *lane) keep(which int, r heldReply) {
	p := ln.p
	h := ln.held
	if h == nil {
		h = &hold{p: p, u: ln.u, ear: ln.ear, ln: ln, id: ln.id}
		ln.held = h
	}
	if !h.listed {
		h.listed = true
		p.holds = append(p.holds, h)
	}
	r.reply, r.past, r.offset, r.sinceNS = p.bufs.copy(r.reply), ln.past, ln.stamp.executed, p.nowNS
	r.past.waiting++
	if ln.u.replica && ln.u.shard < len(p.shards) { // its primary knows what is committed, and may have nothing else to say
		p.shards[ln.u.shard].askStamp()
	}
	h.bytes += len(r.reply)
	h.queue[which].push(r)
	p.count.held++
}

func (h *hold) len() int { return h.queue[ofReads].len() + h.queue[ofWrites].len() }

// showsNothing says whether replies to a command are not about data, as a node's own gate judges.
func showsNothing(row *command.Row) bool {
	switch row.Group {
	case "connection", "pubsub", "cluster":
		return true
	case "transactions":
		return row.ID != command.CmdExec
	case "server":
		return row.Flags&(command.Write|command.ReadOnly) == 0
	}
	return waitsForReplicas(row) || row.Parent == command.CmdScript
}

// unrun are the errors by which a node says that it has run nothing.
var unrun = [][]byte{
	[]byte("-NOREPLICAS "), []byte("-READONLY "), []byte("-MASTERDOWN "), []byte("-CLUSTERDOWN "), []byte("-LOADING "), []byte("-BUSY "), []byte("-MISCONF "),
	[]byte("-OOM "), []byte("-NOPERM "), []byte("-NOSCRIPT "), []byte("-EXECABORT "), []byte("-STALE "),
}

func provesUnrun(reply []byte) bool {
	if reply[0] != '-' {
		return false
	}
	for _, prefix := range unrun {
		if bytes.HasPrefix(reply, prefix) {
			return true
		}
	}
	return false
}

// release lets everything go that is safe by now.
func (p *part) release() {
	if p.releasing { // what is let go has brought news: whoever is at it goes on
		p.releaseAgain = true
		return
	}
	p.releasing = true
	for p.releaseAgain = true; p.releaseAgain; {
		p.releaseAgain = false
		for i := 0; i < len(p.holds); i++ { // letting go may add to them
			p.holds[i].release(ofReads)
			p.holds[i].release(ofWrites)
		}
	}
	p.releasing = false
	var done []*hold
	kept := p.holds[:0]
	for _, h := range p.holds {
		if h.listed = h.len() > 0; h.listed {
			kept = append(kept, h)
		} else if h.asked {
			done = append(done, h)
		}
	}
	clear(p.holds[len(kept):])
	p.holds = kept
	for _, h := range done {
		h.asked = false
		p.forgetLane(h.id, h.u)
	}
}

func (h *hold) release(which int) {
	q := &h.queue[which]
	for q.len() > 0 && !h.stopped() {
		switch r := &q.items[q.head]; {
		case r.past.safe(which == ofWrites) >= r.offset:
			h.pass(q.pop())
		case r.offset > r.past.kept() && r.raw != nil && !r.t.s.abandoned():
			h.wanted = true
			return
		case r.offset > r.past.kept():
			h.fail(which, q.pop(), lostAtNode)
		default:
			return
		}
	}
}

// stopped says whether it is an ear's that waits for another one.
func (h *hold) stopped() bool { return h.ear != nil && h.ear.passing != nil }

// took forgets one that is let go.
func (h *hold) took(r *heldReply) {
	r.past.waiting--
	h.bytes -= len(r.reply)
	h.p.count.heldNS += uint64(h.p.nowNS - r.sinceNS)
}

// pass gives a reply to whom it is for.
func (h *hold) pass(r heldReply) {
	h.took(&r)
	if h.ear != nil {
		h.ear.letGo(r.reply, r.push)
	} else {
		r.t.s.getHeld(&r, r.reply)
	}
	h.p.bufs.put(r.reply)
}

func (s *session) getHeld(r *heldReply, reply []byte) {
	s.held -= len(r.reply)
	s.holding--
	s.p.dropRaw(r)
	if !s.abandoned() {
		s.give(r.t, reply)
	}
}

// whyUnsafe is why something that was held is not released.
type whyUnsafe uint8

const (
	lateAtNode whyUnsafe = iota // it has not been committed in time
	lostAtNode                  // a later primary does not have it
)

// fail answers a reply that is not safe. Messages are lost, as are those of a node that cannot be heard.
func (h *hold) fail(which int, r heldReply, why whyUnsafe) {
	h.took(&r)
	defer h.p.bufs.put(r.reply)
	if h.ear != nil {
		if r.push && h.ear.isMessage(r.reply) {
			h.p.count.messagesUnsafe++
		} else {
			h.ear.letGo(r.reply, r.push)
		}
		return
	}
	h.p.count.unconfirmed++
	text := fmt.Sprintf("CLUSTERDOWN node %s has not confirmed what the reply shows within %v", h.u.addr, h.p.opts.Upstream.HoldTime)
	if why == lostAtNode {
		text = "CLUSTERDOWN node " + h.u.addr + " was replaced by one that does not have what the reply shows"
	}
	s := r.t.s
	if which == ofWrites {
		text = fmt.Sprintf("UNKNOWN the command ran at node %s and was not confirmed within %v: it may be lost", h.u.addr, h.p.opts.Upstream.HoldTime)
		if why == lostAtNode {
			text = "UNKNOWN the command ran at node " + h.u.addr + ", which was replaced by one that does not have it"
		}
		s.leftUnknown(&r.t, h.u)
	}
	if s.job != nil && !s.abandoned() {
		s.job.forget(r.t.sub) // of the pieces that came before, if the reply was large
	}
	s.getHeld(&r, appendError(nil, text))
}

// hearAgainNS is how long a stream is silent for which replies wait, before its node is asked, or dialled.
const hearAgainNS = int64(100 * time.Millisecond)

// hearSoonNS is how long it is silent where it cannot say anything.
const hearSoonNS = int64(10 * time.Millisecond)

// tickHeld ends what was held for too long, and sees to it that what it waits for is heard of.
func (p *part) tickHeld() {
	if len(p.holds) == 0 {
		return
	}
	silent, left := false, false
	for i := 0; i < len(p.holds); i++ {
		h := p.holds[i]
		most := h.most()
		left = left || h.u.left
		for which := range h.queue {
			q := &h.queue[which]
			for q.len() > 0 && p.nowNS-q.items[q.head].sinceNS >= most {
				h.fail(which, q.pop(), lateAtNode)
			}
			silent = silent || q.len() > 0 && p.nowNS-q.items[q.head].sinceNS >= hearAgainNS
		}
	}
	p.release()
	p.inquireHeld()
	if silent || left {
		p.l.Hurry()
	}
	if silent && p.nowNS-p.hearNS >= hearAgainNS || left && p.nowNS-p.hearNS >= hearSoonNS {
		p.hearNS = p.nowNS
		p.hearHeld()
		p.findHeirs()
	}
}

// most is how long replies are held: for longer while the shard has no primary that could commit what they show.
func (h *hold) most() int64 {
	o := &h.p.opts.Upstream
	if now := h.p.present(h.u); now != nil && (h.u.left || now.troubleNS != 0) && h.ear == nil {
		return int64(max(o.HoldTime, o.FailoverTime))
	}
	return int64(o.HoldTime)
}

// hearHeld has lanes to the nodes that may tell what is committed: to those of which replies are held, or, where such a node has left, to all.
func (p *part) hearHeld() {
	left := false
	for _, h := range p.holds {
		left = left || h.u.left
	}
	for _, u := range p.shards {
		if u.known && !u.larder || !left && (u.past == nil || u.past.waiting == 0) {
			continue
		}
		u.hear()
	}
}

// hear has a node tell how far it is, and who is the primary of its shard, over a lane that nothing else stands before.
func (u *upstream) hear() {
	ready := false
	for _, line := range [...]int{3, 2} {
		ln := u.shared[line-2]
		if ln == nil || ln.state != laneReady {
			continue
		}
		if ready = true; ln.queue.len() == 0 && len(ln.c.In()) == 0 {
			ln.askRecord()
			return
		}
	}
	if !ready {
		u.lane(3)
		return
	}
	for _, line := range [...]int{3, 2} { // all that there are have much to tell: another one
		if u.shared[line-2] == nil {
			u.lane(line)
			return
		}
	}
}

// holdsFront says whether a large reply, of which the first piece is here, may not be passed on yet. What is committed is then heard of over another lane: this
// one says nothing else before its end.
func (ln *lane) holdsFront(t *ticket) bool {
	writes := !mayRunTwice(*t)
	if ln.passing || ln.past.safe(writes) >= ln.stamp.executed || showsNothing(t.row) {
		return false
	}
	if p := ln.p; p.nowNS-p.hearNS >= hearSoonNS {
		p.hearNS = p.nowNS
		ln.u.hear()
	}
	return true
}
