package engine

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"larder/engine/lanes"
	"larder/loop"
)

// transfer is a primary's data on their way here: an RDB file, of which either the length is told before it ("$281") or a mark that stands behind it
// ("$EOF:" and 40 bytes).
type transfer struct {
	begun bool  // the first line was read, and the keyspace was emptied
	size  int64 // bytes of the file, 0 = told by the mark
	read  int64 // of the file, as far as it was given to the loader
	fed   int   // bytes at the front of the input that the loader has, and that are still there
	mark  []byte
	ended bool // all of the file is loaded; the mark, or what is left of size, is to come
}

const (
	markPrefix = "$EOF:"
	markLen    = 40
	// feedMax is how much of the input the loader is given at once: it copies it.
	feedMax = 64 << 10
	// copySliceNS is how long the loading of a copy may keep the loop.
	copySliceNS = int64(time.Millisecond)
)

// expectAll waits for the primary's data.
func (k *link) expectAll() {
	k.phase, k.transfer = linkLoading, transfer{}
	k.saidNS = k.p.nowNS
	k.log(slog.LevelInfo, "replication: the primary sends all its data", "id", k.greeting.id, "offset", k.greeting.offset)
}

// load takes in what has come of the primary's data, and reports whether there may be more to take in.
func (k *link) load(c *loop.Conn) bool {
	p, t := k.p, &k.transfer
	switch {
	case p.scripts.busy != nil: // the keyspace does not change while a script runs
		k.held = true
		c.Pause()
		return false
	case !t.begun:
		return k.beginLoad(c)
	case t.ended:
		return k.endLoad(c)
	}
	if t.fed == 0 {
		in := c.In()
		if len(in) > feedMax {
			in = in[:feedMax]
		}
		if t.size > 0 && int64(len(in)) > t.size-t.read {
			in = in[:t.size-t.read]
		}
		if len(in) == 0 {
			if t.size > 0 && t.read == t.size {
				k.misfit("its file ends too early: " + errText(k.loader.scan.Ended()))
			}
			return false
		}
		t.fed = len(in)
		t.read += int64(len(in))
		k.loader.feed(in)
	}
	switch state, err := k.slice(); {
	case err != nil:
		k.misfit(err.Error())
		return false
	case state == loadOn:
		c.Pause()
		p.l.Later(func() {
			if k.c == c {
				c.ResumeAnyway()
			}
		})
		return false
	default:
		k.fedAll(c, state == loadDone)
		return true
	}
}

// slice loads for a bounded time.
func (k *link) slice() (state loadState, err error) {
	untilNS := k.p.clockNS() + copySliceNS
	for state == loadOn && err == nil && k.p.clockNS() < untilNS {
		state, err = k.loader.step()
	}
	return state, err
}

// fedAll takes from the input what the loader has done with: all that it was given, but for what stands behind the file.
func (k *link) fedAll(c *loop.Conn, ended bool) {
	t, rest := &k.transfer, 0
	if t.ended = ended; ended {
		rest = len(k.loader.scan.Rest())
		t.read -= int64(rest)
	}
	c.Took(t.fed - rest)
	t.fed = 0
}

// beginLoad reads the line before the file, and drops what this node has.
func (k *link) beginLoad(c *loop.Conn) bool {
	line, ok := k.line(c)
	if !ok {
		return false
	}
	t := &k.transfer
	switch {
	case line == "": // it is not ready, and says that it lives
		return true
	case line[0] == '-':
		k.failed("the primary cannot send its data", "it says "+line)
		return false
	case len(line) == len(markPrefix)+markLen && strings.HasPrefix(line, markPrefix):
		t.mark = []byte(line[len(markPrefix):])
	default:
		size, err := strconv.ParseInt(strings.TrimPrefix(line, "$"), 10, 64)
		if line[0] != '$' || err != nil || size <= 0 {
			k.failed("the primary does not send its data", fmt.Sprintf("it says %.100q where the length of its file should stand", line))
			return false
		}
		t.size = size
	}
	if !k.p.mayDrop(k) {
		k.mayNotDrop()
		return false
	}
	t.begun = true
	k.p.dropAll()
	k.loader = k.p.newLoading(true)
	k.p.setGuard(guardLoading, true)
	k.p.noteLink()
	return true
}

// endLoad reads what stands behind the file.
func (k *link) endLoad(c *loop.Conn) bool {
	t, in := &k.transfer, c.In()
	if t.size > 0 {
		n := min(int64(len(in)), t.size-t.read)
		c.Took(int(n))
		if t.read += n; t.read < t.size {
			return false
		}
	} else {
		if len(in) < markLen {
			return false
		}
		if !bytes.Equal(in[:markLen], t.mark) {
			k.misfit("its file has ended, and not with the mark that it told")
			return false
		}
		c.Took(markLen)
	}
	k.loaded()
	return true
}

// loaded makes the data this node's.
func (k *link) loaded() {
	p, l := k.p, k.loader
	k.loader = nil
	p.setGuard(guardLoading, false)
	id := k.greeting.id
	if k.greeting.old {
		id = randomID(p.store.Rand())
	}
	p.stream.past.Restart(id, k.greeting.offset)
	p.takeLanes(l)
	k.s.useDB(l.streamDB())
	for db := range p.store.Databases() {
		p.signalDB(db)
	}
	p.stream.listen()
	p.hollow = false
	p.noteLoaded(l)
	k.begin("replication: this node has the primary's data, and follows it", "keys", l.keys, "bytes", k.transfer.read)
	if p.results != nil {
		p.results.begin()
	}
}

// abandon drops what was loaded by half.
func (k *link) abandon() {
	p := k.p
	if !k.transfer.begun {
		return
	}
	k.loader.drop()
	k.loader = nil
	p.dropAll()
	p.setGuard(guardLoading, false)
	k.log(slog.LevelWarn, "replication: the primary's data did not come whole: this node is empty until they do")
}

// misfit ends an attempt that would end so again: the next one is not soon.
func (k *link) misfit(reason string) {
	k.failed("this node cannot take in what the primary sends", reason)
	k.retryNS = k.p.nowNS + int64(misfitWait)
}

const misfitWait = 5 * time.Second

// dropAll empties the node: it has nothing any more that anybody could follow, and is another run of itself to whoever did.
func (p *part) dropAll() {
	p.newRun()
	p.joined, p.restored, p.hollow = false, false, true
	p.stream.past.Restart(randomID(p.store.Rand()), 0)
	p.partReplicas()
	p.numbered.table = lanes.Table{}
	if p.results != nil {
		p.results.void()
	}
	for db := range p.store.Databases() {
		p.signalDB(db)
	}
	p.empty()
}

// streamDB is the database that the stream is in.
func (k *link) streamDB() int { return k.s.dbIndex }

// streamDB is the database that the stream behind the file begins in.
func (l *loading) streamDB() int {
	db, err := strconv.Atoi(l.said["repl-stream-db"])
	if err != nil || db < 0 || db >= l.p.store.Databases() {
		return 0 // the stream says its database first
	}
	return db
}

// partReplicas cuts those who follow this node: its stream has another name or another past now, for which they are to ask.
func (p *part) partReplicas() {
	for _, r := range slices.Clone(p.replicas.all) {
		r.s.c.Close()
	}
}

func errText(err error) string {
	if err == nil {
		return "nothing is missing"
	}
	return err.Error()
}
