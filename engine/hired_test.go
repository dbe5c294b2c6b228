package engine_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"larder/engine"
	"larder/internal/peers"
	"larder/persistence"
	"larder/persistence/dir"
	"larder/persistence/snapshot"
	"larder/protocol/errands"
)

// hirer is a connection that asks a node for errands.
type hirer struct {
	t *testing.T
	*peers.Conn
}

func hire(t *testing.T, n *engine.Node) hirer {
	t.Helper()
	return hirer{t, peers.Dial(t, n.Addr(), 2)}
}

func (h hirer) begin(kind string, order any) string {
	h.t.Helper()
	text, err := json.Marshal(order)
	if err != nil {
		h.t.Fatal(err)
	}
	return string(h.Do("LARDER", "ERRAND", kind, string(text)))
}

func (h hirer) begins(kind string, order any) {
	h.t.Helper()
	if got := h.begin(kind, order); got != "+OK\r\n" {
		h.t.Fatalf("%s: %q", kind, got)
	}
}

// ends waits for the end of the errand.
func (h hirer) ends() (s errands.State) {
	h.t.Helper()
	for end := time.Now().Add(peers.Patience); !s.Over; {
		if time.Now().After(end) {
			h.t.Fatal("the errand does not end", s)
		}
		got := h.Do("LARDER", "ASK")
		_, text, _ := bytes.Cut(got, []byte("\r\n"))
		s = errands.State{}
		if err := json.Unmarshal(text, &s); err != nil {
			h.t.Fatalf("%q: %v", got, err)
		}
	}
	return s
}

// result is that of an errand that went well.
func result[T any](h hirer) (into T) {
	h.t.Helper()
	s := h.ends()
	if s.Error != "" || json.Unmarshal(s.Result, &into) != nil {
		h.t.Fatalf("%+v", s)
	}
	return into
}

// storing is a store in a folder, and what a node is told of it.
func storing(path string) (func(persistence.Settings) (persistence.Bucket, error), persistence.Settings) {
	return func(s persistence.Settings) (persistence.Bucket, error) {
		o, err := dir.FromSettings(s)
		if err != nil {
			return nil, err
		}
		return dir.Open(o)
	}, persistence.Settings{persistence.KeyPlace: path}
}

// TestErrands: what others in the process call can be asked for over a connection, and comes to the same.
func TestErrands(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	open, settings := storing(path)
	n := serving(t, func(o *engine.Options) { o.OpenStore = open })
	h := hire(t, n)
	h.Do("MSET", "a", "1", "b", "2", "other", "3")

	all := errands.Selection{DB: -1}
	h.begins(errands.KindSurvey, errands.Survey{Of: errands.Selection{DB: 0, Prefix: []byte("o")}})
	if v := result[errands.Surveyed](h); v.Keys != 3 || v.Selected != 1 || v.Databases != 16 {
		t.Errorf("%+v", v)
	}
	h.begins(errands.KindDiscard, errands.Selection{DB: -1, Prefix: []byte("o")})
	if v := result[errands.Discarded](h); v.Keys != 1 {
		t.Errorf("%+v", v)
	}

	bucket, err := open(settings)
	if err != nil {
		t.Fatal(err)
	}
	defer bucket.Close()
	order := errands.Snapshot{Store: settings.Seal(), Begun: "s/begun", Folder: "s", Object: "shard-0000.rdb.zst"}
	h.begins(errands.KindSnapshot, order)
	if s := h.ends(); s.Code != "store-bucket" || !strings.Contains(s.Error, "all machines") {
		t.Errorf("a store without what was begun there: %+v", s)
	}
	if _, err := bucket.Put(t.Context(), "s/begun", strings.NewReader("x"), nil); err != nil {
		t.Fatal(err)
	}
	h.begins(errands.KindSnapshot, order)
	taken := result[errands.Taken](h)
	if taken.Keys != 2 || taken.Replica || taken.Databases != 16 || taken.RawBytes == 0 {
		t.Errorf("%+v", taken)
	}
	in, err := (snapshot.Store{Bucket: bucket}).Open(t.Context(), &snapshot.Found{Folder: "s"}, snapshot.Shard{
		Object: order.Object, RawBytes: taken.RawBytes, Bytes: taken.Bytes, SHA256: taken.SHA256,
	})
	if err != nil {
		t.Fatal(err)
	}
	file, err := io.ReadAll(in)
	if err != nil {
		t.Fatal(err)
	}

	h.Do("FLUSHALL")
	h.begins(errands.KindIntake, errands.Intake{})
	for piece := range slices.Chunk(file, 100) {
		h.Do("LARDER", "GIVE", string(piece))
	}
	h.Do("LARDER", "GIVEN")
	if v := result[errands.TakenIn](h); v.Taken != 2 {
		t.Errorf("%+v", v)
	}
	h.begins(errands.KindSurvey, errands.Survey{Of: all})
	if v := result[errands.Surveyed](h); v.Keys != 2 {
		t.Errorf("%+v", v)
	}
}

// TestErrandsEnd: an errand ends with its connection, with who gives, and with the node, and says why; nothing is left of a snapshot.
func TestErrandsEnd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "store")
	open, settings := storing(path)
	n := serving(t, func(o *engine.Options) { o.OpenStore = open })
	h := hire(t, n)
	h.Do("SET", "a", strings.Repeat("larder", 1<<20))
	for _, wrong := range []struct{ kind, order, want string }{
		{"NAP", "{}", "-ERR there is no errand \"NAP\""},
		{errands.KindSurvey, "{", "-ERR the errand's order cannot be read"},
		{errands.KindSurvey, `{"of":{"db":-1,"slots":"7-3"}}`, "-ERR "},
		{errands.KindSnapshot, `{"store":{"secret-key":"(hidden)"}}`, "-ERR the errand's order cannot be read"},
	} {
		if got := string(h.Do("LARDER", "ERRAND", wrong.kind, wrong.order)); !strings.HasPrefix(got, wrong.want) {
			t.Errorf("%s %s: %q", wrong.kind, wrong.order, got)
		}
	}
	if got := string(h.Do("LARDER", "ASK")); got != "-ERR the connection has asked for no errand\r\n" {
		t.Errorf("%q", got)
	}
	h.begins(errands.KindIntake, errands.Intake{})
	if got := h.begin(errands.KindIntake, errands.Intake{}); got != "-ERR the connection's errand is not over\r\n" {
		t.Errorf("%q", got)
	}
	h.Do("LARDER", "GIVEN", "the source broke off")
	if s := h.ends(); !strings.Contains(s.Error, "the source broke off") || s.Code != errands.CodeFailed {
		t.Errorf("%+v", s)
	}

	bucket, err := open(settings)
	if err != nil {
		t.Fatal(err)
	}
	defer bucket.Close()
	if _, err := bucket.Put(t.Context(), "s/begun", strings.NewReader("x"), nil); err != nil {
		t.Fatal(err)
	}
	before := left(t, path)
	order := errands.Snapshot{Store: settings.Seal(), Begun: "s/begun", Folder: "s", Object: "o", BytesPerSec: 1}
	leaving := hire(t, n)
	leaving.begins(errands.KindSnapshot, order)
	until(t, "the snapshot is under way", func() bool { return left(t, path) > before })
	leaving.Do("QUIT")
	until(t, "nothing is left of it", func() bool { return left(t, path) == before })
	if list, err := bucket.List(context.WithoutCancel(t.Context()), ""); err != nil || len(list) != 1 {
		t.Error(list, err)
	}
}

// left counts the files in a store's folder, those that are being written too.
func left(t *testing.T, path string) (n int) {
	t.Helper()
	for _, pattern := range []string{"*", "*/*", ".*/*", "*/.*", ".*"} {
		found, err := filepath.Glob(filepath.Join(path, pattern))
		if err != nil {
			t.Fatal(err)
		}
		n += len(found)
	}
	return n
}

func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(peers.Patience); !is(); {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
		time.Sleep(time.Millisecond)
	}
}

// TestErrandsAreNotShown: an order has secrets, and neither MONITOR nor the slow log shows it; who may not administer the node asks for none.
func TestErrandsAreNotShown(t *testing.T) {
	n := serving(t, nil)
	h, watcher := hire(t, n), peers.Dial(t, n.Addr(), 2)
	h.Do("CONFIG", "SET", "slowlog-log-slower-than", "0")
	watcher.Do("MONITOR")
	h.begin(errands.KindSnapshot, errands.Snapshot{Store: persistence.Settings{"secret-key": "hush"}.Seal()})
	h.Do("PING", "end")
	for {
		line := string(watcher.Reply())
		if strings.Contains(line, "hush") || strings.Contains(line, "ERRAND") {
			t.Errorf("MONITOR: %q", line)
		}
		if strings.Contains(line, "end") {
			break
		}
	}
	if got := string(h.Do("SLOWLOG", "GET")); strings.Contains(got, "hush") {
		t.Errorf("SLOWLOG: %q", got)
	}
	h.Do("ACL", "SETUSER", "plain", "on", ">pw", "~*", "+@all", "-@admin")
	h.Do("AUTH", "plain", "pw")
	if got := string(h.Do("LARDER", "ERRAND", errands.KindDiscard, `{"db":-1}`)); !strings.HasPrefix(got, "-NOPERM") {
		t.Errorf("%q", got)
	}
}

// TestErrandNobodyAsksAbout: who is silent for long wants nothing any more, though its connection stands.
func TestErrandNobodyAsksAbout(t *testing.T) {
	b := newBed(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	defer b.node.Jobs(ctx)()
	defer cancel()
	c := b.client()
	c.says("+OK\r\n", "LARDER", "ERRAND", errands.KindIntake, "{}")
	for range 3 {
		b.m.Advance(errands.Patience / 2)
		if got := c.do("LARDER", "ASK"); !strings.Contains(got, `"over":false`) {
			t.Fatalf("it was asked about: %q", got)
		}
	}
	b.m.Advance(errands.Patience + time.Second)
	until(t, "it is given up", func() bool {
		return strings.Contains(c.do("LARDER", "ASK"), "nobody has asked about it")
	})
}
