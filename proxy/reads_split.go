package proxy

import (
	"larder/protocol/command"
	"larder/router"
)

// splitLanes finds a lane for each part of a command over several shards, into partLanes. False: it is refused, or the session waits.
func (s *session) splitLanes(row *command.Row, args [][]byte) bool {
	p, r := s.p, s.reads
	p.partLanes = p.partLanes[:0]
	splits := r != nil && !r.mixed && (r.away || s.q.len() == 0) && s.mayBeAway(row)
	home, away := false, false
	for _, part := range p.split.Parts {
		var ln *lane
		if splits {
			p.slots = p.slots[:0]
			for _, key := range part.Keys {
				p.slots = append(p.slots, router.Slot(args[row.First+key*row.Step]))
			}
			ok := false
			if ln, ok = s.replicaFor(part.Shard, p.slots); !ok {
				return false
			}
			away = away || ln != nil
		}
		if ln == nil {
			home = true
			if ln, _ = s.laneTo(row, part.Shard); ln == nil {
				return false
			}
		}
		p.partLanes = append(p.partLanes, ln)
	}
	if r != nil {
		if home && r.away { // what was asked of replicas before is answered first
			return s.stall(stallEmpty)
		}
		r.away, r.mixed = r.away || away, r.mixed || away && home
	}
	return true
}

// noteSlots notes the slots of the keys of a command to one shard.
func (p *part) noteSlots(row *command.Row, args [][]byte) {
	p.slots = p.slots[:0]
	if aboutSlot(row.ID) {
		return
	}
	for _, key := range p.keys {
		p.slots = append(p.slots, router.Slot(args[key]))
	}
}
