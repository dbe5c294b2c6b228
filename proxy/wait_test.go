package proxy_test

import (
	"net"
	"strings"
	"testing"

	"larder/internal/fleet"
	"larder/internal/peers"
	"larder/protocol/resp"
)

// replicaOf is a redis-server that follows a node.
func replicaOf(t *testing.T, node string) *peers.Conn {
	t.Helper()
	host, port, _ := net.SplitHostPort(node)
	addr := peers.StartRedis(t, "--replicaof", host+" "+port, "--enable-debug-command", "local", "--repl-diskless-load", "on-empty-db")
	talk(t, node).until(t, "state=online", "INFO", "replication")
	return peers.Dial(t, addr, 0)
}

// WAIT and WAITAOF speak of what the client wrote, on each shard on which it did, and of no other.
func TestWaitOverShards(t *testing.T) {
	nodes := fleet.Nodes(t, 2) // bar lies on the first, foo on the second
	addr := fleet.Gateway(t, nodes)
	both, first, none := talk(t, addr), talk(t, addr), talk(t, addr)
	write := func() {
		t.Helper()
		both.says("+OK\r\n", "SET", "foo", "1")
		both.says("+OK\r\n", "SET", "bar", "1")
		first.says("+OK\r\n", "SET", "bar", "2")
		first.do("GET", "foo")
	}
	write()
	both.says(":0\r\n", "WAIT", "0", "0")
	both.says(":0\r\n", "WAIT", "1", "20")
	replica := replicaOf(t, nodes[0])
	write()
	first.says(":1\r\n", "WAIT", "1", "10000")
	both.says(":0\r\n", "WAIT", "1", "50")
	none.says(":0\r\n", "WAIT", "1", "20")
	second := replicaOf(t, nodes[1])
	write()
	both.says(":1\r\n", "WAIT", "1", "10000")
	both.says(":1\r\n", "WAIT", "2", "50")
	none.says(":1\r\n", "WAIT", "1", "10000")

	// What a replica lacks is waited for.
	replica.Send(resp.AppendCommandStrings(nil, "DEBUG", "SLEEP", "0.5"))
	first.says("+OK\r\n", "SET", "bar", "3")
	first.says(":0\r\n", "WAIT", "1", "50")
	first.says(":1\r\n", "WAIT", "1", "0")
	if got := replica.Reply(); string(got) != "+OK\r\n" {
		t.Fatalf("DEBUG SLEEP: %q", got)
	}
	if got := replica.Do("GET", "bar"); string(got) != "$1\r\n3\r\n" {
		t.Errorf("the replica that has it says %q", got)
	}
	both.says("+OK\r\n", "SET", "foo", "4")
	both.says(":1\r\n", "WAIT", "1", "0")
	if got := second.Do("GET", "foo"); string(got) != "$1\r\n4\r\n" {
		t.Errorf("the replica that has it says %q", got)
	}

	// It can be ended, and what follows it waits.
	id := first.do("CLIENT", "ID")
	reply := make(chan string)
	go func() {
		got, _ := first.w.Do("WAIT", "9", "0")
		reply <- string(got)
	}()
	none.until(t, "blocked_clients:1\r\n", "INFO", "clients")
	none.says(":1\r\n", "CLIENT", "UNBLOCK", id[1:len(id)-2])
	if got := <-reply; got != ":1\r\n" {
		t.Errorf("unblocked: %q", got)
	}

	first.says("-ERR value is not an integer or out of range\r\n", "WAIT", "x", "0")
	first.says("-ERR timeout is negative\r\n", "WAIT", "1", "-1")
	first.says("-ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.\r\n", "WAITAOF", "1", "0", "50")
	first.says("*2\r\n:0\r\n:0\r\n", "WAITAOF", "0", "1", "50") // 7.0 does not say what it has on disk
	first.says("+OK\r\n", "MULTI")
	first.says("+QUEUED\r\n", "SET", "bar", "5")
	first.says("+QUEUED\r\n", "WAIT", "0", "0")
	if got := first.do("EXEC"); got != "*2\r\n+OK\r\n:0\r\n" && got != "*2\r\n+OK\r\n:1\r\n" {
		t.Errorf("EXEC: %q", got)
	}
}

// WAIT over stock nodes waits for all that was written before it, and nobody notices how.
func TestWaitOverStockNodes(t *testing.T) {
	nodes := []string{peers.StartRedis(t), peers.StartRedis(t)} // bar lies on the first, foo on the second
	addr := fleet.Gateway(t, nodes)
	both, first, none, listener := talk(t, addr), talk(t, addr), talk(t, addr), talk(t, addr)
	listener.says("*3\r\n$10\r\npsubscribe\r\n$1\r\n*\r\n:1\r\n", "PSUBSCRIBE", "*")
	replica := replicaOf(t, nodes[0])
	write := func() {
		t.Helper()
		both.says("+OK\r\n", "SET", "foo", "1")
		both.says("+OK\r\n", "SET", "bar", "1")
		first.says("+OK\r\n", "SET", "bar", "2")
	}
	write()
	first.says(":1\r\n", "WAIT", "1", "10000")
	both.says(":0\r\n", "WAIT", "1", "50")
	none.says(":0\r\n", "WAIT", "1", "20")
	replicaOf(t, nodes[1])
	write()
	both.says(":1\r\n", "WAIT", "1", "10000")
	both.says(":1\r\n", "WAIT", "2", "50")
	none.says(":1\r\n", "WAIT", "1", "10000")

	for _, value := range []string{"3", "4"} { // also on a lane that has waited before
		replica.Send(resp.AppendCommandStrings(nil, "DEBUG", "SLEEP", "0.5"))
		first.says("+OK\r\n", "SET", "bar", value)
		first.says(":0\r\n", "WAIT", "1", "50")
		first.says(":1\r\n", "WAIT", "1", "0")
		if got := replica.Reply(); string(got) != "+OK\r\n" {
			t.Fatalf("DEBUG SLEEP: %q", got)
		}
		if got, want := string(replica.Do("GET", "bar")), "$1\r\n"+value+"\r\n"; got != want {
			t.Errorf("the replica that has it says %q", got)
		}
	}
	listener.says("*2\r\n$4\r\npong\r\n$0\r\n\r\n", "PING")

	first.says("-ERR WAITAOF is not possible over stock nodes: they know of a connection's writes, and those of a client go over several\r\n", "WAITAOF", "0", "1", "50")
	first.says("+OK\r\n", "MULTI")
	first.says("-ERR WAIT is not possible in a transaction over stock nodes: they know of a connection's writes, and those of a client go over several\r\n", "WAIT", "0", "0")
	first.says("-EXECABORT Transaction discarded because of previous errors.\r\n", "EXEC")
}

// A user of the gateway's at a stock node who may not publish cannot have it counted; the client is told, not answered wrong.
func TestWaitWithoutTheRight(t *testing.T) {
	node := peers.StartRedis(t)
	talk(t, node).says("+OK\r\n", "ACL", "SETUSER", "default", "resetchannels")
	k := talk(t, fleet.Gateway(t, []string{node}))
	k.says("+OK\r\n", "SET", "foo", "1")
	got := k.do("WAIT", "0", "10")
	if !strings.HasPrefix(got, "-ERR WAIT and WAITAOF are not possible over node "+node+": NOPERM ") {
		t.Errorf("WAIT: %q", got)
	}
	k.says("$1\r\n1\r\n", "GET", "foo")
}
