package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestFailoverWords: what FAILOVER refuses, in Redis's words.
func TestFailoverWords(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	k.talk(`
		FAILOVER ABORT => -ERR No failover in progress.
		FAILOVER => -ERR FAILOVER requires connected replicas.
		FAILOVER TO => -ERR syntax error
		FAILOVER TO 127.0.0.1 x => -ERR value is not an integer or out of range
		FAILOVER TIMEOUT 0 => -ERR FAILOVER timeout must be greater than 0
		FAILOVER TIMEOUT x => -ERR value is not an integer or out of range
		FAILOVER FORCE FORCE => -ERR syntax error
	`)
	f := b.mirror()
	f.takes(f.do("PSYNC", "?", "-1"))
	k.talk(`
		FAILOVER FORCE => -ERR FAILOVER with force option requires both a timeout and target HOST and IP.
		FAILOVER FORCE TIMEOUT 100 => -ERR FAILOVER with force option requires both a timeout and target HOST and IP.
		FAILOVER TO 127.0.0.1 1 => -ERR FAILOVER target HOST and PORT is not a replica.
	`)
	f.acks()
	k.says("-ERR PSYNC FAILOVER can't be sent to a master.\r\n", "PSYNC", f.id, "1", "FAILOVER")
}

// TestFailover: writes wait until the replica has everything; then it is asked to take over, and the held writes learn that this node is no primary.
func TestFailover(t *testing.T) {
	b := newBed(t, nil)
	k, held := b.client(), b.client()
	f := b.mirror()
	f.syncs()
	k.says("+OK\r\n", "SET", "a", "1")
	k.says("+OK\r\n", "FAILOVER", "TO", "127.0.0.1", "7001", "TIMEOUT", "5000")
	k.infoIs("master_failover_state", "waiting-for-sync")
	f.told("SELECT 0", "SET a 1", "REPLCONF GETACK *")
	held.says("", "SET", "a", "2")
	k.says("-ERR FAILOVER already in progress.\r\n", "FAILOVER")
	k.says("$1\r\n1\r\n", "GET", "a")
	other := b.client()
	other.says("-NOMASTERLINK Can't SYNC while failing over\r\n", "PSYNC", "?", "-1")
	f.acks()
	k.infoIs("master_failover_state", "failover-in-progress")
	dials := b.m.Dials()
	if len(dials) != 1 || dials[0].Addr != "127.0.0.1:7001" {
		t.Fatalf("dialled %v", dials)
	}
	primary := dials[0].Succeed()
	said := func(answer string) string {
		primary.Feed([]byte(answer))
		b.m.EndTurn()
		return string(primary.Written())
	}
	said("+PONG\r\n")
	if got := said(strings.Repeat("+OK\r\n", 3)); !strings.Contains(got, "PSYNC") || !strings.Contains(got, "FAILOVER") || !strings.Contains(got, f.id) {
		t.Fatalf("the replica is asked %q", got)
	}
	if got := held.got(); got != "" {
		t.Errorf("a write is answered %q before it is decided who is the primary", got)
	}
	said("+CONTINUE " + strings.Repeat("b", 40) + "\r\n")
	b.m.EndTurn()
	if got := held.got(); !strings.HasPrefix(got, "-READONLY") {
		t.Errorf("the held write: %q", got)
	}
	k.infoIs("master_failover_state", "no-failover")
	k.infoIs("role", "slave")
	k.infoIs("master_replid", strings.Repeat("b", 40))
	k.says("$1\r\n1\r\n", "GET", "a")
}

// TestFailoverEndsWithoutSuccess: with nobody to take over in time, or refused, everything is as it was.
func TestFailoverEndsWithoutSuccess(t *testing.T) {
	for _, end := range []string{"timeout", "abort", "refused", "abort while asking"} {
		t.Run(end, func(t *testing.T) {
			b := newBed(t, nil)
			k, held := b.client(), b.client()
			f := b.mirror()
			f.syncs()
			k.says("+OK\r\n", "FAILOVER", "TIMEOUT", "500")
			held.says("", "SET", "a", "2")
			switch end {
			case "timeout":
				for range 6 {
					b.m.Advance(100 * time.Millisecond)
				}
			case "abort":
				k.says("+OK\r\n", "FAILOVER", "ABORT")
			default:
				f.reads(f.got())
				f.acks()
				primary := b.m.Dials()[0].Succeed()
				primary.Feed([]byte("+PONG\r\n+OK\r\n+OK\r\n+OK\r\n"))
				b.m.EndTurn()
				if end == "refused" {
					primary.Feed([]byte("-ERR no\r\n"))
				} else {
					k.says("+OK\r\n", "FAILOVER", "ABORT")
				}
			}
			b.m.EndTurn()
			b.m.Advance(100 * time.Millisecond)
			if got := held.got(); got != "+OK\r\n" {
				t.Errorf("the held write: %q", got)
			}
			k.infoIs("master_failover_state", "no-failover")
			k.infoIs("role", "master")
			k.says("$1\r\n2\r\n", "GET", "a")
		})
	}
}

// TestFailoverAndPause: neither ends the other.
func TestFailoverAndPause(t *testing.T) {
	b := newBed(t, nil)
	k, held := b.client(), b.client()
	f := b.mirror()
	f.syncs()
	k.says("+OK\r\n", "CLIENT", "PAUSE", "300", "WRITE")
	k.says("+OK\r\n", "FAILOVER")
	held.says("", "SET", "a", "1")
	k.says("+OK\r\n", "CLIENT", "UNPAUSE")
	for range 5 {
		b.m.Advance(100 * time.Millisecond)
	}
	if got := held.got(); got != "" {
		t.Errorf("a write passes amid a failover: %q", got)
	}
	k.says("+OK\r\n", "CLIENT", "PAUSE", "60000", "WRITE")
	k.says("+OK\r\n", "FAILOVER", "ABORT")
	b.m.Advance(100 * time.Millisecond)
	if got := held.got(); got != "" {
		t.Errorf("a write passes amid CLIENT PAUSE: %q", got)
	}
	k.says("+OK\r\n", "CLIENT", "UNPAUSE")
	if got := held.got(); got != "+OK\r\n" {
		t.Errorf("the held write: %q", got)
	}
}

// TestTakeOver: a replica that its primary asks is the primary, and that one goes on with it.
func TestTakeOver(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	k.says("+OK\r\n", "REPLICAOF", "127.0.0.1", "7001")
	primary := b.m.Dials()[0].Succeed()
	id := strings.Repeat("a", 40)
	for _, answer := range []string{"+PONG\r\n", strings.Repeat("+OK\r\n", 3), "+FULLRESYNC " + id + " 100\r\n$18\r\nREDIS0010\xff" + strings.Repeat("\x00", 8)} {
		primary.Feed([]byte(answer))
		b.m.EndTurn()
	}
	k.infoIs("master_link_status", "up")
	other := b.client()
	other.says("-ERR PSYNC FAILOVER replid must match my replid.\r\n", "PSYNC", strings.Repeat("c", 40), "101", "FAILOVER")
	f := b.mirror()
	if got := f.do("PSYNC", id, "101", "FAILOVER"); got != fmt.Sprintf("+CONTINUE %s\r\n", k.infoOf("master_replid")) || strings.Contains(got, id) {
		t.Errorf("answered %q", got)
	}
	k.infoIs("role", "master")
	k.infoIs("master_replid2", id)
	k.infoIs("second_repl_offset", "101")
	k.says("+OK\r\n", "SET", "a", "1")
	f.told("SELECT 0", "SET a 1")
}
