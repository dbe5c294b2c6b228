package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

func TestTurns(t *testing.T) {
	text := `# HELP larder_gateway_turns_total Rounds.
larder_gateway_turns_total 100
larder_gateway_commands_total{command="get",outcome="ok"} 1500
larder_gateway_commands_total{command="set name",outcome="error"} 1e2
larder_gateway_writes_total 350
go_commands_total 9
larder_gateway_clients 50
`
	s, err := parseSeries(strings.NewReader(text))
	if want := (turnCounts{turns: 100, commands: 1600, writes: 350}); err != nil || s.turns() != want {
		t.Errorf("got %+v, %v; want %+v", s.turns(), err, want)
	}
	if _, err := parseSeries(strings.NewReader("larder_gateway_turns_total x\n")); err == nil {
		t.Error("a count that is no number was accepted")
	}
}

// A run's counts are taken when all it sent is published, however late that is.
func TestTurnCounterWaits(t *testing.T) {
	var looks atomic.Int64
	h := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		commands := 1000
		if looks.Add(1) > 4 {
			commands = 1600
		}
		fmt.Fprintf(w, "larder_engine_turns_total %d\nlarder_engine_commands_total{command=\"get\"} %d\nlarder_engine_writes_total %d\n", commands/20, commands, commands/2)
	})
	server := httptest.NewServer(h)
	defer server.Close()
	c, err := newTurnCounter(&Server{Metrics: strings.TrimPrefix(server.URL, "http://")})
	if err != nil {
		t.Fatal(err)
	}
	s := Sample{sent: 600}
	if err := c.fill(&s); err != nil || s.PerTurn != 20 || s.Writes != 0.5 {
		t.Errorf("%v commands a turn, %v writes a command, %v; want 20 and 0.5", s.PerTurn, s.Writes, err)
	}
	if none, err := newTurnCounter(&Server{}); err != nil || none.fill(&s) != nil {
		t.Errorf("a server without metrics: %v", err)
	}
}

func TestGoUse(t *testing.T) {
	text := `go_cpu_classes_gc_total_cpu_seconds_total 0.5
process_cpu_seconds_total 10
go_memstats_heap_inuse_bytes 2.097152e+06
go_gc_duration_seconds{quantile="1"} 0.0002
go_gc_duration_seconds_count 7
`
	s, err := parseSeries(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	u, err := s.goUse()
	if want := (goUse{gc: 0.5, cpu: 10, heap: 2 << 20, stop: 0.0002, cycles: 7}); err != nil || u != want {
		t.Errorf("got %+v, %v; want %+v", u, err, want)
	}
	var g GoShare
	g.add(goUse{gc: 0.4, cpu: 5, cycles: 3}, u)
	g.add(goUse{gc: 0.4, cpu: 5, cycles: 3}, goUse{gc: 0.6, cpu: 15, heap: 1 << 20, cycles: 9})
	if g.Share < 0.0199 || g.Share > 0.0201 || g.StopMS != 0.2 || g.HeapMiB != 2 || g.Cycles != 6 {
		t.Errorf("over two runs: %+v", g)
	}
	delete(s, "process_cpu_seconds_total")
	if _, err := s.goUse(); err == nil {
		t.Error("a series is missing, and no error")
	}
}
