package streams

import (
	"math"

	"larder/protocol/encoding/listpack"
	"larder/protocol/encoding/rdb"
)

// Loaded is a stream read from an RDB value: all of it was found right, and the entries are still in their listpacks.
type Loaded struct {
	packs  []pack
	last   ID
	maxDel ID
	added  uint64
	groups []loadedGroup
	old    bool // without counters: rdb.TypeStream

	// Lost says that what producers have added with an ID of their own was left out: Redis 8.6 has that, and Larder does not.
	Lost bool
}

type pack struct {
	master ID
	list   listpack.List
}

type loadedGroup struct {
	name      string
	last      ID
	read      int64
	pending   map[ID]Pending
	consumers []loadedConsumer
}

type loadedConsumer struct {
	name         string
	seen, active int64
	ids          []ID
}

// reader reads a stranger's bytes.
type reader struct{ rdb.Reader }

func (r *reader) id() ID { return ID{MS: r.Length(), Seq: r.Length()} }

// Load reads a value of one of the types of streams; false: it is not one whole value and nothing else.
func Load(t rdb.Type, value []byte) (*Loaded, bool) {
	r := &reader{rdb.Reader{Left: value, Keep: true}} // the packs are kept
	l := &Loaded{old: t == rdb.TypeStream}
	live, end := l.readPacks(r)
	length := r.Length()
	l.last = r.id()
	if l.old { // Redis 5 could count wrongly: what is there counts
		l.added = live
	} else {
		r.id() // the first entry's: it is where the entries are
		l.maxDel = r.id()
		l.added = r.Length()
	}
	if length != live && !l.old || l.last.Less(end) || l.added > math.MaxInt64 {
		return nil, false
	}
	names := map[string]bool{}
	for range r.Count(6) {
		g := l.readGroup(r, t)
		if r.Bad || names[g.name] {
			return nil, false
		}
		names[g.name] = true
		l.groups = append(l.groups, g)
	}
	if t == rdb.TypeStream4 {
		l.Lost = r.producers()
	}
	return l, !r.Bad && len(r.Left) == 0
}

// producers passes over what producers have added with IDs of their own (Redis 8.6), and tells whether there is any.
func (r *reader) producers() bool {
	r.Length() // how long it is kept, in seconds
	r.Length() // how much of it
	n := r.Count(2)
	for range n {
		r.Text()
		for range r.Count(3) {
			r.Text()
			r.id()
		}
	}
	r.Length() // how many there ever were
	r.Length() // how many were refused
	return n > 0
}

// readPacks reads the listpacks and gives the number of entries and the last one's ID.
func (l *Loaded) readPacks(r *reader) (live uint64, end ID) {
	for range r.Count(idBytes + 2) {
		key, list := r.Text(), r.Text()
		if len(key) != idBytes || listpack.Validate(list) != nil {
			r.Fail()
			return 0, ID{}
		}
		p := pack{sortedID(key), list}
		n, last, ok := p.walk(end, nil)
		if !ok {
			r.Fail()
			return 0, ID{}
		}
		live, end = live+n, last
		l.packs = append(l.packs, p)
	}
	return live, end
}

func (l *Loaded) readGroup(r *reader, t rdb.Type) loadedGroup {
	g := loadedGroup{name: string(r.Text()), last: r.id(), read: EntriesUnknown, pending: map[ID]Pending{}}
	if !l.old {
		g.read = int64(r.Length())
	}
	for range r.Count(idBytes + 9) {
		id := sortedID(r.Raw(idBytes))
		_, twice := g.pending[id]
		if g.pending[id] = (Pending{ID: id, DeliveredMS: r.Int64(), Count: r.Length()}); twice {
			r.Fail()
		}
	}
	left := len(g.pending)
	names, given := map[string]bool{}, map[ID]bool{}
	for range r.Count(10) {
		c := loadedConsumer{name: string(r.Text()), seen: r.Int64()}
		if c.active = c.seen; t == rdb.TypeStream3 || t == rdb.TypeStream4 {
			c.active = r.Int64()
		}
		for range r.Count(idBytes) {
			id := sortedID(r.Raw(idBytes))
			if _, known := g.pending[id]; !known || given[id] {
				r.Fail()
			}
			given[id] = true
			left--
			c.ids = append(c.ids, id)
		}
		if names[c.name] {
			r.Fail()
		}
		names[c.name] = true
		g.consumers = append(g.consumers, c)
	}
	if left != 0 || g.read < EntriesUnknown {
		r.Fail()
	}
	return g
}

// walker reads a listpack's elements in turn.
type walker struct {
	l   listpack.List
	at  int
	bad bool
}

func (w *walker) next() listpack.Entry {
	if w.at == 0 || w.at >= w.l.End() {
		w.bad = true
		return listpack.Entry{}
	}
	e := w.l.Get(w.at)
	w.at = w.l.Next(w.at)
	return e
}

func (w *walker) int() int64 {
	e := w.next()
	w.bad = w.bad || !e.IsInt()
	return e.Int
}

// texts appends n elements as texts.
func (w *walker) texts(out [][]byte, n int64) [][]byte {
	for ; n > 0 && !w.bad; n-- {
		out = append(out, w.next().Append(nil))
	}
	return out
}

// walk goes through a listpack's entries, which must come behind an ID, and gives each that is not deleted to the function, if there is one. It gives how
// many those are, and the last one's ID; not ok: the listpack is none of a stream.
func (p *pack) walk(end ID, each func(id ID, fields [][]byte)) (live uint64, last ID, ok bool) {
	w := &walker{l: p.list, at: p.list.First()}
	count, deleted, pairs := w.int(), w.int(), w.int()
	names := w.texts(nil, pairs)
	if w.int() != 0 || w.bad || count < 0 || deleted < 0 || pairs < 0 || count+deleted <= 0 {
		return 0, end, false
	}
	gone := int64(0)
	for w.at != 0 && w.at < w.l.End() && !w.bad {
		flags := w.int()
		id := ID{p.master.MS + uint64(w.int()), p.master.Seq + uint64(w.int())}
		fields := w.fields(flags, names)
		if w.bad {
			break
		}
		if flags&flagDeleted != 0 {
			gone++
			continue
		}
		if !end.Less(id) || len(fields) == 0 {
			return 0, end, false
		}
		end = id
		live++
		if each != nil {
			each(id, fields)
		}
	}
	return live, end, !w.bad && live == uint64(count) && gone == deleted
}

// fields reads an entry's names and values, and the count of elements behind them.
func (w *walker) fields(flags int64, names [][]byte) [][]byte {
	var out [][]byte
	want := int64(len(names)) + 3
	if flags&flagSameFields != 0 {
		for _, name := range names {
			out = append(out, name, w.next().Append(nil))
		}
	} else {
		n := w.int()
		if n < 0 || n > int64(len(w.l)) {
			w.bad = true
			return nil
		}
		out = w.texts(out, 2*n)
		want = 2*n + 4
	}
	if w.int() != want {
		w.bad = true
	}
	return out
}

// Fill makes an empty stream what was loaded.
func (l *Loaded) Fill(s Stream) {
	end := ID{}
	for i := range l.packs {
		s.meta.split, s.meta.master = true, l.packs[i].master
		_, end, _ = l.packs[i].walk(end, func(id ID, fields [][]byte) { s.put(id, fields, Limits{}) })
	}
	s.meta.split = false
	s.SetID(l.last, l.maxDel, l.added)
	for i := range l.groups {
		lg := &l.groups[i]
		g := s.CreateGroup([]byte(lg.name), lg.last, lg.read)
		if l.old {
			g.EntriesRead = s.EntriesUpTo(lg.last)
		}
		for _, lc := range lg.consumers {
			c := s.CreateConsumer(g, []byte(lc.name), lc.seen)
			c.ActiveMS = lc.active
			for _, id := range lc.ids {
				p := lg.pending[id]
				p.Consumer = c
				s.SetPending(g, p)
			}
		}
	}
}
