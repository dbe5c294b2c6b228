package engine_test

import (
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"larder/engine"
	"larder/internal/peers"
	"larder/protocol/resp"
)

func TestScripts(t *testing.T) {
	k := newBed(t, nil).client()
	k.says(":3\r\n", "EVAL", "return #KEYS + #ARGV", "1", "a", "b", "c")
	k.says("$40\r\ne0e1f9fabfc9d4800c877a703b823ac0578ff8db\r\n", "SCRIPT", "LOAD", "return 1")
	k.says(":1\r\n", "EVALSHA", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "0")
	k.says("*2\r\n:1\r\n:0\r\n", "SCRIPT", "EXISTS", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "x")
	k.says("+OK\r\n", "SCRIPT", "FLUSH")
	k.says("-NOSCRIPT No matching script. Please use EVAL.\r\n", "EVALSHA", "e0e1f9fabfc9d4800c877a703b823ac0578ff8db", "0")
	k.says("-NOTBUSY No scripts in execution right now.\r\n", "SCRIPT", "KILL")
	k.says("+OK\r\n", "EVAL", "redis.call('select', 3) return redis.call('set', 'k', 'v')", "0")
	k.says("$-1\r\n", "GET", "k")
	k.says("+OK\r\n", "SELECT", "3")
	k.says("$1\r\nv\r\n", "GET", "k")
	if got := k.do("EVAL_RO", "return redis.call('set', 'k', 'v')", "0"); !strings.HasPrefix(got, "-ERR Write commands are not allowed from read-only scripts. script: ") {
		t.Errorf("EVAL_RO: %q", got)
	}
	k.says("$-1\r\n", "EVAL", "return redis.call('blpop', 'none', 0)", "0") // 7.2 lets it, and it does not wait
	k.says(":0\r\n", "EVAL", "return redis.call('wait', 1, 0)", "0")
	k.says("+OK\r\n", "MULTI")
	k.says("+QUEUED\r\n", "EVAL", "return 7", "0")
	k.says("*1\r\n:7\r\n", "EXEC")
}

func TestFunctions(t *testing.T) {
	k := newBed(t, nil).client()
	code := "#!lua name=lib\nredis.register_function('f', function(keys, args) return {keys[1], args[1]} end)\n" +
		"redis.register_function{function_name='g', callback=function() return redis.call('get', 'x') end, flags={'no-writes'}}"
	k.says("$3\r\nlib\r\n", "FUNCTION", "LOAD", code)
	k.says("-ERR Library 'lib' already exists\r\n", "FUNCTION", "LOAD", code)
	k.says("*2\r\n$1\r\na\r\n$1\r\nb\r\n", "FCALL", "f", "1", "a", "b")
	k.says("-ERR Can not execute a script with write flag using *_ro command.\r\n", "FCALL_RO", "f", "0")
	k.says("$-1\r\n", "FCALL_RO", "g", "0")
	payload := k.do("FUNCTION", "DUMP")
	payload = payload[strings.Index(payload, "\r\n")+2 : len(payload)-2]
	k.says("+OK\r\n", "FUNCTION", "FLUSH")
	k.says("-ERR Function not found\r\n", "FCALL", "f", "0")
	k.says("+OK\r\n", "FUNCTION", "RESTORE", payload)
	k.says("*2\r\n$1\r\na\r\n$1\r\nb\r\n", "FCALL", "f", "1", "a", "b")
	k.says("+OK\r\n", "FUNCTION", "DELETE", "lib")
	k.says("-ERR Function not found\r\n", "FCALL", "f", "0")
}

const (
	busyScript   = "-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n"
	busyFunction = "-BUSY Redis is busy running a script. You can only call FUNCTION KILL or SHUTDOWN NOSAVE.\r\n"
	endless      = "while true do pcall(function() while true do end end) end"
	unkillable   = "-UNKILLABLE Sorry the script already executed write commands against the dataset."
)

// busyNode is a node whose scripts are busy after a millisecond, and two clients.
func busyNode(t *testing.T) (s *served, k, other *peers.Conn) {
	s = serve(t, quiet(), nil, nil)
	k, other = peers.Dial(t, s.Addr(), 2), peers.Dial(t, s.Addr(), 2)
	hears(t, other, "+OK", "CONFIG", "SET", "busy-reply-threshold", "1")
	return s, k, other
}

func hears(t *testing.T, c *peers.Conn, want string, args ...string) {
	t.Helper()
	if got := string(c.Do(args...)); !strings.HasPrefix(got, want) {
		t.Errorf("%.100q: got %.200q, want %q", args, got, want)
	}
}

// busy sends a command and waits until others are told BUSY.
func busy(t *testing.T, k, other *peers.Conn, want string, args ...string) {
	t.Helper()
	k.Send(resp.AppendCommandStrings(nil, args...))
	until := time.Now().Add(within)
	for got := ""; got != want; got = string(other.Do("GET", "k")) {
		if time.Now().After(until) {
			t.Fatalf("not busy: %q", got)
		}
	}
}

// TestBusyScript: others are told BUSY while a script runs on, and SCRIPT KILL ends it.
func TestBusyScript(t *testing.T) {
	_, k, other := busyNode(t)
	busy(t, k, other, busyScript, "EVAL", endless, "0")
	hears(t, other, busyScript, "FUNCTION", "KILL")
	hears(t, other, busyScript, "SHUTDOWN")
	hears(t, other, "+OK", "SCRIPT", "KILL")
	if got := string(k.Reply()); !strings.HasPrefix(got, "-ERR Script killed by user with SCRIPT KILL.") {
		t.Errorf("the script: %q", got)
	}
	hears(t, other, "$-1", "GET", "k")
	hears(t, k, "+PONG", "PING")
	hears(t, k, ":1", "EVAL", "return 1", "0")
}

// TestBusyScriptIsCounted: once, when it has ended, with all the time that it took.
func TestBusyScriptIsCounted(t *testing.T) {
	_, k, other := busyNode(t)
	hears(t, other, "+OK", "CONFIG", "SET", "slowlog-log-slower-than", "1000")
	hears(t, other, "+OK", "SLOWLOG", "RESET")
	busy(t, k, other, busyScript, "EVAL", endless, "0")
	hears(t, other, "+OK", "SCRIPT", "KILL")
	if got := string(k.Reply()); !strings.HasPrefix(got, "-ERR Script killed") {
		t.Errorf("the script: %q", got)
	}
	log := slowEntries(t, other.Do("SLOWLOG", "GET", "-1"))
	log = slices.DeleteFunc(log, func(e slowEntry) bool { return e.args[0] != "EVAL" })
	if len(log) != 1 || log[0].us < 1000 || len(log[0].args) != 3 {
		t.Errorf("the slow log: %+v", log)
	}
	stat := field(string(other.Do("INFO", "commandstats")), "cmdstat_eval")
	if !strings.HasPrefix(stat, "calls=1,") || !strings.HasSuffix(stat, ",rejected_calls=0,failed_calls=1") {
		t.Errorf("the counts: %s", stat)
	}
}

// TestBusyFunction: the same for a function, which FUNCTION STATS tells of.
func TestBusyFunction(t *testing.T) {
	_, k, other := busyNode(t)
	hears(t, k, "$1\r\na", "FUNCTION", "LOAD", "#!lua name=a\nredis.register_function('f', function() "+endless+" end)")
	busy(t, k, other, busyFunction, "FCALL", "f", "1", "x", "y")
	hears(t, other, busyFunction, "SCRIPT", "KILL")
	hears(t, other, "*4\r\n$14\r\nrunning_script\r\n*6\r\n$4\r\nname\r\n$1\r\nf\r\n$7\r\ncommand\r\n*5\r\n$5\r\nFCALL\r\n$1\r\nf\r\n$1\r\n1\r\n$1\r\nx\r\n$1\r\ny\r\n$11\r\nduration_ms\r\n:",
		"FUNCTION", "STATS")
	hears(t, other, "+OK", "FUNCTION", "KILL")
	if got := string(k.Reply()); !strings.HasPrefix(got, "-ERR Script killed by user with FUNCTION KILL.") {
		t.Errorf("the function: %q", got)
	}
	hears(t, k, "*4\r\n$14\r\nrunning_script\r\n$-1\r\n", "FUNCTION", "STATS")
}

// TestBusyCoroutine: the same for a coroutine that runs on, from which the loop has its turns too.
func TestBusyCoroutine(t *testing.T) {
	_, k, other := busyNode(t)
	busy(t, k, other, busyScript, "EVAL", "coroutine.wrap(function() coroutine.wrap(function() "+endless+" end)() end)()", "0")
	hears(t, other, "+OK", "SCRIPT", "KILL")
	if got := string(k.Reply()); !strings.HasPrefix(got, "-ERR Script killed by user with SCRIPT KILL.") {
		t.Errorf("the script: %q", got)
	}
	hears(t, k, "$1\r\n7", "EVAL", "return coroutine.wrap(function(x) return x end)('7')", "0")
}

// TestScriptErrorsAreCountedOnce: an error that a command has had is not counted again for the script that answers it.
func TestScriptErrorsAreCountedOnce(t *testing.T) {
	k := newBed(t, nil).client()
	k.says("+OK\r\n", "SET", "k", "v")
	for _, src := range []string{
		"return redis.call('lpush', 'k', 1)", "return redis.pcall('lpush', 'k', 1)", "pcall(redis.call, 'lpush', 'k', 1)", "error({err = 'OWN x'})", "return redis.call('get')",
	} {
		k.do("EVAL", src, "0")
	}
	info := k.do("INFO", "errorstats", "commandstats")
	for _, want := range []string{
		"errorstat_WRONGTYPE:count=3\r\n", "errorstat_OWN:count=1\r\n", "errorstat_ERR:count=1\r\n", "rejected_calls=1,failed_calls=0\r\n", "rejected_calls=0,failed_calls=3\r\n",
	} {
		if !strings.Contains(info, want) {
			t.Errorf("no %q in %s", want, info)
		}
	}
}

// TestUnkillable: what has written is not ended half way, but SHUTDOWN NOSAVE ends the node all the same.
func TestUnkillable(t *testing.T) {
	s, k, other := busyNode(t)
	busy(t, k, other, busyScript, "EVAL", "redis.call('set', 'k', 1) "+endless, "0")
	hears(t, other, unkillable, "SCRIPT", "KILL")
	other.Send(resp.AppendCommandStrings(nil, "SHUTDOWN", "NOSAVE"))
	s.wait()
}

// TestBusyClientLeaves: the client of a script that runs on goes away; the script is still there and can be ended.
func TestBusyClientLeaves(t *testing.T) {
	s, _, other := busyNode(t)
	conn, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	_, _ = conn.Write(resp.AppendCommandStrings(nil, "EVAL", endless, "0"))
	for string(other.Do("GET", "k")) != busyScript {
		time.Sleep(time.Millisecond)
	}
	conn.Close()
	hears(t, other, "+OK", "SCRIPT", "KILL")
	hears(t, peers.Dial(t, s.Addr(), 3), ":1", "EVAL", "return 1", "0")
}

// TestEndlessInTransaction: a script inside EXEC ends at the threshold, written or not.
func TestEndlessInTransaction(t *testing.T) {
	k := newBed(t, nil).client()
	k.says("+OK\r\n", "CONFIG", "SET", "busy-reply-threshold", "1")
	k.says("+OK\r\n", "MULTI")
	k.says("+QUEUED\r\n", "EVAL", endless, "0")
	k.says("+QUEUED\r\n", "EVAL", "redis.call('set', 'k', 1) "+endless, "0")
	k.says("+QUEUED\r\n", "GET", "k")
	const ended = "-ERR Script inside a transaction ended: it has run longer than busy-reply-threshold"
	got := k.do("EXEC")
	if !strings.HasPrefix(got, "*3\r\n"+ended) || strings.Count(got, ended) != 2 || !strings.HasSuffix(got, "$1\r\n1\r\n") {
		t.Errorf("EXEC: %q", got)
	}
}

// TestScriptMemory: a script that keeps more and more ends with an error, and the node lives.
func TestScriptMemory(t *testing.T) {
	k := newBed(t, func(*engine.Options) {}).client()
	for _, src := range []string{
		"local t = {} for i = 1, 1e9 do t[i] = i .. 'x' end",
		"local s = 'x' while true do s = s .. s end",
		"return string.rep('x', 1e10)",
		"local function f() return f() + 1 end return f()",
	} {
		if got := k.do("EVAL", src, "0"); !strings.HasPrefix(got, "-ERR ") {
			t.Errorf("%s: %.100q", src, got)
		}
	}
	k.says(":1\r\n", "EVAL", "return 1", "0")
}
