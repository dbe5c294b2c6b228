package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// dumpFile is a file of Redis 7.2.6 with 23 keys.
func dumpFile(t *testing.T) []byte {
	t.Helper()
	f, err := os.Open("../../internal/recorded/data/redis-7.2.6.lfu.rdb.gz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	out, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func write(t *testing.T, name string, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const checkedText = `REDIS0011, 571 bytes, written by redis 7.2.6
written at 2026-11-23 07:23:13
23 keys in 2 databases
the checksum is right
`

// TestRDB runs the commands as people do: a plain file, a compressed one, and standard input.
func TestRDB(t *testing.T) {
	file := dumpFile(t)
	plain := write(t, "dump.rdb", file)
	if code, stdout, stderr := say(t, "rdb", "check", plain); code != 0 || stdout != checkedText || stderr != "" {
		t.Errorf("check: %d %q\n%s", code, stderr, stdout)
	}
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	packed := write(t, "dump.rdb.zst", z.EncodeAll(file, nil))
	if code, stdout, _ := say(t, "rdb", "check", packed); code != 0 || !strings.Contains(stdout, "571 bytes decompressed from zstd, written by") {
		t.Errorf("check of a compressed file: %d\n%s", code, stdout)
	}
	var verdict struct {
		OK   bool
		Keys int
		Aux  map[string]string
	}
	if code, stdout, _ := say(t, "rdb", "check", "--json", packed); code != 0 || json.Unmarshal([]byte(stdout), &verdict) != nil || !verdict.OK || verdict.Keys != 23 || verdict.Aux["redis-bits"] != "64" {
		t.Errorf("check --json: %d\n%s", code, stdout)
	}
	code, stdout, _ := say(t, "rdb", "stat", "--top", "2", "--prefix-depth", "1", plain)
	for _, want := range []string{"\n   0  stream     1         1     62\n", "    12    231  \"freq:\"\n", "   0  stream         1     62    never  \"x\"\n"} {
		if code != 0 || !strings.Contains(stdout, want) {
			t.Errorf("stat: %d, no %q in\n%s", code, want, stdout)
		}
	}
	code, stdout, _ = say(t, "rdb", "keys", "--match", "freq:1??", plain)
	if want := "0\tstring\t1\t20\tnever\t\"freq:128\"\n0\tstring\t1\t20\tnever\t\"freq:100\"\n0\tstring\t1\t20\tnever\t\"freq:127\"\n"; code != 0 || stdout != want {
		t.Errorf("keys: %d\n%s", code, stdout)
	}
	code, stdout, _ = say(t, "rdb", "keys", "--json", "--match", "e2", plain)
	if want := `{"db":2,"type":"string","elements":1,"bytes":17,"expires_ms":4102444800000,"key":"e2"}` + "\n"; code != 0 || stdout != want {
		t.Errorf("keys --json: %d\n%s", code, stdout)
	}
	root := command()
	var out bytes.Buffer
	root.SetArgs([]string{"rdb", "check", "-"})
	root.SetIn(bytes.NewReader(file))
	root.SetOut(&out)
	if err := root.Execute(); err != nil || out.String() != checkedText {
		t.Errorf("check -: %v\n%s", err, out.String())
	}
}

// TestRDBWrong: exit code 1, where it is wrong, and what to do.
func TestRDBWrong(t *testing.T) {
	file := dumpFile(t)
	cut := write(t, "cut.rdb", file[:300])
	code, stdout, stderr := say(t, "rdb", "check", cut)
	want := "larder: " + cut + ": RDB file that is cut off at offset 300: the file ends here, in the middle: the rest of it is missing.\n" +
		"larder: 10 keys before it are whole, the last of them is \"freq:0\" in database 0.\n" +
		"larder: It was not written or copied to its end: copy it again, or take an older one.\n"
	if code != 1 || stdout != "" || stderr != want {
		t.Errorf("%d %q\n%s\nwant\n%s", code, stdout, stderr, want)
	}
	code, stdout, stderr = say(t, "rdb", "check", "--json", cut)
	var verdict struct {
		OK    bool
		Error string
		Keys  int
	}
	if err := json.Unmarshal([]byte(stdout), &verdict); err != nil || code != 1 || verdict.OK || verdict.Keys != 10 || !strings.Contains(verdict.Error, "cut off at offset 300") || stderr == "" {
		t.Errorf("--json: %d %v\n%s", code, err, stdout)
	}
	for args, want := range map[string]string{
		"rdb check /nowhere/dump.rdb":      "larder: open /nowhere/dump.rdb: no such file or directory\n",
		"rdb stat --top -1 " + cut:         "larder: --top -1: must be from 0 to 100000\n",
		"rdb stat --prefix-depth 0 " + cut: "larder: --prefix-depth 0: must be at least 1\n",
		"rdb check":                        "larder: accepts 1 arg(s), received 0\n",
		"rdb look " + cut:                  "larder: unknown command \"look\" for \"larder rdb\"\n",
	} {
		if code, _, stderr := say(t, strings.Fields(args)...); code != 1 || stderr != want {
			t.Errorf("%s: %d %q, want %q", args, code, stderr, want)
		}
	}
}
