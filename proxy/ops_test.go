package proxy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"larder/internal/fleet"
	"larder/internal/peers"
	"larder/protocol/resp"
	"larder/proxy"
)

// field is a line of INFO.
func field(t *testing.T, reply, name string) string {
	t.Helper()
	text, _ := resp.BulkOf([]byte(reply))
	for line := range strings.Lines(string(text)) {
		if value, is := strings.CutPrefix(strings.TrimSpace(line), name+":"); is {
			return value
		}
	}
	t.Errorf("INFO has no %s: %.300q", name, text)
	return ""
}

// INFO is of all shards together, and of one if that is asked; a shard that is lost takes nothing from the others.
func TestInfoOverShards(t *testing.T) {
	nodes := fleet.Nodes(t, 3)
	stock, kill := killable(t)
	addr := fleet.Gateway(t, append(nodes, stock))
	k := talk(t, addr)
	for i := range 40 {
		k.says("+OK\r\n", "SET", fmt.Sprintf("k%d", i), "v")
	}
	k.says("$-1\r\n", "GET", "none")
	if got := field(t, k.do("INFO", "keyspace"), "db0"); !strings.HasPrefix(got, "keys=40,") {
		t.Errorf("keyspace: %s", got)
	}
	if got := field(t, k.do("INFO", "stats"), "keyspace_misses"); got != "1" {
		t.Errorf("misses: %s", got)
	}
	sum := 0
	for shard := range 4 {
		var keys int
		if text := k.do("INFO", "keyspace", fmt.Sprintf("shard:%d", shard)); strings.Contains(text, "db0") {
			_, _ = fmt.Sscanf(field(t, text, "db0"), "keys=%d", &keys)
		}
		sum += keys
	}
	if sum != 40 {
		t.Errorf("the shards' keys are %d", sum)
	}
	if got := k.do("INFO", "shard:4"); !strings.HasPrefix(got, "-ERR no such shard: '4'") {
		t.Errorf("a shard that there is not: %q", got)
	}
	got := k.do("INFO", "commandstats")
	if calls := field(t, got, "cmdstat_set"); !strings.HasPrefix(calls, "calls=40,") {
		t.Errorf("SET: %s", calls)
	}
	k.do("SET", "k1")
	k.do("NOSUCH")
	if n := field(t, k.do("INFO", "errorstats"), "errorstat_ERR"); n != "count=2" && n != "count=3" {
		t.Errorf("errors: %s", n)
	}
	all := k.do("INFO", "all")
	for _, section := range []string{"Server", "Clients", "Memory", "Persistence", "Stats", "Replication", "CPU", "Commandstats", "Errorstats", "Latencystats", "Cluster", "Keyspace", "Gateway"} {
		if !strings.Contains(all, "# "+section+"\r\n") {
			t.Errorf("INFO all lacks %s", section)
		}
	}
	k.says("+OK\r\n", "CONFIG", "RESETSTAT")
	if got := field(t, k.do("INFO", "stats"), "keyspace_misses"); got != "0" {
		t.Errorf("misses after CONFIG RESETSTAT: %s", got)
	}
	kill()
	lost := k.do("INFO")
	if used := field(t, lost, "used_memory"); used == "0" {
		t.Error("with one shard lost INFO tells nothing of the others")
	}
}

// killable is a redis-server that the test can end.
func killable(t *testing.T) (addr string, kill func()) {
	t.Helper()
	addr = peers.StartRedis(t)
	return addr, func() {
		c := peers.Dial(t, addr, 0)
		c.Send(resp.AppendCommandStrings(nil, "SHUTDOWN", "NOSAVE"))
	}
}

// CONFIG SET reaches all nodes or says which refused; what is the gateway's stays there.
func TestConfigOverNodes(t *testing.T) {
	nodes := fleet.Nodes(t, 3)
	k := talk(t, fleet.Gateway(t, nodes))
	k.says("+OK\r\n", "CONFIG", "SET", "maxmemory", "100mb", "timeout", "77", "slowlog-max-len", "9")
	for _, node := range nodes {
		n := talk(t, node)
		n.says("*4\r\n$9\r\nmaxmemory\r\n$9\r\n104857600\r\n$15\r\nslowlog-max-len\r\n$1\r\n9\r\n", "CONFIG", "GET", "maxmemory", "slowlog-max-len")
		n.says("*2\r\n$7\r\ntimeout\r\n$1\r\n0\r\n", "CONFIG", "GET", "timeout")
	}
	k.says("*2\r\n$9\r\nmaxmemory\r\n$9\r\n104857600\r\n", "CONFIG", "GET", "maxmemory")
	k.says("*2\r\n$7\r\ntimeout\r\n$2\r\n77\r\n", "CONFIG", "GET", "timeout")
	k.says("-ERR CONFIG SET failed (possibly related to argument 'maxmemory') - argument must be a memory value\r\n", "CONFIG", "SET", "timeout", "78", "maxmemory", "x")
	k.says("*2\r\n$7\r\ntimeout\r\n$2\r\n77\r\n", "CONFIG", "GET", "timeout")
	k.says("-ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'\r\n", "CONFIG", "SET", "nosuch", "1")
	k.says("-ERR CONFIG SET failed (possibly related to argument 'dir') - can't set immutable config\r\n", "CONFIG", "SET", "dir", "/tmp")
	k.says("-ERR The server is running without a config file\r\n", "CONFIG", "REWRITE")
	all := k.do("CONFIG", "GET", "*")
	for _, name := range []string{"requirepass", "hash-max-listpack-entries", "maxmemory-policy", "port"} {
		if strings.Count(all, "\r\n"+name+"\r\n") != 1 {
			t.Errorf("CONFIG GET * has %s %d times", name, strings.Count(all, "\r\n"+name+"\r\n"))
		}
	}
}

// An error of one node among several is told with its shard.
func TestConfigRefusedByOneNode(t *testing.T) {
	stock := peers.StartRedis(t)
	addr := fleet.Gateway(t, append(fleet.Nodes(t, 1), stock))
	k := talk(t, addr)
	if got := k.do("CONFIG", "SET", "repl-diskless-sync", "no"); !strings.Contains(got, "immutable") {
		t.Errorf("a parameter of replication: %q", got)
	}
	if got := k.do("CONFIG", "SET", "lua-time-limit", "100", "always-show-logo", "yes"); !strings.HasPrefix(got, "-ERR ") {
		t.Errorf("what no node sets: %q", got)
	}
	before := talk(t, stock).do("CONFIG", "GET", "proc-title-template", "list-max-listpack-size")
	got := k.do("CONFIG", "SET", "list-max-listpack-size", "77", "proc-title-template", "redis") // a node of ours has no such title
	if !strings.HasPrefix(got, "-ERR shard 0 (127.0.0.1:") || !strings.Contains(got, "Unknown option") || !strings.HasSuffix(got, "; the others were set back\r\n") {
		t.Errorf("what one node refuses: %q", got)
	}
	if after := talk(t, stock).do("CONFIG", "GET", "proc-title-template", "list-max-listpack-size"); after != before {
		t.Errorf("it was refused by another node, and this one had %q before and has %q now", before, after)
	}
	k.says("+OK\r\n", "CONFIG", "SET", "list-max-listpack-size", "77")
	talk(t, stock).says("*2\r\n$22\r\nlist-max-listpack-size\r\n$2\r\n77\r\n", "CONFIG", "GET", "list-max-listpack-size")
	got = k.do("CONFIG", "SET", "list-max-*", "88")
	if want := "-ERR Unknown option or number of arguments for CONFIG SET - 'list-max-*'\r\n"; got != want {
		t.Errorf("a name with a star: %q", got)
	}
}

// A node that is out of reach is found out before anything is changed.
func TestConfigWithoutANode(t *testing.T) {
	gone, kill := killable(t)
	node := fleet.Node(t)
	k := talk(t, fleet.Gateway(t, []string{node, gone}))
	k.says("+OK\r\n", "CONFIG", "SET", "list-max-listpack-size", "77")
	kill()
	k.until(t, "CLUSTERDOWN", "CONFIG", "SET", "list-max-listpack-size", "78")
	got := k.do("CONFIG", "SET", "list-max-listpack-size", "78")
	if !strings.HasPrefix(got, "-CLUSTERDOWN shard 1 (") || !strings.HasSuffix(got, "; nothing was changed\r\n") {
		t.Errorf("a node is gone: %q", got)
	}
	talk(t, node).says("*2\r\n$22\r\nlist-max-listpack-size\r\n$2\r\n77\r\n", "CONFIG", "GET", "list-max-listpack-size")
}

// The slow log says what took long, where that was, and what the nodes have to say.
func TestSlowLogOfGateway(t *testing.T) {
	nodes := fleet.Nodes(t, 3)
	addr := fleet.Gateway(t, nodes, func(o *proxy.Options) { o.Loops = twoLoops })
	k := talk(t, addr)
	k.says("+OK\r\n", "CONFIG", "SET", "slowlog-log-slower-than", "0", "latency-monitor-threshold", "1")
	k.says("+OK\r\n", "SLOWLOG", "RESET")
	var others []*talker
	for i := range talkers {
		o := talk(t, addr)
		o.says("+OK\r\n", "SET", fmt.Sprintf("k%d", i), "v")
		others = append(others, o)
	}
	others[0].do("MGET", "k0", "k1", "k2", "k3")
	others[0].says("+OK\r\n", "AUTH", "default", "secret")
	got := k.do("SLOWLOG", "GET", "-1")
	for i := range talkers {
		if !strings.Contains(got, fmt.Sprintf("*3\r\n$3\r\nSET\r\n$2\r\nk%d\r\n$1\r\nv\r\n", i)) {
			t.Errorf("the slow log lacks SET k%d: %q", i, got)
		}
	}
	if strings.Contains(got, "secret") || !strings.Contains(got, "MGET") {
		t.Errorf("the slow log: %q", got)
	}
	last := int64(1 << 62) // newest first, each once, whichever loop it is of
	for it := resp.Elements([]byte(got)); ; {
		e, ok := it.Next()
		if !ok {
			break
		}
		in := resp.Elements(e)
		first, _ := in.Next()
		id, _ := resp.ParseInt(first)
		if in.Left() != 5 || id >= last {
			t.Errorf("entry %q behind %d", e, last)
		}
		last = id
	}
	split := k.do("SLOWLOG", "GET", "1", "SPLIT")
	if !strings.HasPrefix(split, "*1\r\n*9\r\n") {
		t.Errorf("SPLIT: %q", split)
	}
	if got := k.do("SLOWLOG", "GET", "5", "SHARD", "0"); !strings.HasPrefix(got, "*") || strings.Contains(got, "SLOWLOG\r\n$3\r\nGET\r\n$1\r\n5\r\n$5\r\nSHARD") {
		t.Errorf("SHARD: %q", got)
	}
	for _, words := range [][]string{{"SLOWLOG", "GET", "1", "2"}, {"SLOWLOG", "GET", "1", "SHARD"}, {"SLOWLOG", "GET", "1", "SHARD", "0", "x"}} {
		if got := k.do(words...); !strings.HasPrefix(got, "-ERR") {
			t.Errorf("%q: %q", words, got)
		}
	}
	if got := k.do("SLOWLOG", "GET", "1", "SHARD", "3"); !strings.HasPrefix(got, "-ERR no such shard") {
		t.Errorf("a shard that there is not: %q", got)
	}
	k.says("+OK\r\n", "SLOWLOG", "RESET")
	k.says(":1\r\n", "SLOWLOG", "LEN")
}

// A transaction is one entry, with what it ran; who waits for keys has taken no time, however long that was.
func TestSlowLogOfTransactions(t *testing.T) {
	addr := gatewayOver3(t)
	k, waits := talk(t, addr), talk(t, addr)
	k.says("+OK\r\n", "CONFIG", "SET", "slowlog-log-slower-than", "0", "latency-monitor-threshold", "250")
	k.do("MULTI")
	k.do("SET", "{t}k", "v w")
	k.do("CLIENT", "GETNAME")
	k.do("GET", "{t}k")
	k.do("EXEC")
	k.do("XREAD", "STREAMS", "{t}x", "0")
	got := k.do("SLOWLOG", "GET", "-1")
	for _, want := range []string{"*3\r\n$4\r\nexec\r\n$12\r\nSET {t}k v w\r\n$8\r\nGET {t}k\r\n", "$5\r\nXREAD\r\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("the slow log lacks %q: %q", want, got)
		}
	}
	waits.do("BLPOP", "nothing", "0.3")
	got = k.do("SLOWLOG", "GET", "-1")
	at := strings.Index(got, "*3\r\n$5\r\nBLPOP\r\n$7\r\nnothing\r\n")
	if at < 0 || !strings.HasSuffix(got[:at], "\r\n:0\r\n") {
		t.Errorf("a command that waited is not shown with no time: %q", got)
	}
	if got := k.do("LATENCY", "LATEST"); got != "*0\r\n" {
		t.Errorf("waiting is told as latency: %q", got)
	}
	if got := field(t, k.do("INFO", "commandstats"), "cmdstat_blpop"); !strings.HasPrefix(got, "calls=1,usec=0,") {
		t.Errorf("waiting is counted as time: %s", got)
	}
}

// What is slow at a node is slow at the gateway, and the latency monitor has it.
func TestLatencyOfGateway(t *testing.T) {
	stock := peers.StartRedis(t, "--enable-debug-command", "local")
	admin := peers.Dial(t, stock, 0)
	k := talk(t, fleet.Gateway(t, []string{stock}, func(o *proxy.Options) { o.Loops = twoLoops }))
	k.says("+OK\r\n", "CONFIG", "SET", "latency-monitor-threshold", "20", "slowlog-log-slower-than", "20000")
	k.says("$-1\r\n", "GET", "k")
	admin.Send(resp.AppendCommandStrings(nil, "DEBUG", "SLEEP", "0.2"))
	for deadline := time.Now().Add(time.Minute); !strings.Contains(k.do("LATENCY", "LATEST"), "fast-command") && time.Now().Before(deadline); {
		k.do("GET", "k")
	}
	if got := k.do("LATENCY", "LATEST"); !strings.Contains(got, "fast-command") {
		t.Fatalf("LATENCY LATEST: %q", got)
	}
	if got := k.do("SLOWLOG", "GET"); !strings.Contains(got, "$3\r\nGET\r\n$1\r\nk\r\n") {
		t.Errorf("SLOWLOG: %q", got)
	}
	if got := k.do("LATENCY", "HISTOGRAM", "get"); !strings.Contains(got, "histogram_usec") {
		t.Errorf("LATENCY HISTOGRAM: %q", got)
	}
	if got := k.do("LATENCY", "DOCTOR"); !strings.Contains(got, "SLOWLOG GET 10 SPLIT") {
		t.Errorf("LATENCY DOCTOR: %q", got)
	}
	k.says(":1\r\n", "LATENCY", "RESET", "fast-command", "nosuch")
	if got := k.do("LATENCY", "HISTORY", "fast-command"); got != "*0\r\n" {
		t.Errorf("LATENCY HISTORY of what is forgotten: %q", got)
	}
}

// SWAPDB swaps on every shard, for all who are in one of the databases.
func TestSwapDBOverShards(t *testing.T) {
	addr := gatewayOver3(t)
	k, other := talk(t, addr), talk(t, addr)
	other.says("+OK\r\n", "SELECT", "1")
	for i := range 20 {
		k.says("+OK\r\n", "SET", fmt.Sprintf("k%d", i), "0")
	}
	k.says("+OK\r\n", "SWAPDB", "0", "1")
	k.says(":0\r\n", "DBSIZE")
	other.says(":20\r\n", "DBSIZE")
	other.says("$1\r\n0\r\n", "GET", "k7")
	k.says("-ERR DB index is out of range\r\n", "SWAPDB", "0", "99")
	k.says("-ERR invalid first DB index\r\n", "SWAPDB", "x", "1")
}

// What only a node may be told is refused.
func TestRefusedAtGateway(t *testing.T) {
	k := talk(t, gatewayOver3(t))
	if got := k.do("DEBUG", "SLEEP", "0"); !strings.HasPrefix(got, "-ERR DEBUG command not allowed.") {
		t.Errorf("DEBUG: %q", got)
	}
	for _, words := range [][]string{{"SHUTDOWN"}, {"REPLICAOF", "NO", "ONE"}, {"FAILOVER"}, {"PSYNC", "?", "-1"}, {"PFSELFTEST"}, {"LARDER", "HELLO", "1"}} {
		if got := k.do(words...); !strings.HasPrefix(got, "-ERR unknown command '"+words[0]+"'") {
			t.Errorf("%q: %q", words, got)
		}
	}
	k.says("*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n", "ROLE")
}
