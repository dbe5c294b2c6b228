package rdb_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"larder/persistence/rdb"
	"larder/protocol/encoding/crc64"
	encoding "larder/protocol/encoding/rdb"
)

func sources(files ...[]byte) (all []func() (io.ReadCloser, error)) {
	for _, f := range files {
		all = append(all, func() (io.ReadCloser, error) { return io.NopCloser(iotest.OneByteReader(bytes.NewReader(f))), nil })
	}
	return all
}

// written makes a file by what is done with its pen.
func written(version int, valkey bool, write func(w *rdb.Frame)) []byte {
	var w rdb.Frame
	w.BeginAs(version, valkey)
	write(&w)
	w.End()
	return rdb.AppendSum(w.Out, crc64.Update(0, w.Out))
}

// TestMerge: the keys of all files as they were, large texts, expiries and what is known of their use among them; one beginning, each library once, one sum.
func TestMerge(t *testing.T) {
	large := strings.Repeat("0123456789abcdef", 40<<10)
	one := written(10, false, func(w *rdb.Frame) {
		w.Aux("redis-ver", "7.0.15")
		w.Aux("repl-id", "mine alone")
		w.Function("#!lua name=both\nreturn 1")
		w.Select(0)
		w.Resize(2, 1)
		w.Expiry(1 << 41)
		w.Freq(9)
		w.Out = append(w.Out, key("a", encoding.TypeString, "\x01x")...)
		w.Idle(70)
		w.Out = append(w.Out, key("large", encoding.TypeString, string(encoding.AppendString(nil, []byte(large), nil)))...)
		w.Select(9)
		w.Out = append(w.Out, key("b", encoding.TypeSetIntset, "\x0a\x02\x00\x00\x00\x01\x00\x00\x00\x07\x00")...)
	})
	two := written(10, false, func(w *rdb.Frame) {
		w.Aux("redis-ver", "7.0.15")
		w.Function("#!lua name=both\nreturn 2")
		w.Function("#!lua name=another\nreturn 2")
		w.Select(9)
		w.Out = append(w.Out, key("c", encoding.TypeString, "\x01y")...)
	})
	empty := written(10, false, func(*rdb.Frame) {})
	m := rdb.Merge(sources(empty, one, empty, two))
	got, err := io.ReadAll(iotest.HalfReader(m))
	if err = errors.Join(err, m.Close()); err != nil {
		t.Fatal(err)
	}
	found, err := scan(&rdb.Scanner{}, got, whole)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		`"" type 0 expires 0 idle -1 freq -1 at 9`, `"a" type 0 expires 2199023255552 idle -1 freq 9`, `"large" type 0 expires 0 idle 70`, `db 9 "b" type 11`,
		`name=another`, `db 9 "c"`, `end, rest ""`,
	} {
		if i >= len(found) || !strings.Contains(found[i], want) {
			t.Fatalf("entry %d: %.300q, want %q", i, found, want)
		}
	}
	if !strings.Contains(found[2], large) || len(found) != 7 {
		t.Errorf("%d entries", len(found))
	}
}

// TestMergeKeepsForms: numbers of types that two makers have given away mean what they meant; files of two makers are not mixed.
func TestMergeKeepsForms(t *testing.T) {
	body := string(encoding.AppendString(nil, []byte("\x0b\x00\x00\x00\x03\x00\x81f\x02\x81v\x02\xff")[:0], nil))
	valkey := written(80, true, func(w *rdb.Frame) {
		w.Out = append(w.Out, byte(encoding.TypeHashTimed), 1, 'k', 1, 1, 'f', 1, 'v', 0, 0, 0, 0, 0, 0, 0, 64)
	})
	redis := written(12, false, func(w *rdb.Frame) {
		w.Out = append(w.Out, encoding.TypeHashPackExpiries.Byte(), 1, 'k', 1, 0, 0, 0, 0, 0, 0, 0)
		w.Out = append(w.Out, body...)
	})
	for name, file := range map[string][]byte{"valkey": valkey, "redis": redis} {
		got, err := io.ReadAll(rdb.Merge(sources(file)))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		have, wrongHave := scan(&rdb.Scanner{}, got, whole)
		want, wrongWant := scan(&rdb.Scanner{}, file, whole)
		if len(have) == 0 || strings.Split(have[0], " at ")[0] != strings.Split(want[0], " at ")[0] || wrongHave != nil || wrongWant != nil {
			t.Errorf("%s: %q %v, want %q %v", name, have, wrongHave, want, wrongWant)
		}
	}
	if _, err := io.ReadAll(rdb.Merge(sources(valkey, redis))); err == nil || !strings.Contains(err.Error(), "versions 80 and 12") {
		t.Error(err)
	}
}

// TestMergeFails: what is damaged or breaks off, also behind a file's last byte, is no end.
func TestMergeFails(t *testing.T) {
	whole := written(10, false, func(w *rdb.Frame) { w.Out = append(w.Out, key("a", encoding.TypeString, "\x01x")...) })
	damaged := bytes.Clone(whole)
	damaged[len(damaged)-12] ^= 1
	broken := errors.New("the line is gone")
	for name, c := range map[string]struct {
		from func() (io.ReadCloser, error)
		says string
	}{
		"damaged": {sources(damaged)[0], "checksum"},
		"cut off": {sources(whole[:len(whole)-9])[0], "rest of it is missing"},
		"behind the end": {func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(bytes.NewReader(whole), iotest.ErrReader(broken))), nil
		}, "the line is gone"},
		"not there": {func() (io.ReadCloser, error) { return nil, broken }, "the line is gone"},
		"breaks off between": {func() (io.ReadCloser, error) {
			return io.NopCloser(io.MultiReader(bytes.NewReader(whole[:12]), iotest.ErrReader(broken))), nil
		}, "the line is gone"},
	} {
		m := rdb.Merge(append(sources(whole), c.from))
		if _, err := io.ReadAll(m); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
		if _, err := m.Read(make([]byte, 1)); err == nil || errors.Is(err, io.EOF) {
			t.Errorf("%s: after its error: %v", name, err)
		}
	}
}

// FuzzMerge: a file that is read is read again as the merged one says it; nothing panics.
func FuzzMerge(f *testing.F) {
	f.Add(written(10, false, func(w *rdb.Frame) {
		w.Aux("redis-ver", "x")
		w.Select(3)
		w.Expiry(5)
		w.Out = append(w.Out, key("a", encoding.TypeString, "\xc0\x05")...)
	}))
	f.Add(written(12, false, func(w *rdb.Frame) { w.Function("#!lua name=a\n") }))
	f.Fuzz(func(t *testing.T, file []byte) {
		got, err := io.ReadAll(rdb.Merge(sources(file)))
		if err != nil {
			return
		}
		keys := func(file []byte) (list []string) {
			found, err := scan(&rdb.Scanner{}, file, whole)
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range found {
				if line[0] == byte('0'+rdb.Key) {
					before, behind, _ := strings.Cut(line, " at ")
					_, behind, _ = strings.Cut(behind, " count ")
					list = append(list, before+behind)
				}
			}
			return list
		}
		if have, want := keys(got), keys(file); strings.Join(have, "\n") != strings.Join(want, "\n") {
			t.Fatalf("%q, want %q", have, want)
		}
	})
}
