package engine_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/engine"
	"larder/loop"
	"larder/protocol/resp"
)

const (
	primaryID  = "0123456789abcdef0123456789abcdef01234567"
	primaryID2 = "76543210fedcba9876543210fedcba9876543210"
	fileMark   = "MARKMARKMARKMARKMARKMARKMARKMARKMARKMARK"
	emptyFile  = "REDIS0010\xff\x00\x00\x00\x00\x00\x00\x00\x00"
)

// primaryEnd is the other end of a node's link: what a primary has and says.
type primaryEnd struct {
	t testing.TB
	b *bed
	c *loop.MemConn
}

// following has the node follow a primary, whose end it gives, with nothing said yet.
func (b *bed) following(k *talker) *primaryEnd {
	b.t.Helper()
	k.says("+OK\r\n", "REPLICAOF", "10.0.0.7", "7000")
	return b.dialled()
}

// dialled takes the node's next attempt to reach its primary.
func (b *bed) dialled() *primaryEnd {
	b.t.Helper()
	for range 100 {
		if dials := b.m.Dials(); len(dials) > 0 {
			if got := dials[len(dials)-1].Addr; got != "10.0.0.7:7000" {
				b.t.Fatalf("the node dials %s", got)
			}
			return &primaryEnd{b.t, b, dials[len(dials)-1].Succeed()}
		}
		b.m.Advance(100 * time.Millisecond)
	}
	b.t.Fatal("the node does not dial")
	return nil
}

// says sends bytes, ends the turn and gives what the node answers.
func (e *primaryEnd) says(text string) string {
	e.c.Feed([]byte(text))
	e.b.m.EndTurn()
	return e.heard()
}

func (e *primaryEnd) heard() string {
	e.b.m.EndTurn()
	return string(e.c.Written())
}

func (e *primaryEnd) wants(what, got, want string) {
	e.t.Helper()
	if got != want {
		e.t.Errorf("%s: the node says %.300q, want %.300q", what, got, want)
	}
}

func words2(args ...string) string { return string(resp.AppendCommandStrings(nil, args...)) }

func ack(offset int) string { return words2("REPLCONF", "ACK", strconv.Itoa(offset)) }

// greeted answers the node's greeting up to PSYNC, and gives what that is.
func (e *primaryEnd) greeted() string {
	e.t.Helper()
	e.wants("first", e.heard(), words2("PING"))
	e.wants("after PONG", e.says("+PONG\r\n"),
		words2("REPLCONF", "listening-port", "6380")+words2("REPLCONF", "capa", "eof", "capa", "psync2")+words2("REPLCONF", "version", "9.0.0"))
	e.wants("after one OK", e.says("+OK\r\n"), "")
	return e.says("+OK\r\n-ERR Unrecognized REPLCONF option: version\r\n")
}

// synced brings the node to following, with the data of a file.
func (e *primaryEnd) synced(file string, offset int) {
	e.t.Helper()
	if got := e.greeted(); !strings.HasPrefix(got, "*3\r\n$5\r\nPSYNC\r\n") {
		e.t.Fatalf("the node says %q instead of PSYNC", got)
	}
	e.wants("after the data", e.says(fmt.Sprintf("+FULLRESYNC %s %d\r\n$EOF:%s\r\n%s%s", primaryID, offset, fileMark, file, fileMark)), ack(offset))
}

// info gives a field of INFO.
func (k *talker) info(section, field string) string {
	for line := range strings.Lines(k.do("INFO", section)) {
		if value, ok := strings.CutPrefix(line, field+":"); ok {
			return strings.TrimSpace(value)
		}
	}
	return "absent"
}

func (k *talker) infoSays(section, field, want string) {
	k.b.t.Helper()
	if got := k.info(section, field); got != want {
		k.b.t.Errorf("INFO %s: %s is %q, want %q", section, field, got, want)
	}
}

// TestLinkStages is how a node comes to follow, and what it tells of that.
func TestLinkStages(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	k.says("+OK\r\n", "SET", "mine", "1")
	k.infoSays("replication", "role", "master")
	k.says("+OK\r\n", "REPLICAOF", "10.0.0.7", "7000")
	stage := func(want string, offset int) {
		t.Helper()
		k.says(fmt.Sprintf("*5\r\n$5\r\nslave\r\n$8\r\n10.0.0.7\r\n:7000\r\n$%d\r\n%s\r\n:%d\r\n", len(want), want, offset), "ROLE")
	}
	stage("connecting", -1)
	e := b.dialled()
	stage("handshake", -1)
	e.wants("PSYNC", e.greeted(), words2("PSYNC", "?", "-1"))
	k.infoSays("replication", "master_link_status", "down")
	k.infoSays("replication", "master_sync_in_progress", "0")
	e.wants("waiting", e.says("+FULLRESYNC "+primaryID+" 1000\r\n\n\n"), "")
	stage("sync", -1)
	k.says("$1\r\n1\r\n", "GET", "mine") // until the primary's data come
	e.says("$EOF:" + fileMark + "\r\nREDIS0010\xfe\x00\x00\x01k\x01v")
	k.says("-LOADING Redis is loading the dataset in memory\r\n", "GET", "k")
	k.says("-LOADING Redis is loading the dataset in memory\r\n", "GET", "mine")
	k.says("-LOADING Redis is loading the dataset in memory\r\n", "PING")
	k.infoSays("replication", "master_sync_in_progress", "1")
	b.m.Advance(time.Second)
	e.wants("while it loads", e.heard(), "\n")
	e.wants("loaded", e.says("\xff\x00\x00\x00\x00\x00\x00\x00\x00"+fileMark), ack(1000))
	stage("connected", 1000)
	k.says("$1\r\nv\r\n", "GET", "k")
	k.says("$-1\r\n", "GET", "mine")
	for _, f := range [][2]string{
		{"role", "slave"},
		{"master_host", "10.0.0.7"},
		{"master_port", "7000"},
		{"master_link_status", "up"},
		{"master_last_io_seconds_ago", "0"},
		{"master_sync_in_progress", "0"},
		{"slave_repl_offset", "1000"},
		{"slave_read_repl_offset", "1000"},
		{"slave_priority", "100"},
		{"slave_read_only", "1"},
		{"replica_announced", "1"},
		{"connected_slaves", "0"},
		{"master_replid", primaryID},
		{"master_repl_offset", "1000"},
		{"master_link_down_since_seconds", "absent"},
	} {
		k.infoSays("replication", f[0], f[1])
	}
	k.says("+OK Already connected to specified master\r\n", "SLAVEOF", "10.0.0.7", "7000")
	if line := k.do("CLIENT", "LIST", "TYPE", "master"); !strings.Contains(line, " flags=M ") {
		t.Errorf("CLIENT LIST TYPE master: %q", line)
	}
}

// TestLinkAnswers is what comes of what a primary may answer.
func TestLinkAnswers(t *testing.T) {
	for _, c := range []struct{ said, next string }{
		{"-NOMASTERLINK Can't SYNC while not connected with my master\r\n", "again"},
		{"-LOADING Redis is loading the dataset in memory\r\n", "again"},
		{"-ERR unknown command 'PSYNC'\r\n", words2("SYNC")},
		{"-NOAUTH Authentication required.\r\n", "again"},
		{"-ERR something\r\n", "again"},
		{"+FULLRESYNC short 0\r\n", "again"},
		{"+FULLRESYNC " + primaryID + " -5\r\n", "again"},
		{"+FULLRESYNC " + primaryID + "\r\n", "again"},
		{"+CONTINUE " + primaryID + "\r\n", "again"}, // which was not asked for
		{":1\r\n", "again"},
		{"HTTP/1.1 400 Bad Request\r\n", "again"},
		{strings.Repeat("x", 5000), "again"},
		{"+FULLRESYNC " + primaryID + " 0\r\n-ERR no\r\n", "again"},
		{"+FULLRESYNC " + primaryID + " 0\r\n$-1\r\n", "again"},
		{"+FULLRESYNC " + primaryID + " 0\r\n$EOF:short\r\n", "again"},
		{"+FULLRESYNC " + primaryID + " 0\r\n$5\r\nREDIS", "again"},
		{"+FULLRESYNC " + primaryID + " 0\r\n$9\r\nNO REDIS!", "again"},
		{"+FULLRESYNC " + primaryID + " 0\r\n$EOF:" + fileMark + "\r\n" + emptyFile + strings.Repeat("x", 40), "again"},
		{"+FULLRESYNC " + primaryID + " 0\r\n$EOF:" + fileMark + "\r\nREDIS0099\xff", "again"},
		{"\n\n", ""},
	} {
		b := newBed(t, nil)
		k := b.client()
		k.do("SET", "mine", "1")
		e := b.following(k)
		e.greeted()
		got := e.says(c.said)
		switch {
		case c.next == "again":
			if !e.c.Closed {
				t.Errorf("%.60q: the connection stays open", c.said)
			}
			b.dialled()
		case got != c.next || e.c.Closed:
			t.Errorf("%.60q: the node says %q, want %q", c.said, got, c.next)
		}
		want := "$1\r\n1\r\n"
		if strings.Contains(c.said, "$EOF:MARK") || strings.Contains(c.said, "\r\n$5\r\n") || strings.Contains(c.said, "\r\n$9\r\n") {
			want = "$-1\r\n" // its data had begun to come: this node has none now
		}
		k.says(want, "GET", "mine")
	}
}

// TestLinkLogsIn: a primary that wants a password gets it, and one that refuses it is tried again.
func TestLinkLogsIn(t *testing.T) {
	b := newBed(t, func(o *engine.Options) { o.MasterUser, o.MasterAuth = "rep", "secret" })
	k := b.client()
	k.says("+OK\r\n", "CONFIG", "SET", "replica-announce-ip", "192.0.2.1", "replica-announce-port", "7777")
	e := b.following(k)
	e.heard()
	e.wants("after NOAUTH", e.says("-NOAUTH Authentication required.\r\n"), words2("AUTH", "rep", "secret")+words2("REPLCONF", "listening-port", "7777")+
		words2("REPLCONF", "ip-address", "192.0.2.1")+words2("REPLCONF", "capa", "eof", "capa", "psync2")+words2("REPLCONF", "version", "9.0.0"))
	e.says("-WRONGPASS invalid username-password pair or user is disabled.\r\n")
	if !e.c.Closed {
		t.Error("the connection stays open without rights")
	}
	k.says("+OK\r\n", "CONFIG", "SET", "masteruser", "", "masterauth", "other")
	e = b.dialled()
	if got := e.says("+PONG\r\n"); !strings.HasPrefix(got, words2("PING")+words2("AUTH", "other")) {
		t.Errorf("the node says %q", got)
	}
}

// TestLinkPartial: a link that is cut goes on where it was, also under a new name of the stream.
func TestLinkPartial(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	e := b.following(k)
	e.synced(emptyFile, 50)
	first := words2("SELECT", "3") + words2("SET", "a", "1")
	e.says(first + "*2\r\n$3\r\nDEL\r\n$1\r") // the link breaks amid a command
	e.c.Hangup(errors.New("reset"))
	k.infoSays("replication", "master_link_status", "down")
	k.infoSays("replication", "slave_repl_offset", strconv.Itoa(50+len(first)))
	e = b.dialled()
	e.wants("PSYNC", e.greeted(), words2("PSYNC", primaryID, strconv.Itoa(50+len(first)+1)))
	e.wants("going on", e.says("+CONTINUE "+primaryID2+"\r\n"), ack(50+len(first)))
	second := words2("SET", "b", "2")
	e.says(second)
	k.infoSays("replication", "master_replid", primaryID2)
	k.infoSays("replication", "master_replid2", primaryID)
	k.infoSays("replication", "second_repl_offset", strconv.Itoa(50+len(first)+1))
	k.infoSays("replication", "slave_repl_offset", strconv.Itoa(50+len(first)+len(second)))
	k.do("SELECT", "3")
	k.says("*2\r\n$1\r\n1\r\n$1\r\n2\r\n", "MGET", "a", "b")
}

// TestLinkHalfLoaded: half of a primary's data is never served as all of it.
func TestLinkHalfLoaded(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	e := b.following(k)
	e.greeted()
	e.says("+FULLRESYNC " + primaryID + " 7\r\n$EOF:" + fileMark + "\r\nREDIS0010\xfe\x00\x00\x01k\x01v\x00\x01l\x01w\x00\x01m")
	e.c.Hangup(errors.New("reset"))
	k.says(":0\r\n", "DBSIZE")
	e = b.dialled()
	e.wants("PSYNC", e.greeted(), words2("PSYNC", "?", "-1"))
	if id := k.info("replication", "master_replid"); id == primaryID {
		t.Error("the node has the name of a history that it has nothing of")
	}
}

// TestReplicaLeavesWhileLoading: a copy that is on its way can be called off.
func TestReplicaLeavesWhileLoading(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	e := b.following(k)
	e.greeted()
	e.says("+FULLRESYNC " + primaryID + " 7\r\n$EOF:" + fileMark + "\r\nREDIS0010\xfe\x00\x00\x01k\x01v")
	k.says("-LOADING Redis is loading the dataset in memory\r\n", "DBSIZE")
	k.says("+OK\r\n", "REPLICAOF", "NO", "ONE")
	k.says(":0\r\n", "DBSIZE")
	k.infoSays("replication", "role", "master")
	if !e.c.Closed {
		t.Error("the link stays open")
	}
}

// stream is what a primary may send: commands of many kinds with transactions among them, and after how many bytes a follower may be.
func someStream() (all string, ends map[int]bool) {
	ends = map[int]bool{0: true}
	add := func(args ...string) { all += words2(args...) }
	end := func() { ends[len(all)] = true }
	add("SELECT", "0")
	end()
	for i := range 150 { // more than a batch
		add("SET", "k"+strconv.Itoa(i), strings.Repeat("v", i*3))
		end()
	}
	for _, n := range []int{0, 1, 3, 100} {
		add("MULTI")
		for i := range n {
			add("RPUSH", "l"+strconv.Itoa(n), strconv.Itoa(i))
		}
		add("SELECT", "2")
		add("SADD", "s", strconv.Itoa(n))
		add("SELECT", "0")
		add("EXEC")
		end()
		add("INCR", "n")
		end()
	}
	all += "\r\n" // which is nothing
	add("ping")
	end()
	add("SET", "big", strings.Repeat("x", 300<<10))
	end()
	add("REPLCONF", "GETACK", "*")
	end()
	return all, ends
}

// TestLinkCuts: however the stream is cut, the same comes of it, and the history ends at the end of a command or transaction.
func TestLinkCuts(t *testing.T) {
	all, ends := someStream()
	want := ""
	for _, step := range []int{len(all), 1 << 16, 1000, 97, 13} {
		b := newBed(t, func(o *engine.Options) { o.DebugCommand = "local" })
		k := b.client()
		e := b.following(k)
		e.synced(emptyFile, 0)
		for at := 0; at < len(all); at += step {
			e.says(all[at:min(at+step, len(all))])
			if step < 1000 && at%(step*64) != 0 {
				continue
			}
			offset, _ := strconv.Atoi(k.info("replication", "slave_repl_offset"))
			if offset > at+step || !ends[offset] && offset != len(all) {
				t.Fatalf("in steps of %d, with %d bytes sent, the node is at %d", step, at+step, offset)
			}
		}
		k.infoSays("replication", "slave_repl_offset", strconv.Itoa(len(all)))
		got := k.do("DEBUG", "DIGEST") + k.do("DBSIZE")
		if want == "" {
			want = got
		}
		if got != want || strings.HasPrefix(got, "-") {
			t.Errorf("in steps of %d: %q, want %q", step, got, want)
		}
	}
}

// TestLinkAcks: once a second, and when asked.
func TestLinkAcks(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	e := b.following(k)
	e.synced(emptyFile, 0)
	ask := words2("REPLCONF", "GETACK", "*")
	set := words2("SET", "a", "b")
	e.wants("asked", e.says(set+ask+set), ack(2*len(set)+len(ask)))
	b.m.Advance(999 * time.Millisecond)
	e.wants("too soon", e.heard(), "")
	b.m.Advance(2 * time.Millisecond)
	e.wants("after a second", e.heard(), ack(2*len(set)+len(ask)))
}

// TestLinkSilence: a primary that says nothing is given up after repl-timeout, wherever the talk stands.
func TestLinkSilence(t *testing.T) {
	for _, far := range []string{"", "+PONG\r\n", "psync", "header", "data", "stream"} {
		b := newBed(t, nil)
		k := b.client()
		k.says("+OK\r\n", "CONFIG", "SET", "repl-timeout", "5")
		e := b.following(k)
		switch far {
		case "stream":
			e.synced(emptyFile, 0)
		case "psync", "header", "data":
			e.greeted()
			if far != "psync" {
				e.says("+FULLRESYNC " + primaryID + " 0\r\n")
			}
			if far == "data" {
				e.says("$EOF:" + fileMark + "\r\nREDIS")
			}
		default:
			e.says(far)
		}
		for range 5 {
			b.m.Advance(time.Second)
		}
		if e.c.Closed {
			t.Errorf("%q: given up too soon", far)
		}
		b.m.Advance(time.Second)
		if !e.c.Closed {
			t.Errorf("%q: not given up", far)
		}
		b.dialled()
	}
}

// TestLinkDials: attempts that fail are made again, at most once a second.
func TestLinkDials(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	k.says("+OK\r\n", "REPLICAOF", "10.0.0.7", "7000")
	attempts := 0
	for range 100 {
		for _, d := range b.m.Dials() {
			attempts++
			d.Fail(errors.New("refused"))
		}
		b.m.Advance(100 * time.Millisecond)
	}
	if attempts < 10 || attempts > 20 {
		t.Errorf("%d attempts in 10 s", attempts)
	}
	k.says("+OK\r\n", "REPLICAOF", "NO", "ONE")
	for _, d := range b.m.Dials() {
		if c := d.Succeed(); !c.Closed && c.Conn != nil && len(c.Written()) > 0 {
			t.Error("the node speaks to a primary that it does not follow")
		}
	}
}

// TestReplicaRefuses is what clients of a replica may not do, and what they may.
func TestReplicaRefuses(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	e := b.following(k)
	e.synced(emptyFile, 0)
	e.says(words2("SET", "k", "1"))
	k.talk(`
		SET k 2 => -READONLY You can't write against a read only replica.
		DEL k => -READONLY You can't write against a read only replica.
		FLUSHALL => -READONLY You can't write against a read only replica.
		GET k => $1\r\n1
		EVAL return{redis.call('GET','k')} 0 => *1\r\n$1\r\n1
		PUBLISH c m => :0
		PFCOUNT nosuch => :0
		MULTI => +OK
		GET k => +QUEUED
		EXEC => *1\r\n$1\r\n1
		MULTI => +OK
		SET k 3 => -READONLY You can't write against a read only replica.
		EXEC => -EXECABORT Transaction discarded because of previous errors.
	`)
	if got := k.do("EVAL", "return redis.call('SET','k','2')", "0"); !strings.HasPrefix(got, "-READONLY You can't write against a read only replica. script: ") {
		t.Errorf("a script that writes: %q", got)
	}
	k.says("-READONLY Can not run script with write flag on readonly replica.\r\n", "EVAL", "#!lua\nreturn 1", "0")
	k.says(":1\r\n", "EVAL", "#!lua flags=no-writes\nreturn 1", "0")
	k.says("+OK\r\n", "CONFIG", "SET", "replica-read-only", "no")
	k.says("+OK\r\n", "SET", "own", "2")
	k.infoSays("replication", "slave_read_only", "0")
	k.infoSays("replication", "master_repl_offset", strconv.Itoa(len(words2("SET", "k", "1")))) // what is written here is nobody else's
	k.says("+OK\r\n", "CONFIG", "SET", "replica-read-only", "yes", "replica-serve-stale-data", "no")
	k.says("$1\r\n1\r\n", "GET", "k")
	e.c.Hangup(errors.New("reset"))
	k.talk(`
		GET k => -MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.
		EVAL return(1) 0 => -MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.
		PING => -MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.
		CONFIG SET replica-serve-stale-data yes => +OK
		GET k => $1\r\n1
	`)
}

// TestReplicaUnblocks: who waits for a key when its node becomes a replica waits in vain.
func TestReplicaUnblocks(t *testing.T) {
	b := newBed(t, nil)
	k, waits := b.client(), b.client()
	waits.says("", "BLPOP", "l", "0")
	b.following(k)
	if got, want := waits.got(), "-UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)\r\n"; got != want || !waits.c.Closed {
		t.Errorf("who waits is told %q, closed: %v", got, waits.c.Closed)
	}
}

// TestReplicaTellsClients: whoever reads, watches, waits or listens at a replica hears of what the primary changes.
func TestReplicaTellsClients(t *testing.T) {
	b := newBed(t, nil)
	k, hears, waits, watches, tracks := b.client(), b.client(), b.client(), b.client(), b.client()
	e := b.following(k)
	e.synced(emptyFile, 0)
	k.says("+OK\r\n", "CONFIG", "SET", "notify-keyspace-events", "KEA")
	hears.do("PSUBSCRIBE", "*")
	waits.says("", "XREAD", "BLOCK", "0", "STREAMS", "x", "$")
	watches.says("+OK\r\n", "WATCH", "k")
	tracks.do("HELLO", "3")
	tracks.says("+OK\r\n", "CLIENT", "TRACKING", "ON")
	tracks.says("_\r\n", "GET", "k")
	e.says(words2("SET", "k", "1") + words2("XADD", "x", "1-1", "f", "v") + words2("PUBLISH", "c", "hello"))
	if got := hears.got(); !strings.Contains(got, "__keyspace@0__:k") || !strings.Contains(got, "hello") {
		t.Errorf("a subscriber hears %q", got)
	}
	if got := waits.got(); !strings.Contains(got, "1-1") {
		t.Errorf("who waits for a stream hears %q", got)
	}
	if got := tracks.got(); !strings.Contains(got, "invalidate") {
		t.Errorf("who tracks a key hears %q", got)
	}
	watches.do("MULTI")
	watches.do("GET", "k")
	watches.says("*-1\r\n", "EXEC")
}

// TestReplicaFaults: what a primary sends and this node cannot do is counted, and the stream goes on.
func TestReplicaFaults(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	e := b.following(k)
	e.synced(emptyFile, 0)
	e.says(words2("NEWFANGLED", "k") + words2("LPUSH", "l", "1") + words2("INCR", "l") + words2("SET", "k") + words2("SHUTDOWN") + words2("SUBSCRIBE", "c") +
		words2("EXEC") + words2("SET", "after", "1"))
	if e.c.Closed {
		t.Fatal("the link is closed")
	}
	k.says("$1\r\n1\r\n", "GET", "after")
	k.infoSays("stats", "unexpected_error_replies", "6")
	e.says("rubbish\r\n*1\r\n$-5\r\n")
	if !e.c.Closed {
		t.Error("the link stays open after what is no command")
	}
	e = b.dialled()
	e.wants("PSYNC", e.greeted(), words2("PSYNC", "?", "-1"))
}

// TestReplicaDatabases: a primary with more databases cannot be followed.
func TestReplicaDatabases(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	e := b.following(k)
	e.synced(emptyFile, 0)
	e.says(words2("SELECT", "16") + words2("SET", "k", "1"))
	if !e.c.Closed {
		t.Error("the link stays open")
	}
	k.says(":0\r\n", "DBSIZE")
}

// TestReplicaPromoted: the history goes on under a new name.
func TestReplicaPromoted(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	e := b.following(k)
	e.synced(emptyFile, 100)
	set := words2("SELECT", "4") + words2("SET", "k", "1")
	e.says(set + words2("MULTI") + words2("SET", "k", "2"))
	k.says("+OK\r\n", "REPLICAOF", "NO", "ONE")
	if !e.c.Closed {
		t.Error("the link stays open")
	}
	for _, f := range [][2]string{{"role", "master"}, {"master_replid2", primaryID}, {"second_repl_offset", strconv.Itoa(100 + len(set) + 1)}, {"master_host", "absent"}} {
		k.infoSays("replication", f[0], f[1])
	}
	if id := k.info("replication", "master_replid"); id == primaryID || len(id) != 40 {
		t.Errorf("the new id is %q", id)
	}
	k.says("+OK\r\n", "SELECT", "4")
	k.says("$1\r\n1\r\n", "GET", "k")
	k.says("+OK\r\n", "SET", "k", "3")
	want := 100 + len(set) + len(words2("SELECT", "4")+words2("SET", "k", "3"))
	k.infoSays("replication", "master_repl_offset", strconv.Itoa(want))
	e = b.following(k)
	if got := e.greeted(); !strings.HasPrefix(got, "*3\r\n$5\r\nPSYNC\r\n$40\r\n") || strings.Contains(got, primaryID) {
		t.Errorf("a primary that is to follow again says %q", got)
	}
}

// TestReplicaOfErrors are the command's own.
func TestReplicaOfErrors(t *testing.T) {
	b := newBed(t, nil)
	k := b.client()
	k.talk(`
		REPLICAOF host 70000 => -ERR Invalid master port
		REPLICAOF host x => -ERR Invalid master port
		REPLICAOF host => -ERR wrong number of arguments for 'replicaof' command
		REPLICAOF NO ONE => +OK
		SLAVEOF no one => +OK
		CONFIG GET replicaof => *2\r\n$9\r\nreplicaof\r\n$0\r\n
	`)
}

// recordedFile is a recording of what a real primary sent.
func recordedFile(t testing.TB, server, name string) []byte {
	t.Helper()
	out, err := os.ReadFile(filepath.Join("testdata", "recorded", "replication", server, name))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// recordedData is what those primaries had, and the two writes.
const recordedData = `0 "before" "$6\r\nembstr\r\n" ":-1\r\n" "$4\r\nsync\r\n"
0 "k" "$6\r\nembstr\r\n" ":-1\r\n" "$1\r\nv\r\n"
2 "before2" "$6\r\nembstr\r\n" ":-1\r\n" "$1\r\nx\r\n"
`

// TestLinkRecorded has a node take in what real primaries sent: all data in either form, and two writes.
func TestLinkRecorded(t *testing.T) {
	for server, names := range map[string][]string{
		"redis-7.0.15": {"fullsync-eof.bin", "fullsync-length.bin"}, "valkey-9.1.2": {"fullsync-eof.bin", "fullsync-length.bin", "fullsync-noversion.bin"},
	} {
		for _, name := range names {
			for _, step := range []int{1 << 20, 7, 1} {
				b := newBed(t, nil)
				k := b.client()
				e := b.following(k)
				e.greeted()
				all := recordedFile(t, server, name)
				for at := 0; at < len(all); at += step {
					e.says(string(all[at:min(at+step, len(all))]))
				}
				if e.c.Closed {
					t.Fatalf("%s/%s in steps of %d: the link is closed", server, name, step)
				}
				k.infoSays("replication", "master_link_status", "up")
				k.infoSays("stats", "unexpected_error_replies", "0")
				if got := k.dump(); got != recordedData {
					t.Errorf("%s/%s in steps of %d: the node has\n%s", server, name, step, got)
				}
				if got := k.do("FUNCTION", "LIST"); !strings.Contains(got, "\r\npre_f\r\n") {
					t.Errorf("%s/%s: functions are %q", server, name, got)
				}
			}
		}
	}
}

// FuzzLink: whatever a primary says, and however it comes, the node stands, and goes on to serve.
func FuzzLink(f *testing.F) {
	f.Add([]byte("+PONG\r\n+OK\r\n+OK\r\n+OK\r\n+FULLRESYNC "+primaryID+" 0\r\n$EOF:"+fileMark+"\r\n"+emptyFile+fileMark+words2("SET", "a", "b")), uint8(3))
	f.Add([]byte("+PONG\r\n+OK\r\n+OK\r\n+OK\r\n-ERR unknown command\r\n$18\r\n"+emptyFile+words2("MULTI")+words2("INCR", "a")+words2("EXEC")), uint8(200))
	f.Add([]byte("+PONG\r\n+OK\r\n+OK\r\n+OK\r\n+FULLRESYNC "+primaryID+" 0\r\n$EOF:"+fileMark+"\r\n"+emptyFile+fileMark+words2("MULTI")+words2("MULTI")+words2("SELECT", "77")), uint8(9))
	for _, server := range []string{"redis-7.0.15", "valkey-9.1.2"} {
		for _, name := range []string{"fullsync-eof.bin", "fullsync-length.bin"} {
			f.Add(append([]byte("+PONG\r\n+OK\r\n+OK\r\n+OK\r\n"), recordedFile(f, server, name)...), uint8(50))
		}
		stream := recordedFile(f, server, "stream.bin")
		f.Add(append([]byte("+PONG\r\n+OK\r\n+OK\r\n+OK\r\n+FULLRESYNC "+primaryID+" 0\r\n$EOF:"+fileMark+"\r\n"+emptyFile+fileMark), stream...), uint8(255))
	}
	f.Fuzz(func(t *testing.T, said []byte, step uint8) {
		b := newBed(t, nil)
		k := b.client()
		e := b.following(k)
		size := int(step) + 1
		for at := 0; at < len(said) && !e.c.Closed; at += size {
			e.c.Feed(said[at:min(at+size, len(said))])
			b.m.EndTurn()
		}
		b.m.Advance(time.Second)
		if got := k.do("REPLICAOF", "NO", "ONE"); got != "+OK\r\n" {
			t.Fatalf("REPLICAOF NO ONE: %q", got)
		}
		if got := k.do("SET", "still", "here"); got != "+OK\r\n" && !bytes.Contains(said, []byte("maxmemory")) {
			t.Fatalf("SET: %q", got)
		}
	})
}
