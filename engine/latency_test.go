package engine_test

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/engine"
	"larder/internal/peers"
	"larder/metrics/slow"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// commandSamples reads the reply of LATENCY HISTORY.
func commandSamples(t *testing.T, reply []byte) (samples [][2]int64) {
	t.Helper()
	for it := resp.Elements(reply); ; {
		pair, ok := it.Next()
		if !ok {
			return samples
		}
		var sample [2]int64
		in := resp.Elements(pair)
		for i := range sample {
			e, _ := in.Next()
			n, err := strconv.ParseInt(strings.Trim(string(e), ":\r\n"), 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			sample[i] = n
		}
		samples = append(samples, sample)
	}
}

// eventOf makes an event of samples, as seconds and milliseconds.
func eventOf(samples [][2]int64, maxMS int64) *slow.Event {
	e := &slow.Event{MaxMS: maxMS}
	for _, s := range samples {
		e.Samples = append(e.Samples, slow.Spike{AtS: s[0], MS: s[1]})
	}
	return e
}

func bulkText(reply string) string {
	text, _ := resp.BulkOf([]byte(reply))
	return string(text)
}

func TestLatencyEvents(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	var took time.Duration
	b.slow(command.CmdSort, &took)
	b.slow(command.CmdIncr, &took)
	run := func(d time.Duration, line string) {
		took = d
		k.pipeline(line)
	}
	run(5*time.Millisecond, "SORT l")
	k.says("*0\r\n", "LATENCY", "LATEST")
	k.do("CONFIG", "SET", "latency-monitor-threshold", "2")
	run(2*time.Millisecond-1, "SORT l")
	k.says("*0\r\n", "LATENCY", "LATEST")
	run(2*time.Millisecond, "SORT l")
	run(3500*time.Microsecond, "SORT l") // of those in a second the longest counts
	run(2*time.Millisecond, "SORT l")
	k.says("*1\r\n*2\r\n:1700000000\r\n:3\r\n", "LATENCY", "HISTORY", "command")
	b.m.Advance(5 * time.Second)
	run(7*time.Millisecond, "INCR a")
	run(2*time.Millisecond, "SORT l")
	b.m.Advance(time.Second)
	// A run of quick commands with something long among them; which one it was is not known.
	took = 9 * time.Millisecond
	k.pipeline("GET a", "INCR a", "GET b")
	k.says("*2\r\n*4\r\n$7\r\ncommand\r\n:1700000005\r\n:2\r\n:3\r\n*4\r\n$12\r\nfast-command\r\n:1700000006\r\n:9\r\n:9\r\n", "LATENCY", "LATEST")
	k.says("*2\r\n*2\r\n:1700000000\r\n:3\r\n*2\r\n:1700000005\r\n:2\r\n", "LATENCY", "HISTORY", "command")
	k.says(":1\r\n", "LATENCY", "RESET", "command", "nosuch")
	k.says("*0\r\n", "LATENCY", "HISTORY", "command")
	k.says(":1\r\n", "LATENCY", "RESET")
	k.says(":0\r\n", "LATENCY", "RESET")
}

// An event keeps 160 samples.
func TestLatencyHistoryIsBounded(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	took := time.Second
	b.slow(command.CmdSort, &took)
	k.do("CONFIG", "SET", "latency-monitor-threshold", "1")
	for range 200 {
		k.do("SORT", "l")
		took -= time.Millisecond
		b.m.Advance(time.Second)
	}
	got := commandSamples(t, []byte(k.do("LATENCY", "HISTORY", "command")))
	if len(got) != 160 || got[0][1] != 960 || got[159][1] != 801 {
		t.Errorf("%d samples from %v to %v", len(got), got[0], got[len(got)-1])
	}
	if got := k.do("LATENCY", "LATEST"); !strings.HasSuffix(got, ":801\r\n:1000\r\n") {
		t.Errorf("%q", got)
	}
	graph := bulkText(k.do("LATENCY", "GRAPH", "command"))
	if lines := strings.Split(graph, "\n"); lines[0] != "command - high 960 ms, low 801 ms (all time high 1000 ms)" || len(lines) != 2+7+1+8+1 {
		t.Errorf("%d lines\n%s", len(lines), graph)
	}
}

// The room for a command is made before it, and is an event of its own; so are the slices of what the keyspace does by itself.
func TestLatencyOfChores(t *testing.T) {
	b := newBed(t, func(o *engine.Options) { o.MaxMemory, o.MaxMemoryPolicy = 64<<20, "allkeys-lru" })
	k := b.client()
	k.do("CONFIG", "SET", "latency-monitor-threshold", "1")
	b.m.Drift = 3 * time.Millisecond
	k.do("SETRANGE", "a", "0", "x")
	b.m.Drift = 0
	// There is one look before the room is made, one after it, and one after the command.
	k.says("*1\r\n*2\r\n:1700000000\r\n:3\r\n", "LATENCY", "HISTORY", "eviction-cycle")
	k.says("*1\r\n*2\r\n:1700000000\r\n:6\r\n", "LATENCY", "HISTORY", "command")
	k.do("LATENCY", "RESET")
	k.says("*0\r\n", "LATENCY", "LATEST")
	b.m.Drift = 3 * time.Millisecond
	b.m.Advance(0)
	b.m.Drift = 0
	for _, event := range []string{"expire-cycle", "eviction-cycle", "active-defrag-cycle"} {
		if got := commandSamples(t, []byte(k.do("LATENCY", "HISTORY", event))); len(got) != 1 || got[0][1] != 3 {
			t.Errorf("%s: %v", event, got)
		}
	}
	k.do("CONFIG", "SET", "latency-monitor-threshold", "0")
	k.do("LATENCY", "RESET")
	b.m.Drift = 3 * time.Millisecond
	b.m.Advance(0)
	b.m.Drift = 0
	k.says("*0\r\n", "LATENCY", "LATEST")
}

// TestLatencyAsRedis has a real server sleep, and draws and sums up what it noted as it does.
func TestLatencyAsRedis(t *testing.T) {
	c := peers.Dial(t, peers.StartRedis(t, "--enable-debug-command", "yes"), 2)
	c.Do("CONFIG", "SET", "latency-monitor-threshold", "1")
	const lag = 50 * time.Millisecond // what C's time may be behind ours, and more
	history := func() [][2]int64 { return commandSamples(t, c.Do("LATENCY", "HISTORY", "command")) }
	sleeps := []string{"0.003", "0.030", "0.012", "0.002"}
	for i := 0; i < len(sleeps) || i < 3*len(sleeps) && len(history()) < len(sleeps); i++ { // a clock that is set back makes one second of two
		if i > 0 { // each in a second of its own
			lastS := time.Now().Unix()
			for time.Now().Add(-lag).Unix() == lastS {
				time.Sleep(lag / 5)
			}
		}
		if got := string(c.Do("DEBUG", "SLEEP", sleeps[i%len(sleeps)])); got != "+OK\r\n" {
			t.Fatalf("%q", got)
		}
	}
	c.Do("CONFIG", "SET", "latency-monitor-threshold", "1000000") // from here on it notes nothing more
	samples := history()
	if len(samples) < len(sleeps) { // more where it was kept from the processor over another command
		t.Fatalf("%v", samples)
	}
	maxMS := slices.MaxFunc(samples, func(a, b [2]int64) int { return cmp.Compare(a[1], b[1]) })[1]
	ours := eventOf(samples, maxMS)
	fromS := time.Now().Unix()
	graph, report := bulkText(string(c.Do("LATENCY", "GRAPH", "command"))), bulkText(string(c.Do("LATENCY", "DOCTOR")))
	drawn, summed := false, false
	for nowS := fromS - 1; nowS <= time.Now().Unix(); nowS++ { // when it asked its clock, which may be behind ours, is not told
		drawn = drawn || ours.Graph("command", nowS) == graph
		summed = summed || strings.Contains(report, "\n1. command: "+ours.Summary(nowS)+"\n")
	}
	if !drawn {
		t.Errorf("%v: redis draws\n%s\nwe draw\n%s", samples, graph, ours.Graph("command", fromS))
	}
	if !summed {
		t.Errorf("redis reports\n%s\nwe\n%s", report, ours.Summary(fromS))
	}
}

// The first graph is what a real server drew; steps and ages of any size follow the same rules.
func TestLatencyGraph(t *testing.T) {
	const rule = "--------------------------------------------------------------------------------\n"
	for _, c := range []struct {
		samples [][2]int64
		want    string
	}{
		{[][2]int64{{1000, 3}, {1001, 35}, {1002, 3}, {1003, 3}}, "x - high 35 ms, low 3 ms (all time high 99 ms)\n" + rule + " #  \n |  \n |  \n_|__\n    \n4321\nssss\n"},
		{[][2]int64{{1004, 3}}, "x - high 3 ms, low 3 ms (all time high 99 ms)\n" + rule + " \n \n \n_\n \n0\ns\n"},
		{
			[][2]int64{{1004 - 3*24*3600, 1}, {1004 - 7200, 5}, {1004 - 600, 9}, {994, 13}},
			"x - high 13 ms, low 1 ms (all time high 99 ms)\n" + rule + "   #\n  #|\n o||\n_|||\n    \n3211\ndh00\n  ms\n",
		},
	} {
		if got := eventOf(c.samples, 99).Graph("x", 1004); got != c.want {
			t.Errorf("%v:\n%s\nwant\n%s", c.samples, got, c.want)
		}
	}
}

func TestLatencyDoctor(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	says := func(want string) {
		t.Helper()
		if got := bulkText(k.do("LATENCY", "DOCTOR")); !strings.Contains(got, want) {
			t.Errorf("%q has no %q", got, want)
		}
	}
	says("I'm sorry, Dave")
	k.do("CONFIG", "SET", "latency-monitor-threshold", "2")
	says("Dave, no latency spike was observed")
	took := 4 * time.Millisecond
	b.slow(command.CmdSort, &took)
	k.do("SORT", "l")
	b.m.Advance(3 * time.Second)
	says("1. command: 1 latency spikes (average 4ms, mean deviation 0ms, period 3.00 sec). Worst all time event 4ms.\n")
	says("Please use 'CONFIG SET slowlog-log-slower-than 2000'.")
	says("- Check your Slow Log")
	k.do("CONFIG", "SET", "slowlog-log-slower-than", "-1")
	says("Try to enable the Slow Log Redis feature using the command 'CONFIG SET slowlog-log-slower-than 2000'")
	k.do("CONFIG", "SET", "latency-monitor-threshold", "0")
	says("1. command: 1 latency spikes")
}

// What the percentiles and histograms are made of.
func TestLatencyTimes(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	var took time.Duration
	b.slow(command.CmdSort, &took)
	run := func(n int, d time.Duration) {
		took = d
		for range n {
			k.do("SORT", "l")
		}
	}
	k.do("GET") // refused: not timed
	run(90, 100*time.Nanosecond)
	run(9, 3*time.Microsecond)
	run(1, 5*time.Second)
	k.says("*2\r\n$4\r\nsort\r\n*4\r\n$5\r\ncalls\r\n:100\r\n$14\r\nhistogram_usec\r\n*6\r\n:1\r\n:90\r\n:4\r\n:99\r\n:1082130\r\n:100\r\n",
		"LATENCY", "HISTOGRAM", "SORT", "get", "nosuch")
	percentiles := func() string { return field(k.do("INFO", "latencystats"), "latency_percentiles_usec_sort") }
	if got := percentiles(); got != "p50=0.071,p99=4.096,p99.9=8160437.862" {
		t.Error(got)
	}
	k.do("CONFIG", "SET", "latency-tracking-info-percentiles", "0 100 12.5")
	if got := percentiles(); got != "p0=0.000,p100=8589934.592,p12.5=0.018" {
		t.Error(got)
	}
	calls := func(want string) {
		t.Helper()
		if got := k.do("LATENCY", "HISTOGRAM", "sort"); !strings.Contains(got, "calls\r\n:"+want+"\r\n") {
			t.Errorf("%q, want %s calls", got, want)
		}
	}
	for range 2 {
		k.do("CONFIG", "SET", "latency-tracking", "no")
		run(7, time.Microsecond)
		k.says("$16\r\n# Latencystats\r\n\r\n", "INFO", "latencystats")
		calls("100")
		k.do("CONFIG", "SET", "latency-tracking", "yes")
		calls("100")
	}
	run(1, time.Microsecond)
	calls("101")
	k.do("CONFIG", "SET", "latency-tracking", "no")
	run(1, time.Microsecond)
	k.do("CONFIG", "RESETSTAT")
	k.says("*0\r\n", "LATENCY", "HISTOGRAM", "sort")
	k.do("CONFIG", "SET", "latency-tracking", "yes")
	k.says("*0\r\n", "LATENCY", "HISTOGRAM", "sort")
	run(2, time.Microsecond)
	calls("2")
	k.do("CONFIG", "RESETSTAT")
	k.do("CONFIG", "GET", "port")
	// A container stands for its subcommands.
	if got := k.do("LATENCY", "HISTOGRAM", "config"); !strings.HasPrefix(got, "*4\r\n") || !strings.Contains(got, "config|get") || !strings.Contains(got, "config|resetstat") {
		t.Errorf("%q", got)
	}
}

func TestRoleAndLolwut(t *testing.T) {
	k := newBed(t, nil).client()
	k.says("*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n", "ROLE")
	version := field(k.do("INFO"), "redis_version")
	for _, args := range [][]string{{"LOLWUT"}, {"LOLWUT", "VERSION", "5"}, {"LOLWUT", "x"}} {
		if got := bulkText(k.do(args...)); !strings.HasSuffix(got, fmt.Sprintf("\nRedis ver. %s\n", version)) || len(got) < 100 {
			t.Errorf("%q: %q", args, got)
		}
	}
	k.says("-ERR value is not an integer or out of range\r\n", "LOLWUT", "VERSION", "x")
	k.do("SET", "a", "1")
	t.Log("\n" + bulkText(k.do("LOLWUT")))
}
