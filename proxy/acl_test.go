package proxy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"larder/internal/clients"
	"larder/internal/fleet"
	"larder/internal/peers"
	"larder/proxy"
)

// talker is a client that knows what it wants to hear.
type talker struct {
	t testing.TB
	w *clients.Wire
}

func talk(t testing.TB, addr string) *talker {
	t.Helper()
	w, err := clients.Open(addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return &talker{t, w}
}

func (k *talker) do(args ...string) string {
	k.t.Helper()
	reply, err := k.w.Do(args...)
	if err != nil {
		k.t.Fatalf("%q: %v", args, err)
	}
	return string(reply)
}

func (k *talker) says(want string, args ...string) {
	k.t.Helper()
	if got := k.do(args...); got != want {
		k.t.Errorf("%q: %q, want %q", args, got, want)
	}
}

// closed fails unless the gateway has closed the connection.
func (k *talker) closed() {
	k.t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if _, err := k.w.Do("PING"); err != nil {
			return
		}
	}
	k.t.Error("the connection is open")
}

const (
	twoLoops = 2
	talkers  = 4 // so that some are on each loop
)

// gatewayOver3 is a gateway of two loops over three nodes.
func gatewayOver3(t testing.TB, change ...func(*proxy.Options)) string {
	t.Helper()
	return fleet.Gateway(t, fleet.Nodes(t, 3), append(change, func(o *proxy.Options) { o.Loops = twoLoops })...)
}

// Users are the same on all loops: a change holds for those who are the user already when it is answered, and a user that is gone loses its connections.
func TestUsersOnAllLoops(t *testing.T) {
	addr := gatewayOver3(t)
	admin := talk(t, addr)
	admin.says("+OK\r\n", "ACL", "SETUSER", "u", "on", ">pw", "+@all", "~*")
	var others []*talker
	for range talkers {
		k := talk(t, addr)
		k.says("-WRONGPASS invalid username-password pair or user is disabled.\r\n", "AUTH", "u", "wrong")
		k.says("+OK\r\n", "AUTH", "u", "pw")
		k.says("$1\r\nu\r\n", "ACL", "WHOAMI")
		k.says("+OK\r\n", "SET", "k", "v")
		others = append(others, k)
	}
	admin.says("+OK\r\n", "ACL", "SETUSER", "u", "-set", "resetkeys", "~k*")
	for _, k := range others {
		k.says("-NOPERM User u has no permissions to run the 'set' command\r\n", "SET", "k", "v")
		k.says("$1\r\nv\r\n", "GET", "k")
		k.says("-NOPERM No permissions to access a key\r\n", "MGET", "k", "other")
		k.says("$-1\r\n", "GET", "k2")
	}
	admin.says(":1\r\n", "CLIENT", "KILL", "USER", "u", "ID", strings.Trim(others[0].do("CLIENT", "ID"), ":\r\n"))
	others[0].closed()
	admin.says(":1\r\n", "ACL", "DELUSER", "u", "nobody")
	for _, k := range others[1:] {
		k.closed()
	}
	admin.says("-ERR No such user 'u'\r\n", "CLIENT", "KILL", "USER", "u")
	log := admin.do("ACL", "LOG")
	for _, want := range []string{
		"$6\r\nreason\r\n$3\r\nkey\r\n", "$6\r\nobject\r\n$5\r\nother\r\n", "$6\r\nreason\r\n$4\r\nauth\r\n", "$6\r\nreason\r\n$7\r\ncommand\r\n", "$5\r\ncount\r\n:4\r\n", " user=u ",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("ACL LOG lacks %q: %q", want, log)
		}
	}
	if !strings.HasPrefix(log, "*3\r\n") {
		t.Errorf("what was refused on both loops is not joined: %q", log)
	}
	admin.says("+OK\r\n", "ACL", "LOG", "RESET")
	admin.says("*0\r\n", "ACL", "LOG")
}

// A session is judged by what it said itself in the command before, in a pipeline too.
func TestUsersInAPipeline(t *testing.T) {
	c := peers.Dial(t, gatewayOver3(t), 0)
	c.Send([]byte("ACL SETUSER default -get\r\nGET k\r\nACL SETUSER default +get\r\nGET k\r\n"))
	for i, want := range []string{"+OK\r\n", "-NOPERM User default has no permissions to run the 'get' command\r\n", "+OK\r\n", "$-1\r\n"} {
		if got := string(c.Reply()); got != want {
			t.Errorf("reply %d: %q, want %q", i, got, want)
		}
	}
}

// A large command is judged before it is passed on, and the rest of one that is refused is not kept.
func TestUsersOfLargeCommands(t *testing.T) {
	k := talk(t, gatewayOver3(t))
	large := strings.Repeat("x", 1<<20)
	k.says("+OK\r\n", "ACL", "SETUSER", "u", "on", "nopass", "+set", "+getrange", "+get", "~k*", "%W~w*")
	k.says("+OK\r\n", "AUTH", "u", "x")
	k.says("+OK\r\n", "SET", "k", large)
	k.says("-NOPERM No permissions to access a key\r\n", "SET", "other", large)
	k.says("-NOPERM User u has no permissions to run the 'append' command\r\n", "APPEND", "k", large)
	k.says("+OK\r\n", "SET", "w", large)
	k.says("-NOPERM No permissions to access a key\r\n", "SET", "w", large, "GET")
	k.says("$2\r\nxx\r\n", "GETRANGE", "k", "0", "1")
}

// requirepass is the default user's password, and both tell of each other.
func TestRequirePassIsTheDefaultUsers(t *testing.T) {
	addr := gatewayOver3(t)
	k := talk(t, addr)
	k.says("+OK\r\n", "CONFIG", "SET", "requirepass", "secret")
	k.says("$-1\r\n", "GET", "k")
	for range talkers {
		late := talk(t, addr)
		late.says("-NOAUTH Authentication required.\r\n", "GET", "k")
		late.says("-WRONGPASS invalid username-password pair or user is disabled.\r\n", "AUTH", "wrong")
		late.says("+OK\r\n", "AUTH", "secret")
		late.says("$-1\r\n", "GET", "k")
	}
	k.says("+OK\r\n", "CONFIG", "SET", "requirepass", "")
	talk(t, addr).says("$-1\r\n", "GET", "k")
}

// Users are kept in a file and read again; a wrong file changes nothing.
func TestUsersFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users.acl")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("user default on nopass ~* &* +@all\nuser u on >pw +get ~*\n")
	addr := gatewayOver3(t, func(o *proxy.Options) { o.ACLFile = file })
	k := talk(t, addr)
	k.says("*2\r\n$7\r\ndefault\r\n$1\r\nu\r\n", "ACL", "USERS")
	k.says("+OK\r\n", "ACL", "SETUSER", "v", "on")
	k.says("+OK\r\n", "ACL", "SAVE")
	k.says(":1\r\n", "ACL", "DELUSER", "v")
	k.says("+OK\r\n", "ACL", "LOAD")
	k.says("*3\r\n$7\r\ndefault\r\n$1\r\nu\r\n$1\r\nv\r\n", "ACL", "USERS")
	write("nonsense\n")
	if got := k.do("ACL", "LOAD"); !strings.HasPrefix(got, "-ERR "+file+":1: line must start with the 'user' keyword") {
		t.Errorf("a wrong file: %q", got)
	}
	other := talk(t, addr)
	other.says("+OK\r\n", "AUTH", "u", "pw")
	write("user default on nopass ~* &* +@all\n")
	k.says("+OK\r\n", "ACL", "LOAD")
	other.closed()
}

// A script may do what its user may, alone and in a transaction, and the next one on the same lane what its own may.
func TestUsersOfScripts(t *testing.T) {
	addr := gatewayOver3(t)
	admin, k := talk(t, addr), talk(t, addr)
	admin.says("+OK\r\n", "ACL", "SETUSER", "u", "on", "nopass", "+@all", "-set", "-strlen", "~{t}*", "(+set ~{t}free)")
	admin.says("+OK\r\n", "SET", "{t}a", "1")
	admin.says("+OK\r\n", "SET", "{t}free", "1")
	admin.says(":1\r\n", "RPUSH", "{t}l", "1")
	k.says("+OK\r\n", "AUTH", "u", "x")
	const get, set = "return redis.call('get', ARGV[1])", "return redis.call('set', ARGV[1], 2)"
	sha := strings.Fields(k.do("SCRIPT", "LOAD", get))[1]
	refused := func(got, want string) {
		t.Helper()
		if !strings.HasPrefix(got, "-ERR The user executing the script can't "+want) {
			t.Errorf("%q, want it refused", got)
		}
	}
	for range talkers {
		k.says("$1\r\n1\r\n", "EVAL", get, "1", "{t}a", "{t}a")
		refused(k.do("EVAL", set, "1", "{t}a", "{t}a"), "access at least one of the keys")
		refused(k.do("EVAL", "return redis.call('strlen', KEYS[1])", "1", "{t}a"), "run this command")
		refused(k.do("EVAL", get, "1", "{t}a", "other{t}"), "access at least one of the keys")
		refused(k.do("EVALSHA", sha, "1", "{t}a", "other{t}"), "access at least one of the keys")
		if got := k.do("EVAL", "return redis.call('sort', KEYS[1], 'by', 'secret*')", "1", "{t}l"); !strings.HasPrefix(got, "-ERR BY option of SORT denied") {
			t.Errorf("SORT by what the user may not read: %q", got)
		}
		k.says("+OK\r\n", "EVAL", set, "1", "{t}free", "{t}free")
		k.says("-NOPERM No permissions to access a key\r\n", "EVAL", get, "1", "other{t}", "other{t}")
		admin.says("+OK\r\n", "EVAL", set, "1", "{t}a", "other{t}")
		k.says("+OK\r\n", "MULTI")
		k.says("+QUEUED\r\n", "EVAL", set, "1", "{t}a", "other{t}")
		k.says("+QUEUED\r\n", "GET", "{t}a")
		refused(strings.TrimPrefix(k.do("EXEC"), "*2\r\n"), "")
		admin.says("+OK\r\n", "EVAL", set, "1", "{t}a", "other{t}")
		admin.says("+OK\r\n", "SET", "{t}a", "1")
	}
	// A change holds for the next script.
	admin.says("+OK\r\n", "ACL", "SETUSER", "u", "+set")
	k.says("+OK\r\n", "EVAL", set, "1", "{t}a", "{t}a")
}

// A stock server cannot be told whose script it runs.
func TestUsersOfScriptsOnStockNodes(t *testing.T) {
	addr := fleet.Gateway(t, []string{peers.StartRedis(t)})
	k := talk(t, addr)
	k.says("+OK\r\n", "ACL", "SETUSER", "u", "on", "nopass", "+@all", "~a*")
	k.says("+OK\r\n", "AUTH", "u", "x")
	const refused = "-NOPERM scripts of a user with limited rights need a node that can be told them, and this shard's is a stock server\r\n"
	k.says(refused, "EVAL", "return redis.call('get', 'b')", "0")
	k.says("+OK\r\n", "MULTI")
	k.says("+QUEUED\r\n", "EVAL", "return redis.call('get', 'b')", "0")
	k.says(refused, "EXEC")
	k.says("$-1\r\n", "GET", "a")
	k.says("+OK\r\n", "AUTH", "default", "x")
	k.says("$-1\r\n", "EVAL", "return redis.call('get', 'b')", "0")
}
