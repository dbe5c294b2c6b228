package sets_test

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"testing"

	"pgregory.net/rapid"

	"larder/engine/sets"
	"larder/engine/store"
	"larder/internal/snapshots"
)

const now = int64(1_700_000_000_000)

// machine is a key's set and what it should be.
type machine struct {
	s      *store.Store
	db     *store.DB
	edit   sets.Edit
	limits sets.Limits
	model  map[string]bool
	watch  snapshots.Watch
}

var key = []byte("key")

func (m *machine) begin() {
	it, found := m.db.Lookup(key, now)
	m.edit.Begin(m.s, m.db, key, it, found, m.limits, now)
}

func drawMember(t *rapid.T) []byte {
	switch rapid.IntRange(0, 9).Draw(t, "shape") {
	case 0, 1, 2, 3:
		return strconv.AppendInt(nil, rapid.Int64Range(-20, 20).Draw(t, "number"), 10)
	case 4:
		return strconv.AppendInt(nil, rapid.Int64().Draw(t, "number"), 10)
	case 5:
		return bytes.Repeat([]byte("x"), rapid.IntRange(0, 30).Draw(t, "length"))
	case 6:
		return []byte(rapid.SampledFrom([]string{"", "00", "-0", "+1", "9223372036854775807", "9223372036854775808", "\x00", "1e3"}).Draw(t, "odd"))
	}
	return []byte(rapid.StringOfN(rapid.SampledFrom([]rune("abcdef")), 1, 4, -1).Draw(t, "text"))
}

// many adds a run of members, or removes it: pages split and merge.
func (m *machine) many(t *rapid.T) {
	first, n, add := rapid.IntRange(0, 200).Draw(t, "first"), rapid.IntRange(1, 200).Draw(t, "many"), rapid.Bool().Draw(t, "add")
	for i := first; i < first+n; i++ {
		member := fmt.Sprintf("member:%03d", i)
		had := m.model[member]
		if add {
			m.model[member] = true
			if m.edit.Add([]byte(member)) == had {
				t.Fatalf("add %q: had it %v", member, had)
			}
			continue
		}
		delete(m.model, member)
		if m.edit.Remove([]byte(member)) != had {
			t.Fatalf("remove %q: had it %v", member, had)
		}
	}
}

func (m *machine) step(t *rapid.T) {
	m.begin()
	if rapid.IntRange(0, 3).Draw(t, "expect") == 0 {
		m.edit.Expect(drawMember(t), rapid.IntRange(1, 20).Draw(t, "count"))
	}
	for range rapid.IntRange(1, 5).Draw(t, "changes") {
		switch rapid.IntRange(0, 10).Draw(t, "change") {
		case 10:
			m.many(t)
		case 0, 1, 2:
			member := drawMember(t)
			if got := m.edit.Remove(member); got != m.model[string(member)] {
				t.Fatalf("remove %q: %v", member, got)
			}
			delete(m.model, string(member))
		case 3:
			if n := m.edit.Len(); n > 0 {
				rank := rapid.IntRange(0, n-1).Draw(t, "rank")
				delete(m.model, string(m.edit.At(rank)))
				m.edit.RemoveAt(rank)
			}
		default:
			member := drawMember(t)
			if got := m.edit.Add(member); got == m.model[string(member)] {
				t.Fatalf("add %q: %v", member, got)
			}
			m.model[string(member)] = true
		}
		m.check(t, &m.edit.View)
	}
	if rapid.IntRange(0, 40).Draw(t, "clear") == 0 {
		m.edit.Clear()
		clear(m.model)
	}
	was := m.edit.Kind()
	m.edit.End()
	it, found := m.db.Peek(key, now)
	if found != (len(m.model) > 0) {
		t.Fatalf("the key is there: %v, members %d", found, len(m.model))
	}
	if !found {
		return
	}
	if it.Kind() != was {
		t.Fatalf("kind %v, want %v", it.Kind(), was)
	}
	var v sets.View
	v.Open(m.s, it)
	m.check(t, &v)
}

// check compares everything that can be read.
func (m *machine) check(t *rapid.T, v *sets.View) {
	if v.Len() != len(m.model) {
		t.Fatalf("%d members, want %d", v.Len(), len(m.model))
	}
	var all []string
	for member := range v.All {
		if !v.Has(bytes.Clone(member)) {
			t.Fatalf("%q is not found", member)
		}
		text := string(member)
		if rank, found := v.Rank([]byte(text)); !found || rank != len(all) {
			t.Fatalf("%q: rank %d, want %d", text, rank, len(all))
		}
		all = append(all, text)
	}
	for i, want := range all {
		if got := string(v.At(i)); got != want {
			t.Fatalf("at %d: %q, want %q", i, got, want)
		}
	}
	slices.Sort(all)
	if want := slices.Sorted(maps.Keys(m.model)); !slices.Equal(all, want) {
		t.Fatalf("%q, want %q", all, want)
	}
	absent := drawMember(t)
	if _, found := v.Rank(absent); v.Has(absent) != m.model[string(absent)] || found != m.model[string(absent)] {
		t.Fatalf("%q is found", absent)
	}
	if v.Kind() == store.KindSetInt && v.Len() > m.limits.Ints || v.Kind() == store.KindSet && v.Len() > m.limits.Packed {
		t.Fatalf("%v of %d members", v.Kind(), v.Len())
	}
	var scanned []string
	count := int64(rapid.IntRange(1, 10).Draw(t, "count"))
	for cursor, calls := uint64(0), 0; ; calls++ {
		cursor = v.Scan(cursor, count, func(member []byte) { scanned = append(scanned, string(member)) })
		if cursor == 0 {
			break
		}
		if calls > len(all) {
			t.Fatal("a scan without end")
		}
	}
	if slices.Sort(scanned); !slices.Equal(scanned, all) {
		t.Fatalf("scanned %q of %q", scanned, all)
	}
}

// states is what the set has now, for snapshots that begin.
func (m *machine) states() map[string]string {
	states := map[string]string{}
	if len(m.model) > 0 {
		states[string(key)] = fmt.Sprintf("%q", slices.Sorted(maps.Keys(m.model)))
	}
	return states
}

func (m *machine) reader() func(it store.Item) string {
	return func(it store.Item) string {
		var v sets.View
		v.Open(m.s, it)
		var all []string
		for member := range v.All {
			all = append(all, string(member))
		}
		slices.Sort(all)
		return fmt.Sprintf("%q", all)
	}
}

// TestModel: a set is what a map is, in its three forms, whatever happens to it, and snapshots have what was there.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := snapshots.NewStore(t)
		defer s.Close()
		m := &machine{s: s, db: s.DB(0), model: map[string]bool{}}
		m.limits = sets.Limits{Ints: rapid.IntRange(0, 12).Draw(t, "ints"), Packed: rapid.IntRange(0, 12).Draw(t, "packed"), Value: rapid.IntRange(0, 16).Draw(t, "value")}
		m.watch = snapshots.Watch{Store: s, States: m.states, Reader: m.reader}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			m.step(t)
			m.watch.Step(t)
		}
		m.watch.End(t)
	})
}

// TestForms: forms, and what they become, as Redis 7.2 has them.
func TestForms(t *testing.T) {
	s := snapshots.NewStore(t)
	defer s.Close()
	db := s.DB(0)
	long := bytes.Repeat([]byte("x"), 65)
	for _, c := range []struct {
		name string
		fill func(e *sets.Edit)
		want store.Kind
	}{
		{"512 numbers", func(e *sets.Edit) { numbers(e, 512) }, store.KindSetInt},
		{"513 numbers", func(e *sets.Edit) { numbers(e, 513) }, store.KindSetBig},
		{"a text among 127 numbers", func(e *sets.Edit) { numbers(e, 127); e.Add([]byte("x")) }, store.KindSet},
		{"a text among 128 numbers", func(e *sets.Edit) { numbers(e, 128); e.Add([]byte("x")) }, store.KindSetBig},
		{"a long text among numbers", func(e *sets.Edit) { numbers(e, 1); e.Add(long) }, store.KindSetBig},
		{"a text of 64 bytes", func(e *sets.Edit) { e.Expect(long[:64], 1); e.Add(long[:64]) }, store.KindSet},
		{"a text of 65 bytes", func(e *sets.Edit) { e.Expect(long, 1); e.Add(long) }, store.KindSetBig},
		{"a text first, 129 expected", func(e *sets.Edit) { e.Expect([]byte("x"), 129); e.Add([]byte("x")) }, store.KindSetBig},
		{"a number first, 129 expected", func(e *sets.Edit) { e.Expect([]byte("1"), 129); e.Add([]byte("1")) }, store.KindSetInt},
		{"a number first, 513 expected", func(e *sets.Edit) { e.Expect([]byte("1"), 513); e.Add([]byte("1")) }, store.KindSetBig},
	} {
		db.Delete(key, now)
		var e sets.Edit
		e.Begin(s, db, key, store.Item{}, false, sets.DefaultLimits(), now)
		c.fill(&e)
		e.End()
		it, found := db.Peek(key, now)
		if !found || it.Kind() != c.want {
			t.Errorf("%s: %v, want %v", c.name, it.Encoding(), c.want)
		}
		var v sets.View
		v.Open(s, it)
		if c.want == store.KindSetInt && sets.Fitting(&v, sets.DefaultLimits()) != c.want {
			t.Errorf("%s: fitting %v", c.name, sets.Fitting(&v, sets.DefaultLimits()))
		}
	}
}

func numbers(e *sets.Edit, n int) {
	for i := range n {
		e.Add(strconv.AppendInt(nil, int64(i), 10))
	}
}
