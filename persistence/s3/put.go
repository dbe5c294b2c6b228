package s3

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"

	"larder/persistence"
)

const (
	// firstBytes is read before a part's memory is taken: most objects by number are small.
	firstBytes = 256 << 10
	// cleanWithin is how long a Put that failed goes on to remove what it has sent.
	cleanWithin = 5 * time.Second
	// markKey is the metadata in which a Put knows its own object again, and how it comes back.
	markKey, markHeader = "larder-put", "Larder-Put"
)

// put is one Put.
type put struct {
	b     *Bucket
	ctx   context.Context
	name  string
	mark  string // in the object's metadata: by chance, so nobody else's
	told  func(int64)
	bytes int64 // safe in the service

	upload string // the service's name for what is sent in parts; empty: none has begun
	parts  []minio.CompletePart
}

// Put keeps what r gives under a name that has no object.
func (b *Bucket) Put(ctx context.Context, name string, r io.Reader, told func(bytes int64)) (persistence.Object, error) {
	const verb = "put object"
	switch _, err := b.stat(ctx, verb, name); {
	case err == nil:
		return persistence.Object{}, fmt.Errorf("%s %s: %w in %s", verb, name, persistence.ErrExists, b.Place())
	case !errors.Is(err, persistence.ErrNotFound):
		return persistence.Object{}, err
	}
	p := &put{b: b, ctx: ctx, name: name, mark: rand.Text(), told: told}
	part, ended, err := b.firstPart(r)
	switch {
	case err != nil:
		return persistence.Object{}, b.explain(verb, name, err)
	case ended:
		err = p.whole(part)
	default:
		err = p.inParts(r, part)
	}
	if err != nil {
		return persistence.Object{}, p.clean(err)
	}
	o, err := b.Stat(ctx, name)
	if err == nil && o.Bytes != p.bytes {
		err = fmt.Errorf("%s %s: %w: %d bytes were sent, and %s says that it has %d", verb, name, persistence.ErrDamaged, p.bytes, b.where(), o.Bytes)
	}
	if err != nil {
		return persistence.Object{}, p.clean(err)
	}
	return o, nil
}

// firstPart reads the first part, in memory that has a part's size if there is more.
func (b *Bucket) firstPart(r io.Reader) (part []byte, ended bool, err error) {
	part = make([]byte, min(firstBytes, b.o.PartBytes))
	n, ended, err := persistence.Fill(r, part)
	if err != nil || ended {
		return part[:n], ended, err
	}
	whole := make([]byte, b.o.PartBytes)
	copy(whole, part)
	more, ended, err := persistence.Fill(r, whole[n:])
	return whole[:n+more], ended, err
}

func (p *put) safe(n int) {
	p.bytes += int64(n)
	if p.told != nil {
		p.told(p.bytes)
	}
}

// options are what an object is made with.
func (p *put) options(conditional bool) minio.PutObjectOptions {
	o := minio.PutObjectOptions{
		UserMetadata: map[string]string{markKey: p.mark}, ServerSideEncryption: p.b.sse, StorageClass: p.b.o.StorageClass,
		ContentType: "application/octet-stream",
	}
	if conditional {
		o.SetMatchETagExcept("*")
	}
	return o
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// whole sends an object in one request.
func (p *put) whole(data []byte) error {
	err := p.make(func(conditional bool) error {
		_, err := p.b.core.PutObject(p.ctx, p.b.o.Bucket, p.b.key(p.name), sending(data), int64(len(data)), "", digest(data), p.options(conditional))
		return err
	})
	if err == nil {
		p.safe(len(data))
	}
	return err
}

// inParts sends an object part by part. part is full, and more comes.
func (p *put) inParts(r io.Reader, part []byte) error {
	const verb = "begin an upload of object"
	err := p.b.retry(p.ctx, verb, p.name, func() (err error) {
		p.upload, err = p.b.core.NewMultipartUpload(p.ctx, p.b.o.Bucket, p.b.key(p.name), p.options(false))
		return err
	})
	if err != nil {
		return err
	}
	n, ended := len(part), false
	for n > 0 {
		if err := p.part(part[:n]); err != nil {
			return err
		}
		if ended {
			break
		}
		if n, ended, err = persistence.Fill(r, part); err != nil {
			return err
		}
	}
	return p.make(func(conditional bool) error {
		o := minio.PutObjectOptions{}
		if conditional {
			o.SetMatchETagExcept("*")
		}
		_, err := p.b.core.CompleteMultipartUpload(p.ctx, p.b.o.Bucket, p.b.key(p.name), p.upload, p.parts, o)
		return err
	})
}

func (p *put) part(data []byte) error {
	number := len(p.parts) + 1
	if number > p.b.partsMax {
		return fmt.Errorf("put object %s: %w: it has more than %d parts of %s, which is all that the service takes; raise part-size",
			p.name, persistence.ErrFull, p.b.partsMax, formatBytes(p.b.o.PartBytes))
	}
	sum := digest(data)
	err := p.b.retry(p.ctx, "send a part of object", p.name, func() error {
		sent, err := p.b.core.PutObjectPart(p.ctx, p.b.o.Bucket, p.b.key(p.name), p.upload, number, sending(data), int64(len(data)),
			minio.PutObjectPartOptions{Sha256Hex: sum})
		if err == nil {
			p.parts = append(p.parts, minio.CompletePart{PartNumber: number, ETag: sent.ETag})
		}
		return err
	})
	if noUpload(err) {
		return fmt.Errorf("put object %s: %w: its upload was removed while it was under way: %w", p.name, persistence.ErrUnavailable, err)
	}
	if err == nil {
		p.safe(len(data))
	}
	return err
}

func codeOf(err error) string {
	var response minio.ErrorResponse
	if errors.As(err, &response) {
		return response.Code
	}
	return ""
}

func noUpload(err error) bool { return codeOf(err) == minio.NoSuchUpload }

// make does the request that makes the object, on the condition that there is none of that name, until it has made it. What the answer does not tell, the
// object's mark does.
func (p *put) make(request func(conditional bool) error) error {
	const verb = "put object"
	patience := patience{}
	for {
		conditional := !p.b.unconditional.Load()
		err := request(conditional)
		if err == nil {
			return nil
		}
		var response minio.ErrorResponse
		if errors.As(err, &response) && conditional && response.StatusCode == http.StatusNotImplemented {
			p.b.unconditional.Store(true) // and so it is asked first, as Put has done
			continue
		}
		if response.StatusCode == http.StatusPreconditionFailed || response.Code == minio.NoSuchUpload {
			mine, statErr := p.mine(p.ctx)
			switch {
			case mine:
				return nil // the request had been done, and its answer was lost
			case statErr != nil:
				return statErr
			case response.Code == minio.NoSuchUpload:
				return fmt.Errorf("%s %s: %w: its upload was removed while it was under way: %w", verb, p.name, persistence.ErrUnavailable, err)
			}
		}
		if err := p.b.pause(p.ctx, &patience, err); err != nil {
			return p.b.explain(verb, p.name, err)
		}
	}
}

// mine tells whether the object of the name is this Put's.
func (p *put) mine(ctx context.Context) (bool, error) {
	info, err := p.b.stat(ctx, "put object", p.name)
	if err != nil {
		if errors.Is(err, persistence.ErrNotFound) {
			err = nil
		}
		return false, err
	}
	return info.UserMetadata[markHeader] == p.mark, nil
}

// clean removes what a Put that failed has sent, also if its context has ended, and gives the error with what it could not remove.
func (p *put) clean(failed error) error {
	failed = p.b.explain("put object", p.name, failed)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(p.ctx), cleanWithin)
	defer cancel()
	if err := p.abort(ctx); err != nil {
		return fmt.Errorf("%w; what was sent of it is still there and is swept later: %v", failed, err)
	}
	if !unsure(failed) {
		return failed
	}
	mine, err := p.mine(ctx)
	if mine {
		err = p.b.core.RemoveObject(ctx, p.b.o.Bucket, p.b.key(p.name), minio.RemoveObjectOptions{})
	}
	if err != nil {
		return fmt.Errorf("%w; it may be there nevertheless, whole: %v", failed, err)
	}
	return failed
}

// abort gives up what is sent in parts.
func (p *put) abort(ctx context.Context) error {
	if p.upload == "" {
		return nil
	}
	return p.b.retryWithin(ctx, cleanWithin, "remove the rest of object", p.name, func() error {
		err := p.b.core.AbortMultipartUpload(ctx, p.b.o.Bucket, p.b.key(p.name), p.upload)
		if noUpload(err) {
			return nil
		}
		return err
	})
}

// unsure tells errors after which the object may be there all the same.
func unsure(err error) bool {
	var source persistence.SourceError
	if errors.As(err, &source) {
		return false
	}
	for _, kind := range []error{persistence.ErrUnavailable, persistence.ErrDamaged, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}
