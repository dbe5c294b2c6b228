package engine_test

import (
	"strings"
	"testing"
)

func TestMonitor(t *testing.T) {
	b := newBed(t, nil)
	k, other := b.client(), b.client()
	k.says("+OK\r\n", "MONITOR")
	other.do("SET", "a", "x\x00\"\n")
	other.do("AUTH", "secret")
	other.do("HELLO", "2", "AUTH", "default", "secret", "SETNAME", "me")
	other.do("CONFIG", "GET", "port")
	other.do("MULTI")
	other.do("GET", "a")
	other.do("EXEC")
	b.m.EndTurn()
	var got []string
	for line := range strings.SplitSeq(strings.TrimSpace(k.got()), "\r\n") {
		_, command, _ := strings.Cut(line, "] ")
		got = append(got, command)
	}
	want := []string{`"SET" "a" "x\x00\"\n"`, `"AUTH" "(redacted)"`, `"HELLO" "2" "AUTH" "(redacted)" "(redacted)" "SETNAME" "me"`, `"MULTI"`, `"GET" "a"`, `"EXEC"`}
	if strings.Join(got, "|") != strings.Join(want, "|") {
		t.Errorf("seen %q, want %q", got, want)
	}
	if got := other.do("CLIENT", "LIST"); !strings.Contains(got, "flags=O ") {
		t.Errorf("a client that monitors: %q", got)
	}
	k.do("RESET")
	other.do("PING")
	b.m.EndTurn()
	if got := k.got(); got != "" {
		t.Errorf("after RESET: %q", got)
	}
}
