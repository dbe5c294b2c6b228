package proxy

import (
	"strings"
	"testing"
	"time"
)

// TestArriving: a command that waits on a lane that is only being dialled is before one that came later, though there is a lane for that.
func TestArriving(t *testing.T) {
	r := newRadio(t, 1, 1, 1)
	first, second, third, other := r.clientOf(0, 2), r.clientOf(0, 2), r.clientOf(0, 2), r.clientOf(0, 2)
	popped := func(text string) string { return "*2\r\n$1\r\nl\r\n$1\r\n" + text + "\r\n" }
	dialled := func(k *listener) *radioWire {
		t.Helper()
		k.say("BLPOP", "l", "0")
		r.loops[0].EndTurn()
		r.dialled()
		w := r.wireOf(k.session().block.ln)
		w.held = true
		return w
	}
	first.say("BLPOP", "l", "0")
	r.settle(10 * time.Millisecond)
	slow := dialled(second)
	other.says(":1\r\n", "RPUSH", "l", "x")
	first.hears(popped("x"))
	third.say("BLPOP", "l", "0")
	other.says(":2\r\n", "RPUSH", "l", "1", "2")
	third.hears("")
	later := r.wireOf(third.session().block.ln)
	slow.held, later.held = false, true // bytes of one connection do not pass those of another here, but by chance
	r.settle(10 * time.Millisecond)
	later.held = false
	r.settle(10 * time.Millisecond)
	second.hears(popped("1"))
	third.hears(popped("2"))
	for range 3 { // the lanes that are there are taken by others
		r.clientOf(0, 2).say("BLPOP", "l2", "0")
	}
	r.settle(10 * time.Millisecond)
	slow = dialled(first)
	third.say("BLPOP", "l", "0")
	r.settle(10 * time.Millisecond)
	slow.cut()
	r.settle(100 * time.Millisecond)
	if got := first.all(); !strings.HasPrefix(got, "-CLUSTERDOWN ") {
		t.Errorf("the one whose lane was lost: %q", got)
	}
	other.says(":1\r\n", "RPUSH", "l", "3")
	third.hears(popped("3"))
	if u := r.parts[0].shards[0]; len(u.arriving) > 0 {
		t.Errorf("%d lanes are still to come", len(u.arriving))
	}
}
