package proxy

import (
	"testing"

	"larder/protocol/resp"
)

// TestStampedAllocatesNothing: a lane hears a stamp with each of its node's writes.
func TestStampedAllocatesNothing(t *testing.T) {
	ln := &lane{}
	first := []byte(">5\r\n$5\r\nstamp\r\n:3\r\n:7\r\n:5\r\n$40\r\n0123456789012345678901234567890123456789\r\n")
	if !ln.stamped(first) || ln.stamp != (stamp{"0123456789012345678901234567890123456789", 3, 7, 5, 5}) {
		t.Fatalf("heard %+v", ln.stamp)
	}
	later, other := []byte(">4\r\n$5\r\nstamp\r\n:3\r\n:1234567\r\n:1234560\r\n"), []byte(">2\r\n$10\r\ninvalidate\r\n_\r\n")
	if n := testing.AllocsPerRun(100, func() {
		if !ln.stamped(later) || ln.stamped(other) {
			t.Fatal("a stamp is one, and nothing else is")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if ln.stamp.executed != 1234567 || ln.stamp.committed != 1234560 || ln.stamp.history == "" {
		t.Errorf("heard %+v", ln.stamp)
	}
}

// FuzzStamped: whatever whole push comes, it is taken for a stamp or not.
func FuzzStamped(f *testing.F) {
	for _, seed := range []string{
		">4\r\n$5\r\nstamp\r\n:0\r\n:7\r\n:7\r\n",
		">5\r\n$5\r\nstamp\r\n:3\r\n:7\r\n:5\r\n$4\r\nabcd\r\n",
		">1\r\n$5\r\nstamp\r\n",
		">5\r\n$5\r\nstamp\r\n:3\r\n:7\r\n:7\r\n:5\r\n",
		">6\r\n$5\r\nstamp\r\n:3\r\n:7\r\n:7\r\n:5\r\n$4\r\nabcd\r\n",
		">4\r\n$5\r\nstamp\r\n_\r\n*1\r\n:1\r\n$-1\r\n",
		">5\r\n$5\r\nstamp\r\n:3\r\n:7\r\n:5\r\n_\r\n",
		">2\r\n$10\r\ninvalidate\r\n_\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, push []byte) {
		var replies resp.Replies
		n, kind, state := replies.Next(push)
		if state != resp.Done || !kind.IsPush() {
			return
		}
		ln := &lane{}
		if !ln.stamped(push[:n]) && ln.stamp != (stamp{}) {
			t.Errorf("%q is no stamp, but %+v was heard", push[:n], ln.stamp)
		}
	})
}
