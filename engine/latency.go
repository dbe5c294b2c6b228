package engine

import (
	"maps"
	"slices"
	"time"

	"larder/protocol/command"
)

// The events that the latency monitor knows of, by Redis's names for them: what makes clients wait on a node. Work that Redis has under other names (fork,
// files, the network of a cluster) is not there.
const (
	eventCommand = "command"             // one that may take long by what it does
	eventFast    = "fast-command"        // one that never should
	eventExpire  = "expire-cycle"        // a slice of keys and fields that die of age
	eventEvict   = "eviction-cycle"      // room made for a command, or a slice of it after the limit was lowered
	eventDefrag  = "active-defrag-cycle" // a slice of the keyspace's own work: compaction, what a flush or a deletion left behind
)

// samplesMax is how many samples an event keeps, one for a second at most.
const samplesMax = 160

// spikes are what took at least latency-monitor-threshold, by event.
type spikes map[string]*spikesOf

type spikesOf struct {
	samples []spike // oldest first
	maxMS   int64   // ever
}

type spike struct{ atS, ms int64 }

// spike notes that an event took so long, if that is long enough. Of several in a second the longest is kept (Redis 7.0 latency.c, latencyAddSample).
func (p *part) spike(event string, tookNS int64) {
	if tookNS < p.set.watching.spikeNS() {
		return
	}
	e := p.spikes[event]
	if e == nil {
		if p.spikes == nil {
			p.spikes = spikes{}
		}
		e = &spikesOf{}
		p.spikes[event] = e
	}
	s := spike{p.nowMS / 1000, tookNS / int64(time.Millisecond)}
	e.maxMS = max(e.maxMS, s.ms)
	if n := len(e.samples); n > 0 && e.samples[n-1].atS == s.atS {
		e.samples[n-1].ms = max(e.samples[n-1].ms, s.ms)
		return
	}
	if len(e.samples) == samplesMax {
		e.samples = slices.Delete(e.samples, 0, 1)
	}
	e.samples = append(e.samples, s)
}

// lap is the time now if the latency monitor is on, else 0: then spikeSince does not look at the clock either.
func (p *part) lap() int64 {
	if p.set.watching.latencyMS == 0 {
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

// names are the events that happened, in their order.
func (all spikes) names() []string { return slices.Sorted(maps.Keys(all)) }

func latencyHistory(s *session, args [][]byte) {
	e, w := s.p.spikes[string(args[2])], &s.p.w
	if e == nil {
		w.Array(0)
		return
	}
	w.Array(len(e.samples))
	for _, sample := range e.samples {
		w.Array(2)
		w.Int(sample.atS)
		w.Int(sample.ms)
	}
}

func latencyLatest(s *session, _ [][]byte) {
	w := &s.p.w
	w.Array(len(s.p.spikes))
	for _, name := range s.p.spikes.names() {
		e := s.p.spikes[name]
		last := e.samples[len(e.samples)-1]
		w.Array(4)
		w.Bulk(name)
		w.Int(last.atS)
		w.Int(last.ms)
		w.Int(e.maxMS)
	}
}

func latencyReset(s *session, args [][]byte) {
	before := len(s.p.spikes)
	if len(args) == 2 {
		s.p.spikes = nil
	}
	for _, name := range args[2:] {
		delete(s.p.spikes, string(name))
	}
	s.p.w.Int(int64(before - len(s.p.spikes)))
}

func latencyGraph(s *session, args [][]byte) {
	e := s.p.spikes[string(args[2])]
	if e == nil {
		s.fail("ERR No samples available for event " + command.Quote(args[2]))
		return
	}
	s.p.w.Verbatim("txt", e.graph(string(args[2]), s.p.nowMS/1000))
}

func latencyDoctor(s *session, _ [][]byte) {
	s.p.w.Verbatim("txt", s.p.spikes.report(&s.p.set.watching, s.p.nowMS/1000))
}
