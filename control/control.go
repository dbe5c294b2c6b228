// Package control carries out what is decided about a cluster: an Agent observes, asks the controller, and does what it answers; it also does what users ask
// for by the management API (control/api). What takes long is a Task, which is kept in the registry and can be watched and cancelled. The nodes are reached by
// a Fleet, which whoever wires the house hands over. What must hold: a task that ended is never taken up again; what a task of a process that died has left
// behind is removed; no secret stands in a task, the registry or the log.
package control

import (
	"context"
	"errors"
	"time"

	"larder/router"
)

// What callers decide on, by errors.Is, beside the errors of persistence and persistence/snapshot.
var (
	// ErrUnknown: there is no such cluster or task.
	ErrUnknown = errors.New("not known")
	// ErrBusy: something that excludes it is under way.
	ErrBusy = errors.New("busy")
	// ErrLost: a node could not be reached, or was lost midway. A Fleet wraps in it what the network said.
	ErrLost = errors.New("the node was lost")
	// ErrKept: a node has given a snapshot up, since more was overwritten meanwhile than it may keep. A Fleet wraps its node's error in it.
	ErrKept = errors.New("writes were faster than the object store")
)

// Fleet is a cluster's nodes.
type Fleet interface {
	// Topology is the newest that is known.
	Topology() *router.Topology
	// Snapshot has what a shard has at one moment written to an object in the cluster's store, by a replica where one is fit. told is told how far that is.
	// Errors: ErrBusy, ErrKept, ErrLost.
	Snapshot(ctx context.Context, shard int, to Object, told func(Progress)) (Taken, error)
	// Settings are the parameters of the nodes, without secrets, and the users.
	Settings(ctx context.Context) (parameters map[string]string, users []string, err error)
}

// Object is where a shard's snapshot goes, and how it is made.
type Object struct {
	Begun        string // an object that whoever writes must find in the store, or it is another than was meant
	Folder, Name string
	Level        int
	BytesPerSec  int64
}

// Progress is how far a shard's snapshot is.
type Progress struct {
	Done, Total int64 // keys
	Raw, Bytes  int64 // of the RDB file, and of the object
}

// Taken is what a shard had at the moment that its snapshot shows, and what its object is.
type Taken struct {
	RawBytes, Bytes int64
	SHA256          string

	Node           string
	Replica        bool
	At             time.Time
	Keys, Expiring int64
	Databases      int
	ReplID         string
	ReplOffset     int64
}
