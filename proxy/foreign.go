package proxy

import (
	"larder/protocol/command"
	"larder/protocol/resp"
)

// Commands that the table lacks and stock servers have, those of their modules above all, are looked for in an overlay when the table does not know them: what
// the table has is found as fast as without. All loops share it; a newer one takes its place as a whole.

// Extend takes over a newer overlay; an older or equal one is ignored. Any goroutine.
func (g *Gateway) Extend(o *command.Overlay) {
	for {
		have := g.foreign.Load()
		if o.Version() <= have.Version() {
			return
		}
		if g.foreign.CompareAndSwap(have, o) {
			g.log.Info("commands of stock servers adopted", "old version", have.Version(), "new version", o.Version(), "commands", len(o.Rows()))
			return
		}
	}
}

// resolve is command.Resolve, with foreign commands among the others.
func (g *Gateway) resolve(args [][]byte) (*command.Row, string) {
	if row := command.Lookup(args[0]); row != nil {
		return row.Resolve(args)
	}
	return g.foreign.Load().Resolve(args)
}

// runForeign is a foreign command that is not simply sent by its keys: it may wait at its server, or has none by which it could be sent. Where there is one
// shard it goes there; else it is refused, since any shard would tell, or change, only its own part.
func (s *session) runForeign(row *command.Row, req resp.Request) bool {
	if wrong := row.Unroutable(len(s.p.shards)); wrong != "" {
		s.refuse(row, wrong)
		return true
	}
	if row.Flags.Has(command.Blocking) {
		return s.runBlocking(row, req)
	}
	return s.runKey(row, req)
}
