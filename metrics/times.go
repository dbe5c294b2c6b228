package metrics

import "math"

// Times are counted in powers of two of 128 ns: bucket i counts what took less than 128 ns × 2^i, the last one everything longer.
const (
	bucketShift = 7
	buckets     = 28 // the last bound is 8.6 s
)

// Times are how often a command took how long.
type Times [buckets]uint64

// Count is how many there are.
func (t *Times) Count() (n uint64) {
	for _, count := range t {
		n += count
	}
	return n
}

// Less is t without o's, which are among them.
func (t *Times) Less(o *Times) (less Times) {
	for i := range t {
		less[i] = t[i] - o[i]
	}
	return less
}

// bound is what every time of a bucket is below, in nanoseconds. What the last one counts is taken for no longer than twice the bound before it.
func bound(bucket int) float64 { return math.Ldexp(1, bucketShift+bucket) }

// Percentile is the time that so many of a hundred did not exceed, in nanoseconds: within its bucket it is taken to be where an even spread would have it.
// 0 if there are none.
func (t *Times) Percentile(percent float64) float64 {
	n := t.Count()
	rank := percent / 100 * float64(n)
	below := 0.0
	for i, count := range t {
		if count == 0 || below+float64(count) < rank {
			below += float64(count)
			continue
		}
		low := 0.0
		if i > 0 {
			low = bound(i - 1)
		}
		return low + (bound(i)-low)*max(0, rank-below)/float64(count)
	}
	return 0
}

// Each calls f with the bounds in microseconds that Redis has in its histograms, in their order, and how many did not exceed them: powers of two of 1024 ns,
// rounded up as a histogram of two digits has it (the last value that counts as the bound's), up to a second, which stands for all that is longer
// (Redis 7.0 latency.c, fillCommandCDF). Bounds below which there are no more than below the one before are left out.
func (t *Times) Each(f func(us, n uint64)) {
	const first, last = 10, 30 // 2^first and 2^last ns
	var n, told uint64
	for i, count := range t {
		n += count
		exponent := bucketShift + i
		if exponent < first || exponent >= last && i+1 < buckets || n == told {
			continue
		}
		told = n
		exponent = min(exponent, last)
		f((1<<exponent+1<<(exponent-bucketShift)-1)/1000, n)
	}
}

// cumulative turns buckets into Prometheus's upper bounds in seconds.
func (t *Times) cumulative() map[float64]uint64 {
	out := make(map[float64]uint64, buckets)
	var below uint64
	for i, n := range t[:buckets-1] {
		below += n
		out[bound(i)/1e9] = below
	}
	return out
}
