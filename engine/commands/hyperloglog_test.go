package commands_test

import (
	"fmt"
	"testing"
)

// TestHyperLogLogBytes: after the same elements a block has the same bytes and the same count as in a real server, from the first element on to a dense
// block of many.
func TestHyperLogLogBytes(t *testing.T) {
	addr := startRedis(t)
	for _, size := range []string{"short", "an element longer than a word of the hash"} {
		p := newPair(t, addr, 2)
		cmds := [][]string{}
		for i := range 3000 {
			cmds = append(cmds, []string{"PFADD", fmt.Sprintf("h%d", i%3), fmt.Sprint(size, i*i), fmt.Sprint(i % 50)})
			if i%25 == 0 {
				cmds = append(cmds, []string{"GET", "h0"}, []string{"PFCOUNT", "h0", "h1"}, []string{"PFCOUNT", "h0"}, []string{"GET", "h0"}, []string{"PFMERGE", "all", "h0", "h1", "h2"}, []string{"GET", "all"})
			}
		}
		for i := range 40 {
			args := []string{"PFADD", "large"}
			for j := range 1000 {
				args = append(args, fmt.Sprint(size, i, "-", j))
			}
			cmds = append(cmds, args, []string{"PFCOUNT", "large"}, []string{"GET", "large"})
		}
		for len(cmds) > 0 {
			n := min(len(cmds), 50)
			p.run(cmds[:n])
			cmds = cmds[n:]
		}
	}
}

func TestHyperLogLogsDoNotAllocate(t *testing.T) {
	n := newNode(t, 3)
	n.now = func() int64 { return 1_700_000_000_000 }
	n.do("PFADD", "sparse", "a", "b")
	n.do("PFADD", "dense", "a", "b")
	n.do("PFDEBUG", "TODENSE", "dense")
	for _, line := range []string{"PFADD sparse a", "PFADD dense b", "PFCOUNT sparse", "PFCOUNT dense", "PFCOUNT sparse dense", "PFMERGE sparse dense"} {
		n.allocatesNothing(t, line)
	}
}
