package engine

import (
	"context"
	"errors"
	"fmt"

	"larder/engine/store"
	"larder/protocol/command"
	"larder/router"
)

// Survey is what a node has of selected keys, and whether it could take others in their place.
type Survey struct {
	Keys      int64 // all that the node has
	Selected  int64
	Bytes     int64 // that the selected ones take
	Used      int64 // bytes, by what maxmemory means
	MaxMemory int64 // 0: there is no limit
	Databases int
}

// Survey looks, while commands go on, at what a node has that is to take in keys and libraries. Errors: that it cannot, and why; nothing has changed.
func (n *Node) Survey(ctx context.Context, of router.Selection, libraries []string) (Survey, error) {
	v, w := Survey{}, &walk{errand: &errand{reads: true}, of: of}
	w.step = func() (errandState, error) {
		if of.All() {
			return errandDone, nil
		}
		return w.bucket(func(it store.Item) {
			v.Selected++
			v.Bytes += int64(it.Size())
		}), nil
	}
	err := n.errand(ctx, w.errand, func(p *part) error {
		if err := w.fits(p, libraries); err != nil {
			return err
		}
		for db := range p.store.Databases() {
			v.Keys += int64(p.store.DB(db).Len())
		}
		v.Used, v.MaxMemory, v.Databases = p.used(), p.set.maxMemory, p.store.Databases()
		if of.All() {
			v.Selected, v.Bytes = v.Keys, v.Used
		}
		return nil
	}, nil)
	return v, err
}

// fits says why the node could not take anything in.
func (w *walk) fits(p *part, libraries []string) error {
	if err := p.fit(); err != nil {
		return err
	}
	if text := w.refused(); text != "" {
		return errors.New("it takes no writes: " + text)
	}
	if w.of.DB >= p.store.Databases() {
		return fmt.Errorf("there is no database %d: it has %d", w.of.DB, p.store.Databases())
	}
	libs := p.scripts.copied()
	for _, code := range libraries {
		lib, wrong := p.makeLibrary(code, libs)
		if wrong != "" {
			return errors.New("a library of functions cannot be loaded: " + wrong)
		}
		libs[lib.name] = lib
	}
	return nil
}

// walk goes through selected keys, a bucket a step.
type walk struct {
	*errand
	of router.Selection
	db int
	at store.Cursor
}

// bucket visits the selected keys of a bucket at least. visit must change nothing.
func (w *walk) bucket(visit func(it store.Item)) errandState {
	p := w.p
	for ; w.db < p.store.Databases(); w.db, w.at = w.db+1, (store.Cursor{}) {
		if !w.of.HasDB(w.db) {
			continue
		}
		w.s.useDB(w.db)
		if p.store.DB(w.db).ScanOn(&w.at, p.nowMS, w.hasGroup, func(it store.Item) {
			if w.of.Has(w.db, it.Key()) {
				visit(it)
			}
		}) {
			return errandOn
		}
	}
	return errandDone
}

func (w *walk) hasGroup(group int) bool {
	for slot := group * store.GroupSlots; slot < (group+1)*store.GroupSlots; slot++ {
		if w.of.HasSlot(slot) {
			return true
		}
	}
	return false
}

var (
	rowUnlink   = command.Lookup([]byte("UNLINK"))
	rowFlushDB  = command.Lookup([]byte("FLUSHDB"))
	rowFlushAll = command.Lookup([]byte("FLUSHALL"))
)

// Discard removes the selected keys, while commands go on, and tells how many there were. A whole database goes at once.
func (n *Node) Discard(ctx context.Context, of router.Selection) (removed int64, err error) {
	w := &walk{errand: &errand{}, of: of}
	var keys [][]byte
	w.step = func() (errandState, error) {
		if of.WholeDB() {
			row, name := rowFlushAll, "FLUSHALL"
			if of.DB != router.AllDatabases {
				row, name = rowFlushDB, "FLUSHDB"
				w.s.useDB(of.DB)
			}
			wrong := w.run(row, [][]byte{[]byte(name)})
			removed = int64(w.p.call.Changed)
			return errandDone, problem(wrong)
		}
		keys = append(keys[:0], []byte("UNLINK"))
		state := w.bucket(func(it store.Item) { keys = append(keys, append([]byte(nil), it.Key()...)) })
		if len(keys) == 1 {
			return state, nil
		}
		wrong := w.run(rowUnlink, keys)
		removed += int64(w.p.call.Changed)
		return state, problem(wrong)
	}
	err = n.errand(ctx, w.errand, func(*part) error { return nil }, nil)
	return removed, err
}

func problem(text string) error {
	if text == "" {
		return nil
	}
	return errors.New(text)
}
