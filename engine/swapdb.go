package engine

import (
	"larder/protocol/resp"
)

// swapDB has two databases change places (Redis 7.2 db.c, swapdbCommand): whoever has chosen one sees the other's keys.
func swapDB(s *session, args [][]byte) {
	p := s.p
	var at [2]int
	for i, wrong := range [...]string{"ERR invalid first DB index", "ERR invalid second DB index"} {
		n, ok := resp.ParseNumber(args[i+1])
		if !ok || n != int64(int32(n)) {
			s.fail(wrong)
			return
		}
		at[i] = int(n)
	}
	for _, db := range at {
		if db < 0 || db >= p.store.Databases() {
			s.fail("ERR DB index is out of range")
			return
		}
	}
	if at[0] != at[1] {
		p.touchDB(at[0], at[1])
		p.touchDB(at[1], at[0])
		p.store.Swap(at[0], at[1])
		p.signalDB(at[0])
		p.signalDB(at[1])
	}
	p.dirty++
	s.tell(args)
	s.ok()
}

// wait answers WAIT: no replica follows this node, so none has anything. A client that wants some waits out its time (Redis 7.2 replication.c).
func wait(s *session, args [][]byte) {
	replicas, ok := resp.ParseNumber(args[1])
	if !ok {
		s.fail(errNotInt)
		return
	}
	s.waitForNobody(args[2], replicas > 0, func() { s.p.w.Int(0) })
}

// waitAOF answers WAITAOF, likewise; there is no append-only file either.
func waitAOF(s *session, args [][]byte) {
	local, ok := resp.ParseNumber(args[1])
	replicas, ok2 := resp.ParseNumber(args[2])
	switch {
	case !ok:
		s.fail(errNotInt)
		return
	case local < 0 || local > 1:
		s.fail("ERR value is out of range, value must between 0 and 1")
		return
	case !ok2 || replicas < 0:
		s.fail("ERR value is out of range, must be positive")
		return
	case local > 0:
		s.fail("ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.")
		return
	}
	s.waitForNobody(args[3], replicas > 0, s.writeWaitAOF)
}

func (s *session) writeWaitAOF() {
	s.p.w.Array(2)
	s.p.w.Int(0)
	s.p.w.Int(0)
}

// waitForNobody has the client wait for what cannot come, unless it is content with nothing or may not wait.
func (s *session) waitForNobody(timeout []byte, wants bool, answer func()) {
	p := s.p
	ms, ok := resp.ParseNumber(timeout)
	switch {
	case !ok:
		s.fail("ERR timeout is not an integer or out of range")
	case ms < 0:
		s.fail("ERR timeout is negative")
	case !wants || !p.call.Blockable || p.depth > 0:
		answer()
	default:
		p.call.Wait.TimeoutMS, p.call.Wait.Keys, p.call.Wait.Note = ms, nil, nil
		p.park(s, s.last, [][]byte{nil})
	}
}
