package engine

import (
	"fmt"
	"io"
	"slices"
	"time"
)

// Restore is the data that a node starts with instead of its folder's: RDB files, one after the other, of which it takes the keys that it is to have. Nothing
// is served before the last byte of the last one has come without an error, so an Open whose reader checks a sum at its end lets nothing damaged in.
type Restore struct {
	Sources []RestoreSource
	Keep    func(db int, key []byte) bool // nil: all keys; it is asked on the node's loop

	NoFunctions bool // their libraries of functions are left out
}

// RestoreSource is one of the files.
type RestoreSource struct {
	Name  string                        // for people
	Bytes int64                         // of the RDB file; 0: not known
	Open  func() (io.ReadCloser, error) // called on a goroutine of the node's, once
}

// restoreAtStart begins with the first file. A folder with data is not touched.
func (p *part) restoreAtStart() error {
	r := p.n.opts.Restore
	_, there, err := p.files.Size(p.set.saving.name)
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	folder, err := p.lookForJournal()
	if err != nil {
		return err
	}
	parts, err := folder.Parts()
	if err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if there || len(parts) > 0 {
		return fmt.Errorf("restore: folder %s has data already: start without restoring to serve it, or with an empty folder", p.files.Path(""))
	}
	if len(r.Sources) == 0 {
		p.loadedAll("")
		return nil
	}
	load := &fileLoad{p: p, keep: r.Keep, noFunctions: r.NoFunctions, next: slices.Clone(r.Sources[1:]), beganMS: p.nowMS, began: time.Now()}
	for _, s := range r.Sources {
		load.total += s.Bytes
	}
	load.start(r.Sources[0])
	return nil
}

// noteRestored: all keys from elsewhere are in the store, and not yet on the node's disk. A journal would begin without them, so its base is written first; the
// save points do the rest.
func (p *part) noteRestored() error {
	p.dirty = p.loaded.keys
	if !p.set.journal.on {
		return nil
	}
	if err := p.saveNow(); err != nil {
		return fmt.Errorf("restore: write the journal's base: %w", err)
	}
	return nil
}
