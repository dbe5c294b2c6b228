package proxy

import (
	"larder/protocol/command"
	"larder/protocol/resp"
)

var wordDBSize, wordRandomKey = []byte("DBSIZE"), []byte("RANDOMKEY")

// runRandomKey asks every shard for a key and for how many it has: a shard's key is taken as often as it has its share of all keys.
func (s *session) runRandomKey(row *command.Row) bool {
	p := s.p
	for shard := range p.shards {
		if ln, ok := s.laneTo(row, shard); ln == nil {
			return ok
		}
	}
	seq := s.push(row)
	m := p.merges.get(mergeRandom, p.topoID, 0)
	m.proto, m.dice = s.proto, p.chance.Uint64()
	s.q.at(seq).merge = m
	p.askRandom(s, ticket{s: s, row: row, seq: seq, db: uint16(s.db)}, m)
	return true
}

// askRandom sends both questions to every shard; each has a lane.
func (p *part) askRandom(s *session, t ticket, m *merge) {
	for i, u := range p.shards {
		ln := u.lane(s.line)
		ln.to(int(t.db))
		for j, word := range [][]byte{wordDBSize, wordRandomKey} {
			m.subs = append(m.subs, nil)
			m.left++
			at := len(ln.log)
			ln.log = resp.AppendCommand(ln.log, word)
			t.sub = uint16(2*i + j)
			ln.commit(at, t)
		}
	}
}

// appendRandom takes one of the shards' keys.
func (m *merge) appendRandom(dst []byte) ([]byte, bool) {
	var total uint64
	for i := 0; i+1 < len(m.subs); i += 2 {
		n, ok := resp.ParseInt(m.subs[i])
		if !ok || n < 0 {
			return dst, false
		}
		if !isNull(m.subs[i+1]) {
			total += uint64(n)
		}
	}
	at := m.dice % max(total, 1)
	for i := 0; i+1 < len(m.subs); i += 2 {
		key := m.subs[i+1]
		if isNull(key) {
			continue
		}
		n, _ := resp.ParseInt(m.subs[i])
		if at < uint64(n) {
			return append(dst, key...), true
		}
		at -= uint64(n)
	}
	w := resp.Writer{Out: dst, Proto: m.proto}
	w.Null()
	return w.Out, true
}

func isNull(reply []byte) bool {
	return len(reply) > 1 && (reply[0] == '_' || reply[0] == '$' && reply[1] == '-')
}
