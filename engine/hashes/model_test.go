package hashes_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"larder/engine/hashes"
	"larder/engine/store"
	"larder/internal/snapshots"
	"larder/protocol/encoding/lzf"
	"larder/protocol/encoding/rdb"

	"pgregory.net/rapid"
)

type value struct {
	text string
	at   int64 // 0: no expiry
}

// machine has a hash and the naive form of it.
type machine struct {
	s      *store.Store
	db     *store.DB
	edit   hashes.Edit
	limits hashes.Limits
	model  map[string]value
	now    int64
	dice   *rand.Rand
	watch  snapshots.Watch
}

var key = []byte("key")

func (m *machine) begin() {
	it, found := m.db.Peek(key, m.now)
	m.edit.Begin(m.s, m.db, key, it, found, m.limits, m.now)
}

func (m *machine) alive(name string) (value, bool) {
	v, ok := m.model[name]
	if ok && v.at != 0 && v.at <= m.now {
		delete(m.model, name)
		return value{}, false
	}
	return v, ok
}

func (m *machine) step(t *rapid.T) {
	name := rapid.SampledFrom([]string{"", "a", "b", "1", "-77", "100000", "f7", "f8", "f9", "a longer name"}).Draw(t, "name")
	old, had := m.alive(name)
	m.begin()
	switch rapid.IntRange(0, 7).Draw(t, "op") {
	case 7:
		m.many(t)
	case 0, 1, 2:
		text := rapid.SampledFrom([]string{"", "1", "99999", "x", "some text", string(bytes.Repeat([]byte("v"), 70)), string(bytes.Repeat([]byte("w"), 9000))}).Draw(t, "value")
		at := rapid.SampledFrom([]int64{store.NoExpiry, store.NoExpiry, store.KeepExpiry, m.now + 10, m.now + 1000}).Draw(t, "expiry")
		if created := m.edit.Set([]byte(name), []byte(text), at); created == had {
			t.Fatalf("set %q: created %v", name, created)
		}
		if at == store.KeepExpiry {
			at = old.at
		}
		m.model[name] = value{text, at}
	case 3:
		if m.edit.Delete([]byte(name)) != had {
			t.Fatalf("delete %q: had it %v", name, had)
		}
		delete(m.model, name)
	case 4:
		at := rapid.SampledFrom([]int64{store.NoExpiry, m.now + 5, m.now + 500}).Draw(t, "expiry")
		if m.edit.Expire([]byte(name), at) != had {
			t.Fatalf("expire %q: had it %v", name, had)
		}
		if had {
			m.model[name] = value{old.text, at}
		}
	case 5:
		m.edit.Sweep(rapid.IntRange(0, 3).Draw(t, "most"), func([]byte) {})
	default:
		m.now += int64(rapid.IntRange(0, 20).Draw(t, "passes"))
	}
	m.edit.End()
	m.check(t)
}

// many sets a run of fields, or deletes it: pages split and merge.
func (m *machine) many(t *rapid.T) {
	first, n := rapid.IntRange(0, 200).Draw(t, "first"), rapid.IntRange(1, 200).Draw(t, "many")
	gone, at := rapid.Bool().Draw(t, "delete"), rapid.SampledFrom([]int64{store.NoExpiry, m.now + 15}).Draw(t, "expiry")
	for i := first; i < first+n; i++ {
		name := fmt.Sprintf("field:%03d", i)
		_, had := m.alive(name)
		if gone {
			if m.edit.Delete([]byte(name)) != had {
				t.Fatalf("delete %q: had it %v", name, had)
			}
			delete(m.model, name)
			continue
		}
		if created := m.edit.Set([]byte(name), []byte("of many"), at); created == had {
			t.Fatalf("set %q: created %v", name, created)
		}
		m.model[name] = value{"of many", at}
	}
}

// states is what the hash has now, for snapshots that begin.
func (m *machine) states() map[string]string {
	states := map[string]string{}
	if len(m.model) > 0 {
		states[string(key)] = fmt.Sprint(m.model)
	}
	return states
}

// reader reads a hash as it is now; one whose fields are all dead has nothing.
func (m *machine) reader() func(it store.Item) string {
	now := m.now
	return func(it store.Item) string {
		h := hashes.Open(m.s, it, now)
		all := map[string]value{}
		for w := h.Walk(); w.Next(); {
			name := w.Field.Append(nil)
			_, at, _ := h.Find(name)
			all[string(name)] = value{string(w.Value.Append(nil)), at}
		}
		if len(all) == 0 {
			return ""
		}
		return fmt.Sprint(all)
	}
}

// check compares all that a hash can be asked.
func (m *machine) check(t *rapid.T) {
	for name := range m.model {
		m.alive(name)
	}
	var h hashes.Hash
	if it, found := m.db.Peek(key, m.now); found {
		h = hashes.Open(m.s, it, m.now)
	} else if len(m.model) > 0 {
		t.Fatalf("the key is gone, %d fields are not", len(m.model))
	}
	if h.Len() != len(m.model) {
		t.Fatalf("len %d, want %d", h.Len(), len(m.model))
	}
	seen := map[string]bool{}
	for w := h.Walk(); w.Next(); {
		name := string(w.Field.Append(nil))
		v, ok := m.model[name]
		if got, at, found := h.Find([]byte(name)); !ok || seen[name] || !found || string(got.Append(nil)) != v.text || string(w.Value.Append(nil)) != v.text || at != v.at {
			t.Fatalf("%q: %q at %d, want %q at %d", name, got.Append(nil), at, v.text, v.at)
		}
		seen[name] = true
	}
	if len(seen) != len(m.model) {
		t.Fatalf("walked over %d of %d", len(seen), len(m.model))
	}
	m.checkScan(t, &h)
	if len(seen) > 0 {
		m.checkChance(t, &h)
		m.checkDump(t, &h)
	}
}

func (m *machine) checkScan(t *rapid.T, h *hashes.Hash) {
	seen := map[string]bool{}
	cursor := uint64(0)
	for {
		cursor = h.Scan(cursor, 2, func(field, _ hashes.Text) {
			name := string(field.Append(nil))
			if seen[name] {
				t.Fatalf("scan shows %q twice", name)
			}
			seen[name] = true
		})
		if cursor == 0 {
			break
		}
	}
	if len(seen) != len(m.model) {
		t.Fatalf("scan shows %d of %d", len(seen), len(m.model))
	}
}

func (m *machine) checkChance(t *rapid.T, h *hashes.Hash) {
	field, _ := h.Random(m.dice)
	if _, ok := m.model[string(field.Append(nil))]; !ok {
		t.Fatalf("drew %q", field.Append(nil))
	}
	for count := 1; count <= len(m.model); count += 1 + len(m.model)/20 {
		drawn := map[string]bool{}
		h.Sample(m.dice, count, func(field, _ hashes.Text) bool {
			drawn[string(field.Append(nil))] = true
			return true
		})
		if len(drawn) != count {
			t.Fatalf("drew %d different ones of %d, want %d", len(drawn), len(m.model), count)
		}
	}
}

func (m *machine) checkDump(t *rapid.T, h *hashes.Hash) {
	b := dump(h, new(lzf.Compressor))
	pairs, ok := hashes.Parse(rdb.Type(b[0]), b[1:])
	if !ok || len(pairs) != len(m.model) {
		t.Fatalf("dump of %d fields is read as %d, %v", len(m.model), len(pairs), ok)
	}
	for _, p := range pairs {
		if v := m.model[string(p.Field)]; v.text != string(p.Value) || v.at != p.ExpiryMS {
			t.Fatalf("dump of %q: %q at %d, want %q at %d", p.Field, p.Value, p.ExpiryMS, v.text, v.at)
		}
	}
}

// TestModel: a hash is what a map is, in both forms, whatever happens to it, and snapshots have what was there.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := newStore(t, nil)
		defer s.Close()
		m := &machine{s: s, db: s.DB(0), now: 1_700_000_000_000, model: map[string]value{}, dice: rand.New(rand.NewPCG(1, 1))}
		m.limits = rapid.SampledFrom([]hashes.Limits{{Entries: 3, Value: 64}, {Entries: 512, Value: 64}, {}, {Entries: 100, Value: 1 << 20}}).Draw(t, "limits")
		m.watch = snapshots.Watch{Store: s, States: m.states, Reader: m.reader}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			m.step(t)
			m.watch.Step(t)
		}
		m.watch.End(t)
	})
}

type fataler interface{ Fatal(...any) }

func newStore(t fataler, due func(int, []byte)) *store.Store {
	return snapshots.NewStore(t, func(o *store.Options) { o.Databases, o.Due = 2, due })
}

// TestDue: each hash with dead fields is told of, however its fields got their times, and whatever became of its key; one that was told of is told of again
// for its next field.
func TestDue(t *testing.T) {
	told := map[string]int{}
	s := newStore(t, func(db int, key []byte) { told[fmt.Sprintf("%d %s", db, key)]++ })
	defer s.Close()
	now := int64(1_700_000_000_000)
	var e hashes.Edit
	const many = 6000
	for i := range many {
		name := fmt.Appendf(nil, "key%d", i)
		e.Begin(s, s.DB(0), name, store.Item{}, false, hashes.DefaultLimits(), now)
		for f := range 3 {
			e.Set([]byte{byte(f)}, []byte("v"), now+int64(100000*(f+1)))
		}
		e.Expire([]byte{0}, now+50000)
		e.End()
	}
	s.DB(0).Transfer([]byte("key0"), s.DB(0), []byte("copy"), true, now)
	s.DB(0).Transfer([]byte("key1"), s.DB(1), []byte("moved"), false, now)
	s.DB(0).Delete([]byte("key2"), now)
	for s.Work(1 << 20) {
	}
	fire := func(want int) {
		t.Helper()
		clear(told)
		for more := true; more; {
			_, more = s.Expire(now, 100)
		}
		if len(told) != want {
			t.Fatalf("%d hashes are told of, want %d", len(told), want)
		}
		for who := range told {
			var db int
			var name string
			fmt.Sscanf(who, "%d %s", &db, &name)
			it, found := s.DB(db).Peek([]byte(name), now)
			if !found {
				t.Fatalf("%s is not there", who)
			}
			e.Begin(s, s.DB(db), []byte(name), it, true, hashes.DefaultLimits(), now)
			e.Sweep(10, func([]byte) {})
			e.End()
		}
	}
	now += 49900
	fire(0)
	now += 200
	fire(many)
	now += 150100
	fire(many)
	now += 100000
	fire(many)
	if n := s.DB(0).Len() + s.DB(1).Len(); n != 0 {
		t.Errorf("%d hashes are left without a living field", n)
	}
	now += 1 << 30
	fire(0)
}

// FuzzParse: no bytes make Parse panic, and what it takes can be dumped and read again.
func FuzzParse(f *testing.F) {
	f.Add([]byte("\x10\r\r\x00\x00\x00\x02\x00\x81a\x02\x81b\x02\xff"))
	f.Add([]byte("\x16\x02\x01a\xc0\x01\x07\xd8\xc3,\xbb\x03\x00\x00\x01b\xc0\x02\xff\xff\xff\xff\xff\xff\xff\xff"))
	f.Add([]byte("\x04\x01\x01f\xc3\t@A\x01vv\xe04\x00\x01vv"))
	f.Add([]byte("\x0d\x0f\x0f\x00\x00\x00\x0c\x00\x00\x00\x02\x00\x00\xf2\x02\xf3\xff"))
	f.Add([]byte("\x09\x06\x01\x01a\x01\x00b\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) == 0 {
			return
		}
		pairs, ok := hashes.Parse(rdb.Type(b[0]), b[1:])
		if !ok {
			return
		}
		s := newStore(t, nil)
		defer s.Close()
		var e hashes.Edit
		e.Begin(s, s.DB(0), key, store.Item{}, false, hashes.DefaultLimits(), 1)
		for _, p := range pairs {
			e.Set(p.Field, p.Value, p.ExpiryMS)
		}
		e.End()
		it, found := s.DB(0).Peek(key, 0)
		if !found {
			t.Fatal("nothing came of it")
		}
		h := hashes.Open(s, it, 0)
		again := dump(&h, nil)
		second, ok := hashes.Parse(rdb.Type(again[0]), again[1:])
		byName := func(a, b hashes.Pair) int { return bytes.Compare(a.Field, b.Field) }
		slices.SortFunc(pairs, byName)
		slices.SortFunc(second, byName)
		if !ok || len(pairs) != len(second) || fmt.Sprint(pairs) != fmt.Sprint(second) {
			t.Fatalf("%v became %v", pairs, second)
		}
	})
}

func dump(h *hashes.Hash, c *lzf.Compressor) []byte {
	p := rdb.Pen{Compressor: c}
	h.Write(&p)
	return p.Out
}
