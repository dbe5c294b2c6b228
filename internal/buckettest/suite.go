// Package buckettest is the one suite that every form of an object store passes, and what tests of them need: a real S3 server, and a proxy before it that
// does to requests what networks and services do. The suite checks what persistence.Bucket's comments promise. It runs on the test's goroutine; what it starts
// beside it ends with the test.
package buckettest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"larder/persistence"
)

// Place is an object store that is empty.
type Place struct {
	Bucket persistence.Bucket
	// Left tells what Puts have left in the store that no method shows.
	Left func() []string
	// Abandon leaves what a Put of the name leaves whose process is killed.
	Abandon func(name string)
}

// Form is a form under test.
type Form struct {
	Open func(t *testing.T) Place
	// PartBytes is the size at whose multiples something changes.
	PartBytes int
	// Pages: a list of more than a thousand comes in several answers.
	Pages bool
	// Encrypted: what lies in the store is longer than what was put.
	Encrypted bool
}

// promise is one thing that a form keeps.
type promise struct {
	name  string
	check func(t *testing.T, f Form, p Place)
}

// Run checks every promise, each in an empty store.
func Run(t *testing.T, f Form) {
	promises := []promise{
		{"what is put is got, of any length", lengths},
		{"from an offset on", offsets},
		{"a name is used once", usedOnce},
		{"one of many who put at once", putAtOnce},
		{"what is not there", notThere},
		{"names that cannot be", badNames},
		{"list in order, by prefix", lists},
		{"a long list", longList},
		{"delete one and no other", deletes},
		{"a source that fails", failingSource},
		{"a context that ends half-way", endsHalfWay},
		{"a context that has ended", hasEnded},
		{"check leaves nothing", checks},
		{"sweep", sweeps},
		{"sweep leaves what is under way", sweepsNoLive},
	}
	for _, p := range promises {
		t.Run(p.name, func(t *testing.T) { p.check(t, f, f.Open(t)) })
	}
}

// Want fails the test if an error is not the one that is wanted; nil wants none.
func Want(t testing.TB, what string, err, target error) {
	t.Helper()
	if target == nil && err != nil || target != nil && !errors.Is(err, target) {
		t.Fatalf("%s: got error %v, want %v", what, err, target)
	}
}

// Content is n bytes by chance, the same for the same n.
func Content(n int) []byte {
	data := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), byte(n >> 16)}).Read(data)
	return data
}

func put(t testing.TB, b persistence.Bucket, name string, data []byte) persistence.Object {
	t.Helper()
	o, err := b.Put(t.Context(), name, io.MultiReader(bytes.NewReader(data)), nil)
	Want(t, "put "+name, err, nil)
	return o
}

// Holds checks that an object has a content.
func Holds(t testing.TB, b persistence.Bucket, name string, data []byte) {
	t.Helper()
	got, err := readFrom(t.Context(), b, name, 0)
	Want(t, "get "+name, err, nil)
	if !bytes.Equal(got, data) {
		t.Fatalf("%s: got %d bytes, which are not the %d that were put", name, len(got), len(data))
	}
}

func readFrom(ctx context.Context, b persistence.Bucket, name string, offset int64) ([]byte, error) {
	r, err := b.Get(ctx, name, offset)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	return data, errors.Join(err, r.Close())
}

func names(t testing.TB, b persistence.Bucket, prefix string) []string {
	t.Helper()
	found, err := b.List(t.Context(), prefix)
	Want(t, "list "+prefix, err, nil)
	out := []string{}
	for _, o := range found {
		out = append(out, o.Name)
	}
	return out
}

func holdsNames(t testing.TB, b persistence.Bucket, prefix string, want ...string) {
	t.Helper()
	if got := names(t, b, prefix); !slices.Equal(got, want) {
		t.Fatalf("list %q: got %q, want %q", prefix, got, want)
	}
}

// Nothing checks that there is neither an object nor anything beside.
func (p Place) Nothing(t testing.TB) {
	t.Helper()
	holdsNames(t, p.Bucket, "")
	if left := p.Left(); len(left) > 0 {
		t.Fatalf("there is left: %q", left)
	}
}

// soon is a time in which changes of now must lie, by a clock that may be some seconds off and tells whole seconds.
func soon(changed time.Time) bool {
	d := time.Since(changed)
	return d > -10*time.Second && d < time.Minute
}
