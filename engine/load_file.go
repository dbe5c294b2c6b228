package engine

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"larder/persistence"
	"larder/persistence/rdb"
)

// What the node's file has is loaded when the node starts: a goroutine reads it, the loop puts it into the store in slices, and who comes meanwhile is told
// LOADING. A file that is not whole ends the node, and is left as it is: nothing is lost that somebody may still rescue. A node that is started with data from
// elsewhere (restore.go) takes that in the same way, file after file.

const (
	pieceBytes = 1 << 20              // of a file that is read at once
	piecesMax  = 2                    // that wait for the loop
	loadSlice  = 5 * time.Millisecond // nobody is served but with LOADING
)

// fileLoad is a file that is being loaded, and those that come after it.
type fileLoad struct {
	p           *part
	path        string
	next        []RestoreSource
	keep        func(db int, key []byte) bool // nil: all
	noFunctions bool
	in          *loading
	from        *fileReader
	read        bool  // in has all that it wants: only the reader's end is waited for
	wrong       error // with what was read, where the reader's end may say why
	total       int64
	got         int64 // bytes that were fed
	sum         loadedKeys
	beganMS     int64
	began       time.Time
}

// fileReader reads a file on a goroutine of its own.
type fileReader struct {
	open   func() (io.ReadCloser, error)
	pieces chan []byte // closed at the end
	spare  chan []byte
	stop   chan struct{}
	done   chan struct{}
	err    error // of reading; set before pieces is closed
	came   func()
}

// loadAtStart begins to load the node's file, if there is one.
func (p *part) loadAtStart() {
	name := p.set.saving.name
	if err := rdb.Sweep(p.files, name); err != nil {
		p.n.log.Warn("a temporary file that another process left cannot be removed", "node", p.n.id, "error", err)
	}
	if p.n.opts.Restore != nil {
		if err := p.restoreAtStart(); err != nil {
			p.n.fail(err)
		}
		return
	}
	if p.set.journal.on {
		if begun, err := p.replayAtStart(); begun || err != nil {
			if err != nil {
				p.n.fail(err)
			}
			return
		}
	} else {
		p.warnOfJournal()
	}
	size, there, err := p.files.Size(name)
	if err == nil && !there {
		p.loadedAll("")
		return
	}
	path := p.files.Path(name)
	load := &fileLoad{p: p, path: path, total: size, beganMS: p.nowMS, began: time.Now()}
	if err != nil {
		p.n.fail(load.explain(err))
		return
	}
	load.start(RestoreSource{Name: path, Bytes: size, Open: func() (io.ReadCloser, error) { return os.Open(path) }})
}

// start begins with a file.
func (f *fileLoad) start(from RestoreSource) {
	p := f.p
	f.path, f.read, f.in = from.Name, false, p.newLoading(false)
	f.in.keep, f.in.noFunctions = f.keep, f.noFunctions
	f.from = &fileReader{
		open: from.Open, pieces: make(chan []byte, piecesMax), spare: make(chan []byte, piecesMax), stop: make(chan struct{}), done: make(chan struct{}), came: f.arm,
	}
	p.fileLoad = f
	p.setGuard(guardLoading, true)
	p.n.log.Info("loading data", "node", p.n.id, "file", f.path, "bytes", from.Bytes)
	f.from.start()
}

// readAll is the goroutine's.
func (r *fileReader) readAll() {
	defer close(r.done)
	defer r.came()
	defer close(r.pieces)
	in, err := r.open()
	if err != nil {
		r.err = err
		return
	}
	r.err = errors.Join(r.readFrom(in), in.Close())
}

func (r *fileReader) readFrom(in io.Reader) error {
	return readPieces(in, r.spare, func(piece []byte) bool {
		select {
		case r.pieces <- piece:
			r.came()
			return true
		case <-r.stop:
			return false
		}
	})
}

// readPieces gives what comes, in pieces, until give says false or the reader ends. That a file breaks off is no end: what has come is not to be taken for all.
func readPieces(in io.Reader, spare <-chan []byte, give func(piece []byte) bool) error {
	for {
		var piece []byte
		select {
		case piece = <-spare:
		default:
			piece = make([]byte, pieceBytes)
		}
		n, ended, err := persistence.Full(in, piece)
		if n > 0 && !give(piece[:n]) {
			return nil
		}
		if ended || err != nil {
			return err
		}
	}
}

// close ends the goroutine and waits for it.
func (r *fileReader) close() {
	close(r.stop)
	<-r.done
}

// arm goes on with the loading; any goroutine may call it.
func (f *fileLoad) arm() { f.p.l.Post(func() { f.p.l.Later(f.slice) }) }

// slice loads what has come, for a bounded time.
func (f *fileLoad) slice() {
	p := f.p
	if p.fileLoad != f {
		return
	}
	p.enter()
	began := p.l.Now()
	for {
		wants, err := f.wants()
		if err != nil {
			f.fail(err)
			return
		}
		if wants && !f.feed() {
			return
		}
		if p.l.Since(began) >= loadSlice {
			p.l.Later(f.slice)
			return
		}
	}
}

// wants goes on with what was fed, and tells whether the next piece is wanted: the keys are all there only when the reader has ended without an error.
func (f *fileLoad) wants() (bool, error) {
	if f.read {
		return true, nil
	}
	state, err := f.in.step()
	if err != nil && f.p.n.opts.Restore != nil { // the sum of what was stored says more of changed bytes than what is made of them
		f.read, f.wrong = true, err
		return true, nil
	}
	f.read = state == loadDone
	return state != loadOn, err
}

// feed gives what comes next; false: nothing has come, or the file has ended.
func (f *fileLoad) feed() bool {
	select {
	case piece, more := <-f.from.pieces:
		if more {
			f.got += int64(len(piece))
			if !f.read {
				f.in.feed(piece)
			}
			select {
			case f.from.spare <- piece[:cap(piece)]:
			default:
			}
			return true
		}
		switch {
		case f.from.err != nil:
			f.fail(f.from.err)
		case f.wrong != nil:
			f.fail(f.wrong)
		case !f.read:
			f.fail(f.in.scan.Ended())
		default:
			f.ended()
		}
	default:
	}
	return false
}

// ended: a file is loaded.
func (f *fileLoad) ended() {
	f.from.close()
	f.p.noteLoaded(f.in)
	f.sum.keys += f.in.keys
	f.sum.expired += f.in.dead
	if len(f.next) > 0 {
		next := f.next[0]
		f.next = f.next[1:]
		f.start(next)
		return
	}
	f.done()
}

// done: all is loaded.
func (f *fileLoad) done() {
	p := f.p
	p.fileLoad = nil
	p.loaded = f.sum
	p.n.log.Info("data loaded", "node", p.n.id, "file", f.path, "keys", f.sum.keys, "expired", f.sum.expired, "seconds", time.Since(f.began).Seconds())
	p.setGuard(guardLoading, false)
	p.dirty = 0
	if p.n.opts.Restore != nil {
		if err := p.noteRestored(); err != nil {
			p.n.fail(err)
			return
		}
	} else {
		p.takeLanes(f.in)
	}
	p.loadedAll(p.set.saving.name)
}

// noteLoaded keeps what INFO tells of the last loading.
func (p *part) noteLoaded(in *loading) {
	p.loaded = loadedKeys{keys: in.keys, expired: in.dead}
	if in.lost > 0 {
		p.n.log.Warn("of some values something was left out that only other servers have", "node", p.n.id, "values", in.lost)
	}
	for what, times := range in.scan.Dropped() {
		p.n.log.Warn("passed over in an RDB file: only other servers have it", "node", p.n.id, "what", what, "times", times)
	}
}

// loadedKeys are those of the last file that was loaded.
type loadedKeys struct{ keys, expired int64 }

// fail ends the node: half of the data is not to be served as if it were all.
func (f *fileLoad) fail(err error) {
	f.from.close()
	f.in.drop()
	f.p.fileLoad = nil
	f.p.n.fail(f.explain(err))
}

func (f *fileLoad) explain(err error) error {
	return fmt.Errorf("load %s: %w; the file is left as it is: put a whole one in its place, or move it away to start without data", f.path, err)
}

// stopLoading ends the goroutine that reads when the node ends.
func (p *part) stopLoading() {
	if f := p.fileLoad; f != nil {
		f.from.close()
		f.in.drop()
		p.fileLoad = nil
	}
	if r := p.replay; r != nil {
		r.close()
		p.replay = nil
	}
}

// fail ends Run with an error. It is called on the loop.
func (n *Node) fail(err error) {
	n.log.Error("the node ends", "node", n.id, "error", err)
	n.failed = err
	n.part.setGuard(guardLoading, true)
	n.stop()
}
