package engine

import (
	"errors"
	"fmt"
	"time"

	"larder/engine/store"
	"larder/persistence/rdb"
)

// The node's file: SAVE, BGSAVE and the save points of its settings (Redis 7.0 rdb.c, server.c).

const retrySaveMS = 5000 // after a background save that failed (CONFIG_BGSAVE_RETRY_DELAY)

// saves is what the node knows of its file.
type saves struct {
	now       *pass // of the background save in progress, nil if none is
	beganMS   int64
	dirty     int64 // changes that were counted when it began
	scheduled bool  // one is to begin as soon as it can
	ending    bool  // SHUTDOWN has saved, or has said not to

	lastMS    int64 // when there was a whole file last, or the node began
	triedMS   int64
	failed    bool  // the last one in the background
	tookS     int64 // the last one in the background; -1: none has ended
	keptBytes int64 // the most that the last one kept
	count     int64
}

var errFlushed = errors.New("all data was flushed meanwhile")

// save answers SAVE: nobody else is served meanwhile.
func save(s *session, _ [][]byte) {
	p := s.p
	if p.saves.now != nil {
		s.fail("ERR Background save already in progress")
		return
	}
	if p.saveNow() != nil {
		s.fail("ERR")
		return
	}
	s.ok()
}

// saveNow writes the file in one go.
func (p *part) saveNow() error {
	p.saves.count++
	began := time.Now()
	err := p.writeNow()
	if err != nil {
		p.n.log.Error("saving failed: the file that was there is untouched", "node", p.n.id, "file", p.files.Path(p.set.saving.name), "error", err)
		return err
	}
	p.dirty = 0
	p.saved(began, "on the loop")
	return nil
}

func (p *part) writeNow() error {
	file, err := rdb.Create(p.files, p.set.saving.name, p.fileOptions())
	if err != nil {
		return err
	}
	sink := &directSink{file: file}
	q, err := p.beginPass(passOptions{}, sink)
	if err != nil {
		return errors.Join(err, file.Abandon())
	}
	q.runAll()
	return sink.err
}

// saved notes that there is a whole file.
func (p *part) saved(began time.Time, how string) {
	p.saves.lastMS = p.wallMS()
	p.saves.failed = false
	p.setGuard(guardDisk, false)
	p.n.log.Info("data saved", "node", p.n.id, "file", p.files.Path(p.set.saving.name), "how", how, "seconds", time.Since(began).Seconds())
}

// wallMS is the time now, also within a callback that takes long.
func (p *part) wallMS() int64 { return p.baseMS + p.clockNS()/int64(time.Millisecond) }

// bgSave answers BGSAVE. Inside a transaction it begins when that is over, so that no transaction is saved by half.
func bgSave(s *session, args [][]byte) {
	p := s.p
	schedule := len(args) == 2 && lower(args[1]) == "schedule"
	switch {
	case len(args) > 1 && !schedule:
		s.fail(errSyntax)
	case p.saves.now != nil:
		s.fail("ERR Background save already in progress")
	case p.depth > 0 || schedule && p.rewriting() || len(p.passes) >= passesMax:
		p.saves.scheduled = true
		s.p.w.Status("Background saving scheduled")
	case p.rewriting():
		s.fail("ERR Another child process is active (AOF?): can't BGSAVE right now. Use BGSAVE SCHEDULE in order to schedule a BGSAVE whenever possible.")
	default:
		p.beginSave()
		s.p.w.Status("Background saving started")
	}
}

func lastSave(s *session, _ [][]byte) { s.p.w.Int(s.p.saves.lastMS / 1000) }

// beginSave begins a save in the background.
func (p *part) beginSave() {
	v := &p.saves
	v.scheduled, v.beganMS, v.triedMS, v.dirty = false, p.nowMS, p.nowMS, p.dirty
	v.count++
	v.keptBytes = 0
	began := time.Now()
	sink, err := p.newFileSink(p.files, p.set.saving.name, func(err error) { p.saveEnded(began, err) })
	if err != nil {
		p.saveEnded(began, err)
		return
	}
	q, err := p.beginPass(passOptions{}, sink)
	if err != nil {
		sink.end(err)
		return
	}
	sink.pass, v.now = q, q
	p.n.log.Info("background save began", "node", p.n.id, "file", p.files.Path(p.set.saving.name), "keys", q.total(), "changes", v.dirty)
}

// saveEnded is told on the loop how a background save has ended.
func (p *part) saveEnded(began time.Time, err error) {
	v := &p.saves
	v.now = nil
	v.tookS = (p.wallMS() - v.beganMS) / 1000
	switch {
	case err == nil:
		p.dirty -= v.dirty
		p.saved(began, "in the background")
	case errors.Is(err, errFlushed) || errors.Is(err, errPassStopped):
		p.n.log.Info("background save given up", "node", p.n.id, "reason", err)
	default:
		v.failed = true
		p.setGuard(guardDisk, p.stopsWrites())
		p.n.log.Error("background save failed: the file that was there is untouched", "node", p.n.id, "file", p.files.Path(p.set.saving.name),
			"error", p.explainSave(err), "writes stopped", p.guard&guardDisk != 0)
	}
}

// explainSave says of an error what the limit is that was met.
func (p *part) explainSave(err error) error {
	if errors.Is(err, store.ErrKept) {
		return fmt.Errorf("%w: more than %d bytes (engine.snapshot-kept-percent)", err, p.keptMax())
	}
	return err
}

// stopsWrites tells whether writes are to wait while the data cannot be saved.
func (p *part) stopsWrites() bool {
	return p.set.saving.stopWrites && len(p.set.saving.points) > 0 && p.saves.failed
}

// saveByPoints begins a save that was asked for or is due. It is called once a tick.
func (p *part) saveByPoints() {
	v := &p.saves
	if v.now != nil {
		v.keptBytes = max(v.keptBytes, p.store.Kept())
		return
	}
	if p.rewriting() || len(p.passes) >= passesMax {
		return
	}
	rested := !v.failed || p.nowMS-v.triedMS > retrySaveMS
	if v.scheduled && rested {
		p.beginSave()
		return
	}
	for _, point := range p.set.saving.points {
		if p.dirty >= point.changes && p.nowMS-v.lastMS > point.seconds*1000 && rested {
			p.n.log.Info("save point reached", "node", p.n.id, "changes", p.dirty, "seconds", point.seconds)
			p.beginSave()
			return
		}
	}
}

// flushedAll sees that a file of before FLUSHALL does not bring back what was flushed: with save points there is soon one of the empty keyspace.
func (p *part) flushedAll() {
	v := &p.saves
	if v.now != nil {
		v.now.cancel(errFlushed)
	}
	if len(p.set.saving.points) > 0 {
		v.scheduled = true
		p.l.Hurry()
	}
}

// saveToEnd saves for a SHUTDOWN that wants it, and tells whether the node may end now.
func (p *part) saveToEnd(o shutdownOptions) bool {
	v := &p.saves
	if !o.save && (o.noSave || len(p.set.saving.points) == 0) || p.guard&guardLoading != 0 {
		v.ending = true
		return true
	}
	p.stopPasses()
	if p.saveNow() != nil && !o.force {
		return false
	}
	v.ending = true
	return true
}

// saveAtEnd saves at a signal's end, if there are save points. SHUTDOWN has done it already, or has said that it is not to be done. The process says by its
// exit code if that fails.
func (p *part) saveAtEnd() {
	if p.saves.ending || len(p.set.saving.points) == 0 || p.guard&guardLoading != 0 || p.hollow {
		return
	}
	if err := p.saveNow(); err != nil && p.n.failed == nil {
		p.n.failed = fmt.Errorf("save at the end: %w", err)
	}
}

// stopPasses ends all that passes do, and waits for the goroutines that write.
func (p *part) stopPasses() {
	for len(p.passes) > 0 {
		p.passes[0].cancel(errPassStopped)
	}
	for _, f := range p.writers {
		<-f.done
	}
	p.writers = nil
	p.saves.now = nil
}
