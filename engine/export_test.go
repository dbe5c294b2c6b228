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
