// Package steward is a controller of one shard for tests: it makes a record, gives nodes orders by it, takes out members that are silent, lets them join again,
// elects where the primary is gone, and hands the primary's place over when it is told to. What it may do is written in docs/formats/shard.md; it is no more
// than tests need, and knows nothing of hosts, registries and topologies.
//
// What must hold: any number of stewards may act on one Registry at once, arbitrarily late; whatever they do, nodes lose nothing. Each has connections of its
// own. Run says what to do next by reports that it has just got; next.go is where that is decided, as a function of values.
package steward

import (
	"time"

	"larder/router"
)

// Node is a node of the shard.
type Node struct {
	Name  string
	Addr  string // where the steward reaches it
	Peers []Peer // where it reaches the others
}

// Peer is another node as a node reaches it.
type Peer struct{ Name, Addr string }

// Steward gives the orders.
type Steward struct {
	registry *Registry
	nodes    []Node
	patience time.Duration
	tell     func(format string, args ...any)

	begun   time.Time
	heard   map[string]report // what each node said last
	elected *election         // that is under way, as this steward knows it

	reign    uint64                   // that it looks after
	followed map[router.Run]time.Time // when the primary of that reign last said that it acknowledges, or the reign was first seen
}

// New makes a steward. A node that has said nothing for as long as patience is taken out, or has its place taken. tell is told what is done; it is called on
// Run's goroutine.
func New(registry *Registry, nodes []Node, patience time.Duration, tell func(format string, args ...any)) *Steward {
	return &Steward{registry: registry, nodes: nodes, patience: patience, tell: tell, heard: map[string]report{}, followed: map[router.Run]time.Time{}}
}

// report is what a node said of itself.
type report struct {
	at        time.Time // when it was asked
	run       router.Run
	epoch     uint64 // of the record that it obeys
	role      string
	executed  int64
	followers []router.Run // who acknowledges to it
	confirmed []router.Run // of those who join, who has all
	promised  uint64       // the epoch that it has promised; 0: none
}

// election is what a steward has gathered for one.
type election struct {
	epoch    uint64
	begun    time.Time
	promises []report
}
