package slow

import (
	"fmt"
	"strings"
)

const (
	graphColumns = 80
	graphRows    = 4
	graphSteps   = "_o#" // how much of a row a column fills; '|' stands below what it fills wholly
)

// Graph draws the samples, the newest at the right, with the age of each written downwards below it (as Redis 7.0 sparkline.c does).
func (e *Event) Graph(event string, nowS int64) string {
	low, high := e.bounds()
	var b strings.Builder
	fmt.Fprintf(&b, "%s - high %d ms, low %d ms (all time high %d ms)\n%s\n", event, high, low, e.MaxMS, strings.Repeat("-", graphColumns))
	for from := 0; from < len(e.Samples); from += graphColumns {
		if from > 0 {
			b.WriteByte('\n')
		}
		drawSamples(&b, e.Samples[from:min(from+graphColumns, len(e.Samples))], low, high, nowS)
	}
	return b.String()
}

func (e *Event) bounds() (low, high int64) {
	low, high = e.Samples[0].MS, e.Samples[0].MS
	for _, s := range e.Samples {
		low, high = min(low, s.MS), max(high, s.MS)
	}
	return low, high
}

// drawSamples draws one band of columns.
func drawSamples(b *strings.Builder, samples []Spike, low, high, nowS int64) {
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
			step := int(float64(samples[i].MS-low) * float64(steps) / float64(max(high-low, 1)))
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
		ages[i] = age(nowS - s.AtS)
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

// Advice is what can be said about an event, where it holds.
type Advice struct {
	Event string
	Holds func(*Settings) bool
	Text  func(*Settings) string
}

// AboutSlowLog is what LATENCY DOCTOR says of commands, wherever they are run.
var AboutSlowLog = []Advice{
	{
		EventCommand,
		func(s *Settings) bool { return s.SlowNS() == Never },
		func(s *Settings) string {
			return fmt.Sprintf("There are latency issues with potentially slow commands you are using. Try to enable the Slow Log Redis feature using the command "+
				"'CONFIG SET slowlog-log-slower-than %d'. If the Slow log is disabled Redis is not able to log slow commands execution for you.", s.LatencyMS*1000)
		},
	},
	{
		EventCommand,
		func(s *Settings) bool { return s.SlowNS() != Never && s.SlowUS/1000 > s.LatencyMS },
		func(s *Settings) string {
			return fmt.Sprintf("Your current Slow Log configuration only logs events that are slower than your configured latency monitor threshold. "+
				"Please use 'CONFIG SET slowlog-log-slower-than %d'.", s.LatencyMS*1000)
		},
	},
	{
		EventCommand, Always,
		Saying("Check your Slow Log to understand what are the commands you are running which are too slow to execute. " +
			"Please check https://redis.io/commands/slowlog for more information."),
	},
}

// Always holds.
func Always(*Settings) bool { return true }

// Saying is a text without numbers.
func Saying(text string) func(*Settings) string { return func(*Settings) string { return text } }

// Report is what LATENCY DOCTOR says: the events, then advice (Redis 7.0 latency.c, createLatencyReport).
func (all Spikes) Report(set *Settings, nowS int64, advice []Advice) string {
	switch {
	case len(all) == 0 && set.LatencyMS == 0:
		return "I'm sorry, Dave, I can't do that. Latency monitoring is disabled in this Redis instance. " +
			"You may use \"CONFIG SET latency-monitor-threshold <milliseconds>.\" in order to enable it. " +
			"If we weren't in a deep space mission I'd suggest to take a look at https://redis.io/topics/latency-monitor.\n"
	case len(all) == 0:
		return "Dave, no latency spike was observed during the lifetime of this Redis instance, not in the slightest bit. " +
			"I honestly think you ought to sit down calmly, take a stress pill, and think things over.\n"
	}
	var b strings.Builder
	b.WriteString("Dave, I have observed latency spikes in this Redis instance. You don't mind talking about it, do you Dave?\n\n")
	for i, name := range all.Names() {
		fmt.Fprintf(&b, "%d. %s: %s\n", i+1, name, all[name].Summary(nowS))
	}
	b.WriteString("\nI have a few advices for you:\n\n")
	for _, a := range advice {
		if all[a.Event] != nil && a.Holds(set) {
			b.WriteString("- " + a.Text(set) + "\n")
		}
	}
	return b.String()
}

// Summary is an event in numbers, each a whole one as in Redis.
func (e *Event) Summary(nowS int64) string {
	n := int64(len(e.Samples))
	var sum, deviation int64
	for _, s := range e.Samples {
		sum += s.MS
	}
	average := sum / n
	for _, s := range e.Samples {
		deviation += max(s.MS-average, average-s.MS)
	}
	period := max(nowS-e.Samples[0].AtS, 1)
	return fmt.Sprintf("%d latency spikes (average %dms, mean deviation %dms, period %.2f sec). Worst all time event %dms.",
		n, average, deviation/n, float64(period)/float64(n), e.MaxMS)
}
