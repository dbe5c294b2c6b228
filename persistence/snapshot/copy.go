package snapshot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"time"

	"larder/persistence"
)

// Copy makes a snapshot of another name, or in another store, whose objects are those of f; each is compared with the manifest on its way. The copy is no
// automatic one: it stays until it is deleted. told, if not nil, is told how many bytes were copied. Errors: ErrTaken, ErrName, persistence.ErrDamaged.
func (s Store) Copy(ctx context.Context, f *Found, to Store, name string, now time.Time, random uint64, told func(done int64)) (*Found, error) {
	folder, err := to.Begin(ctx, name, now, random)
	if err != nil {
		return nil, err
	}
	m := *f.Manifest
	m.Name, m.Automatic = name, false
	var done int64
	for i := range m.Shards {
		err := s.copyObject(ctx, f, m.Shards[i], to, folder, func(n int64) {
			if told != nil {
				told(done + n)
			}
		})
		if err != nil {
			return nil, errors.Join(fmt.Errorf("copy snapshot %s: %w", f.Manifest.Name, err), to.Drop(context.WithoutCancel(ctx), folder))
		}
		done += m.Shards[i].Bytes
	}
	return to.Finish(ctx, folder, &m)
}

func (s Store) copyObject(ctx context.Context, f *Found, shard Shard, to Store, folder string, told func(int64)) error {
	in, err := s.get(ctx, f, shard)
	if err != nil {
		return err
	}
	defer in.Close()
	_, err = to.Bucket.Put(ctx, folder+"/"+shard.Object, &compared{in: in, of: shard, told: told}, nil)
	return err
}

// compared reads an object as it is, and fails at its end if it is not what the manifest says: then nothing is put.
type compared struct {
	in     io.Reader
	of     Shard
	told   func(int64)
	n      int64
	digest interface {
		io.Writer
		Sum(b []byte) []byte
	}
}

func (c *compared) Read(p []byte) (int, error) {
	if c.digest == nil {
		c.digest = sha256.New()
	}
	n, err := c.in.Read(p)
	_, _ = c.digest.Write(p[:n]) // a digest takes everything
	c.n += int64(n)
	c.told(c.n)
	if errors.Is(err, io.EOF) && (c.n != c.of.Bytes || hex.EncodeToString(c.digest.Sum(nil)) != c.of.SHA256) {
		return n, fmt.Errorf("%s is %w: it is not what its manifest says; copy another snapshot", c.of.Object, persistence.ErrDamaged)
	}
	return n, err
}
