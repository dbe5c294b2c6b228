package engine_test

import (
	"bytes"
	"testing"
	"time"

	"larder/engine"
	"larder/protocol/resp"
)

// FuzzNode feeds a node any bytes, cut anywhere, read by the client or not: it must not panic, must answer a well-formed connection afterwards, and give
// the same replies however the bytes are cut.
func FuzzNode(f *testing.F) {
	for _, seed := range []string{
		"PING\r\n", "*1\r\n$4\r\nPING\r\n", "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\nGET a\r\n", "*-1\r\n", "*1\r\n$-1\r\n", "*99999999\r\n",
		"CLIENT REPLY SKIP\r\nQUIT\r\n", "CLIENT PAUSE 50\r\nGET a\r\n", "LARDER HELLO 1\r\nLARDER TERM 3\r\nGET a\r\n", "SHUTDOWN\r\n",
		"LARDER ASSIGN 0 \"1 c 5 a@h:1=0-16383\"\r\nSCAN 0\r\nLARDER SCAN 5 0\r\n", "*2\r\n$4\r\nECHO\r\n$300000\r\nx", "CONFIG SET requirepass x\r\nRESET\r\nGET a\r\nAUTH x\r\nGET a\r\n",
		"HELLO 3 SETNAME a\r\nINFO\r\nCLIENT LIST\r\nCOMMAND\r\n", "CLIENT KILL ID 2 SKIPME no\r\n", "SETRANGE a 1048570 x\r\nGET a\r\nGET a\r\nGET a\r\nSETBIT a 7 1\r\n",
		"CONFIG SET maxmemory 1 proto-max-bulk-len 1mb\r\nSET a b\r\nMSET a b c\r\nCONFIG GET *\r\n",
	} {
		f.Add([]byte(seed), uint16(7))
	}
	f.Fuzz(func(t *testing.T, p []byte, cut uint16) {
		whole := fuzzed(t, p, len(p), false)
		pieces := fuzzed(t, p, int(cut%997)+1, cut%2 == 1)
		if !told(p) && whole != pieces {
			t.Errorf("whole %.300q, pieces %.300q", whole, pieces)
		}
	})
}

// told reports whether the replies may tell of how the bytes came, of time or of chance.
func told(p []byte) bool {
	lower := bytes.ToLower(p)
	for _, word := range []string{"info", "list", "hello", "time", "random", "config", "pause", "\\x", "assign"} {
		if bytes.Contains(lower, []byte(word)) {
			return true
		}
	}
	return false
}

// fuzzed gives what a new node answers to the bytes in pieces of n.
func fuzzed(t *testing.T, p []byte, n int, slow bool) string {
	b := newBed(t, func(o *engine.Options) { o.BulkMaxBytes = 1 << 20 }) // so that no value is made large
	watcher, k := b.client(), b.client()
	var got bytes.Buffer
	for rest := p; len(rest) > 0; {
		piece := rest[:min(max(n, 1), len(rest))]
		k.c.Full = slow
		k.c.Feed(piece)
		b.m.EndTurn()
		got.Write(k.c.Written())
		rest = rest[len(piece):]
	}
	k.c.Full = false
	for range 40 {
		b.m.Advance(0)
		got.Write(k.c.Written())
	}
	b.m.Advance(time.Second)
	watcher.send(resp.AppendCommandStrings(nil, "CLIENT", "UNPAUSE"))
	b.m.Advance(10 * time.Millisecond)
	watcher.got()
	if pong := watcher.do("PING"); !watcher.c.Closed && pong != "+PONG\r\n" {
		t.Errorf("PING is answered %q", pong)
	}
	k.c.Hangup(nil)
	return got.String()
}
