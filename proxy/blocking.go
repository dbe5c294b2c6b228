package proxy

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"

	"larder/protocol/command"
	"larder/protocol/resp"
	"larder/router"
)

// blocking is a command that may wait at its node, on a lane lent to its session, whose later commands wait behind it.
type blocking struct {
	ln        *lane // nil: the node refused it, and it is to go elsewhere
	seq       uint32
	beganNS   int64
	told      []func() // called when it has ended: others have asked for it
	acks      *acks    // of WAIT and WAITAOF: what is still to be asked
	fetching  bool     // its node is asked to let go of it
	elsewhere bool     // and it goes again when that does
	asked     bool     // a client wants it to end
	wrong     string   // its user may not run it any more: its reply, if it got nothing before

	behindNS, behindSeenNS int64 // since when a node has been behind the topology, and when that was last found; 0 = none was
}

// shownBlockedNS is how long a command must have been unanswered to be shown as waiting: until then it may be on its way.
const shownBlockedNS = int64(50 * time.Millisecond)

// runBlocking is a command that may wait. It comes behind what its session has under way.
func (s *session) runBlocking(row *command.Row, req resp.Request) bool {
	if isXRead(row.ID) && blockAt(row.ID, req.Args) < 0 {
		return s.runKey(row, req)
	}
	if s.q.len() > 0 {
		return s.stall(stallEmpty)
	}
	shard, cross := s.p.shardFor(row, req.Args)
	if cross != router.Together {
		s.refuse(row, cross.Error())
		return true
	}
	u := s.p.shards[shard]
	if u.known && s.db >= u.databases {
		s.refuse(row, "ERR DB index is out of range")
		return true
	}
	if u.halts() && s.awaitShard(u) {
		return false
	}
	ln, wrong := u.lend(s, useBlock)
	if ln == nil {
		s.refuse(row, wrong)
		return true
	}
	seq := s.push(row)
	s.block = &blocking{ln: ln, seq: seq, beganNS: s.p.nowNS}
	s.p.g.blocked.Add(1)
	ln.to(s.db)
	at := len(ln.log)
	ln.log = resp.AppendCommand(ln.log, req.Args...)
	ln.commit(at, ticket{s: s, row: row, seq: seq, kind: kindLent | kindBlocks})
	s.stalled = stallBlocked
	s.p.count.pauses++
	return true
}

// queryMost is how much a client may have sent behind a command that waits, bytes. It is read until then, or nobody would see it leave.
const queryMost = 1 << 20

// readOn takes what a client sends whose command waits.
func (s *session) readOn() {
	if len(s.c.In()) > queryMost {
		s.c.Pause()
	}
}

// unblock: the command has its reply, or nobody wants it any more.
func (s *session) unblock() {
	b := s.block
	if b == nil {
		return
	}
	s.block = nil
	s.q.at(b.seq).startNS = s.p.nowNS // waiting by the client's own will is no time that it took
	s.p.g.blocked.Add(-1)
	s.stalled = stallEmpty // until its reply is written
	for _, told := range b.told {
		told()
	}
}

// dropBlock closes the lane on which a client waits that is gone: the node then forgets it.
func (s *session) dropBlock() {
	if b := s.block; b != nil {
		s.unblock()
		if b.ln != nil {
			b.ln.discard()
		}
	}
}

// waits tells whether the client is shown as one that waits.
func (s *session) waits() bool {
	return s.stalled == stallPause || s.block != nil && s.p.nowNS-s.block.beganNS >= shownBlockedNS
}

func isXRead(id command.ID) bool { return id == command.CmdXRead || id == command.CmdXReadGroup }

// blockAt is the position of the argument that says how long to wait, -1 = there is none.
func blockAt(id command.ID, args [][]byte) int {
	switch id {
	case command.CmdBLPop, command.CmdBRPop, command.CmdBZPopMin, command.CmdBZPopMax:
		return len(args) - 1
	case command.CmdBLMove:
		return 5
	case command.CmdBRPopLPush:
		return 3
	case command.CmdBLMPop, command.CmdBZMPop:
		return 1
	}
	from := 1
	if id == command.CmdXReadGroup {
		from = 4
	}
	for i := from; i+1 < len(args); i++ {
		switch strings.ToLower(string(args[i])) {
		case "block":
			return i + 1
		case "streams":
			return -1
		}
	}
	return -1
}

// shortened is the command for what is left of its time: it waits anew, elsewhere.
func (s *session) shortened(row *command.Row, req resp.Request) []byte {
	at := blockAt(row.ID, req.Args)
	if row.ID == 0 || at < 0 || at >= len(req.Args) {
		return req.Raw // of a foreign command nobody knows how long it waits
	}
	unit := float64(time.Second)
	if isXRead(row.ID) {
		unit = float64(time.Millisecond)
	}
	given, err := strconv.ParseFloat(string(req.Args[at]), 64)
	if err != nil || given <= 0 || math.IsInf(given, 0) || math.IsNaN(given) {
		return req.Raw // for ever, or the node's to refuse
	}
	leftMS := math.Ceil(max(float64(time.Millisecond), given*unit-float64(s.p.nowNS-s.block.beganNS)) / float64(time.Millisecond))
	args := append([][]byte(nil), req.Args...)
	if isXRead(row.ID) {
		args[at] = strconv.AppendInt(nil, int64(leftMS), 10)
	} else {
		args[at] = strconv.AppendFloat(nil, leftMS/1000, 'f', 3, 64)
	}
	return resp.AppendCommand(nil, args...)
}

// fromNow tells whether a read counts from the moment at which it runs: sent again later, it would leave out what came meanwhile.
func fromNow(p *part, raw []byte) bool {
	req, _, st := p.again.Next(raw)
	if st != resp.Done {
		return true
	}
	for _, arg := range req.Args[len(req.Args)/2:] {
		if bytes.Equal(arg, []byte("$")) {
			return true
		}
	}
	return false
}

// watchBlocked looks after a node while commands wait there: they cannot time out, so the node is asked for a sign of life when it has been silent for
// half the reply time-out. One that gives none is lost with all who wait there.
func (u *upstream) watchBlocked() {
	o := &u.p.opts.Upstream
	blocked, heard := false, int64(0)
	for _, ln := range u.lanes {
		blocked = blocked || ln.use == useBlock && ln.queue.len() > 0
		heard = max(heard, ln.heardNS)
	}
	now := u.p.nowNS
	switch {
	case u.left && blocked && now-heard > int64(o.ReplyTimeout):
		u.failBlocked(errLeft) // it hears of nothing that they wait for
	case u.left && blocked:
		u.fetchBlocked()
	case u.left:
	case !blocked || u.pingNS != 0 && heard >= u.pingNS:
		u.pingNS = 0
	case u.pingNS != 0 && now-u.pingNS > int64(o.ReplyTimeout):
		u.pingNS = 0
		u.failBlocked(errReplyTimeout)
	case u.pingNS == 0 && now-heard > int64(o.ReplyTimeout)/2:
		u.pingNS = now
		if ln := u.lane(2); ln != nil && ln.queue.len() == 0 {
			ln.say(wordPing)
		}
	}
}

func (u *upstream) failBlocked(err error) {
	for _, ln := range append([]*lane(nil), u.lanes...) {
		if ln.use == useBlock && ln.queue.len() > 0 {
			ln.fail(err)
		}
	}
}
