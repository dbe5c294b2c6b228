package snapshot

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/klauspost/compress/zstd"

	"larder/persistence"
)

// windowMax is the memory that a compressed object may ask for.
const windowMax = 128 << 20

// summed reads an object as it lies in the store, and sums it up.
type summed struct {
	of     Shard
	in     io.Reader
	digest hash.Hash
	bytes  int64
}

func newSummed(of Shard, in io.Reader) *summed { return &summed{of: of, in: in, digest: sha256.New()} }

func (s *summed) Read(p []byte) (n int, err error) {
	n, err = s.in.Read(p)
	s.digest.Write(p[:n])
	s.bytes += int64(n)
	return n, err
}

// judge says, when all was read, whether that is what the manifest says.
func (s *summed) judge() error {
	sum := hex.EncodeToString(s.digest.Sum(nil))
	switch {
	case s.bytes != s.of.Bytes:
		return damaged(s.of, "it has %d bytes, and its manifest says %d", s.bytes, s.of.Bytes)
	case sum != s.of.SHA256:
		return damaged(s.of, "its SHA-256 is %s, and its manifest says %s", sum, s.of.SHA256)
	}
	return nil
}

func damaged(of Shard, what string, args ...any) error {
	return fmt.Errorf("%s is %w: %s; take another snapshot, or a copy of this one", of.Object, persistence.ErrDamaged, fmt.Sprintf(what, args...))
}

// object gives the RDB file in a shard's object. Its last read says whether the object is what the manifest says: nothing of it is to be served before.
type object struct {
	of     Shard
	in     io.ReadCloser
	stored *summed
	z      io.ReadCloser
	raw    int64
	err    error // for good
}

// NewObject reads the RDB file in a shard's object, of which in has the bytes. Read's io.EOF comes only if the object has the bytes and the sum of the
// manifest; else the last error is persistence.ErrDamaged. Close closes in too.
func NewObject(of Shard, in io.ReadCloser) (io.ReadCloser, error) {
	o := &object{of: of, in: in}
	o.stored = newSummed(of, fromStore{o})
	z, err := zstd.NewReader(o.stored, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(windowMax))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("decompress %s: %w", of.Object, err), in.Close())
	}
	o.z = z.IOReadCloser()
	return o, nil
}

// fromStore keeps what the store says of a failure: the decompressor could not tell it from a stream that breaks off.
type fromStore struct{ o *object }

func (s fromStore) Read(p []byte) (n int, err error) {
	n, err = s.o.in.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		s.o.err = fmt.Errorf("read %s: %w", s.o.of.Object, err)
	}
	return n, err
}

func (o *object) Read(p []byte) (int, error) {
	if o.err != nil {
		return 0, o.err
	}
	n, err := o.z.Read(p)
	o.raw += int64(n)
	switch {
	case err == nil:
	case o.err != nil: // the store's
	case errors.Is(err, io.EOF):
		o.err = o.whole()
	default:
		o.err = damaged(o.of, "it cannot be decompressed behind byte %d: %v", o.stored.bytes, err)
	}
	return n, o.err
}

// whole judges an object whose stream has ended. Answers io.EOF if it is right.
func (o *object) whole() error {
	if _, err := io.Copy(io.Discard, o.stored); err != nil {
		return o.err
	}
	if err := o.stored.judge(); err != nil {
		return err
	}
	if o.raw != o.of.RawBytes {
		return damaged(o.of, "it has %d bytes decompressed, and its manifest says %d", o.raw, o.of.RawBytes)
	}
	return io.EOF
}

func (o *object) Close() error { return errors.Join(o.z.Close(), o.in.Close()) }
