package main

import (
	"strings"
	"testing"
)

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
		Rounds: 3, Seconds: 2, Conns: 50, Keys: keysUsual,
		Gateway: []Cell{
			{Workload: w, Target: gatewayTarget(w), Ours: []Sample{{CPU: 0.4, PerTurn: 12.5}}, Theirs: []Sample{{CPU: 0.8}}},
			{Workload: w, Target: gatewayTarget(w), Ours: []Sample{{CPU: 0.9}}, Theirs: []Sample{{CPU: 1, Steal: 0.07}}, Repeats: 3},
		},
		Behind:  []Cell{{Workload: w, Target: behindTarget, Ours: []Sample{{CPU: 1}}, Theirs: []Sample{{CPU: 2}}}},
		Latency: []LatencyCell{{Rate: Rate{5000, 50}, Direct: []Sample{{P99: 50}}, Theirs: []Sample{{P99: 50}}, Ours: []Sample{{P99: 90}}}},
		Memory:  []MemoryCell{{Value: 64, TTL: true, Keys: 1000, Ours: Footprint{0, 110_000}, Theirs: Footprint{0, 184_000}, Target: 32}},
		WriteLoad: []WritesCell{{
			Keys: 5_000_000, Conns: 50, Ours: []Sample{{P999: 500}}, Theirs: []Sample{{P999: 250}},
			Go: GoShare{Share: 0.005, StopMS: 1.5, HeapMiB: 20},
		}},
		Burst:   []BurstCell{{Keys: 1_000_000, Ours: []Burst{{LongestMS: 1.5}, {LongestMS: 1}, {LongestMS: 9}}, Theirs: []Burst{{LongestMS: 25}}}},
		Loading: []LoadCell{{Keys: 2_000_000, MiB: 230, Ours: []Loaded{{WallS: 1, CPUS: 0.9}}, Theirs: []Loaded{{WallS: 2, CPUS: 1.8}}}},
		Save: []SaveCell{{
			Keys: 2_000_000, Ours: []Saved{{Seconds: 5, ExtraMiB: 50, QuietP99: 1000, P99: 1500, LongestMS: 4}}, Theirs: []Saved{{Seconds: 10, ExtraMiB: 1000, QuietP99: 1000, P99: 90_000, LongestMS: 120}},
		}},
		Sync:   []SyncCell{{Keys: 2_000_000, Ours: []Synced{{Seconds: 6, CPUS: 2}}, Theirs: []Synced{{Seconds: 5, CPUS: 4}}}},
		Tell:   []TellCell{{Alone: Cell{Ours: []Sample{{CPU: 0.5}}, Theirs: []Sample{{CPU: 1.5}}}, Followed: Cell{Workload: w, Target: tellTarget, Ours: []Sample{{CPU: 0.7}}, Theirs: []Sample{{CPU: 2}}}}},
		Always: []Cell{{Workload: w, Target: alwaysTarget, Ours: []Sample{{PerSecond: 40_000, CPU: 9}}, Theirs: []Sample{{PerSecond: 50_000, CPU: 10}}}},
		Fsync: []FsyncCell{{
			Workload: w, OursOff: []Sample{{PerSecond: 200_000}}, OursOn: []Sample{{PerSecond: 180_000}}, TheirsOff: []Sample{{PerSecond: 100_000}}, TheirsOn: []Sample{{PerSecond: 80_000}},
		}},
		Replicated: []ReplicatedCell{{Workload: Workload{Op: "SET", Value: 64, Depth: 1}, Conns: 1, Async: []Sample{{P50: 200}}, Replicated: []Sample{{P50: 320}}}},
		Stream:     []StreamCell{{Keys: 1_000_000, PerSecond: 100_000, Ours: []Stream{{LateS: 0.2, CPU: 0.031}}, Theirs: []Stream{{LateS: 8, CPU: 0.08, Steal: 0.02}}}},
	}
	r.Snapshots = []SnapshotCells{{
		Level: 3, Theirs: []Saved{{Seconds: 20, ExtraMiB: 1000, QuietP99: 1000, P99: 90_000, LongestMS: 120}}, Zstd: []float64{5},
		Cells: []SnapshotCell{{
			Store: "folder", Keys: 2_000_000, MiB: 2000, Stored: 0.33, Taken: []Saved{{Seconds: 10, ExtraMiB: 50, QuietP99: 1000, P99: 2500, LongestMS: 4}},
			Restored: []Loaded{{WallS: 10, CPUS: 9.5}},
		}},
	}}
	r.Levels = []LevelCell{{Kind: valuesText, Level: 3, Raw: 1000, Compressed: 400, Write: 5, Read: 2}}
	var md strings.Builder
	r.markdown(&md)
	for _, want := range []string{
		"| GET/64B/d16 | 0.400 | 0.800 | **0.50** | 0.50–0.50 | ≤ 0.85 | ok |", "| 12.50 |",
		"| **0.90** | 0.90–0.90 | ≤ 0.85 | **MISSED** |", "7.0 %, 3 repeated", "| ≤ 0.60 | ok |", "nothing to compare",
		"| 64B with TTL | 1k | **30.0** | 104.0 | ≤ 32.00 | ok |", "5M live keys", "| **2.00** | ≤ 1.25 | **MISSED** |",
		"| **0.50 %** | < 1 % | ok |", "| **1.500** | ≤ 1 | **MISSED** |", "| **20.0** | < 64 | ok |",
		"2M keys, 230 MiB as", "| seconds | 1.00 | 2.00 | **0.50** | ≤ 0.67 | ok |", "| seconds of CPU | 0.90 | 1.80 | 0.50 |",
		"| extra memory, MiB | 50 | 1000 | **0.05** | ≤ 0.10 | ok |", "| seconds | 5.0 | 10.0 | **0.50** | ≤ 1.00 | ok |",
		"| 1.00 → 1.50 | 1.00 → 90.00 |", "| p99 during to p99 before | **1.50** | 90.00 | | ≤ 2.00 | ok |",
		"| seconds | 6.00 | 5.00 | **1.20** | ≤ 1.00 | **MISSED** |", "| seconds of the primary's CPU | 2.00 | 4.00 | 0.50 |",
		"part is 0.200 µs in the engine and 0.500 µs in redis-server", "| GET/64B/d16 | 0.700 | 2.000 | **0.35** |",
		"| writes a second | 40000 | 50000 | **1.25** | ≤ 1.00 | **MISSED** |",
		"| GET/64B/d16 | 200000 → 180000 | **10.0 %** | ≤ 15 % | ok | 100000 → 80000 | 20.0 % |",
		"| SET/64B/d1 | 1 | 200 / 0 / 0 | 320 / 0 / 0 | **1.60** | ≤ 1.50 | **MISSED** |",
		"| folder | 2M, 2000 MiB, 33 % | 50 | 1000 | **0.05** | ≤ 0.10 | ok | 10.0 | 20.0 + 5.0 | **0.40** | ≤ 1.00 | ok |",
		"| folder | 1.00 → 2.50 | **2.50** | ≤ 2.00 | **MISSED** |", "| **210** | 9.5 | ≥ 200 | ok |",
		"| text | 3 | **2.50** | 40 % | 5.00 | 200 | 2.00 | 500 |",
		"## 1M keys expire at one moment", "| **1.50** | 25.00 | ≤ 2.00 | ok |",
		"## 100k keys expire a second", "| **0.20** | 8.00 | ≤ 1.00 | ok |", "| **3.1 %** | 8.0 % | ≤ 3 % | **MISSED** |", "Steal 2.0 %.",
	} {
		if !strings.Contains(md.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, md.String())
		}
	}
	var empty strings.Builder
	(&Results{}).markdown(&empty)
	if strings.Contains(empty.String(), "## ") {
		t.Errorf("a run of nothing has sections:\n%s", empty.String())
	}
}
