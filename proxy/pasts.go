package proxy

import (
	"bytes"
	"math"
	"slices"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// past is a shard's stream as a loop hears of it, in one reign and under one name: only there do offsets compare. Its primary says what is committed, and its
// replicas have it too. A loop keeps those of which something was said that was not committed; under durability: async there is none.
type past struct {
	reign     uint64
	history   string
	committed int64 // what reads show up to here is safe
	confirmed int64 // and writes up to here may be answered
	waiting   int   // replies that are held until it is further

	heir   *past // of a later primary of the shard, which has said how much of this stream it has
	shared int64 // so much
	asked  []*past
}

// heedAlways is a mask for lane.heed that no row's flags cover.
const heedAlways = command.Flags(1 << 31)

// heedUnserved is one of lanes on which a command was refused as others behind it were under way.
const heedUnserved = command.Flags(1 << 29)

// heedMirror is another one, of lanes whose commands are mirrored.
const heedMirror = command.Flags(1 << 30)

// safe is up to where a reply may be released, to a write or to a read.
func (f *past) safe(write bool) int64 {
	at := f.committed
	if write {
		at = f.confirmed
	}
	if f.heir != nil {
		at = max(at, min(f.shared, f.heir.safe(write)))
	}
	return at
}

// kept is up to where what the stream said can still become safe.
func (f *past) kept() int64 {
	if f.heir == nil {
		return math.MaxInt64
	}
	return min(f.shared, f.heir.kept())
}

// last is the stream of the latest primary that is known to go on from this one.
func (f *past) last() *past {
	for f.heir != nil {
		f = f.heir
	}
	return f
}

// heedStamp follows a stamp that the lane has heard. heed says of which rows replies are looked at before they are passed on: none if the node has no stream, all but
// of what only reads, for WAIT's sake, and all while they may show what is not committed.
func (ln *lane) heedStamp() {
	st := &ln.stamp
	if st.executed > 0 {
		ln.heed = command.ReadOnly | ln.heed&(heedMirror|heedUnserved)
	}
	if ln.p.noting {
		ln.heed |= heedReads
		ln.heedEra()
	}
	if ln.past == nil && ln.u.past == nil && len(ln.p.holds) == 0 && st.executed <= min(st.committed, st.confirmed) {
		return
	}
	f := ln.past
	if f == nil || f.reign != st.reign || f.history != st.history {
		f = ln.p.pastOf(st)
		ln.past = f
		if ln.ear == nil {
			ln.held = nil // what was held waits for the other stream
		}
	}
	if ln.u.past != f && (ln.u.past == nil || ln.u.past.reign <= f.reign) {
		ln.u.past = f
		ln.p.findHeirs()
	}
	further := st.committed > f.committed || st.confirmed > f.confirmed
	f.committed, f.confirmed = max(f.committed, st.committed), max(f.confirmed, st.confirmed)
	if st.executed > min(f.safe(false), f.safe(true)) {
		ln.heed |= heedAlways
	}
	if further && len(ln.p.holds) > 0 {
		ln.p.release()
	}
}

// pastOf is the past to which a stamp belongs.
func (p *part) pastOf(st *stamp) *past {
	for _, f := range p.pasts {
		if f.reign == st.reign && f.history == st.history {
			return f
		}
	}
	p.pasts = slices.DeleteFunc(p.pasts, func(f *past) bool { return f.waiting == 0 && !p.told(f) && !p.inherits(f) })
	f := &past{reign: st.reign, history: st.history}
	p.pasts = append(p.pasts, f)
	return f
}

// told says whether a node's last stamps were of this past.
func (p *part) told(f *past) bool {
	for _, u := range p.upstreams {
		if u.past == f {
			return true
		}
	}
	return false
}

// inherits says whether what is held waits for this past as that of a later primary.
func (p *part) inherits(f *past) bool {
	return slices.ContainsFunc(p.pasts, func(old *past) bool { return old.waiting > 0 && old != f && old.last() == f })
}

var wordShared = []byte("SHARED")

// findHeirs asks nodes of later reigns how much they have of the streams of which replies are held.
func (p *part) findHeirs() {
	for _, f := range p.pasts {
		if f.waiting == 0 {
			continue
		}
		last := f.last()
		for _, u := range p.shards {
			if heir := u.past; heir != nil && heir.reign > last.reign && heir != last && !slices.Contains(last.asked, heir) {
				last.ask(u, heir)
			}
		}
	}
}

// ask asks a node of a later reign how much it has of this stream.
func (f *past) ask(u *upstream, heir *past) {
	ln := u.lane(3)
	if ln == nil {
		return
	}
	f.asked = append(f.asked, heir)
	ln.query(func(reply []byte) {
		n, ok := resp.ParseInt(reply)
		switch {
		case !ok: // the lane is lost, or the node is of an earlier release
			if reply == nil {
				f.asked = slices.DeleteFunc(f.asked, func(other *past) bool { return other == heir })
			}
		case n >= 0 && f.heir == nil:
			if ln.past != nil && ln.past.reign > heir.reign { // it has come to a later reign before it answered
				heir = ln.past
			}
			f.heir, f.shared = heir, n
			u.p.release()
		}
	}, wordLarder, wordShared, []byte(f.history))
}

// more reads what stands behind a stamp's first four elements: up to where writes may be answered, if that is not what is committed, and the name of the stream, if
// that is new.
func (st *stamp) more(it *resp.Iter) {
	st.confirmed = st.committed
	for e, ok := it.Next(); ok; e, ok = it.Next() {
		if n, is := resp.ParseInt(e); is {
			st.confirmed = n
		} else if name, is := resp.BulkOf(e); is && !bytes.Equal(name, []byte(st.history)) {
			st.history = string(name)
		}
	}
}
