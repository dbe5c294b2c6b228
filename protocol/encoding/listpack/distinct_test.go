package listpack_test

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"larder/protocol/encoding/listpack"
)

// TestDistinct compares with a map of the names.
func TestDistinct(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		each := rapid.IntRange(1, 3).Draw(t, "each")
		texts := rapid.SliceOfN(rapid.OneOf(rapid.StringMatching(`[a-c]{0,12}`), rapid.StringMatching(`-?[0-9]{1,3}`)), 0, 40).Draw(t, "texts")
		l := listpack.New(nil)
		names, longest, distinct := map[string]bool{}, 0, true
		for i, text := range texts {
			l = l.Append([]byte(text))
			longest = max(longest, len(text))
			if i%each == 0 {
				distinct = distinct && !names[text]
				names[text] = true
			}
		}
		got, ok := l.Distinct(each)
		if ok != distinct || ok && got != longest || !l.Plain() {
			t.Fatalf("%q: longest %d, distinct %v, plain %v; want %d, %v", texts, got, ok, l.Plain(), longest, distinct)
		}
	})
}

// TestDistinctKnowsItsLimits: too many names, and a number that is kept as a text, where Find would not find it.
func TestDistinctKnowsItsLimits(t *testing.T) {
	l := listpack.New(nil)
	for i := range listpack.DistinctMax + 1 {
		if _, ok := l.Distinct(1); !ok {
			t.Fatalf("%d names", i)
		}
		l = l.Append(fmt.Appendf(nil, "name:%d", i))
	}
	if _, ok := l.Distinct(1); ok {
		t.Errorf("%d names are told apart", l.Len())
	}
	odd := listpack.List("\x0c\x00\x00\x00\x01\x00\x8212\x03\xff")
	odd[0] = byte(len(odd))
	if err := listpack.Validate(odd); err != nil {
		t.Fatal(err)
	}
	if _, ok := odd.Distinct(1); ok || odd.Plain() {
		t.Error("a number as a text is plain")
	}
}
