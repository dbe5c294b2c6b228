package proxy_test

import (
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"larder/backends/stock"
	"larder/internal/fleet"
	"larder/internal/peers"
	"larder/protocol/command"
	"larder/proxy"
	"larder/router"
)

// overModules is a gateway over redis-servers with a module, which knows its commands; and those that look for them.
func overModules(t *testing.T, addrs ...string) (*proxy.Gateway, string) {
	t.Helper()
	gateway, addr := fleet.StartGateway(t, addrs, prometheus.NewRegistry(), func(o *proxy.Options) { o.Loops = twoLoops })
	topology := fleet.Topology(t, addrs)
	stock.New(stock.Options{
		Topology: func() *router.Topology { return topology }, Extend: gateway.Extend, Log: slog.New(slog.DiscardHandler),
	}).Look(t.Context())
	return gateway, addr
}

// TestModules: a gateway routes commands that its table lacks by what the servers say of their keys.
func TestModules(t *testing.T) {
	module := peers.Module(t)
	a, b := peers.StartRedis(t, "--loadmodule", module), peers.StartRedis(t, "--loadmodule", module)
	gateway, addr := overModules(t, a, b)
	k := talk(t, addr)

	t.Run("by key", func(t *testing.T) {
		k.says("-ERR unknown command 'm.nix', with args beginning with: 'a' \r\n", "m.nix", "a")
		on := map[string]int{}
		for i := range 20 {
			key := fmt.Sprint("k", i)
			k.says("+OK\r\n", "M.Set", key, "v"+key)
			k.says("$"+fmt.Sprint(len(key)+1)+"\r\nv"+key+"\r\n", "GET", key)
			k.says("$"+fmt.Sprint(len(key)+1)+"\r\nv"+key+"\r\n", "m.get", key)
			for _, server := range []string{a, b} {
				if s := talk(t, server); s.do("EXISTS", key) == ":1\r\n" {
					on[server]++
				}
			}
		}
		if on[a] == 0 || on[b] == 0 || on[a]+on[b] != 20 {
			t.Errorf("keys are on %v", on)
		}
		k.says("*2\r\n$3\r\nvk1\r\n$3\r\nvk1\r\n", "m.all", "2", "k1", "k1")
		k.says("-CROSSSLOT Keys in request don't hash to the same slot\r\n", "m.all", "2", "k1", "k2")
		k.says("+OK\r\n", "m.box", "put", "box", "1")
		k.says("$1\r\n1\r\n", "get", "box")
		k.says("-ERR unknown subcommand 'take'. Try M.BOX HELP.\r\n", "m.box", "take", "box")
		k.says("-ERR wrong number of arguments for 'm.all' command\r\n", "m.all", "1")
		large := strings.Repeat("x", 600<<10)
		k.says("+OK\r\n", "m.set", "large", large)
		k.says("$614400\r\n"+large+"\r\n", "m.get", "large")
	})
	t.Run("without their keys", func(t *testing.T) {
		for _, name := range []string{"m.get", "m.set", "m.pop", "m.count"} {
			wrong := "-ERR wrong number of arguments for '" + name + "' command\r\n"
			k.says(wrong, name)
			k.says("+OK\r\n", "MULTI")
			k.says(wrong, name)
			k.says("-EXECABORT Transaction discarded because of previous errors.\r\n", "EXEC")
		}
	})
	t.Run("over shards", func(t *testing.T) {
		k.says(":4\r\n", "m.count", "k1", "k2", "k3", "k4", "nix")
		k.says(k.do("DBSIZE"), "m.size")
		k.says("-ERR command 'm.none' cannot be routed: it has no keys, and the cluster has 2 shards\r\n", "m.none")
		k.says("-ERR command 'm.guess' cannot be routed: its servers do not say where its keys stand, and the cluster has 2 shards\r\n", "m.guess", "k1")
		k.says("-ERR unknown command 'm.boss', with args beginning with: \r\n", "m.boss") // for administrators: it would reach one server
	})
	t.Run("in transactions", func(t *testing.T) {
		k.says("+OK\r\n", "MULTI")
		k.says("+QUEUED\r\n", "m.set", "{t}a", "1")
		k.says("+QUEUED\r\n", "INCR", "{t}a")
		k.says("+QUEUED\r\n", "m.get", "{t}a")
		k.says("*3\r\n+OK\r\n:2\r\n$1\r\n2\r\n", "EXEC")
		k.says("+OK\r\n", "MULTI")
		k.says("-ERR command 'm.none' cannot be routed: it has no keys, and the cluster has 2 shards\r\n", "m.none")
		k.says("-EXECABORT Transaction discarded because of previous errors.\r\n", "EXEC")
		k.says("$1\r\n2\r\n", "EVAL", "return redis.call('m.get', KEYS[1])", "1", "{t}a")
	})
	t.Run("that wait", func(t *testing.T) {
		k.says(":1\r\n", "RPUSH", "list", "x")
		k.says("$1\r\nx\r\n", "m.pop", "list", "0")
		k.says("$-1\r\n", "m.pop", "list", "0")
	})
	t.Run("as COMMAND tells", func(t *testing.T) { foreignInCommand(t, k, talk(t, a)) })
	t.Run("by rights", func(t *testing.T) { foreignRights(t, addr) })
	t.Run("to caches", func(t *testing.T) {
		c := peers.Dial(t, addr, 3)
		if got := string(c.Do("CLIENT", "TRACKING", "ON")); got != "+OK\r\n" {
			t.Fatal(got)
		}
		c.Do("m.get", "k1")
		k.says("+OK\r\n", "m.set", "k1", "new")
		if got := string(c.Reply()); got != ">2\r\n$10\r\ninvalidate\r\n*1\r\n$2\r\nk1\r\n" {
			t.Errorf("got %q", got)
		}
	})
	t.Run("withdrawn", func(t *testing.T) {
		k.says("+OK\r\n", "MULTI")
		k.says("+QUEUED\r\n", "m.set", "{t}a", "1")
		gateway.Extend(command.NewOverlay(1000))
		k.says("*1\r\n+OK\r\n", "EXEC")
		k.says("-ERR unknown command 'm.get', with args beginning with: 'k1' \r\n", "m.get", "k1")
		gateway.Extend(command.NewOverlay(999, []command.Row{{Name: "m.x", Arity: 1, Flags: command.Module}}))
		k.says("-ERR unknown command 'm.x', with args beginning with: \r\n", "m.x") // it is older
	})
}

// foreignInCommand compares what COMMAND tells through the gateway with what the server tells.
func foreignInCommand(t *testing.T, gateway, server *talker) {
	for _, words := range [][]string{
		{"COMMAND", "INFO", "m.set", "m.get", "m.count", "m.size", "m.none", "m.pop"},
		{"COMMAND", "GETKEYS", "m.all", "2", "a", "b"},
		{"COMMAND", "GETKEYSANDFLAGS", "m.set", "a", "b"},
		{"COMMAND", "LIST", "FILTERBY", "PATTERN", "m.b*"},
		{"COMMAND", "GETKEYS", "m.box", "put", "k", "v"},
	} {
		ours, theirs := gateway.do(words...), server.do(words...)
		if words[1] == "LIST" { // in any order
			theirs = strings.Replace(theirs, "$6\r\nm.boss\r\n", "", 1)
			theirs = strings.Replace(theirs, "*3", "*2", 1)
			ours, theirs = inOrder(ours), inOrder(theirs)
		}
		if sameFlags(categories.ReplaceAllString(ours, "*0\r\n")) != sameFlags(theirs) {
			t.Errorf("%q\nours   %q\ntheirs %q", words, ours, theirs)
		}
	}
	if got := gateway.do("COMMAND", "COUNT"); got == talk(t, fleet.Gateway(t, fleet.Nodes(t, 1))).do("COMMAND", "COUNT") {
		t.Errorf("COMMAND COUNT is %q as without modules", got)
	}
	if got := gateway.do("ACL", "CAT", "write"); !strings.Contains(got, "m.box|put") || !strings.Contains(got, "m.set") || strings.Contains(got, "m.get") {
		t.Errorf("ACL CAT write: %q", got)
	}
}

// categories are what the gateway has by the flags, and a server of 7.0 has not.
var categories = regexp.MustCompile(`\*\d\r\n(\+@\w+\r\n)+`)

func inOrder(reply string) string {
	lines := strings.Split(reply, "\r\n")
	slices.Sort(lines)
	return strings.Join(lines, "\r\n")
}

// sameFlags puts the flags of a command in one order: a server names module between others.
func sameFlags(reply string) string {
	for _, flag := range []string{"write", "denyoom", "readonly", "blocking", "fast"} {
		reply = strings.ReplaceAll(reply, "+module\r\n+"+flag+"\r\n", "+"+flag+"\r\n+module\r\n")
	}
	return reply
}

// foreignRights: rules by name and by category hold for commands that the table lacks.
func foreignRights(t *testing.T, addr string) {
	admin, k := talk(t, addr), talk(t, addr)
	set := func(rules ...string) {
		t.Helper()
		admin.says("+OK\r\n", append([]string{"ACL", "SETUSER", "m", "reset", "on", "nopass", "~k*"}, rules...)...)
		k.says("+OK\r\n", "AUTH", "m", "x")
	}
	no := func(name string) string {
		return "-NOPERM User m has no permissions to run the '" + name + "' command\r\n"
	}
	may := func(allowed bool, name string, args ...string) {
		t.Helper()
		if got := k.do(append([]string{name}, args...)...); (got == no(name)) == allowed {
			t.Errorf("%s %q: %q", name, args, got)
		}
	}
	set("+@read")
	may(true, "m.get", "k1")
	may(false, "m.set", "k1", "1")
	set("+@all", "-m.set")
	may(true, "m.get", "k1")
	may(false, "m.set", "k1", "1")
	set("-@all", "+m.set", "+m.box|put")
	may(false, "m.get", "k1")
	may(true, "m.set", "k1", "1")
	if got := k.do("m.box", "put", "k1", "1"); got != "+OK\r\n" {
		t.Errorf("m.box put: %q", got)
	}
	if got := k.do("m.set", "other", "1"); !strings.HasPrefix(got, "-NOPERM ") {
		t.Errorf("a key of others: %q", got)
	}
	if got := admin.do("ACL", "DRYRUN", "m", "m.get", "k1"); !strings.Contains(got, "no permissions to run the 'm.get' command") {
		t.Errorf("ACL DRYRUN: %q", got)
	}
	if got := admin.do("ACL", "SETUSER", "m", "+nodot"); !strings.Contains(got, "Unknown command or category name in ACL") {
		t.Errorf("a command that nobody has: %q", got)
	}
}

// TestModulesOfOneShard: over one shard everything goes there.
func TestModulesOfOneShard(t *testing.T) {
	_, addr := overModules(t, peers.StartRedis(t, "--loadmodule", peers.Module(t)))
	k := talk(t, addr)
	k.says("+OK\r\n", "m.set", "a", "1")
	k.says(":42\r\n", "m.none")
	k.says(":1\r\n", "m.size")
	k.says("$1\r\n1\r\n", "m.guess", "x", "a")
	k.says("*2\r\n$1\r\n1\r\n$-1\r\n", "m.all", "2", "a", "b")
	k.says("-ERR unknown command 'm.boss', with args beginning with: \r\n", "m.boss")
	k.says("+OK\r\n", "MULTI")
	k.says("+QUEUED\r\n", "m.none")
	k.says("*1\r\n:42\r\n", "EXEC")
}
