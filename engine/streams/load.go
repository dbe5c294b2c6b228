package streams

import (
	"encoding/binary"
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

// reader reads a stranger's bytes; after the first fault it gives zeros.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) fail() { r.bad, r.b = true, nil }

func (r *reader) length() uint64 {
	n, size, err := rdb.Length(r.b)
	if err != nil {
		r.fail()
		return 0
	}
	r.b = r.b[size:]
	return n
}

// count reads how many things of at least so many bytes follow.
func (r *reader) count(least int) int {
	n := r.length()
	if n > uint64(len(r.b)/least) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) text() []byte {
	text, size, err := rdb.String(r.b, nil)
	if err != nil {
		r.fail()
		return nil
	}
	r.b = r.b[size:]
	return text
}

func (r *reader) id() ID { return ID{MS: r.length(), Seq: r.length()} }

func (r *reader) raw(n int) []byte {
	if len(r.b) < n {
		r.fail()
		return make([]byte, n)
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}

func (r *reader) time() int64 { return int64(binary.LittleEndian.Uint64(r.raw(8))) }

// Load reads a value of one of the types of streams; false: it is not one whole value and nothing else.
func Load(t rdb.Type, value []byte) (*Loaded, bool) {
	r := &reader{b: value}
	l := &Loaded{old: t == rdb.TypeStream}
	live, end := l.readPacks(r)
	length := r.length()
	l.last = r.id()
	if l.old { // Redis 5 could count wrongly: what is there counts
		l.added = live
	} else {
		r.id() // the first entry's: it is where the entries are
		l.maxDel = r.id()
		l.added = r.length()
	}
	if length != live && !l.old || l.last.Less(end) || l.added > math.MaxInt64 {
		return nil, false
	}
	names := map[string]bool{}
	for range r.count(6) {
		g := l.readGroup(r, t)
		if r.bad || names[g.name] {
			return nil, false
		}
		names[g.name] = true
		l.groups = append(l.groups, g)
	}
	if t == rdb.TypeStream4 {
		l.Lost = r.producers()
	}
	return l, !r.bad && len(r.b) == 0
}

// producers passes over what producers have added with IDs of their own (Redis 8.6), and tells whether there is any.
func (r *reader) producers() bool {
	r.length() // how long it is kept, in seconds
	r.length() // how much of it
	n := r.count(2)
	for range n {
		r.text()
		for range r.count(3) {
			r.text()
			r.id()
		}
	}
	r.length() // how many there ever were
	r.length() // how many were refused
	return n > 0
}

// readPacks reads the listpacks and gives the number of entries and the last one's ID.
func (l *Loaded) readPacks(r *reader) (live uint64, end ID) {
	for range r.count(idBytes + 2) {
		key, list := r.text(), r.text()
		if len(key) != idBytes || listpack.Validate(list) != nil {
			r.fail()
			return 0, ID{}
		}
		p := pack{sortedID(key), list}
		n, last, ok := p.walk(end, nil)
		if !ok {
			r.fail()
			return 0, ID{}
		}
		live, end = live+n, last
		l.packs = append(l.packs, p)
	}
	return live, end
}

func (l *Loaded) readGroup(r *reader, t rdb.Type) loadedGroup {
	g := loadedGroup{name: string(r.text()), last: r.id(), read: EntriesUnknown, pending: map[ID]Pending{}}
	if !l.old {
		g.read = int64(r.length())
	}
	for range r.count(idBytes + 9) {
		id := sortedID(r.raw(idBytes))
		_, twice := g.pending[id]
		if g.pending[id] = (Pending{ID: id, DeliveredMS: r.time(), Count: r.length()}); twice {
			r.fail()
		}
	}
	left := len(g.pending)
	names, given := map[string]bool{}, map[ID]bool{}
	for range r.count(10) {
		c := loadedConsumer{name: string(r.text()), seen: r.time()}
		if c.active = c.seen; t == rdb.TypeStream3 || t == rdb.TypeStream4 {
			c.active = r.time()
		}
		for range r.count(idBytes) {
			id := sortedID(r.raw(idBytes))
			if _, known := g.pending[id]; !known || given[id] {
				r.fail()
			}
			given[id] = true
			left--
			c.ids = append(c.ids, id)
		}
		if names[c.name] {
			r.fail()
		}
		names[c.name] = true
		g.consumers = append(g.consumers, c)
	}
	if left != 0 || g.read < EntriesUnknown {
		r.fail()
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
