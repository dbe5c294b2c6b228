package streams_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"testing"

	"larder/engine/store"
	"larder/engine/streams"
	"larder/internal/snapshots"
	"larder/protocol/encoding/lzf"
	"larder/protocol/encoding/rdb"

	"pgregory.net/rapid"
)

type entry struct {
	id     streams.ID
	fields [][]byte
}

type pending struct {
	consumer string
	ms       int64
	count    uint64
}

// model is what a stream should be, kept simply.
type model struct {
	db      *store.DB
	buf     []byte
	entries []entry
	groups  map[string]map[streams.ID]pending
	last    streams.ID
	limits  streams.Limits
}

var key = []byte("s")

func (m *model) stream(t *rapid.T) streams.Stream {
	it, ok := m.db.Lookup(key, 1)
	if !ok {
		t.Fatal("no stream")
	}
	return streams.Of(m.db.EditObject(it), &m.buf)
}

func (m *model) Append(t *rapid.T) {
	for range rapid.IntRange(1, 30).Draw(t, "n") {
		id := m.last
		if rapid.Bool().Draw(t, "sameMS") && id.MS > 0 {
			id.Seq += rapid.Uint64Range(1, 3).Draw(t, "seq")
		} else {
			id = streams.ID{MS: id.MS + rapid.Uint64Range(1, 300).Draw(t, "ms"), Seq: rapid.Uint64Range(0, 2).Draw(t, "first")}
		}
		var fields [][]byte
		kind := rapid.IntRange(0, 3).Draw(t, "kind")
		for i := range rapid.IntRange(1, 3).Draw(t, "pairs") {
			fields = append(fields, fmt.Appendf(nil, "f%d-%d", kind, i), rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(t, "value"))
		}
		m.stream(t).Append(id, fields, m.limits)
		m.entries = append(m.entries, entry{id, fields})
		m.last = id
	}
}

func (m *model) anyID(t *rapid.T) streams.ID {
	if len(m.entries) > 0 && rapid.Bool().Draw(t, "known") {
		return rapid.SampledFrom(m.entries).Draw(t, "entry").id
	}
	return streams.ID{MS: rapid.Uint64Range(0, m.last.MS+2).Draw(t, "ms"), Seq: rapid.Uint64Range(0, 2).Draw(t, "seq")}
}

func (m *model) Delete(t *rapid.T) {
	for range rapid.IntRange(1, 20).Draw(t, "n") {
		id := m.anyID(t)
		i := slices.IndexFunc(m.entries, func(e entry) bool { return e.id == id })
		if got := m.stream(t).Delete(id); got != (i >= 0) {
			t.Fatalf("delete %v: %v", id, got)
		}
		if i >= 0 {
			m.entries = slices.Delete(m.entries, i, i+1)
		}
	}
}

func (m *model) Trim(t *rapid.T) {
	o := streams.Trim{ByID: rapid.Bool().Draw(t, "byID"), Approx: rapid.Bool().Draw(t, "approx")}
	o.Len = int64(rapid.IntRange(0, len(m.entries)+5).Draw(t, "len"))
	o.MinID = m.anyID(t)
	want := max(0, len(m.entries)-int(o.Len))
	if o.ByID {
		want = 0
		for want < len(m.entries) && m.entries[want].id.Less(o.MinID) {
			want++
		}
	}
	n := int(m.stream(t).Trim(o))
	if n > want || !o.Approx && n != want {
		t.Fatalf("trim %+v took %d of %d", o, n, want)
	}
	m.entries = m.entries[n:]
}

func (m *model) Group(t *rapid.T) {
	name := rapid.SampledFrom([]string{"g", "h"}).Draw(t, "group")
	s := m.stream(t)
	if m.groups[name] == nil {
		m.groups[name] = map[streams.ID]pending{}
		s.CreateGroup([]byte(name), m.anyID(t), 0)
	} else if rapid.IntRange(0, 9).Draw(t, "destroy") == 0 {
		delete(m.groups, name)
		if !s.DestroyGroup([]byte(name)) {
			t.Fatal("no group")
		}
	}
}

// groupNames gives the groups in an order that is the same whenever a run is tried again.
func (m *model) groupNames() []string { return slices.Sorted(maps.Keys(m.groups)) }

func (m *model) Pend(t *rapid.T) {
	for _, name := range m.groupNames() {
		s, want := m.stream(t), m.groups[name]
		g := s.Group([]byte(name))
		who := rapid.SampledFrom([]string{"c", "d", "e"}).Draw(t, "consumer")
		c := g.Consumer([]byte(who))
		if c == nil {
			c = s.CreateConsumer(g, []byte(who), 5)
		}
		for range rapid.IntRange(1, 10).Draw(t, "n") {
			p := streams.Pending{ID: m.anyID(t), Consumer: c, DeliveredMS: rapid.Int64Range(0, 1<<40).Draw(t, "at"), Count: rapid.Uint64Range(0, 300).Draw(t, "count")}
			s.SetPending(g, p)
			want[p.ID] = pending{who, p.DeliveredMS, p.Count}
		}
	}
}

func (m *model) Ack(t *rapid.T) {
	for _, name := range m.groupNames() {
		s, want := m.stream(t), m.groups[name]
		id := m.anyID(t)
		_, had := want[id]
		if got := s.Ack(s.Group([]byte(name)), id); got != had {
			t.Fatalf("ack %v: %v", id, got)
		}
		delete(want, id)
	}
}

func (m *model) DeleteConsumer(t *rapid.T) {
	for _, name := range m.groupNames() {
		s, want := m.stream(t), m.groups[name]
		g := s.Group([]byte(name))
		c := g.Consumer([]byte("d"))
		if c == nil {
			continue
		}
		s.DeleteConsumer(g, c)
		for id, p := range want {
			if p.consumer == "d" {
				delete(want, id)
			}
		}
	}
}

// Reload writes the stream out and reads it back.
func (m *model) Reload(t *rapid.T) {
	value := dumped(m.stream(t), new(lzf.Compressor))
	l, ok := streams.Load(rdb.TypeStream2, value)
	if !ok {
		t.Fatalf("refused: %q", value)
	}
	s := streams.New(m.db, key, store.NoExpiry, 1, &m.buf)
	l.Fill(s)
	if again := dumped(s, new(lzf.Compressor)); !bytes.Equal(value, again) {
		t.Fatalf("%q\n%q", value, again)
	}
}

func (m *model) Check(t *rapid.T) {
	s := m.stream(t)
	if s.Len() != len(m.entries) || s.LastID() != m.last {
		t.Fatalf("%d entries up to %v, want %d up to %v", s.Len(), s.LastID(), len(m.entries), m.last)
	}
	from, to := m.anyID(t), m.anyID(t)
	for _, reverse := range []bool{false, true} {
		m.checkRange(t, s, streams.ID{}, streams.MaxID, reverse)
		m.checkRange(t, s, from, to, reverse)
	}
	for name, want := range m.groups {
		checkPending(t, s, s.Group([]byte(name)), want)
	}
}

func (m *model) checkRange(t *rapid.T, s streams.Stream, from, to streams.ID, reverse bool) {
	var want []entry
	for _, e := range m.entries {
		if !e.id.Less(from) && !to.Less(e.id) {
			want = append(want, e)
		}
	}
	if reverse {
		slices.Reverse(want)
	}
	r := s.Range(from, to, reverse, 0)
	if r.Len() != len(want) {
		t.Fatalf("%v to %v: %d entries, want %d", from, to, r.Len(), len(want))
	}
	for _, w := range want {
		e, ok := r.Next()
		if !ok || e.ID != w.id || e.Len() != len(w.fields)/2 {
			t.Fatalf("%v, want %v", e.ID, w.id)
		}
		for i := 0; e.Len() > 0; i += 2 {
			if name, value := e.Next(); !bytes.Equal(name, w.fields[i]) || !bytes.Equal(value, w.fields[i+1]) {
				t.Fatalf("%v: %q %q", w.id, name, value)
			}
		}
	}
}

func checkPending(t *rapid.T, s streams.Stream, g *streams.Group, want map[streams.ID]pending) {
	if g.Pending() != len(want) {
		t.Fatalf("%d pending, want %d", g.Pending(), len(want))
	}
	n := 0
	for _, c := range append([]*streams.Consumer{nil}, g.Consumers()...) {
		w, of := s.WalkPending(g, c, streams.ID{}), 0
		for p, ok := w.Next(); ok; p, ok = w.Next() {
			if want[p.ID] != (pending{p.Consumer.Name, p.DeliveredMS, p.Count}) || c != nil && c != p.Consumer {
				t.Fatalf("%v: %+v", p.ID, p)
			}
			n++
			of++
		}
		if c != nil && of != c.Pending() {
			t.Fatalf("%s: %d, says %d", c.Name, of, c.Pending())
		}
	}
	if n != 2*len(want) {
		t.Fatalf("%d pending of consumers", n-len(want))
	}
}

// states is what the stream has now, as DUMP writes it, for snapshots that begin.
func (m *model) states() map[string]string {
	it, _ := m.db.Peek(key, 1)
	return map[string]string{string(key): textOf(it)}
}

func textOf(it store.Item) string {
	var buf []byte
	return string(dumped(streams.Of(it.Object(), &buf), nil))
}

// TestModel: a stream has the entries and its groups have the pending ones that it should, whatever happens to both, and snapshots have what was there.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := snapshots.NewStore(t)
		defer s.Close()
		m := &model{db: s.DB(0), groups: map[string]map[streams.ID]pending{}, limits: streams.Limits{NodeMaxBytes: 500, NodeMaxEntries: rapid.IntRange(1, 12).Draw(t, "block")}}
		streams.New(m.db, key, store.NoExpiry, 1, &m.buf)
		watch := snapshots.Watch{Store: s, States: m.states, Reader: func() func(it store.Item) string { return textOf }}
		t.Repeat(map[string]func(*rapid.T){
			"": m.Check, "append": m.Append, "delete": m.Delete, "trim": m.Trim, "group": m.Group, "pend": m.Pend, "ack": m.Ack,
			"deleteConsumer": m.DeleteConsumer, "reload": m.Reload,
			"snapshot": watch.Step, "snapshot more": watch.Step, "snapshot still": watch.Step,
		})
		watch.End(t)
	})
}

func FuzzParseID(f *testing.F) {
	for _, text := range []string{"1-1", "5", "5-*", "-", "+", "", "1-", "-1", "18446744073709551615-18446744073709551616", " 1-+1", "1-1\x00x"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		id, ok := streams.ParseID(text, 7)
		if !ok {
			return
		}
		if again, ok := streams.ParseID(id.Append(nil), 0); !ok || again != id {
			t.Fatalf("%q: %v, then %v", text, id, again)
		}
		if plain, auto, ok := streams.ParseNewID(text); !ok || auto || plain.MS != id.MS {
			t.Fatalf("%q: %v, new %v", text, id, plain)
		}
	})
}

func FuzzLoad(f *testing.F) {
	own := snapshots.NewStore(f)
	f.Cleanup(func() { own.Close() })
	db := own.DB(0)
	var buf []byte
	s := streams.New(db, key, store.NoExpiry, 1, &buf)
	f.Add(dumped(s, nil), byte(19))
	for i := range 20 {
		s.Append(streams.ID{MS: uint64(i + 1)}, [][]byte{[]byte("f"), fmt.Append(nil, i)}, streams.DefaultLimits())
	}
	g := s.CreateGroup([]byte("g"), streams.ID{MS: 5}, 5)
	s.SetPending(g, streams.Pending{ID: streams.ID{MS: 3}, Consumer: s.CreateConsumer(g, []byte("c"), 9), DeliveredMS: 4, Count: 1})
	f.Add(dumped(s, nil), byte(19))
	f.Fuzz(func(t *testing.T, value []byte, kind byte) {
		switch rdb.Type(kind) {
		case rdb.TypeStream, rdb.TypeStream2, rdb.TypeStream3:
		default:
			return
		}
		l, ok := streams.Load(rdb.Type(kind), value)
		if !ok {
			return
		}
		s := streams.New(db, key, store.NoExpiry, 1, &buf)
		l.Fill(s)
		if _, ok := streams.Load(rdb.TypeStream2, dumped(s, nil)); !ok {
			t.Fatalf("what was read from %q is refused when written", value)
		}
	})
}

// dumped is the value, without its type byte.
func dumped(s streams.Stream, c *lzf.Compressor) []byte {
	p := rdb.Pen{Compressor: c}
	s.Write(&p)
	return p.Out[1:]
}
