package main

import (
	"encoding/csv"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const (
	stealMax   = 0.05 // a pair of runs with more CPU steal is repeated
	repeatsMax = 3    // and after so many repeats it counts as it is, with its steal in the report
	unlimited  = time.Hour
)

// plan is how long and how often to measure.
type plan struct {
	rounds         int           // interleaved pairs a cell
	run            time.Duration // a run ends after this time
	requests       int           // or after so many requests, whichever is first
	conns          int
	keys           int
	redisBenchmark bool         // instead of the own generator
	stopped        func() error // asked before each run: not nil ends everything
}

// Sample is what one run measured.
type Sample struct {
	Ops       int
	PerSecond float64
	CPU       float64 `json:",omitempty"` // µs of the server's CPU an operation
	User      float64 `json:",omitempty"` // part of it outside the kernel
	P50       float64 // µs
	P99       float64
	P999      float64
	Max       float64
	Late      float64 `json:",omitempty"` // open loop: the generator's own lateness, µs at p99
	Steal     float64
	PerTurn   float64 `json:",omitempty"` // commands a turn, where the server counts turns
	Writes    float64 `json:",omitempty"` // socket writes a command

	sent int // commands, those to warm up too
}

// Cell is one line of a table: the same load on ours and on theirs, in turns.
type Cell struct {
	Workload Workload
	Ours     []Sample
	Theirs   []Sample
	Target   float64 // of Ratio; 0: none is set
	Repeats  int     // pairs thrown away for CPU steal
}

// Ratio is ours to theirs in CPU an operation, the median of the rounds.
func (c *Cell) Ratio() float64 { return cpuRatio(c.Ours, c.Theirs) }

func cpuRatio(ours, theirs []Sample) float64 {
	return medianRatio(column(ours, cpuOf), column(theirs, cpuOf))
}

// pairs measures ours, theirs, ours, theirs …
func (p plan) pairs(ours, theirs *Server, w Workload, target float64) (Cell, error) {
	c := Cell{Workload: w, Target: target}
	turns, err := newTurnCounter(ours)
	if err != nil {
		return c, err
	}
	for range p.rounds {
		var a, b Sample
		again, err := p.calm(func() (float64, error) {
			var err error
			if a, err = p.measure(ours, w); err != nil {
				return 0, err
			}
			if b, err = p.measure(theirs, w); err != nil {
				return 0, err
			}
			return max(a.Steal, b.Steal), turns.fill(&a) // counted while theirs ran
		})
		if err != nil {
			return c, err
		}
		c.Repeats += again
		c.Ours, c.Theirs = append(c.Ours, a), append(c.Theirs, b)
	}
	return c, nil
}

// calm does once, which returns the CPU steal, again while there was too much of it; it returns how often.
func (p plan) calm(once func() (float64, error)) (repeats int, err error) {
	for {
		if err := p.stopped(); err != nil {
			return repeats, err
		}
		steal, err := once()
		if err != nil || steal <= stealMax || repeats == repeatsMax {
			return repeats, err
		}
		repeats++
	}
}

// measure runs one workload against one server in a closed loop.
func (p plan) measure(s *Server, w Workload) (Sample, error) {
	if err := p.stopped(); err != nil {
		return Sample{}, err
	}
	load := p.own
	if p.redisBenchmark && w.Keys == 1 {
		load = p.foreign
	}
	sample, err := load(s, w)
	if err != nil {
		return Sample{}, fmt.Errorf("%s against %s: %w", w, s.Name, err)
	}
	return sample, nil
}

func (p plan) own(s *Server, w Workload) (Sample, error) {
	g, err := newGenerator([]string{s.Addr}, p.conns, w, p.space(w))
	if err != nil {
		return Sample{}, err
	}
	defer g.close()
	warm, err := g.warm(p)
	if err != nil {
		return Sample{}, err
	}
	out, err := watch(s, func() (int, error) { return g.closed(p.requests, p.run) })
	if err != nil {
		return Sample{}, err
	}
	out.sent = warm + out.Ops
	out.latency(g)
	return out, g.verdict()
}

func (p plan) space(w Workload) int {
	if w.Space > 0 {
		return w.Space
	}
	return p.keys
}

// warm sends for a moment what is measured next.
func (g *generator) warm(p plan) (int, error) {
	n, err := g.closed(p.requests, p.run/10)
	if err != nil {
		return n, err
	}
	if err := g.verdict(); err != nil {
		return n, err
	}
	g.reset()
	return n, nil
}

// verdict fails a run with wrong replies: its figures would be of other work.
func (g *generator) verdict() error {
	if g.errors > 0 {
		return fmt.Errorf("%d wrong replies, the first %s", g.errors, g.sample)
	}
	return nil
}

func (s *Sample) latency(g *generator) {
	s.P50, s.P99, s.P999, s.Max = quantile(g.hist, 50), quantile(g.hist, 99), quantile(g.hist, 99.9), quantile(g.hist, 100)
}

// watch measures what the server and the machine spend while load runs.
func watch(s *Server, load func() (int, error)) (Sample, error) {
	host0, err := readHost()
	if err != nil {
		return Sample{}, err
	}
	cpu0, err := readCPU(s.pid())
	if err != nil {
		return Sample{}, err
	}
	began := time.Now()
	n, err := load()
	if err != nil {
		return Sample{}, err
	}
	took := time.Since(began)
	cpu1, err := readCPU(s.pid())
	if err != nil {
		return Sample{}, err
	}
	host1, err := readHost()
	if err != nil {
		return Sample{}, err
	}
	return Sample{
		Ops: n, PerSecond: float64(n) / took.Seconds(), Steal: host1.stealSince(host0),
		CPU: float64(cpu1.since(cpu0)) / 1e3 / float64(max(n, 1)), User: cpu1.userShare(cpu0),
	}, nil
}

// foreign has redis-benchmark make the same load: a check that the own generator favours nobody.
func (p plan) foreign(s *Server, w Workload) (Sample, error) {
	host, prt, _ := strings.Cut(s.Addr, ":")
	n := min(p.requests, int(p.run.Seconds()*40_000)*min(w.Depth, 10))
	args := []string{
		"-h", host, "-p", prt, "-c", strconv.Itoa(p.conns), "-P", strconv.Itoa(w.Depth), "-n", strconv.Itoa(n),
		"-r", strconv.Itoa(p.space(w)), "-d", strconv.Itoa(w.Value), "-t", strings.ToLower(w.Op), "--csv",
	}
	var csvOut []byte
	out, err := watch(s, func() (int, error) {
		var err error
		csvOut, err = exec.Command("redis-benchmark", args...).Output()
		return n, err
	})
	if err != nil {
		return Sample{}, fmt.Errorf("redis-benchmark: %w", err)
	}
	out.sent = n
	out.PerSecond, out.P50, out.P99, err = parseBenchmark(string(csvOut))
	return out, err
}

// parseBenchmark reads redis-benchmark's last CSV line: test, rps, and latencies in ms: avg, min, p50, p95, p99, max.
func parseBenchmark(s string) (perSecond, p50, p99 float64, err error) {
	rows, err := csv.NewReader(strings.NewReader(strings.TrimSpace(s))).ReadAll()
	if err != nil || len(rows) == 0 || len(rows[len(rows)-1]) != 8 {
		return 0, 0, 0, fmt.Errorf("redis-benchmark's output is not the CSV of version 7: %.200q", s)
	}
	row := rows[len(rows)-1]
	var v [3]float64
	for i, at := range []int{1, 4, 6} {
		if v[i], err = strconv.ParseFloat(row[at], 64); err != nil {
			return 0, 0, 0, fmt.Errorf("redis-benchmark's CSV: %w", err)
		}
	}
	return v[0], v[1] * 1e3, v[2] * 1e3, nil
}
