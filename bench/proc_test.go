package main

import (
	"testing"
	"time"
)

func TestParsePIDStat(t *testing.T) {
	line := "24743 (we (ird) name) R 24737 24737 2552 0 -1 4194304 100 0 0 0 52 7 0 0 20 0 1 0 515255 3133440 417\n"
	got, err := parsePIDStat([]byte(line))
	if want := (pidStat{state: 'R', user: 520 * time.Millisecond, sys: 70 * time.Millisecond}); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	for _, bad := range []string{"", "1 no name R", "1 (a) R 1 2 3", "1 (a) R 1 1 1 0 -1 1 1 0 0 0 x 7 0"} {
		if _, err := parsePIDStat([]byte(bad)); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestCPUSince(t *testing.T) {
	before := cpuUse{user: 100 * time.Millisecond, sys: 50 * time.Millisecond, threads: map[int]time.Duration{1: 90, 2: 60}}
	tests := []struct {
		name  string
		after cpuUse
		want  time.Duration
	}{
		{"threads live: exact", cpuUse{threads: map[int]time.Duration{1: 100, 2: 65}}, 15},
		{"a new thread counts in full", cpuUse{threads: map[int]time.Duration{1: 100, 2: 60, 3: 7}}, 17},
		{"a thread ended: ticks", cpuUse{user: 130 * time.Millisecond, sys: 60 * time.Millisecond, threads: map[int]time.Duration{1: 100}}, 40 * time.Millisecond},
	}
	for _, tt := range tests {
		if got := tt.after.since(before); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
	after := cpuUse{user: 130 * time.Millisecond, sys: 60 * time.Millisecond}
	if got := after.userShare(before); got != 0.75 {
		t.Errorf("user share %v, want 0.75", got)
	}
	if got := before.userShare(before); got != 0 {
		t.Errorf("user share of nothing: %v, want 0", got)
	}
}

func TestParseHost(t *testing.T) {
	a, err1 := parseHost([]byte("cpu  100 0 50 800 5 0 5 40 0 0\ncpu0 1 2 3\n"))
	b, err2 := parseHost([]byte("cpu  150 0 80 900 5 0 5 60 0 0\n"))
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	if got := b.stealSince(a); got != 0.1 {
		t.Errorf("steal %v, want 0.1", got)
	}
	if got := a.stealSince(a); got != 0 {
		t.Errorf("steal of no time %v, want 0", got)
	}
	for _, bad := range []string{"", "cpu 1 2 3", "intr 1 2 3 4 5 6 7 8 9", "cpu 1 2 3 4 5 6 7 x"} {
		if _, err := parseHost([]byte(bad)); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestParseSchedstatAndRSS(t *testing.T) {
	if got, err := parseSchedstat([]byte("13783263 476 9\n")); err != nil || got != 13783263 {
		t.Errorf("schedstat: %v, %v", got, err)
	}
	if _, err := parseSchedstat(nil); err == nil {
		t.Error("an empty schedstat was accepted")
	}
	rollup := "55d0c0000000-7ffd00000000 ---p 00000000 00:00 0 [rollup]\nRss:                1536 kB\nPss:  12 kB\n"
	if got, err := parseRSS([]byte(rollup)); err != nil || got != 1536<<10 {
		t.Errorf("rss: %v, %v", got, err)
	}
	if _, err := parseRSS([]byte("Pss: 12 kB\n")); err == nil {
		t.Error("no Rss line, and no error")
	}
}

func TestReadOwnProcess(t *testing.T) {
	u, err := readCPU(1)
	if err != nil || len(u.threads) == 0 {
		t.Errorf("CPU time of process 1: %+v, %v", u, err)
	}
	if _, err := readHost(); err != nil {
		t.Error(err)
	}
}
