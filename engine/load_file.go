package engine

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"larder/persistence/rdb"
)

// What the node's file has is loaded when the node starts: a goroutine reads it, the loop puts it into the store in slices, and who comes meanwhile is told
// LOADING. A file that is not whole ends the node, and is left as it is: nothing is lost that somebody may still rescue.

const (
	pieceBytes = 1 << 20              // of a file that is read at once
	piecesMax  = 2                    // that wait for the loop
	loadSlice  = 5 * time.Millisecond // nobody is served but with LOADING
)

// fileLoad is a file that is being loaded.
type fileLoad struct {
	p       *part
	path    string
	in      *loading
	from    *fileReader
	total   int64
	got     int64 // bytes that were fed
	beganMS int64
	began   time.Time
}

// fileReader reads a file on a goroutine of its own.
type fileReader struct {
	f      *os.File
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
	load := &fileLoad{p: p, path: p.files.Path(name), total: size, beganMS: p.nowMS, began: time.Now()}
	if err == nil {
		load.from, err = openReader(load.path, load.arm)
	}
	if err != nil {
		p.n.fail(load.explain(err))
		return
	}
	load.in = p.newLoading(false)
	p.fileLoad = load
	p.setGuard(guardLoading, true)
	p.n.log.Info("loading data", "node", p.n.id, "file", load.path, "bytes", size)
	load.from.start()
}

func openReader(path string, came func()) (*fileReader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return &fileReader{f: f, pieces: make(chan []byte, piecesMax), spare: make(chan []byte, piecesMax), stop: make(chan struct{}), done: make(chan struct{}), came: came}, nil
}

// read is the goroutine's.
func (r *fileReader) read() {
	defer close(r.done)
	defer r.came()
	defer close(r.pieces)
	defer r.f.Close()
	for {
		var piece []byte
		select {
		case piece = <-r.spare:
		default:
			piece = make([]byte, pieceBytes)
		}
		n, err := io.ReadFull(r.f, piece)
		if n > 0 {
			select {
			case r.pieces <- piece[:n]:
				r.came()
			case <-r.stop:
				return
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				r.err = err
			}
			return
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
		state, err := f.in.step()
		switch {
		case err != nil:
			f.fail(err)
			return
		case state == loadDone:
			f.done()
			return
		case state == loadMore && !f.feed():
			return
		}
		if p.l.Since(began) >= loadSlice {
			p.l.Later(f.slice)
			return
		}
	}
}

// feed gives what comes next; false: nothing has come, or the loading has ended.
func (f *fileLoad) feed() bool {
	select {
	case piece, more := <-f.from.pieces:
		switch {
		case more:
			f.got += int64(len(piece))
			f.in.feed(piece)
			select {
			case f.from.spare <- piece[:cap(piece)]:
			default:
			}
			return true
		case f.from.err != nil:
			f.fail(f.from.err)
		default:
			f.fail(f.in.scan.Ended())
		}
	default:
	}
	return false
}

// done: all is loaded.
func (f *fileLoad) done() {
	p := f.p
	f.from.close()
	p.fileLoad = nil
	p.noteLoaded(f.in)
	p.takeLanes(f.in)
	p.dirty = 0
	p.setGuard(guardLoading, false)
	p.n.log.Info("data loaded", "node", p.n.id, "file", f.path, "keys", f.in.keys, "expired", f.in.dead, "seconds", time.Since(f.began).Seconds())
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
