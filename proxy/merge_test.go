package proxy

import (
	"bytes"
	"testing"

	"larder/protocol/resp"
)

func TestMerge(t *testing.T) {
	for _, c := range []struct {
		name string
		how  mergeKind
		keys []uint16
		subs []string
		want string
	}{
		{"sum", mergeSum, nil, []string{":1\r\n", ":2\r\n", ":0\r\n"}, ":3\r\n"},
		{"sum with an error", mergeSum, nil, []string{":1\r\n", "-OOM no\r\n", "-ERR x\r\n"}, "-OOM no\r\n"},
		{"sum of no number", mergeSum, nil, []string{":1\r\n", "$1\r\nx\r\n"}, errorOutOfForm},
		{"all OK", mergeAllOK, nil, []string{"+OK\r\n", "+OK\r\n"}, "+OK\r\n"},
		{"concat", mergeConcat, nil, []string{"*1\r\n$1\r\na\r\n", "*0\r\n", "*2\r\n$1\r\nb\r\n$1\r\nc\r\n"}, "*3\r\n$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n"},
		{"concat of null", mergeConcat, nil, []string{"*-1\r\n"}, errorOutOfForm},
		{"keys", mergeKeys, []uint16{1, 0, 1}, []string{"*1\r\n$1\r\na\r\n", "*2\r\n$-1\r\n$1\r\nb\r\n"}, "*3\r\n$-1\r\n$1\r\na\r\n$1\r\nb\r\n"},
		{"random, none", mergeRandom, nil, []string{":0\r\n", "$-1\r\n", ":0\r\n", "_\r\n"}, "$-1\r\n"},
		{"random, one", mergeRandom, nil, []string{":0\r\n", "$-1\r\n", ":5\r\n", "$1\r\nk\r\n"}, "$1\r\nk\r\n"},
		{"random, of no number", mergeRandom, nil, []string{"+x\r\n", "$-1\r\n"}, errorOutOfForm},
		{"and", mergeAnd, nil, []string{"*3\r\n:1\r\n:1\r\n:0\r\n", "*3\r\n:1\r\n:0\r\n:0\r\n"}, "*3\r\n:1\r\n:0\r\n:0\r\n"},
		{"and of unequal", mergeAnd, nil, []string{"*1\r\n:1\r\n", "*2\r\n:1\r\n:0\r\n"}, errorOutOfForm},
		{"and with an error", mergeAnd, nil, []string{"*1\r\n:1\r\n", "-ERR x\r\n"}, "-ERR x\r\n"},
		{"one, none busy", mergeOneOK, nil, []string{"-NOTBUSY No\r\n", "-NOTBUSY No\r\n"}, "-NOTBUSY No\r\n"},
		{"one, killed", mergeOneOK, nil, []string{"-NOTBUSY No\r\n", "-UNKILLABLE Sorry\r\n", "+OK\r\n"}, "+OK\r\n"},
		{"one, unkillable", mergeOneOK, nil, []string{"-NOTBUSY No\r\n", "-UNKILLABLE Sorry\r\n", "-NOTBUSY No\r\n"}, "-UNKILLABLE Sorry\r\n"},
		{"every", mergeEvery, nil, []string{"$1\r\na\r\n", "$1\r\na\r\n"}, "$1\r\na\r\n"},
		{"every, none", mergeEvery, nil, []string{"-ERR no\r\n", "-ERR neither\r\n"}, "-ERR no\r\n"},
		{"running, none", mergeRunning, nil, []string{"*2\r\n$1\r\nr\r\n$-1\r\n", "*2\r\n$1\r\nr\r\n$-1\r\n"}, "*2\r\n$1\r\nr\r\n$-1\r\n"},
		{"running", mergeRunning, nil, []string{"-BUSY x\r\n", "*2\r\n$1\r\nr\r\n$-1\r\n", "*2\r\n$1\r\nr\r\n$1\r\nf\r\n"}, "*2\r\n$1\r\nr\r\n$1\r\nf\r\n"},
		{"keys, one short", mergeKeys, []uint16{0, 0}, []string{"*1\r\n$1\r\na\r\n"}, errorOutOfForm},
	} {
		m := &merge{how: c.how, keys: c.keys, proto: 2}
		for _, sub := range c.subs {
			m.subs = append(m.subs, []byte(sub))
		}
		if got := string(m.append([]byte("before"))); got != "before"+c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// FuzzMerge: whatever nodes answer, the client gets exactly one well-formed reply.
func FuzzMerge(f *testing.F) {
	f.Add(uint8(0), []byte(":1\r\n:2\r\n"))
	f.Add(uint8(2), []byte("*1\r\n$1\r\na\r\n*0\r\n"))
	f.Add(uint8(3), []byte("*1\r\n$1\r\na\r\n*2\r\n$1\r\na\r\n_\r\n"))
	f.Fuzz(func(t *testing.T, how uint8, replies []byte) {
		m := &merge{how: mergeKind(how % (uint8(mergeMost) + 1)), proto: 3}
		var scanner resp.Replies
		for len(m.subs) < 8 {
			n, kind, st := scanner.Next(replies)
			if st != resp.Done {
				break
			}
			if !kind.IsPush() {
				m.subs = append(m.subs, bytes.Clone(replies[:n]))
				m.keys = append(m.keys, uint16(len(m.subs)-1))
			}
			replies = replies[n:]
		}
		if len(m.subs) == 0 {
			return
		}
		out := m.append(nil)
		var check resp.Replies
		if n, _, st := check.Next(out); st != resp.Done || n != len(out) {
			t.Fatalf("merge %d of %q gives %q", m.how, m.subs, out)
		}
	})
}
