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

// object gives the RDB file in a shard's object. Its last read says whether the object is what the manifest says: nothing of it is to be served before.
type object struct {
	of     Shard
	in     io.ReadCloser
	z      io.ReadCloser
	digest hash.Hash
	bytes  int64
	raw    int64
	err    error // for good
}

// NewObject reads the RDB file in a shard's object, of which in has the bytes. Read's io.EOF comes only if the object has the bytes and the sum of the
// manifest; else the last error is persistence.ErrDamaged. Close closes in too.
func NewObject(of Shard, in io.ReadCloser) (io.ReadCloser, error) {
	o := &object{of: of, in: in, digest: sha256.New()}
	z, err := zstd.NewReader(stored{o}, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(windowMax))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("decompress %s: %w", of.Object, err), in.Close())
	}
	o.z = z.IOReadCloser()
	return o, nil
}

// stored reads the object as it lies in the store.
type stored struct{ o *object }

func (s stored) Read(p []byte) (n int, err error) {
	n, err = s.o.in.Read(p)
	s.o.digest.Write(p[:n])
	s.o.bytes += int64(n)
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
		o.err = o.damaged("it cannot be decompressed behind byte %d: %v", o.bytes, err)
	}
	return n, o.err
}

// whole judges an object whose stream has ended. Answers io.EOF if it is right.
func (o *object) whole() error {
	if _, err := io.Copy(io.Discard, stored{o}); err != nil {
		return o.err
	}
	sum := hex.EncodeToString(o.digest.Sum(nil))
	switch {
	case o.bytes != o.of.Bytes:
		return o.damaged("it has %d bytes, and its manifest says %d", o.bytes, o.of.Bytes)
	case sum != o.of.SHA256:
		return o.damaged("its SHA-256 is %s, and its manifest says %s", sum, o.of.SHA256)
	case o.raw != o.of.RawBytes:
		return o.damaged("it has %d bytes decompressed, and its manifest says %d", o.raw, o.of.RawBytes)
	}
	return io.EOF
}

func (o *object) damaged(what string, args ...any) error {
	return fmt.Errorf("%s is %w: %s; take another snapshot, or a copy of this one", o.of.Object, persistence.ErrDamaged, fmt.Sprintf(what, args...))
}

func (o *object) Close() error { return errors.Join(o.z.Close(), o.in.Close()) }
