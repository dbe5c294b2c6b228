package proxy

import (
	"bytes"
	"slices"
)

// A node that gets orders may serve nobody for a moment: it has no lease, or waits for its first record. It says so and has not run the command, which waits as for
// a shard in trouble. So does one that a node refuses as stale which has not heard yet what the gateway has. But the node may serve again amid what a session has
// under way. Then what it refused before must not run any more, since it would do so behind what was sent after it.

// noPrimary are the errors by which a node says that it serves nobody at the moment.
var noPrimary = [][]byte{
	[]byte("-CLUSTERDOWN The shard has no primary at the moment"),
	[]byte("-CLUSTERDOWN The node waits for a record of its shard and serves nobody until then"),
	[]byte("-CLUSTERDOWN Not every member of the shard's set is in touch with its primary, which answers nothing without them"),
}

// provesUnserved tells errors of a node that takes nothing, or no writes, at the moment.
func provesUnserved(text []byte) bool {
	return bytes.HasPrefix(text, []byte("CLUSTERDOWN ")) || bytes.HasPrefix(text, []byte("NOREPLICAS "))
}

// servesNobody keeps a command that a node has refused because it serves nobody at the moment.
func (ln *lane) servesNobody(t ticket, reply []byte) bool {
	if !ln.greet.ordered || t.s.abandoned() {
		return false
	}
	why := reply
	if t.kind&kindPiece != 0 {
		why = ln.unservedPiece(&t, reply)
	}
	switch {
	case slices.ContainsFunc(noPrimary, func(text []byte) bool { return bytes.HasPrefix(why, text) }) && ln.u.waits(t):
		ln.goLater(t)
	case len(why) != len(reply):
		t.s.answered(t, why)
	default:
		return false
	}
	return true
}

// unservedPiece is why the node has not run a transaction, if that is because it serves nobody, or takes no writes; else it is the reply.
func (ln *lane) unservedPiece(t *ticket, reply []byte) []byte {
	tx := t.s.q.at(t.seq).merge.tx
	said := tx.unserved
	tx.unserved = ""
	if !bytes.HasPrefix(reply, []byte("-EXECABORT ")) {
		return reply
	}
	if own, is := bytes.CutPrefix(reply, []byte("-EXECABORT Transaction discarded because of: ")); is && provesUnserved(own) {
		said = "-" + firstLine(string(own))
	}
	if said == "" {
		return reply
	}
	return append([]byte(said), "\r\n"...)
}

// goLater has the command in front go again, unless one behind it is served before.
func (ln *lane) goLater(t ticket) { ln.goBehind(t, true) }

// goBehind has the command in front go again. If its node is behind that may be over amid what follows.
func (ln *lane) goBehind(t ticket, behind bool) {
	p, n := ln.p, len(ln.p.retries)
	p.goAgain(ln, t, behind)
	if behind && !ln.u.replica && t.s.flying > 0 && len(p.retries) > n {
		p.retries[n].unserved = true
		ln.heed |= heedUnserved
	}
}

// overtakes: a command has run, or may have, that its session has sent to a shard behind others that were not taken there.
func (s *session) overtakes(t *ticket, u *upstream) {
	p := s.p
	now := p.present(u)
	var late []retry
	p.retries = slices.DeleteFunc(p.retries, func(r retry) bool {
		over := r.unserved && r.t.s == s && int32(r.t.seq-t.seq) < 0 && (r.u == u || p.present(r.u) == now)
		if over {
			p.retryBytes -= len(r.raw)
			late = append(late, r)
		}
		return over
	})
	for _, r := range late {
		s.retrying--
		s.answered(r.t, appendError(nil, noPrimaryText))
	}
}

const noPrimaryText = "CLUSTERDOWN The shard had no primary when the command came"
