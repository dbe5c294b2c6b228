package digest_test

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"testing"

	"larder/internal/dumps"
	"larder/internal/peers"
	"larder/internal/recorded"
	"larder/persistence/digest"
	"larder/persistence/rdb"
	encoding "larder/protocol/encoding/rdb"
)

// built makes the digest of a recorded value from its parts; not ok: of a stream, or a value that was not recorded whole.
func built(k *recorded.Key) (v digest.Value, ok bool) {
	b := digest.New(k.Type)
	if !k.Whole() {
		return v, false
	}
	list, _ := k.Value.([]any)
	for i := range list { // from behind: of what has an order lists alone are
		part := list[len(list)-1-i]
		if k.Type == digest.List {
			part = list[i]
		}
		pair, _ := part.([]any)
		switch k.Type {
		case digest.List:
			b.Element([]byte(recorded.Plain(part)))
		case digest.Set:
			b.Member([]byte(recorded.Plain(part)))
		case digest.ZSet:
			score, err := strconv.ParseFloat(recorded.Plain(pair[1]), 64)
			if err != nil {
				return v, false
			}
			b.Scored([]byte(recorded.Plain(pair[0])), score)
		case digest.Hash:
			expiry := int64(0)
			if len(pair) > 2 {
				expiry, _ = strconv.ParseInt(recorded.Plain(pair[2]), 10, 64)
			}
			b.Field([]byte(recorded.Plain(pair[0])), []byte(recorded.Plain(pair[1])), max(expiry, 0))
		default:
			return v, false
		}
	}
	if k.Type == digest.String {
		b.Text([]byte(recorded.Plain(k.Value)))
	}
	return b.Value(), k.Type != digest.Stream
}

// TestRecordedValues: what real servers of all forms wrote has the digest of what they said the value is; and the same key of different servers has the same.
func TestRecordedValues(t *testing.T) {
	compared, streams, types := 0, map[string]digest.Value{}, map[encoding.Type]bool{}
	for _, name := range recorded.Files(t) {
		keys := map[string]*recorded.Key{}
		for _, k := range recorded.Keys(t, name) {
			keys[fmt.Sprint(k.DB, " ", k.Key)] = &k
		}
		var s rdb.Scanner
		s.Feed(recorded.RDB(t, name))
		for {
			e, state, err := s.Next()
			if err != nil {
				t.Fatal(err)
			}
			if state == rdb.End {
				break
			}
			if state != rdb.Key {
				continue
			}
			k := keys[fmt.Sprint(e.DB, " ", string(e.Key))]
			got, err := digest.Body(e.Type, e.Body, 1)
			if err != nil || got.Type != k.Type {
				t.Fatalf("%s: %q: %+v %v", name, k.Key, got, err)
			}
			types[e.Type] = true
			if len(k.Dump) > 0 {
				if same, err := digest.Payload(k.Dump, 1); err != nil || !same.Same(got) || same.Counters != got.Counters {
					t.Errorf("%s: %q: by DUMP %+v %v, in the file %+v", name, k.Key, same, err, got)
				}
			}
			if want, ok := built(k); ok {
				compared++
				if !got.Same(want) {
					t.Errorf("%s: %q of type %d: %+v, want %+v", name, k.Key, e.Type, got, want)
				}
			}
			if k.Type == digest.Stream {
				at := fmt.Sprint(k.DB, " ", k.Key)
				if other, there := streams[at]; there && !got.Same(other) && string(k.Key) != "stream:pel" {
					t.Errorf("%s: stream %q is %+v, another server's %+v", name, k.Key, got, other)
				}
				streams[at] = got
			}
		}
	}
	if compared < 300 || len(streams) < 5 || len(types) < 12 {
		t.Errorf("only %d values, %d streams and %d forms were compared", compared, len(streams), len(types))
	}
}

// TestForms: whatever limits a server has for its small forms, values have the same digest, and another value has another.
func TestForms(t *testing.T) {
	small := peers.Dial(t, peers.StartRedis(t), 0)
	none := []string{"--set-max-intset-entries", "0", "--rdbcompression", "no", "--stream-node-max-entries", "3", "--list-max-listpack-size", "2"}
	for _, kind := range []string{"hash", "zset"} {
		none = append(none, "--"+kind+"-max-listpack-entries", "0")
	}
	large := peers.Dial(t, peers.StartRedis(t, none...), 0)
	seen := map[digest.Sum]string{}
	both := func(key string, commands ...[]string) {
		t.Helper()
		var values []digest.Value
		var forms []encoding.Type
		for _, c := range []*peers.Conn{small, large} {
			for _, command := range commands {
				if reply := c.Do(command...); reply[0] == '-' {
					t.Fatalf("%q: %s", command, reply)
				}
			}
			form, body := dumps.Get(t, c, key)
			v, err := digest.Body(form, body, 1)
			if err != nil {
				t.Fatal(key, err)
			}
			values, forms = append(values, v), append(forms, form)
		}
		if !values[0].Same(values[1]) {
			t.Errorf("%s: as type %d %+v, as type %d %+v", key, forms[0], values[0], forms[1], values[1])
		}
		whole := values[0].Sum
		whole.Add(values[0].Counters)
		if other := seen[whole]; other != "" {
			t.Errorf("%s has the digest of %s", key, other)
		}
		seen[whole] = key
	}
	long := string(make([]byte, 5000))
	both("text", []string{"SET", "text", "12345"})
	both("text2", []string{"SET", "text2", long})
	both("hll", []string{"PFADD", "hll", "a", "b"})
	large.Do("PFADD", "hll", "c")
	small.Do("PFADD", "hll", "c")
	small.Do("PFCOUNT", "hll")
	both("hll", []string{"PING"})
	both("set", []string{"SADD", "set", "3", "1", "2"})
	both("set2", []string{"SADD", "set2", "3", "1", "x"})
	both("set3", []string{"SADD", "set3", "31", "x"}) // other cuts of the same bytes
	both("hash", []string{"HSET", "hash", "a", "1", "b", "2"})
	both("hash2", []string{"HSET", "hash2", "a", "2", "b", "1"})
	both("hash3", []string{"HSET", "hash3", "a", "1", "b", long})
	both("zset", []string{"ZADD", "zset", "1.5", "a", "-0", "b", "inf", "c", "0.1", "d", "-1e300", "e", "3", "f"})
	both("zset2", []string{"ZADD", "zset2", "1.5", "a", "0", "b", "-inf", "c", "0.1", "d", "-1e300", "e", "3", "f"})
	both("list", []string{"RPUSH", "list", "a", "b", "1", "2", long})
	both("list2", []string{"RPUSH", "list2", "b", "a", "1", "2", long})
	add := func(key string) (all [][]string) {
		for i := range 10 {
			all = append(all, []string{"XADD", key, fmt.Sprintf("%d-1", i+1), "a", "1", fmt.Sprint("f", i/2), "v"})
		}
		return all
	}
	both("stream", add("stream")...)
	both("stream2", append(add("stream2"), []string{"XDEL", "stream2", "4-1"})...)
	both("stream3", append(add("stream3"), []string{"XSETID", "stream3", "11-1"})...)
	both("stream4", append(add("stream4"), []string{"XGROUP", "CREATE", "stream4", "g", "3-1"})...)
	both("stream5", append(add("stream5"), []string{"XGROUP", "CREATE", "stream5", "g", "4-1"})...)
	both("stream6", append(add("stream6"), []string{"XGROUP", "CREATE", "stream6", "g", "4-1"}, []string{"XGROUP", "CREATECONSUMER", "stream6", "g", "c"})...)
	claim := func(key, id, consumer, time string) []string {
		return []string{"XCLAIM", key, "g", consumer, "0", id, "TIME", time, "RETRYCOUNT", "3", "FORCE", "JUSTID"}
	}
	group := func(key string) [][]string { return append(add(key), []string{"XGROUP", "CREATE", key, "g", "9-1"}) }
	both("stream7", append(group("stream7"), claim("stream7", "2-1", "c", "1000"))...)
	both("stream8", append(group("stream8"), claim("stream8", "3-1", "c", "1000"))...)
	both("stream9", append(group("stream9"), claim("stream9", "2-1", "d", "1000"))...)
	both("stream10", append(group("stream10"), claim("stream10", "2-1", "c", "1001"))...)
}

// TestBuilder: parts in any order, some of them twice, and fields that have died.
func TestBuilder(t *testing.T) {
	whole := digest.New(digest.ZSet)
	whole.Scored([]byte("a"), 1)
	whole.Scored([]byte("b"), math.Copysign(0, -1))
	scanned := digest.NewScanned(digest.ZSet)
	for _, member := range []string{"b", "a", "b", "a"} {
		scanned.Scored([]byte(member), float64('b'-member[0]))
	}
	if !whole.Value().Same(scanned.Value()) || whole.Value().Elements != 2 {
		t.Errorf("%+v, %+v", whole.Value(), scanned.Value())
	}
	one, many := digest.New(digest.String), digest.New(digest.String)
	one.Text([]byte("text"))
	many.Text([]byte("te"))
	many.Text([]byte("xt"))
	if !one.Value().Same(many.Value()) {
		t.Error("a text in parts is another")
	}
	body := encoding.AppendLength(nil, 2) // of TypeHashTimed: fields a, dead at 100, and b, that lives
	for i, field := range []string{"a", "b"} {
		body = encoding.AppendString(body, []byte(field), nil)
		body = encoding.AppendString(body, []byte("v"), nil)
		body = append(body, byte(100+100*i), 0, 0, 0, 0, 0, 0, 0)
	}
	early, err := digest.Body(encoding.TypeHashTimed, body, 99)
	if err != nil || early.Elements != 2 {
		t.Error(early, err)
	}
	late, err := digest.Body(encoding.TypeHashTimed, body, 100)
	if err != nil || late.Elements != 1 {
		t.Error(late, err)
	}
	if _, err := digest.Payload([]byte("short"), 0); !errors.Is(err, digest.ErrBroken) {
		t.Error(err)
	}
	if _, err := digest.Body(encoding.TypeSet, []byte("\x02\x01a"), 0); !errors.Is(err, digest.ErrBroken) {
		t.Error(err)
	}
	if _, err := digest.Body(encoding.TypeString, []byte("\x01ab"), 0); !errors.Is(err, digest.ErrBroken) {
		t.Error(err)
	}
}

// FuzzBody: no bytes make it panic, and it takes no more from them than there is.
func FuzzBody(f *testing.F) {
	for _, k := range recorded.Dumps(f) {
		if len(k.Dump) < 400 && len(k.Dump) > 11 {
			f.Add(k.Dump[0], k.Dump[1:len(k.Dump)-10])
		}
	}
	for _, k := range recorded.Keys(f, "redis-8.6.3.all") {
		if len(k.Dump) < 200 && k.Number > 21 {
			f.Add(k.Number+100, k.Dump[1:len(k.Dump)-10])
		}
	}
	f.Add(byte(encoding.TypeHashZipmap), []byte("\x07\x01\x01a\x01\x00b\xff"))
	f.Fuzz(func(t *testing.T, kind byte, body []byte) {
		one, err := digest.Body(encoding.Type(kind), body, 1)
		if err != nil {
			return
		}
		if two, err := digest.Body(encoding.Type(kind), body, 1); err != nil || !one.Same(two) || one.Type == "" {
			t.Fatalf("%+v, again %+v %v", one, two, err)
		}
	})
}
