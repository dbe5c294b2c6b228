// Package follow is the way of a migration by replication. For each primary of the source a staging node follows it as a replica does, and tells what the
// primary's stream did as commands that each name one key; a stage gives these to the target's primaries, each to the one that has the key's slot.
//
// What must hold: the target has a key as the stage's commands say, or the staging node is asked to tell it again; a command that may not have run is never
// sent again as it was. A cutover is done when every stage has given all that its primary had when it was paused. A Way may be asked from any goroutine; Run
// starts what it needs and ends when all of that has ended.
package follow

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"larder/backends/remote"
	"larder/control/migrate"
	"larder/router"
)

// Staging is a node that follows a primary. Next is called by one goroutine at a time, the rest by any.
type Staging interface {
	// Follow has it follow a primary, or another one, from where it is if that one knows its history. addr is HOST:PORT, or the path of a socket.
	Follow(ctx context.Context, addr string, login remote.Login) error
	// Next waits for the next piece of what is told.
	Next(ctx context.Context) (Piece, error)
	// Again has keys told as they are now; swaps is that of the piece they were in. Errors: ErrMoved.
	Again(ctx context.Context, keys []Key, swaps uint64) error
	// Anew has everything told again.
	Anew(ctx context.Context) error
	// Link says how the following goes.
	Link(ctx context.Context) (Link, error)
	// Close ends the node.
	Close() error
}

// ErrMoved is what Again gives when databases have changed places since: all has to be told anew.
var ErrMoved = errors.New("databases have changed places since")

// Key names a key.
type Key struct {
	DB  int
	Key string
}

// Piece is some of what a staging node tells.
type Piece struct {
	Anew     bool   // all that the target has of this primary is void, before Commands
	Commands []byte // whole commands, the first a SELECT: of one key each, but for FLUSHALL, FLUSHDB, SWAPDB and FUNCTION RESTORE
	Swaps    uint64
	Made     time.Time
	ID       string // of the primary's history
	Offset   int64  // the target is there once it has run them; -1: it lacks something

	Copying                bool
	Copied, Total, Pending int64
}

// Link is how the following of a primary goes.
type Link struct {
	Following  bool
	Offset     int64 // of the primary's stream; -1 while it does not come
	Reason     string
	Faults     uint64 // commands of the stream that failed
	LastFault  string
	Read, Size int64 // of the primary's data, while they come
}

// Target is the cluster that is filled.
type Target interface {
	Topology() *router.Topology
	// Dial connects to one of its nodes, as who may do everything there.
	Dial(ctx context.Context, addr string) (*remote.Conn, error)
}

// Options say from where to where.
type Options struct {
	Source remote.Address
	Target Target
	Stage  func(ctx context.Context, name string, databases int) (Staging, error) // starts a staging node
	Report func(kind, text string)                                                // an event for people
	Log    *slog.Logger
	Now    func() time.Time
}

// Way is a migration's way by replication.
type Way struct {
	o Options

	mu      sync.Mutex // of what follows
	stages  []*stage
	running context.Context // theirs: it ends when they do
	broken  string          // why no primary is followed now
	passes  int64
	cutting bool
	over    bool
	end     context.CancelFunc // ends Run; nil before it
	changed chan struct{}      // closed and made anew when a stage has come further
	keys    int64              // written, of stages that were given up too
	bytes   int64
}

// New makes a way, which Run then runs.
func New(o Options) *Way { return &Way{o: o, changed: make(chan struct{})} }

// ErrNoPSYNC is what gives a source that lets nobody follow it.
var ErrNoPSYNC = errors.New("the source lets nobody follow it")

// Check looks at the source before anything begins.
func (w *Way) Check(ctx context.Context) error {
	if w.o.Source.DB != remote.AllDBs && w.o.Source.Kind != remote.Cluster {
		return fmt.Errorf("replication brings all databases of the source, and %s names one: leave out what stands behind the last /, or take --by scan", w.o.Source)
	}
	list, err := w.o.Source.Primaries(ctx)
	if err != nil {
		return fmt.Errorf("migrate from %s: %w", w.o.Source, err)
	}
	for _, p := range list {
		if err := w.checkPrimary(ctx, p.Addr); err != nil {
			return fmt.Errorf("migrate from %s: %w", w.o.Source, err)
		}
	}
	return nil
}

func (w *Way) checkPrimary(ctx context.Context, addr string) error {
	c, err := w.o.Source.Dial(ctx, addr)
	if err != nil {
		return err
	}
	defer c.Close()
	if _, err := c.Do("PING"); err != nil {
		return err
	}
	info, err := c.Info("replication")
	if err != nil {
		return fmt.Errorf("%w (the user needs INFO, PSYNC and REPLCONF, and CLIENT for the cutover)", err)
	}
	if info["role"] == "slave" {
		return fmt.Errorf("server %s is a replica: name its primary %s:%s", addr, info["master_host"], info["master_port"])
	}
	for _, ask := range [][]string{{"REPLCONF", "capa", "eof"}, {"PSYNC"}} { // the second without what it needs: that it is known is all that is asked
		if _, err := c.Do(ask...); remote.Denied(err) {
			return noPSYNC(err.Error())
		}
	}
	return mayFollow(c)
}

func noPSYNC(why string) error {
	return fmt.Errorf("%w: %s; take --by scan, or let the user say PSYNC and REPLCONF", ErrNoPSYNC, why)
}

// mayFollow asks the server whether this user may say PSYNC (Redis 7.0). Where it says nothing about that, the link will.
func mayFollow(c *remote.Conn) error {
	reply, err := c.Do("ACL", "WHOAMI")
	if err != nil {
		return passedOver(err)
	}
	user, _ := reply.Bytes()
	reply, err = c.Do("ACL", "DRYRUN", string(user), "PSYNC", "?", "-1")
	if err != nil {
		return passedOver(err)
	}
	if text, _ := reply.Bytes(); string(text) != "OK" {
		return noPSYNC("it says: " + string(text))
	}
	return nil
}

// passedOver is nil for what the server itself answered: it does not say then.
func passedOver(err error) error {
	if refused := (*remote.Refused)(nil); errors.As(err, &refused) {
		return nil
	}
	return err
}

// Status says how far it is.
func (w *Way) Status() migrate.Status {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := migrate.Status{Phase: migrate.Following, Passes: w.passes, Keys: w.keys, Bytes: w.bytes, Error: w.broken}
	for _, t := range w.stages {
		t.addTo(&s, w.o.Now())
	}
	switch {
	case w.over:
		s.Phase = migrate.CutOver
	case s.Error != "":
		s.Phase = migrate.Broken
	case len(w.stages) == 0:
		s.Phase = migrate.Copying
	}
	return s
}

// step wakes who waits for stages to come further. Called with the lock.
func (w *Way) step() {
	close(w.changed)
	w.changed = make(chan struct{})
}
