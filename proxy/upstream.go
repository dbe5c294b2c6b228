package proxy

import (
	"time"

	"larder/loop"
	"larder/router"
)

// upstream is one node as a loop sees it: its lanes, what the greeting told, and how
// long it has been out of reach.
type upstream struct {
	replicating

	p        *part
	addr     string
	bit      uint64       // which one it is in session.wrote; where there are more than 64, some share theirs
	shared   [lines]*lane // by line, from 2 on: RESP2, RESP3, and those of tracking_lanes.go
	lanes    []*lane      // every lane that is not closed
	idle     []*lane      // lent lanes that came back clean, RESP2 and RESP3 mixed
	lent     int
	asides   int            // lanes of one question
	streams  int            // of those, for large commands
	pingNS   int64          // when a silent node on which commands wait was asked for a sign of life, 0 = it was not
	queue    []*session     // wait for a lent lane
	arriving []*lane        // dialled for commands that may wait, and not ready yet: in the order in which those came
	left     bool           // it is no shard's primary: its lanes end
	probed   bool           // it is asked who is
	name     string         // as it calls itself, and records call it
	record   *router.Record // of its shard; nil: nobody gives that orders
	past     *past          // of the latest reign in which it has said more than was committed; nil: it never has

	ear        *ear  // nil: nothing is heard of what it publishes
	owned      int   // shard channels of this loop's clients that are its own
	earOld     bool  // it knows no HELLO
	earLost    bool  // subscriptions were lost and are not back
	earRetryNS int64 // no ear is dialled before

	cached map[string]holders // by key: who has read it on a lane that tells
	fading *lane              // the ear until another one that hears more, or less, listens
	deaf   bool               // sessions follow prefixes, and no ear listens

	known     bool // a greeting told the rest
	larder    bool
	databases int

	settled bool       // it has the functions that the other shards have, since its shared lanes are whole
	told    bool       // it has the scripts that were loaded, since then
	asking  int        // answers of other shards that are awaited for it
	giving  bool       // one had functions, and the node is being told them
	wanting []*session // wait for that

	err     string // why it is out of reach, as told to clients; empty = it is not
	retryNS int64  // no dial before
	delay   time.Duration

	halted    bool  // its record says that it takes nothing
	troubleNS int64 // since when its shard has had no primary that takes commands, as far as is known; 0 = it has one
	probeNS   int64 // when its shard's nodes were last asked for their records
	awaited   int   // clients that have waited since then
	warned    bool  // and it was logged
	gaveUp    bool  // nobody waits any more
	led       bool  // it has been a shard's primary since it was last deposed
	deposedNS int64 // until then replies are taken, though another is the primary; 0 = none is

	unnumberedNS int64 // until then its lanes have no numbers, since it would not give them any
}

// lane is the shared lane of a line, dialled when there is none. Nil: the
// node is out of reach and it is too early to try again; err says why.
func (u *upstream) lane(line int) *lane {
	if ln := u.shared[line-2]; ln != nil {
		return ln
	}
	if u.p.nowNS < u.retryNS {
		return nil
	}
	ln := u.dial(line)
	u.shared[line-2] = ln
	return ln
}

func (u *upstream) dial(line int) *lane {
	ln := &lane{p: u.p, u: u, line: line, proto: protoOf(line)}
	ln.beMirrored()
	u.connect(ln)
	return ln
}

// connect dials for a new lane.
func (u *upstream) connect(ln *lane) {
	o := &u.p.opts.Upstream
	ln.deadNS = u.p.nowNS + int64(2*o.DialTimeout)
	u.lanes = append(u.lanes, ln)
	u.p.l.Dial(u.addr, o.DialTimeout, func(c *loop.Conn, err error) loop.Handler {
		u.p.enter()
		if ln.state != laneDialling {
			if c != nil {
				c.Close()
			}
			return ln.handler()
		}
		if err != nil {
			ln.lost(err)
			return ln.handler()
		}
		ln.c = c
		if ln.mayBegin() {
			ln.begin()
		}
		return ln.handler()
	})
}

// handler is who takes what comes over the connection.
func (ln *lane) handler() loop.Handler {
	if ln.ear != nil {
		return ln.ear
	}
	return ln
}

// slots are those of the node's shard, as text.
func (u *upstream) slots() []byte {
	var all []router.Range
	for i, other := range u.p.shards {
		if other == u || u.replica && i == u.shard {
			all = append(all, u.p.topo.Shards[i].Slots...)
		}
	}
	return router.AppendRanges(nil, all)
}

// forget takes a closed lane out of every list.
func (u *upstream) forget(ln *lane) {
	if u.shared[ln.line-2] == ln {
		u.shared[ln.line-2] = nil
	}
	u.lanes = without(u.lanes, ln)
	u.idle = without(u.idle, ln)
	u.forgetPlace()
	u.arrived(ln)
	if ln.aside {
		u.asides--
	}
	if ln.ear != nil {
		ln.ear.lost(ln.err)
	}
	if ln.lentTo != nil {
		u.takeBack(ln)
		u.nextBorrower()
	}
}

func without(lanes []*lane, gone *lane) []*lane {
	for i, ln := range lanes {
		if ln == gone {
			return append(lanes[:i], lanes[i+1:]...)
		}
	}
	return lanes
}

// rests says whether no lane waits for anything.
func (u *upstream) rests() bool {
	for _, ln := range u.lanes {
		if ln.state < laneReady || ln.queue.len() > 0 {
			return false
		}
	}
	return true
}

// down notes that the node could not be reached, or not be greeted.
func (u *upstream) down(err error) {
	o := &u.p.opts.Upstream
	most := o.BackoffMax
	if u.record != nil && !u.left {
		if u.troubled(); !u.overdue() {
			most = min(most, troubleDelay)
		}
	}
	u.delay = min(max(2*u.delay, min(o.BackoffMin, most)), most)
	// Half to all of the delay: loops and gateways that lost a node together do not come back together.
	wait := u.delay/2 + time.Duration(u.p.chance.Int64N(int64(u.delay/2)+1))
	u.retryNS = u.p.nowNS + int64(wait)
	if text := downText(u.addr, err); text != u.err {
		if u.err == "" {
			u.p.g.log.Warn("node out of reach", "node", u.addr, "err", err)
		}
		u.err = text
	}
	u.p.count.dialsFailed++
}

// up notes a finished greeting.
func (u *upstream) up() {
	if u.err != "" {
		u.p.g.log.Info("node back in reach", "node", u.addr)
	}
	u.err, u.delay, u.retryNS = "", 0, 0
}

// borrow lends a lane to s alone for a large command: one that is ready at once, or nil when s has to wait
// (it is woken with stallStream), or an error when the node is out of reach.
func (u *upstream) borrow(s *session) (*lane, bool) {
	if u.streams >= streamsMost || u.lent >= u.p.opts.Upstream.BorrowMax {
		u.queue = append(u.queue, s)
		return nil, true
	}
	if ln := u.takeIdle(s, useStream); ln != nil {
		return ln, true
	}
	if u.p.nowNS < u.retryNS {
		return nil, false
	}
	return u.dialFor(s, useStream), true
}

// giveBack takes a lent lane that is clean: nothing unanswered, no half command.
func (u *upstream) giveBack(ln *lane) {
	u.takeBack(ln)
	ln.idleNS = u.p.nowNS
	if u.left {
		ln.end()
		return
	}
	u.idle = append(u.idle, ln)
	u.nextBorrower()
}

func (u *upstream) nextBorrower() {
	for len(u.queue) > 0 {
		s := u.queue[0]
		u.queue = append(u.queue[:0], u.queue[1:]...)
		if !s.gone {
			s.wake(stallStream)
			return
		}
	}
}
