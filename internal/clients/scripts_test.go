package clients_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"

	"larder/internal/clients"
	"larder/internal/fleet"
	"larder/internal/peers"
	"larder/protocol/resp"
)

const (
	addScript   = "return redis.call('incrby', KEYS[1], ARGV[1])"
	addSHA      = "65b45e1e1b8b36c8c3e885080b88ae484e64fde6"
	setLibrary  = "#!lua name=set\nredis.register_function('put', function(keys, args) return redis.call('set', keys[1], args[1]) end)"
	endlessly   = "while true do pcall(function() while true do end end) end"
	oneMore     = "return redis.call('incr', KEYS[1])"
	neverLoaded = "0000000000000000000000000000000000000000"
)

// TestScriptsOfNodeStartedAnew: a node that was killed and comes back empty knows what was loaded through the gateway, and what came with EVAL, before a
// client's command reaches it; functions too.
func TestScriptsOfNodeStartedAnew(t *testing.T) {
	t.Parallel()
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			gateway, nodes := overThree(t, b.start)
			c := peers.Dial(t, gateway.Addr, 3)
			want(t, c, "$40\r\n"+addSHA+"\r\n", "SCRIPT", "LOAD", addScript)
			want(t, c, ":1\r\n", "EVAL", oneMore, "1", keyOn(0, 0))
			want(t, c, "$3\r\nset\r\n", "FUNCTION", "LOAD", setLibrary)
			more := sha1Of(oneMore)
			for shard, node := range nodes {
				node.Kill()
				node.Start(t)
				key := keyOn(shard, 1)
				until := time.Now().Add(peers.Patience)
				for _, args := range [][]string{{"EVALSHA", addSHA, "1", key, "1"}, {"EVALSHA", more, "1", key}, {"FCALL", "put", "1", key, "7"}} {
					got := again(t, c, until, args...)
					if got[0] == '-' {
						t.Errorf("shard %d, %q: %q", shard, args, got)
					}
				}
				want(t, c, "$1\r\n7\r\n", "GET", key)
				want(t, c, "*3\r\n:1\r\n:1\r\n:0\r\n", "SCRIPT", "EXISTS", addSHA, more, neverLoaded)
			}
			want(t, c, "-NOSCRIPT No matching script. Please use EVAL.\r\n", "EVALSHA", neverLoaded, "1", "k")
		})
	}
}

// again sends a command until it is not answered that its node is out of reach, and gives what it is answered then.
func again(t *testing.T, c *peers.Conn, until time.Time, args ...string) string {
	t.Helper()
	for {
		got := string(c.Do(args...))
		if !strings.HasPrefix(got, "-CLUSTERDOWN ") && !strings.HasPrefix(got, "-UNKNOWN ") && !strings.HasPrefix(got, "-LOADING ") {
			return got
		}
		if time.Now().After(until) {
			t.Fatalf("%q: still %q", args, got)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func sha1Of(script string) string { return redis.NewScript(script).Hash() }

// TestScriptsOfAnotherGateway: what one gateway's clients have loaded, another's may name after a node was started anew, once the first has met the node.
func TestScriptsOfAnotherGateway(t *testing.T) {
	t.Parallel()
	gateway, nodes := overThree(t, backends[0].start)
	other := larder.Gateway(t, nodes)
	a, b := peers.Dial(t, gateway.Addr, 2), peers.Dial(t, other.Addr, 2)
	want(t, a, "$40\r\n"+addSHA+"\r\n", "SCRIPT", "LOAD", addScript)
	want(t, a, "$3\r\nset\r\n", "FUNCTION", "LOAD", setLibrary)
	want(t, b, ":1\r\n", "EVALSHA", addSHA, "1", keyOn(1, 0), "1")
	nodes[1].Kill()
	nodes[1].Start(t)
	until := time.Now().Add(peers.Patience)
	again(t, a, until, "SET", keyOn(1, 0), "1")
	if got := again(t, b, until, "EVALSHA", addSHA, "1", keyOn(1, 0), "1"); got != ":2\r\n" {
		t.Errorf("EVALSHA through the other gateway: %q", got)
	}
	if got := again(t, b, until, "FCALL", "put", "1", keyOn(1, 0), "9"); got != "+OK\r\n" {
		t.Errorf("FCALL through the other gateway: %q", got)
	}
	nodes[2].Kill()
	nodes[2].Start(t)
	fresh := peers.Dial(t, larder.Gateway(t, nodes).Addr, 2) // it has met no node, and the node has no functions
	if got := again(t, fresh, until, "FCALL", "put", "1", keyOn(2, 0), "9"); got != "+OK\r\n" {
		t.Errorf("FCALL through a new gateway: %q", got)
	}
}

// TestBusyShard: a script that runs on holds up its own shard's commands only, is seen through the gateway, and SCRIPT KILL ends it. The same for a function.
func TestBusyShard(t *testing.T) {
	t.Parallel()
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			nodes := []*clients.Process{b.start(t), b.start(t), b.start(t)}
			gateway := larder.Gateway(t, nodes, "--set", "gateway.upstream.reply-timeout=20s")
			for _, n := range nodes {
				want(t, peers.Dial(t, n.Addr, 2), "+OK\r\n", "CONFIG", "SET", "busy-reply-threshold", "1")
			}
			runner, waiter, killer := peers.Dial(t, gateway.Addr, 2), peers.Dial(t, gateway.Addr, 2), peers.Dial(t, gateway.Addr, 2)
			want(t, killer, "-NOTBUSY No scripts in execution right now.\r\n", "SCRIPT", "KILL")
			want(t, killer, "$1\r\nl\r\n", "FUNCTION", "LOAD", "#!lua name=l\nredis.register_function('on', function() "+endlessly+" end)")
			for _, c := range []struct {
				run  []string
				kill string
			}{
				{[]string{"EVAL", endlessly, "1", keyOn(1, 0)}, "SCRIPT"},
				{[]string{"FCALL", "on", "1", keyOn(1, 0)}, "FUNCTION"},
			} {
				runner.Send(resp.AppendCommandStrings(nil, c.run...))
				waiter.Send(resp.AppendCommandStrings(nil, "SET", keyOn(1, 1), "v"))
				if c.kill == "FUNCTION" {
					eventually(t, "FUNCTION STATS of what runs", func() bool {
						return strings.Contains(string(killer.Do("FUNCTION", "STATS")), "$2\r\non\r\n")
					})
				}
				want(t, killer, "+OK\r\n", "SET", keyOn(0, 0), "v")
				want(t, killer, "+OK\r\n", "SET", keyOn(2, 0), "v")
				eventually(t, "the end of what runs", func() bool { return string(killer.Do(c.kill, "KILL")) == "+OK\r\n" })
				if got := string(runner.Reply()); !strings.HasPrefix(got, "-ERR Script killed by user with ") {
					t.Errorf("%s: %q", c.kill, got)
				}
				if got := string(waiter.Reply()); got != "+OK\r\n" && !strings.HasPrefix(got, "-BUSY ") {
					t.Errorf("who waited for the shard: %q", got)
				}
				want(t, killer, "+OK\r\n", "SET", keyOn(1, 0), "v")
			}
		})
	}
}

// TestUndeclaredKeys: nodes that were never assigned a shard know from the gateway which keys are not theirs; those that a topology gives one, from it.
func TestUndeclaredKeys(t *testing.T) {
	gateway, _ := overThree(t, backends[0].start)
	c := peers.Dial(t, gateway.Addr, 2)
	for shard := range 3 {
		for other := range 3 {
			got := string(c.Do("EVAL", "return redis.call('set', ARGV[1], 'x')", "1", keyOn(shard, 0), keyOn(other, 1)))
			if fine := got == "+OK\r\n"; fine != (shard == other) || !fine && !strings.HasPrefix(got, "-ERR Script attempted to access a non local key in a cluster node script: ") {
				t.Errorf("a key of shard %d in a script of shard %d: %q", other, shard, got)
			}
		}
		// Several slots of one shard are as good as one.
		want(t, c, ":2\r\n", "EVAL", "return redis.call('exists', KEYS[1], KEYS[2]) + 1", "2", keyOn(shard, 1), keyOn(shard, 2))
		want(t, c, "-CROSSSLOT Keys in request don't hash to the same slot\r\n", "EVAL", "return 1", "2", keyOn(shard, 0), keyOn((shard+1)%3, 0))
	}
}

// TestGoRedisScripts: the library's scripts, which are named first and sent when that fails, alone and in pipelines over all shards, and its functions.
func TestGoRedisScripts(t *testing.T) {
	for _, s := range served {
		for proto := 2; proto <= 3; proto++ {
			t.Run(fmt.Sprintf("%s RESP%d", s.name, proto), func(t *testing.T) {
				ctx := within(t, time.Minute)
				c := goRedis(t, redis.Options{Addr: s.start(t), Protocol: proto})
				add := redis.NewScript(addScript)
				for i := range 30 {
					if n, err := add.Run(ctx, c, []string{fmt.Sprint("n", i)}, i).Int(); err != nil || n != i {
						t.Fatalf("n%d: %d, %v", i, n, err)
					}
				}
				cmds, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
					for i := range 300 {
						add.EvalSha(ctx, p, []string{fmt.Sprint("n", i%30)}, 1)
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				for i, cmd := range cmds {
					if n, err := cmd.(*redis.Cmd).Int(); err != nil || n != i%30+i/30+1 {
						t.Fatalf("the %d-th of a pipeline: %d, %v", i, n, err)
					}
				}
				for i := range 3 {
					key := keyOn(i, 0)
					cmds, err := c.TxPipelined(ctx, func(p redis.Pipeliner) error {
						p.Set(ctx, key, 5, 0)
						add.EvalSha(ctx, p, []string{key}, 2)
						return nil
					})
					if n, _ := cmds[1].(*redis.Cmd).Int(); err != nil || n != 7 {
						t.Errorf("in a transaction: %d, %v", n, err)
					}
				}
				if have, err := add.Exists(ctx, c).Result(); err != nil || !slices.Equal(have, []bool{true}) {
					t.Errorf("SCRIPT EXISTS: %v, %v", have, err)
				}
				goRedisFunctions(t, c)
			})
		}
	}
}

func goRedisFunctions(t *testing.T, c *redis.Client) {
	t.Helper()
	ctx := within(t, time.Minute)
	if name, err := c.FunctionLoadReplace(ctx, setLibrary).Result(); err != nil || name != "set" {
		t.Fatalf("FUNCTION LOAD: %q, %v", name, err)
	}
	for shard := range 3 {
		if got, err := c.FCall(ctx, "put", []string{keyOn(shard, 0)}, "x").Text(); err != nil || got != "OK" {
			t.Errorf("FCALL: %q, %v", got, err)
		}
	}
	if list, err := c.FunctionList(ctx, redis.FunctionListQuery{}).Result(); err != nil || len(list) != 1 || list[0].Name != "set" || len(list[0].Functions) != 1 {
		t.Errorf("FUNCTION LIST: %+v, %v", list, err)
	}
	dump, err := c.FunctionDump(ctx).Result()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.FunctionFlush(ctx).Err(); err != nil {
		t.Error(err)
	}
	if err := c.FCall(ctx, "put", []string{keyOn(1, 0)}, "x").Err(); err == nil || err.Error() != "ERR Function not found" {
		t.Errorf("FCALL of what was flushed: %v", err)
	}
	if err := c.FunctionRestore(ctx, dump).Err(); err != nil {
		t.Error(err)
	}
	if stats, err := c.FunctionStats(ctx).Result(); err != nil || len(stats.Engines) != 1 || stats.Engines[0].FunctionsCount != 1 {
		t.Errorf("FUNCTION STATS: %+v, %v", stats, err)
	}
	if err := c.FunctionDelete(ctx, "set").Err(); err != nil {
		t.Error(err)
	}
}

// TestRueidisScripts: the library pipelines by itself; its scripts are loaded, named, and sent when a node does not know them.
func TestRueidisScripts(t *testing.T) {
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{fleet.Gateway(t, fleet.Nodes(t, 3))}, DisableCache: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	ctx := within(t, time.Minute)
	add := rueidis.NewLuaScript(addScript)
	if n, err := add.Exec(ctx, c, []string{"first"}, []string{"3"}).AsInt64(); err != nil || n != 3 {
		t.Fatalf("%d, %v", n, err)
	}
	var many []rueidis.LuaExec
	for i := range 1000 {
		many = append(many, rueidis.LuaExec{Keys: []string{fmt.Sprint("k", i%50)}, Args: []string{"1"}})
	}
	for i, r := range add.ExecMulti(ctx, c, many...) {
		if n, err := r.AsInt64(); err != nil || n != int64(i/50+1) {
			t.Fatalf("the %d-th: %d, %v", i, n, err)
		}
	}
	reads := rueidis.NewLuaScriptReadOnly("return redis.call('get', KEYS[1])")
	if got, err := reads.Exec(ctx, c, []string{"k7"}, nil).ToString(); err != nil || got != "20" {
		t.Errorf("EVALSHA_RO: %q, %v", got, err)
	}
}
