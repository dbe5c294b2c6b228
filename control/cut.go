package control

import (
	"context"
	"errors"
	"io"
	"time"

	"larder/persistence/rdb"
)

const (
	cutPiece = 256 << 10 // read at a time, and given at a time, bytes
	cutLarge = 256 << 10 // a longer text is passed on in parts
)

// outlet is the RDB file that a shard is given of one file.
type outlet struct {
	w    rdb.Frame
	pipe *io.PipeWriter
}

// give passes on what was written, if that is much, or all.
func (o *outlet) give(all bool) error {
	if len(o.w.Out) == 0 || !all && len(o.w.Out) < cutPiece {
		return nil
	}
	_, err := o.pipe.Write(o.w.Out)
	o.w.Out = o.w.Out[:0]
	return err
}

// cutting is a file that is being cut by shard.
type cutting struct {
	r     *restoring
	scan  rdb.Scanner
	outs  []*outlet // by shard; nil: it gets nothing of the file
	large *outlet   // whose large text is being passed on
	told  time.Time
}

// fillFrom gives each shard its share of a file.
func (r *restoring) fillFrom(ctx context.Context, f OriginalFile, plan []share) error {
	c := &cutting{r: r, outs: make([]*outlet, len(plan))}
	c.scan.LargeMin = cutLarge
	var readers []*io.PipeReader
	var shards []int
	for i := range plan {
		if plan[i].keys == 0 && (!r.want.Selected.All() || len(r.libraries) == 0) {
			continue
		}
		in, out := io.Pipe()
		c.outs[i] = &outlet{pipe: out}
		readers, shards = append(readers, in), append(shards, i)
	}
	if len(shards) == 0 {
		return nil
	}
	r.changed.Store(true)
	return fan(ctx, len(shards), func(ctx context.Context, i int) error {
		took, err := r.r.Intake(ctx, shards[i], readers[i], r.want.Selected.All())
		r.a.tasks.mu.Lock()
		sum := &r.took[shards[i]]
		sum.Taken, sum.Expired = sum.Taken+took.Taken, sum.Expired+took.Expired
		r.a.tasks.mu.Unlock()
		return err
	}, func(ctx context.Context) error {
		err := c.file(ctx, f)
		for _, o := range c.outs {
			if o != nil {
				_ = o.pipe.CloseWithError(err) // nil: the end
			}
		}
		if errors.Is(err, io.ErrClosedPipe) {
			return nil // a shard takes no more of it, and says why
		}
		return err
	})
}

// file reads a file to its end.
func (c *cutting) file(ctx context.Context, f OriginalFile) error {
	in, err := f.Open(ctx)
	if err != nil {
		return err
	}
	err = c.all(ctx, in)
	return errors.Join(err, in.Close())
}

func (c *cutting) all(ctx context.Context, in io.Reader) error {
	piece := make([]byte, cutPiece)
	for ctx.Err() == nil {
		e, found, err := c.scan.Next()
		switch {
		case err != nil:
			return err
		case found == rdb.More:
			if err = c.feed(in, piece); err != nil {
				return err
			}
		case found == rdb.End:
			return c.end(in)
		default:
			if err = c.pass(e, found); err != nil {
				return err
			}
		}
	}
	return context.Cause(ctx)
}

func (c *cutting) feed(in io.Reader, piece []byte) error {
	n, err := in.Read(piece)
	c.scan.Feed(piece[:n])
	c.r.read.Add(int64(n))
	if now := c.r.a.o.Now(); now.Sub(c.told) >= progressEvery {
		c.told = now
		c.r.progress()
	}
	switch {
	case err == io.EOF && n == 0:
		return c.scan.Ended()
	case err == io.EOF:
		return nil
	}
	return err
}

// pass gives what was found to whom it concerns.
func (c *cutting) pass(e *rdb.Entry, found rdb.State) error {
	switch found {
	case rdb.Function:
		if c.r.want.Selected.All() {
			for _, o := range c.outs {
				if o != nil {
					c.begin(o)
					o.w.Function(string(e.Body))
				}
			}
		}
	case rdb.Key, rdb.Begin:
		c.large = nil
		if !c.r.want.Selected.Has(e.DB, e.Key) {
			return nil
		}
		o := c.outs[c.r.to.ShardOf(e.Key)]
		if o == nil {
			return errors.New("it has other keys than it had a moment ago: it must not change meanwhile")
		}
		c.begin(o)
		c.large = o
		o.w.Copy(e, found)
		return o.give(false)
	case rdb.Part:
		if c.large != nil {
			c.large.w.Copy(e, found)
			return c.large.give(false)
		}
	}
	return nil
}

// begin writes what a file of this one's form begins with, once.
func (c *cutting) begin(o *outlet) {
	if !o.w.Begun() {
		version, valkey := c.scan.Version()
		o.w.BeginAs(version, valkey)
	}
}

// end ends the shards' files when this one has ended as it should.
func (c *cutting) end(in io.Reader) error {
	if _, err := io.Copy(io.Discard, in); err != nil {
		return err
	}
	for _, o := range c.outs {
		if o == nil {
			continue
		}
		c.begin(o)
		o.w.End()
		o.w.Out = rdb.AppendSum(o.w.Out, 0)
		if err := o.give(true); err != nil {
			return err
		}
	}
	return nil
}
