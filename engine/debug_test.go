package engine_test

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/engine"
	"larder/internal/peers"
	"larder/protocol/resp"
)

func debugAs(value string) func(*engine.Options) {
	return func(o *engine.Options) {
		o.DebugCommand = value
		o.Access = append(o.Access, "192.0.2.0/24")
	}
}

// TestDebugAllowed: who may say DEBUG, by the address that he comes from.
func TestDebugAllowed(t *testing.T) {
	const no = "-ERR DEBUG command not allowed."
	for value, far := range map[string]bool{"no": false, "local": false, "yes": true} {
		b := newBed(t, debugAs(value))
		if got := b.client().do("DEBUG", "SLEEP", "0"); strings.HasPrefix(got, no) != (value == "no") {
			t.Errorf("%s, from here: %q", value, got)
		}
		k := &talker{b, b.m.Open(stranger)}
		if got := k.do("DEBUG", "SLEEP", "0"); strings.HasPrefix(got, no) == far {
			t.Errorf("%s, from elsewhere: %q", value, got)
		}
	}
	o := engine.DefaultOptions()
	o.DebugCommand = "perhaps"
	if err := o.Validate(); err == nil {
		t.Error("perhaps is allowed")
	}
}

// debugIn allows DEBUG to all, on a node with a folder.
func debugIn(dir string) func(*engine.Options) {
	return func(o *engine.Options) { o.DebugCommand, o.Dir = "yes", dir }
}

// TestDebugReload: a node that has everything that a server of Redis 7.2 was recorded to have keeps it, with its time, whatever is said of files.
func TestDebugReload(t *testing.T) {
	b := newBed(t, debugIn(t.TempDir()))
	k := b.client()
	f, err := os.Open("commands/testdata/digests.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	keys := 0
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for ; lines.Scan(); keys++ {
		var line struct {
			Dump   string
			Expiry *int64 `json:"expire_ms"`
		}
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		dump, err := base64.StdEncoding.DecodeString(line.Dump)
		if err != nil {
			t.Fatal(err)
		}
		ttl := "0"
		if line.Expiry != nil {
			ttl = strconv.FormatInt(*line.Expiry, 10)
		}
		k.do("SELECT", strconv.Itoa(keys%3))
		k.says("+OK\r\n", "RESTORE", "k"+strconv.Itoa(keys), ttl, string(dump), "ABSTTL")
	}
	if keys == 0 {
		t.Fatal("no keys")
	}
	k.do("SELECT", "0")
	k.says("+OK\r\n", "CLIENT", "NO-TOUCH", "ON")
	k.says("+OK\r\n", "CONFIG", "SET", "maxmemory-policy", "allkeys-lru") // times of access are in files then
	b.m.Advance(30 * time.Second)
	digest, before := k.do("DEBUG", "DIGEST"), k.dump()
	k.says("-ERR Error trying to load the RDB dump\r\n", "DEBUG", "RELOAD", "NOSAVE")
	k.says("-ERR Error trying to load the RDB dump\r\n", "DEBUG", "RELOAD", "NOFLUSH")
	for range 2 {
		k.says("+OK\r\n", "DEBUG", "RELOAD")
		k.says(digest, "DEBUG", "DIGEST")
		if after := k.dump(); after != before {
			t.Fatalf("before\n%s\nafter\n%s", before, after)
		}
	}
	k.do("SELECT", "0")
	k.says(":30\r\n", "OBJECT", "IDLETIME", "k0")
}

// TestDebugExpire: with SET-ACTIVE-EXPIRE 0, or PAUSE-CRON 1, a dead key stays until somebody looks at it.
func TestDebugExpire(t *testing.T) {
	b := newBed(t, debugAs("yes"))
	k := b.client()
	for _, name := range []string{"SET-ACTIVE-EXPIRE", "PAUSE-CRON"} {
		off, on := "1", "0"
		if name == "SET-ACTIVE-EXPIRE" {
			off, on = on, off
		}
		k.says("+OK\r\n", "DEBUG", name, off)
		for _, key := range []string{"a", "b"} {
			k.says("+OK\r\n", "SET", key, "v", "PX", "100")
		}
		for range 20 {
			b.m.Advance(time.Second)
		}
		k.says(":2\r\n", "DBSIZE")
		k.says("$-1\r\n", "GET", "a")
		k.says(":1\r\n", "DBSIZE")
		k.says("+OK\r\n", "DEBUG", name, on)
		for range 20 {
			b.m.Advance(time.Second)
		}
		k.says(":0\r\n", "DBSIZE")
	}
}

func TestDebugNode(t *testing.T) {
	k := newBed(t, debugAs("yes")).client()
	id := regexp.MustCompile(`master_replid:([0-9a-f]{40})`)
	before := id.FindString(k.do("INFO", "replication"))
	k.says("+OK\r\n", "DEBUG", "CHANGE-REPL-ID")
	if after := id.FindString(k.do("INFO", "replication")); before == "" || after == "" || after == before {
		t.Errorf("the id was %q and is %q", before, after)
	}
	k.talk(`
		DEBUG STRINGMATCH-LEN a*[bc] axb => :1
		DEBUG STRINGMATCH-LEN a*[bc] axd => :0
		DEBUG STRINGMATCH-TEST => +Apparently Redis did not crash: test passed
		DEBUG LOADAOF => -ERR Error trying to load the AOF files, check server logs.
		DEBUG DICT-RESIZING 0 => +OK
		DEBUG RESTART => -ERR failed to restart the server. Check server logs.
		DEBUG CRASH-AND-RECOVER 10 => -ERR failed to restart the server. Check server logs.
		RPUSH l a => :1
		CONFIG SET list-max-listpack-size 1 => +OK
		RPUSH l b => :2
		DEBUG QUICKLIST l 1 => +Quicklist structure printed on stdout
		DEBUG LISTPACK l => -ERR Not a listpack encoded object.
		CONFIG SET set-max-listpack-entries 1 => +OK
		SADD s a b => :2
	`)
	k.says("$76\r\nHash table 0 stats (main hash table):\n table size: 2\n number of elements: 2\n\r\n", "DEBUG", "HTSTATS-KEY", "s")
}

// TestDebugPopulate: who watches a key is told that it was made, and a limit holds.
func TestDebugPopulate(t *testing.T) {
	b := newBed(t, debugAs("yes"))
	k, other := b.client(), b.client()
	k.do("WATCH", "key:1")
	other.says("+OK\r\n", "DEBUG", "POPULATE", "2")
	k.do("MULTI")
	k.says("*-1\r\n", "EXEC")
	k.do("CONFIG", "SET", "maxmemory", "20mb")
	k.says("-OOM command not allowed when used memory > 'maxmemory'.\r\n", "DEBUG", "POPULATE", "1000000", "many", "1000")
	k.says("-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n", "DEBUG", "POPULATE", "1", "big", "9223372036854775807")
}

// TestDebugSleepEnds: SLEEP stops the node for the others, and does not keep it from ending.
func TestDebugSleepEnds(t *testing.T) {
	s := serve(t, quiet(), nil, debugAs("local"))
	c, err := net.Dial("tcp", s.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if got := string(peers.Dial(t, s.Addr(), 2).Do("DEBUG", "SLEEP", "0.01")); got != "+OK\r\n" {
		t.Fatalf("%q", got)
	}
	if _, err := c.Write(resp.AppendCommandStrings(nil, "DEBUG", "SLEEP", "100000")); err != nil {
		t.Fatal(err)
	}
	s.stop()
}

// TestDebugReloadFields: fields that expire do so after a RELOAD too, in small hashes and in big ones.
func TestDebugReloadFields(t *testing.T) {
	b := newBed(t, debugIn(t.TempDir()))
	k := b.client()
	for _, most := range []string{"512", "1"} {
		k.says("+OK\r\n", "CONFIG", "SET", "hash-max-listpack-entries", most)
		k.do("DEL", "h")
		k.says(":3\r\n", "HSET", "h", "a", "1", "b", "2", "c", "3")
		k.says("*1\r\n:1\r\n", "HPEXPIRE", "h", "5000", "FIELDS", "1", "b")
		k.says("+OK\r\n", "DEBUG", "RELOAD")
		k.says("*2\r\n:-1\r\n:5000\r\n", "HPTTL", "h", "FIELDS", "2", "a", "b")
		b.m.Advance(6 * time.Second)
		b.m.Advance(time.Second)
		k.says(":2\r\n", "HLEN", "h")
		k.says(":0\r\n", "HEXISTS", "h", "b")
	}
}
