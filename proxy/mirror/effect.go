package mirror

import (
	"time"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// slackNS is how much later than told a command may have run, besides what is measured: clocks are read at turns.
const slackNS = int64(250 * time.Millisecond)

// effect notes what a command did to its keys, and says whether all of them were known before, so that the replies to it must be equal. keys gets them.
func (m *Mirror) effect(it *item, db int, row *command.Row, args [][]byte, reply []byte, keys []keyUse) (_ []keyUse, known bool) {
	at, flags := row.KeysAndFlags(args)
	known = true
	from := len(keys)
	lagNS := max(0, m.nowNS()-it.endNS)
	expiring := false
	for i, arg := range at {
		k := keyUse{id: m.keyID(db, args[arg]), db: db, key: args[arg], sure: true}
		k.writes = flags[i]&command.KeyRO == 0 && !row.Flags.Has(command.ReadOnly)
		k.anew = flags[i]&command.KeyOW != 0
		s := m.alive(k.id, it, lagNS, &expiring)
		if !k.writes && m.recent.busy(k.id, it.lane, it.startNS) {
			k.sure = false
		}
		known = known && s.known && k.sure
		keys = append(keys, k)
	}
	known = known && !expiring
	mine := keys[from:]
	if resp.IsError(reply) && !scripted(row) {
		for i := range mine {
			mine[i].writes = false
		}
		return keys, known
	}
	w := outcome{m: m, it: it, row: row, args: args, reply: reply, lagNS: lagNS, known: known, expiring: expiring}
	if len(mine) > 0 {
		w.original = m.known.of(mine[0].id)
	}
	for i := range mine {
		if mine[i].writes {
			w.wrote(mine, i)
			known = known && mine[i].sure
		}
	}
	w.elsewhere(db)
	return keys, known
}

// alive is what is known of a key when a command ran. Around the time at which it expires it may be there for one side and not for the other.
func (m *Mirror) alive(id uint64, it *item, lagNS int64, expiring *bool) keyState {
	s := m.known.of(id)
	if s.dueNS == 0 || it.endNS+s.withinNS+lagNS < s.dueNS {
		return s
	}
	if it.startNS-s.withinNS-lagNS > s.dueNS {
		s = keyState{known: s.known} // both have nothing there
		m.known.set(id, s)
		return s
	}
	*expiring = true
	return s
}

func scripted(row *command.Row) bool {
	switch row.ID {
	case command.CmdEval, command.CmdEvalSHA, command.CmdFCall:
		return true
	}
	return false
}

// outcome is what becomes of the keys of one command.
type outcome struct {
	m        *Mirror
	it       *item
	row      *command.Row
	args     [][]byte
	reply    []byte
	lagNS    int64
	known    bool     // all its keys were
	expiring bool     // one of them may have just expired
	original keyState // of the first key, before
}

// wrote notes what is known now of a key that the command wrote.
func (w *outcome) wrote(keys []keyUse, i int) {
	m, k := w.m, &keys[i]
	k.sure = !m.recent.wrote(k.id, w.it.lane, w.it.startNS, w.it.endNS)
	was := m.known.of(k.id)
	now, learn := keyState{}, false
	switch {
	case !k.sure:
		m.count.raced.Add(1)
		learn = true
	case w.byChance():
		learn = !w.timed()
	case w.moved() && i == 1: // it has all that the original has
		if keys[0].sure {
			now = w.original
		}
	case w.total(keys, i):
		now.known = true
	case w.expiring:
		learn = true
	case w.known:
		now = was
	}
	if now.known {
		now = w.expires(was, now)
	}
	if i == 0 {
		w.original = was
	}
	m.known.set(k.id, now)
	if now.known {
		m.doubts.touch(k.id, m.nowNS())
		return
	}
	m.drop(k.id) // the sides may differ from now on
	if learn {
		m.learn(k)
	}
}
