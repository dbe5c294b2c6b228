package engine_test

import (
	"strings"
	"testing"
	"time"
)

func TestPubSub(t *testing.T) {
	b := newBed(t, nil)
	k, other, three := b.client(), b.client(), b.client()
	k.talk(`
		SUBSCRIBE a b => *3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2
		PSUBSCRIBE a* => *3\r\n$10\r\npsubscribe\r\n$2\r\na*\r\n:3
		SSUBSCRIBE a => *3\r\n$10\r\nssubscribe\r\n$1\r\na\r\n:1
		GET a => -ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context
		PING => *2\r\n$4\r\npong\r\n$0\r\n
		PING x => *2\r\n$4\r\npong\r\n$1\r\nx
		PING x y => -ERR wrong number of arguments for 'ping' command
	`)
	three.do("HELLO", "3")
	three.says(">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n", "SUBSCRIBE", "a")
	three.says(":3\r\n>3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n", "PUBLISH", "a", "hi")
	k.gets("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$2\r\nhi\r\n*4\r\n$8\r\npmessage\r\n$2\r\na*\r\n$1\r\na\r\n$2\r\nhi\r\n")
	other.talk(`
		PUBLISH c x => :0
		SPUBLISH a x => :1
		PUBSUB CHANNELS => *2\r\n$1\r\na\r\n$1\r\nb
		PUBSUB CHANNELS b* => *1\r\n$1\r\nb
		PUBSUB NUMSUB a c => *4\r\n$1\r\na\r\n:2\r\n$1\r\nc\r\n:0
		PUBSUB NUMPAT => :1
		PUBSUB SHARDCHANNELS => *1\r\n$1\r\na
		PUBSUB SHARDNUMSUB a => *2\r\n$1\r\na\r\n:1
		PUBSUB CHANNELS a b => -ERR unknown subcommand or wrong number of arguments for 'CHANNELS'. Try PUBSUB HELP.
	`)
	k.gets("*3\r\n$8\r\nsmessage\r\n$1\r\na\r\n$1\r\nx\r\n")
	if got := other.do("CLIENT", "LIST", "TYPE", "pubsub"); strings.Count(got, "flags=P ") != 2 || !strings.Contains(got, " sub=2 psub=1 ssub=1 ") {
		t.Errorf("subscribers: %q", got)
	}
	k.talk(`
		UNSUBSCRIBE => *3\r\n$11\r\nunsubscribe\r\n$1\r\na\r\n:2\r\n*3\r\n$11\r\nunsubscribe\r\n$1\r\nb\r\n:1
		UNSUBSCRIBE => *3\r\n$11\r\nunsubscribe\r\n$-1\r\n:1
		PUNSUBSCRIBE x a* => *3\r\n$12\r\npunsubscribe\r\n$1\r\nx\r\n:1\r\n*3\r\n$12\r\npunsubscribe\r\n$2\r\na*\r\n:0
		SUNSUBSCRIBE => *3\r\n$12\r\nsunsubscribe\r\n$1\r\na\r\n:0
		SUNSUBSCRIBE => *3\r\n$12\r\nsunsubscribe\r\n$-1\r\n:0
		PING => +PONG
		SUBSCRIBE z => *3\r\n$9\r\nsubscribe\r\n$1\r\nz\r\n:1
		RESET => +RESET
		PING => +PONG
	`)
	three.c.Hangup(nil)
	other.says("*0\r\n", "PUBSUB", "CHANNELS")
}

// TestMessagesAmongReplies: a message never stands within a reply.
func TestMessagesAmongReplies(t *testing.T) {
	b := newBed(t, nil)
	k, other := b.client(), b.client()
	k.do("HELLO", "3")
	k.do("SUBSCRIBE", "a")
	k.do("MULTI")
	k.do("PUBLISH", "a", "1")
	k.do("PING")
	k.says("*2\r\n:1\r\n+PONG\r\n>3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\n1\r\n", "EXEC")
	k.says("", "CLIENT", "REPLY", "OFF")
	other.says(":1\r\n", "PUBLISH", "a", "2")
	k.gets(">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\n2\r\n")
	k.says(">3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n", "SUBSCRIBE", "b")
}

func TestKeyspaceEvents(t *testing.T) {
	b := newBed(t, nil)
	k, ear := b.client(), b.client()
	for text, want := range map[string]string{"KEA": "AKE", "A": "A", "mA": "Am", "Kn": "nK", "KEnd": "dnKE", "KEAmn": "AKEm", "g$lshzxetdKE": "AKE", "": "", "tx": "xt"} {
		k.says("+OK\r\n", "CONFIG", "SET", "notify-keyspace-events", text)
		if got := k.do("CONFIG", "GET", "notify-keyspace-events"); !strings.HasSuffix(got, "\r\n"+want+"\r\n") {
			t.Errorf("%q is shown as %q", text, got)
		}
	}
	k.says("-ERR CONFIG SET failed (possibly related to argument 'notify-keyspace-events') - Invalid event class character. Use 'Ag$lshzxeKEtmdn'.\r\n",
		"CONFIG", "SET", "notify-keyspace-events", "x!")
	ear.do("PSUBSCRIBE", "__key*__:*")
	heard := func(want string) {
		t.Helper()
		b.m.EndTurn()
		var got []string
		for part := range strings.SplitSeq(ear.got(), "$10\r\n__key*__:*\r\n") {
			lines := strings.Split(part, "\r\n")
			if len(lines) > 3 && strings.HasPrefix(lines[1], "__key") {
				got = append(got, lines[1]+"="+lines[3])
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("heard %q, want %q", got, want)
		}
	}
	k.do("CONFIG", "SET", "notify-keyspace-events", "")
	k.do("SET", "a", "1")
	heard("")
	k.do("CONFIG", "SET", "notify-keyspace-events", "KEAnm")
	k.do("SET", "a", "1", "EX", "10")
	heard("__keyspace@0__:a=set __keyevent@0__:set=a __keyspace@0__:a=expire __keyevent@0__:expire=a")
	k.do("CONFIG", "SET", "notify-keyspace-events", "EAnm")
	k.do("MSET", "b", "1", "c", "2")
	heard("__keyevent@0__:new=b __keyevent@0__:set=b __keyevent@0__:new=c __keyevent@0__:set=c")
	k.do("DEL", "b", "c", "d")
	heard("__keyevent@0__:del=b __keyevent@0__:del=c")
	k.do("GET", "b")
	heard("__keyevent@0__:keymiss=b")
	k.do("RENAME", "a", "e")
	heard("__keyevent@0__:new=e __keyevent@0__:rename_from=a __keyevent@0__:rename_to=e")
	k.do("PEXPIRE", "e", "10")
	heard("__keyevent@0__:expire=e")
	b.m.Advance(200 * time.Millisecond)
	heard("__keyevent@0__:expired=e")
	k.do("SET", "f", "1")
	k.do("MOVE", "f", "1")
	heard("__keyevent@0__:new=f __keyevent@0__:set=f __keyevent@1__:new=f __keyevent@0__:move_from=f __keyevent@1__:move_to=f")
	k.do("CONFIG", "SET", "notify-keyspace-events", "Kn")
	k.do("SET", "g", "1")
	heard("__keyspace@0__:g=new")
}

func TestOutputBufferLimit(t *testing.T) {
	b := newBed(t, nil)
	k, ear := b.client(), b.client()
	ear.do("SUBSCRIBE", "a")
	k.says("+OK\r\n", "CONFIG", "SET", "client-output-buffer-limit", "pubsub 1mb 0 0")
	k.says("*2\r\n$26\r\nclient-output-buffer-limit\r\n$59\r\nnormal 0 0 0 slave 268435456 67108864 60 pubsub 1048576 0 0\r\n", "CONFIG", "GET", "client-output-buffer-limit")
	text := strings.Repeat("x", 600<<10)
	var pipeline []byte
	for range 3 {
		pipeline = append(pipeline, "PUBLISH a x\r\n"...)
	}
	k.c.Feed(pipeline)
	k.gets(":1\r\n:1\r\n:1\r\n")
	k.says(":1\r\n", "PUBLISH", "a", text)
	if got := k.do("PUBSUB", "NUMSUB", "a"); got != "*2\r\n$1\r\na\r\n:1\r\n" {
		t.Errorf("one message fits: %q", got)
	}
	k.says(":1\r\n", "PUBLISH", "a", text+text)
	b.m.EndTurn()
	if got := k.do("PUBSUB", "NUMSUB", "a"); got != "*2\r\n$1\r\na\r\n:0\r\n" {
		t.Errorf("two do not: %q", got)
	}
	if got := k.do("INFO", "stats"); !strings.Contains(got, "client_output_buffer_limit_disconnections:1\r\n") {
		t.Errorf("it is counted: %q", got)
	}
}
