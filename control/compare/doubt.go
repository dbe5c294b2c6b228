package compare

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"math"

	"larder/persistence/digest"
)

// state is what a key was when it was read.
type state struct {
	there       bool
	torn        bool // it changed while it was read in parts
	value       digest.Value
	early, late int64 // ms since 1970 between which it dies; 0 = never
	bytes       int64 // in memory; 0 = not told
}

// same tells whether the key was the same at two readings of one server.
func (s *state) same(o *state) bool {
	if s.there != o.there || s.torn || o.torn {
		return false
	}
	return !s.there || s.value.Same(o.value) && s.dies(o)
}

// toleranceMS is how far two expiries may be apart that are the same: a server that tells only how long a key lives yet rounds that.
const toleranceMS = 1

func (s *state) dies(o *state) bool {
	if (s.late == 0) != (o.late == 0) {
		return false
	}
	return s.early <= o.late+toleranceMS && o.early <= s.late+toleranceMS
}

// doubt is a key whose sides are not known to be the same.
type doubt struct {
	pair
	key     []byte
	source  state
	target  state
	changed bool // between two readings
}

// alike tells whether both sides are the same.
func (d *doubt) alike() bool { return d.source.same(&d.target) }

// settle reads what is in doubt again, with pauses, until it is alike or has been read often enough; and tells what is left.
func (c *comparison) settle() error {
	pause := firstPause
	for round := 1; round < rounds && len(c.doubts) > 0; round++ {
		if err := c.o.Sleep(c.ctx, pause); err != nil {
			return err
		}
		pause *= 2
		before := make([]doubt, len(c.doubts))
		copy(before, c.doubts)
		if err := c.read(c.doubts); err != nil {
			return err
		}
		left := c.doubts[:0]
		for i := range c.doubts {
			d := c.doubts[i]
			if d.alike() {
				c.report.count(&d)
				continue
			}
			d.changed = d.changed || !d.source.same(&before[i].source) || !d.target.same(&before[i].target)
			left = append(left, d)
		}
		c.doubts = left
	}
	for i := range c.doubts {
		c.report.differ(&c.doubts[i])
	}
	c.doubts = c.doubts[:0]
	return nil
}

// choice picks a sample: the same keys on both sides, by a digest of the key.
type choice struct {
	sample, of int64 // so many of so many; sample 0: all
	seed       uint64
}

func (c *choice) pick(keys [][]byte) [][]byte {
	if c.sample <= 0 || c.sample >= c.of {
		return keys
	}
	limit := uint64(float64(c.sample) / float64(c.of) * math.MaxUint64)
	picked := keys[:0]
	for _, k := range keys {
		sum := sha256.Sum256(append(binary.BigEndian.AppendUint64(make([]byte, 0, 8+len(k)), c.seed), k...))
		if binary.BigEndian.Uint64(sum[:]) < limit {
			picked = append(picked, k)
		}
	}
	return picked
}

// ownKeys copies what SCAN gave out of the connection's buffer.
func ownKeys(keys [][]byte) [][]byte {
	all := bytes.Join(keys, nil)
	for i, k := range keys {
		keys[i], all = all[:len(k):len(k)], all[len(k):]
	}
	return keys
}
