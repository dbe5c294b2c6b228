package main

import (
	"math"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	tests := []struct {
		in   []float64
		want float64
	}{{[]float64{3, 1, 2}, 2}, {[]float64{4, 1, 2, 3}, 2.5}, {[]float64{7}, 7}}
	for _, tt := range tests {
		if got := median(tt.in); got != tt.want {
			t.Errorf("median(%v) = %v, want %v", tt.in, got, tt.want)
		}
	}
	if !math.IsNaN(median(nil)) {
		t.Error("the median of nothing is a number")
	}
	in := []float64{3, 1, 2}
	median(in)
	if in[0] != 3 {
		t.Error("median changed its argument")
	}
}

func TestMedianRatio(t *testing.T) {
	// The second round was disturbed on both sides: the ratio of medians would be 4/8, the pairs say 1.
	if got := medianRatio([]float64{2, 8, 4}, []float64{2, 8, 40}); got != 1 {
		t.Errorf("got %v, want 1", got)
	}
	if got := medianRatio([]float64{2, 3}, []float64{4, 0}); got != 0.5 {
		t.Errorf("a round without a reference counts: got %v, want 0.5", got)
	}
}

func TestAddedRatio(t *testing.T) {
	base := []float64{100, 100, 100}
	if got := addedRatio([]float64{150, 200, 130}, []float64{200, 200, 90}, base); got != 0.75 {
		t.Errorf("got %v, want 0.75 (rounds 0.5 and 1; the third adds nothing)", got)
	}
	if !math.IsNaN(addedRatio([]float64{150}, []float64{90}, base)) {
		t.Error("a reference that adds nothing gives a number")
	}
}

func TestExpiry(t *testing.T) {
	tests := []struct {
		e    expiry
		i    uint32
		want int64
	}{{expiry{fromMS: 5}, 1000, 5}, {expiry{5, 1000}, 3, 8}, {expiry{5, 100_000}, 99, 5}, {expiry{5, 100_000}, 9_999_999, 100_004}}
	for _, tt := range tests {
		if got := tt.e.of(tt.i); got != tt.want {
			t.Errorf("%+v: key %d expires at %d, want %d", tt.e, tt.i, got, tt.want)
		}
	}
}

func TestLateness(t *testing.T) {
	const keys, rate = 1000, 100 // ten seconds of them
	tests := []struct {
		name  string
		since time.Duration
		gone  int
		want  time.Duration
	}{
		{"before the first is due", -time.Second, 0, 0},
		{"on time", 5 * time.Second, 500, 0},
		{"ahead, for a look takes time", 5 * time.Second, 510, 0},
		{"a second late", 5 * time.Second, 400, time.Second},
		{"late after the last was due", 12 * time.Second, 900, 3 * time.Second},
		{"all gone", 12 * time.Second, keys, 0},
	}
	for _, tt := range tests {
		if got := lateness(tt.since, tt.gone, keys, rate); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestSchedule(t *testing.T) {
	s := schedule{perSecond: 3}
	tests := []struct {
		i    int
		want time.Duration
	}{{0, 0}, {1, 333333333}, {3, time.Second}, {7, 2333333333}, {3 * 1_000_000_000, 1_000_000_000 * time.Second}}
	for _, tt := range tests {
		if got := s.due(tt.i); got != tt.want {
			t.Errorf("request %d is due at %v, want %v", tt.i, got, tt.want)
		}
	}
	if got := (schedule{perSecond: 5000}).count(1500 * time.Millisecond); got != 7500 {
		t.Errorf("%d requests in 1.5 s at 5000/s, want 7500", got)
	}
}

// A stall is charged to every request that was due while it lasted, not to one.
func TestLatencyCountsFromIntendedTime(t *testing.T) {
	h, s := newHistogram(), schedule{perSecond: 1000}
	stallEnds := 100 * time.Millisecond
	for i := range 1000 {
		answered := max(s.due(i)+time.Millisecond, stallEnds)
		record(h, answered-s.due(i))
	}
	if got := quantile(h, 99); got < 88e3 || got > 92e3 {
		t.Errorf("p99 %v µs, want about 90 ms", got)
	}
	if got := quantile(h, 50); got < 990 || got > 1010 {
		t.Errorf("p50 %v µs, want about 1 ms", got)
	}
	record(h, -time.Second)
	record(h, time.Hour)
	if h.TotalCount() != 1002 {
		t.Errorf("%d values recorded, want 1002: those out of range are clamped", h.TotalCount())
	}
}
