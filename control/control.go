// Package control carries out what is decided about a cluster: an Agent observes, asks the controller, and does what it answers; it also does what users ask
// for by the management API (control/api). What takes long is a Task, which is kept in the registry and can be watched and cancelled. The nodes are reached by
// a Fleet, which whoever wires the house hands over. What must hold: a task that ended is never taken up again; what a task of a process that died has left
// behind is removed; no secret stands in a task, the registry or the log.
package control

import (
	"context"
	"errors"
	"time"

	"larder/persistence/snapshot"
	"larder/router"
)

// What callers decide on, by errors.Is, beside the errors of persistence and persistence/snapshot.
var (
	// ErrUnknown: there is no such cluster or task.
	ErrUnknown = errors.New("not known")
	// ErrBusy: something that excludes it is under way.
	ErrBusy = errors.New("busy")
	// ErrKept: a node has given a snapshot up, since more was overwritten meanwhile than it may keep. A Fleet wraps its node's error in it.
	ErrKept = errors.New("writes were faster than the object store")
)

// Fleet is a cluster's nodes.
type Fleet interface {
	// Topology is the newest that is known.
	Topology() *router.Topology
	// Snapshot writes what a shard has at one moment into file, from a replica where one is fit, and ends file in any case. progress is told keys.
	// Errors: ErrBusy, ErrKept.
	Snapshot(ctx context.Context, shard int, file *snapshot.Upload, progress func(done, total int64)) (Taken, error)
	// Settings are the parameters of the nodes, without secrets, and the users.
	Settings(ctx context.Context) (parameters map[string]string, users []string, err error)
}

// Taken is what a shard had at the moment that its snapshot shows.
type Taken struct {
	Node           string
	Replica        bool
	At             time.Time
	Keys, Expiring int64
	Databases      int
	ReplID         string
	ReplOffset     int64
}
