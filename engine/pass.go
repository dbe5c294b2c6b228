package engine

import (
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"larder/engine/commands"
	"larder/engine/store"
	"larder/persistence/rdb"
	"larder/process"
	"larder/protocol/client"
	form "larder/protocol/encoding/rdb"
)

// A pass is the keyspace as it is at one moment, written as an RDB file, in slices between commands, to several sinks at once: a file, replicas, the
// journal's base. All get the same bytes, and one that has no room for more stops the pass until it has: nothing on the loop ever waits.
//
// Small values are written as they lie in the store. A large value is pinned and written by a coroutine (pass_items.go), a piece a slice. What a chunk has
// of texts is not compressed: a sink that wants to does so on a goroutine of its own.

const (
	chunkBytes = 512 << 10              // that are handed to the sinks at once, about: some milliseconds of a compressor's time
	chunkRoom  = chunkBytes + 192<<10   // a chunk's space: an item more than enough fits
	passSlice  = 250 * time.Microsecond // between two batches of commands: while a pass runs, about one in twelve waits for one
	passStep   = 16 << 10               // bytes between two looks at the clock
	sparesMax  = 4                      // chunks that wait to be used again
	passesMax  = 2                      // at once, as the store has it: one to replicas and one to the disk
)

// sink takes what a pass writes. All its methods are called on the loop.
type sink interface {
	// room tells whether another chunk may be put. When that has become so the sink wakes the pass.
	room() bool
	// put hands a chunk over, which others have too: it is only to be read, and to be given back by its done.
	put(c *chunk)
	// end is the last call. nil: all has been put; what is still to be appended are the eight bytes of the checksum, which may be zeros. Else it says why
	// the pass has ended before its time.
	end(err error)
}

// chunk is a piece of what a pass writes.
type chunk struct {
	bytes []byte
	texts []form.Span // what of it may be compressed
	owed  atomic.Int32
	spare chan *chunk
}

// done gives the chunk back. Each sink calls it once, on any goroutine.
func (c *chunk) done() {
	if c.owed.Add(-1) > 0 {
		return
	}
	select {
	case c.spare <- c:
	default:
	}
}

// passOptions say what a pass is for.
type passOptions struct {
	valkey  bool // the readers are Valkey 9 or later: hashes whose fields expire are then written in its form
	aofBase bool // the file is the base of a journal

	noKeys, noFunctions bool // what the readers do not want
}

var (
	errPassStopped = errors.New("the pass was stopped")
	errNoSinks     = errors.New("nobody takes what the pass writes any more")
)

// pass is one in progress. It is the loop's.
type pass struct {
	p     *part
	sinks []sink
	snap  *store.Snapshot
	w     rdb.Frame
	nowMS int64 // of the moment that is written
	spare chan *chunk

	armed, ended  bool
	read          bool // the snapshot has no more
	whole         bool // all is written
	keys, expires []int
	resized       []bool
	done          int                     // keys that were written
	progress      func(done, total int64) // told after each chunk; nil = nobody is

	early   early
	waiting []largeValue
	large   *largeValue // is being written
	next    func() (struct{}, bool)
	stop    func()
}

// beginPass begins a pass over all that there is now. The error is store.ErrPasses if there are as many as can be; no sink was told anything then.
func (p *part) beginPass(what passOptions, sinks ...sink) (*pass, error) {
	q := &pass{p: p, sinks: sinks, nowMS: p.nowMS, spare: make(chan *chunk, sparesMax), resized: make([]bool, p.store.Databases())}
	o := store.SnapshotOptions{KeptMax: p.keptMax()}
	if !what.noKeys {
		o.Early = q.takeEarly
	}
	var err error
	if q.snap, err = p.store.Snapshot(o); err != nil {
		return nil, err
	}
	for i := range p.store.Databases() {
		db := p.store.DB(i)
		q.keys, q.expires = append(q.keys, db.Len()), append(q.expires, db.Expires())
	}
	q.w.Later, q.w.RedisTimed, q.w.Key = true, !what.valkey, []byte{} // nil would be no key, and there is one without a byte
	q.fresh()
	q.head(what)
	p.passes = append(p.passes, q)
	q.arm()
	return q, nil
}

// head writes what stands before the keys.
func (q *pass) head(what passOptions) {
	p, w := q.p, &q.w
	w.Begin(what.valkey)
	w.Aux("redis-ver", client.Version)
	w.AuxInt("redis-bits", 64)
	w.AuxInt("ctime", q.nowMS/1000)
	w.AuxInt("used-mem", p.used())
	p.auxOfStream(w)
	p.auxOfLanes(w)
	base := int64(0)
	if what.aofBase {
		base = 1
	}
	w.AuxInt("aof-base", base)
	if !what.noFunctions {
		for _, code := range p.libraryCodes() {
			w.Function(code)
		}
	}
	q.read = what.noKeys
}

// total is how many keys there were when the pass began.
func (q *pass) total() (n int) {
	for _, keys := range q.keys {
		n += keys
	}
	return n
}

// wake goes on with a pass: a sink has room again. It is called on the loop.
func (q *pass) wake() {
	if !q.ended {
		q.arm()
	}
}

// leave takes a sink off the pass, which has nothing more to say to it. A pass without sinks ends.
func (q *pass) leave(s sink) {
	at := slices.Index(q.sinks, s)
	if at < 0 || q.ended {
		return
	}
	q.sinks = slices.Delete(q.sinks, at, at+1)
	if len(q.sinks) == 0 {
		q.finish(errNoSinks)
		return
	}
	q.arm()
}

// cancel ends a pass before its time; the sinks are told why.
func (q *pass) cancel(err error) {
	if !q.ended {
		q.finish(err)
	}
}

// wakePasses goes on with all: while a script runs beside the loop they stand.
func (p *part) wakePasses() {
	for _, q := range p.passes {
		q.wake()
	}
}

// auxOfStream says where in the node's stream the pass stands, if the stream is told: whoever has the file has everything up to there. The database that the
// stream is in there is told where it is a primary's, which goes on in it; a stream of the node's own says its database anew for each who begins to listen.
func (p *part) auxOfStream(w *rdb.Frame) {
	if t := p.stream; t.wanted || t.theirs {
		w.Aux("repl-id", t.past.ID)
		w.AuxInt("repl-offset", t.past.End())
		if p.link != nil {
			w.AuxInt("repl-stream-db", int64(p.link.streamDB()))
		}
	}
}

func (q *pass) arm() {
	if !q.armed {
		q.armed = true
		q.p.l.Later(q.slice)
	}
}

// slice goes on for a bounded time, or until a sink has no room.
func (q *pass) slice() {
	q.armed = false
	p := q.p
	if q.ended || p.scripts.busy != nil {
		return
	}
	if err := q.snap.Err(); err != nil { // writes have made it keep too much
		q.finish(err)
		return
	}
	p.enter()
	began := p.l.Now()
	for !q.ended {
		if !q.step() {
			return
		}
		if p.l.Since(began) >= passSlice {
			q.arm()
			return
		}
	}
}

// runAll goes on until the pass ends: SAVE does not let others run. Its sinks always have room.
func (q *pass) runAll() {
	for !q.ended && q.step() {
		continue
	}
}

// step writes some; false: a sink has no room.
func (q *pass) step() bool {
	if len(q.w.Out) >= chunkBytes || q.whole {
		if !q.room() {
			return false
		}
		q.handOver()
		if q.whole {
			q.finish(nil)
			return true
		}
	}
	switch {
	case q.large == nil && q.joinEarly():
	case q.large != nil || len(q.waiting) > 0:
		q.writeLarge(passStep)
	case !q.read:
		q.w.Pause = nil
		more, err := q.snap.Next(passStep, q.item)
		q.read = !more
		if err != nil {
			q.finish(err)
		}
	default:
		q.w.End()
		q.whole = true
	}
	return true
}

func (q *pass) room() bool {
	for _, s := range q.sinks {
		if !s.room() {
			return false
		}
	}
	return true
}

// handOver gives what was written to the sinks.
func (q *pass) handOver() {
	c := &chunk{bytes: q.w.Out, texts: q.w.Texts, spare: q.spare}
	c.owed.Store(int32(len(q.sinks)))
	q.fresh()
	for _, s := range slices.Clone(q.sinks) { // put may have one leave
		s.put(c)
	}
	if q.progress != nil {
		q.progress(int64(q.done), int64(q.total()))
	}
}

// fresh begins another chunk, in the space of one that nobody needs any more if there is one.
func (q *pass) fresh() {
	select {
	case old := <-q.spare:
		q.w.Out, q.w.Texts = old.bytes[:0], old.texts[:0]
	default:
		q.w.Out, q.w.Texts = make([]byte, 0, chunkRoom), nil
	}
}

// finish ends the pass.
func (q *pass) finish(err error) {
	q.ended = true
	q.dropLarge()
	q.snap.Close()
	q.p.passes = slices.DeleteFunc(q.p.passes, func(other *pass) bool { return other == q })
	sinks := q.sinks
	q.sinks, q.early, q.w.Out, q.w.Texts = nil, early{}, nil, nil
	for _, s := range sinks {
		s.end(err)
	}
}

// everyField is the time by which fields of hashes are dead that are not written: none is. They are written as dead keys are, since what is told of them
// behind the pass counts on them, and the reader may have another clock.
const everyField = 0

// item writes an item of the snapshot, or puts it aside to be written in pieces.
func (q *pass) item(db int, it store.Item) {
	const large = 64 << 10
	kind := it.Kind()
	switch {
	case kind.Big() && it.Object().Bytes() > large, kind.IsString() && it.Len() > large:
		q.waiting = append(q.waiting, newLarge(db, it, q.about(it)))
		return
	}
	q.write(&q.w, db, it)
}

// write writes an item whole.
func (q *pass) write(w *rdb.Frame, db int, it store.Item) {
	q.selectDB(w, db)
	a := q.about(it)
	w.About(a.expiryMS, a.idleS, a.freq)
	w.Key = append(w.Key[:0], it.Key()...)
	commands.WriteValue(&w.Pen, q.p.store, it, q.p.set.collections, everyField)
	q.done++
}

func (q *pass) selectDB(w *rdb.Frame, db int) {
	if w.Select(db) && !q.resized[db] {
		q.resized[db] = true
		w.Resize(q.keys[db], q.expires[db])
	}
}

// keptMax is how much of overwritten data passes may keep: more, and they are given up.
func (p *part) keptMax() int64 {
	const percent = 100
	of := p.set.maxMemory
	if of == 0 {
		of = process.SystemMemory()
	}
	return of / percent * int64(p.n.opts.SnapshotKeptPercent)
}
