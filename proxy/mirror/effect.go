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
	lagNS := max(0, m.nowNS()-it.endNS) + m.slowNS
	expiring, failed := false, resp.IsError(reply) && !scripted(row)
	for i, arg := range at {
		k := keyUse{id: m.keyID(db, args[arg]), db: db, key: args[arg], sure: true}
		k.writes = flags[i]&command.KeyRO == 0 && !row.Flags.Has(command.ReadOnly) && !failed
		s := m.alive(k.id, it, lagNS, &expiring)
		if !k.writes && m.recent.busy(k.id, db, it.lane, it.startNS) {
			k.sure = false
		}
		known = known && s.known && k.sure
		keys = append(keys, k)
	}
	known = known && !expiring
	mine := keys[from:]
	if failed {
		return keys, known
	}
	w := outcome{m: m, it: it, row: row, args: args, reply: reply, lagNS: lagNS, known: known, expiring: expiring, bound: bound(row, mine)}
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

// bound says whether what a command does to one key depends on another. A write of that other key which comes to light later may have run before, so that nothing is sure
// until both sides are asked.
func bound(row *command.Row, keys []keyUse) bool {
	switch row.ID {
	case command.CmdMSet, command.CmdDel, command.CmdUnlink, command.CmdTouch:
		return false
	}
	for i := range keys {
		if keys[i].id != keys[0].id {
			return true
		}
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
	known    bool // all its keys were
	expiring bool // one of them may have just expired
	bound    bool
}

// wrote notes what is known now of a key that the command wrote.
func (w *outcome) wrote(keys []keyUse, i int) {
	m, k := w.m, &keys[i]
	k.sure = !m.recent.wrote(k.id, k.db, w.it.lane, w.it.startNS, w.it.endNS)
	was := m.known.of(k.id)
	now, learn := keyState{}, false
	switch {
	case !k.sure:
		m.count.raced.Add(1)
		learn = true
	case w.byChance():
		learn = !w.timed()
	case w.row.ID == command.CmdRename && i == 0:
		now.known = true // it is gone
	case w.bound, w.expiring && !w.total():
		learn = true
	case w.total():
		now.known = true
	case w.known:
		now = was
	}
	if now.known {
		now = w.expires(was, now)
	}
	k.timed = was.dueNS != 0 || now.dueNS != 0
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
