package buckettest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"larder/persistence"
)

func lengths(t *testing.T, f Form, p Place) {
	b := p.Bucket
	for _, n := range []int{0, 1, 300_000, f.PartBytes - 1, f.PartBytes, f.PartBytes + 1, 2 * f.PartBytes, 3*f.PartBytes + 7} {
		name := fmt.Sprintf("lengths/of-%d", n)
		data := Content(n)
		var told []int64
		o, err := b.Put(t.Context(), name, io.MultiReader(bytes.NewReader(data)), func(bytes int64) { told = append(told, bytes) })
		Want(t, "put "+name, err, nil)
		stat, err := b.Stat(t.Context(), name)
		Want(t, "stat "+name, err, nil)
		if o.Name != name || stat.Name != o.Name || stat.Bytes != o.Bytes || !stat.Changed.Equal(o.Changed) || o.Encrypted != f.Encrypted || !soon(o.Changed) {
			t.Errorf("%s: Put gives %+v, Stat %+v", name, o, stat)
		}
		if !f.Encrypted && o.Bytes != int64(n) || f.Encrypted && o.Bytes <= int64(n) {
			t.Errorf("%s has %d bytes", name, o.Bytes)
		}
		last := int64(0)
		for _, bytes := range told {
			if bytes < last {
				t.Errorf("%s: was told %d", name, told)
			}
			last = bytes
		}
		if last != o.Bytes {
			t.Errorf("%s has %d bytes, and was told %d", name, o.Bytes, told)
		}
		Holds(t, b, name, data)
	}
	if left := p.Left(); len(left) > 0 {
		t.Errorf("there is left: %q", left)
	}
}

func offsets(t *testing.T, f Form, p Place) {
	data := Content(f.PartBytes + 100)
	put(t, p.Bucket, "a", data)
	for _, at := range []int{0, 1, 99, f.PartBytes - 1, f.PartBytes, len(data) - 1, len(data), len(data) + 1, 3 * len(data)} {
		got, err := readFrom(t.Context(), p.Bucket, "a", int64(at))
		Want(t, fmt.Sprintf("get from %d", at), err, nil)
		if want := data[min(at, len(data)):]; !bytes.Equal(got, want) {
			t.Errorf("from %d: got %d bytes, want %d", at, len(got), len(want))
		}
	}
	_, err := p.Bucket.Get(t.Context(), "a", -1)
	Want(t, "get from -1", err, persistence.ErrInvalid)
}

func usedOnce(t *testing.T, f Form, p Place) {
	first := Content(1000)
	put(t, p.Bucket, "folder/a", first)
	for _, n := range []int{0, 10, f.PartBytes + 1} {
		_, err := p.Bucket.Put(t.Context(), "folder/a", bytes.NewReader(Content(n)), nil)
		Want(t, "put over it", err, persistence.ErrExists)
	}
	Holds(t, p.Bucket, "folder/a", first)
	holdsNames(t, p.Bucket, "", "folder/a")
	if left := p.Left(); len(left) > 0 {
		t.Errorf("there is left: %q", left)
	}
}

// together has readers give nothing before all of them were read from.
type together struct {
	arrived chan<- struct{}
	all     <-chan struct{}
	r       io.Reader
	waited  bool
}

func (r *together) Read(p []byte) (int, error) {
	if !r.waited {
		r.waited = true
		r.arrived <- struct{}{}
		<-r.all
	}
	return r.r.Read(p)
}

func putAtOnce(t *testing.T, f Form, p Place) {
	for round, n := range []int{1000, f.PartBytes + 1} {
		const writers = 3
		name := fmt.Sprintf("at-once/%d", round)
		arrived, all := make(chan struct{}, writers), make(chan struct{})
		var results []<-chan error
		for i := range writers {
			data := append(Content(n), byte(i))
			results = append(results, background(func() error {
				_, err := p.Bucket.Put(t.Context(), name, &together{arrived: arrived, all: all, r: bytes.NewReader(data)}, nil)
				return err
			}))
		}
		for range writers {
			<-arrived
		}
		close(all)
		winner := -1
		for i, result := range results {
			err := <-result
			if err == nil && winner >= 0 {
				t.Errorf("both %d and %d have put %s", winner, i, name)
			}
			if err == nil {
				winner = i
			} else {
				Want(t, "put beside another", err, persistence.ErrExists)
			}
		}
		if winner < 0 {
			t.Fatal("nobody has put it")
		}
		Holds(t, p.Bucket, name, append(Content(n), byte(winner)))
	}
	if left := p.Left(); len(left) > 0 {
		t.Errorf("there is left: %q", left)
	}
}

// cutReader gives a content and then an error, calling then before that.
type cutReader struct {
	r    io.Reader
	err  error
	then func()
}

// Cut gives data and then err; then, if not nil, is called before the error is given.
func Cut(data []byte, err error, then func()) io.Reader {
	return &cutReader{bytes.NewReader(data), err, then}
}

func (r *cutReader) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err == io.EOF {
		if r.then != nil {
			r.then()
		}
		return n, r.err
	}
	return n, err
}

// cuts are the places at which a source breaks.
func cuts(f Form) []int { return []int{0, 1, 400_000, f.PartBytes, 2*f.PartBytes + 5} }

func failingSource(t *testing.T, f Form, p Place) {
	broken := errors.New("the node has died")
	for _, n := range cuts(f) {
		for _, cause := range []error{broken, io.ErrUnexpectedEOF, fmt.Errorf("wrapped: %w", io.EOF)} {
			_, err := p.Bucket.Put(t.Context(), "folder/a", Cut(Content(n), cause, nil), nil)
			Want(t, fmt.Sprintf("put of a source that fails after %d", n), err, cause)
			var source persistence.SourceError
			if !errors.As(err, &source) {
				t.Errorf("it is not told that it was the source: %v", err)
			}
			_, err = p.Bucket.Stat(t.Context(), "folder/a")
			Want(t, "stat", err, persistence.ErrNotFound)
			p.Nothing(t)
		}
	}
	put(t, p.Bucket, "folder/a", Content(10))
}

func endsHalfWay(t *testing.T, f Form, p Place) {
	for _, n := range cuts(f) {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := p.Bucket.Put(ctx, "folder/a", io.MultiReader(Cut(Content(n), io.EOF, cancel), bytes.NewReader(Content(f.PartBytes))), nil)
		Want(t, fmt.Sprintf("put whose context ends after %d", n), err, context.Canceled)
		p.Nothing(t)
	}
	data := Content(3 * f.PartBytes)
	put(t, p.Bucket, "a", data)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r, err := p.Bucket.Get(ctx, "a", 0)
	Want(t, "get", err, nil)
	defer r.Close()
	if _, err := io.ReadFull(r, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	cancel()
	_, err = io.Copy(io.Discard, r)
	Want(t, "read when the context has ended", err, context.Canceled)
}

func hasEnded(t *testing.T, _ Form, p Place) {
	put(t, p.Bucket, "a", nil)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := p.Bucket.Put(ctx, "b", bytes.NewReader(nil), nil)
	Want(t, "put", err, context.Canceled)
	_, err = p.Bucket.Get(ctx, "a", 0)
	Want(t, "get", err, context.Canceled)
	_, err = p.Bucket.Stat(ctx, "a")
	Want(t, "stat", err, context.Canceled)
	_, err = p.Bucket.List(ctx, "")
	Want(t, "list", err, context.Canceled)
	Want(t, "delete", p.Bucket.Delete(ctx, "a"), context.Canceled)
	Want(t, "check", p.Bucket.Check(ctx), context.Canceled)
	_, err = p.Bucket.Sweep(ctx, "", time.Now())
	Want(t, "sweep", err, context.Canceled)
	holdsNames(t, p.Bucket, "", "a")
}
