// Package snapshots opens stores for tests, and takes snapshots of one while a model test changes it: one or two at a time, begun, read in slices and given up whenever chance says so.
//
// What must hold: a snapshot that is read to its end yields each key once, in its turn or before, with the state that it had when the snapshot began; when
// none is left, the store keeps nothing for them. It is for tests, on one goroutine.
package snapshots

import (
	"cmp"
	"fmt"
	"math/rand/v2"

	"larder/engine/memory"
	"larder/engine/store"
	"larder/router"

	"pgregory.net/rapid"
)

// NewStore gives a test an empty store, the same each time but for what change says.
func NewStore(t interface{ Fatal(...any) }, change ...func(*store.Options)) *store.Store {
	o := store.Options{Memory: memory.Map{}, Seed: 1, Slot: router.Slot, Rand: rand.New(rand.NewPCG(1, 2))}
	for _, f := range change {
		f(&o)
	}
	s, err := store.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Watch has the snapshots of one store in progress.
type Watch struct {
	Store *store.Store
	// States gives the keys of database 0 that are looked at, and what they have now as a text; no key that has nothing.
	States func() map[string]string
	// Reader gives what makes such a text of an item, now or later, as it was when Reader was called.
	Reader func() func(it store.Item) string

	passes []*pass
}

type pass struct {
	snapshot  *store.Snapshot
	read      func(it store.Item) string
	want, got map[string]string
	fault     error // found in a callback
}

// passesMax is how many snapshots a store takes at a time.
const passesMax = 2

// Step does something with snapshots, or nothing. It is to be called between changes.
func (w *Watch) Step(t *rapid.T) {
	switch rapid.IntRange(0, 5).Draw(t, "snapshot") {
	case 0:
		w.begin(t)
	case 1, 2:
		if len(w.passes) > 0 {
			w.read(t, rapid.IntRange(0, len(w.passes)-1).Draw(t, "pass"), rapid.SampledFrom([]int{1, 200, 1 << 20}).Draw(t, "budget"))
		}
	case 3:
		if len(w.passes) > 0 && rapid.IntRange(0, 5).Draw(t, "give up") == 0 {
			w.passes[0].snapshot.Close()
			w.passes = w.passes[1:]
		}
	}
}

func (w *Watch) begin(t *rapid.T) {
	if len(w.passes) == passesMax {
		return
	}
	p := &pass{read: w.Reader(), want: w.States(), got: map[string]string{}}
	asked, takes := 0, rapid.IntRange(0, 3).Draw(t, "early")
	snapshot, err := w.Store.Snapshot(store.SnapshotOptions{Early: func(db int, it store.Item) bool {
		if asked++; takes == 0 || asked%takes > 0 {
			return false
		}
		p.take(db, it)
		return true
	}})
	if err != nil {
		t.Fatal(err)
	}
	p.snapshot = snapshot
	w.passes = append(w.passes, p)
}

// take notes what a snapshot yields.
func (p *pass) take(db int, it store.Item) {
	key := string(it.Key())
	if _, twice := p.got[key]; db != 0 || twice {
		p.fault = fmt.Errorf("database %d, %q comes twice, or where it was not", db, key)
	}
	p.got[key] = p.read(it)
}

// read reads a slice of a snapshot and compares all of it at its end.
func (w *Watch) read(t *rapid.T, which, budget int) {
	p := w.passes[which]
	more, err := p.snapshot.Next(budget, p.take)
	if err := cmp.Or(p.fault, err); err != nil {
		t.Fatal(err)
	}
	if more {
		return
	}
	for key, want := range p.want {
		if got, there := p.got[key]; got != want || !there {
			t.Fatalf("snapshot: %q (%v) has %.2000q, want %.2000q", key, there, got, want)
		}
	}
	for key, got := range p.got {
		if _, there := p.want[key]; !there && got != "" {
			t.Fatalf("snapshot: %q was not there: %.2000q", key, got)
		}
	}
	w.passes = append(w.passes[:which], w.passes[which+1:]...)
}

// End reads all snapshots to their ends.
func (w *Watch) End(t *rapid.T) {
	for len(w.passes) > 0 {
		w.read(t, 0, 1<<20)
	}
	if kept := w.Store.Kept(); kept != 0 {
		t.Fatalf("%d bytes are kept for no snapshot", kept)
	}
}
