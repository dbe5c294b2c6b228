package engine

import (
	"fmt"
	"strings"
)

const (
	graphColumns = 80
	graphRows    = 4
	graphSteps   = "_o#" // how much of a row a column fills; '|' stands below what it fills wholly
)

// graph draws the samples, the newest at the right, with the age of each written downwards below it (as Redis 7.0 sparkline.c does).
func (e *spikesOf) graph(event string, nowS int64) string {
	low, high := e.bounds()
	var b strings.Builder
	fmt.Fprintf(&b, "%s - high %d ms, low %d ms (all time high %d ms)\n%s\n", event, high, low, e.maxMS, strings.Repeat("-", graphColumns))
	for from := 0; from < len(e.samples); from += graphColumns {
		if from > 0 {
			b.WriteByte('\n')
		}
		drawSamples(&b, e.samples[from:min(from+graphColumns, len(e.samples))], low, high, nowS)
	}
	return b.String()
}

func (e *spikesOf) bounds() (low, high int64) {
	low, high = e.samples[0].ms, e.samples[0].ms
	for _, s := range e.samples {
		low, high = min(low, s.ms), max(high, s.ms)
	}
	return low, high
}

// drawSamples draws one band of columns.
func drawSamples(b *strings.Builder, samples []spike, low, high, nowS int64) {
	const steps = graphRows * len(graphSteps)
	line := make([]byte, len(samples))
	flush := func(at func(i int) byte) {
		for i := range line {
			line[i] = at(i)
		}
		b.Write(line)
		b.WriteByte('\n')
	}
	for row := graphRows - 1; row >= 0; row-- { // from the top, the lowest is 0
		flush(func(i int) byte {
			step := int(float64(samples[i].ms-low) * float64(steps) / float64(max(high-low, 1)))
			switch fill := min(step, steps-1) - row*len(graphSteps); {
			case fill < 0:
				return ' '
			case fill < len(graphSteps):
				return graphSteps[fill]
			default:
				return '|'
			}
		})
	}
	ages, longest := make([]string, len(samples)), 0
	for i, s := range samples {
		ages[i] = age(nowS - s.atS)
		longest = max(longest, len(ages[i]))
	}
	for at := -1; at < longest; at++ { // above them is a free line
		flush(func(i int) byte {
			if at < 0 || at >= len(ages[i]) {
				return ' '
			}
			return ages[i][at]
		})
	}
}

// age is a number of seconds in its largest unit.
func age(seconds int64) string {
	const minute, hour, day = 60, 60 * 60, 24 * 60 * 60
	switch {
	case seconds < minute:
		return fmt.Sprintf("%ds", seconds)
	case seconds < hour:
		return fmt.Sprintf("%dm", seconds/minute)
	case seconds < day:
		return fmt.Sprintf("%dh", seconds/hour)
	default:
		return fmt.Sprintf("%dd", seconds/day)
	}
}

// advice is what can be said about an event. What Redis advises for work that a node does in slices would not be true here, so it is not said.
var advice = []struct {
	event string
	holds func(*watching) bool
	text  func(*watching) string
}{
	{
		eventCommand,
		func(w *watching) bool { return w.slowNS() == never },
		func(w *watching) string {
			return fmt.Sprintf("There are latency issues with potentially slow commands you are using. Try to enable the Slow Log Redis feature using the command "+
				"'CONFIG SET slowlog-log-slower-than %d'. If the Slow log is disabled Redis is not able to log slow commands execution for you.", w.latencyMS*1000)
		},
	},
	{
		eventCommand,
		func(w *watching) bool { return w.slowNS() != never && w.slowUS/1000 > w.latencyMS },
		func(w *watching) string {
			return fmt.Sprintf("Your current Slow Log configuration only logs events that are slower than your configured latency monitor threshold. "+
				"Please use 'CONFIG SET slowlog-log-slower-than %d'.", w.latencyMS*1000)
		},
	},
	{
		eventCommand, always,
		saying("Check your Slow Log to understand what are the commands you are running which are too slow to execute. " +
			"Please check https://redis.io/commands/slowlog for more information."),
	},
	{
		eventFast, always,
		saying("Commands that need microseconds took long, so this process did not get the processor when it needed it: other programs, a noisy neighbour of " +
			"a virtual machine, or a quota took it. Lower the load of the system, or give this node a core of its own. If the Slow Log names the commands, " +
			"look at the limits of small collections (CONFIG GET *-max-*): up to them a collection is read as a whole."),
	},
	{
		eventExpire, always,
		saying("Keys that die of age are removed in slices of half a millisecond; one that took longer did not get the processor."),
	},
	{
		eventEvict, always,
		saying("Much room was made at once: for a command with large values, or after 'maxmemory' was lowered. Leave more room between the limit and what is used, " +
			"or write large values in pieces."),
	},
	{
		eventDefrag, always,
		saying("The keyspace's own work goes in slices of half a millisecond; one that took longer did not get the processor."),
	},
}

func always(*watching) bool { return true }

func saying(text string) func(*watching) string { return func(*watching) string { return text } }

// report is what LATENCY DOCTOR says: the events, then advice (Redis 7.0 latency.c, createLatencyReport).
func (all spikes) report(w *watching, nowS int64) string {
	switch {
	case len(all) == 0 && w.latencyMS == 0:
		return "I'm sorry, Dave, I can't do that. Latency monitoring is disabled in this Redis instance. " +
			"You may use \"CONFIG SET latency-monitor-threshold <milliseconds>.\" in order to enable it. " +
			"If we weren't in a deep space mission I'd suggest to take a look at https://redis.io/topics/latency-monitor.\n"
	case len(all) == 0:
		return "Dave, no latency spike was observed during the lifetime of this Redis instance, not in the slightest bit. " +
			"I honestly think you ought to sit down calmly, take a stress pill, and think things over.\n"
	}
	var b strings.Builder
	b.WriteString("Dave, I have observed latency spikes in this Redis instance. You don't mind talking about it, do you Dave?\n\n")
	for i, name := range all.names() {
		fmt.Fprintf(&b, "%d. %s: %s\n", i+1, name, all[name].summary(nowS))
	}
	b.WriteString("\nI have a few advices for you:\n\n")
	for _, a := range advice {
		if all[a.event] != nil && a.holds(w) {
			b.WriteString("- " + a.text(w) + "\n")
		}
	}
	return b.String()
}

// summary is an event in numbers, each a whole one as in Redis.
func (e *spikesOf) summary(nowS int64) string {
	n := int64(len(e.samples))
	var sum, deviation int64
	for _, s := range e.samples {
		sum += s.ms
	}
	average := sum / n
	for _, s := range e.samples {
		deviation += max(s.ms-average, average-s.ms)
	}
	period := max(nowS-e.samples[0].atS, 1)
	return fmt.Sprintf("%d latency spikes (average %dms, mean deviation %dms, period %.2f sec). Worst all time event %dms.",
		n, average, deviation/n, float64(period)/float64(n), e.maxMS)
}
