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
