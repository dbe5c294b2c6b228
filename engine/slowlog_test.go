package engine_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/engine"
	"larder/engine/commands"
	"larder/internal/peers"
	"larder/metrics/slow"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// slowEntry is an entry of the slow log as a client reads it.
type slowEntry struct {
	id, us int64
	args   []string
	client string
	name   string
}

// slowEntries reads the reply of SLOWLOG GET.
func slowEntries(t *testing.T, reply []byte) (all []slowEntry) {
	t.Helper()
	number := func(e []byte) int64 {
		n, err := strconv.ParseInt(strings.Trim(string(e), ":\r\n"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	text := func(e []byte) string {
		b, _ := resp.BulkOf(e)
		return string(b)
	}
	for it := resp.Elements(reply); ; {
		entry, ok := it.Next()
		if !ok {
			return all
		}
		var fields [][]byte
		for in := resp.Elements(entry); ; {
			f, ok := in.Next()
			if !ok {
				break
			}
			fields = append(fields, f)
		}
		if len(fields) != 6 {
			t.Fatalf("%d fields in %q", len(fields), entry)
		}
		e := slowEntry{id: number(fields[0]), us: number(fields[2]), client: text(fields[4]), name: text(fields[5])}
		for in := resp.Elements(fields[3]); ; {
			f, ok := in.Next()
			if !ok {
				break
			}
			e.args = append(e.args, text(f))
		}
		all = append(all, e)
	}
}

func (k *talker) slowLog() []slowEntry {
	k.b.t.Helper()
	return slowEntries(k.b.t.(*testing.T), []byte(k.do("SLOWLOG", "GET", "-1")))
}

// commandsOf are the entries' commands, oldest first.
func commandsOf(all []slowEntry) string {
	var lines []string
	for _, e := range all {
		lines = append(lines, strings.Join(e.args, " "))
	}
	slices.Reverse(lines)
	return strings.Join(lines, "; ")
}

func (k *talker) logged(want string) {
	k.b.t.Helper()
	if got := commandsOf(k.slowLog()); got != want {
		k.b.t.Errorf("the slow log has\n%q, want\n%q", got, want)
	}
}

// slow has a command take so long, and do nothing else.
func (b *bed) slow(id command.ID, d *time.Duration) {
	b.node.SetHandler(id, func(c *commands.Call) {
		b.m.Pass(*d)
		c.W.OK()
	})
}

func (k *talker) pipeline(lines ...string) {
	var p []byte
	for _, line := range lines {
		p = resp.AppendCommandStrings(p, words(line)...)
	}
	k.send(p)
}

// A command that can take long is timed by itself, whatever stands beside it; those in front of it and behind it are not taken for slow.
func TestSlowLogNamesTheSlowOne(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	k.do("CLIENT", "SETNAME", "bob")
	took := 10*time.Millisecond - time.Nanosecond
	b.slow(command.CmdSort, &took)
	k.pipeline("SET a 1", "SORT l", "SORT m", "SET b 1")
	k.logged("")
	took++
	k.pipeline("SET a 1", "SET b 2", "SORT l", "SET b 1", "SET c 1")
	took = 20 * time.Millisecond
	k.pipeline("SET a 1", "SORT m", "SORT n")
	k.logged("SORT l; SORT m; SORT n")
	for i, us := range []int64{20_000, 20_000, 10_000} {
		if e := k.slowLog()[i]; e.us != us || e.id != int64(2-i) || e.client != "127.0.0.1:50000" || e.name != "bob" {
			t.Errorf("%+v", e)
		}
	}
	info := k.do("INFO", "commandstats")
	if got := field(info, "cmdstat_sort"); !strings.HasPrefix(got, "calls=5,usec=69999,") {
		t.Errorf("SORT: %s", got)
	}
	if got := field(info, "cmdstat_set"); !strings.HasPrefix(got, "calls=7,usec=0,") {
		t.Errorf("SET: %s", got)
	}
}

// A command that writes much is told apart from the quick ones that ran before it.
func TestSlowLogNamesTheLongReply(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	reply := strings.Repeat("x", 20_000)
	b.node.SetHandler(command.CmdLRange, func(c *commands.Call) {
		b.m.Pass(10*time.Millisecond - time.Microsecond)
		c.W.Bulk(reply)
	})
	took := time.Microsecond
	b.slow(command.CmdIncr, &took)
	k.do("INCR", "a")
	k.pipeline("GET a", "INCR a", "LRANGE l 0 -1", "INCR a", "GET a")
	k.logged("")
	b.node.SetHandler(command.CmdLRange, func(c *commands.Call) {
		b.m.Pass(10 * time.Millisecond)
		c.W.Bulk(reply)
	})
	k.do("INCR", "a")
	k.pipeline("INCR a", "INCR b", "LRANGE l 0 -1", "INCR a", "GET a")
	k.logged("LRANGE l 0 -1")
	if e := k.slowLog()[0]; e.us != 10_000 {
		t.Errorf("%+v", e)
	}
	if got := field(k.do("INFO", "commandstats"), "cmdstat_incr"); !strings.HasPrefix(got, "calls=7,usec=6,") {
		t.Errorf("INCR: %s", got)
	}
}

// A run of quick commands that took long makes the next ones be timed one by one, for a second.
func TestSlowLogSuspects(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	took := 20 * time.Millisecond
	b.slow(command.CmdIncr, &took)
	b.slow(command.CmdGet, &took)
	k.pipeline("SET a 1", "INCR a", "SET b 1")
	k.logged("")
	k.pipeline("SET a 1", "INCR a", "SET b 1", "GET a", "GET b") // GETs in a row have a loop of their own, but not now
	k.logged("INCR a; GET a; GET b")
	for range 15 {
		b.m.Advance(100 * time.Millisecond)
	}
	k.do("SLOWLOG", "RESET")
	took = 9 * time.Millisecond
	k.pipeline("SET a 1", "INCR a")
	took = 20 * time.Millisecond
	k.pipeline("SET a 1", "INCR a")
	k.logged("")
	k.pipeline("INCR a")
	k.logged("INCR a")
}

// Where a run of quick commands would reach the threshold, each is timed by itself from the first on.
func TestSlowLogBelowRuns(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	k.do("CONFIG", "SET", "slowlog-log-slower-than", "50")
	took := 50 * time.Microsecond
	b.slow(command.CmdIncr, &took)
	k.pipeline("SET a 1", "INCR a", "SET b 1")
	k.logged("INCR a")
}

// With the log and the monitor off, nothing is logged however slow it was.
func TestSlowLogOff(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	took := time.Hour
	b.slow(command.CmdSort, &took)
	for _, off := range [][]string{{"slowlog-log-slower-than", "-1"}, {"slowlog-log-slower-than", "9223372036854775807"}, {"slowlog-log-slower-than", "0", "slowlog-max-len", "0"}} {
		k.do(append([]string{"CONFIG", "SET"}, off...)...)
		k.do("SORT", "l")
		k.pipeline("SET a 1", "SORT l", "SET a 1")
		k.says("*0\r\n", "SLOWLOG", "GET")
		k.says("*0\r\n", "LATENCY", "LATEST")
	}
}

// What waits for a key, or for its script, is logged when it has ended, and with what it took itself.
func TestSlowLogOfWaiting(t *testing.T) {
	b := newBed(t, nil)
	k, other := b.client(), b.client()
	other.do("CONFIG", "SET", "slowlog-log-slower-than", "0")
	other.do("SLOWLOG", "RESET")
	k.do("BLPOP", "l", "0")
	other.logged("SLOWLOG RESET")
	other.do("RPUSH", "l", "x")
	if got := commandsOf(other.slowLog()); !strings.Contains(got, "BLPOP l 0") || !strings.Contains(got, "RPUSH l x") {
		t.Errorf("%q", got)
	}
	k.do("MULTI")
	k.do("LLEN", "l")
	k.do("GET") // refused
	other.do("SLOWLOG", "RESET")
	k.do("EXEC")
	other.logged("SLOWLOG RESET")
}

// TestSlowLogAsRedis has a real server and a node log the same commands, and compares what they say of each.
func TestSlowLogAsRedis(t *testing.T) {
	long := strings.Repeat("x", 128)
	lines := [][]string{{"SET", "b", long}, {"SET", "b", long + "y"}, {"SET", "b", strings.Repeat(long, 1000)}, {"SET", "b\x00\r\n", "\xff"}, {"EVAL", "bad(", "0"}}
	for _, n := range []int{29, 30, 31, 5000} {
		lines = append(lines, append([]string{"RPUSH", "list"}, slices.Repeat([]string{"a"}, n)...))
	}
	for line := range strings.Lines(`
		CLIENT SETNAME bob
		SET a 1
		get A
		GET
		nosuch a
		INCR list
		MULTI
		SET a 2
		INCR list
		EXEC
		MULTI
		SET a 2
		DISCARD
		EXEC
		MULTI
		nosuch
		EXEC
		WATCH a
		BLPOP none 0.01
		BLPOP list 0
		EVAL return 0
		EVALSHA 0000000000000000000000000000000000000000 0
		SCRIPT EXISTS x
		SCRIPT nosuch
		AUTH x
		AUTH x y
		HELLO 2 AUTH default x SETNAME bob
		HELLO 3 SETNAME ben
		HELLO 2
		CONFIG SET requirepass ""
		CONFIG SET maxmemory 0 MasterAuth b
		CONFIG SET requirepass
		CONFIG GET port
		ACL SETUSER u >secret
		ACL WHOAMI
		RESET
		PING`) {
		if args := words(line); len(args) > 0 {
			lines = append(lines, args)
		}
	}
	var logs [2][]slowEntry
	k, real := newBed(t, nil).client(), peers.Dial(t, peers.StartRedis(t), 2)
	for side, do := range []func(args ...string) []byte{
		func(args ...string) []byte { return real.Do(args...) },
		func(args ...string) []byte {
			reply := k.do(args...)
			if args[0] == "BLPOP" && reply == "" {
				k.b.m.Advance(200 * time.Millisecond)
				reply = k.got()
			}
			return []byte(reply)
		},
	} {
		do("CONFIG", "SET", "slowlog-log-slower-than", "0", "slowlog-max-len", "1000")
		do("SLOWLOG", "RESET")
		for _, args := range lines {
			do(args...)
		}
		logs[side] = slowEntries(t, do("SLOWLOG", "GET", "-1"))
	}
	said := func(all []slowEntry) (lines []string) {
		for _, e := range all {
			lines = append(lines, fmt.Sprintf("%q %q", e.args, e.name))
		}
		return lines
	}
	theirs, ours := said(logs[0]), said(logs[1])
	if !slices.Equal(theirs, ours) {
		t.Errorf("redis logs\n%.4000s\nwe log\n%.4000s", strings.Join(theirs, "\n"), strings.Join(ours, "\n"))
	}
	for i, e := range logs[1][1:] {
		if e.id >= logs[1][i].id {
			t.Errorf("id %d behind %d", e.id, logs[1][i].id)
		}
	}
}

// A script's commands are logged with the client that runs it, as 7.2 does; 7.0 has no name for it.
func TestSlowLogOfScripts(t *testing.T) {
	k := newBed(t, nil).client()
	k.do("CLIENT", "SETNAME", "bob")
	k.do("CONFIG", "SET", "slowlog-log-slower-than", "0")
	k.do("SLOWLOG", "RESET")
	k.do("EVAL", "redis.call('set', KEYS[1], ARGV[1]); redis.pcall('get'); return redis.call('incr', KEYS[1])", "1", "a", "1")
	all := k.slowLog()
	if got := commandsOf(all[:2]); !strings.HasPrefix(got, "incr a; EVAL ") {
		t.Errorf("%q", got)
	}
	if len(all) != 4 { // and SET, and RESET
		t.Errorf("%d entries: %q", len(all), commandsOf(all))
	}
	for _, e := range all {
		if e.name != "bob" || e.client != "127.0.0.1:50000" {
			t.Errorf("%+v", e)
		}
	}
}

func TestRedacted(t *testing.T) {
	for line, want := range map[string]string{
		"AUTH pw": "AUTH *", "auth user pw": "auth * *", "AUTH": "AUTH",
		"AUTH a b c": "AUTH * * *", // 7.2 shows these, which a blank in a password makes
		"HELLO":      "HELLO", "HELLO 3": "HELLO 3", "HELLO 3 AUTH u p": "HELLO 3 AUTH * *", "HELLO 3 setname AUTH auth u p": "HELLO 3 setname AUTH * * p",
		"HELLO 3 SETNAME x AUTH u": "HELLO 3 SETNAME x AUTH *", "HELLO auth u p": "HELLO auth u p",
		"ACL SETUSER u on >pw": "ACL SETUSER * * *", "ACL DELUSER a b": "ACL DELUSER * *", "ACL GETUSER a": "ACL GETUSER *", "ACL WHOAMI": "ACL WHOAMI",
		"ACL LOG RESET":             "ACL LOG RESET",
		"CONFIG SET requirepass pw": "CONFIG SET requirepass *",
		"CONFIG SET RequirePass":    "CONFIG SET RequirePass",
		"CONFIG SET hz 1 MASTERAUTH a masteruser b tls-key-file-pass c tls-client-key-file-pass d port 1": "CONFIG SET hz 1 MASTERAUTH * masteruser * tls-key-file-pass * tls-client-key-file-pass * port 1",
		"CONFIG SET maxmemory requirepass x y": "CONFIG SET maxmemory requirepass x y",
		"CONFIG GET requirepass":               "CONFIG GET requirepass",
		"SET auth pw":                          "SET auth pw",
		"CLIENT SETNAME pw":                    "CLIENT SETNAME pw",
	} {
		var args [][]byte
		for _, w := range words(line) {
			args = append(args, []byte(w))
		}
		var got []string
		for _, arg := range engine.Redacted(args) {
			got = append(got, strings.ReplaceAll(string(arg), "(redacted)", "*"))
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: %q, want %q", line, got, want)
		}
		for i, w := range words(line) {
			if string(args[i]) != w {
				t.Errorf("%s: the arguments themselves were changed: %q", line, args)
			}
		}
	}
}

func TestShortened(t *testing.T) {
	arg := func(n int) []byte { return []byte(strings.Repeat("x", n)) }
	got := slow.Shortened([][]byte{arg(0), arg(128), arg(129), arg(1 << 20)})
	for i, want := range []string{"", string(arg(128)), string(arg(128)) + "... (1 more bytes)", string(arg(128)) + "... (1048448 more bytes)"} {
		if string(got[i]) != want {
			t.Errorf("argument %d: %.200q, want %.200q", i, got[i], want)
		}
	}
	for n, last := range map[int]string{1: "x", 31: "x", 32: "x", 33: "... (2 more arguments)", 1000: "... (969 more arguments)"} {
		got := slow.Shortened(slices.Repeat([][]byte{arg(1)}, n))
		if len(got) != min(n, 32) || string(got[len(got)-1]) != last {
			t.Errorf("of %d arguments %d are shown, the last as %q", n, len(got), got[len(got)-1])
		}
	}
}
