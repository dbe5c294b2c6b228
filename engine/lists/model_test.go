package lists_test

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"testing"

	"larder/engine/lists"
	"larder/engine/store"
	"larder/internal/snapshots"
	"larder/protocol/encoding/lzf"
	"larder/protocol/encoding/rdb"

	"pgregory.net/rapid"
)

const now = 1_700_000_000_000

// contents are a key's elements.
func contents(t interface{ Fatalf(string, ...any) }, db *store.DB, key []byte) [][]byte {
	it, found := db.Peek(key, now)
	if !found {
		return nil
	}
	return elements(t, it)
}

// elements are those of an item, by walks from the front and from the end, which must agree.
func elements(t interface{ Fatalf(string, ...any) }, it store.Item) [][]byte {
	l := lists.Open(it)
	var out, back [][]byte
	for w := l.From(0, false); ; {
		e, ok := w.Next()
		if !ok {
			break
		}
		out = append(out, e.Append(nil))
	}
	for w := l.From(l.Len()-1, true); ; {
		e, ok := w.Next()
		if !ok {
			break
		}
		back = append(back, e.Append(nil))
	}
	slices.Reverse(back)
	if len(out) != l.Len() || !slices.EqualFunc(out, back, bytes.Equal) {
		t.Fatalf("Len %d, %d forwards, %d backwards", l.Len(), len(out), len(back))
	}
	return out
}

func drawText(t *rapid.T) []byte {
	switch rapid.IntRange(0, 5).Draw(t, "kind") {
	case 0:
		return strconv.AppendInt(nil, rapid.Int64().Draw(t, "number"), 10)
	case 1:
		return bytes.Repeat([]byte("x"), rapid.IntRange(0, 3000).Draw(t, "length"))
	case 2:
		return bytes.Repeat([]byte("y"), 40000)
	}
	return []byte(rapid.SampledFrom([]string{"", "a", "b", "c", "1", "01"}).Draw(t, "word"))
}

// TestModel compares lists with slices under limits that have them change their form all the time, and what snapshots have with what was there.
func TestModel(t *testing.T) {
	key := []byte("list")
	var e lists.Edit
	rapid.Check(t, func(t *rapid.T) {
		s := snapshots.NewStore(t)
		defer s.Close()
		db := s.DB(0)
		limits := lists.Limits{Size: rapid.SampledFrom([]int{-5, -2, -1, 0, 1, 3, 100}).Draw(t, "limit")}
		var model [][]byte
		watch := snapshots.Watch{Store: s, States: func() map[string]string {
			states := map[string]string{}
			if len(model) > 0 {
				states[string(key)] = fmt.Sprintf("%q", model)
			}
			return states
		}, Reader: func() func(it store.Item) string {
			return func(it store.Item) string {
				if !bytes.Equal(it.Key(), key) {
					return ""
				}
				return fmt.Sprintf("%q", elements(t, it))
			}
		}}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			it, found := db.Lookup(key, now)
			e.Begin(db, key, it, found, limits, now)
			model = change(t, &e, model)
			if gone := e.End(rapid.Bool().Draw(t, "shrink")); gone != (len(model) == 0) {
				t.Fatalf("gone %v, of %d elements", gone, len(model))
			}
			if got := contents(t, db, key); !slices.EqualFunc(got, model, bytes.Equal) {
				t.Fatalf("got %.200q, want %.200q", got, model)
			}
			checkDump(t, db, key, model, limits)
			watch.Step(t)
		}
		watch.End(t)
	})
}

func change(t *rapid.T, e *lists.Edit, model [][]byte) [][]byte {
	n := len(model)
	op := rapid.IntRange(0, 7).Draw(t, "op")
	if n == 0 && op < 7 {
		op = 0
	}
	switch op {
	case 7: // many at once: pages split
		i := rapid.IntRange(0, n).Draw(t, "place")
		for k := range rapid.IntRange(1, 300).Draw(t, "many") {
			text := fmt.Appendf(nil, "element of many:%d", k)
			e.Room(text)
			e.Insert(i, text)
			model = slices.Insert(model, i, text)
		}
		return model
	case 0, 1, 2:
		text, i := drawText(t), rapid.IntRange(0, n).Draw(t, "place")
		e.Room(text)
		e.Insert(i, text)
		return slices.Insert(model, i, text)
	case 3:
		text, i := drawText(t), rapid.IntRange(0, n-1).Draw(t, "place")
		e.Room(text)
		e.Replace(i, text)
		model[i] = text
		return model
	case 4, 5:
		i := rapid.IntRange(0, n-1).Draw(t, "place")
		k := rapid.IntRange(0, n-i).Draw(t, "count")
		e.Delete(i, k)
		return slices.Delete(model, i, i+k)
	}
	text, back := model[rapid.IntRange(0, n-1).Draw(t, "which")], rapid.Bool().Draw(t, "back")
	most := rapid.IntRange(1, 4).Draw(t, "most")
	want := remove(&model, text, most, back)
	if got := e.Remove(text, most, back); got != want {
		t.Fatalf("removed %d, want %d", got, want)
	}
	return model
}

func remove(model *[][]byte, text []byte, most int, back bool) (n int) {
	m := *model
	if back {
		slices.Reverse(m)
	}
	m = slices.DeleteFunc(m, func(x []byte) bool {
		if n < most && bytes.Equal(x, text) {
			n++
			return true
		}
		return false
	})
	if back {
		slices.Reverse(m)
	}
	*model = m
	return n
}

// checkDump writes the list and reads it again, under the same limits and others.
func checkDump(t *rapid.T, db *store.DB, key []byte, model [][]byte, limits lists.Limits) {
	it, found := db.Peek(key, now)
	if !found {
		return
	}
	dump := dumped(it, limits, new(lzf.Compressor))
	for _, l := range []lists.Limits{limits, {Size: 2}, {Size: -5}} {
		if !lists.Load(db, []byte("copy"), rdb.Type(dump[0]), dump[1:], l, store.NoExpiry, now) {
			t.Fatalf("not loaded: %.200q", dump)
		}
		if got := contents(t, db, []byte("copy")); !slices.EqualFunc(got, model, bytes.Equal) {
			t.Fatalf("loaded %.200q, want %.200q", got, model)
		}
	}
}

// TestForms: a list grows at 8 KiB and shrinks at half of that.
func TestForms(t *testing.T) {
	s := snapshots.NewStore(t)
	defer s.Close()
	db := s.DB(0)
	key, text := []byte("k"), bytes.Repeat([]byte("x"), 100)
	var e lists.Edit
	step := func(f func()) store.Kind {
		it, found := db.Lookup(key, now)
		e.Begin(db, key, it, found, lists.DefaultLimits(), now)
		f()
		e.End(true)
		it, _ = db.Peek(key, now)
		return it.Kind()
	}
	n := 0
	for step(func() { e.Room(text); e.Push(text, false) }) == store.KindList {
		n++
	}
	if n != 79 { // 7 + 79*103 + 100 > 8192
		t.Errorf("grew behind %d elements", n)
	}
	n++
	for step(func() { e.Delete(0, 1) }) == store.KindListBig {
		n--
	}
	if n--; n != 39 { // 7 + 39*103 <= 4096
		t.Errorf("shrank at %d elements", n)
	}
}

// FuzzLoad reads strangers' bytes: nothing panics, what is refused changes nothing, and what is taken can be written again.
func FuzzLoad(f *testing.F) {
	for _, t := range []rdb.Type{rdb.TypeList, rdb.TypeListZiplist, rdb.TypeListQuicklist, rdb.TypeListQuicklist2} {
		f.Add(byte(t), []byte("\x01\x02\x0a\x0a\x00\x00\x00\x01\x00\x81a\x02\xff"))
		f.Add(byte(t), []byte("\x02\x01a\x01b"))
		f.Add(byte(t), []byte("\x0d\x0d\x00\x00\x00\x0a\x00\x00\x00\x01\x00\x00\xf2\xff"))
	}
	f.Fuzz(func(t *testing.T, kind byte, value []byte) {
		switch rdb.Type(kind) {
		case rdb.TypeList, rdb.TypeListZiplist, rdb.TypeListQuicklist, rdb.TypeListQuicklist2:
		default:
			return
		}
		s := snapshots.NewStore(t)
		defer s.Close()
		db := s.DB(0)
		key := []byte("k")
		if !lists.Load(db, key, rdb.Type(kind), value, lists.Limits{Size: 3}, store.NoExpiry, now) {
			if db.Len() != 0 {
				t.Fatal("refused, and a key is there")
			}
			return
		}
		all := contents(t, db, key)
		it, _ := db.Peek(key, now)
		dump := dumped(it, lists.DefaultLimits(), nil)
		if len(all) == 0 || !lists.Load(db, key, rdb.Type(dump[0]), dump[1:], lists.DefaultLimits(), store.NoExpiry, now) {
			t.Fatalf("%q is not read again", dump)
		}
		if !slices.EqualFunc(all, contents(t, db, key), bytes.Equal) {
			t.Fatal("changed on its way")
		}
	})
}

func dumped(it store.Item, limits lists.Limits, c *lzf.Compressor) []byte {
	p := rdb.Pen{Compressor: c}
	l := lists.Open(it)
	l.Write(&p, limits)
	return p.Out
}
