package store

import "math"

// Policy says which keys go when memory is short. The names are Redis's.
type Policy uint8

// LRU and LFU are both S3-FIFO (see below).
const (
	NoEviction Policy = iota
	AllKeysLRU
	AllKeysLFU
	AllKeysRandom
	VolatileLRU
	VolatileLFU
	VolatileRandom
	VolatileTTL
	policies
)

var policyNames = [policies]string{
	"noeviction", "allkeys-lru", "allkeys-lfu", "allkeys-random", "volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl",
}

func (p Policy) String() string { return policyNames[p] }

// ParsePolicy gives the policy with a name.
func ParsePolicy(name string) (Policy, bool) {
	for i, n := range policyNames {
		if n == name {
			return Policy(i), true
		}
	}
	return 0, false
}

// LFU tells whether the policy is one of Redis's that go by frequency.
func (p Policy) LFU() bool { return p == AllKeysLFU || p == VolatileLFU }

// LRU tells whether keys go by the time of their last access.
func (p Policy) LRU() bool { return p == AllKeysLRU || p == VolatileLRU }

func (p Policy) volatile() bool { return p >= VolatileLRU }

// queued tells whether the policy is S3-FIFO.
func (p Policy) queued() bool {
	return p == AllKeysLRU || p == AllKeysLFU || p == VolatileLRU || p == VolatileLFU
}

// S3-FIFO on segments: a new item goes to the small queue, a tenth of the memory. The oldest small segment is drained when that is exceeded: items that
// were seen again go to the main queue, the others are evicted and leave a ghost. The oldest main segment is drained otherwise: items that were seen since
// go to the end of the queue with one point less, the others are evicted. A segment is drained in slices that writes pay for, and is free at its end.
// The other policies choose keys one by one, and compaction makes segments of what they leave.

const (
	smallShare = 10 // one part in so many is the small queue

	// drainPerByte is how many bytes of a queue's end are looked at for a byte that is asked for, evictPerByte how many are evicted.
	drainPerByte = 4
	evictPerByte = 2
	evictMin     = 512 // bytes, at a time
)

type eviction struct {
	limit    int64 // 0 = none
	policy   Policy
	beside   int64 // bytes that others take
	evicting walk
	ghosts   ghosts
	duel     duel
}

// SetLimit bounds the store's memory: Used stays below bytes (0: no bound) by evicting as policy says.
func (s *Store) SetLimit(bytes int64, policy Policy) {
	s.limit, s.policy = bytes, policy
	if bytes == 0 || !policy.queued() {
		s.exorcise()
		s.evicting, s.duel = walk{}, duel{}
	}
}

// Policy is what SetLimit was told last.
func (s *Store) Policy() Policy { return s.policy }

// Beside tells how much memory that the limit covers is taken by others than the store, in bytes: so much less is the store's.
func (s *Store) Beside(bytes int64) { s.beside = bytes }

// Fit evicts a slice of what is above the limit, looking at about budget bytes, and reports whether there is more to do. Between commands it brings the
// memory below a limit that was lowered; a command's own room is MakeRoom's business.
func (s *Store) Fit(budget int, now int64) bool {
	return s.limit > 0 && s.deaths == Remove && s.taken()+s.margin() > s.limit && s.reclaim(budget, now)
}

// taken is what the limit is compared with.
func (s *Store) taken() int64 { return s.Used() + s.beside }

// Used is the memory that the limit is compared with: all that the store has from the system but what it could give back at once and what snapshots keep,
// which has a limit of its own.
func (s *Store) Used() int64 { return s.Reserved() - int64(s.log.spares) - s.Kept() }

// Evicted is how many keys were evicted since the store was made.
func (s *Store) Evicted() int64 { return s.evictedAll }

// margin is what is kept free below the limit, so that segments can be drained in slices before their room is needed.
func (s *Store) margin() int64 { return int64(2 * s.segmentBytes()) }

// short tells whether memory is nearly used up.
func (s *Store) short() bool { return s.taken()+2*s.margin() > s.limit }

// MakeRoom is to be called before a command that may take memory, with about how much in bytes. It evicts what the policy allows and reports whether
// there is room; if not, the command is to be refused.
func (s *Store) MakeRoom(need int, now int64) bool {
	if s.limit == 0 || s.deaths != Remove {
		return true
	}
	ok := s.makeRoom(need, now)
	s.trimTo(s.limit - s.beside + s.Kept())
	return ok
}

func (s *Store) makeRoom(need int, now int64) bool {
	if s.taken()+int64(need)+s.margin() <= s.limit {
		return true
	}
	s.reclaim(max(need, evictMin), now)
	const triesMax = 4096 // each looks at evictMin bytes at least; a command bigger than that must wait for its room
	for range triesMax + need/evictMin {
		if s.taken()+int64(need) <= s.limit {
			return true
		}
		if !s.reclaim(max(need, evictMin), now) {
			return false
		}
	}
	return false
}

// reclaim does a slice of the work of making room for need bytes, and reports whether there is more to do.
func (s *Store) reclaim(need int, now int64) bool {
	if s.freeRuns(need) || s.freeTables(need) {
		return true
	}
	s.trim(need)
	switch {
	case s.policy.queued():
		return s.drain(drainPerByte*need, now)
	case s.compacting.segment != 0 || s.tooMuchDead():
		return s.compact(2*movedPerByte*need) || s.policy != NoEviction
	case s.policy == NoEviction:
		return false
	}
	return s.evictSome(evictPerByte*need, now)
}

// placement tells in which queue a key's new item belongs and with how many points.
func (s *Store) placement(p probe, place uint64, h *shape, expiry bool) (gen int, freq uint32) {
	if place != 0 {
		freq = min(freqOf(h.first)+1, freqMax)
	}
	switch {
	case s.limit == 0 || !s.policy.queued() || s.policy.volatile() && !expiry:
		return genMain, freq
	case s.duel.clockWins && place == 0:
		return genMain, 0
	case place != 0:
		return s.genOf(h), freq
	case s.haunted(p.ghost):
		return genMain, 0
	}
	return genSmall, 0
}

// drain looks at about budget bytes of the queues' ends and reports whether there is more to evict.
func (s *Store) drain(budget int, now int64) bool {
	for budget > 0 {
		if s.evicting.segment == 0 && !s.pickOldest() {
			return false
		}
		budget -= s.drainNext(now)
	}
	return true
}

// queue is the lengths and the oldest segments of the two queues.
type queue struct {
	small, all int64
	oldest     [2]uint32 // genSmall, genMain: sealed segments that no snapshot wants, or at least sealed ones
	ages       [2]uint64 // theirs
}

// pickOldest chooses the segment to drain.
func (s *Store) pickOldest() bool {
	q := s.survey()
	if q.oldest[genSmall] == 0 && q.oldest[genMain] == 0 {
		if !s.sealAll() {
			return false
		}
		q = s.survey()
	}
	pick, small := q.oldest[genMain], q.oldest[genSmall]
	switch {
	case small == 0:
	case pick == 0, s.duel.clockWins && q.ages[genSmall] < q.ages[genMain], !s.duel.clockWins && q.small*smallShare > q.all:
		pick = small
	}
	s.duel.size(s.keys())
	s.evicting = walk{segment: pick}
	return pick != 0
}

// evictable tells whether the policy may take items of a segment.
func (s *Store) evictable(g *segment) bool {
	return !s.policy.volatile() || g.lane%lifeClasses != 0
}

// survey looks at all segments once.
func (s *Store) survey() queue {
	var q queue
	for number := range s.log.segments {
		g := &s.log.segments[number]
		if g.live == 0 || g.state != segmentOpen && g.state != segmentSealed || !s.evictable(g) {
			continue
		}
		gen := min(int(g.lane/lifeClasses), genMain)
		q.all += int64(g.live)
		if gen == genSmall {
			q.small += int64(g.live)
		}
		age := uint64(g.age)
		if s.covered(g) {
			age += math.MaxUint32 // after all others
		}
		if g.state == segmentSealed && uint32(number) != s.compacting.segment && (q.oldest[gen] == 0 || age < q.ages[gen]) {
			q.oldest[gen], q.ages[gen] = uint32(number), age
		}
	}
	return q
}

// sealAll seals the open segments that may be drained, where there is nothing else.
func (s *Store) sealAll() bool {
	sealed := false
	for i := range s.dbs {
		d := &s.dbs[i]
		for lane, number := range d.open {
			if number != 0 && s.evictable(&s.log.segments[number]) && s.log.segments[number].live > 0 {
				d.open[lane] = 0
				s.seal(number)
				sealed = true
			}
		}
	}
	return sealed
}

// drainNext deals with the next item of the segment that is drained, and gives what it cost in bytes.
func (s *Store) drainNext(now int64) int {
	number := s.evicting.segment
	h, ok := s.next(&s.evicting)
	if !ok {
		s.evicting = walk{}
		s.freeIfEmpty(number, &s.log.segments[number])
		return moveCost
	}
	if h.kind() == kindDead || h.first&flagHeld != 0 {
		return moveCost / 4
	}
	small := s.genOf(&h) == genSmall
	freq := freqOf(h.first)
	switch {
	case s.policy.volatile() && s.expiryOf(&h) == NoExpiry:
	case freq == 0 || s.expired(&h, now):
		s.evict(&h, small, now)
		return h.size() + moveCost
	case small || s.duel.clockWins:
		s.setFreq(&h, 0)
	default:
		s.setFreq(&h, freq-1)
	}
	s.move(&h, genMain)
	return h.size() + moveCost
}

func (s *Store) setFreq(h *shape, freq uint32) {
	h.first = h.first&^(freqMax<<freqShift) | freq<<freqShift
	s.mem.SetU32(h.at, h.first)
}

// evict removes an item to make room.
func (s *Store) evict(h *shape, ghost bool, now int64) {
	d := &s.dbs[s.segmentAt(h.at).db]
	key := s.keyBytes(h)
	p := s.probeOf(key)
	place := d.placeOf(p, h.at)
	if s.expired(h, now) {
		d.expire(p, place, h)
		return
	}
	if gone := s.options.Gone; gone != nil {
		gone(d.number, key, true)
	}
	if ghost {
		s.haunt(p.ghost, s.keys())
	}
	d.drop(p, place, h)
	s.evictedAll++
}

func (s *Store) keys() int {
	n := 0
	for i := range s.dbs {
		n += s.dbs[i].count
	}
	return n
}

// evictSome evicts keys one by one, budget bytes of them at least, and reports whether there were any.
func (s *Store) evictSome(budget int, now int64) bool {
	for budget > 0 {
		d := s.pickDB()
		if d == nil {
			return false
		}
		h, ok := d.pickVictim()
		if ok {
			s.evict(&h, false, now)
		}
		budget -= h.size() + moveCost
	}
	return true
}

// pickDB throws a die for a database, by its share of the keys that the policy may take.
func (s *Store) pickDB() *DB {
	n := 0
	for i := range s.dbs {
		n += s.dbs[i].evictable()
	}
	if n == 0 {
		return nil
	}
	n = s.options.Rand.IntN(n)
	for i := range s.dbs {
		if n -= s.dbs[i].evictable(); n < 0 {
			return &s.dbs[i]
		}
	}
	return nil
}

func (d *DB) evictable() int {
	if d.store.policy.volatile() {
		return d.expires
	}
	return d.count
}

// pickVictim chooses a key: any, or one with an expiry, or the one that expires first.
func (d *DB) pickVictim() (shape, bool) {
	switch d.store.policy {
	case VolatileTTL:
		return d.soonest()
	case VolatileRandom:
		return d.anyTimed()
	}
	return d.pick(), true
}
