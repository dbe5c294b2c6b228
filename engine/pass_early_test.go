package engine_test

import (
	"fmt"
	"strings"
	"testing"

	"larder/engine"
	"larder/persistence/rdb"
)

// TestPassTakesEarly: what is overwritten before a pass has come by goes into its file at once, also while the file takes nothing, and the store keeps
// nothing of it; beyond the room that there is for that the store keeps the rest.
func TestPassTakesEarly(t *testing.T) {
	const keys = 3000
	b := newBedNow(t, nil)
	k := b.client()
	write := func(from, to int, text string) {
		for i := from; i < to; i++ {
			k.do("SELECT", fmt.Sprint(i%2))
			k.do("SET", fmt.Sprint("key:", i), strings.Repeat(text, 1000))
		}
	}
	k.do("RPUSH", "large", strings.Repeat("x", 3<<20)) // the pass stops in its middle
	k.do("SELECT", "1")
	k.do("SET", "", "a key without a byte")
	k.do("HSET", "hash", "field", "old")
	write(0, keys, "old ")
	want := k.digest()

	open := false
	sink := &engine.PassSink{Room: func() bool { return open }}
	wake, _, err := b.node.BeginPass(false, sink)
	if err != nil {
		t.Fatal(err)
	}
	b.m.EndTurn()
	k.do("SELECT", "1")
	k.do("SET", "", "changed")
	k.do("HSET", "hash", "field", "new")
	write(keys/2, keys/2+1000, "new ")
	if kept := b.node.Kept(); kept != 0 {
		t.Errorf("%d bytes are kept of 4 MB that were overwritten", kept)
	}
	write(keys/4, keys, "more")
	kept := b.node.Kept()
	if kept == 0 {
		t.Error("nothing is kept of what there was no room for")
	}
	k.do("MSET", "key:1", "changed", "another", "key")
	for open = true; !sink.Ended; wake() {
		b.m.EndTurn()
	}
	if sink.Err != nil {
		t.Fatal(sink.Err)
	}
	if got := loadedBed(t, rdb.AppendSum(sink.Bytes, 0)).digest(); got != want {
		t.Errorf("read back: %s, want %s", got, want)
	}
	c := inRedis(t, rdb.AppendSum(sink.Bytes, 0))
	if got := strings.TrimSpace(string(c.Do("DBSIZE"))); got != fmt.Sprintf(":%d", keys/2+1) {
		t.Errorf("redis-server has %s keys in database 0", got)
	}
}

// TestPassOfKeyWithoutByte: such a key may be the first or the only one.
func TestPassOfKeyWithoutByte(t *testing.T) {
	b := newBedNow(t, nil)
	k := b.client()
	k.do("SET", "", "value")
	want := k.digest()
	sink := &engine.PassSink{}
	if _, _, err := b.node.BeginPass(false, sink); err != nil {
		t.Fatal(err)
	}
	b.m.EndTurn()
	if got := loadedBed(t, rdb.AppendSum(sink.Bytes, 0)).digest(); got != want {
		t.Errorf("read back: %s, want %s", got, want)
	}
}
