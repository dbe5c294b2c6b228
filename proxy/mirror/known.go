package mirror

// knowledge is of which keys it is known that both sides have the same. What stands in keys is known one by one; of the others all says whether they are known.
type knowledge struct {
	all  bool
	keys map[uint64]keyState
	most int // keys; what would be beyond it is forgotten
	over uint64
	lost uint64 // times at which all was forgotten
	odd  int    // of keys: those that are not known
}

// keyState is what is known of one key.
type keyState struct {
	known    bool
	dueNS    int64 // it expires about then, on the mirror's clock; 0: it does not, or nothing is known of it
	withinNS int64 // and not further from then, on either side
}

func (k *knowledge) of(id uint64) keyState {
	if s, ok := k.keys[id]; ok {
		return s
	}
	return keyState{known: k.all}
}

// any says whether of some key it may be known.
func (k *knowledge) any() bool { return k.all || len(k.keys) > k.odd }

// set notes the state of a key.
func (k *knowledge) set(id uint64, s keyState) {
	have, is := k.keys[id]
	if is && !have.known {
		k.odd--
	}
	if s == (keyState{known: k.all}) {
		delete(k.keys, id)
		return
	}
	if !is && len(k.keys) >= k.most {
		k.over++
		if k.all { // one that is not known may not be taken for one that is
			k.forgetAll()
		}
		return
	}
	k.keys[id] = s
	if !s.known {
		k.odd++
	}
}

func (k *knowledge) forget(id uint64) { k.set(id, keyState{}) }

// forgetAll: of no key is anything known any more.
func (k *knowledge) forgetAll() {
	k.all = false
	clear(k.keys)
	k.odd = 0
	k.lost++
}

// allKnown: both sides have been emptied.
func (k *knowledge) allKnown() {
	k.all = true
	clear(k.keys)
	k.odd = 0
}

const sweepMost = 2000 // keys looked at in one sweep

// sweep takes out keys that have expired long since: both sides have nothing there.
func (k *knowledge) sweep(nowNS int64) {
	n := 0
	for id, s := range k.keys {
		if n++; n > sweepMost {
			return
		}
		if s.known && s.dueNS != 0 && nowNS > s.dueNS+4*s.withinNS && (k.all || len(k.keys) > k.most/2) {
			delete(k.keys, id)
		}
	}
}

// access is who wrote a key last, and when others did.
type access struct {
	lane    uint32
	db      uint16
	endNS   int64 // the latest end of a write of that lane
	otherNS int64 // and of any other lane
}

// accesses are the keys' writes of the last seconds: two writes of one key that came over two lanes, and neither of which was answered before the other was sent, may
// have run in either order.
type accesses struct {
	young, old map[uint64]access
	youngNS    int64          // since when young is written
	oldNS      int64          // what was written before is not remembered
	seenNS     int64          // the latest end of any
	flushes    map[int]access // by database; everyDB: of all
}

const (
	accessesMost   = 200_000
	accessesSpanNS = int64(6e9) // longer than a gateway waits for a reply
)

// everyDB stands for all databases.
const everyDB = -1

func newAccesses() accesses {
	return accesses{young: map[uint64]access{}, old: map[uint64]access{}, flushes: map[int]access{}}
}

func (a *access) note(lane uint32, endNS int64) {
	if a.lane == lane {
		a.endNS = max(a.endNS, endNS)
		return
	}
	a.otherNS = max(a.otherNS, a.endNS)
	a.lane, a.endNS = lane, endNS
}

// others is when lanes but this one wrote last.
func (a *access) others(lane uint32) int64 {
	if a.lane == lane {
		return a.otherNS
	}
	return max(a.endNS, a.otherNS)
}

// wrote notes a write, and says whether its place among the other writes of the key is in doubt.
func (as *accesses) wrote(id uint64, db int, lane uint32, startNS, endNS int64) (doubtful bool) {
	a, ok := as.young[id]
	if !ok {
		a = as.old[id]
	}
	a.db = uint16(db)
	doubtful = a.others(lane) > startNS || as.emptied(db, lane) > startNS || startNS < as.oldNS
	a.note(lane, endNS)
	as.young[id] = a
	if as.seenNS = max(as.seenNS, endNS); len(as.young) >= accessesMost || as.seenNS-as.youngNS >= accessesSpanNS {
		as.turn()
	}
	return doubtful
}

// busy says whether a lane but this one wrote the key after a time.
func (as *accesses) busy(id uint64, db int, lane uint32, sinceNS int64) bool {
	a, ok := as.young[id]
	if !ok {
		a = as.old[id]
	}
	return a.others(lane) > sinceNS || as.emptied(db, lane) > sinceNS || sinceNS < as.oldNS
}

// emptied is when another lane emptied a database last.
func (as *accesses) emptied(db int, lane uint32) int64 {
	if len(as.flushes) == 0 {
		return 0
	}
	one, all := as.flushes[db], as.flushes[everyDB]
	return max(one.others(lane), all.others(lane))
}

// flushed notes that a database was emptied, or everyDB; each gets the keys that others may have written at the same time.
func (as *accesses) flushed(db int, lane uint32, startNS, endNS int64, each func(id uint64)) {
	for _, some := range []map[uint64]access{as.young, as.old} {
		for id, a := range some {
			if a.others(lane) > startNS && (db == everyDB || int(a.db) == db) {
				each(id)
			}
		}
	}
	f := as.flushes[db]
	f.note(lane, endNS)
	as.flushes[db] = f
}

func (as *accesses) turn() {
	as.oldNS = as.youngNS
	as.young, as.old = as.old, as.young
	clear(as.young)
	as.youngNS = as.seenNS
}
