package engine_test

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/engine"
	"larder/engine/history"
	"larder/protocol/resp"
)

// mirror is a replica of a bed, by hand.
type mirror struct {
	*talker
	id     string
	offset int64 // of the last byte of the stream that was taken
	copy   string
	stream string
}

// greets makes a client say what a replica of Redis 7.0 says before PSYNC.
func (b *bed) mirror(words ...string) *mirror {
	b.t.Helper()
	f := &mirror{talker: b.client()}
	f.says("+PONG\r\n", "PING")
	f.says("+OK\r\n", "REPLCONF", "listening-port", "7001")
	f.says("+OK\r\n", "REPLCONF", "capa", "eof", "capa", "psync2")
	for ; len(words) > 0; words = words[2:] {
		f.says("+OK\r\n", "REPLCONF", words[0], words[1])
	}
	return f
}

var fullHead = regexp.MustCompile(`^\n*\+FULLRESYNC ([0-9a-f]{40}) (\d+)\r\n\$EOF:([0-9a-f]{40})\r\n`)

// takes reads a whole copy, framed by marks, from what was received.
func (f *mirror) takes(got string) {
	f.b.t.Helper()
	head := fullHead.FindStringSubmatch(got)
	if head == nil {
		f.b.t.Fatalf("no copy follows: %.200q", got)
	}
	f.id = head[1]
	f.offset, _ = strconv.ParseInt(head[2], 10, 64)
	body, ok := strings.CutSuffix(got[len(head[0]):], head[3])
	if !ok || !strings.HasPrefix(body, "REDIS00") {
		f.b.t.Fatalf("the copy has not ended with its mark, or is none: %.60q … %.60q", body, body[max(0, len(body)-60):])
	}
	f.copy = body
}

// syncs asks for a copy, takes it and says so.
func (f *mirror) syncs() {
	f.b.t.Helper()
	f.takes(f.do("PSYNC", "?", "-1"))
	f.acks()
}

// acks says how far the replica is, and takes what comes then.
func (f *mirror) acks() { f.reads(f.do("REPLCONF", "ACK", strconv.FormatInt(f.offset, 10))) }

func (f *mirror) reads(got string) {
	f.offset += int64(len(got))
	f.stream += got
}

// told compares what has come of the stream since it was asked last, as commands in words.
func (f *mirror) told(want ...string) {
	f.b.t.Helper()
	f.reads(f.got())
	if got := inWords(f.b.t, f.stream); fmt.Sprint(got) != fmt.Sprint(want) {
		f.b.t.Errorf("stream: %q, want %q", got, want)
	}
	f.stream = ""
}

func inWords(t testing.TB, stream string) (all []string) {
	t.Helper()
	var p resp.Requests
	p.Reset(resp.Limits{})
	for buf := []byte(stream); len(buf) > 0; {
		r, n, state := p.Next(buf)
		if state != resp.Done {
			t.Fatalf("the stream is no whole number of commands: %q", buf)
		}
		var words []string
		for _, arg := range r.Args {
			words = append(words, string(arg))
		}
		all = append(all, strings.Join(words, " "))
		buf = buf[n:]
	}
	return all
}

func (k *talker) infoOf(field string) string {
	k.b.t.Helper()
	_, rest, ok := strings.Cut(k.do("INFO", "everything"), "\n"+field+":")
	if !ok {
		k.b.t.Fatalf("INFO has no %s", field)
	}
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}

func (k *talker) infoIs(field, want string) {
	k.b.t.Helper()
	if got := k.infoOf(field); got != want {
		k.b.t.Errorf("INFO %s: %q, want %q", field, got, want)
	}
}

func TestReplConf(t *testing.T) {
	k := newBed(t, nil).client()
	k.talk(`
		REPLCONF => +OK
		REPLCONF listening-port => -ERR syntax error
		REPLCONF listening-port 7001 => +OK
		REPLCONF LISTENING-PORT 7001 ip-address 10.0.0.1 => +OK
		REPLCONF listening-port x => -ERR value is not an integer or out of range
		REPLCONF capa eof capa psync2 capa dual-channel => +OK
		REPLCONF rdb-only 1 => +OK
		REPLCONF rdb-only 0 => +OK
		REPLCONF rdb-only 2 => -ERR value is out of range, value must between 0 and 1
		REPLCONF rdb-only x => -ERR value is not an integer or out of range
		REPLCONF rdb-filter-only keys => -ERR Unsupported rdb-filter-only option: keys
		REPLCONF version 9.0.0 => +OK
		REPLCONF Nonsense 1 => -ERR Unrecognized REPLCONF option: Nonsense
		REPLCONF ack 10 =>
		REPLCONF getack * =>
		PING => +PONG
	`)
	if got := k.do("REPLCONF", "ip-address", strings.Repeat("1", 256)); got != "-ERR REPLCONF ip-address provided by replica instance is too long: 256 bytes\r\n" {
		t.Errorf("ip-address: %q", got)
	}
	filtered := newBed(t, nil).client()
	filtered.says("+OK\r\n", "REPLCONF", "rdb-filter-only", "functions")
	filtered.says("-ERR Filtered replica requires EOF capability\r\n", "PSYNC", "?", "-1")
	k.says("-ERR value is not an integer or out of range\r\n", "PSYNC", "?", "x")
}

// TestReplicaIsSent: a copy first, the stream once the replica has said that it knows where the copy ends.
func TestReplicaIsSent(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	k.says("+OK\r\n", "SET", "before", "1")
	k.infoIs("master_repl_offset", "0")
	k.infoIs("repl_backlog_active", "0")
	f := b.mirror()
	f.takes(f.do("PSYNC", "?", "-1"))
	if !strings.Contains(f.copy, "before") {
		t.Errorf("the copy has not what was there: %q", f.copy)
	}
	k.says("+OK\r\n", "SET", "after", "2")
	if got := f.got(); got != "" {
		t.Errorf("the stream has come before the replica said that it has the copy: %q", got)
	}
	k.infoIs("connected_slaves", "1")
	f.acks()
	f.told("SELECT 0", "SET after 2")
	k.says("+OK\r\n", "SELECT", "3")
	k.says(":1\r\n", "LPUSH", "l", "x")
	k.says("$1\r\nx\r\n", "LPOP", "l")
	f.told("SELECT 3", "LPUSH l x", "LPOP l")
	f.acks()
	k.infoIs("slave0", fmt.Sprintf("ip=127.0.0.1,port=7001,state=online,offset=%d,lag=0", f.offset))
	k.infoIs("master_repl_offset", fmt.Sprint(f.offset))
	k.infoIs("master_replid", f.id)
	k.infoIs("repl_backlog_histlen", fmt.Sprint(f.offset))
	k.infoIs("repl_backlog_active", "1")
	k.infoIs("sync_full", "1")
	offset := fmt.Sprint(f.offset)
	k.says(fmt.Sprintf("*3\r\n$6\r\nmaster\r\n:%s\r\n*1\r\n*3\r\n$9\r\n127.0.0.1\r\n$4\r\n7001\r\n$%d\r\n%s\r\n", offset, len(offset), offset), "ROLE")
	if got := k.do("CLIENT", "LIST", "TYPE", "replica"); !strings.Contains(got, " flags=S ") || strings.Count(got, "\n") != 2+1 {
		t.Errorf("CLIENT LIST: %q", got)
	}
	k.says(":1\r\n", "CLIENT", "KILL", "TYPE", "SLAVE")
	if !f.c.Closed {
		t.Error("the replica was not killed")
	}
	k.infoIs("connected_slaves", "0")
}

// TestReplicaGoesOn: a replica that comes back is sent what it lacks, if the stream is the same and so much of it is kept.
func TestReplicaGoesOn(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	f := b.mirror()
	f.syncs()
	k.says("+OK\r\n", "SET", "a", "1")
	f.told("SELECT 0", "SET a 1")
	f.c.Hangup(nil)
	k.says("+OK\r\n", "SET", "b", "2")
	k.says("+OK\r\n", "SET", "c", "3")

	again := b.mirror()
	again.offset = f.offset
	head := "+CONTINUE " + f.id + "\r\n"
	got, ok := strings.CutPrefix(again.do("PSYNC", strings.ToUpper(f.id), fmt.Sprint(f.offset+1)), head)
	if !ok {
		t.Fatalf("not to go on: %.100q", got)
	}
	again.reads(got)
	again.told("SET b 2", "SET c 3")
	k.says("+OK\r\n", "SET", "d", "4")
	again.told("SET d 4")
	k.infoIs("sync_partial_ok", "1")

	for _, ask := range [][2]string{{f.id, fmt.Sprint(again.offset + 2)}, {strings.Repeat("0", 40), "1"}, {f.id, "0"}, {f.id, "-9223372036854775808"}} {
		other := b.mirror()
		other.takes(other.do("PSYNC", ask[0], ask[1]))
		if other.id != f.id || other.offset != again.offset {
			t.Errorf("%q: a copy of %s at %d, want %s at %d", ask, other.id, other.offset, f.id, again.offset)
		}
	}
	k.infoIs("sync_partial_err", "4")
	k.infoIs("sync_full", "5")
	old := b.client() // no psync2: the name is not told
	if got := old.do("PSYNC", f.id, fmt.Sprint(again.offset+1)); got != "+CONTINUE\r\n" {
		t.Errorf("without psync2: %q", got)
	}
}

// TestReplicasShare: who asks in the same turn, or as long as the beginning is at hand, has the same copy.
func TestReplicasShare(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	for i := range 2000 {
		k.says("+OK\r\n", "SET", fmt.Sprintf("key%d", i), strings.Repeat("x", 1000))
	}
	var all []*mirror
	for range 3 {
		f := b.mirror()
		f.c.Feed([]byte("PSYNC ? -1\r\n"))
		all = append(all, f)
	}
	late := b.mirror()
	late.c.Feed([]byte("PSYNC ? -1\r\n"))
	b.m.EndTurn()
	for _, f := range append(all, late) {
		f.takes(f.got())
		if f.copy != all[0].copy {
			t.Errorf("another copy: %d bytes, %d", len(f.copy), len(all[0].copy))
		}
	}
	if n := strings.Count(all[0].copy, "key"); n != 2000 {
		t.Errorf("%d keys in the copy", n)
	}
}

// TestReplicaThatIsTooSlow: its limit ends it, and nobody else is held up.
func TestReplicaThatIsTooSlow(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	k.says("+OK\r\n", "CONFIG", "SET", "client-output-buffer-limit", "replica 2mb 0 0", "repl-backlog-size", "1mb")
	slow, fast := b.mirror(), b.mirror()
	slow.syncs()
	fast.syncs()
	slow.c.Full = true
	sent := 0
	for i := 0; !slow.c.Closed && i < 100; i++ {
		k.says("+OK\r\n", "SET", "k", strings.Repeat("x", 64<<10))
		sent += 64 << 10
		fast.reads(fast.got())
	}
	if !slow.c.Closed || sent < 2<<20 || sent > 3<<20 {
		t.Errorf("closed after %d bytes: %v, want it at 2 MiB", sent, slow.c.Closed)
	}
	if fast.c.Closed || len(fast.stream) < sent {
		t.Errorf("the other one has %d of %d bytes", len(fast.stream), sent)
	}
	k.infoIs("client_output_buffer_limit_disconnections", "1")
	k.infoIs("connected_slaves", "1")
}

// TestReplicaTakesNothing: what does not take its copy is cut in time, and does not keep others from theirs.
func TestReplicaTakesNothing(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	for i := range 40 {
		k.says("+OK\r\n", "SET", fmt.Sprint(i), strings.Repeat("x", 1<<20))
	}
	frozen, well := b.mirror(), b.mirror()
	frozen.c.Full = true
	frozen.c.Feed([]byte("PSYNC ? -1\r\n"))
	well.c.Feed([]byte("PSYNC ? -1\r\n"))
	b.m.EndTurn()
	got := ""
	for range 100 {
		k.says("+PONG\r\n", "PING")
		b.m.Advance(100 * time.Millisecond)
		got += well.got()
	}
	well.takes(got)
	if len(well.copy) < 40<<20 {
		t.Errorf("%d bytes of copy", len(well.copy))
	}
	if !frozen.c.Closed {
		t.Error("who takes nothing while others wait is still there")
	}
}

// TestReplicaSaysNothing: repl-timeout ends a replica that is not heard of, and one that is sent PINGs answers none of them.
func TestReplicaSaysNothing(t *testing.T) {
	b := newBed(t, nil)
	f, silent := b.mirror(), b.mirror()
	f.syncs()
	silent.syncs()
	for range 65 {
		b.m.Advance(time.Second)
		f.reads(f.got())
		f.acks()
	}
	if f.c.Closed || !silent.c.Closed {
		t.Errorf("closed: %v %v", f.c.Closed, silent.c.Closed)
	}
	f.told("ping", "ping", "ping", "ping", "ping", "ping")
}

// TestReplicaMayNotTalk: what it says would have to be answered amid the stream.
func TestReplicaMayNotTalk(t *testing.T) {
	for _, words := range []string{"PING\r\n", "SET a 1\r\n", "*1\r\n!3\r\nxx"} {
		b := newBed(t, nil)
		f := b.mirror()
		f.syncs()
		f.c.Feed([]byte("\r\n\n"))
		if f.c.Closed {
			t.Error("empty lines mean nothing")
		}
		f.c.Feed([]byte(words + "\r\n"))
		b.m.EndTurn()
		if got := f.got(); got != "" || !f.c.Closed {
			t.Errorf("%q: answered %q, closed %v", words, got, f.c.Closed)
		}
	}
}

// TestReplicaWithoutMark: the length goes before the copy, and the stream follows at once.
func TestReplicaWithoutMark(t *testing.T) {
	b := newBed(t, func(o *engine.Options) { o.Dir = t.TempDir() })
	k := b.client()
	k.says("+OK\r\n", "SET", "before", "1")
	f := &mirror{talker: b.client()}
	f.says("", "SYNC")
	head := regexp.MustCompile(`^\n*\$(\d+)\r\n`)
	got := ""
	waitFor(t, func() bool {
		b.m.EndTurn()
		got += f.got()
		m := head.FindStringSubmatch(got)
		if m == nil {
			return false
		}
		n, _ := strconv.Atoi(m[1])
		return len(got) == len(m[0])+n
	})
	if !strings.Contains(got, "before") || !strings.Contains(got, "\nREDIS00") {
		t.Errorf("the copy: %q", got)
	}
	k.says("+OK\r\n", "SET", "after", "2")
	f.told("SELECT 0", "SET after 2")
}

func waitFor(t testing.TB, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it has not come to it in 10 s")
		}
	}
}

// TestCopyOnly: a tool that wants a copy and no stream is let go behind it.
func TestCopyOnly(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	k.says("+OK\r\n", "SET", "a-key", "1")
	if got := k.do("FUNCTION", "LOAD", "#!lua name=lib\nredis.register_function('f', function() return 1 end)"); got != "$3\r\nlib\r\n" {
		t.Fatal(got)
	}
	for _, c := range []struct {
		filter          string
		keys, functions bool
	}{{"", true, true}, {"functions", false, true}, {`""`, false, false}} {
		f := b.mirror("rdb-only", "1")
		if c.filter != "" {
			f.says("+OK\r\n", "REPLCONF", "rdb-filter-only", strings.Trim(c.filter, `"`))
		}
		f.takes(f.do("PSYNC", "?", "-1"))
		if keys, functions := strings.Contains(f.copy, "a-key"), strings.Contains(f.copy, "register_function"); keys != c.keys || functions != c.functions {
			t.Errorf("filter %s: keys %v, functions %v", c.filter, keys, functions)
		}
		if !f.c.Closed {
			t.Error("the connection is still there")
		}
	}
}

// TestBacklogIsLetGo: without replicas for repl-backlog-ttl nothing is kept or written any more, and the stream has another name from then on.
func TestBacklogIsLetGo(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	k.says("+OK\r\n", "CONFIG", "SET", "repl-backlog-ttl", "5", "repl-backlog-size", "200000")
	f := b.mirror()
	f.syncs()
	for range 50 {
		k.says("+OK\r\n", "SET", "k", strings.Repeat("x", 10000))
		f.reads(f.got())
	}
	k.infoIs("repl_backlog_size", "200000")
	if n, _ := strconv.Atoi(k.infoOf("repl_backlog_histlen")); n < 200_000 || n > 200_000+2*history.BlockBytes {
		t.Errorf("%d bytes of the past are kept", n)
	}
	f.c.Hangup(nil)
	for range 8 {
		b.m.Advance(time.Second)
	}
	k.infoIs("repl_backlog_active", "0")
	if k.infoOf("master_replid") == f.id {
		t.Error("the stream has its old name")
	}
	end := k.infoOf("master_repl_offset")
	k.says("+OK\r\n", "SET", "k", "v")
	k.infoIs("master_repl_offset", end)
	again := b.mirror()
	again.takes(again.do("PSYNC", f.id, fmt.Sprint(f.offset+1)))
}

// TestStopAmidCopies: a node ends while copies are on their way, in either form, and leaves nothing.
func TestStopAmidCopies(t *testing.T) {
	for _, diskless := range []string{"yes", "no"} {
		b := newBed(t, func(o *engine.Options) { o.Dir = t.TempDir() })
		k := b.client()
		for i := range 40 {
			k.says("+OK\r\n", "SET", fmt.Sprint(i), strings.Repeat("x", 1<<20))
		}
		k.says("+OK\r\n", "CONFIG", "SET", "repl-diskless-sync", diskless)
		f := b.mirror()
		f.c.Full = true
		f.c.Feed([]byte("PSYNC ? -1\r\n"))
		for range 3 {
			b.m.EndTurn()
		}
		k.infoIs("sync_full", "1")
	}
}

// FuzzReplica: whatever a replica says before and after it was sent its copy, in whatever pieces, the node goes on serving others.
func FuzzReplica(f *testing.F) {
	for _, s := range []string{
		"REPLCONF ACK 0\r\n", "*3\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$1\r\n0\r\n*5\r\n$8\r\nREPLCONF\r\n$3\r\nACK\r\n$3\r\n999\r\n$4\r\nFACK\r\n$2\r\n-1\r\n",
		"\n\r\n*0\r\n", "*1\r\n$4\r\nPING\r\n", "REPLCONF ACK\r\n", "REPLCONF GETACK *\r\nREPLCONF ACK x\r\n", "*2\r\n$8\r\nREPLCONF\r\n$9999999999\r\n", "\x00\xff",
	} {
		f.Add([]byte(s), byte(3), false)
		f.Add([]byte(s), byte(200), true)
	}
	f.Fuzz(func(t *testing.T, says []byte, cut byte, before bool) {
		b := newBed(t, func(o *engine.Options) { o.Dir = t.TempDir() })
		k := b.client()
		k.says("+OK\r\n", "SET", "a", "1")
		r := b.mirror()
		if !before {
			r.syncs()
		}
		for len(says) > 0 && !r.c.Closed {
			n := min(len(says), int(cut)+1)
			r.send(says[:n])
			says = says[n:]
		}
		if before && !r.c.Closed {
			r.send([]byte("\r\nPSYNC ? -1\r\n"))
		}
		k.says("+OK\r\n", "SET", "a", "2")
		k.says("$1\r\n2\r\n", "GET", "a")
		k.infoOf("slave_expires_tracked_keys")
	})
}
