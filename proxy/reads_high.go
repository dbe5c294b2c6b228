package proxy

import (
	"slices"
	"sync"
	"sync/atomic"

	"larder/protocol/command"
	"larder/protocol/resp"
	"larder/router"
)

// What must hold for level gateway: a read that is sent after the reply to a write has come, over whatever loop of this process, is answered by a node that has
// the write. So all loops share, for each group of slots, how far its shard's stream was when a write there was answered. That is told by stamps and raised before
// the reply goes on; a replica is read if its own last stamp says as much, which can only be too low.
//
// Offsets compare within one era. Who leads a shard in which era stands in owners: of an era that another has followed nothing is believed, and of the new one's
// replicas is wanted what the new primary had when it was heard first: all that is left of what was written before.

// era is a stream under one name in one reign.
type era struct {
	serial  uint64 // in the order in which this process has heard of them
	reign   uint64
	history string
	over    atomic.Bool // another one has followed it

	shown  atomic.Int64   // what replicas have shown that are not read any more, or begin anew: nobody is to see less
	newest atomic.Int64   // where the last write ended that was answered here
	all    atomic.Int64   // the last of which is not known to which slots
	high   []atomic.Int64 // the last to each slot, by its number modulo len
}

// owner is the era that counts for slots, by a topology.
type owner struct {
	topo  *router.Topology
	era   *era
	floor int64 // where its stream was when that was found
}

// highs is what the loops of a gateway know together.
type highs struct {
	on     atomic.Bool // every loop notes its writes
	owners [router.Groups]atomic.Pointer[owner]

	mu     sync.Mutex // of what follows, which is looked at when a node tells of another stream than before
	eras   []*era
	serial uint64
}

// erasMax is how many eras are remembered that have ended.
const erasMax = 4096

// eraOf is the era of a stamp. shards is how many the cluster has: so many fewer groups are one shard's.
func (h *highs) eraOf(st *stamp, shards int) *era {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.eras {
		if e.reign == st.reign && e.history == st.history {
			return e
		}
	}
	if len(h.eras) >= erasMax {
		h.eras = slices.DeleteFunc(h.eras, func(e *era) bool { return e.over.Load() })
	}
	places := router.Groups
	for ; shards > 1 && places > router.GroupSlots; shards /= 2 {
		places /= 2
	}
	h.serial++
	e := &era{serial: h.serial, reign: st.reign, history: st.history, high: make([]atomic.Int64, places)}
	h.eras = append(h.eras, e)
	return e
}

// raise notes that a write that ended at an offset has been answered; slot -1: nobody knows where.
func (e *era) raise(slot int, at int64) {
	lift(&e.newest, at)
	if slot < 0 {
		lift(&e.all, at)
		return
	}
	lift(&e.high[slot%len(e.high)], at)
}

func lift(n *atomic.Int64, at int64) {
	for was := n.Load(); was < at; was = n.Load() {
		if n.CompareAndSwap(was, at) {
			return
		}
	}
}

// before is up to where a replica must have come for a read of slots, of all of the shard if none are named. What the session has seen comes beside it.
func (o *owner) before(level readLevel, slots []int) int64 {
	e := o.era
	at := max(o.floor, e.shown.Load())
	switch {
	case level != levelGateway:
	case len(slots) == 0:
		at = max(at, e.newest.Load())
	default:
		at = max(at, e.all.Load())
		for _, slot := range slots {
			at = max(at, e.high[slot%len(e.high)].Load())
		}
	}
	return at
}

// ownerOfSlots is who counts for slots of a shard by the loop's topology; nil: that is not known yet.
func (p *part) ownerOfSlots(shard int, slots []int) *owner {
	slot := 0
	if len(slots) > 0 {
		slot = slots[0]
	} else if own := p.topo.Shards[shard].Slots; len(own) > 0 {
		slot = own[0].From
	}
	if o := p.g.high.owners[slot/router.GroupSlots].Load(); o != nil && o.topo == p.topo {
		return o
	}
	return nil
}

// claim has a shard's slots count by the era of its primary, which has just answered what it was asked at fromNS. Something that was asked before the topology was
// taken over tells of a time when the slots may have been another's.
func (u *upstream) claim(fromNS, executed int64) {
	p := u.p
	if u.claimed == p.topo && u.claimedEra == u.era {
		return
	}
	if u.replica || u.left || p.shards[u.shard] != u || fromNS < p.adoptedNS || !p.g.high.on.Load() || p.g.topo.Load() != p.topo {
		return
	}
	u.claimed, u.claimedEra = p.topo, u.era
	o := &owner{topo: p.topo, era: u.era, floor: executed}
	for _, r := range p.topo.Shards[u.shard].Slots {
		for group := r.From / router.GroupSlots; group <= r.To/router.GroupSlots; group++ {
			p.g.high.take(group, o)
		}
	}
}

// take has a group count by o, unless another loop has found that or something later.
func (h *highs) take(group int, o *owner) {
	for {
		was := h.owners[group].Load()
		if was != nil && was.topo == o.topo && was.era.serial >= o.era.serial {
			return
		}
		if h.owners[group].CompareAndSwap(was, o) {
			if was != nil && was.topo == o.topo {
				was.era.over.Store(true)
			}
			return
		}
	}
}

// heedReads is a mask for lane.heed, of lanes where what is answered is noted for the sake of reads from replicas. No row's flags cover it.
const heedReads = command.Flags(1 << 28)

// heedEra follows a stamp: which era the node is in, and how far.
func (ln *lane) heedEra() {
	u, st := ln.u, &ln.stamp
	if st.history == "" {
		return
	}
	if u.era == nil || u.era.reign != st.reign || u.era.history != st.history {
		e := u.p.g.high.eraOf(st, len(u.p.shards))
		if u.era != nil && e.serial < u.era.serial {
			return // a lane that lags behind others to the same node
		}
		u.era, u.at = e, 0
	}
	u.at = max(u.at, st.executed)
}

// noteHigh notes of a reply of a primary's what reads from its replicas must show from now on: others' those of its slot, its own session's all that it has seen.
func (ln *lane) noteHigh(t *ticket, writes bool) {
	u := ln.u
	if u.era == nil || u.replica {
		return
	}
	at := ln.stamp.executed
	u.claim(t.startNS, at)
	if writes {
		ln.raiseFor(t, at)
	}
	if r := t.s.reads; r != nil && r.level != levelEventual && (!writes || r.level != levelGateway) {
		r.see(u.era, at)
	}
}

// raiseFor notes the write in front of the lane, whose reply came behind a stamp of at: for the slots of its keys, or for all if it may have changed what it
// does not name.
func (ln *lane) raiseFor(t *ticket, at int64) {
	row, e := t.row, ln.u.era
	if t.bytes == 0 || t.kind&kindPiece != 0 || scripted(row) || row.Flags.Has(command.TouchesArbitraryKeys) {
		e.raise(-1, at)
		return
	}
	it := resp.Elements(ln.log[ln.head : ln.head+int(t.bytes)])
	if row.First == 1 && row.Last == 1 && !row.Flags.Has(command.MovableKeys) {
		it.Next()
		arg, _ := it.Next()
		key, _ := resp.BulkOf(arg)
		e.raise(router.Slot(key), at)
		return
	}
	p := ln.p
	args := p.args[:0]
	for arg, ok := it.Next(); ok; arg, ok = it.Next() {
		word, _ := resp.BulkOf(arg)
		args = append(args, word)
	}
	p.keys = row.KeyPositions(args, p.keys[:0])
	for _, key := range p.keys {
		e.raise(router.Slot(args[key]), at)
	}
	if len(p.keys) == 0 {
		e.raise(-1, at)
	}
	clear(args)
	p.args = args[:0]
}
