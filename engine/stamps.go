package engine

import (
	"math"
	"slices"
	"strconv"

	"larder/protocol/resp"
)

// stamping is what a lane has been told of the stream. At the head of each of its writes, if anything has changed since, stands a push that says how far the
// node is: nothing in that write shows more. So a gateway knows of each reply what it may have seen, without asking (docs/formats/upstream.md).
type stamping struct {
	said    stamp
	history string
	behind  bool // it was told of more than is committed, and is told more when that has changed
	from    int  // so much of the output is the end of a reply whose beginning is out: no push may stand before that
}

// stamp is how far a node is.
type stamp struct {
	reign     uint64 // the epoch in which its primary was chosen; 0: nobody has chosen one
	executed  int64  // where its stream ends
	committed int64  // up to where that is safe
	confirmed int64  // up to where it may be shown to who wrote it, where that is less
}

// stamp is the node's present one. Without a set of members nothing is to be waited for: what was executed is as safe as it gets.
func (p *part) stamp() stamp {
	end := p.stream.past.End()
	if p.reign != nil {
		return p.reign.stamp(end)
	}
	return stamp{executed: end, committed: end, confirmed: end}
}

// waits tells whether more was executed than may be shown.
func (t *stamp) waits() bool { return t.executed > t.committed || t.executed > t.confirmed }

// larderStamps has the connection stamped from now on, or no more.
func larderStamps(s *session, args [][]byte) {
	switch lower(args[2]) {
	case "on":
		s.stamps = &stamping{said: stamp{executed: -1}}
	case "off":
		s.stamps = nil
	default:
		s.fail(errSyntax)
		return
	}
	s.ok()
}

// stampOutput puts the stamp before what is about to be written.
func (s *session) stampOutput() {
	out, st := s.c.Out, s.stamps
	if len(out) == 0 && (s.shared != nil || !st.said.waits()) {
		return
	}
	from := st.from
	st.from = 0
	now, history := s.p.stamp(), s.p.stream.past.ID
	renamed := history != st.history
	if now == st.said && !renamed {
		return
	}
	var room [200]byte
	push := append(room[:0], ">4\r\n$5\r\nstamp\r\n:"...)
	push = strconv.AppendUint(push, now.reign, 10)
	push = strconv.AppendInt(append(push, "\r\n:"...), now.executed, 10)
	push = strconv.AppendInt(append(push, "\r\n:"...), now.committed, 10)
	if now.confirmed != now.committed {
		push[1]++
		push = strconv.AppendInt(append(push, "\r\n:"...), now.confirmed, 10)
	}
	push = append(push, "\r\n"...)
	if renamed {
		push[1]++
		push = resp.AppendBulk(push, []byte(history))
	}
	if now.waits() {
		s.p.reign.lagging(s)
	}
	st.said, st.history = now, history
	s.c.Out = slices.Insert(out, from, push...)
}

// nowhere is the offset of a write that the node does not have: it is of a history that is not this one's past.
const nowhere = math.MaxInt64

// larderAt says how far the stream was behind the last write of the client for whom WAIT or WAITAOF comes next.
func larderAt(s *session, args [][]byte) {
	offset, ok := resp.ParseNumber(args[3])
	if !ok || offset < 0 {
		s.fail("ERR offset is not an integer or out of range")
		return
	}
	if offset > 0 && offset > s.p.stream.past.SharedWith(string(args[2])) {
		offset = nowhere
	}
	s.waitsFor(offset)
	s.ok()
}

// larderShared says up to which offset of a stream the node's data is what that stream says: its own, or one that it has gone on from.
func larderShared(s *session, args [][]byte) { s.p.w.Int(s.p.stream.past.SharedWith(string(args[2]))) }
