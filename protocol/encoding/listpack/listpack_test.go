package listpack_test

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"strings"
	"testing"

	"larder/protocol/encoding/listpack"
)

// listOf appends texts to an empty list.
func listOf(texts ...string) listpack.List {
	l := listpack.New(nil)
	for _, text := range texts {
		l = l.Append([]byte(text))
	}
	return l
}

// textsOf walks forward.
func textsOf(l listpack.List) []string {
	texts := []string{}
	for at := l.First(); at != 0; at = l.Next(at) {
		texts = append(texts, string(l.Get(at).Append(nil)))
	}
	return texts
}

// TestEncodings has every form with the first and last value of it.
func TestEncodings(t *testing.T) {
	x := func(n int) string { return strings.Repeat("x", n) }
	for _, c := range []struct{ text, entry string }{
		{"0", "\x00\x01"},
		{"127", "\x7f\x01"},
		{"128", "\xc0\x80\x02"},
		{"4095", "\xcf\xff\x02"},
		{"-1", "\xdf\xff\x02"},
		{"-4096", "\xd0\x00\x02"},
		{"4096", "\xf1\x00\x10\x03"},
		{"-4097", "\xf1\xff\xef\x03"},
		{"32767", "\xf1\xff\x7f\x03"},
		{"-32768", "\xf1\x00\x80\x03"},
		{"32768", "\xf2\x00\x80\x00\x04"},
		{"8388607", "\xf2\xff\xff\x7f\x04"},
		{"-8388608", "\xf2\x00\x00\x80\x04"},
		{"8388608", "\xf3\x00\x00\x80\x00\x05"},
		{"2147483647", "\xf3\xff\xff\xff\x7f\x05"},
		{"-2147483648", "\xf3\x00\x00\x00\x80\x05"},
		{"2147483648", "\xf4\x00\x00\x00\x80\x00\x00\x00\x00\x09"},
		{"9223372036854775807", "\xf4\xff\xff\xff\xff\xff\xff\xff\x7f\x09"},
		{"-9223372036854775808", "\xf4\x00\x00\x00\x00\x00\x00\x00\x80\x09"},
		{"9223372036854775808", "\x939223372036854775808\x14"},
		{"", "\x80\x01"},
		{"01", "\x8201\x03"},
		{"-0", "\x82-0\x03"},
		{x(63), "\xbf" + x(63) + "\x40"},
		{x(64), "\xe0\x40" + x(64) + "\x42"},
		{x(125), "\xe0\x7d" + x(125) + "\x7f"},
		{x(126), "\xe0\x7e" + x(126) + "\x01\x80"},
		{x(4095), "\xef\xff" + x(4095) + "\x20\x81"},
		{x(4096), "\xf0\x00\x10\x00\x00" + x(4096) + "\x20\x85"},
		{x(16377), "\xf0\xf9\x3f\x00\x00" + x(16377) + "\x7f\xfe"},
		{x(16378), "\xf0\xfa\x3f\x00\x00" + x(16378) + "\x00\xff\xff"},
	} {
		l := listOf(c.text)
		if got := string(l[6:l.End()]); got != c.entry {
			t.Errorf("%.30q: %.40q, want %.40q", c.text, got, c.entry)
		}
		if err := listpack.Validate(l); err != nil {
			t.Errorf("%.30q: %v", c.text, err)
		}
		if size := listpack.Size([]byte(c.text)); size != len(c.entry) {
			t.Errorf("%.30q: size %d, want %d", c.text, size, len(c.entry))
		}
		e := l.Get(l.First())
		if got := string(e.Append(nil)); got != c.text || e.Len() != len(c.text) || !e.Equal([]byte(c.text)) || e.Equal([]byte(c.text+"0")) {
			t.Errorf("%.30q comes back as %.30q, length %d", c.text, got, e.Len())
		}
		if n, err := strconv.ParseInt(c.text, 10, 64); err == nil && c.text != "01" && c.text != "-0" {
			if asInt := listpack.New(nil).AppendInt(n); !bytes.Equal(l, asInt) || !e.IsInt() || listpack.SizeInt(n) != len(c.entry) {
				t.Errorf("%s as a number: %q", c.text, asInt)
			}
		}
		if last := l.Last(); last != l.First() || l.Prev(last) != 0 || l.Next(last) != 0 {
			t.Errorf("%.30q: walked backwards it stands at %d", c.text, last)
		}
	}
}

func TestEmptyList(t *testing.T) {
	l := listpack.New(make([]byte, 3, 32))
	if string(l) != "\x07\x00\x00\x00\x00\x00\xff" || l.First() != 0 || l.Last() != 0 || l.Len() != 0 || l.Seek(0) != 0 || l.Seek(-1) != 0 {
		t.Errorf("%q", l)
	}
	if l.Find(l.First(), []byte("x"), 0) != 0 || len(l.DeleteRange(0, 3)) != 7 || listpack.Validate(l) != nil {
		t.Error("an empty list has an entry")
	}
}

func TestFits(t *testing.T) {
	l := listpack.New(nil)
	if !l.Fits(listpack.SizeMax-7) || l.Fits(listpack.SizeMax-6) || l.Fits(math.MaxInt) {
		t.Error("wrong limit")
	}
}

// TestCountBeyondHeader: from 65,535 entries on the header knows no count, and does not learn it again by deleting, as in Redis.
func TestCountBeyondHeader(t *testing.T) {
	l := listpack.New(nil)
	for range 65534 {
		l = l.AppendInt(5)
	}
	known := string(l[4:6])
	l = l.AppendInt(6).AppendInt(7)
	if known != "\xfe\xff" || string(l[4:6]) != "\xff\xff" || l.Len() != 65536 {
		t.Fatalf("%x %x %d", known, l[4:6], l.Len())
	}
	for index, want := range map[int]int64{0: 5, 65534: 6, 65535: 7, -1: 7, -2: 6, -65536: 5} {
		if at := l.Seek(index); at == 0 || l.Get(at).Int != want {
			t.Errorf("seek %d: %d", index, at)
		}
	}
	if l.Seek(65536) != 0 || l.Seek(-65537) != 0 {
		t.Error("an entry beyond the end")
	}
	if err := listpack.Validate(l); err != nil {
		t.Error(err)
	}
	l = l.DeleteRange(-65530, 65530)
	if string(l[4:6]) != "\xff\xff" || l.Len() != 6 || listpack.Validate(l) != nil {
		t.Errorf("%x %d", l[4:6], l.Len())
	}
	if l = l.Merge(listOf("a")); string(l[4:6]) != "\x07\x00" {
		t.Errorf("%x after a merge, which counts", l[4:6])
	}
}

// TestLengthBehindIsReadInFull has widths that no small entry needs.
func TestLengthBehindIsReadInFull(t *testing.T) {
	for _, n := range []int{1<<14 - 7, 1<<14 - 6, 1<<21 - 7, 1<<21 - 6, 1 << 22} {
		l := listOf("a", strings.Repeat("b", n), "c")
		if at := l.Prev(l.Last()); l.Get(at).Len() != n || l.Prev(at) != l.First() || listpack.Validate(l) != nil {
			t.Errorf("%d bytes", n)
		}
	}
}

func TestFind(t *testing.T) {
	long := strings.Repeat("v", 70)
	l := listOf("a", "1", "b", "a", "1", "300", long, "-70000", "", "5")
	for _, c := range []struct {
		text        string
		from, skip  int // from is an index
		want, found int
	}{
		{"a", 0, 0, 0, 1},
		{"a", 1, 0, 3, 1},
		{"a", 1, 1, 3, 1},
		{"a", 2, 1, 0, 0},
		{"1", 0, 1, 4, 1},
		{"1", 0, 0, 1, 1},
		{"01", 0, 0, 0, 0},
		{"300", 1, 1, 5, 1},
		{"300", 0, 2, 0, 0},
		{"300", 2, 2, 5, 1},
		{long, 0, 1, 6, 1},
		{long[1:], 0, 0, 0, 0},
		{"-70000", 0, 0, 7, 1},
		{"", 0, 0, 8, 1},
		{"5", 9, 3, 9, 1},
		{"6", 0, 0, 0, 0},
	} {
		want := 0
		if c.found == 1 {
			want = l.Seek(c.want)
		}
		if got := l.Find(l.Seek(c.from), []byte(c.text), c.skip); got != want {
			t.Errorf("%q from %d, skip %d: at %d, want %d", c.text, c.from, c.skip, got, want)
		}
	}
	if l.Find(0, []byte("a"), 0) != 0 {
		t.Error("found from no entry")
	}
}

// TestFindInWiderForms: a peer's payload may hold a number in more bits, or a text in a longer form, than this package writes.
func TestFindInWiderForms(t *testing.T) {
	l := listpack.List("\x16\x00\x00\x00\x03\x00" + "\xf1\x05\x00\x03" + "\xe0\x02ab\x04" + "\xf0\x00\x00\x00\x00\x05" + "\xff")
	if err := listpack.Validate(l); err != nil {
		t.Fatal(err)
	}
	for i, text := range []string{"5", "ab", ""} {
		if at := l.Find(l.First(), []byte(text), 0); at == 0 || at != l.Seek(i) {
			t.Errorf("%q is found at %d", text, at)
		}
	}
}

func TestEditsWithinSpace(t *testing.T) {
	buf := make([]byte, 0, 256)
	l := listpack.New(buf).Append([]byte("field")).AppendInt(1)
	l = l.ReplaceInt(l.Last(), 100).Prepend([]byte("p")).PrependInt(-9)
	l = l.Delete(l.First())
	l = l.Insert(l.Seek(1), []byte("x"))
	l = l.InsertInt(l.End(), 7)
	if got := strings.Join(textsOf(l), ","); got != "p,x,field,100,7" || &l[0] != &buf[:1][0] {
		t.Errorf("%s", got)
	}
}

func TestValidateRefuses(t *testing.T) {
	for name, b := range map[string]string{
		"nothing":                  "",
		"no room for the end":      "\x06\x00\x00\x00\x00\x00",
		"a size too small":         "\x06\x00\x00\x00\x00\x00\xff",
		"a size too great":         "\x08\x00\x00\x00\x00\x00\xff",
		"no end":                   "\x07\x00\x00\x00\x00\x00\x00",
		"bytes behind the end":     "\x08\x00\x00\x00\x00\x00\xff\xff",
		"a count too great":        "\x09\x00\x00\x00\x02\x00\x05\x01\xff",
		"a count too small":        "\x09\x00\x00\x00\x00\x00\x05\x01\xff",
		"an unknown form":          "\x09\x00\x00\x00\x01\x00\xf5\x01\xff",
		"a text beyond the end":    "\x09\x00\x00\x00\x01\x00\x85\x06\xff",
		"a text up to the end":     "\x0a\x00\x00\x00\x01\x00\x82ab\xff",
		"a number beyond the end":  "\x09\x00\x00\x00\x01\x00\xf4\x01\xff",
		"a head beyond the end":    "\x08\x00\x00\x00\x01\x00\xf0\xff",
		"a great text":             "\x0d\x00\x00\x00\x01\x00\xf0\xff\xff\xff\xff\x01\xff",
		"a wrong length behind":    "\x09\x00\x00\x00\x01\x00\x05\x02\xff",
		"a marked length behind":   "\x09\x00\x00\x00\x01\x00\x00\x81\xff",
		"the end as length behind": "\x07\x01\x00\x00\x01\x00\xe0\xfd" + strings.Repeat("x", 253) + "\x01\xff",
	} {
		if err := listpack.Validate([]byte(b)); !errors.Is(err, listpack.ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
