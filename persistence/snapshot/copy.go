package snapshot

import (
	"context"
	"errors"
	"io"
)

// Copy makes a snapshot of another name, or in another store, whose objects are those of f, in a folder that to.Begin gave; each is compared with the manifest
// on its way. The copy is no automatic one: it stays until it is deleted. told, if not nil, is told how many bytes were copied. After an error the caller
// discards the folder. Errors: persistence.ErrDamaged.
func (s Store) Copy(ctx context.Context, f *Found, to Store, folder, name string, told func(done int64)) (*Found, error) {
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
			return nil, err
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
	_, err = to.Bucket.Put(ctx, folder+"/"+shard.Object, &compared{newSummed(shard, in), told}, nil)
	return err
}

// compared reads an object as it is, and fails at its end if it is not what the manifest says: then nothing is put.
type compared struct {
	*summed
	told func(int64)
}

func (c *compared) Read(p []byte) (int, error) {
	n, err := c.summed.Read(p)
	c.told(c.bytes)
	if errors.Is(err, io.EOF) {
		if wrong := c.judge(); wrong != nil {
			return n, wrong
		}
	}
	return n, err
}
