package engine_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"larder/engine"
	"larder/router"
)

func topology(t testing.TB, epoch uint64, shards int) *router.Topology {
	t.Helper()
	nodes := make([]router.Node, shards)
	for i := range nodes {
		nodes[i] = router.Node{ID: fmt.Sprint("n", i), Addr: fmt.Sprint("127.0.0.1:", 7000+i)}
	}
	topo, err := router.Even("c", epoch, nodes)
	if err != nil {
		t.Fatal(err)
	}
	return topo
}

func TestLarderHello(t *testing.T) {
	b := newBed(t, func(o *engine.Options) { o.ID, o.Databases = "n1", 4 })
	k := b.client()
	k.talk(`
		LARDER HELLO 2 => -ERR unsupported dialect version '2': this node speaks 1
		LARDER HELLO 1 => *14\r\n$7\r\nversion\r\n:1\r\n$2\r\nid\r\n$2\r\nn1\r\n$5\r\nshard\r\n:-1\r\n$5\r\nepoch\r\n:0\r\n$9\r\ndatabases\r\n:4\r\n$5\r\nslots\r\n$0\r\n\r\n$9\r\nfunctions\r\n:0
	`)
	if err := b.node.Assign(1, topology(t, 7, 3)); err != nil {
		t.Fatal(err)
	}
	k.do("HELLO", "3")
	k.talk(`LARDER HELLO 1 => %7\r\n$7\r\nversion\r\n:1\r\n$2\r\nid\r\n$2\r\nn1\r\n$5\r\nshard\r\n:1\r\n$5\r\nepoch\r\n:7\r\n$9\r\ndatabases\r\n:4\r\n$5\r\nslots\r\n$10\r\n5456-10911\r\n$9\r\nfunctions\r\n:0`)
}

// A lane of another epoch than the node's is told the topology and nothing of its commands runs; a plain client is not asked.
func TestTerm(t *testing.T) {
	b := newBed(t, nil)
	lane, plain := b.client(), b.client()
	lane.do("LARDER", "HELLO", "1")
	lane.says("+OK\r\n", "SET", "a", "1") // no epoch yet
	seven := topology(t, 7, 3)
	if err := b.node.Assign(0, seven); err != nil {
		t.Fatal(err)
	}
	stale := "-STALE 7 " + seven.Line() + "\r\n"
	for _, words := range []string{"SET a 2", "GET a", "DBSIZE", "FLUSHALL", "SCAN 0", "LARDER SCAN 16384 0", "KEYS *", "RANDOMKEY"} {
		lane.says(stale, strings.Fields(words)...)
	}
	lane.says("+PONG\r\n", "PING")
	lane.says("+OK\r\n", "SELECT", "1")
	lane.says("+OK\r\n", "SELECT", "0")
	lane.says("-ERR wrong number of arguments for 'get' command\r\n", "GET")
	plain.says("$1\r\n1\r\n", "GET", "a")
	lane.says("+OK\r\n", "LARDER", "TERM", "6")
	lane.says(stale, "GET", "a")
	lane.says("-ERR epoch is not an integer or out of range\r\n", "LARDER", "TERM", "x")

	// In one buffer: TERM holds for what stands behind it.
	if got, want := lane.send([]byte("GET a\r\nLARDER TERM 7\r\nGET a\r\nLARDER TERM 8\r\nGET a\r\nLARDER TERM 7\r\nSET a 3\r\n")),
		stale+"+OK\r\n$1\r\n1\r\n+OK\r\n"+stale+"+OK\r\n+OK\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if err := b.node.Assign(0, topology(t, 8, 3)); err != nil {
		t.Fatal(err)
	}
	lane.says("-STALE 8 "+topology(t, 8, 3).Line()+"\r\n", "GET", "a")
}

// A transaction is judged once, at EXEC, and as a whole.
func TestTermOfTransaction(t *testing.T) {
	b := newBed(t, nil)
	lane := b.client()
	lane.do("LARDER", "HELLO", "1")
	seven := topology(t, 7, 3)
	if err := b.node.Assign(0, seven); err != nil {
		t.Fatal(err)
	}
	stale := "-STALE 7 " + seven.Line() + "\r\n"
	lane.do("LARDER", "TERM", "6")
	lane.says("+OK\r\n", "MULTI")
	lane.says("+QUEUED\r\n", "SET", "a", "1")
	lane.says("+QUEUED\r\n", "PING")
	lane.says(stale, "EXEC")
	lane.says("-ERR EXEC without MULTI\r\n", "EXEC")
	lane.says("+OK\r\n", "MULTI")
	lane.says("+QUEUED\r\n", "PING")
	lane.says("*1\r\n+PONG\r\n", "EXEC") // it looks at no keys

	lane.do("LARDER", "TERM", "7")
	lane.says("$-1\r\n", "GET", "a") // nothing of it ran
	lane.says("+OK\r\n", "WATCH", "a")
	lane.says("+OK\r\n", "MULTI")
	lane.says("+QUEUED\r\n", "SET", "a", "1")
	if err := b.node.Assign(0, topology(t, 8, 3)); err != nil {
		t.Fatal(err)
	}
	lane.says("-STALE 8 "+topology(t, 8, 3).Line()+"\r\n", "EXEC")
}

func TestAssign(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	five, six := topology(t, 5, 2), topology(t, 6, 2)
	k.says("+OK\r\n", "LARDER", "ASSIGN", "1", five.Line())
	k.says("+OK\r\n", "LARDER", "ASSIGN", "1", five.Line()) // the same order again
	k.says("-STALE 5 "+five.Line()+"\r\n", "LARDER", "ASSIGN", "0", five.Line())
	k.says("-STALE 5 "+five.Line()+"\r\n", "LARDER", "ASSIGN", "1", topology(t, 4, 2).Line())
	k.says("-ERR assign shard 2: the topology has 2\r\n", "LARDER", "ASSIGN", "2", six.Line())
	k.says("-ERR assign shard -1: the topology has 2\r\n", "LARDER", "ASSIGN", "-1", six.Line())
	k.says("-ERR shard is not an integer or out of range\r\n", "LARDER", "ASSIGN", "x", six.Line())
	if got := k.do("LARDER", "ASSIGN", "0", "nonsense"); !strings.HasPrefix(got, "-ERR parse topology line: ") {
		t.Errorf("got %q", got)
	}
	if err := b.node.Assign(0, topology(t, 5, 2)); !errors.Is(err, engine.ErrOldTopology) {
		t.Errorf("got %v", err)
	}
	if err := b.node.Assign(0, topology(t, 0, 2)); err == nil {
		t.Error("epoch 0 was taken")
	}

	// An order takes hold of the commands behind it in the same buffer.
	lane := b.client()
	lane.do("LARDER", "HELLO", "1")
	lane.do("LARDER", "TERM", "5")
	say := fmt.Sprintf("GET a\r\nLARDER ASSIGN 0 \"%s\"\r\nGET a\r\n", six.Line())
	if got, want := lane.send([]byte(say)), "$-1\r\n+OK\r\n-STALE 6 "+six.Line()+"\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
