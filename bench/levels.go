package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"larder/persistence/snapshot"
	"larder/process"
)

const (
	levelBytes = 16 << 20 // of values at each level
	levelPiece = 1 << 20  // handed over at once, as a node does it
)

// levelsKnown are those of zstd that make a difference: the library takes the nearest.
var levelsKnown = []int{1, 3, 7, 11}

// LevelCell is what a level makes of one kind of values.
type LevelCell struct {
	Kind            string
	Level           int
	Raw, Compressed int64
	Write, Read     float64 // ns of CPU a byte of the values, the least of the rounds: others only ever add to it
}

// levels measures what the levels of compression give and cost, with all else that is done to a snapshot's bytes: its object is made and read back, sums and
// all, without a store.
func (r *runner) levels() error {
	size := levelBytes
	if r.quick {
		size /= 4
	}
	h := &held{room: bytes.Repeat([]byte{1}, size+size/8)}
	for _, kind := range []string{valuesText, valuesJSON, valuesNoise} {
		data := levelData(kind, size)
		for _, level := range levelsKnown {
			if err := r.plan.stopped(); err != nil {
				return err
			}
			c := LevelCell{Kind: kind, Level: level, Raw: int64(len(data))}
			for range r.plan.rounds {
				if err := c.measure(data, h); err != nil {
					return fmt.Errorf("level %d: %w", level, err)
				}
			}
			fmt.Fprintf(r.out, "%s values at level %d: ratio %.2f, written at %.0f and read at %.0f MB/s a core\n", kind, level, c.ratio(), megabytes(c.Write), megabytes(c.Read))
			r.results.Levels = append(r.results.Levels, c)
		}
	}
	return nil
}

// levelData is about what an RDB file has of keys with such values.
func levelData(kind string, size int) []byte {
	v, data := newValues(kind, 1), make([]byte, 0, size)
	for key := uint32(0); len(data) < size; key++ {
		data = append(data, 0, byte(len(keyPrefix)+digits))
		data = append(data, keyPrefix+digitsNone...)
		putDigits(data[len(data)-digits:], key)
		const length = 1<<14 | largeValue // as the file writes it: two bytes
		data = append(data, length>>8, length&0xff)
		data = append(data, make([]byte, largeValue)...)
		v.fill(data[len(data)-largeValue:])
	}
	return data
}

// held is an object in memory, which has room for it.
type held struct {
	room  []byte
	bytes int
}

func (h *held) put(_ context.Context, in io.Reader) (err error) {
	h.bytes, err = io.ReadFull(in, h.room)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return nil
	}
	return errors.Join(errors.New("the object is longer than its room"), err)
}

func (c *LevelCell) measure(data []byte, h *held) error {
	began := processorSeconds()
	u, err := snapshot.NewUpload(context.Background(), "object", h.put, snapshot.UploadOptions{Level: c.Level, Now: time.Now})
	if err != nil {
		return err
	}
	for at := 0; at < len(data) && err == nil; at += levelPiece {
		err = u.Write(data[at:min(at+levelPiece, len(data))], nil)
	}
	if err != nil {
		return errors.Join(err, u.Abandon())
	}
	if err := u.Commit(); err != nil {
		return err
	}
	written := processorSeconds()
	var of snapshot.Shard
	u.Sizes(&of)
	in, err := snapshot.NewObject(of, io.NopCloser(bytes.NewReader(h.room[:h.bytes])))
	if err != nil {
		return err
	}
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, in, make([]byte, levelPiece))
	read := processorSeconds()
	if err := errors.Join(err, in.Close()); err != nil {
		return err
	}
	if n != of.RawBytes {
		return fmt.Errorf("%d bytes were read of %d", n, of.RawBytes)
	}
	const billion = 1e9
	write, back := billion*(written-began)/float64(c.Raw), billion*(read-written)/float64(c.Raw)
	if c.Compressed > 0 {
		write, back = min(write, c.Write), min(back, c.Read)
	}
	c.Compressed, c.Write, c.Read = of.Bytes, write, back
	return nil
}

func processorSeconds() float64 {
	user, system := process.CPUSeconds()
	return user + system
}

func (c *LevelCell) ratio() float64 { return float64(c.Raw) / float64(c.Compressed) }

// megabytes are those a second of a core, where a byte takes so many nanoseconds.
func megabytes(nsByte float64) float64 { return 1e3 / nsByte }

func (r *Results) levelsTable(w io.Writer) {
	if len(r.Levels) == 0 {
		return
	}
	fmt.Fprintf(w, "\n## Levels of compression of snapshots\n\n%d MiB of values of %s of each kind, made from a seed. The least processor time of the rounds for all that is done to a snapshot's bytes: its object is written, with the RDB file's checksum and the SHA-256 of what is stored, and read back, in memory. MB/s are of the values, for one core.\n\n",
		levelBytes>>20, sizeName(largeValue))
	fmt.Fprintf(w, "| values | level | ratio | stored | written, ns a byte | MB/s | read, ns a byte | MB/s |\n|---|---|---|---|---|---|---|---|\n")
	for i := range r.Levels {
		c := &r.Levels[i]
		fmt.Fprintf(w, "| %s | %d | **%.2f** | %.0f %% | %.2f | %.0f | %.2f | %.0f |\n", c.Kind, c.Level, c.ratio(), 100/c.ratio(), c.Write, megabytes(c.Write), c.Read, megabytes(c.Read))
	}
}
