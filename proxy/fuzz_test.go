package proxy

import (
	"testing"

	"larder/protocol/resp"
)

// FuzzSession: whatever a client sends, it gets well-formed replies, and the gateway lives.
func FuzzSession(f *testing.F) {
	for _, seed := range []string{
		"PING\r\n", "*1\r\n$4\r\nPING\r\n", "*2\r\n$3\r\nGET\r\n$1\r\na\r\n*1\r\n", "HELLO 3\r\nCLIENT INFO\r\nCONFIG GET *\r\n",
		"CLUSTER SLOTS\r\nCLUSTER SHARDS\r\nCLUSTER NODES\r\nINFO\r\n", "SCAN 0\r\nKEYS *\r\nRANDOMKEY\r\nDBSIZE\r\n", "CLIENT REPLY OFF\r\nPING\r\n",
		"MULTI\r\nEXEC\r\n", "SELECT 3\r\nMSET a 1 b 2 c\r\nCLIENT KILL TYPE normal\r\n", "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$300000\r\nxxxx", "*-1\r\n\r\n*2\r\n$-1\r\n",
	} {
		f.Add([]byte(seed), uint16(3))
	}
	f.Fuzz(func(t *testing.T, sent []byte, cut uint16) {
		w := newWorld(quiet{t}, 1, 3, true, nil)
		client := w.client(0)
		at := min(int(cut), len(sent))
		client.Feed(append([]byte(nil), sent[:at]...))
		w.m.EndTurn()
		client.Feed(append([]byte(nil), sent[at:]...))
		var got []byte
		rounds := 0
		w.settle(func() bool {
			got = append(got, client.Written()...)
			rounds++
			return rounds > 20
		})
		var replies resp.Replies
		for {
			n, _, st := replies.Next(got)
			if st == resp.Failed {
				t.Fatalf("%q is no reply: %s", got, replies.Err())
			}
			if st == resp.More {
				break
			}
			got = append([]byte(nil), got[n:]...)
			replies.Reset()
		}
	})
}

// quiet takes a fake node's complaint about a command that it does not know: a fuzzer sends all of them.
type quiet struct{ *testing.T }

func (quiet) Errorf(string, ...any) {}
