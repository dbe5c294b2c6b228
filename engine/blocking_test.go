package engine_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/engine/commands"
	"larder/engine/store"
	"larder/protocol/command"
)

// waitingBed is a node whose MGET key … ms takes the first of the keys that there is, and waits for one; whose SETNX fills and pushes a key; and whose
// COPY from to ms moves a value, waiting for it.
func waitingBed(t testing.TB) *bed {
	b := newBed(t, nil)
	take := func(c *commands.Call, keys [][]byte, found func(key, value []byte)) {
		for _, key := range keys {
			if it, ok := c.DB.Lookup(key, c.NowMS); ok {
				value := append([]byte(nil), it.Text(nil)...)
				c.DB.Delete(key, c.NowMS)
				found(key, value)
				return
			}
		}
		ms, _ := strconv.ParseInt(string(c.Args[len(c.Args)-1]), 10, 64)
		if !c.Block(keys, ms) {
			c.W.NullArray()
		}
	}
	put := func(c *commands.Call, key, value []byte) {
		c.DB.Set(key, value, store.FormAny, store.NoExpiry, c.NowMS)
		c.Push(key)
	}
	b.node.SetHandler(command.CmdMGet, func(c *commands.Call) {
		take(c, c.Args[1:len(c.Args)-1], func(key, value []byte) {
			c.W.Array(2)
			c.W.BulkBytes(key)
			c.W.BulkBytes(value)
		})
	})
	b.node.SetHandler(command.CmdSetNX, func(c *commands.Call) {
		put(c, c.Args[1], c.Args[2])
		c.W.Int(1)
	})
	b.node.SetHandler(command.CmdCopy, func(c *commands.Call) {
		take(c, c.Args[1:2], func(_, value []byte) {
			put(c, c.Args[2], value)
			c.W.BulkBytes(value)
		})
	})
	return b
}

func (k *talker) gets(want string) {
	k.b.t.Helper()
	k.b.m.EndTurn()
	if got := k.got(); got != want {
		k.b.t.Errorf("got %.300q, want %.300q", got, want)
	}
}

func TestWaitingInOrder(t *testing.T) {
	b := waitingBed(t)
	first, second, pusher := b.client(), b.client(), b.client()
	first.says("", "MGET", "a", "b", "0")
	second.says("", "MGET", "b", "0")
	if got := pusher.do("CLIENT", "LIST"); strings.Count(got, "flags=b ") != 2 {
		t.Errorf("two clients wait: %q", got)
	}
	if got := pusher.do("INFO", "clients"); !strings.Contains(got, "blocked_clients:2\r\n") {
		t.Errorf("two clients wait: %q", got)
	}
	first.says("", "PING")
	pusher.says(":1\r\n", "SETNX", "b", "1")
	first.gets("*2\r\n$1\r\nb\r\n$1\r\n1\r\n+PONG\r\n")
	second.gets("")
	pusher.says(":1\r\n", "SETNX", "b", "2")
	second.gets("*2\r\n$1\r\nb\r\n$1\r\n2\r\n")
	pusher.says("$-1\r\n", "GET", "b")
	first.says("+PONG\r\n", "PING")
}

func TestWaitingChain(t *testing.T) {
	b := waitingBed(t)
	last, middle, pusher := b.client(), b.client(), b.client()
	last.says("", "MGET", "c", "0")
	middle.says("", "COPY", "a", "c", "0")
	pusher.says(":1\r\n", "SETNX", "a", "x")
	middle.gets("$1\r\nx\r\n")
	last.gets("*2\r\n$1\r\nc\r\n$1\r\nx\r\n")
}

func TestWaitingEnds(t *testing.T) {
	b := waitingBed(t)
	k, other := b.client(), b.client()
	id := strings.Trim(k.do("CLIENT", "ID"), ":\r\n")
	k.says("", "MGET", "a", "30")
	b.m.Advance(29 * time.Millisecond)
	k.gets("")
	b.m.Advance(2 * time.Millisecond)
	k.gets("*-1\r\n")
	k.says("", "MGET", "a", "0")
	other.says(":1\r\n", "CLIENT", "UNBLOCK", id)
	k.gets("*-1\r\n")
	k.says("", "MGET", "a", "1000")
	other.says(":1\r\n", "CLIENT", "UNBLOCK", id, "ERROR")
	k.gets("-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n")
	other.says(":0\r\n", "CLIENT", "UNBLOCK", id, "ERROR")
	k.says("", "MGET", "a", "0")
	k.c.Hangup(nil)
	other.says(":1\r\n", "SETNX", "a", "kept")
	other.says("$4\r\nkept\r\n", "GET", "a")
	if got := other.do("INFO", "clients"); !strings.Contains(got, "blocked_clients:0\r\n") {
		t.Errorf("nobody waits: %q", got)
	}
}

func TestWaitingThroughPause(t *testing.T) {
	b := waitingBed(t)
	k, other := b.client(), b.client()
	k.says("", "MGET", "a", "0")
	other.says("+OK\r\n", "CLIENT", "PAUSE", "50", "ALL")
	other.says("", "SETNX", "a", "1")
	b.m.Advance(60 * time.Millisecond)
	b.m.EndTurn()
	if got := other.got(); got != ":1\r\n" {
		t.Errorf("behind the pause: %q", got)
	}
	k.gets("*2\r\n$1\r\na\r\n$1\r\n1\r\n")
}

// TestManyWait: each gets one value, in the order in which they came, and the deadlines of the others fire.
func TestManyWait(t *testing.T) {
	b := waitingBed(t)
	const n = 200
	waiting := make([]*talker, n)
	for i := range waiting {
		waiting[i] = b.client()
		waiting[i].says("", "MGET", "queue", "other", strconv.Itoa(1000-i))
	}
	pusher := b.client()
	for i := range n / 2 {
		pusher.says(":1\r\n", "SETNX", "queue", fmt.Sprintf("%03d", i))
	}
	for i := range n / 2 {
		waiting[i].gets(fmt.Sprintf("*2\r\n$5\r\nqueue\r\n$3\r\n%03d\r\n", i))
	}
	b.m.Advance(1000 * time.Millisecond)
	for i := range n / 2 {
		waiting[n/2+i].gets("*-1\r\n")
	}
}
