package store

import "math"

// An expiry that is brought forward, or taken away and given again, leaves an entry behind in the wheel until its time comes. A wheel with far more
// entries than keys is made anew, in slices, from the index; the old one serves meanwhile.

const (
	remakePerArm = 4   // buckets looked at for an entry that is put in
	remakeCost   = 512 // of a bucket, in bytes of budget
)

type remake struct {
	wheel wheel
	at    Cursor
	dues  int // objects met in which something ends
}

func (r *remake) memory() int64 {
	if r == nil {
		return 0
	}
	return r.wheel.memory()
}

// remakeSome looks at some buckets and reports whether there are more.
func (d *DB) remakeSome(buckets int) bool {
	s, r := d.store, d.remake
	if r == nil {
		return false
	}
	for ; buckets > 0; buckets-- {
		if !d.ScanOn(&r.at, NoExpiry, nil, func(it Item) {
			if at := s.firesAt(&it.h); at != math.MaxInt64 {
				s.addTimer(&r.wheel, timerOf(s.probeOf(it.Key())), at)
			}
			if s.dueOf(&it.h) != 0 {
				r.dues++
			}
		}) {
			s.dropWheel(&d.wheel)
			d.wheel, d.dues, d.remake = r.wheel, r.dues, nil
			return false
		}
	}
	return true
}

// dropWheel leaves a wheel's blocks to be freed in slices.
func (s *Store) dropWheel(w *wheel) {
	if w.places != nil {
		s.dying = append(s.dying, dying{places: append(w.places, w.due)})
	}
	*w = wheel{}
}
