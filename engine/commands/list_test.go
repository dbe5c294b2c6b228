package commands_test

import (
	"strconv"
	"strings"
	"testing"
)

// TestListsDoNotAllocate is of small lists and of one of a hundred thousand elements.
func TestListsDoNotAllocate(t *testing.T) {
	n := newNode(t, 3)
	n.now = func() int64 { return 1_700_000_000_000 }
	n.call.Unwatched, n.call.Unawaited = true, true
	for i := range 100_000 {
		n.do("RPUSH", "big", "element-"+strconv.Itoa(i))
	}
	n.do("RPUSH", "small", "a", "b", "c", "1", "2", "3")
	for _, key := range []string{"small", "big"} {
		for _, lines := range [][]string{
			{"LPUSH KEY some-element", "LPOP KEY"},
			{"RPUSH KEY some-element 77", "RPOP KEY", "RPOP KEY"},
			{"LRANGE KEY 0 99"},
			{"LLEN KEY"},
			{"LINDEX KEY 3"},
			{"LSET KEY 2 another-text"},
			{"LINSERT KEY BEFORE another-text x", "LREM KEY 1 x"},
			{"LPOS KEY another-text"},
			{"LMOVE KEY KEY LEFT RIGHT"},
		} {
			var cmds [][][]byte
			for _, line := range lines {
				cmds = append(cmds, views(strings.Fields(strings.ReplaceAll(line, "KEY", key))))
			}
			run := func() {
				for _, args := range cmds {
					n.run(args)
				}
			}
			for range 300 { // until buffers have their size
				run()
			}
			if got := testing.AllocsPerRun(200, run); got >= 1 {
				t.Errorf("%s: %v allocations", strings.Join(lines, ", "), got)
			}
		}
	}
}
