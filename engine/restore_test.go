package engine_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"larder/engine"
	"larder/persistence/rdb"
)

// source gives bytes, and then an error, or none.
func source(name string, file []byte, then error) engine.RestoreSource {
	return engine.RestoreSource{Name: name, Open: func() (io.ReadCloser, error) {
		in := io.Reader(bytes.NewReader(file))
		if then != nil {
			in = io.MultiReader(in, iotest.ErrReader(then))
		}
		return io.NopCloser(in), nil
	}}
}

// TestRestore: keys of several files that are wanted, and nothing before all have come.
func TestRestore(t *testing.T) {
	one := fileOf(func(w *rdb.Frame) {
		keyIn(w, "a1", "v", 0)
		keyIn(w, "b1", strings.Repeat("v", 300<<10), 0)
	})
	two := fileOf(func(w *rdb.Frame) { keyIn(w, "a2", strings.Repeat("v", 300<<10), 0) })
	b := newBedAt(t, start, nil, func(o *engine.Options) {
		o.Restore = &engine.Restore{
			Sources: []engine.RestoreSource{source("one", one, nil), source("two", two, nil)},
			Keep:    func(_ int, key []byte) bool { return key[0] == 'a' },
		}
	})
	k := b.client()
	k.says("-LOADING Redis is loading the dataset in memory\r\n", "DBSIZE")
	b.until(func() bool { return k.do("PING") == "+PONG\r\n" })
	k.says(":2\r\n", "DBSIZE")
	k.says(":1\r\n", "EXISTS", "a1")
	k.says(":307200\r\n", "STRLEN", "a2")
	if got := k.persistence("rdb_last_load_keys_loaded"); got != "2" {
		t.Errorf("%s keys loaded", got)
	}
	if got := k.persistence("rdb_changes_since_last_save"); got != "2" {
		t.Errorf("%s changes: what is not on the disk must be saved", got)
	}
}

// TestRestoreBreaksOff: a source that fails ends the node, also behind the file's last byte and whatever its error is: only its end says that all is right.
func TestRestoreBreaksOff(t *testing.T) {
	file := fileOf(func(w *rdb.Frame) { keyIn(w, "a", "v", 0) })
	broken := errors.New("the line is gone")
	changed := slices.Clone(file)
	changed[9] = 0x76 // no mark of such a file
	long := slices.Concat(changed, make([]byte, 8<<20))
	for name, c := range map[string]struct {
		from engine.RestoreSource
		says string
	}{
		"behind the end":              {source("one", file, broken), "the line is gone"},
		"behind the end, as cut off":  {source("one", file, io.ErrUnexpectedEOF), "unexpected EOF"},
		"behind the end, wrapped":     {source("one", file, errors.Join(broken, io.EOF)), "the line is gone"},
		"before the end":              {source("one", file[:len(file)-9], broken), "the line is gone"},
		"it ends too early":           {source("one", file[:len(file)-9], nil), "cut off"},
		"it cannot be opened":         {engine.RestoreSource{Name: "one", Open: func() (io.ReadCloser, error) { return nil, broken }}, "the line is gone"},
		"what is in it is changed":    {source("one", long, broken), "the line is gone"},
		"changed, and no sum says so": {source("one", long, nil), "unknown byte"},
		"it is no file":               {source("one", []byte("no dump at all, no dump at all"), nil), "no RDB file"},
	} {
		o := engine.DefaultOptions()
		o.Dir, o.Listen = t.TempDir(), "127.0.0.1:0"
		o.Restore = &engine.Restore{Sources: []engine.RestoreSource{c.from}}
		n, err := engine.New(o, quiet(), nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
		err = n.Run(ctx)
		cancel()
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}
