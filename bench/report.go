package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"strings"
)

// Results is a whole run, as written to the JSON file.
type Results struct {
	Machine    Machine
	Rounds     int
	Seconds    float64 // a run
	Conns      int
	Keys       int
	Quick      bool
	Gateway    []Cell           `json:",omitempty"`
	Node       []Cell           `json:",omitempty"`
	Behind     []Cell           `json:",omitempty"`
	Latency    []LatencyCell    `json:",omitempty"`
	Beside     []BesideCell     `json:",omitempty"`
	PubSub     []Cell           `json:",omitempty"`
	Blocked    []Cell           `json:",omitempty"`
	Pieces     []PieceCell      `json:",omitempty"`
	Memory     []MemoryCell     `json:",omitempty"`
	WriteLoad  []WritesCell     `json:",omitempty"`
	Burst      []BurstCell      `json:",omitempty"`
	Stream     []StreamCell     `json:",omitempty"`
	Types      []TypeCell       `json:",omitempty"`
	TypeMemory []TypeMemory     `json:",omitempty"`
	Loading    []LoadCell       `json:",omitempty"`
	Save       []SaveCell       `json:",omitempty"`
	Sync       []SyncCell       `json:",omitempty"`
	Tell       []TellCell       `json:",omitempty"`
	Always     []Cell           `json:",omitempty"`
	Fsync      []FsyncCell      `json:",omitempty"`
	Replicated []ReplicatedCell `json:",omitempty"`
	Snapshots  []SnapshotCells  `json:",omitempty"`
	Levels     []LevelCell      `json:",omitempty"`
}

// write puts the report at path and the figures of every single run beside it.
func (r *Results) write(path string) error {
	var md strings.Builder
	r.markdown(&md)
	if err := os.WriteFile(path, []byte(md.String()), 0o644); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	side := strings.TrimSuffix(path, ".md") + ".json"
	if err := os.WriteFile(side, append(b, '\n'), 0o644); err != nil {
		return fmt.Errorf("write results: %w", err)
	}
	return nil
}

func (r *Results) markdown(w io.Writer) {
	m := r.Machine
	fmt.Fprintf(w, "# Measured\n\nWritten by `make bench` (`go run ./bench`); every single run's figures are in the JSON file beside this one.\n\n")
	fmt.Fprintf(w, "| | |\n|---|---|\n| date | %s |\n| larder | %s |\n| machine | %s, %d CPUs, %d MiB |\n| system | %s, Linux %s |\n| Go | %s |\n| peers | %s; %s |\n",
		m.Date, m.Commit, m.CPU, m.CPUs, m.MemoryMiB, m.System, m.Kernel, m.Go, m.Redis, m.Nutcracker)
	fmt.Fprintf(w, "| method | %d rounds of interleaved pairs, %.3g s a run, %d connections, %d keys; the server under test on one core, generator and backends on another; CPU by the scheduler's count in /proc |\n",
		r.Rounds, r.Seconds, r.Conns, r.Keys)
	if r.Quick {
		fmt.Fprintf(w, "\nA quick run: short, 64-byte values only. Use it for direction, not as a figure.\n")
	}
	if len(r.Gateway) > 0 {
		fmt.Fprintf(w, "\n## Gateway, in front of 3 redis-servers, against nutcracker on the same ones\n\n")
		pairsTable(w, "gateway", "nutcracker", r.Gateway)
	}
	if len(r.Node) > 0 {
		fmt.Fprintf(w, "\n## Node, against redis-server\n\n")
		pairsTable(w, "engine", "redis-server", r.Node)
	}
	if len(r.Behind) > 0 {
		fmt.Fprintf(w, "\n## Node behind the gateway, against redis-server behind the same gateway\n\n%d clients at depth 1. Measured is the node's process; the gateway shares the generator's core.\n\n", behindConns)
		pairsTable(w, "engine", "redis-server", r.Behind)
	}
	r.latencyTable(w)
	r.besideTable(w)
	r.pubsubTable(w)
	r.blockedTable(w)
	r.piecesTable(w)
	r.memoryTable(w)
	r.writesTable(w)
	r.expiryTables(w)
	r.typesTables(w)
	r.loadingTable(w)
	r.saveTable(w)
	r.followingTables(w)
	r.fsyncTables(w)
	r.replicatedTable(w)
	r.snapshotsTable(w)
	r.levelsTable(w)
}

func pairsTable(w io.Writer, ours, theirs string, cells []Cell) {
	fmt.Fprintf(w, "Server CPU per operation in µs, medians; the ratio is the median of the rounds' ratios, with the least and the greatest.\n\n")
	fmt.Fprintf(w, "| load | %s | %s | ratio | (range) | target | | user part | commands a turn | writes a command | steal |\n|---|---|---|---|---|---|---|---|---|---|---|\n", ours, theirs)
	for i := range cells {
		c := &cells[i]
		lo, hi := c.span()
		fmt.Fprintf(w, "| %s | %.3f | %.3f | **%.2f** | %.2f–%.2f | %s | %s | %.0f / %.0f %% | %s | %s | %s |\n", c.Workload,
			mid(c.Ours, cpuOf), mid(c.Theirs, cpuOf), c.Ratio(), lo, hi, atMost(c.Target), verdict(c.Ratio(), c.Target),
			100*mid(c.Ours, userOf), 100*mid(c.Theirs, userOf), orDash(mid(c.Ours, func(s Sample) float64 { return s.PerTurn })),
			orDash(mid(c.Ours, func(s Sample) float64 { return s.Writes })), stealName(stealMost(slices.Concat(c.Ours, c.Theirs)), c.Repeats))
	}
	fmt.Fprintf(w, "\nThroughput and latency in the same runs (closed loop: the next batch follows the last one's replies; the generator's core is often the limit).\n\n")
	fmt.Fprintf(w, "| load | %s /s | %s /s | %s p50 / p99 / p99.9 µs | %s p50 / p99 / p99.9 µs |\n|---|---|---|---|---|\n", ours, theirs, ours, theirs)
	for i := range cells {
		c := &cells[i]
		fmt.Fprintf(w, "| %s | %.0f | %.0f | %s | %s |\n", c.Workload, mid(c.Ours, rateOf), mid(c.Theirs, rateOf), quantiles(c.Ours), quantiles(c.Theirs))
	}
}

func cpuOf(s Sample) float64  { return s.CPU }
func userOf(s Sample) float64 { return s.User }
func rateOf(s Sample) float64 { return s.PerSecond }

// mid is the middle of the rounds, most their greatest or 0.
func mid[S any](s []S, f func(S) float64) float64 { return median(column(s, f)) }

func most[S any](s []S, f func(S) float64) float64 { return slices.Max(append(column(s, f), 0)) }

func quantiles(s []Sample) string {
	return fmt.Sprintf("%.0f / %.0f / %.0f", mid(s, func(s Sample) float64 { return s.P50 }), mid(s, p99), mid(s, func(s Sample) float64 { return s.P999 }))
}

// span is the least and the greatest of the rounds' ratios.
func (c *Cell) span() (lo, hi float64) {
	r := make([]float64, len(c.Ours))
	for i := range r {
		r[i] = c.Ours[i].CPU / c.Theirs[i].CPU
	}
	return slices.Min(r), slices.Max(r)
}

func stealMost(s []Sample) float64 {
	return most(s, func(s Sample) float64 { return s.Steal })
}

// stealName says how much CPU steal there was at most, and how many rounds were repeated for too much of it.
func stealName(most float64, repeats int) string {
	if repeats == 0 {
		return fmt.Sprintf("%.1f %%", 100*most)
	}
	return fmt.Sprintf("%.1f %%, %d repeated", 100*most, repeats)
}

func atMost(target float64) string {
	if target == 0 {
		return "–"
	}
	return fmt.Sprintf("≤ %.2f", target)
}

func verdict(ratio, target float64) string {
	switch {
	case target == 0:
		return ""
	case math.IsNaN(ratio):
		return "nothing to compare"
	case ratio <= target:
		return "ok"
	}
	return "**MISSED**"
}

// judged is target and verdict for a line of progress.
func judged(v, target float64) string {
	if target == 0 {
		return ""
	}
	return fmt.Sprintf(" (%s: %s)", atMost(target), strings.Trim(verdict(v, target), "*"))
}

func orDash(v float64) string {
	if v == 0 || math.IsNaN(v) {
		return "–"
	}
	return fmt.Sprintf("%.2f", v)
}
