package engine

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"larder/persistence/journal"
	"larder/protocol/command"
)

// replay takes in the node's journal at the start, a step after the other: the base as any RDB file, the increments as a primary's stream, of which the newest
// part becomes the history, so that whoever followed the node, or the node itself, can go on where they were. What it finds damaged ends it, with a file and an
// offset, and nothing on the disk has changed then.
type replay struct {
	p      *part
	folder *journal.Folder
	parts  []journal.Part
	next   int // of parts

	name   string // of the file at hand
	last   bool
	file   *os.File // nil between files
	base   *loading // an RDB file, or the beginning of one, that is being read
	fed    int64    // bytes of it
	buf    []byte
	reader *journal.Reader

	s       *session   // in whose name commands run
	multi   [][][]byte // the commands of a transaction whose end was not read
	inMulti bool
	known   bool // the bytes that come are the history's
	cut     journal.Cut
	torn    *journal.TornError

	commands int64
	faults   int64

	total   int64 // bytes of all parts
	past    int64 // of those that were read
	beganMS int64
}

const (
	replayFeed    = 256 << 10
	replayRecords = 64 // commands a step
)

func newReplay(p *part, folder *journal.Folder, parts []journal.Part) *replay {
	r := &replay{p: p, folder: folder, parts: parts, beganMS: p.nowMS}
	for _, part := range parts {
		r.total += part.Size
	}
	r.s = &session{p: p, proto: 2, authed: true, anyKey: true, user: p.users.Default()}
	r.s.useDB(0)
	return r
}

// got is how many bytes were read.
func (r *replay) got() int64 {
	switch {
	case r.base != nil:
		return r.past + r.fed
	case r.reader != nil:
		return r.past + r.reader.Offset()
	}
	return r.past
}

// slice goes on for a bounded time.
func (r *replay) slice() {
	p := r.p
	if p.replay != r {
		return
	}
	p.enter()
	began := p.l.Now()
	for {
		done, err := r.step()
		switch {
		case err != nil:
			p.replay = nil
			p.n.fail(err)
			return
		case done:
			r.end()
			return
		case p.l.Since(began) >= loadSlice:
			p.l.Later(r.slice)
			return
		}
	}
}

// end begins to write where the journal ends.
func (r *replay) end() {
	p := r.p
	p.replay = nil
	p.setGuard(guardLoading, false)
	p.settleDeaths()
	p.dirty = 0
	if err := p.goOnJournal(r); err != nil {
		p.n.fail(err)
		return
	}
	p.n.log.Info("journal: data loaded", "node", p.n.id, "bytes", r.total, "commands", r.commands, "commands that failed", r.faults, "seconds", float64(p.nowMS-r.beganMS)/1000)
}

// step does some of it. done: all is in the store.
func (r *replay) step() (done bool, err error) {
	switch {
	case r.file == nil && r.next == len(r.parts):
		return true, nil
	case r.file == nil:
		err = r.open()
	case r.base != nil:
		err = r.stepBase()
	default:
		err = r.stepRecords()
	}
	if err != nil {
		err = fmt.Errorf("journal %s: %w", r.folder.Path(r.name), err)
		r.close()
	}
	return false, err
}

// close lets go of what is open.
func (r *replay) close() {
	if r.base != nil {
		r.base.drop()
		r.base = nil
	}
	if r.file != nil {
		_ = r.file.Close() // it was only read
		r.file = nil
	}
}

func (r *replay) open() error {
	part := r.parts[r.next]
	r.next++
	r.name, r.last = part.Name, part.Last
	file, err := os.Open(part.Path)
	if err != nil {
		return err
	}
	r.file = file
	if part.Kind == journal.Base {
		magic := make([]byte, len("VALKEY"))
		n, _ := file.ReadAt(magic, 0)
		if journal.IsRDB(magic[:n]) {
			r.base, r.fed = r.p.newLoading(true), 0
			return nil
		}
	}
	r.reader = journal.NewReader(file, 0, part.Size)
	return nil
}

// stepBase feeds the RDB file's loader. What stands behind the file in the same one, as Redis before 7 has it, are commands.
func (r *replay) stepBase() error {
	state, err := r.base.step()
	switch {
	case err != nil:
		return err
	case state == loadOn:
		return nil
	case state == loadDone:
		return r.endBase()
	}
	if r.buf == nil {
		r.buf = make([]byte, replayFeed)
	}
	n, err := r.file.Read(r.buf)
	r.fed += int64(n)
	r.base.feed(r.buf[:n])
	if n == 0 && errors.Is(err, io.EOF) {
		return r.base.scan.Ended()
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return err
}

func (r *replay) endBase() error {
	rest := bytes.Clone(r.base.scan.Rest())
	r.p.noteLoaded(r.base)
	r.p.takeLanes(r.base)
	r.base = nil
	part := r.parts[r.next-1]
	r.reader = journal.NewReader(io.MultiReader(bytes.NewReader(rest), r.file), r.fed-int64(len(rest)), part.Size)
	return nil
}

// stepRecords runs some commands.
func (r *replay) stepRecords() error {
	for range replayRecords {
		rec, err := r.reader.Next()
		var torn *journal.TornError
		switch {
		case err == nil:
			err = r.take(rec)
		case errors.Is(err, io.EOF):
			return r.endFile()
		case errors.As(err, &torn):
			return r.endTorn(torn)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *replay) endFile() error {
	err := r.file.Close()
	r.file, r.reader = nil, nil
	r.past += r.parts[r.next-1].Size
	return err
}

// endTorn ends the last file of the data where it is whole.
func (r *replay) endTorn(torn *journal.TornError) error {
	switch {
	case !r.last:
		return fmt.Errorf("%w; other files come after it, so their changes would be made to data that is not the one they were made to: "+
			"put the whole file back, or cut it and delete what follows it: larder aof check --fix", torn)
	case !r.p.set.journal.loadTorn:
		return fmt.Errorf("%w; with --aof-load-truncated yes it is cut off there and the node starts: or make a copy and let larder aof check --fix do it", torn)
	}
	r.multi, r.inMulti = nil, false
	r.torn, r.cut = torn, journal.Cut{Name: r.name, At: torn.At}
	r.p.n.log.Warn("journal: the end is torn and is cut off", "node", r.p.n.id, "file", r.folder.Path(r.name), "offset", torn.At, "bytes", torn.Size-torn.At, "amid", torn.Why)
	return r.endFile()
}

// take takes in a command, or a line that says which stream it is.
func (r *replay) take(rec journal.Record) error {
	past := r.p.stream.past
	if rec.Args == nil {
		if id, offset, ok := journal.ParseStream(rec.Note); ok {
			switch {
			case !r.known || offset != past.End():
				past.Restart(id, offset)
			default:
				past.Adopt(id)
			}
			r.known = true
		}
		return nil
	}
	if err := r.command(rec); err != nil {
		return err
	}
	if r.known {
		past.Append(rec.Raw)
	}
	return nil
}

func (r *replay) command(rec journal.Record) error {
	row := find(rec.Args)
	switch {
	case passedOver[lower(rec.Args[0])]:
		return nil
	case row == nil:
		_, text := command.Resolve(rec.Args)
		return r.unfit(rec, text)
	case !row.ArityOK(len(rec.Args)):
		return r.unfit(rec, command.ArityError(row))
	case row.ID == command.CmdMulti && !r.inMulti:
		r.inMulti = true
		return nil
	case row.ID == command.CmdExec && r.inMulti:
		queue := r.multi
		r.multi, r.inMulti = nil, false
		for _, args := range queue {
			r.run(find(args), args)
		}
		return nil
	case !changesData(row):
		return r.unfit(rec, "ERR '"+row.Name+"' changes no data")
	case r.inMulti:
		r.multi = append(r.multi, copyArgs(rec.Args))
		return nil
	}
	r.run(row, rec.Args)
	return nil
}

// passedOver are what a stream has for those who follow it.
var passedOver = map[string]bool{"ping": true, "replconf": true}

func (r *replay) unfit(rec journal.Record, text string) error {
	return &journal.DamagedError{At: rec.At, Why: strings.TrimPrefix(text, "ERR ") + ": no journal has that command"}
}

// run runs a command. One that fails is told and passed over: so does Redis.
func (r *replay) run(row *command.Row, args [][]byte) {
	p := r.p
	if row == rowPublish && isMark(args) {
		if !p.obeyMark(args[2]) {
			p.n.log.Error("journal: what it says of a lane is not to be understood here", "node", p.n.id, "file", r.folder.Path(r.name), "before offset", r.reader.Offset())
		}
		return
	}
	r.commands++
	var reply []byte
	p.obey(func() { reply = p.runObeyed(r.s, row, args, p.scratch) })
	if len(reply) > 0 && reply[0] == '-' {
		if r.faults++; r.faults == 1 {
			p.n.log.Error("journal: a command has failed", "node", p.n.id, "file", r.folder.Path(r.name), "before offset", r.reader.Offset(), "command", row.Name,
				"error", strings.TrimSpace(string(reply[1:])))
		}
	}
}
