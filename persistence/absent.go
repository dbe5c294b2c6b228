package persistence

import (
	"context"
	"fmt"
	"io"
	"time"
)

// Absent is the store of who has none: whatever is asked of it fails, and says what to do. Errors: ErrNoBucket.
func Absent(do string) Bucket {
	return absent{fmt.Errorf("%w: there is no object store: %s", ErrNoBucket, do)}
}

type absent struct{ err error }

func (a absent) Put(context.Context, string, io.Reader, func(int64)) (Object, error) {
	return Object{}, a.err
}
func (a absent) Get(context.Context, string, int64) (io.ReadCloser, error) { return nil, a.err }
func (a absent) Stat(context.Context, string) (Object, error)              { return Object{}, a.err }
func (a absent) List(context.Context, string) ([]Object, error)            { return nil, a.err }
func (a absent) Delete(context.Context, string) error                      { return a.err }
func (a absent) Check(context.Context) error                               { return a.err }
func (a absent) Sweep(context.Context, string, time.Time) (int, error)     { return 0, a.err }
func (absent) Place() string                                               { return "nowhere" }
func (absent) Close() error                                                { return nil }
