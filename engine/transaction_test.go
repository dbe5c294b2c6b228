package engine_test

import (
	"strings"
	"testing"
	"time"

	"larder/engine"
	"larder/engine/commands"
	"larder/engine/store"
	"larder/protocol/command"
)

func TestTransaction(t *testing.T) {
	k := newBed(t, nil).client()
	k.talk(`
		EXEC => -ERR EXEC without MULTI
		DISCARD => -ERR DISCARD without MULTI
		MULTI => +OK
		MULTI => -ERR MULTI calls can not be nested
		WATCH a => -ERR WATCH inside MULTI is not allowed
		SET a 1 => +QUEUED
		GET a => +QUEUED
		INCRBY a x => +QUEUED
		EXEC => *3\r\n+OK\r\n$1\r\n1\r\n-ERR value is not an integer or out of range
		MULTI => +OK
		SET a 2 => +QUEUED
		SUBSTR a => -ERR wrong number of arguments for 'substr' command
		SET a 2 => +QUEUED
		EXEC => -EXECABORT Transaction discarded because of previous errors.
		MULTI => +OK
		GET => -ERR wrong number of arguments for 'get' command
		DISCARD => +OK
		MULTI => +OK
		CLIENT NOPE => -ERR unknown subcommand 'NOPE'. Try CLIENT HELP.
		EXEC => -EXECABORT Transaction discarded because of previous errors.
		MULTI => +OK
		EXEC => *0
		MULTI => +OK
		EXEC a => -EXECABORT Transaction discarded because of: wrong number of arguments for 'exec' command
		EXEC => -ERR EXEC without MULTI
		MULTI => +OK
		SHUTDOWN NOSAVE => -ERR Command not allowed inside a transaction
		EXEC => -EXECABORT Transaction discarded because of previous errors.
		MULTI => +OK
		SET a 3 => +QUEUED
		RESET => +RESET
		GET a => $1\r\n1
		MULTI => +OK
		SELECT 1 => +QUEUED
		SET b 1 => +QUEUED
		EXEC => *2\r\n+OK\r\n+OK
		GET b => $1\r\n1
	`)
	k.do("MULTI")
	k.do("SET", "a", "12345")
	if got := k.b.client().do("CLIENT", "LIST"); !strings.Contains(got, "flags=x ") || !strings.Contains(got, " multi=1 ") || !strings.Contains(got, " multi-mem=9 ") {
		t.Errorf("a client in a transaction: %q", got)
	}
	if got := k.do("CLIENT", "INFO") + k.do("EXEC"); !strings.Contains(got, "flags=x ") {
		t.Errorf("a client in EXEC: %q", got)
	}
}

func TestWatch(t *testing.T) {
	b := newBed(t, nil)
	k, other := b.client(), b.client()
	// A stand-in for a command of the family that touches what it sets.
	b.node.SetHandler(command.CmdSetNX, func(c *commands.Call) {
		c.DB.Set(c.Args[1], c.Args[2], store.FormAny, store.NoExpiry, c.NowMS)
		c.Touch(c.Args[1])
		c.W.Int(1)
	})
	attempt := func(want string) {
		t.Helper()
		k.says("+OK\r\n", "MULTI")
		k.says("+QUEUED\r\n", "PING")
		k.says(want, "EXEC")
	}
	k.says("+OK\r\n", "WATCH", "a", "b", "a")
	other.says(":1\r\n", "SETNX", "c", "1")
	attempt("*1\r\n+PONG\r\n")
	other.says(":1\r\n", "SETNX", "a", "1")
	attempt("*1\r\n+PONG\r\n")
	k.says("+OK\r\n", "WATCH", "a")
	other.says(":1\r\n", "SETNX", "a", "2")
	if got := other.do("CLIENT", "LIST"); !strings.Contains(got, "flags=d ") {
		t.Errorf("a client whose key changed: %q", got)
	}
	attempt("*-1\r\n")
	attempt("*1\r\n+PONG\r\n")
	k.says("+OK\r\n", "WATCH", "a")
	other.says(":1\r\n", "SETNX", "a", "2")
	k.says("+OK\r\n", "UNWATCH")
	attempt("*1\r\n+PONG\r\n")
	k.says("+OK\r\n", "WATCH", "a")
	other.says("+OK\r\n", "SELECT", "1")
	other.says(":1\r\n", "SETNX", "a", "2")
	attempt("*1\r\n+PONG\r\n")
	// Keys whose time comes: one that was there counts as changed, one that was over before does not.
	k.says("+OK\r\n", "SET", "mortal", "1", "PX", "10")
	k.says("+OK\r\n", "WATCH", "mortal")
	b.m.Advance(20 * time.Millisecond)
	attempt("*-1\r\n")
	k.says("+OK\r\n", "WATCH", "mortal")
	attempt("*1\r\n+PONG\r\n")
}

func TestTransactionMemory(t *testing.T) {
	b := newBed(t, func(o *engine.Options) { o.MaxMemory = 1 << 20 })
	k := b.client()
	k.talk(`
		MULTI => +OK
		SET a 1 => +QUEUED
	`)
	b.client().says("+OK\r\n", "CONFIG", "SET", "maxmemory", "1")
	k.talk(`
		EXEC => -EXECABORT Transaction discarded because of: OOM command not allowed when used memory > 'maxmemory'.
		MULTI => +OK
		SET a 1 => -OOM command not allowed when used memory > 'maxmemory'.
		EXEC => -EXECABORT Transaction discarded because of previous errors.
	`)
}
