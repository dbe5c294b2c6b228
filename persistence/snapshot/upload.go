package snapshot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"time"

	"github.com/klauspost/compress/zstd"

	"larder/persistence/rdb"
	"larder/protocol/encoding/crc64"
	form "larder/protocol/encoding/rdb"
)

// LevelMin and LevelMax are the levels of zstd that can be asked for; the library knows four, and takes the nearest. By default the first is taken: the next one
// makes objects a twentieth smaller, and takes half as much time again (docs/snapshots.md).
const (
	LevelMin     = 1
	LevelMax     = 22
	LevelDefault = 1
)

// windowBytes is how far back equal bytes are looked for. Values are short and their neighbours strangers: more finds nothing more, and takes twice as much memory.
const windowBytes = 1 << 20

// UploadOptions say how an object is made.
type UploadOptions struct {
	Level       int                                              // of zstd, LevelMin to LevelMax; 0: LevelDefault
	BytesPerSec int64                                            // of the RDB file that are taken at most; 0: as many as come
	Wait        func(ctx context.Context, d time.Duration) error // how the rate is kept: it returns after that time, or an error when ctx has ended
	Now         func() time.Time
	Moved       func(raw, bytes int) // told of bytes of the RDB file that were taken, and of the object that were given to the store; nil: nobody is
}

// errGivenUp is why an upload's object is not there.
var errGivenUp = errors.New("the snapshot was given up")

// put stores what comes from a reader, to its end, under a name, or nothing if the reader fails.
type put func(ctx context.Context, in io.Reader) error

// Upload is a shard's object on its way to a store: an RDB file is written to it, and a zstd stream arrives there. It is not there before Commit has
// returned nil, and never if Commit is not called. It belongs to one goroutine, but for Interrupt.
type Upload struct {
	name   string
	o      UploadOptions
	ctx    context.Context
	cancel context.CancelCauseFunc
	pipe   *io.PipeWriter
	z      *zstd.Encoder

	sum    uint64 // of the RDB file
	raw    int64
	digest hash.Hash
	bytes  int64
	began  time.Time

	done chan struct{} // the store has all, or has failed
	err  error         // of the store; set before done is closed
}

// NewUpload begins an object that store puts into its place. It must end with Commit or Abandon.
func NewUpload(ctx context.Context, name string, store put, o UploadOptions) (*Upload, error) {
	if o.Level == 0 {
		o.Level = LevelDefault
	}
	in, out := io.Pipe()
	u := &Upload{name: name, o: o, pipe: out, digest: sha256.New(), began: o.Now(), done: make(chan struct{})}
	u.ctx, u.cancel = context.WithCancelCause(ctx)
	z, err := zstd.NewWriter(compressed{u}, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.EncoderLevelFromZstd(o.Level)),
		zstd.WithWindowSize(windowBytes), zstd.WithEncoderCRC(false)) // there are sums enough: the RDB file has one, and the manifest
	if err != nil {
		u.cancel(err)
		return nil, fmt.Errorf("compress %s: %w", name, err)
	}
	u.z = z
	u.start(store, in)
	return u, nil
}

// compressed takes what the compressor gives.
type compressed struct{ u *Upload }

func (c compressed) Write(p []byte) (int, error) {
	c.u.digest.Write(p)
	c.u.bytes += int64(len(p))
	if c.u.o.Moved != nil {
		c.u.o.Moved(0, len(p))
	}
	return c.u.pipe.Write(p)
}

// Write takes the next bytes of the RDB file. Its texts need not be marked: zstd finds what LZF would.
func (u *Upload) Write(p []byte, _ []form.Span) error {
	u.sum = crc64.Update(u.sum, p)
	u.raw += int64(len(p))
	if u.o.Moved != nil {
		u.o.Moved(len(p), 0)
	}
	if u.o.BytesPerSec > 0 {
		due := u.began.Add(time.Duration(float64(u.raw) / float64(u.o.BytesPerSec) * float64(time.Second)))
		if wait := due.Sub(u.o.Now()); wait > 0 {
			if err := u.o.Wait(u.ctx, wait); err != nil {
				return u.failed(err)
			}
		}
	}
	if _, err := u.z.Write(p); err != nil {
		return u.failed(err)
	}
	return nil
}

// failed is what went wrong: where the pipe only says that nobody reads any more, the store knows why.
func (u *Upload) failed(err error) error {
	if cause := context.Cause(u.ctx); cause != nil {
		err = cause
	}
	return fmt.Errorf("write %s: %w", u.name, err)
}

// Commit writes the RDB file's checksum, whose last byte OpEnd was, ends the object and waits for the store.
func (u *Upload) Commit() error {
	defer u.cancel(nil)
	tail := rdb.AppendSum(nil, u.sum)
	u.raw += int64(len(tail))
	_, err := u.z.Write(tail)
	err = errors.Join(err, u.z.Close())
	if err != nil {
		err = u.failed(err)
	}
	_ = u.pipe.CloseWithError(err) // nil: the end
	<-u.done
	switch {
	case err != nil:
		return err
	case u.err != nil:
		return fmt.Errorf("write %s: %w", u.name, u.err)
	}
	return nil
}

// Interrupt has a Write that waits for the store, and all later ones, return that error. Any goroutine may call it.
func (u *Upload) Interrupt(err error) {
	u.cancel(err)
	_ = u.pipe.CloseWithError(err) // it has no other answer
}

// Abandon gives the object up and waits until the store has let go of it.
func (u *Upload) Abandon() error {
	u.Interrupt(errGivenUp)
	_ = u.z.Close() // the pipe is closed
	<-u.done
	return nil
}

// Sizes are what the manifest says of the object's bytes. It is to be called after Commit.
func (u *Upload) Sizes(s *Shard) {
	s.Object, s.RawBytes, s.Bytes, s.SHA256 = u.name, u.raw, u.bytes, hex.EncodeToString(u.digest.Sum(nil))
}
