// Package recorded has RDB files that running servers have written, Redis 7.2.6 and 8.6.3 and Valkey 9.1.2, and what those servers answered about every key
// in them. Pure data for tests.
package recorded

import (
	"bytes"
	"compress/gzip"
	"embed"
	"encoding/base64"
	"encoding/json"
	"io"
	"slices"
	"strings"
	"testing"
)

//go:embed data/*.gz
var data embed.FS

// Files are the names of the RDB files: server, then what it is.
func Files(t testing.TB) (names []string) {
	t.Helper()
	entries, err := data.ReadDir("data")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".rdb.gz"); ok {
			names = append(names, name)
		}
	}
	return names
}

// RDB gives a file.
func RDB(t testing.TB, name string) []byte {
	t.Helper()
	return read(t, name+".rdb.gz")
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	packed, err := data.ReadFile("data/" + name)
	if err != nil {
		t.Fatal(err)
	}
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Key is what a server answered about a key.
type Key struct {
	DB       int    `json:"db"`
	Key      Text   `json:"key"`
	Type     string `json:"type"`
	Encoding string `json:"encoding"`        // OBJECT ENCODING before the file was written
	Loaded   string `json:"encoding_loaded"` // after it was read, if it is another
	ExpiryMS int64  `json:"expire_ms"`
	Value    any    `json:"value"`
	Digest   string `json:"digest"` // DEBUG DIGEST-VALUE
	Number   byte   `json:"rdb_type"`
	Dump     []byte `json:"dump"`
	Freq     *int   `json:"freq"`
	IdleS    *int64 `json:"idle_s"`
}

// Text is a string as the records have it: JSON's if it is UTF-8, else {"b64": …}.
type Text string

// UnmarshalJSON reads both forms.
func (x *Text) UnmarshalJSON(b []byte) error {
	if b[0] != '{' {
		return json.Unmarshal(b, (*string)(x))
	}
	var form struct {
		Bytes []byte `json:"b64"`
	}
	err := json.Unmarshal(b, &form)
	*x = Text(form.Bytes)
	return err
}

// Keys are what a server answered about the keys of a file. Those of a file that was written without compression are those of the file beside it.
func Keys(t testing.TB, name string) (keys []Key) {
	t.Helper()
	if strings.HasSuffix(name, ".empty") {
		return nil
	}
	return lines(t, strings.TrimSuffix(name, "-nocompress")+".expected.jsonl.gz")
}

// Dumps are payloads of DUMP without compression: only what identifies a key is filled in, and Dump.
func Dumps(t testing.TB) []Key {
	t.Helper()
	return lines(t, "valkey-9.1.2.all-nocompress.dumps.jsonl.gz")
}

func lines(t testing.TB, name string) (keys []Key) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(read(t, name)))
	d.UseNumber()
	for d.More() {
		var k Key
		if err := d.Decode(&k); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, k)
	}
	return keys
}

// Plain makes what JSON has made of a value's part a text; numbers are as they stand there.
func Plain(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	case map[string]any:
		text, _ := v["b64"].(string)
		out, _ := base64.StdEncoding.DecodeString(text)
		return string(out)
	}
	return ""
}

// Whole tells whether no part of the value was left out of the record for its length.
func (k *Key) Whole() bool { return whole(k.Value) }

func whole(v any) bool {
	switch v := v.(type) {
	case []any:
		return !slices.ContainsFunc(v, func(part any) bool { return !whole(part) })
	case map[string]any:
		if _, cut := v["sha256"]; cut {
			return false
		}
		for _, part := range v {
			if !whole(part) {
				return false
			}
		}
	}
	return true
}
