package store

import (
	"fmt"
	"math/bits"
)

// Shake seals what is open, moves every item of the segments that n chooses, and gives all spare memory back: what comes about over hours, at once.
func (s *Store) Shake(n int) {
	s.sealAllLanes()
	s.compacting, s.evicting = walk{}, walk{}
	for number := 1; number < len(s.log.segments); number++ {
		g := &s.log.segments[number]
		if g.state != segmentSealed || s.covered(g) || g.live == 0 || n>>(number%16)&1 == 0 {
			continue
		}
		s.compacting = walk{segment: uint32(number)}
		for s.compacting.segment == uint32(number) {
			s.compactNext()
		}
	}
	for order := range s.log.spare {
		for _, number := range s.log.spare[order] {
			s.discard(number)
		}
		s.log.spare[order] = nil
	}
}

func (s *Store) sealAllLanes() {
	for i := range s.dbs {
		for lane, number := range s.dbs[i].open {
			if number != 0 {
				s.dbs[i].open[lane] = 0
				s.seal(number)
			}
		}
	}
}

type tally struct {
	live map[uint32]uint32
	refs map[uint32]uint32

	bigBytes int64
	prefixes [PrefixesMax]int64 // bytes
}

// Verify looks at everything and says what does not hold.
func (s *Store) Verify() error {
	t := tally{live: map[uint32]uint32{}, refs: map[uint32]uint32{}}
	for i := range s.dbs {
		if err := s.dbs[i].verify(&t); err != nil {
			return fmt.Errorf("db %d: %w", i, err)
		}
	}
	return s.verifyLog(&t)
}

func (d *DB) verify(t *tally) error {
	count, expires, index := 0, 0, int64(0)
	t.bigBytes, t.prefixes = 0, [PrefixesMax]int64{}
	bytes := int64(0)
	for g := range d.tables {
		n, blocks, err := d.verifyTable(g, t, &expires, &bytes)
		if err != nil {
			return fmt.Errorf("group %d: %w", g, err)
		}
		count += n
		index += blocks
	}
	if t.bigBytes != *d.bigBytes {
		return fmt.Errorf("long values take %d bytes, counted %d", *d.bigBytes, t.bigBytes)
	}
	for i := range d.tallies {
		if d.tallies[i].bytes != t.prefixes[i] {
			return fmt.Errorf("prefix %d takes %d bytes, counted %d", i, d.tallies[i].bytes, t.prefixes[i])
		}
	}
	parts := 0
	for _, n := range d.parts {
		parts += n
	}
	if count != d.count || parts != count || expires != d.expires || index != d.index || bytes != d.bytes {
		return fmt.Errorf("%d keys, %d in parts, %d with expiry, index %d, items %d: counted %d, %d, %d, %d", d.count, parts, d.expires, d.index, d.bytes, count, expires, index, bytes)
	}
	if d.wheel.count < d.expires {
		return fmt.Errorf("%d timers for %d keys", d.wheel.count, d.expires)
	}
	return nil
}

func (d *DB) verifyTable(group int, t *tally, expires *int, bytes *int64) (count int, index int64, err error) {
	s, table := d.store, &d.tables[group]
	switch {
	case table.n == 0 && len(table.chunks) == 0 && table.count == 0:
		return 0, 0, nil
	case table.n == 0 || len(table.chunks) != int(table.n+chunkBuckets-1)/chunkBuckets:
		return 0, 0, fmt.Errorf("%d buckets, %d chunks, %d keys", table.n, len(table.chunks), table.count)
	case len(table.chunks) == 1:
		index = BucketBytes << bits.Len32(table.n-1)
	default:
		index = int64(len(table.chunks)) * BucketBytes << chunkShift
	}
	for b := range table.n {
		for at := table.at(b); at != 0; at = s.link(at) {
			n := s.filled(at)
			count += n
			if at != table.at(b) {
				index += BucketBytes
			}
			if s.link(at) != 0 && n < bucketSlots || at != table.at(b) && n == 0 {
				return 0, 0, fmt.Errorf("bucket %d: %d entries inside its chain", b, n)
			}
			for slot := range bucketSlots {
				if e := s.entryAt(at, slot); slot >= n && e != (entry{}) {
					return 0, 0, fmt.Errorf("bucket %d: a gap", b)
				} else if slot < n {
					if err := d.verifyItem(e, uint16(group), b, table.n, t); err != nil {
						return 0, 0, fmt.Errorf("bucket %d: %w", b, err)
					}
					h := s.shapeOf(e.ref)
					*bytes += int64(h.size())
					if s.expiryOf(&h) != NoExpiry {
						*expires++
					}
				}
			}
		}
	}
	if count != int(table.count) {
		return 0, 0, fmt.Errorf("%d keys, counted %d", table.count, count)
	}
	return count, index, nil
}

func (d *DB) verifyItem(e entry, group uint16, bucket, n uint32, t *tally) error {
	s := d.store
	h := s.shapeOf(e.ref)
	p := s.probeOf(s.keyBytes(&h))
	number := s.pages.owners[e.ref>>granuleShift]
	g := &s.log.segments[number]
	switch {
	case h.kind() == kindDead || h.first&flagHeld != 0:
		return fmt.Errorf("%q is dead", s.keyBytes(&h))
	case p.tag != e.tag || p.group != group || bucketOf(p.hash, n) != bucket:
		return fmt.Errorf("%q does not belong here", s.keyBytes(&h))
	case int(g.db) != d.number || g.state != segmentOpen && g.state != segmentSealed || e.ref < g.at || e.ref+uint64(h.size()) > g.at+uint64(g.used):
		return fmt.Errorf("%q is not in its segment", s.keyBytes(&h))
	}
	t.live[number] += uint32(h.size())
	if i := s.prefixes.of(s.keyBytes(&h)); i >= 0 {
		t.prefixes[i] += int64(d.sizeOf(&h))
	}
	if h.kind().handled() {
		t.refs[s.runOf(&h)]++
		t.bigBytes += s.runSize(s.runOf(&h))
	}
	return nil
}

func (s *Store) verifyLog(t *tally) error {
	var used, live, held, touched int64
	spares := 0
	for i := range s.log.segments {
		g := &s.log.segments[i]
		touched += int64(g.touched)
		if g.state == segmentSpare {
			spares += int(g.touched)
			continue
		}
		if g.live != t.live[uint32(i)] || g.live+g.held > g.used || g.held > 0 && !s.covered(g) || g.state == segmentSealed && g.live+g.held == 0 {
			return fmt.Errorf("segment %d: %+v, %d live", i, *g, t.live[uint32(i)])
		}
		used += int64(g.used)
		live += int64(g.live)
		held += int64(g.held)
	}
	l := &s.log
	if used != l.used || live != l.live || held != l.held || touched != l.touched || spares != l.spares {
		return fmt.Errorf("log: used %d live %d held %d touched %d spare %d: counted %d %d %d %d %d", l.used, l.live, l.held, l.touched, l.spares, used, live, held, touched, spares)
	}
	for number, refs := range t.refs {
		if r := s.bigs.runs[number]; r.refs < refs || r.length == 0 && r.order != objectOrder {
			return fmt.Errorf("run %d: %+v, %d references", number, r, refs)
		}
	}
	return nil
}

// Parts says what the memory from the system is.
func (s *Store) Parts() string {
	b := int64(0)
	for i := range s.dbs {
		b += s.dbs[i].index + s.dbs[i].wheel.memory()
	}
	return fmt.Sprintf("log: %d KiB, of it dead %d, spare %d; blocks %d KiB, used %d; runs %d KiB", s.log.touched>>10, s.log.dead()>>10, s.log.spares>>10, s.blocks.touched>>10, b>>10, s.bigs.touched>>10)
}

// Store gives the store of a database.
func (d *DB) Store() *Store { return d.store }
