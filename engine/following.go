package engine

import (
	"larder/engine/store"
	"larder/protocol/command"
)

// setFollowing says whether the node follows another. It then shows clients no key whose time has come, but lets none go, by age or for want of room: that
// one says which go. What the node's own clients may still change is told to nobody.
func (p *part) setFollowing(follows bool) {
	p.stream.follow(follows)
	p.settleDeaths()
	p.settleLanes()
}

// settleDeaths has the store do with dead keys what the node's state wants: while writes are held back nothing changes by itself either.
func (p *part) settleDeaths() {
	deaths := store.Remove
	if p.stream.theirs || p.paused.Active(p.nowMS) || p.replay != nil || p.isStill() {
		deaths = store.Hide
	}
	p.store.SetDeaths(deaths)
}

// obey has f run commands of the primary that the node follows, or of a journal: as they say, whatever the time is. Keys whose time has come are there.
func (p *part) obey(f func()) {
	was := p.store.Deaths()
	p.store.SetDeaths(store.Show)
	p.call.Obeys = true
	f()
	p.call.Obeys = false
	p.store.SetDeaths(was)
}

// runObeyed runs a command within obey, and gives its reply, which is written into room.
func (p *part) runObeyed(s *session, row *command.Row, args [][]byte, room []byte) (reply []byte) {
	c := &p.call
	shareMin, outputMax := c.ShareMin, c.OutputMax
	c.Blockable, c.ShareMin, c.OutputMax = false, 0, 0
	p.w.Out, p.w.Proto = room[:0], 2
	p.depth++
	p.runSeen(s, row, args)
	p.depth--
	c.Blockable, c.ShareMin, c.OutputMax = true, shareMin, outputMax
	reply, p.w.Out = p.w.Out, nil
	return reply
}

// changesData tells whether a command may stand in a stream: what changes data, and what Redis puts beside that.
func changesData(row *command.Row) bool {
	switch row.ID {
	case command.CmdSelect, command.CmdScriptLoad, command.CmdScriptFlush:
		return true
	}
	return row.Flags&(command.Write|command.MayReplicate) != 0
}

// aside has f run what is a client's, perhaps while commands of the primary run.
func (p *part) aside(f func()) {
	if !p.call.Obeys {
		f()
		return
	}
	p.call.Obeys = false
	p.settleDeaths()
	f()
	p.call.Obeys = true
	p.store.SetDeaths(store.Show)
}
