package engine_test

import (
	"sync/atomic"
	"testing"
	"time"

	"larder/engine"
	"larder/persistence/files"
)

// TestJournalSharesSyncs: who writes in the same round shares a sync, which the loop does itself while the disk is quick.
func TestJournalSharesSyncs(t *testing.T) {
	b, trace, _ := journaled(t, "always")
	a, c, d := b.client(), b.client(), b.client()
	b.node.SyncsTake(0)
	a.says("+OK\r\n", "SET", "a", "1") // in its own turn
	b.node.SyncsTake(0)
	before := len(trace.Ops())
	for _, k := range []*talker{a, c, d} {
		k.c.Feed(sentence("INCR", "n"))
		if got := k.got(); got != "" {
			t.Errorf("%q before it is safe", got)
		}
	}
	b.m.EndTurn()
	for i, k := range []*talker{a, c, d} {
		if got, want := k.got(), []string{":1\r\n", ":2\r\n", ":3\r\n"}[i]; got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if ops := trace.Ops()[before:]; len(ops) != 2 || ops[0].Kind != files.Write || ops[1].Kind != files.Sync {
		t.Errorf("%v", ops)
	}
}

// TestJournalSlowDisk: while the disk is slow nobody waits for it but those whose writes it has to make safe. It is slow when syncs take long on average.
func TestJournalSlowDisk(t *testing.T) {
	var held atomic.Bool
	release, syncs := make(chan struct{}), atomic.Int32{}
	watch := func(op files.Op) error {
		if op.Kind == files.Sync && held.Load() {
			syncs.Add(1)
			<-release
		}
		return nil
	}
	b := newBedAt(t, start, watch, func(o *engine.Options) { o.AppendFsync = "always" })
	b.client().says("+OK\r\n", "CONFIG", "SET", "appendonly", "yes")
	b.rewritten("1")
	w, more, other := b.client(), b.client(), b.client()
	b.node.SyncsTake(0)
	b.node.SyncTook(15 * time.Millisecond)
	w.says("+OK\r\n", "SET", "a", "0") // one that takes long makes no slow disk
	b.node.SyncsTake(0)
	b.node.SyncTook(100 * time.Millisecond)
	held.Store(true)
	w.says("", "SET", "a", "1")
	other.says("$-1\r\n", "GET", "b")
	more.says("", "SET", "c", "1")
	other.says("+PONG\r\n", "PING")
	release <- struct{}{}
	b.until(func() bool { return w.got() == "+OK\r\n" })
	b.until(func() bool { return syncs.Load() == 2 })
	if got := more.got(); got != "" {
		t.Errorf("%q before it is safe", got)
	}
	held.Store(false)
	release <- struct{}{}
	b.until(func() bool { return more.got() == "+OK\r\n" })
	for range 100 {
		b.node.SyncTook(0)
	}
	w.says("+OK\r\n", "SET", "a", "2")
}
