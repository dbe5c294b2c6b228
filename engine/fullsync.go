package engine

import (
	"slices"
	"strconv"
	"time"
)

// fullSync is a copy of the keyspace on its way to replicas. All its members get the same pieces, which are kept once, until the slowest has them, within a
// window; who asks while the first pieces are still there joins in. The pieces come from a pass, or from the file that a pass went to before (spooled.go).
//
// What must hold: the stream of each member begins at the moment whose data it is sent; what a member does not take holds up the pass, and after some time
// is its own end, but never a client. It belongs to the loop.
type fullSync struct {
	p       *part
	want    copyKind
	offset  int64 // of the stream, at the moment whose data it is
	mark    string
	members []*replica
	pass    *pass
	spooled *spooled // nil: the pieces come from the pass itself
	pieces  []*chunk
	first   int   // the number of pieces[0]
	kept    int64 // bytes of pieces
	total   int64 // bytes of all pieces so far
	done    bool  // no more come
}

// copyKind is what replicas must have in common to be sent the same copy.
type copyKind struct {
	counted     bool // its length goes before it, instead of a mark behind it
	noKeys      bool
	noFunctions bool
	valkey      bool // it may be in Valkey's form
}

const (
	syncWindow  = 16 << 20               // bytes kept for the slowest member
	syncJoinMax = 4 << 20                // bytes up to which a newcomer can have the copy from its beginning
	syncPiece   = 256 << 10              // bytes written at once
	syncStuckNS = int64(5 * time.Second) // a member that takes nothing for so long is cut if others wait for it
)

// wants is the kind of copy that a replica takes.
func (r *replica) wants() copyKind {
	t := &r.told
	return copyKind{counted: !t.eof || !r.s.p.set.repl.diskless && !t.filtered, noKeys: t.filtered, noFunctions: t.filtered && !t.functions, valkey: t.takesValkey()}
}

// startWaiting begins a copy for those who wait, if it is time.
func (p *part) startWaiting() {
	all, set := &p.replicas, &p.set.repl
	if all.copying != nil {
		return
	}
	var longestNS, waiting int64
	for _, r := range all.all {
		if r.phase == phaseWaiting {
			waiting++
			longestNS = max(longestNS, p.nowNS-r.askedNS)
		}
	}
	if waiting > 0 && (longestNS >= set.delayS*int64(time.Second) || set.delayMost > 0 && waiting >= set.delayMost) {
		p.startCopy()
	}
}

// startCopy begins a copy for the replica that has waited longest, and all who take the same. If two passes are under way already it is tried again.
func (p *part) startCopy() {
	all := &p.replicas
	at := slices.IndexFunc(all.all, func(r *replica) bool { return r.phase == phaseWaiting })
	if at < 0 || all.copying != nil {
		return
	}
	p.beginStream()
	y := &fullSync{p: p, want: all.all[at].wants(), offset: p.stream.past.End(), mark: randomID(p.store.Rand())}
	if err := y.begin(); err != nil {
		p.n.log.Warn("replicas have to wait for a copy of the data", "node", p.n.id, "err", err)
		return
	}
	all.copying = y
	for _, r := range all.all {
		if r.phase == phaseWaiting {
			y.join(r)
		}
	}
}

func (y *fullSync) begin() (err error) {
	options := passOptions{valkey: y.want.valkey, noKeys: y.want.noKeys, noFunctions: y.want.noFunctions}
	var to sink = y
	if y.want.counted {
		if y.spooled, err = newSpooled(y); err != nil {
			return err
		}
		to = y.spooled
	}
	if y.pass, err = y.p.beginPass(options, to); err != nil && y.spooled != nil {
		y.p.closeSpool(y.spooled.file)
	}
	return err
}

// join makes a replica a member, if it can have the copy from its beginning and the stream from the copy's moment on.
func (y *fullSync) join(r *replica) bool {
	past := y.p.stream.past
	if r.wants() != y.want || y.first > 0 || y.total > syncJoinMax || y.done {
		return false
	}
	if !r.told.rdbOnly {
		if r.feed = past.Read(y.offset); r.feed == nil {
			return false
		}
	}
	r.phase, r.copy, r.chunk, r.movedNS = phaseSyncing, y, 0, y.p.nowNS
	y.members = append(y.members, r)
	if !r.old {
		r.write("+FULLRESYNC " + past.ID + " " + strconv.FormatInt(y.offset, 10) + "\r\n")
	}
	switch {
	case !y.want.counted:
		r.write("$EOF:" + y.mark + "\r\n")
	case y.spooled.sealed:
		r.write(y.spooled.head())
	}
	return true
}

// sending tells whether there is something to be sent yet.
func (y *fullSync) sending() bool { return y.spooled == nil || y.spooled.sealed }

// room tells whether a piece more can be kept.
func (y *fullSync) room() bool { return y.kept < syncWindow }

// put takes a piece. It is written at the end of the turn, with whatever else there is.
func (y *fullSync) put(piece *chunk) {
	y.pieces = append(y.pieces, piece)
	y.kept += int64(len(piece.bytes))
	y.total += int64(len(piece.bytes))
	y.touch()
}

func (y *fullSync) touch() {
	for _, r := range y.members {
		r.s.c.Touch()
	}
}

// checksum stands at the end of a copy: none is reckoned for what goes over a connection, which is what zeros say.
const checksum = "\x00\x00\x00\x00\x00\x00\x00\x00"

// end says that no more pieces come. With an error the copy is none, and its members have to ask again.
func (y *fullSync) end(err error) {
	y.done = true
	if err != nil {
		y.fail(err)
		return
	}
	y.touch()
}

// fail ends the copy, and the members with it.
func (y *fullSync) fail(err error) {
	p := y.p
	p.n.log.Error("replicas are cut: the copy of the data cannot be made", "node", p.n.id, "replicas", len(y.members), "err", err)
	for _, r := range slices.Clone(y.members) {
		r.s.c.Close()
	}
	y.finish()
}

// send writes what a member can take. Pieces are not copied: what the socket does not take of one at once is all that is kept apart for this member.
func (y *fullSync) send(r *replica) {
	c := r.s.c
	for c.Unsent() < feedHigh {
		if len(r.rest) == 0 {
			at := r.chunk - y.first
			if at == len(y.pieces) {
				y.release()
				if y.done {
					y.sent(r)
				}
				return
			}
			r.rest = y.pieces[at].bytes
			r.chunk++
			continue
		}
		piece := r.rest[:min(len(r.rest), syncPiece)]
		r.rest = r.rest[len(piece):]
		r.movedNS = y.p.nowNS
		y.p.count.replOut += uint64(len(piece))
		if c.Write(piece) != nil {
			return // it is gone, and no member any more
		}
	}
	y.release()
	c.WhenDrained(feedLow)
}

// sent: the member has all of the copy.
func (y *fullSync) sent(r *replica) {
	p := y.p
	if !y.want.counted {
		r.write(checksum + y.mark)
	}
	r.copy = nil
	p.n.log.Info("replica has its copy of the data", "node", p.n.id, "replica", r.address(), "bytes", y.total, "behind bytes", r.behind())
	switch {
	case r.told.rdbOnly:
		r.s.closing = true
		r.s.c.Finish()
	case y.want.counted:
		r.online()
	default:
		r.phase, r.ackedNS = phaseLoading, p.nowNS
	}
	y.drop(r)
}

// drop takes a member out. A copy without members is nobody's.
func (y *fullSync) drop(r *replica) {
	y.members = slices.DeleteFunc(y.members, func(o *replica) bool { return o == r })
	r.copy, r.rest = nil, nil
	if len(y.members) == 0 {
		y.finish()
		return
	}
	y.release()
}

// release lets go of pieces that all members have, once nobody can join in any more, and has the source go on.
func (y *fullSync) release() {
	if y.total <= syncJoinMax && !y.done {
		return
	}
	least := y.first + len(y.pieces)
	for _, r := range y.members {
		at := r.chunk
		if len(r.rest) > 0 {
			at--
		}
		least = min(least, at)
	}
	if least == y.first {
		return
	}
	for ; y.first < least; y.first++ {
		y.letGo()
	}
	y.wake()
}

// letGo gives the oldest piece back.
func (y *fullSync) letGo() {
	y.kept -= int64(len(y.pieces[0].bytes))
	y.pieces[0].done()
	y.pieces[0] = nil
	y.pieces = y.pieces[1:]
}

func (y *fullSync) wake() {
	if y.spooled != nil {
		y.spooled.read()
	} else {
		y.pass.wake()
	}
}

// holdsOthersUp tells whether a member that has been silent for so long is what others wait for.
func (y *fullSync) holdsOthersUp(r *replica, silentNS int64) bool {
	return silentNS > syncStuckNS && !y.room() && slices.ContainsFunc(y.members, func(o *replica) bool { return o != r && o.chunk > r.chunk })
}

// finish ends the copy; those who came meanwhile get the next one.
func (y *fullSync) finish() {
	p := y.p
	if p.replicas.copying != y {
		return
	}
	p.replicas.copying = nil
	for len(y.pieces) > 0 {
		y.letGo()
	}
	if y.spooled != nil {
		y.spooled.close()
	} else {
		y.pass.leave(y)
	}
	p.l.Later(p.startCopy)
}
