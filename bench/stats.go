package main

import (
	"math"
	"slices"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// median is the middle value, or the mean of the two middle ones; NaN of nothing.
func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	s := slices.Sorted(slices.Values(v))
	m := len(s) / 2
	if len(s)%2 == 1 {
		return s[m]
	}
	return (s[m-1] + s[m]) / 2
}

// medianRatio divides round by round and takes the middle: what disturbs the machine for the length of a pair falls
// on both of its sides.
func medianRatio(a, b []float64) float64 {
	n := min(len(a), len(b))
	r := make([]float64, 0, n)
	for i := range n {
		if b[i] > 0 {
			r = append(r, a[i]/b[i])
		}
	}
	return median(r)
}

// addedRatio compares what two servers add to a base, round by round. A round in which the reference adds nothing
// says nothing and is left out.
func addedRatio(a, b, base []float64) float64 {
	n := min(len(a), len(b), len(base))
	r := make([]float64, 0, n)
	for i := range n {
		if b[i] > base[i] {
			r = append(r, (a[i]-base[i])/(b[i]-base[i]))
		}
	}
	return median(r)
}

// column takes one figure out of each round's sample.
func column[S any](s []S, f func(S) float64) []float64 {
	out := make([]float64, len(s))
	for i := range s {
		out[i] = f(s[i])
	}
	return out
}

// Latencies are recorded from 100 ns to a minute with three digits; what is longer counts as a minute.
const (
	latencyMinNS = 100
	latencyMaxNS = int64(time.Minute)
)

func newHistogram() *hdr.Histogram { return hdr.New(latencyMinNS, latencyMaxNS, 3) }

func record(h *hdr.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(int64(d), 0), latencyMaxNS)) // in range, so there is no error
}

// quantile is in microseconds.
func quantile(h *hdr.Histogram, percent float64) float64 {
	return float64(h.ValueAtPercentile(percent)) / 1e3
}

// schedule is an open loop's plan: request i is due at i/rate after the start, whatever became of those before it.
type schedule struct{ perSecond int }

func (s schedule) due(i int) time.Duration {
	// Whole seconds apart, so that the product stays within 64 bits however long the run.
	return time.Duration(i/s.perSecond)*time.Second + time.Duration(i%s.perSecond)*time.Second/time.Duration(s.perSecond)
}

// expiry says when the i-th key expires: from a moment on so many a second, or all at it.
type expiry struct {
	fromMS    int64 // Unix time
	perSecond int   // 0: all at one moment
}

func (e expiry) of(i uint32) int64 {
	if e.perSecond == 0 {
		return e.fromMS
	}
	return e.fromMS + int64(i)*1000/int64(e.perSecond)
}

// count is how many requests fall into d.
func (s schedule) count(d time.Duration) int {
	return int(d.Seconds() * float64(s.perSecond))
}
