package main

import (
	"strings"
	"testing"
	"time"
)

func TestParseTurns(t *testing.T) {
	text := `# HELP larder_gateway_turns_total Rounds.
larder_gateway_turns_total 100
larder_gateway_commands_total{command="get",outcome="ok"} 1500
larder_gateway_commands_total{command="set name",outcome="error"} 1e2
larder_gateway_writes_total 350
go_commands_total 9
larder_gateway_clients 50
`
	got, err := parseTurns(strings.NewReader(text))
	if want := (turnCounts{turns: 100, commands: 1600, writes: 350}); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if _, err := parseTurns(strings.NewReader("larder_gateway_turns_total x\n")); err == nil {
		t.Error("a count that is no number was accepted")
	}
}

func TestParseBenchmark(t *testing.T) {
	out := `"test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
"GET","58479.53","0.614","0.200","0.583","0.799","0.919","1.543"
`
	perSecond, p50, p99, err := parseBenchmark(out)
	if err != nil || perSecond != 58479.53 || p50 != 583 || p99 != 919 {
		t.Errorf("got %v %v %v %v", perSecond, p50, p99, err)
	}
	for _, bad := range []string{"", "ERR", `"GET","1"`} {
		if _, _, _, err := parseBenchmark(bad); err == nil {
			t.Errorf("%q was accepted", bad)
		}
	}
}

func TestReport(t *testing.T) {
	w := Workload{Op: "GET", Keys: 1, Value: 64, Depth: 16}
	r := Results{
		Rounds: 3, Seconds: 2, Conns: 50, Keys: keysMax,
		Gateway: []Cell{
			{Workload: w, Target: gatewayTarget(w), Ours: []Sample{{CPU: 0.4, PerTurn: 12.5}}, Theirs: []Sample{{CPU: 0.8}}},
			{Workload: w, Target: gatewayTarget(w), Ours: []Sample{{CPU: 0.9}}, Theirs: []Sample{{CPU: 1, Steal: 0.07}}, Repeats: 3},
		},
		Latency: []LatencyCell{{Rate: Rate{5000, 50}, Direct: []Sample{{P99: 50}}, Theirs: []Sample{{P99: 50}}, Ours: []Sample{{P99: 90}}}},
		Memory:  []MemoryCell{{Server: "redis", Value: 64, Keys: 1000, After: 184_000}},
	}
	var md strings.Builder
	r.markdown(&md)
	for _, want := range []string{
		"| GET/64B/d16 | 0.400 | 0.800 | **0.50** | 0.50–0.50 | ≤ 0.85 | met |", "| 12.50 |",
		"| **0.90** | 0.90–0.90 | ≤ 0.85 | **missed** |", "7.0 %, 3 repeated", "nothing to compare", "| **104.0** |",
	} {
		if !strings.Contains(md.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, md.String())
		}
	}
}

func TestTargets(t *testing.T) {
	tests := []struct {
		w             Workload
		gateway, node float64
	}{
		{Workload{Op: "GET", Keys: 1, Depth: 1}, 1.05, 1.05},
		{Workload{Op: "SET", Keys: 1, Depth: 64}, 0.35, 0.5},
		{Workload{Op: "MGET", Keys: 10, Depth: 16}, 0.7, 0},
		{Workload{Op: "MSET", Keys: 10, Depth: 16}, 0, 0},
	}
	for _, tt := range tests {
		if g, n := gatewayTarget(tt.w), nodeTarget(tt.w); g != tt.gateway || n != tt.node {
			t.Errorf("%s: targets %v and %v, want %v and %v", tt.w, g, n, tt.gateway, tt.node)
		}
	}
}

func TestFlags(t *testing.T) {
	f, err := parseFlags(nil)
	if err != nil || !f.whole() || f.seconds != 2 || f.requests != unlimitedRequests {
		t.Errorf("no flags: %+v, %v", f, err)
	}
	if f, err = parseFlags([]string{"-quick"}); err != nil || f.whole() || f.seconds != 0.6 {
		t.Errorf("-quick: %+v, %v", f, err)
	}
	for _, bad := range []string{"-rounds=0", "-keys=1000001", "-generator=ab", "-load-core=0", "x", "-seconds=-1"} {
		if _, err := parseFlags([]string{bad}); err == nil {
			t.Errorf("%s was accepted", bad)
		}
	}
	if _, err := newRunner(flags{only: "gateway,console"}); err == nil {
		t.Error("-only console was accepted")
	}
	r, err := newRunner(flags{only: "node", cell: "^GET/.*/d16$"})
	if err != nil || len(r.gatewayCells(64)) != 1 || r.gatewayCells(64)[0].Depth != 16 {
		t.Errorf("-cell: %v, %v", r, err)
	}
	if got := describe(time.Unix(0, 0), 2); got.Date != "1970-01-01" || got.Kernel == "unknown" {
		t.Errorf("machine: %+v", got)
	}
}
