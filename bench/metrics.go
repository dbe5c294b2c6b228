package main

import (
	"bufio"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	publishEvery = 1100 * time.Millisecond // a larder process publishes its counters once a second
	publishMax   = 5 * time.Second
)

// series is the value of each series of one look at /metrics, by name with its labels.
type series map[string]float64

func readSeries(metrics string) (series, error) {
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Get("http://" + metrics + "/metrics")
	if err != nil {
		return nil, fmt.Errorf("read metrics: %w", err)
	}
	defer resp.Body.Close()
	defer client.CloseIdleConnections()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("read metrics: %s", resp.Status)
	}
	return parseSeries(resp.Body)
}

// parseSeries reads Prometheus's text form.
func parseSeries(r io.Reader) (series, error) {
	s := series{}
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || line[0] == '#' {
			continue
		}
		v, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			return nil, fmt.Errorf("read metrics: %q: %w", line, err)
		}
		s[line[:at]] = v
	}
	return s, lines.Err()
}

// turnCounts is what a larder process has counted: rounds of its loops, commands answered, writes to sockets.
type turnCounts struct{ turns, commands, writes float64 }

// turns sums the series larder_<role>_{turns,commands,writes}_total.
func (s series) turns() turnCounts {
	var t turnCounts
	for line, v := range s {
		name, _, _ := strings.Cut(line, "{")
		switch {
		case !strings.HasPrefix(name, "larder_"):
		case strings.HasSuffix(name, "_turns_total"):
			t.turns += v
		case strings.HasSuffix(name, "_commands_total"):
			t.commands += v
		case strings.HasSuffix(name, "_writes_total"):
			t.writes += v
		}
	}
	return t
}

// turnCounter tells the commands a turn of one run after the other. A run's counts are complete only when they are
// published, so it waits for that.
type turnCounter struct {
	server *Server
	seen   turnCounts
}

// newTurnCounter waits until what was sent before is published. A server without metrics is fine: nothing is counted.
func newTurnCounter(s *Server) (*turnCounter, error) {
	t := &turnCounter{server: s}
	if s.Metrics == "" {
		return t, nil
	}
	for known := false; ; known = true {
		now, err := readSeries(s.Metrics)
		if err != nil {
			return nil, err
		}
		before := t.seen.commands
		if t.seen = now.turns(); known && t.seen.commands == before {
			return t, nil
		}
		time.Sleep(publishEvery)
	}
}

// fill sets the sample's figures, once all that it sent is published.
func (t *turnCounter) fill(s *Sample) error {
	if t.server.Metrics == "" {
		return nil
	}
	for end := time.Now().Add(publishMax); ; time.Sleep(publishEvery / 10) {
		now, err := readSeries(t.server.Metrics)
		if err != nil {
			return err
		}
		c := now.turns()
		commands, turns := c.commands-t.seen.commands, c.turns-t.seen.turns
		if commands >= float64(s.sent) && turns > 0 {
			s.PerTurn, s.Writes = commands/turns, (c.writes-t.seen.writes)/max(commands, 1)
			t.seen = c
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%s was sent %d commands and after %s has published %.0f", t.server.Name, s.sent, publishMax, commands)
		}
	}
}

// goUse is what Go's runtime says of a larder process.
type goUse struct {
	gc     float64 // seconds of CPU spent collecting, those on otherwise idle CPUs too; counted at each cycle's end
	cpu    float64 // seconds of CPU the process used
	heap   float64 // bytes
	stop   float64 // seconds: the longest that a cycle of the last 256 stopped everything
	cycles float64
}

func (s series) goUse() (goUse, error) {
	var u goUse
	for name, into := range map[string]*float64{
		"go_cpu_classes_gc_total_cpu_seconds_total": &u.gc,
		"process_cpu_seconds_total":                 &u.cpu,
		"go_memstats_heap_inuse_bytes":              &u.heap,
		`go_gc_duration_seconds{quantile="1"}`:      &u.stop,
		"go_gc_duration_seconds_count":              &u.cycles,
	} {
		v, ok := s[name]
		if !ok {
			return u, fmt.Errorf("read metrics: no %s", name)
		}
		*into = v
	}
	return u, nil
}
