package engine

import (
	"errors"
	"io"
	"os"
)

// debugReload saves to the node's file and loads that (Redis 7.2 debug.c): NOSAVE loads what is there, NOFLUSH leaves what the node has, which without MERGE
// must be nothing. Whatever cannot be is refused before anything is lost.
func debugReload(s *session, args [][]byte) {
	p := s.p
	noSave, noFlush, merge := false, false, false
	for _, word := range args[2:] {
		switch lower(word) {
		case "nosave":
			noSave = true
		case "noflush":
			noFlush = true
		case "merge":
			merge = true
		default:
			s.fail("ERR DEBUG RELOAD only supports the MERGE, NOFLUSH and NOSAVE options.")
			return
		}
	}
	const failed = "ERR Error trying to load the RDB dump"
	if noFlush && !merge && p.holdsKeys() {
		s.fail(failed)
		return
	}
	if !noSave && p.saveNow() != nil {
		s.fail("ERR")
		return
	}
	file, err := os.Open(p.files.Path(p.set.saving.name))
	if err != nil {
		p.n.log.Error("DEBUG RELOAD failed: nothing was changed", "node", p.n.id, "error", err)
		s.fail(failed)
		return
	}
	defer file.Close()
	if !noFlush {
		p.empty()
	}
	in := p.newLoading(false)
	if err := in.readAll(file); err != nil {
		in.drop()
		p.n.log.Error("DEBUG RELOAD failed: what could be loaded is there", "node", p.n.id, "file", file.Name(), "error", err)
		s.fail(failed)
		return
	}
	p.noteLoaded(in)
	p.dirty = 0
	p.n.log.Info("keyspace reloaded by DEBUG RELOAD", "node", p.n.id)
	s.ok()
}

func (p *part) holdsKeys() bool {
	for db := range p.store.Databases() {
		if p.store.DB(db).Len() > 0 {
			return true
		}
	}
	return false
}

// empty lets go of all keys and libraries, and tells who watches or caches them.
func (p *part) empty() {
	for db := range p.store.Databases() {
		p.touchDB(db, db)
	}
	p.forgetCaches()
	p.store.Flush()
	p.scripts.dropLibraries()
}

// readAll loads a file in one go.
func (l *loading) readAll(file io.Reader) error {
	piece := make([]byte, pieceBytes)
	for {
		state, err := l.step()
		switch {
		case err != nil:
			return err
		case state == loadDone:
			return nil
		case state == loadOn:
			continue
		}
		n, err := file.Read(piece)
		l.feed(piece[:n])
		switch {
		case n > 0 || err == nil:
		case errors.Is(err, io.EOF):
			return l.scan.Ended()
		default:
			return err
		}
	}
}
