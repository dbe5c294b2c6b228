package engine_test

import (
	"strings"
	"testing"

	"larder/engine"
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

// TestBusyScript: others are told BUSY while a script runs on, and SCRIPT KILL ends it.
func TestBusyScript(t *testing.T) {
	b := newBed(t, nil)
	k, other := b.client(), b.client()
	k.says("+OK\r\n", "CONFIG", "SET", "busy-reply-threshold", "1")
	if got := k.do("EVAL", "while true do pcall(function() while true do end end) end", "0"); got != "" {
		t.Fatalf("the script has ended: %q", got)
	}
	other.says("-BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.\r\n", "GET", "k")
	other.says("+OK\r\n", "SCRIPT", "KILL")
	b.m.EndTurn()
	got := k.got()
	for range 100 {
		if got != "" {
			break
		}
		b.m.EndTurn()
		got = k.got()
	}
	if !strings.HasPrefix(got, "-ERR Script killed by user with SCRIPT KILL.") {
		t.Errorf("the script: %q", got)
	}
	other.says("$-1\r\n", "GET", "k")
	k.says("+PONG\r\n", "PING")
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
