package mirror

import (
	"bytes"
	"context"
	"slices"

	"larder/protocol/command"
)

// doubt is keys that both sides are to be asked for in a quiet moment: because replies differed, or to learn whether they are the same.
type doubt struct {
	keys   []keyUse
	row    *command.Row // of the command whose replies differed; nil: none, it is to learn
	text   string
	args   [][]byte // of one that reads: it is said again; nil: it is not
	ours   string   // the replies, shortened
	theirs string
	reply  bool // replies must be the same if the keys are
	db     int

	sinceNS   int64
	nextNS    int64 // not to be looked at before
	touchedNS int64 // when one of the keys was written last, as far as is known
	began     int64 // when the sides were asked; 0: they were not
	asked     int64 // and had answered
	seen      finding
	which     int  // of the keys differs
	twice     bool // they were asked before, with the same outcome
	gone      bool

	nowOurs, nowTheirs string // what the sides answered
}

// doubts are at most so many.
type doubts struct {
	list  []*doubt
	byKey map[uint64]*doubt
	most  int
}

func newDoubts(most int) doubts { return doubts{byKey: map[uint64]*doubt{}, most: most} }

func (ds *doubts) touch(id uint64, nowNS int64) {
	if d := ds.byKey[id]; d != nil {
		d.touchedNS = nowNS
		d.reply = false // it is another value now
	}
}

// add notes a doubt, if there is room.
func (ds *doubts) add(d *doubt) bool {
	if len(ds.list) >= ds.most {
		return false
	}
	for i := range d.keys {
		k := &d.keys[i]
		k.key = bytes.Clone(k.key)
		ds.byKey[k.id] = d
	}
	ds.list = append(ds.list, d)
	return true
}

func (ds *doubts) end(d *doubt) {
	d.gone = true
	for _, k := range d.keys {
		if ds.byKey[k.id] == d {
			delete(ds.byKey, k.id)
		}
	}
}

func (ds *doubts) sweep() {
	ds.list = slices.DeleteFunc(ds.list, func(d *doubt) bool { return d.gone })
}

// doubt has both sides asked again for the keys of a deed whose replies differ.
func (m *Mirror) doubt(d *deed, reply []byte) {
	for _, k := range d.keys {
		if other := m.doubts.byKey[k.id]; other != nil {
			if other.row != nil {
				return // it is known to be doubtful
			}
			m.doubts.end(other)
		}
	}
	now := m.nowNS()
	n := &doubt{
		keys: append([]keyUse(nil), d.keys...), row: d.row, text: d.text(), ours: short(d.reply), theirs: short(reply), db: int(d.it.db),
		reply: true, sinceNS: now, touchedNS: now,
	}
	reads := !d.it.piece && d.row.Flags.Has(command.ReadOnly)
	for _, k := range d.keys {
		n.reply = n.reply && k.sure && !reads
	}
	if reads && len(d.raw) <= argsMost {
		for _, arg := range d.args {
			n.args = append(n.args, bytes.Clone(arg))
		}
	}
	if !m.doubts.add(n) {
		m.count.unchecked.Add(1)
	}
}

const (
	argsMost   = 4 << 10 // of a command that is said again
	learnsMost = 2000    // keys that are asked for only to learn
	checksMost = 40      // doubts looked at in one tick
)

// learn has both sides asked for a key, to know whether they have the same.
func (m *Mirror) learn(k *keyUse) {
	if m.doubts.byKey[k.id] != nil || len(m.doubts.list) >= min(learnsMost, m.doubts.most) {
		return
	}
	now := m.nowNS()
	m.doubts.add(&doubt{keys: []keyUse{*k}, db: k.db, sinceNS: now, touchedNS: now})
}

// drop ends the doubt about a key whose sides may differ from now on.
func (m *Mirror) drop(id uint64) {
	d := m.doubts.byKey[id]
	if d == nil {
		return
	}
	m.undecided(d)
}

func (m *Mirror) dropAll() {
	for _, d := range m.doubts.list {
		if !d.gone {
			m.undecided(d)
		}
	}
	m.doubts.list = m.doubts.list[:0]
}

func (m *Mirror) undecided(d *doubt) {
	if d.row != nil {
		m.count.undecided.Add(1)
	}
	m.doubts.end(d)
}

// check goes on with the doubts whose time has come.
func (m *Mirror) check(ctx context.Context) {
	now := m.nowNS()
	if m.queued.Load() == 0 {
		m.idleNS = now
	}
	checked := 0
	for _, d := range m.doubts.list {
		if d.gone || now < d.nextNS || now-d.touchedNS < int64(m.o.Quiet) {
			if !d.gone && now-d.sinceNS > int64(m.o.GiveUp) {
				m.undecided(d)
			}
			continue
		}
		if checked++; checked > checksMost || m.link.conn == nil || ctx.Err() != nil {
			break
		}
		m.goOn(ctx, d, now)
	}
	m.doubts.sweep()
}

// goOn asks for a doubt's keys, or decides by the answers once it is sure that no write came between.
func (m *Mirror) goOn(ctx context.Context, d *doubt, now int64) {
	if d.began != 0 && d.touchedNS < d.began {
		if max(m.seenNS, m.idleNS) < d.asked+int64(m.o.Quiet)/2+min(m.lateNS, int64(m.o.Timeout)) {
			return
		}
		if d.seen == findsSame || d.twice {
			m.decide(d)
			return
		}
		d.twice = true // and is asked for once more, before it is called one
	}
	d.began = m.nowNS()
	seen, err := m.look(ctx, d)
	d.asked = m.nowNS()
	if err != nil || seen == findsMoving {
		d.began = 0
		d.nextNS = now + int64(m.o.Quiet)
		if now-d.sinceNS > int64(m.o.GiveUp) {
			m.undecided(d)
		}
		return
	}
	if d.twice && seen != d.seen {
		d.twice = false
	}
	d.seen = seen
}

// decide ends a doubt by what the sides answered.
func (m *Mirror) decide(d *doubt) {
	m.doubts.end(d)
	switch {
	case d.row == nil:
		k := d.keys[0]
		if d.seen == findsSame {
			learned := keyState{known: true, dueNS: k.dueNS}
			if k.dueNS != 0 {
				learned.withinNS = int64(m.o.Tolerance)
			}
			m.known.set(k.id, learned)
			m.count.learned.Add(1)
		}
		return
	case d.seen == findsSame && !d.reply:
		m.count.passing.Add(1)
		return
	}
	if m.evicts(d.seen) {
		m.count.evicted.Add(1)
	} else {
		k := d.keys[d.which]
		m.differs(&Difference{Kind: d.seen.kind(), Row: d.row.Name, DB: k.db, Key: string(k.key), Command: d.text, Source: d.ours, Shadow: d.theirs, SourceNow: d.nowOurs, ShadowNow: d.nowTheirs})
	}
	for _, k := range d.keys {
		if k.writes || d.seen != findsSame && d.seen != findsReply {
			m.known.forget(k.id)
		}
	}
}
