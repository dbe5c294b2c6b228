package proxy

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"larder/loop"
)

// streamWorld has a client whose large command is on its way to the one node there is.
type streamWorld struct {
	*world
	client *loop.MemConn
	piece  []byte // half of its value
	left   []byte // what of the command is not sent
}

const streamedSize = 3 << 20

func newStreamWorld(t *testing.T) *streamWorld {
	w := newWorld(t, 1, 1, true, nil)
	s := &streamWorld{world: w, client: w.client(0), piece: bytes.Repeat([]byte("x"), streamedSize/2)}
	s.left = append(bytes.Clone(s.piece), "\r\n"...)
	s.client.Feed(fmt.Appendf(nil, "*3\r\n$6\r\nGETSET\r\n$1\r\nk\r\n$%d\r\n", streamedSize))
	s.client.Feed(s.piece)
	w.m.EndTurn()
	w.dialled()
	for w.lent() == nil {
		w.nodes[w.order[0]].conns[0].work(10)
		w.nodes[w.order[0]].conns[0].answer(1 << 20)
		w.m.EndTurn()
	}
	return s
}

// lent is the node's end of the lane that is lent, when it is ready.
func (w *world) lent() *fakeConn {
	for _, ln := range w.p.shards[0].lanes {
		if ln.lentTo == nil || ln.state != laneReady {
			continue
		}
		for _, fc := range w.nodes[w.order[0]].conns {
			if fc.mc.Conn == ln.c {
				return fc
			}
		}
	}
	return nil
}

// rest sends what is left of the command, and what follows it.
func (s *streamWorld) rest(after string) {
	s.client.Feed(append(s.left, after...))
	s.left = nil
	s.m.EndTurn()
}

// replies lets the node answer all it was asked, and gives what the client got.
func (s *streamWorld) replies() string {
	var got []byte
	for range 20 {
		s.dialled()
		for _, fc := range s.nodes[s.order[0]].conns {
			fc.work(100)
			fc.answer(1 << 30)
		}
		s.m.EndTurn()
		s.m.Advance(100 * time.Millisecond)
		got = append(got, s.client.Written()...)
	}
	return string(bytes.ReplaceAll(got, append(s.piece, s.piece...), []byte("VALUE")))
}

func (s *streamWorld) want(t *testing.T, want string) {
	t.Helper()
	if got := s.replies(); !strings.HasPrefix(got, want) {
		t.Errorf("got %.200q, want %q", got, want)
	}
}

const streamedReply = "$3145728\r\nVALUE\r\n"

// TestStreamEndsOnFullLane: the node takes the last bytes of a large command late. Its reply still finds who asked.
func TestStreamEndsOnFullLane(t *testing.T) {
	for _, after := range []string{"", "PING\r\n"} {
		s := newStreamWorld(t)
		fc := s.lent()
		fc.take()
		fc.mc.Full = true
		s.rest(after)
		fc.mc.Full = false
		fc.work(1)
		fc.answer(1 << 30)
		want := streamedReply
		if after != "" {
			want += "+PONG\r\n"
		}
		s.want(t, want)
	}
}

// TestStreamFails: whatever becomes of a large command, it has one reply, and the session goes on if it can.
func TestStreamFails(t *testing.T) {
	const down, pong = "-CLUSTERDOWN node 127.0.0.1:7000 is out of reach: ", "\r\n+PONG\r\n"
	for name, x := range map[string]struct {
		meanwhile func(s *streamWorld, fc *fakeConn)
		want      string
	}{
		"the node answers before it has all": {func(_ *streamWorld, fc *fakeConn) {
			fc.mc.Feed([]byte("-ERR Protocol error: invalid bulk length\r\n"))
		}, down + `node answered what it was not asked: "-ERR Protocol error: invalid bulk length\r\n"` + pong},
		"the node dies": {func(_ *streamWorld, fc *fakeConn) {
			fc.mc.Hangup(errors.New("connection reset by peer"))
		}, down + "connection reset by peer" + pong},
		"the node stops taking": {func(s *streamWorld, fc *fakeConn) {
			fc.mc.Full = true
			for range 3 {
				s.client.Feed(s.left[:500<<10])
				s.left = s.left[500<<10:]
				s.m.EndTurn()
			}
			s.rest("PING\r\n")
			for range 100 {
				s.m.Advance(time.Second)
			}
		}, down + "it stopped taking a large command" + pong},
		"the slots move": {func(s *streamWorld, _ *fakeConn) {
			n := s.nodes[s.order[0]]
			n.topo = s.topology(2, 1)
		}, down + "the slots moved while a large command was on its way" + pong},
		"the node is lost when it has all": {func(s *streamWorld, fc *fakeConn) {
			s.rest("PING\r\n")
			fc.mc.Hangup(errors.New("connection reset by peer"))
		}, "-UNKNOWN node 127.0.0.1:7000 was lost before its reply, the command may have run: connection reset by peer" + pong},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStreamWorld(t)
			x.meanwhile(s, s.lent())
			if s.left != nil {
				s.rest("PING\r\n")
			}
			s.want(t, x.want)
		})
	}
}

// TestStreamIsUnderWay: from the first byte of a large command to its reply Halt waits for it.
func TestStreamIsUnderWay(t *testing.T) {
	s := newStreamWorld(t)
	for _, when := range []string{"while it is passed on", "when all of it is out"} {
		if n := s.p.underWay(); n != 1 {
			t.Errorf("%s: %d commands are under way, want 1", when, n)
		}
		if s.left != nil {
			s.rest("")
		}
	}
	s.want(t, streamedReply)
	if n := s.p.underWay(); n != 0 {
		t.Errorf("%d commands are under way when all are answered", n)
	}
}

// TestStreamBroken: a client that breaks the protocol within a large command gets one error, and its connection ends. The node runs nothing of it.
func TestStreamBroken(t *testing.T) {
	s := newStreamWorld(t)
	s.rest("")
	s.want(t, streamedReply)
	s.client.Feed([]byte("*4\r\n$3\r\nDEL\r\n$1\r\nk\r\n$3145728\r\n"))
	s.client.Feed(s.piece)
	s.client.Feed(append(append([]byte(nil), s.piece...), "\r\n?bad\r\n"...))
	s.want(t, "-ERR Protocol error: expected '$', got '?'\r\n")
	if !s.client.Closed {
		t.Error("the connection is still open")
	}
}
