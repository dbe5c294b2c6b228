package proxy

import (
	"strconv"

	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
	"larder/router"
)

// A cursor of SCAN over Larder nodes says where in the key space the scan is, so it
// stays right when shards change: 14 bits slot, 12 bits epoch, 38 bits place within the
// slot's group. When the epoch differs the group is begun again: SCAN may show a key
// twice, never leave one out. Over stock nodes it is 14 bits shard, 50 bits the node's
// own cursor (docs/formats/upstream.md).
const (
	cursorSlotShift  = 50
	cursorEpochShift = 38
	cursorEpochMask  = 1<<12 - 1
	cursorPlaceMask  = 1<<cursorEpochShift - 1
	cursorStockMask  = 1<<cursorSlotShift - 1
)

// scanState is one SCAN under way.
type scanState struct {
	active bool
	stock  bool
	shard  int
	to     int    // Larder: the first slot behind what is scanned
	given  uint64 // the client's cursor
}

const textBadCursor = "ERR invalid cursor"

// runSpecial are the commands that are neither sent by key nor simply to all shards.
func (s *session) runSpecial(row *command.Row, req resp.Request) bool {
	switch {
	case row.ID == 0:
		return s.runForeign(row, req)
	case row.Parent == command.CmdScript:
		return s.runScriptCommand(row, req)
	case row.Parent == command.CmdFunction:
		return s.runFunctionCommand(row, req)
	case row.ID == command.CmdRandomKey:
		return s.runRandomKey(row)
	case aboutSlot(row.ID):
		return s.runKey(row, req)
	case row.ID == command.CmdPublish:
		return s.runPublish(row, req)
	case row.ID == command.CmdWatch:
		return s.runWatch(row, req.Args)
	case waitsForReplicas(row):
		return s.runWait(row, req)
	case row.Flags.Has(command.Blocking):
		return s.runBlocking(row, req)
	}
	return s.runScan(row, req)
}

func (s *session) runScan(row *command.Row, req resp.Request) bool {
	p := s.p
	cursor, ok := client.ParseCursor(req.Args[1])
	if !ok {
		s.refuse(row, textBadCursor)
		return true
	}
	stock := false
	for shard, u := range p.shards {
		if !u.known { // its greeting tells what it is
			ln, ok := s.laneTo(row, shard)
			if ln == nil {
				return ok
			}
			ln.waiters = append(ln.waiters, s)
			return s.stall(stallLane)
		}
		stock = stock || !u.larder
	}
	if stock {
		return s.scanStock(row, req, cursor)
	}
	return s.scanLarder(row, req, cursor)
}

func (s *session) scanLarder(row *command.Row, req resp.Request, cursor uint64) bool {
	t := s.p.topo
	slot, place := int(cursor>>cursorSlotShift), cursor&cursorPlaceMask
	if cursor>>cursorEpochShift&cursorEpochMask != s.p.topoID&cursorEpochMask {
		place = 0
	}
	from := t.NextOwned(slot)
	if from != slot {
		place = 0
	}
	if from >= router.Slots {
		s.say(row, scanEnd)
		return true
	}
	state := scanState{active: true, shard: t.Owner(from), to: t.RunEnd(from), given: cursor}
	ln, ok := s.laneTo(row, state.shard)
	if ln == nil {
		return ok
	}
	at := s.beginScan(row, ln, state)
	var digits [20]byte
	ln.log = resp.AppendArray(ln.log, len(req.Args)+2)
	ln.log = resp.AppendBulk(ln.log, wordLarder)
	ln.log = resp.AppendBulk(ln.log, wordScan)
	ln.log = resp.AppendBulk(ln.log, strconv.AppendInt(digits[:0], int64(state.to), 10))
	ln.log = resp.AppendBulk(ln.log, strconv.AppendUint(digits[:0], uint64(from)<<cursorSlotShift|place, 10))
	s.endScan(row, ln, at, req.Args[2:])
	return true
}

func (s *session) scanStock(row *command.Row, req resp.Request, cursor uint64) bool {
	state := scanState{active: true, stock: true, shard: int(cursor >> cursorSlotShift), given: cursor}
	if state.shard >= len(s.p.shards) {
		s.refuse(row, textBadCursor)
		return true
	}
	ln, ok := s.laneTo(row, state.shard)
	if ln == nil {
		return ok
	}
	at := s.beginScan(row, ln, state)
	var digits [20]byte
	ln.log = resp.AppendArray(ln.log, len(req.Args))
	ln.log = resp.AppendBulk(ln.log, wordScan)
	ln.log = resp.AppendBulk(ln.log, strconv.AppendUint(digits[:0], cursor&cursorStockMask, 10))
	s.endScan(row, ln, at, req.Args[2:])
	return true
}

var wordScan = []byte("SCAN")

func (s *session) beginScan(row *command.Row, ln *lane, state scanState) int {
	seq := s.push(row)
	m := s.p.merges.get(mergeFirst, s.p.topoID, 1)
	m.scan = state
	s.q.at(seq).merge = m
	ln.to(s.db)
	return len(ln.log)
}

func (s *session) endScan(row *command.Row, ln *lane, at int, options [][]byte) {
	for _, arg := range options {
		ln.log = resp.AppendBulk(ln.log, arg)
	}
	ln.commit(at, ticket{s: s, row: row, seq: s.q.tail - 1})
}

func scanEnd(w *resp.Writer) {
	w.Array(2)
	w.Bulk("0")
	w.Array(0)
}

// nothing is a reply without keys that leaves the cursor where it was.
func (st *scanState) nothing(dst []byte) []byte {
	dst = resp.AppendArray(dst, 2)
	dst = resp.AppendBulkString(dst, strconv.FormatUint(st.given, 10))
	return resp.AppendArray(dst, 0)
}

// rewrite gives the client the gateway's cursor in place of the node's.
func (st *scanState) rewrite(p *part, chosen uint64, reply []byte) []byte {
	it := resp.Elements(reply)
	if it.Left() != 2 {
		return reply // an error line, or nothing we know: as it is
	}
	first, _ := it.Next()
	keys, _ := it.Next()
	digits, ok := resp.BulkOf(first)
	cursor, err := strconv.ParseUint(string(digits), 10, 64)
	if !ok || err != nil {
		return append(reply[:0], errorOutOfForm...)
	}
	if st.stock && cursor > cursorStockMask {
		return appendError(reply[:0], "ERR a node's cursor is too large to be told apart: are stock and Larder nodes mixed in this cluster?")
	}
	out := resp.AppendArray(p.bufs.get(), 2)
	out = resp.AppendBulkString(out, strconv.FormatUint(st.after(p.topo, chosen, cursor, len(p.shards)), 10))
	out = append(out, keys...)
	p.bufs.held += len(out) - len(reply)
	p.bufs.recycle(reply)
	return out
}

// after is the client's next cursor when the node says cursor; chosen is the id of the topology by which the node was chosen.
func (st *scanState) after(t *router.Topology, chosen, cursor uint64, shards int) uint64 {
	if st.stock {
		if cursor != 0 {
			return uint64(st.shard)<<cursorSlotShift | cursor
		}
		if st.shard+1 >= shards {
			return 0
		}
		return uint64(st.shard+1) << cursorSlotShift
	}
	epoch := chosen & cursorEpochMask << cursorEpochShift
	if slot := int(cursor >> cursorSlotShift); cursor != 0 && slot < st.to {
		return cursor&^(cursorEpochMask<<cursorEpochShift) | epoch
	}
	next := t.NextOwned(st.to)
	if next >= router.Slots {
		return 0
	}
	return uint64(next)<<cursorSlotShift | epoch
}
