// Package migrate fills a running cluster from a live server of others and keeps following it until the clients are moved. There are two ways to follow: by
// replication, and where the source refuses that, by looking through its keys and listening to what it tells of changes (control/migrate/scan). What must
// hold: at the end of a cutover the target has all that the source had when its writes stopped; a way never writes to the source.
package migrate

import (
	"context"
	"errors"
	"time"
)

// Way follows a source. Run is called once, on a goroutine of its own; the other methods may be called from any goroutine while it runs.
type Way interface {
	// Run copies what the source has, and then what changes there, until ctx ends or somebody cut over; that gives nil. It outlives links that break. Errors:
	// what it cannot outlive, in words for users.
	Run(ctx context.Context) error
	// Status says how far it is.
	Status() Status
	// Cutover stops the source's writes, waits until the target has all, and makes Run end. If that is not so within o.Timeout the source may write again and
	// the way follows on. Errors: ErrBehind, and what the source or the target say.
	Cutover(ctx context.Context, o CutoverOptions) (Cut, error)
}

// ErrBehind is what a cutover gives that was undone since the target did not catch up in time.
var ErrBehind = errors.New("the target is too far behind")

// Phase says what a way is doing.
type Phase string

// The phases.
const (
	Copying   Phase = "copying"   // the first time through
	Following Phase = "following" // the target has all but the lag
	Broken    Phase = "broken"    // a link is, and is tried again; Error says why
	CutOver   Phase = "cut over"  // for good
)

// Status is how far a way is.
type Status struct {
	Phase    Phase         `json:"phase"`
	Keys     int64         `json:"keys"`      // written to the target so far, each time counted
	Expected int64         `json:"expected"`  // of the source, when it was last asked; 0 = not known
	Bytes    int64         `json:"bytes"`     // of what was written
	LagBytes int64         `json:"lag_bytes"` // of the source's stream that the target has not; 0 where there is no stream
	LagKeys  int64         `json:"lag_keys"`  // that are known to have changed and are not written yet
	Lag      time.Duration `json:"lag"`       // for how long that has been so
	Passes   int64         `json:"passes"`    // times that all of the source was read
	Error    string        `json:"error,omitempty"`
}

// CutoverOptions say how writes are stopped.
type CutoverOptions struct {
	NoPause bool          // somebody else has stopped them
	Timeout time.Duration // for the target to catch up; who asks a Way must say one
	Hold    time.Duration // for which the source stays paused after it, so that clients can be moved
}

// Cut is what a cutover was.
type Cut struct {
	Stopped time.Duration `json:"stopped"` // from the stop of the source's writes until the target had all
	Keys    int64         `json:"keys"`    // written in that time
}
