package commands_test

import (
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"larder/engine/commands"
	"larder/internal/recorded"
	"larder/persistence/rdb"
	encoding "larder/protocol/encoding/rdb"
	"larder/protocol/resp"
)

// load puts a file's keys into a node, and those of Lost.
func load(t *testing.T, n *node, file []byte) {
	t.Helper()
	n.call.NowMS = n.now()
	var s rdb.Scanner
	s.Feed(file)
	for {
		e, state, err := s.Next()
		switch {
		case err != nil:
			t.Fatal(err)
		case state == rdb.More:
			t.Fatal(s.Ended())
		case state == rdb.End:
			return
		case state == rdb.Key:
			n.call.DB, n.call.DBIndex = n.store.DB(e.DB), e.DB
			if err := n.call.Load(&e.Value); err != nil {
				t.Fatalf("%q of type %d: %v", e.Key, e.Type, err)
			}
		}
	}
}

// TestRecordedFilesLoad puts files of real servers into a node and asks for everything that those servers said of their keys.
func TestRecordedFilesLoad(t *testing.T) {
	for _, name := range recorded.Files(t) {
		t.Run(name, func(t *testing.T) {
			n := newNode(t, 2)
			load(t, n, recorded.RDB(t, name))
			keys := recorded.Keys(t, name)
			for i := range keys {
				n.pick(strconv.Itoa(keys[i].DB))
				n.compare(t, &keys[i])
			}
			all := 0
			for i := range n.store.Databases() {
				all += n.store.DB(i).Len()
			}
			lost := 0
			if strings.HasPrefix(name, "redis-8") && all > 0 {
				lost = 1 // the stream with what producers have added
			}
			if all != len(keys) || n.call.Lost != lost {
				t.Errorf("%d keys, the server had %d; of %d something was lost", all, len(keys), n.call.Lost)
			}
		})
	}
}

// TestRecordedDumpsLoad puts the payloads that real servers gave for the same keys into a node.
func TestRecordedDumpsLoad(t *testing.T) {
	for _, name := range []string{"redis-7.2.6.all", "redis-8.6.3.all", "valkey-9.1.2.all", "valkey-9.1.2.all-nocompress"} {
		t.Run(name, func(t *testing.T) {
			keys, dumps := recorded.Keys(t, name), map[string][]byte{}
			if strings.HasSuffix(name, "nocompress") {
				for _, d := range recorded.Dumps(t) {
					dumps[string(d.Key)] = d.Dump
				}
			}
			n, loaded := newNode(t, 2), 0
			for i := range keys {
				k := &keys[i]
				payload := k.Dump
				if len(dumps) > 0 {
					payload = dumps[string(k.Key)]
				}
				if len(payload) == 0 {
					continue
				}
				const newest = 80
				kind, value, _, err := encoding.OpenPayload(payload, newest)
				if err != nil {
					t.Fatal(err)
				}
				n.pick(strconv.Itoa(k.DB))
				n.call.NowMS = n.now()
				if err := n.call.Load(&encoding.Value{Key: []byte(k.Key), Type: kind, Body: value, ExpiryMS: k.ExpiryMS, IdleS: -1, Freq: -1}); err != nil {
					t.Errorf("%q: %v", k.Key, err)
					continue
				}
				loaded++
				n.compare(t, k)
			}
			if want := len(keys) - 1; len(dumps) == 0 && loaded < want || len(dumps) > 0 && loaded != len(dumps) {
				t.Errorf("%d of %d payloads", loaded, want)
			}
		})
	}
}

// compare asks for all of a key.
func (n *node) compare(t *testing.T, k *recorded.Key) {
	t.Helper()
	expiry := int64(-1)
	if k.ExpiryMS != 0 {
		expiry = k.ExpiryMS
	}
	key := string(k.Key)
	if got, want := n.do("PEXPIRETIME", key), fmt.Sprintf(":%d\r\n", expiry); got != want {
		t.Errorf("%q: expires %q, recorded %q", key, got, want)
	}
	expiring := k.Type == "hash" && k.Number >= byte(encoding.TypeHashTimed)
	encodings := []string{k.Encoding, k.Loaded}
	switch {
	case expiring:
		encodings = []string{"hashtable", "listpack"} // Redis 8 has a form of its own, and keeps it when nothing expires any more
	case k.Encoding == "raw" || k.Encoding == "embstr": // the others part them elsewhere than Redis 7.2
		encodings = []string{"raw", "embstr"}
	}
	if got := textOf(n.do("OBJECT", "ENCODING", key)); n.do("TYPE", key) != "+"+k.Type+"\r\n" || !slices.Contains(encodings, got) {
		t.Errorf("%q: %s, %s; recorded %s, %q", key, n.do("TYPE", key), got, k.Type, encodings)
	}
	if d := n.call.DigestValue([]byte(key)); hex.EncodeToString(d[:]) != k.Digest && !(expiring && k.Number > byte(encoding.TypeHashTimed)) { // Redis 8 digests that fields expire
		t.Errorf("%q: digest %x, recorded %s", key, d, k.Digest)
	}
	if !k.Whole() {
		return
	}
	if got, want := n.value(k.Type, key), plain(k.Value); k.Type != "stream" && !reflect.DeepEqual(got, want) {
		t.Errorf("%q: %.300q\nrecorded %.300q", key, got, want)
	}
	if k.Type == "stream" {
		n.compareStream(t, key, k.Value.(map[string]any))
	}
}

// plain makes a recorded value one of texts and lists of them.
func plain(v any) any {
	list, ok := v.([]any)
	if !ok {
		return recorded.Plain(v)
	}
	out := make([]any, len(list))
	for i := range list {
		out[i] = plain(list[i])
	}
	return out
}

// value asks for a value and gives it as it is recorded.
func (n *node) value(kind, key string) any {
	switch kind {
	case "string":
		return tree([]byte(n.do("GET", key)))
	case "list":
		return tree([]byte(n.do("LRANGE", key, "0", "-1")))
	case "set":
		all := tree([]byte(n.do("SMEMBERS", key))).([]any)
		slices.SortFunc(all, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
		return all
	case "zset":
		return pairs(tree([]byte(n.do("ZRANGE", key, "0", "-1", "WITHSCORES"))).([]any))
	case "hash":
		all := pairs(tree([]byte(n.do("HGETALL", key))).([]any))
		slices.SortFunc(all, func(a, b any) int { return strings.Compare(a.([]any)[0].(string), b.([]any)[0].(string)) })
		for i, pair := range all {
			field := pair.([]any)[0].(string)
			if at := tree([]byte(n.do("HPEXPIRETIME", key, "FIELDS", "1", field))).([]any)[0]; at != "-1" {
				all[i] = append(pair.([]any), at)
			}
		}
		return all
	}
	return nil
}

func pairs(flat []any) []any {
	out := make([]any, len(flat)/2)
	for i := range out {
		out[i] = flat[2*i : 2*i+2 : 2*i+2]
	}
	return out
}

// tree is a reply as texts and lists of them; a null is "<nil>".
func tree(reply []byte) any {
	v := resp.Value(reply)
	if v.IsNull() {
		return "<nil>"
	}
	if reply[0] != '*' {
		if text, ok := v.Bytes(); ok {
			return string(text)
		}
		n, _ := v.Int()
		return strconv.FormatInt(n, 10)
	}
	out := []any{}
	for it := v.Elements(); ; {
		e, ok := it.Next()
		if !ok {
			return out
		}
		out = append(out, tree(e))
	}
}

// named makes a map of a list of names and values.
func named(v any) map[string]any {
	out := map[string]any{}
	for _, pair := range pairs(v.([]any)) {
		out[pair.([]any)[0].(string)] = pair.([]any)[1]
	}
	return out
}

func (n *node) compareStream(t *testing.T, key string, want map[string]any) {
	t.Helper()
	got := named(tree([]byte(n.do("XINFO", "STREAM", key, "FULL", "COUNT", "0"))))
	for theirs, ours := range map[string]string{
		"last_id": "last-generated-id", "entries_added": "entries-added", "max_deleted_id": "max-deleted-entry-id",
		"recorded_first_entry_id": "recorded-first-entry-id", "length": "length",
	} {
		if got[ours] != recorded.Plain(want[theirs]) {
			t.Errorf("%q: %s %q, recorded %q", key, ours, got[ours], want[theirs])
		}
	}
	if !reflect.DeepEqual(got["entries"], plain(want["entries"])) {
		t.Errorf("%q: %.300q\nrecorded %.300q", key, got["entries"], want["entries"])
	}
	groups, wants := got["groups"].([]any), want["groups"].([]any)
	if len(groups) != len(wants) {
		t.Fatalf("%q: %d groups, recorded %d", key, len(groups), len(wants))
	}
	for i := range groups {
		compareGroup(t, key, named(groups[i]), wants[i].(map[string]any))
	}
}

func compareGroup(t *testing.T, key string, got, want map[string]any) {
	t.Helper()
	text := func(v any) string {
		if v == nil {
			return "<nil>"
		}
		return recorded.Plain(v)
	}
	for theirs, ours := range map[string]string{"name": "name", "last_delivered_id": "last-delivered-id", "entries_read": "entries-read", "lag": "lag"} {
		if got[ours] != text(want[theirs]) {
			t.Errorf("%q: group %q: %s %q, recorded %q", key, got["name"], ours, got[ours], text(want[theirs]))
		}
	}
	var pending, consumers []string
	for _, p := range want["pending"].([]any) {
		p := p.([]any)
		pending = append(pending, fmt.Sprint(text(p[0]), text(p[1]), text(p[3]), text(p[2])))
	}
	for _, c := range want["consumers"].([]any) {
		c := c.(map[string]any)
		consumers = append(consumers, fmt.Sprint(text(c["name"]), text(c["seen_time"]), text(c["active_time"]), text(c["pel_count"])))
	}
	var gotPending, gotConsumers []string
	for _, p := range got["pending"].([]any) {
		p := p.([]any)
		gotPending = append(gotPending, fmt.Sprint(p[0], p[1], p[2], p[3]))
	}
	for _, c := range got["consumers"].([]any) {
		c := named(c)
		gotConsumers = append(gotConsumers, fmt.Sprint(c["name"], c["seen-time"], c["active-time"], c["pel-count"]))
	}
	if !slices.Equal(gotPending, pending) || !slices.Equal(gotConsumers, consumers) {
		t.Errorf("%q: group %q: pending %q, consumers %q\nrecorded %q, %q", key, got["name"], gotPending, gotConsumers, pending, consumers)
	}
}

// TestLoadRefuses what it does not have by its name, and what is broken, and changes nothing.
func TestLoadRefuses(t *testing.T) {
	n := newNode(t, 2)
	for name, test := range map[string]struct {
		kind encoding.Type
		body string
		want error
		text string
	}{
		"a module":         {encoding.TypeModule, "\x81\xd6\x0a\x3b\x2a\x1e\x5d\x74\x02\x00", commands.ErrForeign, `module type "1go7Kh5dd"`},
		"a broken text":    {encoding.TypeString, "\x05abc", commands.ErrBroken, "type 0"},
		"an empty set":     {encoding.TypeSet, "\x00", commands.ErrBroken, "type 2"},
		"a field twice":    {encoding.TypeHash, "\x02\x01a\x01b\x01a\x01c", commands.ErrBroken, "type 4"},
		"a broken list":    {encoding.TypeHashListpack, "\x03abc", commands.ErrBroken, "type 16"},
		"an expiry of old": {encoding.TypeHashExpiries, "\x00\x00\x00\x00\x00\x00\x00\x00\x01\x01\x01f\x01v", commands.ErrBroken, "type 124"},
		"an expiry too far": {
			encoding.TypeHashExpiries, "\xff\xff\xff\xff\xff\xff\xff\x7f\x01\x81\xff\xff\xff\xff\xff\xff\xff\xff\x01f\x01v", commands.ErrBroken, "type 124",
		},
	} {
		err := n.call.Load(&encoding.Value{Key: []byte("k"), Type: test.kind, Body: []byte(test.body), IdleS: -1, Freq: -1})
		if !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.text) || n.store.DB(0).Len() != 0 {
			t.Errorf("%s: %v; want %v and %q", name, err, test.want, test.text)
		}
	}
}

// FuzzLoad gives Load any bytes as a value of any type: nothing panics, and what is refused leaves no key.
func FuzzLoad(f *testing.F) {
	for _, name := range recorded.Files(f) {
		for _, k := range recorded.Keys(f, name) {
			if n := len(k.Dump); n > 10 && n < 400 && k.Type != "string" {
				kind, _ := encoding.TypeOf(k.Number, int(k.Dump[n-10]), k.Dump[n-10] == 80)
				f.Add(byte(kind), k.Dump[1:n-10])
			}
		}
	}
	f.Fuzz(func(t *testing.T, kind byte, body []byte) {
		n := newNode(t, 2)
		if err := n.call.Load(&encoding.Value{Key: []byte("k"), Type: encoding.Type(kind), Body: body, IdleS: 3, Freq: 2}); err != nil {
			if n.store.DB(0).Len() != 0 {
				t.Fatalf("%v, and a key is there", err)
			}
			return
		}
		again := n.do("DUMP", "k")
		if again != "$-1\r\n" && n.do("RESTORE", "l", "0", textOf(again)) != "+OK\r\n" { // else all of it has expired
			t.Fatalf("%q, dumped as %q, does not come back", body, again)
		}
	})
}
