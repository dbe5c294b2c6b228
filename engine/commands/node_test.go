package commands_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/engine/commands"
	"larder/engine/store"
	"larder/internal/snapshots"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// node is the least that runs handlers: a store, and what the caller of a handler does itself.
type node struct {
	store    *store.Store
	handlers []commands.Handler
	call     commands.Call
	w        resp.Writer
	now      func() int64
	due      []string // hashes of which fields have died
}

func newNode(t testing.TB, proto int) *node {
	t.Helper()
	n := openNode(t, proto)
	t.Cleanup(func() {
		if err := n.store.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

// openNode makes a node whose store the caller closes.
func openNode(t interface{ Fatal(...any) }, proto int) *node {
	n := &node{}
	due := func(_ int, key []byte) { n.due = append(n.due, string(key)) }
	s := snapshots.NewStore(t, func(o *store.Options) { o.Due = due })
	*n = node{store: s, handlers: commands.Handlers(), now: func() int64 { return time.Now().UnixMilli() }}
	n.w.Proto = proto
	n.call = commands.Call{W: &n.w, Store: s, DB: s.DB(0), Limits: commands.DefaultLimits(), AnyKey: true}
	return n
}

// run runs one command and gives its reply, which is dead with the next.
func (n *node) run(args [][]byte) []byte {
	n.w.Out = n.w.Out[:0]
	row, err := command.Resolve(args)
	switch {
	case err != "":
		n.w.Error(err)
	case row.ID == command.CmdSelect:
		n.pick(string(args[1]))
	default:
		n.call.Reset(row, args)
		n.call.NowMS = n.now()
		n.handlers[row.ID](&n.call)
	}
	return n.w.Out
}

func (n *node) pick(db string) {
	i, err := strconv.Atoi(db)
	if err != nil || i < 0 || i >= n.store.Databases() {
		n.w.Error("ERR DB index is out of range")
		return
	}
	n.call.DB, n.call.DBIndex = n.store.DB(i), i
	n.w.OK()
}

func (n *node) do(args ...string) string { return string(n.run(views(args))) }

// allocatesNothing runs commands, which are parted by "; ", again and again, and fails if they allocate once buffers have their size.
func (n *node) allocatesNothing(t *testing.T, lines string) {
	t.Helper()
	var cmds [][][]byte
	for line := range strings.SplitSeq(lines, "; ") {
		cmds = append(cmds, views(strings.Fields(line)))
	}
	run := func() {
		for _, args := range cmds {
			n.run(args)
		}
	}
	for range 300 {
		run()
	}
	if got := testing.AllocsPerRun(200, run); got != 0 {
		t.Errorf("%s: %v allocations", lines, got)
	}
}

func views(args []string) [][]byte {
	out := make([][]byte, len(args))
	for i, a := range args {
		out[i] = []byte(a)
	}
	return out
}

// ours are the rows that this package runs, but for SCAN, whose cursors and order are a node's own, sorted sets, which have tests of their own, fields that expire,
// which Redis 7.2 lacks, and SPOP, which leaves what chance leaves.
func ours() []*command.Row {
	handlers := commands.Handlers()
	return slices.DeleteFunc(slices.Clone(command.Rows()), func(r *command.Row) bool {
		return handlers[r.ID] == nil || r.Categories&command.CatStream != 0 || // streams' replies depend on clocks and blocks: internal/conform compares them
			r.Parent == command.CmdCluster || r.ID == command.CmdScan || r.ID == command.CmdLarderScan || r.ID == command.CmdSPop || r.Group == "sorted-set" || r.Group == "geo" || r.Group == "hash" && r.ID >= command.CmdHExpire
	})
}
