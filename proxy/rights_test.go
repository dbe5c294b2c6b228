package proxy_test

import (
	"strings"
	"testing"
	"time"

	"larder/internal/fleet"
	"larder/internal/peers"
	"larder/proxy"
)

// eachUsers runs a test against redis-server, which says how rights are taken away, and against a gateway of two loops over nodes.
func eachUsers(t *testing.T, test func(t *testing.T, addr string)) {
	t.Run("redis", func(t *testing.T) { test(t, peers.StartRedis(t)) })
	t.Run("gateway", func(t *testing.T) { test(t, gatewayOver3(t)) })
	t.Run("over stock", func(t *testing.T) {
		test(t, fleet.Gateway(t, []string{peers.StartRedis(t)}, func(o *proxy.Options) { o.Loops = twoLoops }))
	})
}

const (
	changed   = "-NOPERM ACLs rules changed between the moment the transaction was accumulated and the EXEC call. This command is no longer allowed for the following reason: "
	noCommand = changed + "no permission to execute the command or subcommand\r\n"
	noKey     = changed + "no permission to touch the specified keys\r\n"
	noChannel = changed + "no permission to access one of the channels used as arguments\r\n"
)

// What a transaction has queued is judged again by EXEC: what is no longer allowed is answered so, in its place, and the rest runs.
func TestRightsInATransaction(t *testing.T) {
	eachUsers(t, func(t *testing.T, addr string) {
		admin, k := talk(t, addr), talk(t, addr)
		begin := func(commands ...string) {
			t.Helper()
			admin.says("+OK\r\n", "ACL", "SETUSER", "u", "reset", "on", "nopass", "+@all", "~*", "&*")
			k.says("+OK\r\n", "MULTI")
			for _, command := range commands {
				k.says("+QUEUED\r\n", strings.Fields(command)...)
			}
		}
		admin.says("+OK\r\n", "ACL", "SETUSER", "u", "on", "nopass", "+@all", "~*", "&*")
		k.says("+OK\r\n", "AUTH", "u", "x")
		admin.says(":1\r\n", "RPUSH", "{t}l", "1")
		all := []string{"SET {t}a 1", "CLIENT SETNAME me", "GET {t}a", "CLIENT GETNAME", "PUBLISH c x", "INCR {t}a", "EVAL return{redis.call('get',KEYS[1])} 1 {t}a"}

		begin(all...)
		admin.says("+OK\r\n", "ACL", "SETUSER", "u", "-get", "-client|setname")
		got, want := k.do("EXEC"), "*7\r\n+OK\r\n"+noCommand+noCommand+"$-1\r\n:0\r\n:2\r\n-ERR The user executing the script can't run this command or subcommand"
		if !strings.HasPrefix(got, want) && !strings.HasPrefix(got, "-NOPERM scripts of a user") { // a stock node cannot be told the rights of the script's user
			t.Errorf("EXEC: %q, want %q", got, want)
		}
		if got := k.do("GET", "{t}a"); !strings.HasPrefix(got, "-NOPERM ") {
			t.Errorf("GET: %q", got)
		}

		begin("SET {t}a 1", "GET {t}b", "PUBLISH c x", "EVAL return{1} 1 {t}b")
		admin.says("+OK\r\n", "ACL", "SETUSER", "u", "resetkeys", "~{t}a", "resetchannels", "&d", "-eval")
		k.says("*4\r\n+OK\r\n"+noKey+noChannel+noCommand, "EXEC")

		begin("SET {t}a 9", "CLIENT GETNAME")
		admin.says("+OK\r\n", "ACL", "SETUSER", "u", "-@all", "+exec", "+multi")
		k.says("*2\r\n"+noCommand+noCommand, "EXEC")
		admin.says("$1\r\n1\r\n", "GET", "{t}a")

		// More rights, other rights and none taken away change nothing.
		begin("SET {t}a 2", "GET {t}a")
		admin.says("+OK\r\n", "ACL", "SETUSER", "u", "-flushall", ">pw")
		k.says("*2\r\n+OK\r\n$1\r\n2\r\n", "EXEC")

		// What is watched is watched nevertheless, and given back.
		admin.says("+OK\r\n", "ACL", "SETUSER", "u", "reset", "on", "nopass", "+@all", "~*", "&*")
		k.says("+OK\r\n", "WATCH", "{t}a")
		begin("SET {t}a 3", "GET {t}a")
		admin.says("+OK\r\n", "ACL", "SETUSER", "u", "-set", "-get")
		k.says("*2\r\n"+noCommand+noCommand, "EXEC")
		k.says("+OK\r\n", "WATCH", "{t}a")
		begin("SET {t}a 3", "GET {t}a")
		admin.says("+OK\r\n", "SET", "{t}a", "4")
		admin.says("+OK\r\n", "ACL", "SETUSER", "u", "-set")
		k.says("*-1\r\n", "EXEC")

		// EXEC itself.
		begin("SET {t}a 5")
		admin.says("+OK\r\n", "ACL", "SETUSER", "u", "-exec")
		if got := k.do("EXEC"); !strings.HasPrefix(got, "-EXECABORT Transaction discarded because of: NOPERM ") {
			t.Errorf("EXEC: %q", got)
		}
		admin.says("$1\r\n4\r\n", "GET", "{t}a")
		if log := admin.do("ACL", "LOG"); !strings.Contains(log, "$7\r\ncontext\r\n$5\r\nmulti\r\n") {
			t.Errorf("ACL LOG: %q", log)
		}
	})
}

// A user that is deleted loses every connection, whatever it does at the moment; one whose channels are narrowed those that listen to what is not allowed
// any more.
func TestRightsOfListeners(t *testing.T) {
	eachUsers(t, func(t *testing.T, addr string) {
		admin := talk(t, addr)
		admin.says("+OK\r\n", "ACL", "SETUSER", "u", "on", "nopass", "+@all", "~*", "&*")
		user := func(doing ...string) *talker {
			k := talk(t, addr)
			k.says("+OK\r\n", "AUTH", "u", "x")
			if len(doing) > 0 {
				k.do(doing...)
			}
			return k
		}
		narrow, wide, shards, none := user("SUBSCRIBE", "a"), user("PSUBSCRIBE", "a*"), user("SSUBSCRIBE", "a"), user()
		monitor := user("MONITOR")
		admin.says("+OK\r\n", "ACL", "SETUSER", "u", "resetchannels", "&a")
		wide.closed() // the pattern is more than what is allowed
		narrow.alive(t, "SUBSCRIBE", "a")
		shards.alive(t, "SSUBSCRIBE", "a")
		none.says("$1\r\nu\r\n", "ACL", "WHOAMI")
		admin.says("+OK\r\n", "ACL", "SETUSER", "u", "resetchannels", "-monitor", "-subscribe")
		narrow.closed()
		shards.closed()
		none.says("$1\r\nu\r\n", "ACL", "WHOAMI")

		admin.says("+OK\r\n", "ACL", "SETUSER", "u", "reset", "on", "nopass", "+@all", "~*", "&*")
		watch, multi, listener := user("WATCH", "k"), user("MULTI"), user("SUBSCRIBE", "a")
		tracks := user("HELLO", "3")
		tracks.says("+OK\r\n", "CLIENT", "TRACKING", "ON")
		blocked := user()
		popped := make(chan bool)
		go blockedUntilClosed(blocked, popped)
		admin.until(t, "blocked_clients:1\r\n", "INFO", "clients")
		admin.says(":1\r\n", "ACL", "DELUSER", "u")
		for _, k := range []*talker{watch, multi, listener, tracks, none, monitor} {
			k.closed()
		}
		if <-popped {
			t.Error("a user that is gone was given something")
		}
		admin.says(":1\r\n", "RPUSH", "queue", "1")
		admin.says(":1\r\n", "LLEN", "queue")
	})
}

// A command that waits is ended if its user may not run it any more: what comes later is not given away by rights that are gone. (Redis 7.0 gives it;
// from 7.2 on the client is refused when something comes.)
func TestRightsOfTheBlocked(t *testing.T) {
	for name, addr := range map[string]string{"gateway": gatewayOver3(t), "over stock": fleet.Gateway(t, []string{peers.StartRedis(t)})} {
		t.Run(name, func(t *testing.T) {
			admin := talk(t, addr)
			const all = "reset on nopass +@all ~*"
			for _, c := range []struct{ command, rules, want string }{
				{"BLPOP q 0", "-blpop", "-NOPERM User u has no permissions to run the 'blpop' command\r\n"},
				{"BLMOVE q {q}2 LEFT LEFT 0", "resetkeys ~q", "-NOPERM No permissions to access a key\r\n"},
				{"XREAD BLOCK 0 STREAMS x $", "-@read", "-NOPERM User u has no permissions to run the 'xread' command\r\n"},
			} {
				setUser := func(rules string) {
					admin.says("+OK\r\n", append([]string{"ACL", "SETUSER", "u"}, strings.Fields(rules)...)...)
				}
				setUser(all)
				k := talk(t, addr)
				k.says("+OK\r\n", "AUTH", "u", "x")
				got := make(chan string)
				go func() {
					reply, _ := k.w.Do(strings.Fields(c.command)...)
					got <- string(reply)
				}()
				admin.until(t, "blocked_clients:1\r\n", "INFO", "clients")
				setUser("-flushall +blpop") // it may go on waiting
				setUser(c.rules)
				if reply := <-got; reply != c.want {
					t.Errorf("%s: %q, want %q", c.command, reply, c.want)
				}
				admin.until(t, "blocked_clients:0\r\n", "INFO", "clients")
				admin.says(":1\r\n", "RPUSH", "q", "1")
				admin.says("$1\r\n1\r\n", "LPOP", "q")
				k.says("+PONG\r\n", "PING")
			}
		})
	}
}

func blockedUntilClosed(k *talker, popped chan<- bool) {
	_, err := k.w.Do("BLPOP", "queue", "0")
	popped <- err == nil
}

// alive fails if the connection does not answer.
func (k *talker) alive(t *testing.T, args ...string) {
	t.Helper()
	if _, err := k.w.Do(args...); err != nil {
		t.Errorf("the connection is closed: %v", err)
	}
}

// until asks until the reply has a text.
func (k *talker) until(t *testing.T, text string, args ...string) {
	t.Helper()
	var got string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if got = k.do(args...); strings.Contains(got, text) {
			return
		}
	}
	t.Fatalf("%q never says %q, but %q", args, text, got)
}
