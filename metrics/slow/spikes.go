package slow

import (
	"maps"
	"slices"
	"time"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// The events of commands, by Redis's names.
const (
	EventCommand = "command"      // one that may take long by what it does
	EventFast    = "fast-command" // one that never should
)

// EventOf is the event that a command is when it takes long.
func EventOf(row *command.Row) string {
	if row != nil && row.Flags.Has(command.Fast) {
		return EventFast
	}
	return EventCommand
}

// samplesMax is how many samples an event keeps, one for a second at most.
const samplesMax = 160

// Spikes are what took at least latency-monitor-threshold, by event. The nil one can be read.
type Spikes map[string]*Event

// Event is one of them.
type Event struct {
	Samples []Spike // oldest first
	MaxMS   int64   // ever
}

// Spike is how long an event took, and when.
type Spike struct{ AtS, MS int64 }

// Note keeps that an event took so long. Of several in a second the longest is kept (Redis 7.0 latency.c, latencyAddSample).
func (all *Spikes) Note(event string, atS, tookNS int64) {
	if *all == nil {
		*all = Spikes{}
	}
	e := (*all)[event]
	if e == nil {
		e = &Event{}
		(*all)[event] = e
	}
	e.add(Spike{atS, tookNS / int64(time.Millisecond)})
}

func (e *Event) add(s Spike) {
	e.MaxMS = max(e.MaxMS, s.MS)
	if n := len(e.Samples); n > 0 && e.Samples[n-1].AtS == s.AtS {
		e.Samples[n-1].MS = max(e.Samples[n-1].MS, s.MS)
		return
	}
	if len(e.Samples) == samplesMax {
		e.Samples = slices.Delete(e.Samples, 0, 1)
	}
	e.Samples = append(e.Samples, s)
}

// Join adds the events of another loop.
func (all *Spikes) Join(others Spikes) {
	for name, other := range others {
		if *all == nil {
			*all = Spikes{}
		}
		var mine []Spike
		joined := &Event{MaxMS: other.MaxMS}
		if e := (*all)[name]; e != nil {
			mine, joined.MaxMS = e.Samples, max(e.MaxMS, other.MaxMS)
		}
		samples := slices.Concat(mine, other.Samples)
		slices.SortStableFunc(samples, func(a, b Spike) int { return int(a.AtS - b.AtS) })
		for _, s := range samples {
			joined.add(s)
		}
		(*all)[name] = joined
	}
}

// Names are the events that happened, in their order.
func (all Spikes) Names() []string { return slices.Sorted(maps.Keys(all)) }

// Reset forgets the events named, or all if none is, and gives how many.
func (all *Spikes) Reset(names [][]byte) int {
	before := len(*all)
	if len(names) == 0 {
		*all = nil
	}
	for _, name := range names {
		delete(*all, string(name))
	}
	return before - len(*all)
}

// WriteHistory answers LATENCY HISTORY.
func (all Spikes) WriteHistory(w *resp.Writer, event []byte) {
	e := all[string(event)]
	if e == nil {
		w.Array(0)
		return
	}
	w.Array(len(e.Samples))
	for _, sample := range e.Samples {
		w.Array(2)
		w.Int(sample.AtS)
		w.Int(sample.MS)
	}
}

// WriteLatest answers LATENCY LATEST.
func (all Spikes) WriteLatest(w *resp.Writer) {
	w.Array(len(all))
	for _, name := range all.Names() {
		e := all[name]
		last := e.Samples[len(e.Samples)-1]
		w.Array(4)
		w.Bulk(name)
		w.Int(last.AtS)
		w.Int(last.MS)
		w.Int(e.MaxMS)
	}
}

// WriteGraph answers LATENCY GRAPH.
func (all Spikes) WriteGraph(w *resp.Writer, event []byte, nowS int64) {
	e := all[string(event)]
	if e == nil {
		w.Error("ERR No samples available for event " + command.Quote(event))
		return
	}
	w.Verbatim("txt", e.Graph(string(event), nowS))
}
