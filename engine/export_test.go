package engine

import (
	"larder/engine/commands"
	"larder/metrics/slow"
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
