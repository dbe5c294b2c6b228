package engine

import (
	"errors"
	"strconv"
	"strings"

	"larder/protocol/command"
	"larder/router"
)

// dialectVersion is what is spoken between gateway and node (docs/formats/upstream.md).
const dialectVersion = 1

// fenced tells whether a lane must have said the node's epoch for this command to run: what looks at keys. Scripts and functions are every shard's.
func fenced(row *command.Row) bool {
	if row.Parent == command.CmdScript || row.Parent == command.CmdFunction {
		return false
	}
	return row.Request != command.RequestLocal || row.ID == command.CmdLarderScan
}

// larderHello makes the connection a lane and says what the node is.
func larderHello(s *session, args [][]byte) {
	version, err := strconv.Atoi(string(args[2]))
	if err != nil || version != dialectVersion {
		s.fail("ERR unsupported dialect version '" + string(args[2]) + "': this node speaks " + strconv.Itoa(dialectVersion))
		return
	}
	s.lane = true
	s.settleTerm()
	a, w := s.p.assigned, &s.p.w
	fields := 7
	if s.p.reign != nil {
		fields = 9
	}
	w.Map(fields)
	w.Bulk("version")
	w.Int(dialectVersion)
	w.Bulk("id")
	w.Bulk(s.p.n.id)
	w.Bulk("shard")
	w.Int(int64(a.shard))
	w.Bulk("epoch")
	w.Int(int64(a.epoch))
	w.Bulk("databases")
	w.Int(int64(s.p.store.Databases()))
	w.Bulk("slots")
	w.BulkBytes(a.slots())
	w.Bulk("functions")
	w.Int(int64(len(s.p.scripts.libraries)))
	if s.p.reign == nil {
		return
	}
	w.Bulk("run")
	w.Bulk(s.p.n.runID)
	w.Bulk("record")
	w.Bulk(s.p.recordLine())
}

// recordLine is the newest record that the node knows of its shard, "" if there is none.
func (p *part) recordLine() string {
	if p.reign == nil {
		return ""
	}
	return strings.TrimPrefix(p.reign.stale, staleRecord)
}

// slots are those of the node's shard as text, none without a shard.
func (a *assignment) slots() []byte {
	if a.topology == nil {
		return nil
	}
	return router.AppendRanges(nil, a.topology.Shards[a.shard].Slots)
}

// larderTerm notes the epoch, and the term of the shard's record, in which the lane speaks; whether they are the node's is asked of each command.
func larderTerm(s *session, args [][]byte) {
	epoch, err := strconv.ParseUint(string(args[2]), 10, 64)
	if err != nil {
		s.fail("ERR epoch is not an integer or out of range")
		return
	}
	said := uint64(0)
	if len(args) > 3 {
		if said, err = strconv.ParseUint(string(args[3]), 10, 64); err != nil || len(args) > 4 {
			s.fail("ERR term is not an integer or out of range")
			return
		}
	}
	s.term, s.recordTerm = epoch, said
	s.settleTerm()
	s.ok()
}

// larderAssign is an order: the shard and topology that the node serves from now on.
func larderAssign(s *session, args [][]byte) {
	shard, err := strconv.Atoi(string(args[2]))
	if err != nil {
		s.fail("ERR shard is not an integer or out of range")
		return
	}
	topology, err := router.ParseLine(string(args[3]))
	if err != nil {
		s.fail("ERR " + err.Error())
		return
	}
	err = s.p.n.Assign(shard, topology)
	s.p.assign()
	switch {
	case err == nil:
		s.ok()
	case errors.Is(err, ErrOldTopology):
		s.fail(s.p.assigned.stale)
	default:
		s.fail("ERR " + err.Error())
	}
}
