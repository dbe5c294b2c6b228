package metrics

import (
	"fmt"
	"math"
	"math/bits"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"larder/protocol/command"
)

// Commands are counts by command.ID; 0 = commands that there are not.
type Commands struct {
	took    []Times // of those that ran
	tookNS  []uint64
	failed  []uint64
	refused []uint64 // answered without having run; they are among those that failed
}

// NewCommands counts nothing yet.
func NewCommands() Commands {
	const n = command.NumIDs + 1
	return Commands{took: make([]Times, n), tookNS: make([]uint64, n), failed: make([]uint64, n), refused: make([]uint64, n)}
}

// IDs is one more than the greatest ID.
func (c *Commands) IDs() int { return len(c.took) }

// Ran counts n times that a command ran, each of which took ns.
func (c *Commands) Ran(id command.ID, n, ns uint64) {
	c.took[id][min(bits.Len64(ns>>bucketShift), buckets-1)] += n
	c.tookNS[id] += n * ns
}

// Fail counts that an answer was an error; Ran counts it too.
func (c *Commands) Fail(id command.ID) { c.failed[id]++ }

// Refuse counts an error that was the answer to a command which did not run. Ran does not count it.
func (c *Commands) Refuse(id command.ID) {
	c.refused[id]++
	c.failed[id]++
}

// Calls is how often a command was answered.
func (c *Commands) Calls(id int) uint64 { return c.took[id].Count() + c.refused[id] }

// Refused is how often a command was answered without having run.
func (c *Commands) Refused(id int) uint64 { return c.refused[id] }

// Times are how long a command took each time that it ran. They are c's own: valid until it counts again.
func (c *Commands) Times(id int) *Times { return &c.took[id] }

// Failed is how often the answer was an error.
func (c *Commands) Failed(id int) uint64 { return c.failed[id] }

// NS is how long all that ran took, in nanoseconds.
func (c *Commands) NS(id int) uint64 { return c.tookNS[id] }

// Total sums up all commands.
func (c *Commands) Total() (calls, failed uint64) {
	for id := range c.took {
		calls += c.Calls(id)
		failed += c.failed[id]
	}
	return calls, failed
}

// Set makes c equal to o; they share nothing.
func (c *Commands) Set(o *Commands) {
	copy(c.took, o.took)
	copy(c.tookNS, o.tookNS)
	copy(c.failed, o.failed)
	copy(c.refused, o.refused)
}

// Add adds o's counts.
func (c *Commands) Add(o *Commands) { c.combine(o, 1) }

// Take takes o's counts off.
func (c *Commands) Take(o *Commands) { c.combine(o, math.MaxUint64) } // -1

func (c *Commands) combine(o *Commands, times uint64) {
	for id := range c.took {
		c.failed[id] += times * o.failed[id]
		c.refused[id] += times * o.refused[id]
		c.tookNS[id] += times * o.tookNS[id]
		for b := range c.took[id] {
			c.took[id][b] += times * o.took[id][b]
		}
	}
}

// AppendInfo writes INFO's section of the commands, without those of before. Of these Redis counts those that ran.
func (c *Commands) AppendInfo(b *strings.Builder, before *Commands) {
	for id := 1; id < c.IDs(); id++ {
		answered := c.Calls(id) - before.Calls(id)
		if answered == 0 {
			continue
		}
		rejected := c.Refused(id) - before.Refused(id)
		calls := answered - rejected
		us := (c.NS(id) - before.NS(id)) / 1000
		fmt.Fprintf(b, "cmdstat_%s:calls=%d,usec=%d,usec_per_call=%.2f,rejected_calls=%d,failed_calls=%d\r\n",
			Name(id), calls, us, float64(us)/float64(max(calls, 1)), rejected, c.Failed(id)-before.Failed(id)-rejected)
	}
}

// Family is the names that a role's counts by command are published under.
type Family struct{ outcomes, took *prometheus.Desc }

// NewFamily names them: <prefix>_commands_total and <prefix>_command_seconds, which help explains.
func NewFamily(prefix, help string) Family {
	return Family{
		outcomes: prometheus.NewDesc(prefix+"_commands_total", "Commands answered, by name and outcome.", []string{"command", "outcome"}, nil),
		took:     prometheus.NewDesc(prefix+"_command_seconds", help, []string{"command"}, nil),
	}
}

// Describe tells what the family is.
func (f Family) Describe(ch chan<- *prometheus.Desc) {
	ch <- f.outcomes
	ch <- f.took
}

// Collect tells what was counted of the commands that were met.
func (f Family) Collect(ch chan<- prometheus.Metric, c *Commands) {
	for id := range c.took {
		calls, failed := c.Calls(id), c.failed[id]
		if calls == 0 {
			continue
		}
		name := Name(id)
		ch <- prometheus.MustNewConstMetric(f.outcomes, prometheus.CounterValue, float64(calls-failed), name, "ok")
		ch <- prometheus.MustNewConstMetric(f.outcomes, prometheus.CounterValue, float64(failed), name, "error")
		ch <- prometheus.MustNewConstHistogram(f.took, c.took[id].Count(), float64(c.tookNS[id])/1e9, c.took[id].cumulative(), name)
	}
}

// Name is a command's name in metrics.
func Name(id int) string {
	if row := command.ByID(command.ID(id)); row != nil {
		return row.Name
	}
	return "unknown"
}
