package mirror

import (
	"time"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// Command is one that the source has answered. Its bytes are the caller's again when Take returns.
type Command struct {
	Raw            []byte // as it went over the lane: of a transaction MULTI, its commands and EXEC
	Reply          []byte // nil: it was passed on in pieces
	DB, Proto      int
	Lane           uint32
	StartNS, EndNS int64 // since the Feed's base: when it was sent, at the earliest, and when its reply was there
	Piece          bool  // a transaction
	Sub            uint16
	Several        bool // shards of the source are each told the like: this one is told part Sub
}

// item is a command in a batch, or that something of its keys is to be forgotten.
type item struct {
	row            *command.Row // nil: forget
	raw, reply     span
	startNS, endNS int64
	lost           uint64 // the key; with all, every one
	lane           uint32
	db             uint16
	all            bool
	piece, cut     bool
	resp3          bool
}

type span struct{ from, to int }

// batch is what a loop hands over at once.
type batch struct {
	bytes    []byte
	items    []item
	commands int64
	losing   int64
}

const (
	batchBytesMax = 256 << 10 // a batch that is as large is no longer kept for the next
	lostMax       = 4096      // keys that loops may tell to forget one by one; beyond it all are
)

// Feed is a loop's way into the mirror. It belongs to the loop's goroutine.
type Feed struct {
	m        *Mirror
	offNS    int64 // its base less the mirror's
	post     func(func())
	hand     func()
	requests resp.Requests
	keys     []int
	b        *batch
	armed    bool
}

// Feed makes a loop's. Its commands' times count from base; post has a function called on the loop, soon.
func (m *Mirror) Feed(post func(func()), base time.Time) *Feed {
	f := &Feed{m: m, post: post, offNS: int64(base.Sub(m.base)), b: &batch{}}
	f.requests.Reset(resp.Limits{})
	f.hand = func() {
		f.armed = false
		f.Flush()
	}
	return f
}

// Take copies a command if it is to be mirrored.
func (f *Feed) Take(c Command) {
	if f.m.off.Load() {
		return
	}
	if is, _ := inTrouble(c.Reply); is || refuses(c.Reply) { // it did not run, but for a script that may have begun
		if row, _ := f.look(c.Raw, c.Piece); row != nil && scripted(row) {
			f.Lose(c.Raw, c.DB, c.Piece)
		}
		return
	}
	row, wanted := f.look(c.Raw, c.Piece)
	if row != nil && c.Several && f.m.kinds[row.ID] == kindAlways {
		// The shards did it at times of their own, the shadow does it at one: whatever else happens meanwhile comes before it there, or behind it.
		if c.Sub == 0 {
			f.put(row, c)
			f.LoseAll()
		}
		return
	}
	switch wanted {
	case wantedNot:
	case wantedHalf:
		f.m.count.halves.Add(1)
		f.Lose(c.Raw, c.DB, c.Piece)
	default:
		if f.m.queued.Load() >= f.m.o.QueueCount || f.m.bytes.Load()+int64(len(c.Raw)+len(c.Reply)) > f.m.o.QueueBytes {
			f.m.count.dropped.Add(1)
			f.Lose(c.Raw, c.DB, c.Piece)
			return
		}
		f.put(row, c)
	}
}

type wanted uint8

const (
	wantedNot  wanted = iota
	wantedHalf        // some of its keys are of the share, and others are not
	wantedAll
)

// look says whether a command is mirrored. The row is the one of a transaction's EXEC.
func (f *Feed) look(raw []byte, piece bool) (*command.Row, wanted) {
	if !piece {
		req, _, st := f.requests.Next(raw)
		if st != resp.Done {
			f.requests.Reset(resp.Limits{})
			return nil, wantedNot
		}
		row, _ := command.Resolve(req.Args)
		if row == nil {
			return nil, wantedNot
		}
		return row, f.lookAt(row, req.Args)
	}
	all, seen := wantedNot, false
	for len(raw) > 0 {
		req, n, st := f.requests.Next(raw)
		if st != resp.Done {
			f.requests.Reset(resp.Limits{})
			return nil, wantedNot
		}
		raw = raw[n:]
		row, _ := command.Resolve(req.Args)
		if row == nil {
			continue
		}
		w := f.lookAt(row, req.Args)
		switch {
		case w == wantedNot && !f.hasKeys(row, req.Args):
			continue
		case seen && w != all:
			all = wantedHalf
		default:
			all = w
		}
		seen = true
	}
	return command.ByID(command.CmdExec), all
}

func (f *Feed) hasKeys(row *command.Row, args [][]byte) bool {
	f.keys = row.KeyPositions(args, f.keys[:0])
	return len(f.keys) > 0
}

func (f *Feed) lookAt(row *command.Row, args [][]byte) wanted {
	switch f.m.kinds[row.ID] {
	case kindNever:
		return wantedNot
	case kindAlways:
		return wantedAll
	}
	f.keys = row.KeyPositions(args, f.keys[:0])
	in := 0
	for _, at := range f.keys {
		if f.m.within(args[at]) {
			in++
		}
	}
	switch {
	case in == 0:
		return wantedNot
	case in < len(f.keys):
		return wantedHalf
	}
	return wantedAll
}

func (f *Feed) put(row *command.Row, c Command) {
	b := f.b
	from := len(b.bytes)
	b.bytes = append(b.bytes, c.Raw...)
	mid := len(b.bytes)
	b.bytes = append(b.bytes, c.Reply...)
	b.items = append(b.items, item{
		row: row, raw: span{from, mid}, reply: span{mid, len(b.bytes)}, startNS: c.StartNS + f.offNS, endNS: c.EndNS + f.offNS,
		lane: c.Lane, db: uint16(c.DB), piece: c.Piece, cut: c.Reply == nil, resp3: c.Proto == 3,
	})
	b.commands++
	f.m.count.taken.Add(1)
	f.m.queued.Add(1)
	f.m.bytes.Add(int64(len(b.bytes) - from))
	f.arm()
}

func (f *Feed) arm() {
	if !f.armed {
		f.armed = true
		f.post(f.hand)
	}
}

// Lose tells that a command may have run at the source, and is not mirrored: nothing is known any more of the keys that it may have written.
func (f *Feed) Lose(raw []byte, db int, piece bool) {
	if f.m.off.Load() {
		return
	}
	for len(raw) > 0 {
		req, n, st := f.requests.Next(raw)
		if st != resp.Done {
			f.requests.Reset(resp.Limits{})
			f.LoseAll()
			return
		}
		raw = raw[n:]
		row, _ := command.Resolve(req.Args)
		if row == nil || row.Flags.Has(command.ReadOnly) {
			continue
		}
		if row.ID == command.CmdMove || row.ID == command.CmdCopy || piece && row.ID == command.CmdSelect || f.m.kinds[row.ID] == kindAlways {
			f.LoseAll()
			return
		}
		f.keys = row.KeyPositions(req.Args, f.keys[:0])
		for _, at := range f.keys {
			f.LoseKey(db, req.Args[at])
		}
	}
}

// LoseKey is Lose for one key.
func (f *Feed) LoseKey(db int, key []byte) {
	if f.m.off.Load() || !f.m.within(key) {
		return
	}
	f.m.count.lost.Add(1)
	if f.m.losing.Load() >= lostMax {
		f.LoseAll()
		return
	}
	f.m.losing.Add(1)
	f.b.losing++
	f.b.items = append(f.b.items, item{lost: f.m.keyID(db, key)})
	f.arm()
}

// LoseAll is Lose for every key.
func (f *Feed) LoseAll() {
	f.m.count.lost.Add(1)
	if n := len(f.b.items); n > 0 && f.b.items[n-1].all {
		return
	}
	f.b.items = append(f.b.items, item{all: true})
	f.arm()
}

// Flush hands over what there is, if there is room; else it stays for the next time.
func (f *Feed) Flush() {
	if len(f.b.items) == 0 {
		return
	}
	select {
	case f.m.queue <- f.b:
	default:
		return
	}
	select {
	case f.b = <-f.m.spare:
	default:
		f.b = &batch{}
	}
}

// done gives a batch back.
func (m *Mirror) done(b *batch) {
	m.queued.Add(-b.commands)
	m.losing.Add(-b.losing)
	m.bytes.Add(-int64(len(b.bytes)))
	if cap(b.bytes) > batchBytesMax {
		return
	}
	b.bytes, b.items, b.commands, b.losing = b.bytes[:0], b.items[:0], 0, 0
	select {
	case m.spare <- b:
	default:
	}
}
