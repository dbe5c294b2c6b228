package engine

import (
	"context"
	"time"

	"larder/engine/commands"
	"larder/metrics/slow"
	"larder/persistence/files"
	"larder/protocol/command"
)

// SetHandler has a handler of the test's run a command; the node's loop must have its part.
func (n *Node) SetHandler(id command.ID, h commands.Handler) { n.part.handlers[id] = h }

// Redacted shows a command's arguments as the slow log does.
func Redacted(args [][]byte) [][]byte { return slow.Redacted(find(args), args) }

// Listen has the node tell what its commands do from here on.
func (n *Node) Listen() { n.part.stream.listen() }

// Follow says whether the node follows another.
func (n *Node) Follow(on bool) { n.part.setFollowing(on) }

// Obey has f run commands as those of the primary that the node follows.
func (n *Node) Obey(f func()) { n.part.obey(f) }

// Rests tells whether all are gone whose time has come or is near: the wheel has ticks of 16 ms.
func (n *Node) Rests() bool { return len(n.part.due) == 0 && n.store.Rests(n.part.nowMS+50) }

// Told is the stream behind an offset, and its end; nil: so much is not kept.
func (n *Node) Told(after int64) (bytes []byte, end int64) {
	r := n.part.stream.past.Read(after)
	if r == nil {
		return nil, n.part.stream.past.End()
	}
	defer r.Close()
	for piece := r.Next(); len(piece) > 0; piece = r.Next() {
		bytes = append(bytes, piece...)
		r.Took(len(piece))
	}
	return bytes, r.Offset()
}

// PassSink takes what a pass writes, for tests.
type PassSink struct {
	Room  func() bool // nil: always
	Bytes []byte
	Texts int // of the bytes that may be compressed
	Ended bool
	Err   error
}

func (s *PassSink) room() bool { return s.Room == nil || s.Room() }

func (s *PassSink) put(c *chunk) {
	s.Bytes = append(s.Bytes, c.bytes...)
	s.Texts += len(c.texts)
	c.done()
}

func (s *PassSink) end(err error) { s.Ended, s.Err = true, err }

// BeginPass begins a pass with sinks of the test's.
func (n *Node) BeginPass(valkey bool, sinks ...*PassSink) (wake func(), cancel func(error), err error) {
	all := make([]sink, len(sinks))
	for i, s := range sinks {
		all[i] = s
	}
	q, err := n.part.beginPass(passOptions{valkey: valkey}, all...)
	if err != nil {
		return nil, nil, err
	}
	return q.wake, q.cancel, nil
}

// Kept is what the store keeps for passes, in bytes.
func (n *Node) Kept() int64 { return n.store.Kept() }

// WatchFiles has f told of what is done to the node's files; it is to be called before the loop has its part.
func (n *Node) WatchFiles(f func(files.Op) error) { n.watchFiles = f }

// ShutGate holds what may show the stream beyond its present end; PassGate lets go what shows no more than up to an offset, OpenGate all.
func (n *Node) ShutGate()             { n.part.shutGate(n.part.stream.past.End()) }
func (n *Node) PassGate(offset int64) { n.loop.Load().Post(func() { n.part.passGate(offset) }) }
func (n *Node) OpenGate()             { n.loop.Load().Post(n.part.openGate) }

// StreamEnd is the offset of the stream's last byte.
func (n *Node) StreamEnd() int64 { return n.part.stream.past.End() }

// Restart gives the node another history, as a node has that takes in another's data.
func (n *Node) Restart(id string, end int64) { n.part.stream.past.Restart(id, end) }

// SyncsTake has the node believe that the syncs of its journal take so long.
func (n *Node) SyncsTake(d time.Duration) { n.part.writing.group.usual = d }

// SyncTook has the node believe that one sync of its journal took so long.
func (n *Node) SyncTook(d time.Duration) { n.part.writing.nextGroup(d) }

// Learn shows a managed node a record, as its primary may.
func (n *Node) Learn(line string) { n.part.reign.learn(line) }

// TakeResults takes what the node tells who fills a cluster by it; false: nothing now.
func (n *Node) TakeResults() (piece ResultPiece, ok bool) {
	got := make(chan ResultPiece, 1)
	n.part.results.want = got
	n.part.results.fill()
	n.part.results.want = nil
	select {
	case piece = <-got:
		return piece, true
	default:
		return piece, false
	}
}

// ResultsLost tells the node that keys of a piece were not taken, or with nil that none was: all is told anew.
func (n *Node) ResultsLost(keys []ResultKey, swaps uint64) {
	r := n.part.results
	if keys == nil || swaps != r.swaps {
		r.begin()
		return
	}
	for _, k := range keys {
		r.mark(k.DB, []byte(k.Key))
	}
	r.fill()
}

// Jobs lets connections have work done beside a loop in memory, until ctx ends; the function waits for it.
func (n *Node) Jobs(ctx context.Context) (wait func()) {
	n.working = ctx
	return n.jobs.Wait
}
