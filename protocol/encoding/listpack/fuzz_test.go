package listpack_test

import (
	"bytes"
	"slices"
	"testing"

	"larder/protocol/encoding/listpack"
	"larder/protocol/encoding/rdb"
)

// What redis-server 7.0.15 dumped of a list and a sorted set.
var realLists = []string{
	"0\x00\x00\x00\x06\x00\x81a\x02\x01\x01\xf2p\x11\x01\x04\xdf\xfb\x02\xf4\x00\xf2\x05*\x01\x00\x00\x00\t\x90some longer text\x11\xff",
	"\x14\x00\x00\x00\x04\x00\x81a\x02\x01\x01\x81b\x02\x832.5\x04\xff",
}

func TestRealLists(t *testing.T) {
	for i, want := range [][]string{{"a", "1", "70000", "-5", "5000000000", "some longer text"}, {"a", "1", "b", "2.5"}} {
		if err := listpack.Validate([]byte(realLists[i])); err != nil {
			t.Fatal(err)
		}
		if got := textsOf(listpack.List(realLists[i])); !slices.Equal(got, want) || string(listOf(want...)) != realLists[i] {
			t.Errorf("%q: %q", realLists[i], got)
		}
	}
}

// FuzzValidate: what is found right can be read both ways, searched and changed.
func FuzzValidate(f *testing.F) {
	for _, seed := range realLists {
		f.Add([]byte(seed), []byte("b"), 3)
	}
	f.Add([]byte("\x16\x00\x00\x00\x03\x00\xf1\x05\x00\x03\xe0\x02ab\x04\xf0\x00\x00\x00\x00\x05\xff"), []byte("5"), 0)
	f.Fuzz(func(t *testing.T, b, text []byte, index int) {
		if listpack.Validate(b) != nil {
			return
		}
		l := listpack.List(bytes.Clone(b))
		texts := textsOf(l)
		backwards := []string{}
		for at := l.Last(); at != 0; at = l.Prev(at) {
			backwards = append(backwards, string(l.Get(at).Append(nil)))
		}
		slices.Reverse(backwards)
		if !slices.Equal(texts, backwards) || l.Len() != len(texts) {
			t.Fatalf("%q: %q forwards, %q backwards, %d entries", b, texts, backwards, l.Len())
		}
		found := l.Find(l.First(), text, 0)
		if found != l.Seek(slices.Index(texts, string(text))) && slices.Contains(texts, string(text)) || (found != 0) != slices.Contains(texts, string(text)) {
			t.Fatalf("%q: %q is found at %d", b, text, found)
		}
		if at := l.Seek(index); at != 0 {
			l = l.Replace(at, text)
			l = l.Insert(at, text)
			l = l.DeleteRange(index, 1)
		}
		l = l.Append(text)
		l = l.Prepend(text)
		if err := listpack.Validate(l); err != nil {
			t.Fatalf("%q, changed at %d: %q: %v", b, index, l, err)
		}
	})
}

// FuzzPayload reads whole payloads as RESTORE would.
func FuzzPayload(f *testing.F) {
	for _, seed := range realLists {
		f.Add(rdb.AppendString(nil, []byte(seed), nil))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		text, _, err := rdb.String(b, nil)
		if err == nil && listpack.Validate(text) == nil && listpack.List(text).Len() != len(textsOf(text)) {
			t.Fatalf("%q", b)
		}
	})
}
