package proxy

import (
	"slices"

	"larder/protocol/resp"
)

// What is held of a primary that another has replaced may show what that one does not have. Then it counts as never answered: the next primary is asked how far the
// numbered lane came on which it was said (inquest.go), and what that has not run goes again, with all that its session sent behind it. So the bytes of a command are
// kept while its reply is held.

// heldRawMax is how large a command may be to be kept so.
const heldRawMax = 64 << 10

// replayable is a copy of the front command's bytes, to be sent again if its reply turns out to be worth nothing; nil: it is not kept.
func (ln *lane) replayable(t *ticket) []byte {
	if ln.id == "" || t.bytes == 0 || t.bytes > heldRawMax || t.kind&kindLent != 0 || int64(ln.p.heldRaw)+int64(t.bytes) > ln.p.opts.Upstream.FailoverMaxBytes {
		return nil
	}
	ln.p.heldRaw += int(t.bytes)
	return ln.p.bufs.copy(ln.log[ln.head : ln.head+int(t.bytes)])
}

// dropRaw forgets a command's bytes.
func (p *part) dropRaw(r *heldReply) {
	if r.raw != nil {
		p.heldRaw -= len(r.raw)
		p.bufs.put(r.raw)
		r.raw = nil
	}
}

// inquireHeld has it asked about lanes of which replies are held that the next primary may not have.
func (p *part) inquireHeld() {
	for _, h := range p.holds {
		if h.wanted && h.ln.state == laneClosed && !slices.ContainsFunc(p.inquests, func(q *inquest) bool { return q.id == h.id }) {
			p.inquests = append(p.inquests, &inquest{p: p, id: h.id, u: h.u, cluster: p.topo.Cluster, err: errDeposed, sinceNS: p.nowNS})
		}
	}
}

// holdsOf says whether replies of a lane are held, so that it may have to be asked about once more. They see to it then that it is forgotten.
func (p *part) holdsOf(id string) bool {
	held := false
	for _, h := range p.holds {
		if h.id == id && h.len() > 0 {
			h.asked, held = true, true
		}
	}
	return held
}

// forgetLane has the primary forget a lane about which nobody will ask any more. If it cannot be told now it forgets by itself in time.
func (p *part) forgetLane(id string, u *upstream) {
	if p.holdsOf(id) || slices.ContainsFunc(p.inquests, func(q *inquest) bool { return q.id == id }) {
		return
	}
	now := p.present(u)
	if now == nil || !now.serves() {
		return
	}
	if now.readyLane(3) {
		now.lane(3).query(whatever, wordLarder, wordForget, []byte(id))
	}
}

// standing is where the primary's stream stood when it said how far a lane came.
type standing struct {
	past   *past // nil: it has not said
	offset int64
}

// standingOf reads the end of the answer to LARDER ENDED.
func (ln *lane) standingOf(it *resp.Iter) standing {
	reign, _ := it.Next()
	offset, _ := it.Next()
	history, _ := it.Next()
	n, _ := resp.ParseInt(reign)
	name, ok := resp.BulkOf(history)
	if !ok {
		return standing{}
	}
	st := stamp{reign: uint64(n), history: string(name)}
	at := standing{past: ln.p.pastOf(&st)}
	at.offset, _ = resp.ParseInt(offset)
	if f := at.past; ln.stamp.reign == f.reign && ln.stamp.history == f.history { // it was heard when nobody wanted to know
		f.committed, f.confirmed = max(f.committed, ln.stamp.committed), max(f.confirmed, ln.stamp.confirmed)
	}
	return at
}

// judgeHeld decides about what is held of the lane and is not known to be at the primary.
func (q *inquest) judgeHeld(v verdict, at standing) {
	p := q.p
	for _, h := range slices.Clone(p.holds) {
		if h.id == q.id && h.wanted {
			h.judge(q, v, at)
		}
	}
	p.release()
}

func (h *hold) judge(q *inquest, v verdict, at standing) {
	h.wanted = false
	var loose [2][]heldReply
	for which := range h.queue {
		queue := &h.queue[which]
		items := queue.items[queue.head:]
		from := slices.IndexFunc(items, func(r heldReply) bool { return r.offset > r.past.kept() })
		if from >= 0 {
			loose[which] = slices.Clone(items[from:])
			clear(items[from:])
			queue.items = queue.items[:queue.head+from]
		}
	}
	for _, r := range loose[ofWrites] {
		switch {
		case v.known && r.raw != nil && r.number <= v.number && at.past != nil:
			h.moveTo(r, at)
		case v.known && r.raw != nil && r.number > v.number:
			h.again(r, q)
		default:
			h.fail(ofWrites, r, lostAtNode)
		}
	}
	for _, r := range loose[ofReads] {
		later := func(w heldReply) bool { return w.t.s == r.t.s && w.number > r.number && v.ran(w.number) }
		if r.raw == nil || r.t.s.lostWrites > 0 || slices.ContainsFunc(loose[ofWrites], later) {
			h.fail(ofReads, r, lostAtNode)
		} else {
			h.again(r, q)
		}
	}
}

// moveTo has a reply wait until the new primary has committed all that it had when it said that the command has run.
func (h *hold) moveTo(r heldReply, at standing) {
	p := h.p
	r.past.waiting--
	r.past, r.offset = at.past, at.offset
	r.past.waiting++
	next := &hold{p: p, u: h.u, id: h.id, ln: h.ln, listed: true}
	next.bytes += len(r.reply)
	h.bytes -= len(r.reply)
	next.queue[ofWrites].push(r)
	p.holds = append(p.holds, next)
}

// again sends a command again whose reply is worth nothing.
func (h *hold) again(r heldReply, q *inquest) {
	h.took(&r)
	p, s := h.p, r.t.s
	s.held -= len(r.reply)
	s.holding--
	p.bufs.put(r.reply)
	if !s.abandoned() {
		p.count.resent++
		p.later(q.u, r.t, r.raw)
	}
	p.dropRaw(&r)
}
