package mirror

// knowledge is of which keys it is known that both sides have the same. What stands in keys is known one by one; of the others all says whether they are known.
type knowledge struct {
	all  bool
	keys map[uint64]keyState
	most int // keys; what would be beyond it is forgotten
	over uint64
	lost uint64 // times at which all was forgotten
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

// set notes the state of a key.
func (k *knowledge) set(id uint64, s keyState) {
	if s == (keyState{known: k.all}) {
		delete(k.keys, id)
		return
	}
	if _, have := k.keys[id]; !have && len(k.keys) >= k.most {
		k.over++
		if k.all { // one that is not known may not be taken for one that is
			k.forgetAll()
		}
		return
	}
	k.keys[id] = s
}

func (k *knowledge) forget(id uint64) { k.set(id, keyState{}) }

// forgetAll: of no key is anything known any more.
func (k *knowledge) forgetAll() {
	k.all = false
	clear(k.keys)
	k.lost++
}

// allKnown: both sides have been emptied.
func (k *knowledge) allKnown() {
	k.all = true
	clear(k.keys)
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
	endNS   int64 // the latest end of a write of that lane
	otherNS int64 // and of any other lane
}

// accesses are the keys' writes of the last seconds: two writes of one key that came over two lanes, and neither of which was answered before the other was sent, may
// have run in either order.
type accesses struct {
	young, old map[uint64]access
	youngNS    int64 // since when young is written
	oldNS      int64 // what was written before is not remembered
	seenNS     int64 // the latest end of any
	flush      access
}

const (
	accessesMost   = 200_000
	accessesSpanNS = int64(6e9) // longer than a gateway waits for a reply
)

func newAccesses() accesses {
	return accesses{young: map[uint64]access{}, old: map[uint64]access{}}
}

func (a *access) note(lane uint32, endNS int64) {
	switch {
	case a.lane == lane:
		a.endNS = max(a.endNS, endNS)
	default:
		a.otherNS = max(a.otherNS, a.endNS)
		a.lane, a.endNS = lane, endNS
	}
}

// others is when lanes but this one wrote last.
func (a *access) others(lane uint32) int64 {
	if a.lane == lane {
		return a.otherNS
	}
	return max(a.endNS, a.otherNS)
}

// wrote notes a write, and says whether its place among the other writes of the key is in doubt.
func (as *accesses) wrote(id uint64, lane uint32, startNS, endNS int64) (doubtful bool) {
	a, ok := as.young[id]
	if !ok {
		a = as.old[id]
	}
	doubtful = a.others(lane) > startNS || as.flush.others(lane) > startNS || startNS < as.oldNS
	a.note(lane, endNS)
	as.young[id] = a
	if as.seenNS = max(as.seenNS, endNS); len(as.young) >= accessesMost || as.seenNS-as.youngNS >= accessesSpanNS {
		as.turn()
	}
	return doubtful
}

// busy says whether a lane but this one wrote the key after a time.
func (as *accesses) busy(id uint64, lane uint32, sinceNS int64) bool {
	a, ok := as.young[id]
	if !ok {
		a = as.old[id]
	}
	return a.others(lane) > sinceNS || as.flush.others(lane) > sinceNS || sinceNS < as.oldNS
}

// flushed notes that all was emptied; each gets the keys that others may have written at the same time.
func (as *accesses) flushed(lane uint32, startNS, endNS int64, each func(id uint64)) {
	for _, some := range []map[uint64]access{as.young, as.old} {
		for id, a := range some {
			if a.others(lane) > startNS {
				each(id)
			}
		}
	}
	as.flush.note(lane, endNS)
}

func (as *accesses) turn() {
	as.oldNS = as.youngNS
	as.young, as.old = as.old, as.young
	clear(as.young)
	as.youngNS = as.seenNS
}
