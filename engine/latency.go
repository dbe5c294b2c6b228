package engine

import (
	"slices"

	"larder/metrics/slow"
)

// The events that the latency monitor knows of besides those of commands, by Redis's names for them: what makes clients wait on a node. Work that Redis has
// under other names (fork, files, the network of a cluster) is not there.
const (
	eventExpire = "expire-cycle"        // a slice of keys and fields that die of age
	eventEvict  = "eviction-cycle"      // room made for a command, or a slice of it after the limit was lowered
	eventDefrag = "active-defrag-cycle" // a slice of the keyspace's own work: compaction, what a flush or a deletion left behind
)

// spike notes that an event took so long, if that is long enough.
func (p *part) spike(event string, tookNS int64) {
	if tookNS >= p.set.watching.SpikeNS() {
		p.spikes.Note(event, p.nowMS/1000, tookNS)
	}
}

// lap is the time now if the latency monitor is on, else 0: then spikeSince does not look at the clock either.
func (p *part) lap() int64 {
	if p.set.watching.LatencyMS == 0 {
		return 0
	}
	return p.clockNS()
}

// spikeSince notes how long an event took that began at lapNS, and gives the time now.
func (p *part) spikeSince(event string, lapNS int64) int64 {
	if lapNS == 0 {
		return 0
	}
	nowNS := p.clockNS()
	p.spike(event, nowNS-lapNS)
	return nowNS
}

func latencyHistory(s *session, args [][]byte) { s.p.spikes.WriteHistory(&s.p.w, args[2]) }

func latencyLatest(s *session, _ [][]byte) { s.p.spikes.WriteLatest(&s.p.w) }

func latencyReset(s *session, args [][]byte) { s.p.w.Int(int64(s.p.spikes.Reset(args[2:]))) }

func latencyGraph(s *session, args [][]byte) { s.p.spikes.WriteGraph(&s.p.w, args[2], s.p.nowMS/1000) }

func latencyDoctor(s *session, _ [][]byte) {
	s.p.w.Verbatim("txt", s.p.spikes.Report(&s.p.set.watching, s.p.nowMS/1000, advice))
}

// advice is what can be said about a node's events. What Redis advises for work that a node does in slices would not be true here, so it is not said.
var advice = slices.Concat(slow.AboutSlowLog, []slow.Advice{
	{
		Event: slow.EventFast, Holds: slow.Always,
		Text: slow.Saying("Commands that need microseconds took long, so this process did not get the processor when it needed it: other programs, a noisy neighbour of " +
			"a virtual machine, or a quota took it. Lower the load of the system, or give this node a core of its own. If the Slow Log names the commands, " +
			"look at the limits of small collections (CONFIG GET *-max-*): up to them a collection is read as a whole."),
	},
	{
		Event: eventExpire, Holds: slow.Always,
		Text: slow.Saying("Keys that die of age are removed in slices of half a millisecond; one that took longer did not get the processor."),
	},
	{
		Event: eventEvict, Holds: slow.Always,
		Text: slow.Saying("Much room was made at once: for a command with large values, or after 'maxmemory' was lowered. Leave more room between the limit and what is used, " +
			"or write large values in pieces."),
	},
	{
		Event: eventDefrag, Holds: slow.Always,
		Text: slow.Saying("The keyspace's own work goes in slices of half a millisecond; one that took longer did not get the processor."),
	},
})
