package proxy

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// TestWaitLost: a node that is lost while a client waits for its replicas is told to the client, who goes on; the lane that was lent is not missed.
func TestWaitLost(t *testing.T) {
	for _, larder := range []bool{true, false} {
		w := newWorld(t, 1, 2, larder, nil)
		waiting := 0
		w.runs = func(fc *fakeConn, name string, args [][]byte) bool {
			switch name {
			case "WAIT":
				waiting++
			case "SPUBLISH":
				fc.out = append(fc.out, ":0\r\n"...)
			default:
				return false
			}
			return true
		}
		c := w.client(0)
		wants(t, "writes", w.talk(c, "GETSET foo 1", "GETSET bar 2"), "$1 1 $1 2")
		serve := func() {
			for range 5 {
				w.m.EndTurn()
				w.dialled()
				for _, n := range w.nodes {
					for _, fc := range n.conns {
						fc.work(1 << 20)
						fc.answer(1 << 20)
					}
				}
			}
		}
		for try := 1; try <= 3; try++ {
			w.say(c, "WAIT 1 0", "GETSET foo 3")
			serve()
			if waiting != try {
				t.Fatalf("larder %v: the node was asked %d times", larder, waiting)
			}
			wants(t, "while it waits", written(c), "")
			for _, u := range w.p.shards {
				for _, ln := range append([]*lane(nil), u.lanes...) {
					if ln.use == useBlock && ln.lentTo != nil {
						ln.fail(errors.New("connection reset by peer"))
					}
				}
			}
			serve()
			if got := written(c); !strings.HasPrefix(got, "-CLUSTERDOWN node 127.0.0.1:") || !strings.HasSuffix(got, "connection reset by peer $1 3") {
				t.Errorf("larder %v: its lane was lost: %q", larder, got)
			}
		}
		w.say(c, "WAIT 1 0")
		serve()
		for _, n := range w.nodes {
			n.die()
		}
		w.m.Advance(time.Second)
		if got := written(c); !strings.HasPrefix(got, "-CLUSTERDOWN node 127.0.0.1:") {
			t.Errorf("larder %v: its nodes were lost: %q", larder, got)
		}
		w.say(c, "WAIT 1 0")
		serve()
		c.Hangup(errors.New("gone"))
		serve()
		for _, u := range w.p.shards {
			if u.lent != 0 {
				t.Errorf("larder %v: %d lanes are lent to nobody", larder, u.lent)
			}
		}
		if n := w.g.blocked.Load(); n != 0 {
			t.Errorf("larder %v: %d clients are said to wait", larder, n)
		}
	}
}
