package listpack_test

import (
	"fmt"
	"strconv"
	"testing"

	"larder/protocol/encoding/listpack"
)

// hashOf is a hash of that many fields with values of 8 bytes.
func hashOf(fields int) listpack.List {
	l := listpack.New(nil)
	for i := range fields {
		l = l.Append(fmt.Appendf(nil, "field:%04d", i)).Append(fmt.Appendf(nil, "value%03d", i))
	}
	return l
}

func TestReadsAndEditsDoNotAllocate(t *testing.T) {
	l := append(make(listpack.List, 0, 4096), hashOf(64)...)
	l = l.AppendInt(1 << 40).Append(make([]byte, 100))
	field, text, total := []byte("field:0063"), make([]byte, 0, 128), 0
	for name, f := range map[string]func(){
		"walk": func() {
			for at := l.First(); at != 0; at = l.Next(at) {
				e := l.Get(at)
				text = e.Append(text[:0])
				total += e.Len()
			}
			for at := l.Last(); at != 0; at = l.Prev(at) {
				total += at
			}
		},
		"find":     func() { total += l.Find(l.First(), field, 1) },
		"seek":     func() { total += l.Seek(-3) + l.Seek(7) + l.Len() },
		"validate": func() { _ = listpack.Validate(l) },
		"edit": func() {
			l = l.Insert(l.Seek(5), field).AppendInt(70000)
			l = l.ReplaceInt(l.Seek(5), 12)
			l = l.Replace(l.Last(), field)
			l = l.Delete(l.Seek(5)).DeleteRange(-1, 1)
		},
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	for _, fields := range []int{10, 128} {
		l := hashOf(fields)
		for name, field := range map[string]string{"middle": fmt.Sprintf("field:%04d", fields/2), "absent": "field:none"} {
			b.Run(name+"/"+strconv.Itoa(fields), func(b *testing.B) {
				text := []byte(field)
				for b.Loop() {
					l.Find(l.First(), text, 1)
				}
			})
		}
	}
}

// BenchmarkInsert puts an entry into the middle and takes it out again.
func BenchmarkInsert(b *testing.B) {
	for _, entries := range []int{10, 128} {
		for name, text := range map[string]string{"text": "value777", "number": "123456"} {
			b.Run(name+"/"+strconv.Itoa(entries), func(b *testing.B) {
				l := append(make(listpack.List, 0, 8192), hashOf(entries/2)...)
				value, at := []byte(text), l.Seek(entries/2)
				for b.Loop() {
					l = l.Insert(at, value).Delete(at)
				}
			})
		}
	}
}

func BenchmarkWalk(b *testing.B) {
	for _, entries := range []int{10, 128} {
		l := hashOf(entries / 2)
		b.Run(strconv.Itoa(entries), func(b *testing.B) {
			total := 0
			for b.Loop() {
				for at := l.First(); at != 0; at = l.Next(at) {
					total += l.Get(at).Len()
				}
			}
		})
	}
}
