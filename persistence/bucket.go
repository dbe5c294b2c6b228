// Package persistence is where what outlives a process is kept. The folders below it are the formats and what is done to files; here is the object store,
// where snapshots go: a Bucket, with a form for a folder (persistence/dir) and one for S3-compatible services (persistence/s3), and a wrapper that encrypts
// what any of them keeps (Encrypt).
//
// What must hold: an object is there whole or not at all, and is never changed: a name is used once. Whoever is killed in the middle of a Put leaves nothing
// that List, Stat or Get show, and what it does leave Sweep removes. The same behaviour in every form is checked by one suite, internal/buckettest.
//
// Whoever wires the house opens a form from its Options, which come from a place as users write it (ParsePlace) and from settings (Values), and hands the
// Bucket on; before work that takes long they call Check, at times Sweep. Methods may be called from any goroutine, also at the same time, and block until done
// or until their context ends.
package persistence

import (
	"context"
	"errors"
	"io"
	"time"
)

// What callers decide on, by errors.Is. A method returns only those that its comment names, or the context's own error; further, every method may return
// ErrInvalid for a name that CheckName refuses, ErrDenied, ErrUnavailable, and those that Check names. What an error says names the object or the setting that
// was wrong, and what to do.
var (
	// ErrNotFound: there is no object of that name.
	ErrNotFound = errors.New("no such object")
	// ErrExists: there is an object of that name, which was not touched.
	ErrExists = errors.New("there is such an object already")
	// ErrInvalid: a name or setting that cannot be right. Nothing happened.
	ErrInvalid = errors.New("invalid")
	// ErrDenied: the store knows who asks, and does not let them.
	ErrDenied = errors.New("access denied by the object store")
	// ErrFull: the store has no room, or the object is larger than it can keep.
	ErrFull = errors.New("the object store is full")
	// ErrUnavailable: the store cannot be reached, or fails, for longer than it was tried. A Put or Delete may have happened.
	ErrUnavailable = errors.New("the object store is unavailable")

	// ErrNoBucket: the bucket, or folder, does not exist.
	ErrNoBucket = errors.New("no such bucket")
	// ErrCredentials: there are none, or the store does not take them: wrong key, wrong secret, expired.
	ErrCredentials = errors.New("the object store does not accept the credentials")
	// ErrClock: this machine's clock and the store's differ by so much that no request is taken.
	ErrClock = errors.New("the clock is wrong")
	// ErrRegion: the bucket lies in another region than requests are signed for.
	ErrRegion = errors.New("wrong region")

	// ErrKey: an object is encrypted, and no key at hand opens it; or keys that are at hand don't belong together.
	ErrKey = errors.New("no key opens this")
	// ErrDamaged: what the store gives is not what was put: cut off, or changed.
	ErrDamaged = errors.New("damaged")
)

// Object is what a store tells of one.
type Object struct {
	Name      string
	Bytes     int64     // as it lies in the store: encrypted, it has more than were put
	Changed   time.Time // when it was put, by the store's clock
	Encrypted bool      // by Encrypt, which alone says so
}

// Bucket is a place for objects with names.
type Bucket interface {
	// Put keeps what r gives until io.EOF, of any length, under a name that has no object yet. If r fails, or ctx ends, or the store fails, there is no object
	// of that name afterwards and what was sent has been removed, as far as the store could still be reached; Sweep removes the rest. Only where the store's
	// last answer was lost may the object be there, whole, after ErrUnavailable. told, if not nil, is called on the caller's goroutine with how many bytes are
	// safe in the store so far. r is read on the caller's goroutine; one that can block must end with ctx by itself. Its error is wrapped in Put's.
	// Errors: ErrExists, ErrFull.
	Put(ctx context.Context, name string, r io.Reader, told func(bytes int64)) (Object, error)
	// Get gives an object from an offset in bytes on; at its end or beyond there is nothing to read. What breaks off is gone on with where it broke off;
	// reading fails with ErrUnavailable if that does not help, with ErrNotFound if the object was deleted meanwhile. ctx holds for reading too. The reader
	// belongs to one goroutine, which must close it. Errors: ErrNotFound.
	Get(ctx context.Context, name string, offset int64) (io.ReadCloser, error)
	// Stat tells of one object. Errors: ErrNotFound.
	Stat(ctx context.Context, name string) (Object, error)
	// List gives the objects whose names begin with prefix, which may end anywhere in a name, in the order of their names' bytes.
	List(ctx context.Context, prefix string) ([]Object, error)
	// Delete removes an object. That there is none is no error.
	Delete(ctx context.Context, name string) error
	// Check tries whether there is a store at the place, and whether it may be listed, read and written to, without leaving anything there. It is to be called
	// before work begins whose results go there: its errors are for users to act on. It does not try to delete, which a careful owner may forbid.
	// Errors: ErrNoBucket, ErrCredentials, ErrClock, ErrRegion, ErrDenied, ErrFull, ErrKey, ErrInvalid, ErrUnavailable.
	Check(ctx context.Context) error
	// Sweep removes what Puts of names that begin with prefix have left, whose last sign of life was before a time, by the store's clock, and tells how many
	// there were. One that is under way is alive whenever it sends something.
	Sweep(ctx context.Context, prefix string, before time.Time) (int, error)
	// Place says where this is, for people: never a secret in it.
	Place() string
	// Close ends what is kept open between calls. No method may be running, and none may be called afterwards.
	Close() error
}
