package engine_test

import (
	"errors"
	"strings"
	"testing"

	"larder/engine"
	"larder/engine/commands"
	"larder/internal/recorded"
	"larder/persistence/rdb"
	"larder/protocol/encoding/crc64"
	encoding "larder/protocol/encoding/rdb"
)

// keyIn makes the record of a key with a text.
func keyIn(w *rdb.Frame, name, text string, expiryMS int64) {
	if expiryMS != 0 {
		w.Expiry(expiryMS)
	}
	w.Key = []byte(name)
	w.Pen.Begin(encoding.TypeString)
	w.String([]byte(text))
}

// fileOf makes a file of version 10.
func fileOf(write func(w *rdb.Frame)) []byte {
	var w rdb.Frame
	w.Begin(false)
	write(&w)
	w.End()
	return rdb.AppendSum(w.Out, crc64.Update(0, w.Out))
}

// TestLoading loads what real servers wrote, in pieces of any size: the digest of the whole keyspace is the one that the server had.
func TestLoading(t *testing.T) {
	digests := map[string]string{
		"redis-7.2.6.all": "ace5e68e25192620dd8866055f6bd9982cc96f7a", "valkey-9.1.2.all": "dcfaac5e50bcedf2e774dd3552a7cfc9fdcce0ba",
	}
	for name, digest := range digests {
		for _, piece := range []int{1, 1000, 1 << 20} {
			b := newBed(t, func(o *engine.Options) { o.DebugCommand = "yes" })
			k := b.client()
			keys, dead, rest, err := b.node.LoadRDB(recorded.RDB(t, name), piece, false)
			if all := len(recorded.Keys(t, name)); err != nil || keys != int64(all) || dead != 0 || rest != "" {
				t.Fatalf("%s: %d keys, %d dead, rest %q, %v; the server had %d", name, keys, dead, rest, err, all)
			}
			k.says("+"+digest+"\r\n", "DEBUG", "DIGEST")
			if got := k.do("FUNCTION", "LIST"); !strings.Contains(got, "packlib") || !strings.Contains(got, "pack_addone") {
				t.Errorf("%s: FUNCTION LIST: %q", name, got)
			}
			k.says(":4\r\n", "FCALL", "pack_addone", "0", "3")
		}
	}
}

// TestLoadingTheDead: keys whose time is over are left out, unless a primary is to say when they go.
func TestLoadingTheDead(t *testing.T) {
	file := fileOf(func(w *rdb.Frame) {
		w.Idle(100)
		w.Freq(2)
		keyIn(w, "dead", "v", start.UnixMilli()-1)
		keyIn(w, "dead and large", strings.Repeat("v", 300<<10), start.UnixMilli()-1)
		keyIn(w, "alive", "v", start.UnixMilli()+1000)
	})
	for keep, want := range map[bool]int64{false: 1, true: 3} {
		b := newBed(t, nil)
		b.client()
		if keys, dead, _, err := b.node.LoadRDB(file, 1000, keep); err != nil || keys != want || dead != 3-want {
			t.Errorf("keep %v: %d keys, %d dead, %v", keep, keys, dead, err)
		}
		if got := b.node.Keys(); got != int(want) {
			t.Errorf("keep %v: %d keys are there", keep, got)
		}
	}
}

// TestLoadingLargeTexts: they go where the store keeps them, and what is cut off in one leaves nothing behind.
func TestLoadingLargeTexts(t *testing.T) {
	large := strings.Repeat("0123456789", 100_000)
	file := fileOf(func(w *rdb.Frame) {
		keyIn(w, "before", "v", 0)
		keyIn(w, "large", large, 0)
		keyIn(w, "behind", "w", 0)
	})
	b := newBed(t, nil)
	k := b.client()
	k.do("SELECT", "3") // the client's database is not the file's
	keys, _, rest, err := b.node.LoadRDB(append(file, "rest"...), 4096, false)
	if err != nil || keys != 3 || rest != "rest" {
		t.Fatal(keys, rest, err)
	}
	k.says(":0\r\n", "DBSIZE")
	k.do("SELECT", "0")
	k.says("$1000000\r\n"+large+"\r\n", "GET", "large")
	k.says("$1\r\nw\r\n", "GET", "behind")

	b = newBed(t, nil)
	k = b.client()
	if keys, _, _, err = b.node.LoadRDB(file[:500_000], 4096, false); !errors.Is(err, rdb.ErrCut) || keys != 1 {
		t.Errorf("%d keys, %v", keys, err)
	}
	k.says(":1\r\n", "DBSIZE")
}

// TestLoadingRefuses says where and why.
func TestLoadingRefuses(t *testing.T) {
	for want, write := range map[string]func(w *rdb.Frame){
		"key \"k\" is in database 500, and this node has 16: start it with databases set to more than 500": func(w *rdb.Frame) {
			w.Select(500)
			keyIn(w, "k", "v", 0)
		},
		"at offset 9: a library of functions cannot be loaded: ERR Missing library metadata": func(w *rdb.Frame) { w.Function("code") },
	} {
		b := newBed(t, nil)
		b.client()
		if _, _, _, err := b.node.LoadRDB(fileOf(write), 1<<20, false); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
	if _, _, _, err := newLoaded(t, "\x07\x01k\x01\x00"); !errors.Is(err, commands.ErrForeign) || !strings.Contains(err.Error(), `at offset 9: key "k" is data of the module type "AAAAAAAAA"`) {
		t.Error(err)
	}
}

// newLoaded loads a file of that middle into a new node.
func newLoaded(t *testing.T, middle string) (keys, dead int64, rest string, err error) {
	t.Helper()
	b := newBed(t, func(o *engine.Options) { o.Databases = 1 })
	b.client()
	return b.node.LoadRDB(append([]byte("REDIS0010"), middle+"\xff\x00\x00\x00\x00\x00\x00\x00\x00"...), 1<<20, false)
}

// FuzzLoading: whatever the file, nothing panics, and the node goes on.
func FuzzLoading(f *testing.F) {
	for _, name := range recorded.Files(f) {
		if file := recorded.RDB(f, name); len(file) < 2000 {
			f.Add(file)
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		b := newBed(t, nil)
		k := b.client()
		keys, _, _, err := b.node.LoadRDB(file, 100, false)
		if err == nil && keys == 0 {
			k.says(":0\r\n", "DBSIZE")
		}
		k.says("+PONG\r\n", "PING")
	})
}
