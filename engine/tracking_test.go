package engine_test

import (
	"strings"
	"testing"
	"time"
)

const toldA = ">2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n"

func TestTracking(t *testing.T) {
	b := newBed(t, nil)
	k, other := b.client(), b.client()
	k.do("HELLO", "3")
	other.do("SET", "a", "1")
	k.says("+OK\r\n", "CLIENT", "TRACKING", "ON")
	k.says("$1\r\n1\r\n", "GET", "a")
	other.says("+OK\r\n", "SET", "b", "1")
	k.gets("")
	other.says("+OK\r\n", "SET", "a", "2")
	k.gets(toldA)
	other.says("+OK\r\n", "SET", "a", "3")
	k.gets("")
	k.do("GET", "a")
	k.says("+OK\r\n"+toldA, "SET", "a", "4")
	k.do("GET", "a")
	other.says("+OK\r\n", "FLUSHALL")
	k.gets(">2\r\n$10\r\ninvalidate\r\n_\r\n")
	k.do("SET", "a", "1", "PX", "10")
	k.do("GET", "a")
	b.m.Advance(200 * time.Millisecond)
	k.gets(toldA)
	if got := other.do("CLIENT", "LIST"); !strings.Contains(got, "flags=t ") || !strings.Contains(got, " redir=0 ") {
		t.Errorf("a client that tracks: %q", got)
	}
	k.says("-ERR You can't switch BCAST mode on/off before disabling tracking for this client, and then re-enabling it with a different mode.\r\n",
		"CLIENT", "TRACKING", "ON", "BCAST")
	k.says("+OK\r\n", "CLIENT", "TRACKING", "OFF")
	k.do("GET", "a")
	other.do("SET", "a", "1")
	k.gets("")
	k.says(":-1\r\n", "CLIENT", "GETREDIR")
}

func TestTrackingOptions(t *testing.T) {
	b := newBed(t, nil)
	k, other, ear := b.client(), b.client(), b.client()
	k.do("HELLO", "3")
	other.do("MSET", "a", "1", "b", "1")
	k.says("+OK\r\n", "CLIENT", "TRACKING", "ON", "OPTIN", "NOLOOP")
	k.do("GET", "a")
	other.do("SET", "a", "1")
	k.gets("")
	k.says("+OK\r\n", "CLIENT", "CACHING", "YES")
	k.do("GET", "a")
	k.do("GET", "b")
	other.do("MSET", "a", "1", "b", "1")
	k.gets(toldA)
	k.do("CLIENT", "CACHING", "YES")
	k.do("GET", "a")
	k.says("+OK\r\n", "SET", "a", "own")
	k.says("%3\r\n$5\r\nflags\r\n~3\r\n$2\r\non\r\n$5\r\noptin\r\n$6\r\nnoloop\r\n$8\r\nredirect\r\n:0\r\n$8\r\nprefixes\r\n*0\r\n", "CLIENT", "TRACKINGINFO")
	k.says("+OK\r\n", "CLIENT", "TRACKING", "OFF")
	k.says("+OK\r\n", "CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "a", "PREFIX", "c")
	other.do("MSET", "a1", "1", "b", "1", "a2", "1")
	b.m.EndTurn()
	k.gets(">2\r\n$10\r\ninvalidate\r\n*2\r\n$2\r\na1\r\n$2\r\na2\r\n")
	k.says("-ERR Prefix 'ab' overlaps with an existing prefix 'a'. Prefixes for a single client must not overlap.\r\n",
		"CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "ab")
	k.says("+RESET\r\n", "RESET")
	id := strings.Trim(ear.do("CLIENT", "ID"), ":\r\n")
	ear.do("SUBSCRIBE", "__redis__:invalidate")
	k.says("+OK\r\n", "CLIENT", "TRACKING", "ON", "REDIRECT", id)
	k.says(":"+id+"\r\n", "CLIENT", "GETREDIR")
	k.do("GET", "a")
	other.do("SET", "a", "1")
	ear.gets("*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$1\r\na\r\n")
	other.do("FLUSHALL")
	ear.gets("*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n$-1\r\n")
	ear.c.Hangup(nil)
	k.do("HELLO", "3")
	k.do("GET", "a")
	broken := ">2\r\n$21\r\ntracking-redir-broken\r\n:" + id + "\r\n"
	other.do("SET", "a", "1")
	k.gets(broken)
	k.says("+OK\r\n"+broken, "FLUSHALL")
}

func TestTrackingLimit(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	k.do("HELLO", "3")
	k.do("CONFIG", "SET", "tracking-table-max-keys", "1")
	k.do("CLIENT", "TRACKING", "ON")
	k.do("EXISTS", "a")
	if got := k.do("EXISTS", "b"); !strings.HasPrefix(got, ":0\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n") {
		t.Errorf("one key too many: %q", got)
	}
}

func TestSwapDB(t *testing.T) {
	b := newBed(t, nil)
	k, watcher := b.client(), b.client()
	k.talk(`
		SWAPDB x 1 => -ERR invalid first DB index
		SWAPDB 1 x => -ERR invalid second DB index
		SWAPDB 0 99 => -ERR DB index is out of range
		SWAPDB 0 0 => +OK
		MSET a 1 b 2 => +OK
		PEXPIRE b 50 => :1
	`)
	watcher.do("SELECT", "1")
	watcher.do("SET", "c", "3")
	watcher.do("WATCH", "a")
	k.says("+OK\r\n", "SWAPDB", "0", "1")
	k.says("$1\r\n3\r\n", "GET", "c")
	k.says("$-1\r\n", "GET", "a")
	watcher.do("MULTI")
	watcher.do("GET", "a")
	watcher.says("*-1\r\n", "EXEC")
	watcher.says("$1\r\n1\r\n", "GET", "a")
	k.says("+OK\r\n", "SET", "d", "4")
	watcher.says(":2\r\n", "DBSIZE")
	b.m.Advance(200 * time.Millisecond)
	watcher.says(":1\r\n", "DBSIZE")
	watcher.says("+OK\r\n", "FLUSHDB")
	k.says(":2\r\n", "DBSIZE")
	k.says("$1\r\n3\r\n", "GET", "c")
}

func TestWaitForReplicas(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	k.talk(`
		WAIT 0 0 => :0
		WAIT x 0 => -ERR value is not an integer or out of range
		WAIT 0 x => -ERR timeout is not an integer or out of range
		WAIT 0 -1 => -ERR timeout is negative
		WAITAOF 0 0 0 => *2\r\n:0\r\n:0
		WAITAOF 1 0 0 => -ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.
		WAITAOF 2 0 0 => -ERR value is out of range, value must between 0 and 1
		WAITAOF 0 -1 0 => -ERR value is out of range, must be positive
		MULTI => +OK
		WAIT 1 0 => +QUEUED
		EXEC => *1\r\n:0
		WAIT 1 20 =>
	`)
	b.m.Advance(15 * time.Millisecond)
	k.gets("")
	b.m.Advance(10 * time.Millisecond)
	k.gets(":0\r\n")
	k.says("", "WAITAOF", "0", "1", "10")
	b.m.Advance(15 * time.Millisecond)
	k.gets("*2\r\n:0\r\n:0\r\n")
}

// TestTrackingForGateways: a lane is told for whom another lane spoke when it wrote, and a word that is said for one command holds for all of a script
// and of a transaction, and for no more.
func TestTrackingForGateways(t *testing.T) {
	b := newBed(t, nil)
	ear, broad, lane, plain := b.client(), b.client(), b.client(), b.client()
	for _, k := range []*talker{ear, broad, plain} {
		k.do("HELLO", "3")
	}
	for _, k := range []*talker{ear, broad, lane} {
		k.do("LARDER", "HELLO", "1")
	}
	lane.do("MSET", "a", "1", "b", "1", "c", "1")
	ear.do("CLIENT", "TRACKING", "ON")
	plain.do("CLIENT", "TRACKING", "ON")
	broad.do("CLIENT", "TRACKING", "ON", "BCAST")
	for _, k := range []*talker{ear, plain} {
		k.do("MGET", "a", "b", "c")
	}
	lane.says("+OK\r\n", "LARDER", "AS", "g:7")
	lane.do("MULTI")
	lane.do("SET", "a", "2")
	lane.do("EVAL", "redis.call('set', KEYS[1], 2)", "1", "b")
	lane.do("EXEC")
	lane.do("SET", "c", "2")
	b.m.EndTurn()
	ear.gets(">3\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\na\r\n$3\r\ng:7\r\n>3\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nb\r\n$3\r\ng:7\r\n>2\r\n$10\r\ninvalidate\r\n*1\r\n$1\r\nc\r\n")
	plain.gets(toldA + strings.Replace(toldA, "\na\r", "\nb\r", 1) + strings.Replace(toldA, "\na\r", "\nc\r", 1))
	if got := string(broad.c.Written()); strings.Count(got, "g:7") != 1 || strings.Count(got, "invalidate") != 2 {
		t.Errorf("a lane that is told of all keys: %q", got)
	}
}

// TestTrackingCachingOfScripts: CLIENT CACHING is for all that the next command reads.
func TestTrackingCachingOfScripts(t *testing.T) {
	b := newBed(t, nil)
	k, other := b.client(), b.client()
	k.do("HELLO", "3")
	k.do("CLIENT", "TRACKING", "ON", "OPTIN")
	k.do("CLIENT", "CACHING", "YES")
	k.do("EVAL", "redis.call('get', KEYS[1]) redis.call('get', KEYS[2])", "2", "a", "b")
	other.do("MSET", "a", "1", "b", "1")
	k.gets(toldA + strings.Replace(toldA, "\na\r", "\nb\r", 1))
	k.do("CLIENT", "CACHING", "YES")
	k.do("NOSUCH")
	k.do("GET", "a")
	other.do("SET", "a", "2")
	k.gets("")
}
