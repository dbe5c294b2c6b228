package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"larder/engine"
	"larder/protocol/resp"
)

func TestLogin(t *testing.T) {
	b := newBed(t, func(o *engine.Options) { o.Password = "pw" })
	k := b.client()
	k.says("-ERR unknown command 'NOSUCH', with args beginning with: \r\n", "NOSUCH")
	k.talk(`
		PING => -NOAUTH Authentication required.
		GET => -ERR wrong number of arguments for 'get' command
		HELLO 3 => -NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time
		AUTH no => -WRONGPASS invalid username-password pair or user is disabled.
		AUTH bob pw => -WRONGPASS invalid username-password pair or user is disabled.
		AUTH a b c => -ERR syntax error
		HELLO 3 AUTH default no => -WRONGPASS invalid username-password pair or user is disabled.
		PING => -NOAUTH Authentication required.
		AUTH pw => +OK
		PING => +PONG
		RESET => +RESET
		PING => -NOAUTH Authentication required.
		AUTH default pw => +OK
		CONFIG SET requirepass "" => +OK
		RESET => +RESET
		PING => +PONG
		AUTH x => -ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?
		AUTH default x => +OK
	`)
}

// A client that has yet to log in may not send much, and the commands behind its AUTH are read by the limits that AUTH brings.
func TestLimitsBeforeLogin(t *testing.T) {
	b := newBed(t, func(o *engine.Options) { o.Password = "pw" })
	big := resp.AppendCommandStrings(nil, "SET", "k", strings.Repeat("x", 20_000))
	k := b.client()
	if got, want := k.send(append([]byte("AUTH pw\r\n"), big...)), "+OK\r\n+OK\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	k = b.client()
	if got, want := k.send(append([]byte("AUTH no\r\n"), big...)), "-WRONGPASS invalid username-password pair or user is disabled.\r\n-ERR Protocol error: unauthenticated bulk length\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if !k.c.Closed {
		t.Error("still open after a protocol error")
	}
	k = b.client()
	if got, want := k.send([]byte("AUTH pw\r\nRESET\r\n*11\r\n")), "+OK\r\n+RESET\r\n-ERR Protocol error: unauthenticated multibulk length\r\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestReplyModes(t *testing.T) {
	k := newBed(t, nil).client()
	for _, step := range []struct{ say, want string }{
		{"CLIENT REPLY SKIP\r\nPING\r\nPING\r\n", "+PONG\r\n"},
		{"CLIENT REPLY SKIP\r\nCLIENT REPLY SKIP\r\nPING\r\nPING\r\n", "+PONG\r\n"},
		{"CLIENT REPLY OFF\r\nPING\r\nNOSUCH\r\nCLIENT REPLY SKIP\r\nPING\r\n", ""},
		{"CLIENT REPLY bad\r\n", ""},
		{"CLIENT REPLY ON\r\nPING\r\n", "+OK\r\n+PONG\r\n"},
		{"CLIENT REPLY bad\r\n", "-ERR syntax error\r\n"},
		{"CLIENT REPLY SKIP\r\nCLIENT REPLY ON\r\nPING\r\n", "+OK\r\n+PONG\r\n"},
		{"CLIENT REPLY OFF\r\nRESET\r\nPING\r\n", "+RESET\r\n+PONG\r\n"},
		{"CLIENT REPLY OFF\r\nQUIT\r\nPING\r\n", ""},
	} {
		if got := k.send([]byte(step.say)); got != step.want {
			t.Errorf("%q: got %q, want %q", step.say, got, step.want)
		}
	}
	if !k.c.Closed {
		t.Error("still open after QUIT")
	}
}

func TestProtocolErrors(t *testing.T) {
	for say, want := range map[string]string{
		"PING\r\n*1\r\n:1\r\nPING\r\n":                  "+PONG\r\n-ERR Protocol error: expected '$', got ':'\r\n",
		"*1048577\r\n":                                  "-ERR Protocol error: invalid multibulk length\r\n",
		"*1\r\n$536870913\r\n":                          "-ERR Protocol error: invalid bulk length\r\n",
		"SET a \"b\r\n":                                 "-ERR Protocol error: unbalanced quotes in request\r\n",
		strings.Repeat("x", 70_000):                     "-ERR Protocol error: too big inline request\r\n",
		"CLIENT REPLY OFF\r\n*1\r\n:1\r\n":              "",
		"*2\r\n$4\r\nECHO\r\n$1048576\r\n" + "x" + "\r": "",
	} {
		k := newBed(t, nil).client()
		got := k.send([]byte(say))
		if got != want {
			t.Errorf("%.60q: got %q, want %q", say, got, want)
		}
		if wrong := want != "" || strings.HasPrefix(say, "CLIENT"); k.c.Closed != wrong {
			t.Errorf("%.60q: closed %v", say, k.c.Closed)
		}
	}
}

func TestProtocolVersions(t *testing.T) {
	k := newBed(t, nil).client()
	const null2, null3 = "$-1\r\n", "_\r\n"
	hello := func(proto int) string {
		head := "%7"
		if proto == 2 {
			head = "*14"
		}
		return fmt.Sprintf("%s\r\n$6\r\nserver\r\n$5\r\nredis\r\n$7\r\nversion\r\n$5\r\n7.2.4\r\n$5\r\nproto\r\n:%d\r\n$2\r\nid\r\n:1\r\n$4\r\nmode\r\n$10\r\nstandalone\r\n$4\r\nrole\r\n$6\r\nmaster\r\n$7\r\nmodules\r\n*0\r\n", head, proto)
	}
	if got, want := k.send([]byte("GET x\r\nHELLO 3\r\nGET x\r\nHELLO 2\r\nGET x\r\nHELLO 3\r\nRESET\r\nGET x\r\n")),
		null2+hello(3)+null3+hello(2)+null2+hello(3)+"+RESET\r\n"+null2; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestAccess(t *testing.T) {
	b := newBed(t, func(o *engine.Options) { o.Access = []string{"127.0.0.0/8"} })
	if b.m.Open(stranger) != nil {
		t.Error("a stranger was let in")
	}
	b.client().says("+PONG\r\n", "PING")
	if b := newBed(t, func(o *engine.Options) { o.Access = nil }); b.m.Open(loopback) != nil {
		t.Error("an empty list let somebody in")
	}
}

func TestIdleClientsAreClosed(t *testing.T) {
	b := newBed(t, func(o *engine.Options) { o.IdleTimeout = 10 * time.Second })
	idle, lane, busy := b.client(), b.client(), b.client()
	lane.do("LARDER", "HELLO", "1")
	for range 12 {
		b.m.Advance(time.Second)
		busy.says("+PONG\r\n", "PING")
	}
	if !idle.c.Closed || lane.c.Closed || busy.c.Closed {
		t.Errorf("closed: idle %v, lane %v, busy %v", idle.c.Closed, lane.c.Closed, busy.c.Closed)
	}
	busy.says("+OK\r\n", "CONFIG", "SET", "timeout", "0")
	b.m.Advance(time.Hour)
	if busy.c.Closed {
		t.Error("closed without a time-out")
	}
}

func TestKill(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	one, two := b.client(), b.client()
	k.talk(`
		CLIENT KILL 192.0.2.1:5 => -ERR No such client
		CLIENT KILL ID 2 => :1
		CLIENT KILL ID 2 => :0
		CLIENT KILL TYPE pubsub => :0
		CLIENT KILL TYPE normal LADDR 127.0.0.1:6379 => :1
	`)
	if !one.c.Closed || !two.c.Closed || k.c.Closed {
		t.Fatalf("closed: %v %v %v", one.c.Closed, two.c.Closed, k.c.Closed)
	}
	if got := k.send([]byte("PING\r\nCLIENT KILL ID 1 SKIPME no\r\nPING\r\n")); got != "+PONG\r\n:1\r\n" || !k.c.Closed {
		t.Errorf("killing oneself: %q, closed %v", got, k.c.Closed)
	}
}

func TestClientList(t *testing.T) {
	b := newBed(t, nil)
	k, other := b.client(), b.client()
	other.talk(`
		CLIENT SETNAME worker => +OK
		CLIENT SETINFO LIB-NAME lib => +OK
		CLIENT SETINFO lib-ver 1.2 => +OK
		CLIENT SETINFO what x => -ERR Unrecognized option 'what'
		CLIENT NO-EVICT on => +OK
		CLIENT NO-TOUCH on => +OK
		SELECT 3 => +OK
	`)
	b.m.Advance(5 * time.Second)
	const line = "id=2 addr=127.0.0.1:50000 laddr=127.0.0.1:6379 fd=1 name=worker age=5 idle=5 flags=eT db=3 sub=0 psub=0 ssub=0 multi=-1 qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=0 events=r cmd=select user=default redir=-1 resp=2 lib-name=lib lib-ver=1.2\n"
	k.says(fmt.Sprintf("$%d\r\n%s\r\n", len(line), line), "CLIENT", "LIST", "ID", "2", "77")
	if all := k.do("CLIENT", "LIST"); strings.Count(all, "\n") != 4 || strings.Index(all, "id=1 ") > strings.Index(all, "id=2 ") {
		t.Errorf("CLIENT LIST: %q", all)
	}
	k.do("HELLO", "3")
	k.says(fmt.Sprintf("=%d\r\ntxt:%s\r\n", len(line)+4, line), "CLIENT", "LIST", "ID", "2")
}

func TestPause(t *testing.T) {
	b := newBed(t, nil)
	k, other := b.client(), b.client()
	k.says("+OK\r\n", "CLIENT", "PAUSE", "500", "WRITE")
	if got := other.send([]byte("GET a\r\nSET a 1\r\nGET a\r\n")); got != "$-1\r\n" {
		t.Errorf("while writes wait: %q", got)
	}
	b.m.Advance(100 * time.Millisecond)
	other.c.Feed([]byte("SET a 2\r\nGET a\r\n"))
	b.m.EndTurn()
	if got := other.got(); got != "" {
		t.Errorf("while writes wait: %q", got)
	}
	k.says("+OK\r\n", "CLIENT", "PAUSE", "100", "ALL") // made stronger, not shorter
	b.m.Advance(300 * time.Millisecond)
	if got := k.do("GET", "a"); got != "" {
		t.Errorf("while all wait: %q", got)
	}
	b.m.Advance(101 * time.Millisecond)
	if got := other.got(); got != "+OK\r\n$1\r\n1\r\n+OK\r\n$1\r\n2\r\n" {
		t.Errorf("after the pause: %q", got)
	}
	if got := k.got(); got != "$-1\r\n" && got != "$1\r\n2\r\n" {
		t.Errorf("after the pause: %q", got)
	}
	k.says("+OK\r\n", "CLIENT", "PAUSE", "100000")
	k.says("", "PING")
	b.client().says("+OK\r\n", "CLIENT", "UNPAUSE")
	b.m.Advance(10 * time.Millisecond)
	if got := k.got(); got != "+PONG\r\n" {
		t.Errorf("after CLIENT UNPAUSE: %q", got)
	}
}

// A client that ends its sending has all its replies, also those of commands that had to wait.
func TestEndedClientIsAnswered(t *testing.T) {
	b := newBed(t, nil)
	b.client().says("+OK\r\n", "CLIENT", "PAUSE", "100")
	k := b.client()
	k.says("", "PING")
	k.c.Hangup(nil)
	b.m.Advance(200 * time.Millisecond)
	if got := k.got(); got != "+PONG\r\n" || !k.c.Closed {
		t.Errorf("got %q, closed %v", got, k.c.Closed)
	}
	k = b.client()
	k.says("+PONG\r\n", "PING")
	k.c.Hangup(nil)
	if !k.c.Closed {
		t.Error("still open")
	}
}

func TestMaxMemory(t *testing.T) {
	k := newBed(t, func(o *engine.Options) { o.MaxMemory = 1 << 20 }).client()
	value := strings.Repeat("x", 100_000)
	n := 0
	for ; n < 100; n++ {
		if got := k.do("SET", fmt.Sprint("k", n), value); got != "+OK\r\n" {
			if got != "-OOM command not allowed when used memory > 'maxmemory'.\r\n" {
				t.Fatalf("got %q", got)
			}
			break
		}
	}
	if n < 8 || n > 12 {
		t.Errorf("refused after %d values of 100 kB", n)
	}
	if got := k.do("APPEND", "k0", value); got != "-OOM command not allowed when used memory > 'maxmemory'.\r\n" {
		t.Errorf("APPEND: %q", got)
	}
	k.talk(`
		STRLEN k0 => :100000
		EXPIRE k0 1000 => :1
		UNLINK k0 k1 => :2
		SET k0 x => +OK
		CONFIG SET maxmemory 0 => +OK
		CONFIG GET maxmemory => *2\r\n$9\r\nmaxmemory\r\n$1\r\n0
	`)
}

func TestConfig(t *testing.T) {
	newBed(t, func(o *engine.Options) { o.Dir = "/data" }).client().talk(`
		CONFIG GET dir => *2\r\n$3\r\ndir\r\n$5\r\n/data
		CONFIG GET save APPENDONLY nothing => *4\r\n$10\r\nAPPENDONLY\r\n$2\r\nno\r\n$4\r\nsave\r\n$0\r\n
		CONFIG GET maxc* maxmemory maxmemory-p* MAXMEMORY => *6\r\n$10\r\nmaxclients\r\n$5\r\n10000\r\n$9\r\nmaxmemory\r\n$1\r\n0\r\n$16\r\nmaxmemory-policy\r\n$10\r\nnoeviction
		CONFIG SET maxmemory-samples 10 lfu-log-factor 20 lazyfree-lazy-user-del YES maxmemory-eviction-tenacity 50 => +OK
		CONFIG GET maxmemory-samples lazyfree-lazy-user-* => *6\r\n$22\r\nlazyfree-lazy-user-del\r\n$3\r\nyes\r\n$24\r\nlazyfree-lazy-user-flush\r\n$3\r\nyes\r\n$17\r\nmaxmemory-samples\r\n$2\r\n10
		CONFIG SET lazyfree-lazy-expire maybe => -ERR CONFIG SET failed (possibly related to argument 'lazyfree-lazy-expire') - argument must be 'yes' or 'no'
		CONFIG SET maxmemory-samples 0 => -ERR CONFIG SET failed (possibly related to argument 'maxmemory-samples') - argument must be between 1 and 2147483647 inclusive
		CONFIG SET maxmemory-eviction-tenacity 101 => -ERR CONFIG SET failed (possibly related to argument 'maxmemory-eviction-tenacity') - argument must be between 0 and 100 inclusive
		CONFIG GET port => *2\r\n$4\r\nport\r\n$4\r\n6379
		CONFIG SET maxmemory 1gb timeout 5 => +OK
		CONFIG GET maxmemory timeout => *4\r\n$9\r\nmaxmemory\r\n$10\r\n1073741824\r\n$7\r\ntimeout\r\n$1\r\n5
		CONFIG SET maxmemory 2gb timeout x => -ERR CONFIG SET failed (possibly related to argument 'timeout') - argument couldn't be parsed into an integer
		CONFIG GET maxmemory => *2\r\n$9\r\nmaxmemory\r\n$10\r\n1073741824
		CONFIG SET maxmemory 1 nosuch 2 => -ERR Unknown option or number of arguments for CONFIG SET - 'nosuch'
		CONFIG SET maxmemory 1 MaxMemory 2 => -ERR CONFIG SET failed (possibly related to argument 'MaxMemory') - duplicate parameter
		CONFIG SET databases 3 => -ERR CONFIG SET failed (possibly related to argument 'databases') - can't set immutable config
		CONFIG SET maxmemory => -ERR wrong number of arguments for 'config|set' command
		CONFIG SET maxmemory-policy noeviction => +OK
		CONFIG SET maxmemory-policy allkeys-LRU => +OK
		CONFIG GET maxmemory-policy => *2\r\n$16\r\nmaxmemory-policy\r\n$11\r\nallkeys-lru
		CONFIG SET maxmemory-policy noeviction => +OK
		CONFIG SET appendonly no save "" => +OK
		CONFIG SET proto-max-bulk-len 1mb => +OK
	`)
}

// A limit that CONFIG SET changes holds for what stands behind it in the same buffer.
func TestBulkLimitChanges(t *testing.T) {
	k := newBed(t, nil).client()
	say := append([]byte("CONFIG SET proto-max-bulk-len 1mb\r\n"), resp.AppendCommandStrings(nil, "ECHO", strings.Repeat("x", 1<<20+1))...)
	if got, want := k.send(say), "+OK\r\n-ERR Protocol error: invalid bulk length\r\n"; got != want {
		t.Errorf("got %.100q, want %q", got, want)
	}
}

func TestStandalone(t *testing.T) {
	newBed(t, nil).client().talk(`
		CLUSTER INFO => -ERR This instance has cluster support disabled
		CLUSTER HELP => -ERR This instance has cluster support disabled
		READONLY => -ERR This instance has cluster support disabled
		SHUTDOWN ABORT => -ERR No shutdown in progress.
		SHUTDOWN SAVE NOSAVE => -ERR syntax error
		SHUTDOWN SAVE => -ERR Errors trying to SHUTDOWN. Check logs.
		TIME => *2\r\n$10\r\n1700000000\r\n$1\r\n0
	`)
}
