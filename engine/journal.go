package engine

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"syscall"
	"time"

	"larder/engine/history"
	"larder/persistence/journal"
	"larder/protocol/resp"
)

// writing is the node's journal while it is written: what the stream says goes to the writer, a task after the other, as views of the history.
//
// Two readers hold the history: ahead is up to where it was handed over, behind up to where it is in the file, so that what could not be written can be handed
// over again. Under appendfsync always that is up to where it is safe, and the gate passes as far. A file whose first base is still being written (building) is
// no journal yet: nobody waits for it.
type writing struct {
	p        *part
	folder   *journal.Folder // the goroutine's, but for what never changes
	w        *journal.Writer
	ahead    *history.Reader
	behind   *history.Reader
	tasks    int // that were given and not reported
	state    journal.Report
	retryNS  int64  // not before then, after an error
	stamped  int64  // the second of the last line that says a time
	named    string // the stream's name that the file says
	building bool
	group    group
	era      int // the history's Restarts when it began
}

// retryEveryNS is how long a write that failed waits for another try.
const retryEveryNS = int64(200 * time.Millisecond)

// runJournal begins to write: the folder's files have the stream up to its end.
func (p *part) runJournal(folder *journal.Folder, building bool) {
	past := p.stream.past
	at := past.End()
	j := &writing{p: p, folder: folder, building: building, named: past.ID, era: past.Restarts(), ahead: past.Read(at), behind: past.Read(at), state: journal.Report{Written: at, Bytes: folder.Bytes()}}
	if folder.Synced() {
		j.state.Synced = at
	}
	p.writing = j
	j.w = journal.Run(folder, p.set.journal.sync, at, func(r journal.Report) { p.l.Post(func() { j.reported(r) }) })
	p.setGate()
}

// journalHead is what a file begins with whose first byte of the stream is the next one. A primary's stream goes on in the database that it is in, which the
// file has to say then; the line behind that says that it is no part of the stream.
func (p *part) journalHead() (head []byte) {
	if p.link != nil {
		head = resp.AppendCommandStrings(head, "SELECT", strconv.Itoa(p.link.streamDB()))
	}
	return journal.AppendStream(head, p.stream.past.ID, p.stream.past.End())
}

// lagMax is how far the disk may be behind, bytes: commands that write wait then, as they do while CLIENT PAUSE holds them.
const lagMax = 256 << 20

// closeJournal ends the writing. What was said so far is safe then, unless the error says why not.
func (p *part) closeJournal() error {
	j := p.writing
	if j == nil {
		return nil
	}
	p.endRewrite(errPassStopped)
	if j.tasks < journal.TasksMax {
		j.hand(journal.Task{})
	}
	p.writing, p.lagging = nil, false
	err := j.w.Stop()
	j.ahead.Close()
	j.behind.Close()
	p.setGuard(guardJournal, false)
	p.setGate()
	return err
}

// endJournal is closeJournal at the node's end.
func (p *part) endJournal() {
	if err := p.closeJournal(); err != nil {
		p.n.log.Error("the journal's end could not be made safe: what was done last may be missing in it", "node", p.n.id, "error", err)
	}
}

// setGate has replies wait for the disk, or for the members of a set, or not.
func (p *part) setGate() {
	if g := p.reign; g != nil && g.gated {
		p.shutGate(g.committed)
		p.gate.confirmed = g.confirmed
		return
	}
	p.gate.confirmed = math.MaxInt64
	if j := p.writing; j != nil && j.shares() {
		p.shutGate(j.state.Synced)
	} else {
		p.openGate()
	}
}

// kick hands over what the stream has said since, if the writer has nothing to do.
func (j *writing) kick() {
	if !j.mayHand() {
		return
	}
	if j.shares() {
		j.gather()
		return
	}
	j.hand(journal.Task{})
}

// mayHand tells whether there is something to be written, and nothing on its way. Where the data is another's now there is not: the tick ends the journal.
func (j *writing) mayHand() bool {
	past := j.p.stream.past
	if j.era != past.Restarts() {
		return false
	}
	end := past.End()
	j.p.lagging = end-j.state.Written > lagMax
	return j.tasks == 0 && j.ahead.Offset() != end && (j.state.Err == nil || j.p.nowNS >= j.retryNS)
}

// hand gives the writer's goroutine all that was said, and what is to be done then.
func (j *writing) hand(t journal.Task) {
	j.fill(&t)
	j.w.Append(t)
}

// fill makes all that was said a task's.
func (j *writing) fill(t *journal.Task) {
	t.From = j.ahead.Offset()
	for view := j.ahead.Next(); len(view) > 0; view = j.ahead.Next() {
		t.Views = append(t.Views, view)
		j.ahead.Took(len(view))
	}
	t.End = j.ahead.Offset()
	if t.From < t.End && j.era == j.p.stream.past.Restarts() { // else the history that is left to be written has no name here any more
		t.Note = j.note(t.From)
	}
	j.tasks++
}

// note is the lines that stand in front of what comes: the stream's name, if that is another now, and the time, where it is wanted. The stream ends at the end
// of a command or a transaction whenever it is handed over, so they never stand amid one.
func (j *writing) note(at int64) (lines []byte) {
	if id := j.p.stream.past.ID; id != j.named {
		j.named = id
		lines = journal.AppendStream(lines, id, at)
	}
	if now := j.p.nowMS / 1000; j.p.set.journal.timestamps && now != j.stamped {
		j.stamped = now
		lines = journal.AppendTime(lines, now)
	}
	return lines
}

// reported is told on the loop what the writer has done.
func (j *writing) reported(r journal.Report) {
	p := j.p
	if p.writing != j || r.Number < j.state.Number {
		return // what came before is told by a later one too, and had no task
	}
	p.enter()
	j.tasks -= r.Tasks
	if r.Err != nil && j.state.Err == nil {
		p.n.log.Error("the journal cannot be written: writes are refused until it can", "node", p.n.id, "error", r.Err)
	} else if r.Err == nil && j.state.Err != nil {
		p.n.log.Info("the journal is written again", "node", p.n.id)
	}
	j.state = r
	for j.behind.Offset() < r.Written {
		n := min(int64(len(j.behind.Next())), r.Written-j.behind.Offset())
		j.behind.Took(int(n))
	}
	if r.Err != nil {
		j.retryNS = p.nowNS + retryEveryNS
		p.l.Hurry()
		if j.tasks == 0 && j.ahead.Offset() != r.Written && j.era == p.stream.past.Restarts() {
			j.ahead.Close()
			j.ahead = p.stream.past.Read(r.Written)
		}
	}
	p.setGuard(guardJournal, r.Err != nil && !j.building)
	switch g := p.reign; {
	case g != nil && g.gated:
		g.settle()
	case p.state&gated != 0:
		p.passGate(r.Synced)
	}
	if p.link != nil {
		p.link.synced()
	}
	p.serveAcks()
	if j.shares() {
		j.nextGroup(r.Took)
		return
	}
	j.kick()
}

// tickJournal is the journal's part of the node's tick. It reports whether the node may rest.
func (p *part) tickJournal() (rests bool) {
	j := p.writing
	switch {
	case j != nil && j.era != p.stream.past.Restarts():
		p.leaveJournal()
		return false
	case j != nil:
		return j.tick()
	case p.set.journal.on && p.guard&guardLoading == 0 && !p.hollow:
		p.startAnew()
		return false
	}
	return true
}

// leaveJournal ends the writing of a journal whose data the node has no more: it takes in another node's. What it has on the disk stays as it is until the
// other data are whole, and a base of them is.
func (p *part) leaveJournal() {
	p.n.log.Info("journal: the node has other data now: it is begun anew when they are whole", "node", p.n.id)
	p.endJournal()
	p.l.Hurry()
}

// startAnew begins a journal of data that came from another node, or tries again.
func (p *part) startAnew() {
	if p.rewrites.triedNS != 0 && p.nowNS-p.rewrites.triedNS < rewriteRestNS {
		return
	}
	p.rewrites.triedNS = max(1, p.nowNS)
	if err := p.startJournal(); err != nil {
		p.n.log.Error("the journal could not be begun anew", "node", p.n.id, "error", err)
	}
}

// tick reports whether there is nothing to be done.
func (j *writing) tick() (rests bool) {
	j.kick()
	if j.state.Err != nil {
		j.p.l.Hurry()
	}
	return j.tasks == 0 && j.state.Err == nil
}

// wrong is the answer to writes that the journal cannot take.
func (j *writing) wrong() string {
	text := j.state.Err.Error()
	var no syscall.Errno
	if errors.As(j.state.Err, &no) {
		text = no.Error()
		text = strings.ToUpper(text[:1]) + text[1:]
	}
	return "MISCONF Errors writing to the AOF file: " + text
}

// tellJournal has the stream told from here on, the database first. What the node follows is told by another.
func (p *part) tellJournal() {
	if p.follows() {
		p.stream.listen()
		return
	}
	p.beginStream()
}

// startJournal begins a journal while the node serves: its first base is written in the background, and replaces what the folder has when it is whole.
func (p *part) startJournal() error {
	folder, err := journal.Look(p.files, p.n.opts.AppendDirName, p.n.opts.AppendFileName)
	if err != nil {
		return err
	}
	p.tellJournal()
	if err := folder.Begin(p.journalHead()); err != nil {
		return fmt.Errorf("begin the journal: %w", err)
	}
	p.runJournal(folder, true)
	p.rewriteSoon()
	return nil
}
