package main

import (
	"testing"
	"time"
)

func TestTargets(t *testing.T) {
	tests := []struct {
		w             Workload
		gateway, node float64
	}{
		{Workload{Op: "GET", Keys: 1, Value: 64, Depth: 1}, 1.05, 1},
		{Workload{Op: "SET", Keys: 1, Value: 64, Depth: 16}, 0.85, 0.4},
		{Workload{Op: "SET", Keys: 1, Value: 64, Depth: 64}, 0.35, 0.2},
		{Workload{Op: "SET", Keys: 1, Value: 1024, Depth: 16}, 0.85, 0.45},
		{Workload{Op: "SET", Keys: 1, Value: 1024, Depth: 64}, 0.35, 0.4},
		{Workload{Op: "MGET", Keys: 10, Depth: 16}, 0.7, 0},
		{Workload{Op: "MSET", Keys: 10, Depth: 16}, 0, 0},
	}
	for _, tt := range tests {
		if g, n := gatewayTarget(tt.w), nodeTarget(tt.w); g != tt.gateway || n != tt.node {
			t.Errorf("%s: targets %v and %v, want %v and %v", tt.w, g, n, tt.gateway, tt.node)
		}
	}
	for value, want := range map[int]float64{8: 20, 64: 20, 512: 24} {
		if got := memoryTarget(value, false); got != want {
			t.Errorf("memory with %d bytes: target %v, want %v", value, got, want)
		}
	}
	if got := memoryTarget(64, true); got != 32 {
		t.Errorf("memory with a TTL: target %v, want 32", got)
	}
}

func TestFlags(t *testing.T) {
	f, err := parseFlags(nil)
	if err != nil || !f.whole() || f.seconds != 2 || f.rounds != 3 || f.keys != 1_000_000 || f.requests != unlimitedRequests {
		t.Errorf("no flags: %+v, %v", f, err)
	}
	if f, err = parseFlags([]string{"-quick"}); err != nil || f.whole() || f.seconds != 0.6 || f.rounds != 1 {
		t.Errorf("-quick: %+v, %v", f, err)
	}
	if f, err = parseFlags([]string{"-quick", "-rounds=3", "-keys=5", "-seconds=1"}); err != nil || f.rounds != 3 || f.keys != 5 || f.seconds != 1 {
		t.Errorf("-quick with figures of its own: %+v, %v", f, err)
	}
	for _, args := range []string{"-only=node", "-cell=GET", "-keys=5", "-requests=5"} {
		if f, err = parseFlags([]string{args}); err != nil || f.whole() {
			t.Errorf("%s stands for a whole run: %v", args, err)
		}
	}
	for _, bad := range []string{"-rounds=-1", "-keys=2000001", "-generator=ab", "-load-core=0", "x", "-seconds=-1", "-conns=0"} {
		if _, err := parseFlags([]string{bad}); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
}

func TestRunner(t *testing.T) {
	if _, err := newRunner(flags{only: "gateway,console"}); err == nil {
		t.Error("-only console was accepted")
	}
	r, err := newRunner(flags{only: "node", cell: "^GET/.*/d16", keys: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if c := r.gatewayCells(64); len(c) != 1 || c[0].Depth != 16 {
		t.Errorf("-cell chose %v", c)
	}
	if c := r.manyCells(); len(c) != 1 || c[0].Space != 5000 || c[0].String() != "GET/64B/d16/5k" {
		t.Errorf("-cell chose %v of many keys", c)
	}
	if c := r.memoryCells(); len(c) != 4 || c[3].name() != "64B with TTL" || c[3].Keys != 5000 {
		t.Errorf("memory of %v", c)
	}
	if got := describe(time.Unix(0, 0), 2); got.Date != "1970-01-01" || got.Kernel == "unknown" {
		t.Errorf("machine: %+v", got)
	}
}
