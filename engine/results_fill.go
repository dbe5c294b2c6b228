package engine

import (
	"strconv"

	"larder/engine/store"
	"larder/protocol/resp"
)

// fill tells what is to be told, as far as there is room in a piece, for a bounded time, and gives the piece to the receiver if it waits for one.
func (r *results) fill() {
	if r.live && len(r.out) < resultsPieceBytes {
		r.p.obey(r.fillSlice)
	}
	r.give()
	r.resume()
	if r.live && len(r.out) < resultsPieceBytes && (r.copying || r.waiting > 0) && !r.filling {
		r.filling = true
		r.p.l.Later(func() {
			r.filling = false
			r.p.enter()
			r.fill()
		})
	}
}

// fillSlice runs within obey: what is dead is seen.
func (r *results) fillSlice() {
	p := r.p
	if r.functions {
		r.functions = false
		r.command(0, 4)
		r.out = resp.AppendBulkString(resp.AppendBulkString(r.out, "FUNCTION"), "RESTORE")
		r.out = resp.AppendBulkString(resp.AppendBulk(r.out, p.dumpLibraries()), "FLUSH")
	}
	untilNS := p.clockNS() + resultsSliceNS
	for len(r.out) < resultsPieceBytes && (r.copying || r.waiting > 0) && p.clockNS() < untilNS {
		r.tellPending()
		if r.copying {
			r.copyStep()
		}
	}
}

// pendingStep is how many pending keys are told before the copy goes on a step.
const pendingStep = 16

func (r *results) tellPending() {
	for n := 0; n < pendingStep && r.waiting > 0 && len(r.out) < resultsPieceBytes; n++ {
		for db := range r.pending {
			if q := &r.pending[db]; len(q.order) > 0 {
				key := q.order[0]
				q.order[0] = ""
				if q.order = q.order[1:]; len(q.order) == 0 {
					q.order = nil
				}
				delete(q.has, key)
				r.waiting--
				r.tellKey(db, []byte(key))
				break
			}
		}
	}
}

// tellKey tells a key by its result.
func (r *results) tellKey(db int, key []byte) {
	it, found := r.p.store.DB(db).Peek(key, r.p.nowMS)
	if !found {
		r.tell(db, "UNLINK", string(key))
		return
	}
	r.tellItem(db, it)
}

// tellItem tells an item with all that it has.
func (r *results) tellItem(db int, it store.Item) {
	fields := 5
	at := it.ExpiryMS()
	if at != store.NoExpiry {
		fields++
	}
	r.args = r.p.call.AppendDump(r.args[:0], it)
	r.command(db, fields)
	r.out = resp.AppendBulk(resp.AppendBulkString(r.out, "RESTORE"), it.Key())
	r.out = resp.AppendBulkString(r.out, strconv.FormatInt(at, 10))
	r.out = resp.AppendBulkString(resp.AppendBulk(r.out, r.args), "REPLACE")
	if at != store.NoExpiry {
		r.out = resp.AppendBulkString(r.out, "ABSTTL")
	}
	if cap(r.args) > resultsPieceBytes {
		r.args = nil
	}
}

// copyStep tells the keys of at least one bucket.
func (r *results) copyStep() {
	for ; r.db < len(r.pending); r.db, r.at = r.db+1, (store.Cursor{}) {
		if r.p.store.DB(r.db).ScanOn(&r.at, r.p.nowMS, nil, func(it store.Item) {
			r.copied++
			r.tellItem(r.db, it)
		}) {
			return
		}
	}
	r.copying = false
}

// give gives the receiver what was told, if it waits and there is something new.
func (r *results) give() {
	offset := int64(-1)
	if r.live && !r.copying && r.waiting == 0 && !r.functions && r.p.link != nil {
		offset = r.p.stream.past.End()
	}
	if r.want == nil || !r.live || len(r.out) == 0 && !r.anew && (offset < 0 || offset == r.toldAt) {
		return
	}
	r.want <- ResultPiece{
		Anew: r.anew, Commands: r.out, Swaps: r.swaps, MadeMS: r.madeMS, ID: r.p.stream.past.ID, Offset: offset,
		Copying: r.copying, Copied: r.copied, Total: r.total, Pending: int64(r.waiting),
	}
	r.want, r.out, r.anew, r.toldAt = nil, nil, false, offset
}

// resume has the link go on that has waited for room.
func (r *results) resume() {
	if k := r.p.link; k != nil {
		k.unhold()
	}
}
