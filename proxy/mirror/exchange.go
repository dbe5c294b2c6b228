package mirror

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"larder/protocol/command"
	"larder/protocol/resp"
)

const (
	// deedsMost and outMost bound what is said to the shadow before it is heard: little enough that the sockets between take it, so that neither side waits for the other.
	deedsMost = 256
	outMost   = 64 << 10
)

// lateFade: in so many ticks about a third of the longest time is left that the source took, which says for how long what it has done may not be known.
const lateFade = 128

// obey does what a loop has handed over.
func (m *Mirror) obey(ctx context.Context, b *batch) {
	m.beginAnew()
	for i := range b.items {
		it := &b.items[i]
		m.seenNS = max(m.seenNS, it.endNS)
		m.lateNS = max(m.lateNS, it.endNS-it.startNS)
		switch {
		case it.all:
			m.forgetAll()
		case it.row == nil:
			m.forget(it.lost)
		case m.off.Load():
		default:
			if err := m.link.open(ctx); err != nil {
				m.away(err)
				m.miss()
				continue
			}
			if it.raw.to-it.raw.from+len(m.out) > outMost || m.deedsN >= deedsMost {
				m.exchange()
				if m.link.conn == nil {
					m.miss()
					continue
				}
			}
			m.plan(b, it)
		}
	}
	m.exchange()
	m.done(b)
}

// miss is a command that the shadow does not get, because it is out of reach. What it writes is then unknown, as all is when it comes back; so nothing may be
// known that was before, also where the shadow was never reached.
func (m *Mirror) miss() {
	m.count.missed.Add(1)
	if m.known.any() {
		m.forgetAll()
	}
}

// away notes that the shadow is out of reach.
func (m *Mirror) away(err error) {
	if errors.Is(err, errAway) {
		return
	}
	if m.count.away.CompareAndSwap(0, 1) {
		m.log.Warn("shadow out of reach: nothing is mirrored", "shadow", m.o.Target, "error", err)
	}
}

// forgetAll: of no key is it known any more that both sides have the same.
func (m *Mirror) forgetAll() {
	m.known.forgetAll()
	m.count.forgotten.Add(1)
	m.dropAll()
}

// forget: of a key it is not known any more.
func (m *Mirror) forget(id uint64) {
	m.known.forget(id)
	m.drop(id)
}

// exchange says the deeds at hand and hears what comes of them.
func (m *Mirror) exchange() {
	if m.deedsN == 0 {
		return
	}
	deeds := m.deeds[:m.deedsN]
	m.deedsN = 0
	began := m.nowNS()
	heard := 0
	err := m.link.write(m.out)
	for ; err == nil && heard < len(deeds); heard++ {
		err = m.hear(&deeds[heard], heard, began)
		if err != nil {
			break
		}
	}
	m.out = m.out[:0]
	clear(m.last)
	m.took(deeds, m.nowNS()-began)
	if cap(m.out) > 4*outMost {
		m.out = nil
	}
	if err == nil {
		if m.count.away.CompareAndSwap(1, 0) {
			m.log.Info("shadow answers again", "shadow", m.o.Target)
		}
		return
	}
	m.count.missed.Add(uint64(len(deeds) - heard))
	m.link.close(err)
	m.away(err)
	m.forgetAll()
}

// took notes how long the shadow took. If that was long, keys that expire may have done so in the middle.
func (m *Mirror) took(deeds []deed, ns int64) {
	const fade = 64
	m.slowNS = max(ns, m.slowNS-m.slowNS/fade)
	if ns < slackNS/2 {
		return
	}
	for i := range deeds {
		for _, k := range deeds[i].keys {
			if k.timed || m.known.of(k.id).dueNS != 0 {
				m.forget(k.id)
			}
		}
	}
}

// hear takes the shadow's reply to a deed.
func (m *Mirror) hear(d *deed, at int, beganNS int64) error {
	for i := range d.skip {
		reply, err := m.link.next()
		if err != nil {
			return err
		}
		if resp.IsError(reply) && !(d.it.piece && i >= d.skip-len(d.inner)) {
			if !refuses(reply) {
				return fmt.Errorf("it answers HELLO, SELECT or MULTI by %s", reply)
			}
			m.link.db = -1
		}
	}
	reply, err := m.link.next()
	if err != nil {
		return err
	}
	m.count.mirrored.Add(1)
	m.times(d, beganNS)
	m.judge(d, at, reply)
	return nil
}

// judge compares the shadow's reply with the source's.
func (m *Mirror) judge(d *deed, at int, reply []byte) {
	is, severe := inTrouble(reply)
	switch {
	case is:
		m.refused(reply)
		if severe {
			m.forgetAll()
		}
		m.forgetWritten(d)
		return
	case resp.IsError(reply) && !resp.IsError(d.reply) && refuses(reply):
		m.count.denied.Add(1)
		m.differs(&Difference{Kind: DiffersRefused, Row: d.row.Name, DB: int(d.it.db), Key: d.firstKey(), Command: d.text(), Source: short(d.reply), Shadow: short(reply)})
		m.forgetWritten(d)
		return
	case d.undone(reply):
		m.forgetWritten(d)
	}
	if d.failedAlone(reply) {
		m.forgetTouched(d)
	}
	if d.how <= kindBlind || !d.known {
		m.uncompared(d, at, reply)
		return
	}
	if equal := d.equal(reply, m); equal {
		m.compared(d.it.row, true)
		return
	}
	m.compared(d.it.row, false)
	m.doubt(d, reply)
}

// undone says whether the shadow has not done what the source has, of what is done only if a key is as it should be.
func (d *deed) undone(theirs []byte) bool {
	if !d.it.piece {
		return conditional(d.row, d.args) && !d.known && !bytes.Equal(d.reply, theirs)
	}
	a, b := resp.Elements(d.reply), resp.Elements(theirs)
	for i := range d.inner {
		one, _ := a.Next()
		other, _ := b.Next()
		if e := &d.inner[i]; e.row != nil && conditional(e.row, e.args) && !e.known && !bytes.Equal(one, other) {
			return true
		}
	}
	return false
}

// failedAlone says whether one side refused a command whose replies are not compared, and the other did not: what it writes may have come about on one side only.
func (d *deed) failedAlone(theirs []byte) bool {
	if d.reply == nil {
		return false
	}
	if !d.it.piece {
		return d.how <= kindBlind && !d.row.Flags.Has(command.ReadOnly) && resp.IsError(d.reply) != resp.IsError(theirs)
	}
	a, b := resp.Elements(d.reply), resp.Elements(theirs)
	for i := range d.inner {
		one, _ := a.Next()
		other, _ := b.Next()
		if e := &d.inner[i]; e.row != nil && e.how <= kindBlind && !e.row.Flags.Has(command.ReadOnly) && resp.IsError(one) != resp.IsError(other) {
			return true
		}
	}
	return false
}

func (d *deed) equal(reply []byte, m *Mirror) bool {
	if d.it.piece {
		return d.sameElements(reply, m.o.Tolerance)
	}
	return same(d.how, d.row, d.reply, reply, m.o.Tolerance)
}

func (m *Mirror) forgetWritten(d *deed) {
	for _, k := range d.keys {
		if k.writes {
			m.forget(k.id)
		}
	}
}

// forgetTouched forgets also what the source has not written, since it refused to.
func (m *Mirror) forgetTouched(d *deed) {
	for _, k := range d.keys {
		m.forget(k.id)
	}
}

// uncompared is a deed whose replies may differ. A read that shows the same on both sides can still make its key known.
func (m *Mirror) uncompared(d *deed, at int, reply []byte) {
	if d.how <= kindBlind {
		m.count.blind.Add(1)
		return
	}
	m.count.unknown.Add(1)
	if d.it.piece || len(d.keys) != 1 || d.keys[0].writes || !d.keys[0].sure || resp.IsError(reply) || !same(d.how, d.row, d.reply, reply, m.o.Tolerance) {
		return
	}
	k := &d.keys[0]
	if last, ok := m.last[k.id]; ok && last > at || m.known.of(k.id).known {
		return
	}
	if absent(d.row, d.reply) {
		m.known.set(k.id, keyState{known: true})
		return
	}
	m.learn(k)
}

// absent says whether a reply shows that there is no such key.
func absent(row *command.Row, reply []byte) bool {
	n, isInt := resp.ParseInt(reply)
	switch row.ID {
	case command.CmdGet, command.CmdGetRange:
		return resp.Value(reply).IsNull()
	case command.CmdExists, command.CmdLLen, command.CmdSCard, command.CmdHLen, command.CmdZCard:
		return isInt && n == 0
	case command.CmdTTL, command.CmdPTTL:
		return isInt && n == -2
	case command.CmdType:
		return string(reply) == "+none\r\n"
	case command.CmdHGetAll, command.CmdSMembers:
		it := resp.Elements(reply)
		return it.Left() == 0
	}
	return false
}

func (d *deed) firstKey() string {
	if len(d.keys) == 0 {
		return ""
	}
	return string(d.keys[0].key)
}

// tick does what time brings.
func (m *Mirror) tick(ctx context.Context) {
	m.beginAnew()
	if m.off.Load() {
		return
	}
	if m.amiss.CompareAndSwap(true, false) {
		m.forgetAll()
	}
	if err := m.link.open(ctx); err != nil {
		m.away(err)
	}
	m.known.sweep(m.nowNS())
	m.lateNS -= m.lateNS / lateFade
	m.check(ctx)
	m.count.keysKnown.Store(int64(len(m.known.keys)))
	m.count.keysCap.Store(int64(m.known.over))
	m.count.allKnown.Store(m.known.all)
	m.count.odd.Store(int64(m.known.odd))
	m.count.keysDoubted.Store(int64(len(m.doubts.list)))
	m.tickedNS.Store(m.nowNS())
}

func (m *Mirror) closeLinks() {
	m.link.close(nil)
	for _, l := range m.askers {
		l.close(nil)
	}
}
