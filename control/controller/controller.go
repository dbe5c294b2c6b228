// Package controller decides what is to be done: Step takes what is known, what has happened and the time, and answers what is known then and what is to be
// done. It does nothing itself, so that it can be tried with any order of events, and be gone on with by another process from what was kept. There are two
// states of that shape: Snapshots says when a cluster's automatic snapshots are due, and Fleet looks after hosts, clusters and their nodes.
//
// What must hold: effects may be carried out late, twice or not at all; Step asks for them again when it is told that time has passed. The agent in control
// calls it, on one goroutine.
//
// # The fleet
//
// What is decided stands in the registry and nowhere else (keys.go). A Spec is what a user wants. A Plan says which nodes a cluster has, on which hosts, with
// how much memory, and who is on its way out; it is written before anything is done about it. A shard's router.Record says who is its primary and who counts;
// the topology says it to gateways. Each is changed by compare-and-set, and nothing is ever deleted (an empty value says that nothing is there): so whoever is
// late changes nothing. What Fleet knows besides are facts that hosts and nodes tell it again and again, and when it asked for what. A controller that takes
// over needs no word of the one before.
//
// What the one that drives it must do (control/fleet):
//   - Be the leader. Every Put is a compare-and-set with the fence of the leader's lock, and Fleet is made anew when the lock has been taken; memory is never
//     given away twice because of that (and because a host refuses what it has no room for). What is promised of data needs no fence.
//   - Tell it Registry with all entries under Prefix, at the start and whenever one has changed; HostSays and NodeSays, what it hears; Tick once a second; and what
//     each of Servers says, asked once a second (ServerSays; of one that does not answer, why). What
//     became of a Put it sees by Registry.
//   - Put, Order and Tell as they come, in any order, each within a few seconds or never. They come again as long as they are needed.
//
// A host is whoever starts nodes: a process of its own (control/host), or in dev a starter of nodes in the same process. It announces a Host under its key as
// long as its session lives, obeys an Order unless it has obeyed a newer one of that cluster (which it remembers over restarts), refuses what it has no memory
// for, starts again what ends, and says how things are. A node keeps its data and its name as long as its host has it; each start is a new run.
//
// A cluster of kind External is made of servers that others run. It has a Spec and a topology, which follows what they say of their roles (servers.go).
//
// Who takes the place of a primary that is silent or dead the members say (election.go); that one is silent it is told by NodeMute and HostMute, and that it is
// dead by its host. While something is under way it wants to be called at once (Again).
package controller

// Event is what has happened.
type Event interface{ event() }

// Tick says that time has passed.
type Tick struct{}

func (Tick) event() {}

// Effect is what is to be done.
type Effect interface{ effect() }

// Report tells people what has happened, or why something does not. Kind is one word with hyphens, for machines.
type Report struct {
	Kind, Text string
	Cluster    string // that it is about; empty: none, or the one that is looked after
}

func (Report) effect() {}
