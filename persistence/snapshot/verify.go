package snapshot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"larder/persistence"
	"larder/persistence/inspect"
)

// Verified is what reading a snapshot back has found.
type Verified struct {
	Shards int   `json:"shards"`
	Keys   int64 `json:"keys"`
	Raw    int64 `json:"raw_bytes"`
	Bytes  int64 `json:"bytes"`
}

// Verify reads all of a snapshot: every object has the bytes and the sum of the manifest, every key in it can be decoded, and there are as many as it says.
// told, if not nil, is told how many bytes of the objects were read. Errors: persistence.ErrDamaged, those of the store.
func (s Store) Verify(ctx context.Context, f *Found, now time.Time, told func(read int64)) (Verified, error) {
	var v Verified
	for i := range f.Manifest.Shards {
		shard := f.Manifest.Shards[i]
		err := s.verifyShard(ctx, f, shard, now, func(read int64) {
			if told != nil {
				told(v.Bytes + read)
			}
		})
		if err != nil {
			return v, fmt.Errorf("snapshot %s: %w", f.Manifest.Name, err)
		}
		v.Shards++
		v.Keys += shard.Keys
		v.Raw += shard.RawBytes
		v.Bytes += shard.Bytes
	}
	return v, nil
}

func (s Store) verifyShard(ctx context.Context, f *Found, shard Shard, now time.Time, told func(read int64)) error {
	in, err := s.Open(ctx, f, shard)
	if err != nil {
		return err
	}
	found, wrong := inspect.Check(in, inspect.Options{Now: now, Progress: func(read int64) {
		told(int64(float64(shard.Bytes) * float64(read) / float64(max(shard.RawBytes, read, 1))))
	}})
	// The sums say more than what the reader of RDB makes of changed bytes.
	_, rest := io.Copy(io.Discard, in)
	err = errors.Join(rest, in.Close())
	switch {
	case err != nil:
		return err
	case wrong != nil:
		return fmt.Errorf("%s is %w: %w", shard.Object, persistence.ErrDamaged, wrong)
	case found.Keys != shard.Keys:
		return fmt.Errorf("%s is %w: it has %d keys, and its manifest says %d", shard.Object, persistence.ErrDamaged, found.Keys, shard.Keys)
	}
	return nil
}
