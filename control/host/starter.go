package host

import (
	"context"

	"larder/router"
)

// Launch says how a node is to be started.
type Launch struct {
	Cluster, Node string
	Shard         int
	MaxMemory     int64             // for its data
	Parameters    map[string]string // those that can be given at the start should be: what it loads its data by is among them. All are set once it answers
	Addr          string            // where it was reached before, and should be again if that is free; empty: it never was
}

// Starter starts nodes and knows what runs. Its methods may be called from any goroutine, for one node from one at a time. A node's name is its own in the
// whole fleet.
type Starter interface {
	// Find gives a node's process that was started before and still runs, by whomever; nil: surely none does. An error says that it cannot be told.
	Find(ctx context.Context, node string) (Process, error)
	// Start starts a node, with the data that it has. It runs whether or not ctx goes on. An error is final for this attempt: nothing runs.
	Start(ctx context.Context, l Launch) (Process, error)
	// Erase removes all that a node has kept, of which there may be nothing. The node does not run.
	Erase(node string) error
}

// Process is a node that has been started, from before it answers until it has ended. Its methods may be called from any goroutine.
type Process interface {
	// Addr is where it is reached, or will be.
	Addr() string
	// Ended is closed once it surely runs no more.
	Ended() <-chan struct{}
	// Why says why it has ended, for people. To be asked once it has.
	Why() string
	// Stop asks it to end in order, with its data saved if it saves any. It may take its time.
	Stop()
	// Kill ends it at once.
	Kill()
}

// Nodes asks nodes that run, as a client of theirs.
type Nodes interface {
	// Run is the run that whoever listens at addr has now (LARDER STATE).
	Run(ctx context.Context, addr string) (router.Run, error)
	// Set sets one parameter (CONFIG SET). Errors: ErrAtStart if it can only be given at the start.
	Set(ctx context.Context, addr, name, value string) error
}
