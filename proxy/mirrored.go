package proxy

import (
	"larder/protocol/command"
	"larder/proxy/mirror"
)

// What lanes hear is mirrored where the reply comes: by then it is known that the command has run, over which lane, and between which times. A lane says so by a bit of heed, which
// it looks at anyway, so that gateways that mirror nothing do not pay for it.

// beMirrored has what a new lane brings mirrored, if the gateway does that.
func (ln *lane) beMirrored() {
	if ln.p.feed != nil {
		ln.heed |= heedMirror
		ln.number = ln.p.g.mirror.Lane()
	}
}

// mirrors hands on the command in front and its reply.
func (ln *lane) mirrors(t *ticket, reply []byte, whole bool) {
	p := ln.p
	if ln.heed&heedMirror == 0 || ln.aside {
		return
	}
	if t.bytes == 0 {
		ln.mirrorsNoStream(t)
		return
	}
	if !whole {
		reply = nil
	}
	p.feed.Take(mirror.Command{
		Raw: ln.log[ln.head : ln.head+int(t.bytes)], Reply: reply, DB: int(t.db), Proto: ln.proto, Lane: ln.number,
		StartNS: t.startNS, EndNS: p.nowNS, Piece: t.kind&kindPiece != 0, Sub: t.sub, Several: len(p.shards) > 1,
	})
}

// mirrorsNot tells that the node may have run a command whose reply will not come: the oldest ticket, whose bytes the log holds from at on.
func (ln *lane) mirrorsNot(t *ticket, at int) {
	if ln.heed&heedMirror == 0 || t.s == nil || ln.aside {
		return
	}
	if t.bytes == 0 {
		ln.mirrorsNoStream(t)
		return
	}
	end := at + int(t.bytes)
	if end <= ln.sent && !(t.row.Flags.Has(command.ReadOnly) && t.kind&kindPiece == 0) {
		ln.p.feed.Lose(ln.log[at:end], int(t.db), t.kind&kindPiece != 0)
	}
}

// mirrorsNoStream is for a command that was passed on as it came.
func (ln *lane) mirrorsNoStream(t *ticket) {
	if st := t.s.stream; st != nil && st.key != nil {
		ln.p.feed.LoseKey(int(t.db), st.key)
		return
	}
	ln.p.feed.LoseAll()
}
