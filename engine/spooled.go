package engine

import (
	"errors"
	"slices"
	"strconv"

	"larder/engine/spool"
)

// spooled is a copy for replicas that want to know its length beforehand, as those before Redis 2.8.18 do, and all do with repl-diskless-sync no: the pass
// goes to a file first. It is the pass's sink, then the copy's source.
type spooled struct {
	y       *fullSync
	file    *spool.File
	writing int // pieces that were handed to the file and are not written yet
	size    int64
	sealed  bool  // the file is whole
	at      int64 // up to where it was read
	reading bool
	closed  bool
}

var errSpoolShort = errors.New("the file that a copy went to is shorter than what was written")

const spooledMax = 2 // pieces that wait to be written

func newSpooled(y *fullSync) (*spooled, error) {
	file, err := spool.Open(y.p.n.opts.Dir)
	if err != nil {
		return nil, err
	}
	y.p.replicas.spools = append(y.p.replicas.spools, file)
	return &spooled{y: y, file: file}, nil
}

// head is what goes before the copy.
func (f *spooled) head() string { return "$" + strconv.FormatInt(f.size, 10) + "\r\n" }

func (f *spooled) room() bool { return f.writing < spooledMax }

func (f *spooled) put(c *chunk) {
	f.writing++
	p := f.y.p
	f.file.Write(c.bytes, func(_ int64, err error) {
		c.done()
		p.l.Post(func() { f.wrote(err) })
	})
}

func (f *spooled) wrote(err error) {
	f.writing--
	switch {
	case f.closed:
	case err != nil:
		f.y.fail(err)
	default:
		f.y.pass.wake()
	}
}

func (f *spooled) end(err error) {
	if err != nil {
		f.y.fail(err)
		return
	}
	p := f.y.p
	f.file.Write([]byte(checksum), func(size int64, err error) { p.l.Post(func() { f.seal(size, err) }) })
}

// seal: the file is whole, and its length is known.
func (f *spooled) seal(size int64, err error) {
	switch {
	case f.closed:
		return
	case err != nil:
		f.y.fail(err)
		return
	}
	f.size, f.sealed = size, true
	for _, r := range f.y.members {
		r.movedNS = f.y.p.nowNS
		r.write(f.head())
	}
	f.read()
}

// read has the next piece come from the file, if there is room for it.
func (f *spooled) read() {
	if f.reading || !f.sealed || f.closed || f.at == f.size || !f.y.room() {
		return
	}
	f.reading = true
	p, piece := f.y.p, make([]byte, min(chunkBytes, f.size-f.at))
	f.file.Read(f.at, piece, func(n int, err error) { p.l.Post(func() { f.took(piece[:n], err) }) })
}

func (f *spooled) took(piece []byte, err error) {
	f.reading = false
	switch {
	case f.closed:
		return
	case err != nil:
		f.y.fail(err)
		return
	case len(piece) == 0:
		f.y.fail(errSpoolShort)
		return
	}
	f.at += int64(len(piece))
	c := &chunk{bytes: piece}
	c.owed.Store(1)
	f.y.p.enter()
	f.y.put(c)
	if f.at == f.size {
		f.y.end(nil)
	}
	f.read()
}

func (f *spooled) close() {
	f.closed = true
	f.y.pass.leave(f)
	f.y.p.closeSpool(f.file)
}

// closeSpool lets a file go. Its goroutine may still be at the disk, which the loop does not wait for before it ends itself.
func (p *part) closeSpool(file *spool.File) {
	file.Write(nil, func(int64, error) { p.l.Post(func() { p.forgetSpool(file) }) })
	file.Close()
}

func (p *part) forgetSpool(file *spool.File) {
	file.Wait() // it has nothing more to do
	p.replicas.spools = slices.DeleteFunc(p.replicas.spools, func(o *spool.File) bool { return o == file })
}

// stopReplicas ends what is under way for replicas; the loop ends.
func (p *part) stopReplicas() {
	if y := p.replicas.copying; y != nil {
		y.finish()
	}
	for _, file := range p.replicas.spools {
		file.Wait()
	}
}
