package engine

import (
	"bytes"
	"cmp"
	"container/heap"
	"container/list"
	"slices"

	"larder/protocol/command"
)

// dbKey is a key of a database.
type dbKey struct {
	db  int
	key string
}

// waiter is a command that waits for keys; its session's later commands wait behind it.
type waiter struct {
	row     *command.Row
	args    [][]byte // its own copies
	keys    []dbKey
	places  []*list.Element // in the queues of keys
	untilMS int64           // its time is over then; 0 = never
	gone    bool            // it runs again when a key is gone, too
	note    []byte          // what the command left for its next run
	due     int             // its index in part.waits.due, -1 = none
	acks    *awaited        // what WAIT and WAITAOF wait for, no keys
}

// waits are the commands that wait. Keys are served as Redis 7.2 does (blocked.c): those that became ready in their order, for each key the clients in
// the order in which they began to wait; what that makes ready is served in the next round.
type waits struct {
	queues map[dbKey]*queue // none is empty
	due    deadlines
	ready  []dbKey
	marked map[dbKey]bool // those of ready
	count  int
}

func newWaits() waits { return waits{queues: map[dbKey]*queue{}, marked: map[dbKey]bool{}} }

// queue are those who wait for a key.
type queue struct {
	list.List     // of *session
	gone      int // how many of them want to know when the key is gone
}

// deadlines are the sessions whose waiting ends by the clock, a heap by that time.
type deadlines []*session

func (d deadlines) Len() int           { return len(d) }
func (d deadlines) Less(i, j int) bool { return d[i].waiter.untilMS < d[j].waiter.untilMS }
func (d deadlines) Swap(i, j int) {
	d[i], d[j] = d[j], d[i]
	d[i].waiter.due, d[j].waiter.due = i, j
}

// Push and Pop are for package heap.
func (d *deadlines) Push(x any) {
	s := x.(*session)
	s.waiter.due = len(*d)
	*d = append(*d, s)
}

// Pop gives the last one.
func (d *deadlines) Pop() any {
	old := *d
	s := old[len(old)-1]
	old[len(old)-1] = nil
	*d = old[:len(old)-1]
	s.waiter.due = -1
	return s
}

// blocked is how many clients wait, for keys or for CLIENT PAUSE to end.
func (p *part) blocked() int {
	n := p.waits.count
	for _, s := range p.pausing {
		if !s.gone {
			n++
		}
	}
	return n
}

// park has the session's present command wait for what its handler asked for. One that ran again waits as long as it still had.
func (p *part) park(s *session, row *command.Row, args [][]byte) {
	w := s.waiter
	if w == nil {
		w = &waiter{row: row, args: copyArgs(args), due: -1}
		s.waiter = w
		s.stall(stallBlocked)
		p.uncounted = append(p.uncounted, row.ID)
		p.waits.count++
		if ms := p.call.Wait.TimeoutMS; ms > 0 {
			w.untilMS = p.nowMS + min(ms, waitMaxMS)
			heap.Push(&p.waits.due, s)
			p.hurryForDeadlines()
		}
	}
	w.gone, w.note = p.call.Wait.Gone, bytes.Clone(p.call.Wait.Note)
	for _, key := range p.call.Wait.Keys {
		p.enqueue(s, dbKey{s.dbIndex, string(key)})
	}
	p.listen()
}

// waitMaxMS bounds what is added to the time of day, so that it cannot overflow.
const waitMaxMS = 1 << 52

func (p *part) enqueue(s *session, key dbKey) {
	w := s.waiter
	for _, have := range w.keys {
		if have == key {
			return
		}
	}
	q := p.waits.queues[key]
	if q == nil {
		q = &queue{}
		p.waits.queues[key] = q
	}
	if w.gone {
		q.gone++
	}
	w.keys = append(w.keys, key)
	w.places = append(w.places, q.PushBack(s))
}

func copyArgs(args [][]byte) [][]byte {
	out := make([][]byte, len(args))
	for i, arg := range args {
		out[i] = bytes.Clone(arg)
	}
	return out
}

// unqueue takes the session out of the queues of its keys.
func (p *part) unqueue(s *session) {
	w := s.waiter
	for i, key := range w.keys {
		q := p.waits.queues[key]
		q.Remove(w.places[i])
		if w.gone {
			q.gone--
		}
		if q.Len() == 0 {
			delete(p.waits.queues, key)
		}
	}
	w.keys, w.places = w.keys[:0], w.places[:0]
}

// unpark ends the session's waiting. Its later commands run soon, unless it is gone.
func (p *part) unpark(s *session) {
	if s.waiter == nil {
		return
	}
	p.unqueue(s)
	if s.waiter.acks != nil {
		p.forgetAcks(s)
	}
	if s.waiter.due >= 0 {
		heap.Remove(&p.waits.due, s.waiter.due)
	}
	s.waiter = nil
	p.waits.count--
	p.listen()
	if s.stalled == stallBlocked {
		s.stalled = stallNone
	}
	switch {
	case s.gone:
	case s.closing:
		s.finish()
	case s.stalled == stallNone:
		s.c.Resume()
	}
}

// signal notes that a key has got something for which somebody may wait.
func (p *part) signal(db int, key []byte) {
	if len(p.waits.queues) == 0 {
		return
	}
	at := dbKey{db, string(key)}
	if p.waits.queues[at] != nil && !p.waits.marked[at] {
		p.waits.marked[at] = true
		p.waits.ready = append(p.waits.ready, at)
	}
}

// signalGone notes that a key changed, for those who want to know when it is gone. Others it does not concern: they keep their places.
func (p *part) signalGone(db int, key []byte) {
	if len(p.waits.queues) == 0 {
		return
	}
	q := p.waits.queues[dbKey{db, string(key)}]
	if q == nil || q.gone == 0 {
		return
	}
	if it, found := p.store.DB(db).Peek(key, p.nowMS); !found || it.Kind().Type() != "stream" {
		p.signal(db, key)
	}
}

// signalDB notes that any key of a database may have changed.
func (p *part) signalDB(db int) {
	var keys []string
	for key := range p.waits.queues {
		if key.db == db {
			keys = append(keys, key.key)
		}
	}
	slices.Sort(keys)
	for _, key := range keys {
		p.signal(db, []byte(key))
	}
}

// serve lets those commands run again whose keys are ready, and those that they make ready, and so on. No command runs while it is called.
func (p *part) serve() {
	if len(p.waits.ready) == 0 {
		return
	}
	defer p.resumeBatch(p.leaveBatch())
	for len(p.waits.ready) > 0 && !p.paused.Active(p.nowMS) && p.guard&guardLoading == 0 {
		round := p.waits.ready
		p.waits.ready = nil
		for _, key := range round {
			delete(p.waits.marked, key)
			p.serveKey(key)
		}
	}
}

func (p *part) serveKey(key dbKey) {
	q := p.waits.queues[key]
	if q == nil {
		return
	}
	e := q.Front()
	for n := q.Len(); n > 0 && e != nil; n-- {
		next := e.Next()
		if s := e.Value.(*session); s.waiter != nil && p.concerns(key, s.waiter) {
			p.aside(func() { p.rerun(s) })
		}
		e = next
	}
}

// typeOf are the types of values that a family's commands wait for.
var typeOf = map[string]string{"list": "list", "sorted-set": "zset", "sorted_set": "zset", "stream": "stream"}

// concerns tells whether a command that waits for the key has to run again: it has a value of the type that it wants, or the command wants to know of any
// change.
func (p *part) concerns(key dbKey, w *waiter) bool {
	if w.gone {
		return true
	}
	it, found := p.store.DB(key.db).Peek([]byte(key.key), p.nowMS)
	if !found {
		return false
	}
	want := typeOf[w.row.Group]
	return want == "" || want == it.Kind().Type()
}

// rerun runs a session's waiting command again.
func (p *part) rerun(s *session) {
	w := s.waiter
	p.unqueue(s)
	if s.numbers != nil {
		p.openBatch(s)
		defer p.closeBatch(s)
	}
	p.as(s, func() {
		beganNS := p.clockNS()
		p.call.Woken, p.call.Blockable, p.call.Note = true, true, w.note
		text := p.refusal(s, w.row, w.args)
		if text != "" {
			p.refuse(s, w.row, text)
		} else {
			p.runSeen(s, w.row, w.args)
		}
		p.call.Woken, p.call.Note = false, nil
		tookNS := p.clockNS() - beganNS
		p.asideNS += tookNS // who woke it did not take that long
		if len(w.keys) == 0 && text == "" {
			p.ran(s, w.row, w.args, tookNS)
		}
	})
	if len(w.keys) == 0 {
		p.unpark(s)
	}
}

// as has f write to a session that is not the present one. What f writes is dropped if the session wants no replies.
func (p *part) as(s *session, f func()) {
	w, owned, big, starved := p.w, p.batch.owned, p.batch.big, p.batch.starved
	p.w.Out, p.w.Proto, s.writing = s.c.Out, s.proto, true
	p.batch.owned, p.batch.big, p.batch.starved = 0, nil, false
	p.depth++
	from := len(p.w.Out)
	f()
	if s.hushed {
		p.w.Out = p.w.Out[:from]
	}
	s.flushLate()
	p.depth--
	s.c.Out, s.writing = p.w.Out, false
	if len(s.c.Out) > 0 {
		s.c.Touch()
	}
	p.w, p.batch.owned, p.batch.big, p.batch.starved = w, owned, big, starved
}

// giveUp answers a waiting command whose time is over, or that is told to stop with an error.
func (p *part) giveUp(s *session, wrong string) {
	row := s.waiter.row
	p.as(s, func() {
		from := len(p.w.Out)
		switch {
		case wrong != "":
			p.w.Error(wrong)
			p.checkError(row, from)
		case s.waiter.acks != nil:
			p.writeAcks(s.waiter.acks)
		default:
			p.w.NullArray()
		}
	})
	p.unpark(s)
}

// refuseWaiters tells the lanes on which commands wait that the node's epoch is not theirs any more: their keys may be another node's.
func (p *part) refuseWaiters() {
	var moved []*session
	for _, s := range p.sessions {
		if s.waiter != nil && s.lane && s.term != p.assigned.epoch && fenced(s.waiter.row) {
			moved = append(moved, s)
		}
	}
	slices.SortFunc(moved, func(a, b *session) int { return cmp.Compare(a.id, b.id) })
	for _, s := range moved {
		p.count.stale++
		p.giveUp(s, p.assigned.stale)
	}
}

// hurryMS is how near a deadline must be for ticks to come quickly: they come at least as often as this otherwise.
const hurryMS = 150

// endWaits answers those whose time is over; it belongs to the tick.
func (p *part) endWaits() {
	for len(p.waits.due) > 0 && p.waits.due[0].waiter.untilMS <= p.nowMS {
		p.giveUp(p.waits.due[0], "")
	}
	p.hurryForDeadlines()
}

func (p *part) hurryForDeadlines() {
	if len(p.waits.due) > 0 && p.waits.due[0].waiter.untilMS-p.nowMS < hurryMS {
		p.l.Hurry()
	}
}
