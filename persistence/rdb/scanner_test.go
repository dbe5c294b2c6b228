package rdb_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"larder/internal/recorded"
	"larder/persistence/rdb"
	encoding "larder/protocol/encoding/rdb"
)

// TestRecordedFiles finds in files of real servers the keys that those servers had, each with the type, the expiry, and the value of its DUMP.
func TestRecordedFiles(t *testing.T) {
	for _, name := range recorded.Files(t) {
		t.Run(name, func(t *testing.T) {
			want := map[string]recorded.Key{}
			for _, k := range recorded.Keys(t, name) {
				want[fmt.Sprint(k.DB, " ", k.Key)] = k
			}
			var s rdb.Scanner
			s.Feed(recorded.RDB(t, name))
			aux, functions, bodies := 0, 0, 0
			for {
				e, state, err := s.Next()
				if err != nil {
					t.Fatal(err)
				}
				switch state {
				case rdb.More:
					t.Fatal(s.Ended())
				case rdb.Aux:
					aux++
				case rdb.Function:
					functions++
				case rdb.Key:
					at := fmt.Sprint(e.DB, " ", string(e.Key))
					k, ok := want[at]
					delete(want, at)
					number, valkey := s.Version()
					if of, known := encoding.TypeOf(k.Number, number, valkey); !ok || !known || of != e.Type && !strings.HasSuffix(name, "nocompress") || e.ExpiryMS != k.ExpiryMS {
						t.Errorf("%s: type %d, expires %d; recorded %d, %d", at, e.Type, e.ExpiryMS, k.Number, k.ExpiryMS)
					}
					if len(k.Dump) > 10 && bytes.Equal(e.Body, k.Dump[1:len(k.Dump)-10]) {
						bodies++
					}
					if k.Freq != nil && e.Freq != *k.Freq || k.IdleS != nil && (e.IdleS < *k.IdleS-1 || e.IdleS > *k.IdleS+1) {
						t.Errorf("%s: freq %d, idle %d", at, e.Freq, e.IdleS)
					}
				}
				if state == rdb.End {
					break
				}
			}
			all := len(recorded.Keys(t, name))
			if len(want) > 0 || aux == 0 || strings.HasSuffix(name, ".all") && functions != 1 {
				t.Errorf("not found: %d keys; %d aux fields, %d functions", len(want), aux, functions)
			}
			if bodies < all*8/10 && !strings.Contains(name, "nocompress") {
				t.Errorf("%d of %d values are as DUMP gave them", bodies, all)
			}
			if s.Checked() == strings.Contains(name, "nochecksum") || len(s.Rest()) > 0 {
				t.Errorf("checked %v, rest %q", s.Checked(), s.Rest())
			}
		})
	}
}

// TestCuts: what is found is the same in whatever pieces a file comes.
func TestCuts(t *testing.T) {
	for _, name := range recorded.Files(t) {
		whole1, err := scan(new(rdb.Scanner), recorded.RDB(t, name), whole)
		if err != nil {
			t.Fatal(err)
		}
		rng := rand.New(rand.NewPCG(1, 1))
		for how, cut := range map[string]func() int{
			"a byte at a time": func() int { return 1 },
			"small pieces":     func() int { return 1 + rng.IntN(40) },
			"large pieces":     func() int { return 1 + rng.IntN(20000) },
		} {
			got, err := scan(new(rdb.Scanner), recorded.RDB(t, name), cut)
			if err != nil || !slices.Equal(got, whole1) {
				t.Errorf("%s in %s: %d entries, %d in one piece; %v", name, how, len(got), len(whole1), err)
			}
			if how == "a byte at a time" {
				continue
			}
			large, err := scan(&rdb.Scanner{LargeMin: 1}, recorded.RDB(t, name), cut)
			if err != nil || len(large) != len(whole1) {
				t.Errorf("%s in %s, texts in parts: %d entries, %d in one piece; %v", name, how, len(large), len(whole1), err)
			}
		}
	}
}

func TestErrors(t *testing.T) {
	good := file(key("k", encoding.TypeString, "\x01v"))
	changed := bytes.Clone(good)
	changed[13] ^= 1
	for name, test := range map[string]struct {
		file []byte
		kind error
		at   int64
	}{
		"nothing":               {nil, rdb.ErrCut, 0},
		"a few bytes":           {[]byte("REDIS00"), rdb.ErrCut, 7},
		"another file":          {[]byte("PK\x03\x04 a zip file"), rdb.ErrMagic, 0},
		"no version":            {[]byte("REDISabcd"), rdb.ErrMagic, 0},
		"version 0":             {[]byte("REDIS0000"), rdb.ErrMagic, 0},
		"a later Redis":         {[]byte("REDIS0014"), rdb.ErrVersion, 0},
		"a later Valkey":        {[]byte("VALKEY081"), rdb.ErrVersion, 0},
		"cut in a value":        {good[:13], rdb.ErrCut, 13},
		"cut before the end":    {good[:14], rdb.ErrCut, 14},
		"cut in the sum":        {good[:len(good)-1], rdb.ErrCut, int64(len(good) - 1)},
		"a changed byte":        {changed, rdb.ErrSum, 15},
		"an unknown type":       {file([]byte("\x1b\x01k\x00")), rdb.ErrUnknown, 9},
		"no type at all":        {file([]byte("\x08\x01k\x00")), rdb.ErrUnknown, 9},
		"an unknown mark":       {file([]byte("\xf2")), rdb.ErrUnknown, 9},
		"a function before 7.0": {file([]byte("\xf6")), rdb.ErrUnknown, 9},
		"an old module":         {file(key("k", encoding.TypeModule1, "")), rdb.ErrModule, 9},
		"a key that is none":    {file([]byte("\x00\xff")), rdb.ErrCorrupt, 10},
		"a value that is none":  {file(key("k", encoding.TypeString, "\xff")), rdb.ErrCorrupt, 12},
		"a member that is none": {file(key("k", encoding.TypeSet, "\x02\x01a\xff")), rdb.ErrCorrupt, 15},
		"a database too high":   {file([]byte("\xfe\x81\xff\xff\xff\xff\xff\xff\xff\xff")), rdb.ErrCorrupt, 9},
		"a compressed key":      {file([]byte("\x00\xc3\x02\x05\x20\x00\x01v")), rdb.ErrCorrupt, 10},
	} {
		t.Run(name, func(t *testing.T) {
			got := failing(t, test.file)
			if !errors.Is(got, test.kind) || got.Offset != test.at {
				t.Errorf("%v; want %v at %d", got, test.kind, test.at)
			}
		})
	}
	if _, err := scan(&rdb.Scanner{AnySum: true}, changed, whole); err != nil {
		t.Error("with any sum:", err)
	}
}

// TestTypesByMagic: the numbers from 22 on are Redis's or Valkey's by what the file begins with.
func TestTypesByMagic(t *testing.T) {
	for magic, want := range map[string]encoding.Type{
		"VALKEY080": encoding.TypeHashTimed, "REDIS0010": encoding.TypeHashTimed, "REDIS0012": encoding.TypeHashExpiriesEarly,
	} {
		body := "\x01\x01f\x01v\xff\xff\xff\xff\xff\xff\xff\xff"
		if want == encoding.TypeHashExpiriesEarly {
			body = "\x01\x00\x01f\x01v"
		}
		var s rdb.Scanner
		s.Feed(append([]byte(magic), "\x16\x01k"+body+"\xff\x00\x00\x00\x00\x00\x00\x00\x00"...))
		e, state, err := s.Next()
		if state != rdb.Key || err != nil || e.Type != want || string(e.Body) != body {
			t.Errorf("%s: %d type %d %q %v", magic, state, e.Type, e.Body, err)
		}
		if _, state, err := s.Next(); state != rdb.End || err != nil || s.Checked() {
			t.Errorf("%s: %d %v", magic, state, err)
		}
	}
}

// TestMarks has every mark there is before a key, and what is said of one key is not said of the next.
func TestMarks(t *testing.T) {
	const module = "\x81\x12\x34\x56\x78\x9a\xbc\xdc\x03"
	middle := "\xfa\x04name\x05value" + "\xfe\x02" + "\xfb\x40\x40\x03" + "\xf4\x01\x02\x03" + "\xf5\x04code" +
		"\xf7" + module + "\x02\x01" + "\x01\x05\x02\x06\x03abcd\x04abcdefgh\x05\x03xyz\x00" +
		"\xfc\x39\x30\x00\x00\x00\x00\x00\x00" + "\xf8\x40\x64" + "\xf9\x07" + "\xf3\x01abcd\x02\x01\x00" + "\x00\xc0\x07\xc1\x39\x30" +
		"\xfd\x0a\x00\x00\x00" + "\x00\x01l\x01v" + "\x00\x01m\x01v" +
		"\x07\x01n" + module + "\x05\x01x\x00"
	full := append([]byte("REDIS0013"), middle+"\xff\x00\x00\x00\x00\x00\x00\x00\x00rest"...)
	var s rdb.Scanner
	got, err := scan(&s, full, whole)
	name, version := encoding.ModuleName(0x123456789abcdc03)
	if err != nil || len(name) != 9 || version != 3 {
		t.Fatal(err, name, version)
	}
	for i, want := range []string{
		`4: db 0 "name" type 0 expires 0 idle -1 freq -1 at 9 `, `6: db 2 "" type 0 expires 0 idle -1 freq -1 at 23 of 0 count 0 module "" length 0 keys 64 3`,
		`5: db 2 "" type 0 expires 0 idle -1 freq -1 at 31`, `1: db 2 "7" type 0 expires 12345 idle 100 freq 7 at `, `1: db 2 "l" type 0 expires 10000 idle -1 freq -1 `,
		`1: db 2 "m" type 0 expires 0 idle -1 freq -1 `, `1: db 2 "n" type 7 expires 0 idle -1 freq -1 `, `end, rest "rest"`,
	} {
		if i >= len(got) || !strings.HasPrefix(got[i], want) {
			t.Errorf("entry %d: %v\nwant %s", i, got[min(i, len(got)-1)], want)
		}
	}
	if !strings.Contains(got[6], name) {
		t.Errorf("%s: not %s", got[6], name)
	}
	if d := s.Dropped(); d["data of the module "+name] != 1 || d["what modules keep beside a key"] != 1 || len(d) != 2 {
		t.Error(d)
	}
}

// TestOldFiles: before version 5 nothing followed the end mark.
func TestOldFiles(t *testing.T) {
	got, err := scan(new(rdb.Scanner), []byte("REDIS0003\xfe\x00\x00\x01k\x01v\xffrest"), whole)
	if err != nil || len(got) != 2 || got[1] != `end, rest "rest"` {
		t.Errorf("%q %v", got, err)
	}
}

func TestExpiriesAreTimes(t *testing.T) {
	for bytes, want := range map[string]int64{
		"\xfc\x01\x00\x00\x00\x00\x00\x00\x00": 1, "\xfc\x00\x00\x00\x00\x00\x00\x00\x00": 1, "\xfc\x00\x00\x00\x00\x00\x00\x00\x80": 1,
		"\xfc\xff\xff\xff\xff\xff\xff\xff\xff": 0, "\xfc\xff\xff\xff\xff\xff\xff\xff\x7f": math.MaxInt64, "\xfd\xff\xff\xff\x7f": math.MaxInt32 * 1000,
		"\xfd\xff\xff\xff\xff": 1,
	} {
		var s rdb.Scanner
		s.Feed(file([]byte(bytes), key("k", encoding.TypeString, "\x01v")))
		if e, state, err := s.Next(); state != rdb.Key || e.ExpiryMS != want {
			t.Errorf("%q: %d %d %v", bytes, state, e.ExpiryMS, err)
		}
	}
}

// TestLengthsAreNotBelieved: what is said and not there takes no memory, and an end that is far away is found without looking twice.
func TestLengthsAreNotBelieved(t *testing.T) {
	huge := "\x81\x00\x00\x00\xff\xff\xff\xff\xff"
	for name, body := range map[string]string{"text": huge, "members": huge, "compressed": "\xc3" + huge + huge} {
		what := encoding.TypeString
		if name == "members" {
			what = encoding.TypeSet
		}
		var s rdb.Scanner
		s.Feed(append([]byte("REDIS0010"), key("k", what, body)...))
		if _, state, err := s.Next(); state != rdb.More || err != nil || s.Kept() > 4096 {
			t.Errorf("%s: %d %v, %d bytes kept", name, state, err, s.Kept())
		}
	}
}

// TestMemoryIsGivenBack after a large value, and what a scanner keeps is a small multiple of what it must.
func TestMemoryIsGivenBack(t *testing.T) {
	const large = 8 << 20
	text := encoding.AppendLength(nil, large)
	text = append(text, bytes.Repeat([]byte("x"), large)...)
	full := file(key("large", encoding.TypeString, string(text)), bytes.Repeat(key("k", encoding.TypeString, "\x01v"), 100_000))
	var s rdb.Scanner
	most, last := 0, 0
	found, err := scan(&s, full, func() int { most, last = max(most, s.Kept()), s.Kept(); return 64 << 10 })
	if err != nil || len(found) != 100_002 {
		t.Fatal(len(found), err)
	}
	if most > 2*large || last > 1<<20 {
		t.Errorf("at most %d bytes kept, %d at last", most, last)
	}
	s = rdb.Scanner{LargeMin: 1 << 20}
	most = 0
	if found, err = scan(&s, full, func() int { most = max(most, s.Kept()); return 64 << 10 }); err != nil || len(found) != 100_002 || most > 1<<20 {
		t.Errorf("in parts: %d entries, %v, at most %d bytes kept", len(found), err, most)
	}
}

func TestKeysAllocateNothing(t *testing.T) {
	full := file(bytes.Repeat(key("key", encoding.TypeHash, "\x02\x01a\x01b\x01c\xc0\x05"), 1000))
	var s rdb.Scanner
	s.Feed(full)
	if n := testing.AllocsPerRun(900, func() {
		if _, state, err := s.Next(); state != rdb.Key || err != nil {
			t.Fatal(state, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a key", n)
	}
}
