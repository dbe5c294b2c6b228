package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestAOF checks a journal with a base, cuts a torn one off, and refuses a damaged base.
func TestAOF(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "appendonlydir")
	put := func(name string, text []byte) {
		t.Helper()
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const whole = "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n"
	put("appendonly.aof.manifest", []byte("file appendonly.aof.1.base.rdb seq 1 type b\nfile appendonly.aof.1.incr.aof seq 1 type i\n"))
	put("appendonly.aof.1.base.rdb", dumpFile(t))
	put("appendonly.aof.1.incr.aof", []byte(whole))
	if code, stdout, stderr := say(t, "aof", "check", dir); code != 0 || strings.Count(stdout, ": whole, ") != 2 || stderr != "" {
		t.Errorf("whole: %d, %q, %q", code, stdout, stderr)
	}
	put("appendonly.aof.1.incr.aof", []byte(whole+"*1\r\n$4\r\nPI"))
	if code, stdout, stderr := say(t, "aof", "check", dir); code != 1 || !strings.Contains(stdout, "ends amid a command") || !strings.Contains(stderr, "is whole up to offset 50 of 60") {
		t.Errorf("torn: %d, %q, %q", code, stdout, stderr)
	}
	if code, stdout, _ := say(t, "aof", "check", "--fix", dir); code != 0 || !strings.Contains(stdout, "cut off at 50; the 10 bytes behind it are in ") {
		t.Errorf("fixed: %d, %q", code, stdout)
	}
	if code, _, _ := say(t, "aof", "check", filepath.Join(dir, "appendonly.aof.1.incr.aof")); code != 0 {
		t.Errorf("after it was fixed: %d", code)
	}
	put("appendonly.aof.1.base.rdb", dumpFile(t)[:300])
	if code, stdout, _ := say(t, "aof", "check", "--fix", dir); code != 1 || !strings.Contains(stdout, "appendonly.aof.1.base.rdb: ") {
		t.Errorf("a damaged base: %d, %q", code, stdout)
	}
}
