package engine_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hdt3213/rdb/model"
	"github.com/hdt3213/rdb/parser"

	"larder/engine"
	"larder/persistence/rdb"
)

// TestIndependentReader: a reader that others wrote finds in what a node saves what the node has.
func TestIndependentReader(t *testing.T) {
	b := newBedNow(t, nil)
	k := b.client()
	k.fillLarge()
	k.do("DEL", "large:elements") // it reads no listpack with an element above 4 KiB, whoever wrote it
	k.talk(`
		SET s text => +OK
		SET n -12345 => +OK
		SET until v PXAT 4102444800123 => +OK
		RPUSH l a b 3 => :3
		SADD ints 1 2 3 => :3
		SADD words a b => :2
		ZADD z 1.5 a -2 b => :2
		HSET h f v g 7 => :2
		SELECT 3 => +OK
		SET other db => +OK
	`)
	sink := &engine.PassSink{}
	if _, _, err := b.node.BeginPass(false, sink); err != nil {
		t.Fatal(err)
	}
	b.m.EndTurn()
	if !sink.Ended || sink.Err != nil {
		t.Fatal(sink.Err)
	}
	got := map[string]string{}
	err := parser.NewDecoder(bytes.NewReader(rdb.AppendSum(sink.Bytes, 0))).Parse(func(o model.RedisObject) bool {
		got[o.GetKey()] = seenBy(o)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{
		"s": "0 text", "n": "0 -12345", "until": "0 v until 4102444800123", "l": "0 [a b 3]", "ints": "0 3 members", "words": "0 2 members", "z": "0 b -2 a 1.5", "h": "0 map[f:v g:7]",
		"other": "3 db", "large:set": "0 20000 members",
	} {
		if got[key] != want {
			t.Errorf("%s: %q, want %q", key, got[key], want)
		}
	}
	if len(got) != 15 {
		t.Errorf("%d keys", len(got))
	}
}

// seenBy is what the independent reader has of a key, with its database.
func seenBy(o model.RedisObject) string {
	until := ""
	if at := o.GetExpiration(); at != nil {
		until = fmt.Sprintf(" until %d", at.UnixMilli())
	}
	switch v := o.(type) {
	case *parser.StringObject:
		return fmt.Sprintf("%d %s%s", v.GetDBIndex(), v.Value, until)
	case *parser.ListObject:
		return fmt.Sprintf("%d %s", v.GetDBIndex(), v.Values)
	case *parser.SetObject:
		return fmt.Sprintf("%d %d members", v.GetDBIndex(), len(v.Members))
	case *parser.HashObject:
		return fmt.Sprintf("%d %s", v.GetDBIndex(), v.Hash)
	case *parser.ZSetObject:
		text := fmt.Sprint(v.GetDBIndex())
		for _, e := range v.Entries {
			text += fmt.Sprintf(" %s %v", e.Member, e.Score)
		}
		return text
	}
	return fmt.Sprintf("%T", o)
}

// TestFieldsThatExpire: a file keeps their times; nodes load it, in both forms; a server that has no such hashes refuses it.
func TestFieldsThatExpire(t *testing.T) {
	for _, valkey := range []bool{false, true} {
		b := newBedNow(t, nil)
		k := b.client()
		for i := range 2000 {
			k.do("HSET", "h", fmt.Sprint("field", i), "value")
			if i%2 == 0 {
				k.do("HPEXPIREAT", "h", fmt.Sprint(4102444800000+i), "FIELDS", "1", fmt.Sprint("field", i))
			}
		}
		sink := &engine.PassSink{}
		if _, _, err := b.node.BeginPass(valkey, sink); err != nil {
			t.Fatal(err)
		}
		b.m.EndTurn()
		if want := map[bool]string{false: "REDIS0010", true: "VALKEY080"}[valkey]; !bytes.HasPrefix(sink.Bytes, []byte(want)) {
			t.Fatalf("it begins with %q", sink.Bytes[:9])
		}
		file := rdb.AppendSum(sink.Bytes, 0)
		other := loadedBed(t, file)
		for _, args := range [][]string{{"DBSIZE"}, {"HLEN", "h"}, {"HPEXPIRETIME", "h", "FIELDS", "3", "field0", "field1", "field1998"}} {
			other.says(k.do(args...), args...)
		}
		if got, want := other.digest(), k.digest(); got != want {
			t.Errorf("digest %s, want %s", got, want)
		}
		path := filepath.Join(t.TempDir(), "dump.rdb")
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command("redis-check-rdb", path).CombinedOutput(); err == nil {
			t.Errorf("a server of 7.0 takes it: %s", out)
		}
	}
}

// loadedBed is a client of a node that has loaded a file.
func loadedBed(t *testing.T, file []byte) *talker {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "dump.rdb"), file, 0o600); err != nil {
		t.Fatal(err)
	}
	b := newBedNow(t, func(o *engine.Options) { o.Dir = dir })
	k := b.client()
	b.until(func() bool { return !strings.HasPrefix(k.do("PING"), "-LOADING ") })
	return k
}
