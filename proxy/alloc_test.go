package proxy

import (
	"bytes"
	"testing"
)

// TestNoAllocations: the way of a GET or SET through a gateway, there and back, makes no garbage.
func TestNoAllocations(t *testing.T) {
	for _, c := range []struct{ name, command, reply string }{
		{"GET", "*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n", "$5\r\nvalue\r\n"},
		{"SET", "*3\r\n$3\r\nSET\r\n$3\r\nkey\r\n$5\r\nvalue\r\n", "+OK\r\n"},
	} {
		w := newWorld(t, 1, 3, false, nil)
		client := w.client(0)
		client.Feed([]byte("*3\r\n$6\r\nGETSET\r\n$3\r\nkey\r\n$1\r\nx\r\n"))
		w.settle(func() bool { return len(client.Written()) > 0 })
		node := w.nodes[w.order[w.g.topo.Load().ShardOf([]byte("key"))]].conns[0]
		command, reply := []byte(c.command), []byte(c.reply)
		run := func() {
			client.Feed(command)
			w.m.EndTurn()
			if !bytes.Equal(node.mc.Written(), command) {
				t.Fatal("the command did not reach the node")
			}
			node.mc.Feed(reply)
			w.m.EndTurn()
			if !bytes.Equal(client.Written(), reply) {
				t.Fatal("the reply did not reach the client")
			}
		}
		run()
		if allocs := testing.AllocsPerRun(1000, run); allocs != 0 {
			t.Errorf("%s: %v allocations", c.name, allocs)
		}
	}
}

// TestNoAllocationsAway: nor does that of a GET that a replica answers.
func TestNoAllocationsAway(t *testing.T) {
	w := newReadsWorld(t, 1, 1, 1, func(o *Options) { o.ReadFrom = "replica" })
	c := w.open(0)
	command, replica := []byte("*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n"), w.logs[0].nodes[1]
	for range 10 { // until the lanes are there, and it is known how far the nodes are
		c.conn.Feed(command)
		w.flow()
		w.flow()
	}
	c.conn.Written()
	node, reply := replica.conns[0], []byte("$5\r\nvalue\r\n")
	run := func() {
		c.conn.Feed(command)
		w.loops[0].EndTurn()
		if !bytes.Equal(node.mc.Written(), command) {
			t.Fatal("the command did not reach the replica")
		}
		node.mc.Feed(reply)
		w.loops[0].EndTurn()
		if !bytes.Equal(c.conn.Written(), reply) {
			t.Fatal("the reply did not reach the client")
		}
	}
	run()
	if allocs := testing.AllocsPerRun(1000, run); allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}
