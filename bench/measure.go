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
	CPU       float64 // µs of the server's CPU an operation
	User      float64 // part of it outside the kernel
	P50       float64 // µs
	P99       float64
	P999      float64
	Late      float64 `json:",omitempty"` // open loop: the generator's own lateness, µs at p99
	Steal     float64
	PerTurn   float64 `json:",omitempty"` // commands a turn, where the server counts turns
	Writes    float64 `json:",omitempty"` // socket writes a command
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
func (c *Cell) Ratio() float64 {
	cpu := func(s Sample) float64 { return s.CPU }
	return medianRatio(column(c.Ours, cpu), column(c.Theirs, cpu))
}

// pairs measures ours, theirs, ours, theirs …
func (p plan) pairs(ours, theirs *Server, w Workload, target float64) (Cell, error) {
	c := Cell{Workload: w, Target: target}
	for range p.rounds {
		for try := 0; ; try++ {
			a, err := p.measure(ours, w)
			if err != nil {
				return c, err
			}
			b, err := p.measure(theirs, w)
			if err != nil {
				return c, err
			}
			if max(a.Steal, b.Steal) > stealMax && try < repeatsMax {
				c.Repeats++
				continue
			}
			c.Ours, c.Theirs = append(c.Ours, a), append(c.Theirs, b)
			break
		}
	}
	return c, nil
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
	g, err := newGenerator([]string{s.Addr}, p.conns, w, p.keys)
	if err != nil {
		return Sample{}, err
	}
	defer g.close()
	if _, err := g.closed(p.requests, p.run/10); err != nil { // warm up
		return Sample{}, err
	}
	if err := g.verdict(); err != nil {
		return Sample{}, err
	}
	g.reset()
	n := 0
	out, err := watch(s, func() (int, error) {
		n, err = g.closed(p.requests, p.run)
		return n, err
	})
	if err != nil {
		return Sample{}, err
	}
	out.latency(g)
	return out, g.verdict()
}

// verdict fails a run with wrong replies: its figures would be of other work.
func (g *generator) verdict() error {
	if g.errors > 0 {
		return fmt.Errorf("%d wrong replies, the first %s", g.errors, g.sample)
	}
	return nil
}

func (s *Sample) latency(g *generator) {
	s.P50, s.P99, s.P999 = quantile(g.hist, 50), quantile(g.hist, 99), quantile(g.hist, 99.9)
}

// watch measures what the server and the machine spend while load runs.
func watch(s *Server, load func() (int, error)) (Sample, error) {
	var t0, t1 turnCounts
	var err error
	if s.Metrics != "" {
		if t0, err = readTurns(s.Metrics); err != nil {
			return Sample{}, err
		}
	}
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
	if s.Metrics != "" {
		if t1, err = readTurns(s.Metrics); err != nil {
			return Sample{}, err
		}
	}
	out := Sample{
		Ops: n, PerSecond: float64(n) / took.Seconds(), Steal: host1.stealSince(host0),
		CPU: float64(cpu1.since(cpu0)) / 1e3 / float64(max(n, 1)), User: cpu1.userShare(cpu0),
	}
	if t1.turns > t0.turns && t1.commands > t0.commands {
		out.PerTurn = (t1.commands - t0.commands) / (t1.turns - t0.turns)
		out.Writes = (t1.writes - t0.writes) / (t1.commands - t0.commands)
	}
	return out, nil
}

// foreign has redis-benchmark make the same load: a check that the own generator favours nobody.
func (p plan) foreign(s *Server, w Workload) (Sample, error) {
	host, prt, _ := strings.Cut(s.Addr, ":")
	n := min(p.requests, int(p.run.Seconds()*40_000)*min(w.Depth, 10))
	args := []string{
		"-h", host, "-p", prt, "-c", strconv.Itoa(p.conns), "-P", strconv.Itoa(w.Depth), "-n", strconv.Itoa(n),
		"-r", strconv.Itoa(p.keys), "-d", strconv.Itoa(w.Value), "-t", strings.ToLower(w.Op), "--csv",
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

// preload sets every key once, so that reads hit.
func (p plan) preload(addr string, value int) error {
	g, err := newGenerator([]string{addr}, p.conns, Workload{Op: "SET", Keys: 1, Value: value, Depth: 64}, p.keys)
	if err != nil {
		return fmt.Errorf("preload %s: %w", addr, err)
	}
	defer g.close()
	g.sequential = true
	n, err := g.closed(p.keys, unlimited)
	if err == nil {
		err = g.verdict()
	}
	if err != nil {
		return fmt.Errorf("preload %s after %d keys: %w", addr, n, err)
	}
	return nil
}
