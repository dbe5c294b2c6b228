package inspect_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"larder/internal/recorded"
	"larder/persistence/inspect"
	"larder/persistence/rdb"
	encoding "larder/protocol/encoding/rdb"
)

var update = flag.Bool("update", false, "write the golden files anew")

// now is when the tests run: a day before 2100, when most of the recorded keys expire.
var now = time.UnixMilli(4102444800000).Add(-24 * time.Hour)

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s (-update writes it anew): %v\n%s\nwant\n%s", path, err, got, want)
	}
}

func indented(t *testing.T, v any) []byte {
	t.Helper()
	out, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	return append(out, '\n')
}

// TestGolden: what is said of files of real servers, as text and as JSON.
func TestGolden(t *testing.T) {
	for _, name := range []string{"redis-7.2.6.all", "redis-8.6.3.all", "valkey-9.1.2.all", "redis-7.2.6.empty"} {
		file := recorded.RDB(t, name)
		var out bytes.Buffer
		summary, err := inspect.Check(bytes.NewReader(file), inspect.Options{Now: now})
		if err != nil {
			t.Fatal(name, err)
		}
		if err := summary.Print(&out); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".check.txt", out.Bytes())
		o := inspect.StatOptions{Options: inspect.Options{Now: now}, Top: 5, PrefixDepth: 1}
		stats, err := inspect.Stat(bytes.NewReader(file), o)
		if err != nil {
			t.Fatal(name, err)
		}
		out.Reset()
		if err := stats.Print(&out); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".stat.txt", out.Bytes())
		golden(t, name+".stat.json", indented(t, stats))
	}
}

func TestKeysGolden(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		var out bytes.Buffer
		if _, err := inspect.Keys(bytes.NewReader(recorded.RDB(t, "valkey-9.1.2.all")), &out, inspect.Options{Now: now}, asJSON, "[^ls]*"); err != nil {
			t.Fatal(err)
		}
		golden(t, map[bool]string{false: "keys.txt", true: "keys.jsonl"}[asJSON], out.Bytes())
	}
}

// TestElements compares the number of elements that is told with that of the recorded values.
func TestElements(t *testing.T) {
	for _, name := range recorded.Files(t) {
		want := map[string]int{}
		for _, k := range recorded.Keys(t, name) {
			switch v := k.Value.(type) {
			case []any:
				want[string(k.Key)] = len(v)
			case map[string]any:
				if k.Type == "stream" {
					want[string(k.Key)] = len(v["entries"].([]any))
				}
			}
		}
		var out bytes.Buffer
		if _, err := inspect.Keys(bytes.NewReader(recorded.RDB(t, name)), &out, inspect.Options{}, true, "*"); err != nil {
			t.Fatal(err)
		}
		for d := json.NewDecoder(&out); d.More(); {
			var k inspect.Key
			if err := d.Decode(&k); err != nil {
				t.Fatal(err)
			}
			if n, ok := want[k.Key+string(k.Raw)]; ok && k.Type != "string" && n != k.Elements {
				t.Errorf("%s: %s, a %s: %d elements, recorded %d", name, k.Name(), k.Type, k.Elements, n)
			}
		}
	}
}

// TestZstd: a compressed file is the same, and a broken one is an error.
func TestZstd(t *testing.T) {
	file := recorded.RDB(t, "redis-7.2.6.all")
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	packed := z.EncodeAll(file, nil)
	var last int64
	s, err := inspect.Check(bytes.NewReader(packed), inspect.Options{Progress: func(n int64) { last = n }})
	if err != nil || !s.Zstd || s.Bytes != int64(len(file)) || last != int64(len(packed)) {
		t.Errorf("%+v, %d of %d bytes read, %v", s, last, len(packed), err)
	}
	if _, err := inspect.Check(bytes.NewReader(packed[:len(packed)/2]), inspect.Options{}); err == nil {
		t.Error("half of it is right")
	}
}

// TestWrong: what is wrong is said with the place, what came before it, and what to do.
func TestWrong(t *testing.T) {
	file := recorded.RDB(t, "redis-7.2.6.lfu")
	changed := bytes.Clone(file)
	changed[len(changed)-20] ^= 1
	var w rdb.Frame
	w.Begin(false)
	w.Key = []byte("h")
	w.Pen.Begin(encoding.TypeHashListpack)
	w.String([]byte("abc"))
	w.End()
	bad := rdb.AppendSum(w.Out, 0)
	for name, test := range map[string]struct {
		file []byte
		want []string
	}{
		"cut":     {file[:len(file)-100], []string{"cut off at offset 471", "20 keys before it are whole, the last of them is ", "copy it again"}},
		"changed": {changed, []string{"wrong checksum", "23 keys before it"}},
		"other":   {[]byte("GIF89a and more"), []string{`no RDB file at offset 0: it begins with "GIF89a an"`, "Is it the right file?"}},
		"empty":   {nil, []string{"cut off at offset 0"}},
		"packed":  {bad, []string{`corrupt value at offset 9: key "h", a hash of type 16`, "It is damaged there"}},
	} {
		_, err := inspect.Check(bytes.NewReader(test.file), inspect.Options{})
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, want := range test.want {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: does not say %q:\n%v", name, want, err)
			}
		}
	}
}

// TestBehind: bytes behind the end are counted and no error.
func TestBehind(t *testing.T) {
	s, err := inspect.Check(bytes.NewReader(append(recorded.RDB(t, "redis-7.2.6.empty"), "more"...)), inspect.Options{})
	if err != nil || s.Behind != 4 || s.Keys != 0 {
		t.Errorf("%+v %v", s, err)
	}
}

// FuzzCheck: whatever the file, nothing panics.
func FuzzCheck(f *testing.F) {
	for _, name := range recorded.Files(f) {
		if file := recorded.RDB(f, name); len(file) < 2000 {
			f.Add(file)
		}
	}
	for t := range byte(27) {
		f.Add(append(append([]byte("REDIS0013"), t, 1, 'k'), "\x02\x01a\x01b\x00\x00\x00\x00\x00\x00\x00\x00\x00"...))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		_, _ = inspect.Stat(bytes.NewReader(file), inspect.StatOptions{Options: inspect.Options{Now: now}, Top: 3, PrefixDepth: 2})
	})
}
