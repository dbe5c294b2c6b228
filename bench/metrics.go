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

// turnCounts is what a larder process has counted: rounds of its loops, commands answered, writes to sockets. They
// are published together once a second, so their ratios are true though the counts are a little old.
type turnCounts struct{ turns, commands, writes float64 }

func readTurns(metrics string) (turnCounts, error) {
	client := http.Client{Timeout: 5 * time.Second}
	resp, err := client.Get("http://" + metrics + "/metrics")
	if err != nil {
		return turnCounts{}, fmt.Errorf("read metrics: %w", err)
	}
	defer resp.Body.Close()
	defer client.CloseIdleConnections()
	if resp.StatusCode != http.StatusOK {
		return turnCounts{}, fmt.Errorf("read metrics: %s", resp.Status)
	}
	return parseTurns(resp.Body)
}

// parseTurns sums the series larder_<role>_{turns,commands,writes}_total of Prometheus's text form.
func parseTurns(r io.Reader) (turnCounts, error) {
	var t turnCounts
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		at := strings.LastIndexByte(line, ' ')
		if at < 0 || !strings.HasPrefix(line, "larder_") {
			continue
		}
		name, _, _ := strings.Cut(line[:at], "{")
		var into *float64
		switch {
		case strings.HasSuffix(name, "_turns_total"):
			into = &t.turns
		case strings.HasSuffix(name, "_commands_total"):
			into = &t.commands
		case strings.HasSuffix(name, "_writes_total"):
			into = &t.writes
		default:
			continue
		}
		v, err := strconv.ParseFloat(line[at+1:], 64)
		if err != nil {
			return turnCounts{}, fmt.Errorf("read metrics: %q: %w", line, err)
		}
		*into += v
	}
	return t, lines.Err()
}
