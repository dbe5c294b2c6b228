package engine

import (
	"fmt"

	"larder/persistence/journal"
)

// What a node with appendonly does when it starts: the journal is its data if there is one, else the node's file is, and the journal's first base is a copy of
// it. (Redis starts without data then: who turns appendonly on in a configuration would lose what he has.)

// replayAtStart begins to load the journal; false: there is none.
func (p *part) replayAtStart() (begun bool, err error) {
	folder, err := p.lookForJournal()
	if err != nil {
		return false, err
	}
	parts, err := folder.Parts()
	if err != nil || len(parts) == 0 {
		return false, err
	}
	p.replay = newReplay(p, folder, parts)
	p.setGuard(guardLoading, true)
	p.settleDeaths()
	p.n.log.Info("journal: loading data", "node", p.n.id, "files", len(parts), "bytes", p.replay.total)
	p.l.Later(p.replay.slice)
	return true, nil
}

func (p *part) lookForJournal() (*journal.Folder, error) {
	folder, err := journal.Look(p.files, p.n.opts.AppendDirName, p.n.opts.AppendFileName)
	if err != nil {
		return nil, fmt.Errorf("journal: %w", err)
	}
	return folder, nil
}

// warnOfJournal says that there is a journal which is not read.
func (p *part) warnOfJournal() {
	folder, err := p.lookForJournal()
	if err != nil {
		return // it is not asked for
	}
	if parts, err := folder.Parts(); err == nil && len(parts) > 0 {
		p.n.log.Warn("there is a journal, which is not read: appendonly is off", "node", p.n.id, "first file", parts[0].Path)
	}
}

// goOnJournal writes on where a journal ends that was loaded.
func (p *part) goOnJournal(r *replay) error {
	past := p.stream.past
	if !r.known {
		past.Restart(randomID(p.store.Rand()), past.End())
	} else {
		// What was lost with the journal's end, and is had by a replica, must not be taken for what comes now.
		past.Rename(randomID(p.store.Rand()))
		p.restored = true
	}
	if p.link != nil {
		p.link.s.useDB(r.s.dbIndex) // where the primary's stream goes on
	}
	p.stream.listen()
	if err := r.folder.Start(r.cut, p.journalHead()); err != nil {
		return fmt.Errorf("journal: go on with it: %w", err)
	}
	p.runJournal(r.folder, false)
	return nil
}

// beginJournalAtStart begins a journal where there was none. file is the node's file, if that was loaded.
func (p *part) beginJournalAtStart(file string) error {
	folder, err := p.lookForJournal()
	if err != nil {
		return err
	}
	p.tellJournal()
	if file == "" {
		err = folder.Start(journal.Cut{}, p.journalHead())
	} else {
		err = folder.Adopt(file, p.journalHead())
	}
	if err != nil {
		return fmt.Errorf("journal: begin it: %w", err)
	}
	p.runJournal(folder, false)
	return nil
}

// loadedAll: what the node has at its start is there.
func (p *part) loadedAll(file string) {
	if !p.set.journal.on {
		return
	}
	if err := p.beginJournalAtStart(file); err != nil {
		p.n.fail(err)
	}
}
