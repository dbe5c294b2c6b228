package lanes_test

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"larder/engine/lanes"
	"larder/protocol/resp"
)

func TestMark(t *testing.T) {
	for want, m := range map[string]lanes.Mark{
		"1 a 0":                              {ID: []byte("a")},
		"1 gw-1.0:17_X 18446744073709551615": {ID: []byte("gw-1.0:17_X"), Number: math.MaxUint64},
		"1 a -":                              {ID: []byte("a"), Over: true},
	} {
		text := m.AppendText(nil)
		got, ok := lanes.Parse(text)
		if string(text) != want || !ok || string(got.ID) != string(m.ID) || got.Number != m.Number || got.Over != m.Over {
			t.Errorf("%+v: %q, read as %+v, %v", m, text, got, ok)
		}
		if got, want := m.AppendCommand(nil), resp.AppendCommandStrings(nil, "PUBLISH", lanes.Channel, want); string(got) != string(want) {
			t.Errorf("%+v: %q, want %q", m, got, want)
		}
	}
	for _, text := range []string{
		"", "1", "1 ", "1 a", "1 a ", "1  5", "2 a 5", "1 a 05", "1 a +5", "1 a -5", "1 a 5 ", "1 a 5 6", " 1 a 5", "1 a\x00b 5", "1 ä 5", "1 @ 5", "1 a[ 5", "1 a x",
		"1 a 18446744073709551616", "1 a 1_0", "1 a --", "1 " + strings.Repeat("a", lanes.IDMax+1) + " 5",
	} {
		if m, ok := lanes.Parse([]byte(text)); ok {
			t.Errorf("%q is read as %+v", text, m)
		}
	}
	if !lanes.ValidID([]byte(strings.Repeat("a", lanes.IDMax))) {
		t.Error("the longest name is none")
	}
}

// FuzzParse: what is read as a mark is written as the same text.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"1 a 0", "1 gw:1-2._ 18446744073709551615", "1 a -", "1 a 007", "2 a 1", "1 a b"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		m, ok := lanes.Parse(text)
		if ok && string(m.AppendText(nil)) != string(text) {
			t.Errorf("%q is read as %+v, which is written %q", text, m, m.AppendText(nil))
		}
		var table lanes.Table
		if ok {
			table.Obey(m)
		}
		if ok && !m.Over && table.Get(m.ID).Number != m.Number {
			t.Errorf("%q leaves %+v", text, table.Get(m.ID))
		}
	})
}

// TestTable holds a table against a map; another that is told the same is the same, in the same order.
func TestTable(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var table, other lanes.Table
		want := map[string]uint64{}
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			id := fmt.Sprint("lane", rapid.IntRange(0, 7).Draw(t, "lane"))
			m := lanes.Mark{ID: []byte(id), Number: rapid.Uint64Range(0, 20).Draw(t, "number"), Over: rapid.IntRange(0, 3).Draw(t, "over") == 0}
			l := table.Obey(m)
			other.Obey(m)
			if m.Over {
				delete(want, id)
			} else {
				want[id] = max(want[id], m.Number)
			}
			if m.Over != (l == nil) {
				t.Fatalf("%+v gives %+v", m, l)
			}
			if table.Len() != len(want) || len(table.All()) != len(want) {
				t.Fatalf("%d lanes, want %d", table.Len(), len(want))
			}
			for i, l := range table.All() {
				if n, has := want[l.ID]; !has || n != l.Number || table.Get([]byte(l.ID)) != l || other.All()[i].ID != l.ID || string(l.Mark().ID) != l.ID {
					t.Fatalf("%+v, want %v", l, want)
				}
			}
		}
	})
}

func TestOldest(t *testing.T) {
	var table lanes.Table
	for i, left := range []int64{0, 30, 10, 20} {
		table.Obey(lanes.Mark{ID: []byte{byte('a' + i)}}).LeftMS = left
	}
	for _, want := range []string{"c", "d", "b"} {
		l := table.Oldest()
		if l == nil || l.ID != want {
			t.Fatalf("the oldest is %+v, want %s", l, want)
		}
		table.Obey(lanes.Mark{ID: []byte(l.ID), Over: true})
	}
	if l := table.Oldest(); l != nil {
		t.Errorf("%+v may have a connection", l)
	}
}

// TestEnded: the newest names are kept.
func TestEnded(t *testing.T) {
	var e lanes.Ended
	const kept = 1 << 16
	for i := range kept + 10 {
		e.Add(fmt.Sprint(i))
		e.Add(fmt.Sprint(i))
	}
	for i, want := range map[int]bool{0: false, 9: false, 10: true, kept - 1: true, kept + 9: true, kept + 10: false} {
		if e.Has([]byte(fmt.Sprint(i))) != want {
			t.Errorf("%d: %v", i, !want)
		}
	}
}
