package engine

import (
	"larder/engine/commands"
	"larder/protocol/command"
)

// SetHandler has a handler of the test's run a command; the node's loop must have its part.
func (n *Node) SetHandler(id command.ID, h commands.Handler) { n.part.handlers[id] = h }

// Redacted and Shortened show a command's arguments as the slow log does.
func Redacted(args [][]byte) [][]byte { return redacted(find(args), args) }

// Shortened is what an entry of the slow log keeps of arguments.
func Shortened(args [][]byte) [][]byte { return shortened(args) }

// Spikes are an event's samples, as seconds and milliseconds.
func Spikes(samples [][2]int64, maxMS int64) *SpikesOf {
	e := &spikesOf{maxMS: maxMS}
	for _, s := range samples {
		e.samples = append(e.samples, spike{s[0], s[1]})
	}
	return &SpikesOf{e}
}

// SpikesOf is what LATENCY has of an event.
type SpikesOf struct{ of *spikesOf }

// Graph draws it.
func (e *SpikesOf) Graph(event string, nowS int64) string { return e.of.graph(event, nowS) }

// Summary is LATENCY DOCTOR's line about it.
func (e *SpikesOf) Summary(nowS int64) string { return e.of.summary(nowS) }
