package engine_test

import (
	"testing"
	"time"
)

// TestWait: WAIT answers when enough replicas have said that they have what its client wrote, or when its time is over.
func TestWait(t *testing.T) {
	b := newBed(t, nil)
	k, other := b.client(), b.client()
	one, two := b.mirror(), b.mirror()
	one.syncs()
	two.syncs()
	k.says(":2\r\n", "WAIT", "2", "0") // it has written nothing
	k.says("+OK\r\n", "SET", "a", "1")
	k.says("", "WAIT", "1", "0")
	one.told("SELECT 0", "SET a 1", "REPLCONF GETACK *")
	other.says("+OK\r\n", "SET", "b", "1")
	if got := k.got(); got != "" {
		t.Fatalf("answered %q before any replica said anything", got)
	}
	one.acks()
	if got := k.got(); got != ":1\r\n" {
		t.Errorf("WAIT 1: %q", got)
	}
	k.says(":1\r\n", "WAIT", "1", "0")
	k.says("", "WAIT", "2", "500")
	other.says(":0\r\n", "WAIT", "0", "0")
	other.says("", "WAIT", "9", "0")
	two.reads(two.got())
	two.stream = ""
	one.reads(one.got())
	one.stream = ""
	b.m.Advance(600 * time.Millisecond)
	if got := k.got(); got != ":1\r\n" {
		t.Errorf("after its time: %q", got)
	}
	two.acks()
	k.says(":2\r\n", "WAIT", "2", "0")
	one.c.Hangup(nil)
	k.says(":1\r\n", "WAIT", "1", "0")
	k.says(":1\r\n", "CLIENT", "UNBLOCK", "2")
	if got := other.got(); got != ":1\r\n" {
		t.Errorf("unblocked: %q", got)
	}
	k.talk(`
		WAIT x 0 => -ERR value is not an integer or out of range
		WAIT 1 x => -ERR timeout is not an integer or out of range
		WAIT 1 -1 => -ERR timeout is negative
		MULTI => +OK
		SET a 2 => +QUEUED
		WAIT 5 0 => +QUEUED
		EXEC => *2\r\n+OK\r\n:1
	`)
}

// TestWaitAsksOnce: all who wait at the same place of the stream share a question.
func TestWaitAsksOnce(t *testing.T) {
	b := newBed(t, nil)
	f := b.mirror()
	f.syncs()
	k := b.client()
	k.says("+OK\r\n", "SET", "a", "1")
	f.told("SELECT 0", "SET a 1")
	waiting := []*talker{k, b.client(), b.client()}
	for _, w := range waiting {
		w.says("", "WAIT", "2", "0") // there are no two
	}
	f.told("REPLCONF GETACK *")
	second := b.mirror()
	second.syncs()
	f.reads(f.got())
	f.acks()
	second.acks()
	for _, w := range waiting {
		if got := w.got(); got != ":2\r\n" {
			t.Errorf("answered %q", got)
		}
	}
}

// TestWaitForOthers: a gateway's lane waits for what came over other connections, and for no question that replicas were asked since.
func TestWaitForOthers(t *testing.T) {
	b := newBed(t, nil)
	k, lane := b.client(), b.client()
	f := b.mirror()
	f.syncs()
	k.says("+OK\r\n", "SET", "a", "1")
	lane.says(":1\r\n", "WAIT", "1", "0") // it has written nothing
	lane.says("+OK\r\n", "LARDER", "WROTE")
	lane.says("", "WAIT", "1", "0")
	f.told("SELECT 0", "SET a 1", "REPLCONF GETACK *")
	f.acks()
	if got := lane.got(); got != ":1\r\n" {
		t.Errorf("WAIT: %q", got)
	}
	lane.says("+OK\r\n", "LARDER", "WROTE")
	lane.says(":1\r\n", "WAIT", "1", "0") // nothing was written since
	k.says("+OK\r\n", "SET", "a", "2")
	lane.says("+OK\r\n", "LARDER", "WROTE")
	lane.says("", "WAIT", "1", "0")
}

// TestWaitAOF: what replicas have on disk they say by FACK.
func TestWaitAOF(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	f := b.mirror()
	f.syncs()
	k.says("*2\r\n:0\r\n:1\r\n", "WAITAOF", "0", "1", "0")
	k.says("+OK\r\n", "SET", "a", "1")
	k.says("", "WAITAOF", "0", "1", "0")
	f.told("SELECT 0", "SET a 1", "REPLCONF GETACK *")
	f.acks()
	if got := k.got(); got != "" {
		t.Errorf("WAITAOF is content with what no disk has: %q", got)
	}
	end := k.infoOfAnother("master_repl_offset")
	f.reads(f.do("REPLCONF", "ACK", end, "FACK", end))
	if got := k.got(); got != "*2\r\n:0\r\n:1\r\n" {
		t.Errorf("WAITAOF: %q", got)
	}
	k.talk(`
		WAITAOF 1 0 0 => -ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.
		WAITAOF 2 0 0 => -ERR value is out of range, value must between 0 and 1
		WAITAOF 0 -1 0 => -ERR value is out of range, must be positive
		WAITAOF x 0 0 => -ERR value is not an integer or out of range
		WAITAOF 0 0 -1 => -ERR timeout is negative
		WAITAOF 0 0 0 => *2\r\n:0\r\n:1
	`)
}

// infoOfAnother asks on a connection of its own.
func (k *talker) infoOfAnother(field string) string { return k.b.client().infoOf(field) }

// TestMinReplicas: with too few good replicas nothing is written.
func TestMinReplicas(t *testing.T) {
	const refused = "-NOREPLICAS Not enough good replicas to write.\r\n"
	b := newBed(t, nil)
	k := b.client()
	k.says("+OK\r\n", "CONFIG", "SET", "min-replicas-to-write", "1", "min-replicas-max-lag", "3")
	k.says(refused, "SET", "a", "1")
	k.says("$-1\r\n", "GET", "a")
	k.talk(`
		MULTI => +OK
		SET a 1 => -NOREPLICAS Not enough good replicas to write.
		EXEC => -EXECABORT Transaction discarded because of previous errors.
		EVAL "" 0 => $-1
	`)
	f := b.mirror()
	f.takes(f.do("PSYNC", "?", "-1"))
	k.says(refused, "SET", "a", "1")
	f.acks()
	k.says("+OK\r\n", "SET", "a", "1")
	k.infoIs("min_slaves_good_slaves", "1")
	for range 5 {
		b.m.Advance(time.Second)
	}
	k.says(refused, "SET", "a", "2")
	k.infoIs("min_slaves_good_slaves", "0")
	f.reads(f.got())
	f.acks()
	k.says("+OK\r\n", "SET", "a", "2")
	f.c.Hangup(nil)
	k.says(refused, "DEL", "a")
	k.says("+OK\r\n", "CONFIG", "SET", "min-slaves-to-write", "0")
	k.says(":1\r\n", "DEL", "a")
}
