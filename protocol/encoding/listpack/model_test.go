package listpack_test

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"larder/protocol/encoding/listpack"
)

// anyText draws texts of all forms: numbers, short ones, and lengths about the limits of forms and of lengths behind.
func anyText() *rapid.Generator[string] {
	edges := []int{0, 1, 62, 63, 64, 65, 124, 125, 126, 127, 128, 4094, 4095, 4096, 4097, 16376, 16377, 16378, 16379}
	return rapid.OneOf(
		rapid.StringN(0, 8, 20),
		rapid.Map(rapid.Int64(), func(n int64) string { return strconv.FormatInt(n, 10) }),
		rapid.Map(rapid.Int64Range(-10000, 10000), func(n int64) string { return strconv.FormatInt(n, 10) }),
		rapid.Map(rapid.SampledFrom(edges), func(n int) string { return strings.Repeat("e", n) }),
		rapid.SampledFrom([]string{"a", "b", "c", "1", "01", "-0", "+1", "9223372036854775808"}),
	)
}

// model is the list as a slice of texts, beside the list.
type model struct {
	list  listpack.List
	texts []string
}

// at draws an index with its offset; none in an empty list.
func (m *model) at(t *rapid.T) (index, at int) {
	if len(m.texts) == 0 {
		t.Skip("empty")
	}
	index = rapid.IntRange(0, len(m.texts)-1).Draw(t, "index")
	return index, m.list.Seek(index)
}

func (m *model) Insert(t *rapid.T) {
	text := anyText().Draw(t, "text")
	index := rapid.IntRange(0, len(m.texts)).Draw(t, "index")
	at := m.list.Seek(index)
	if index == len(m.texts) {
		at = m.list.End()
	}
	m.list = m.list.Insert(at, []byte(text))
	m.texts = slices.Insert(m.texts, index, text)
}

func (m *model) InsertInt(t *rapid.T) {
	n := rapid.Int64().Draw(t, "n")
	if rapid.Bool().Draw(t, "first") {
		m.list, m.texts = m.list.PrependInt(n), slices.Insert(m.texts, 0, strconv.FormatInt(n, 10))
	} else {
		m.list, m.texts = m.list.AppendInt(n), append(m.texts, strconv.FormatInt(n, 10))
	}
}

func (m *model) Replace(t *rapid.T) {
	index, at := m.at(t)
	text := anyText().Draw(t, "text")
	m.list = m.list.Replace(at, []byte(text))
	m.texts[index] = text
}

func (m *model) ReplaceInt(t *rapid.T) {
	index, at := m.at(t)
	n := rapid.Int64().Draw(t, "n")
	m.list = m.list.ReplaceInt(at, n)
	m.texts[index] = strconv.FormatInt(n, 10)
}

func (m *model) Delete(t *rapid.T) {
	index, at := m.at(t)
	m.list = m.list.Delete(at)
	m.texts = slices.Delete(m.texts, index, index+1)
}

func (m *model) DeleteRange(t *rapid.T) {
	n := rapid.IntRange(0, 5).Draw(t, "n")
	index := rapid.IntRange(-len(m.texts)-1, len(m.texts)).Draw(t, "index")
	m.list = m.list.DeleteRange(index, n)
	if index < 0 {
		index += len(m.texts)
	}
	if index >= 0 && index < len(m.texts) {
		m.texts = slices.Delete(m.texts, index, min(index+n, len(m.texts)))
	}
}

func (m *model) Merge(t *rapid.T) {
	more := rapid.SliceOfN(anyText(), 0, 3).Draw(t, "more")
	m.list = m.list.Merge(listOf(more...))
	m.texts = append(m.texts, more...)
}

func (m *model) Find(t *rapid.T) {
	index, at := m.at(t)
	text, skip := anyText().Draw(t, "text"), rapid.IntRange(0, 3).Draw(t, "skip")
	if rapid.Bool().Draw(t, "there") {
		text = rapid.SampledFrom(m.texts).Draw(t, "one of")
	}
	want := 0
	for i := index; i < len(m.texts) && want == 0; i += skip + 1 {
		if m.texts[i] == text {
			want = m.list.Seek(i)
		}
	}
	if got := m.list.Find(at, []byte(text), skip); got != want {
		t.Fatalf("%q from %d, skip %d: at %d, want %d", text, at, skip, got, want)
	}
}

// Check holds after every step: the bytes are those of the same texts appended one by one, and every way through the list agrees.
func (m *model) Check(t *rapid.T) {
	if !bytes.Equal(m.list, listOf(m.texts...)) {
		t.Fatalf("%q, want %q", m.list, listOf(m.texts...))
	}
	if err := listpack.Validate(m.list); err != nil {
		t.Fatal(err)
	}
	if got := textsOf(m.list); !slices.Equal(got, m.texts) || m.list.Len() != len(m.texts) {
		t.Fatalf("forwards: %q, want %q", got, m.texts)
	}
	i := len(m.texts)
	for at := m.list.Last(); at != 0; at = m.list.Prev(at) {
		i--
		if !m.list.Get(at).Equal([]byte(m.texts[i])) || m.list.Seek(i) != at || m.list.Seek(i-len(m.texts)) != at {
			t.Fatalf("backwards: entry %d at %d is not %q", i, at, m.texts[i])
		}
	}
	if i != 0 || m.list.Seek(len(m.texts)) != 0 || m.list.Seek(-len(m.texts)-1) != 0 {
		t.Fatalf("%d entries were not met, or there are too many", i)
	}
}

func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := &model{list: listpack.New(nil), texts: []string{}}
		t.Repeat(map[string]func(*rapid.T){
			"": m.Check, "insert": m.Insert, "insert int": m.InsertInt, "replace": m.Replace, "replace int": m.ReplaceInt, "delete": m.Delete,
			"delete range": m.DeleteRange, "merge": m.Merge, "find": m.Find,
		})
	})
}
