package mirror

import (
	"math/bits"
	"time"
)

// times are counted in eighths of powers of two of nanoseconds.
type times struct {
	n      uint64
	counts [timesBuckets]uint32
}

const (
	timesBits    = 3
	timesBuckets = 40 << timesBits // the last bound is 18 minutes
)

func (t *times) add(ns int64) {
	t.n++
	t.counts[bucketOf(ns)]++
}

func bucketOf(ns int64) int {
	n := uint64(max(ns, 1))
	exponent := bits.Len64(n) - 1
	if exponent <= timesBits {
		return int(n)
	}
	return min(exponent<<timesBits|int(n>>(exponent-timesBits))&(1<<timesBits-1), timesBuckets-1)
}

// percentile is what so many of a thousand did not exceed.
func (t *times) percentile(ofThousand uint64) time.Duration {
	rank, below := (t.n*ofThousand+999)/1000, uint64(0)
	for i, n := range t.counts {
		if below += uint64(n); below >= rank && n > 0 {
			return time.Duration(upTo(i))
		}
	}
	return 0
}

// upTo is the greatest time of a bucket.
func upTo(bucket int) int64 {
	exponent, part := bucket>>timesBits, bucket&(1<<timesBits-1)
	if exponent <= timesBits {
		return int64(bucket)
	}
	return int64(1<<timesBits|part+1)<<(exponent-timesBits) - 1
}

func (t *times) join(o *times) {
	t.n += o.n
	for i, n := range o.counts {
		t.counts[i] += n
	}
}
