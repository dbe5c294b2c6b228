// Package s3 is the object store in a bucket of an S3-compatible service. It is the one door to the client of that protocol.
//
// What must hold: an object is sent as one request, or in parts that the service makes an object of at the end, both on the condition that the name has none
// yet; a service that does not know the condition is asked before. Each Put marks its object by chance, so that after a lost answer it knows its own object
// from another's. Requests that fail in a way that may pass are tried again with growing pauses, for Options.RetryFor, and never after their context has
// ended; a connection that moves nothing for Options.Stall counts as failed. A Put takes one part's memory.
//
// It is persistence.Bucket in all else. Its goroutines are those of net/http's connections, which Close ends.
package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/encrypt"

	"larder/persistence"
)

// Bucket is a bucket, or a prefix in it, as an object store.
type Bucket struct {
	o      Options // with its defaults
	core   *minio.Core
	wire   *wire
	sse    encrypt.ServerSide // nil: none is asked for
	prefix string             // with a slash at its end, unless empty

	// partsMax is how many parts an object has at most.
	partsMax int
	// unconditional is set when the service turned out not to know conditions on a Put.
	unconditional atomic.Bool
}

// Open gives a bucket; it asks the service nothing yet. Errors: ErrInvalid.
func Open(o Options) (*Bucket, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	o = o.withDefaults()
	endpoint, secure := "s3.amazonaws.com", true
	if o.Endpoint != "" {
		u, err := url.Parse(o.Endpoint)
		if err != nil {
			return nil, wrong("endpoint", "%v", err)
		}
		endpoint, secure = u.Host, u.Scheme == "https"
	}
	w, err := newWire(o)
	if err != nil {
		return nil, err
	}
	lookup := minio.BucketLookupDNS
	if o.PathStyle == Yes {
		lookup = minio.BucketLookupPath
	}
	// The library's own tries cannot be bounded by time: ours are in retry.go.
	core, err := minio.NewCore(endpoint, &minio.Options{
		Creds: o.credentials(), Secure: secure, Transport: w, Region: o.Region, BucketLookup: lookup, MaxRetries: 1,
	})
	if err != nil {
		return nil, wrong("endpoint", "%v", err)
	}
	b := &Bucket{o: o, core: core, wire: w, partsMax: partsMax}
	if o.Prefix != "" {
		b.prefix = o.Prefix + "/"
	}
	switch o.SSE {
	case SSES3:
		b.sse = encrypt.NewSSE()
	case SSEKMS:
		if b.sse, err = encrypt.NewSSEKMS(o.SSEKey, nil); err != nil {
			return nil, wrong("sse-key", "%v", err)
		}
	}
	return b, nil
}

func (o Options) withDefaults() Options {
	if o.PartBytes == 0 {
		o.PartBytes = partBytesDefault
	}
	if o.Stall == 0 {
		o.Stall = stallDefault
	}
	if o.RetryFor == 0 {
		o.RetryFor = retryForDefault
	}
	if o.PathStyle == Usual {
		o.PathStyle = No
		if o.Endpoint != "" || strings.Contains(o.Bucket, ".") { // a certificate for *.host has no room for points
			o.PathStyle = Yes
		}
	}
	for _, name := range []string{"AWS_REGION", "AWS_DEFAULT_REGION"} {
		if o.Region == "" {
			o.Region = os.Getenv(name)
		}
	}
	return o
}

// Close ends idle connections.
func (b *Bucket) Close() error {
	b.wire.CloseIdleConnections()
	return nil
}

// Place is the bucket as a URL.
func (b *Bucket) Place() string {
	place := persistence.Place{Scheme: persistence.SchemeS3, Bucket: b.o.Bucket, Prefix: b.o.Prefix}
	if b.o.Endpoint != "" {
		place.Query = persistence.Settings{"endpoint": b.o.Endpoint}
	}
	return place.String()
}

func (b *Bucket) key(name string) string { return b.prefix + name }

func (b *Bucket) object(info minio.ObjectInfo) persistence.Object {
	return persistence.Object{Name: strings.TrimPrefix(info.Key, b.prefix), Bytes: info.Size, Changed: info.LastModified}
}

// Stat tells of one object.
func (b *Bucket) Stat(ctx context.Context, name string) (persistence.Object, error) {
	info, err := b.stat(ctx, "stat object", name)
	return b.object(info), err
}

func (b *Bucket) stat(ctx context.Context, verb, name string) (info minio.ObjectInfo, err error) {
	if err := persistence.CheckName(name); err != nil {
		return info, err
	}
	err = b.retry(ctx, verb, name, func() error {
		info, err = b.core.StatObject(ctx, b.o.Bucket, b.key(name), minio.StatObjectOptions{})
		return err
	})
	info.Key = b.key(name)
	return info, err
}

// listMax is how many a request gives at most, the service's own limit.
const listMax = 1000

// List gives the objects whose names begin with prefix.
func (b *Bucket) List(ctx context.Context, prefix string) ([]persistence.Object, error) {
	if err := persistence.CheckPrefix(prefix); err != nil {
		return nil, err
	}
	var found []persistence.Object
	err := b.retry(ctx, "list objects", prefix, func() (err error) {
		found, err = b.listed(ctx, prefix, math.MaxInt)
		return err
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(found, func(x, y persistence.Object) int { return strings.Compare(x.Name, y.Name) }) // not every service does
	return found, nil
}

// listed gives objects until there are enough.
func (b *Bucket) listed(ctx context.Context, prefix string, enough int) ([]persistence.Object, error) {
	var found []persistence.Object
	owner := false
	options := minio.ListObjectsOptions{Prefix: b.key(prefix), Recursive: true, MaxKeys: min(enough, listMax), FetchOwner: &owner}
	for info := range b.core.ListObjectsIter(ctx, b.o.Bucket, options) {
		if info.Err != nil {
			return nil, info.Err
		}
		if o := b.object(info); persistence.CheckName(o.Name) == nil { // what others have put there is not ours to show
			found = append(found, o)
		}
		if len(found) >= enough {
			break
		}
	}
	return found, ctx.Err() // with which the client just ends
}

// Delete removes an object.
func (b *Bucket) Delete(ctx context.Context, name string) error {
	if err := persistence.CheckName(name); err != nil {
		return err
	}
	err := b.retry(ctx, "delete object", name, func() error {
		return b.core.RemoveObject(ctx, b.o.Bucket, b.key(name), minio.RemoveObjectOptions{})
	})
	if errors.Is(err, persistence.ErrNotFound) {
		return nil
	}
	return err
}

// Get gives an object from an offset on.
func (b *Bucket) Get(ctx context.Context, name string, offset int64) (io.ReadCloser, error) {
	if err := persistence.CheckName(name); err != nil {
		return nil, err
	}
	if offset < 0 {
		return nil, fmt.Errorf("get object %s: %w: the offset %d is below zero", name, persistence.ErrInvalid, offset)
	}
	r := &reader{b: b, ctx: ctx, name: name, at: offset}
	err := b.retry(ctx, "get object", name, r.open)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// rangeMissed tells that an object has nothing from an offset on.
func rangeMissed(err error) bool {
	var response minio.ErrorResponse
	return errors.As(err, &response) && response.StatusCode == http.StatusRequestedRangeNotSatisfiable
}
