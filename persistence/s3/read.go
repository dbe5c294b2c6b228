package s3

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/minio/minio-go/v7"

	"larder/persistence"
)

// reader gives an object, and asks for the rest of it when the service breaks off.
type reader struct {
	b    *Bucket
	ctx  context.Context
	name string
	at   int64 // bytes of the object before what is to be read

	body io.ReadCloser // nil: to be asked for
	tag  string        // of the object that was begun: the rest must be of the same
	size int64         // of the whole object
	last error         // what reading ended with

	patience patience // since there was something to read the last time
}

// open asks for the object from where the reader is.
func (r *reader) open() error {
	options := minio.GetObjectOptions{}
	if r.at > 0 {
		if err := options.SetRange(r.at, 0); err != nil {
			return err
		}
	}
	if r.tag != "" {
		if err := options.SetMatchETag(r.tag); err != nil {
			return err
		}
	}
	body, info, header, err := r.b.core.GetObject(r.ctx, r.b.o.Bucket, r.b.key(r.name), options)
	if rangeMissed(err) {
		r.body, r.size = io.NopCloser(eof{}), r.at
		return nil
	}
	if err != nil {
		return err
	}
	if r.at > 0 && header.Get("Content-Range") == "" {
		_ = body.Close()
		return errNoRanges
	}
	r.body, r.tag = body, info.ETag
	r.size = r.at + info.Size // of the answer, which is the rest of the object
	return nil
}

// errNoRanges: the answer is the whole object, where a part of it was asked for.
var errNoRanges = errors.New("the service does not give parts of an object")

// eof has nothing.
type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// Read gives what comes, and goes on by another request where one breaks off.
func (r *reader) Read(p []byte) (int, error) {
	if r.last != nil || len(p) == 0 {
		return 0, r.last
	}
	const verb = "read object"
	for {
		n, err := r.body.Read(p)
		r.at += int64(n)
		if n > 0 {
			r.patience = patience{}
			return n, nil
		}
		if err == nil {
			continue
		}
		if err == io.EOF && r.at >= r.size { //nolint:errorlint // net/http gives it bare
			r.last = io.EOF
			return 0, io.EOF
		}
		_ = r.body.Close()
		r.body = io.NopCloser(eof{})
		if err == io.EOF { //nolint:errorlint // see above
			err = io.ErrUnexpectedEOF
		}
		for ; err != nil; err = r.open() {
			if err := r.b.pause(r.ctx, &r.patience, err); err != nil {
				r.last = r.b.explain(verb, r.name, err)
				if errors.Is(r.last, persistence.ErrExists) { // there is one, but not that of the condition
					r.last = fmt.Errorf("%s %s: %w: it was replaced while it was read", verb, r.name, persistence.ErrDamaged)
				}
				return 0, r.last
			}
		}
	}
}

// Close ends the request.
func (r *reader) Close() error {
	if r.last == nil {
		r.last = errors.New("read object " + r.name + ": it is closed")
	}
	return r.body.Close()
}
