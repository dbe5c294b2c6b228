package engine

import (
	"slices"

	"larder/persistence/files"
	"larder/persistence/rdb"
	form "larder/protocol/encoding/rdb"
)

// queueMax is how many chunks wait for a file's goroutine at most.
const queueMax = 2

// passFile is where a pass is written to. It has its name only when it is whole.
type passFile interface {
	// Write takes the next bytes, in which texts may be compressed.
	Write(p []byte, texts []form.Span) error
	// Commit appends the checksum and makes the file whole. The file is given up if that fails.
	Commit() error
	// Abandon gives it up: nothing stays of it.
	Abandon() error
}

// fileSink writes a pass to a file on a goroutine of its own (run.go), which compresses, adds up the checksum and waits for the disk or the network.
type fileSink struct {
	p    *part
	pass *pass // whose sink it is, once that has begun
	file passFile
	// interrupt ends a Write of file that waits for others, and may be nil: a disk always answers.
	interrupt func(error)
	queue     chan *chunk
	on        int         // chunks that were put and are not written yet
	ended     func(error) // told once, on the loop: nil if the file has its name

	why  error // given up; set before queue is closed
	done chan struct{}
	told bool
}

// newFileSink begins a file. What is called name stays until the pass is whole.
func (p *part) newFileSink(dir *files.Dir, name string, ended func(error)) (*fileSink, error) {
	file, err := rdb.Create(dir, name, p.fileOptions())
	if err != nil {
		return nil, err
	}
	return p.sinkTo(file, nil, ended), nil
}

// sinkTo begins a sink that writes to file.
func (p *part) sinkTo(file passFile, interrupt, ended func(error)) *fileSink {
	f := &fileSink{p: p, file: file, interrupt: interrupt, queue: make(chan *chunk, queueMax), ended: ended, done: make(chan struct{})}
	p.writers = append(p.writers, f)
	f.start()
	return f
}

func (p *part) fileOptions() rdb.FileOptions {
	return rdb.FileOptions{Compress: p.set.saving.compress, Checksum: p.set.saving.checksum}
}

func (f *fileSink) room() bool { return f.on < queueMax }

func (f *fileSink) put(c *chunk) {
	f.on++
	f.queue <- c // there is room
}

// end lets the goroutine end the file. After an error it is over already.
func (f *fileSink) end(err error) {
	f.why = err
	if err != nil && f.interrupt != nil {
		f.interrupt(err)
	}
	close(f.queue)
}

// write is the goroutine's: it writes what is put, then ends the file, and tells the loop.
func (f *fileSink) write() {
	defer close(f.done)
	var failed error
	for c := range f.queue {
		if failed == nil {
			failed = f.file.Write(c.bytes, c.texts)
		}
		c.done()
		failedNow := failed
		f.p.l.Post(func() { f.wrote(failedNow) })
	}
	switch {
	case failed != nil:
		_ = f.file.Abandon() // the first error is the one to tell
	case f.why != nil:
		failed = f.why
		_ = f.file.Abandon()
	default:
		failed = f.file.Commit()
	}
	f.p.l.Post(func() { f.tell(failed) })
}

// wrote says on the loop that a chunk is done with.
func (f *fileSink) wrote(failed error) {
	f.on--
	switch {
	case f.pass == nil:
	case failed != nil:
		f.abort()
	default:
		f.pass.wake()
	}
}

// abort ends the file before the pass does.
func (f *fileSink) abort() {
	if q := f.pass; !q.ended {
		f.pass = nil
		close(f.queue)
		q.leave(f)
	}
}

// tell says once how it has ended.
func (f *fileSink) tell(err error) {
	if f.told {
		return
	}
	f.told = true
	f.p.forgetWriter(f)
	f.ended(err)
}

// forgetWriter takes a goroutine that has ended off the list of those to wait for.
func (p *part) forgetWriter(f *fileSink) {
	p.writers = slices.DeleteFunc(p.writers, func(other *fileSink) bool { return other == f })
}

// directSink writes a pass to a file on the loop, while everybody waits.
type directSink struct {
	file passFile
	err  error
}

func (d *directSink) room() bool { return true }

func (d *directSink) put(c *chunk) {
	if d.err == nil {
		d.err = d.file.Write(c.bytes, c.texts)
	}
	c.done()
}

func (d *directSink) end(err error) {
	if d.err == nil {
		d.err = err
	}
	if d.err != nil {
		_ = d.file.Abandon() // the first error is the one to tell
		return
	}
	d.err = d.file.Commit()
}
