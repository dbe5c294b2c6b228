package engine

import (
	"net/netip"
	"strconv"
	"time"

	"larder/engine/history"
	"larder/loop"
	"larder/protocol/client"
	"larder/protocol/resp"
)

// replicaPhase is how far a connection is on its way to be a replica.
type replicaPhase uint8

const (
	phaseNone    replicaPhase = iota // REPLCONF was said, no more
	phaseWaiting                     // it waits for a pass to begin
	phaseSyncing                     // it is being sent a copy of the data
	phaseLoading                     // it has all of the copy: the stream follows when it says that it has understood where the copy ends
	phaseOnline                      // it is sent the stream
)

// announced is what a replica tells of itself by REPLCONF.
type announced struct {
	port      int
	ip        string // "": the connection's
	eof       bool   // it takes a copy that ends with a mark
	psync2    bool   // it takes a new name of the stream with +CONTINUE
	rdbOnly   bool   // it wants a copy and no stream
	filtered  bool   // of the copy it wants no keys
	functions bool   // and the functions, if filtered
	version   string // of the server; "": it did not say

	run, primary, reign string // of a managed node: itself, whom it takes this node for, and in which reign
}

// replica is a connection that follows this node, or prepares to. Once it has asked for the data its session runs no command any more: what it sends is
// read here, and what it is sent is a copy of the data, then the stream, each at the pace at which it reads.
type replica struct {
	s        *session
	told     announced
	phase    replicaPhase
	old      bool // it asked by SYNC: it says nothing about how far it is, but for the end of the copy
	requests resp.Requests
	ackedAt  int64 // the offset up to which it has the stream, by its own account
	syncedAt int64 // up to where it is on its disk
	acked    acked // what a managed node has acknowledged for its shard
	ackedNS  int64 // when it said so last
	movedNS  int64 // when it last took bytes of the copy
	feed     *history.Reader
	copy     *fullSync // the pass that it is part of
	chunk    int       // the next piece of the copy, by its number in the pass
	rest     []byte    // what is left of the piece before
	softNS   int64     // since when more is kept for it than the soft limit allows, 0 = it is not
	askedNS  int64     // when it asked for a copy
}

// What is written to a replica's socket before it has taken what was written earlier, bytes: little more than a round of the loop can carry off.
const (
	feedHigh = 1 << 20
	feedLow  = 256 << 10
)

// isReplica tells whether the session follows this node.
func (s *session) isReplica() bool { return s.replica != nil && s.replica.phase != phaseNone }

// replicaLimits bound what a replica says: it has few words.
func replicaLimits() resp.Limits {
	return resp.Limits{ArgsMax: 64, BulkMax: 4 << 10, InlineMax: 4 << 10}
}

// begin makes the session a replica's. Its later commands are not run as a client's.
func (r *replica) begin(next replicaPhase) {
	s, p := r.s, r.s.p
	s.endMulti()
	s.leaveAll()
	s.untrack()
	s.owe(0)
	s.stalled = stallReplica
	r.requests.Reset(replicaLimits())
	r.ackedNS, r.movedNS, r.phase = p.nowNS, p.nowNS, next
	s.c.Resume() // for what stands behind the command that asked
	p.replicas.all = append(p.replicas.all, r)
	p.countGood()
}

// leave ends the replica; the session has ended.
func (r *replica) leave() {
	p := r.s.p
	if r.phase == phaseNone {
		return
	}
	r.phase = phaseNone
	r.closeFeed()
	if r.copy != nil {
		r.copy.drop(r)
	}
	p.replicas.remove(r, p.nowNS)
	p.countGood()
	p.n.log.Info("replica lost", "node", p.n.id, "replica", r.address(), "offset", r.ackedAt)
}

func (r *replica) closeFeed() {
	if r.feed != nil {
		r.feed.Close()
		r.feed = nil
	}
}

// address is where the replica itself is reached.
func (r *replica) address() string {
	return netip.AddrPortFrom(r.s.c.Peer().Addr(), uint16(r.told.port)).String()
}

// ip is the address as INFO and ROLE show it.
func (r *replica) ip() string {
	if r.told.ip != "" {
		return r.told.ip
	}
	return r.s.c.Peer().Addr().Unmap().String()
}

// data reads what the replica says.
func (r *replica) data(c *loop.Conn) {
	s, p := r.s, r.s.p
	p.enter()
	s.activeNS = p.nowNS
	buf, pos := c.In(), 0
	for !s.closing {
		request, n, state := r.requests.Next(buf[pos:])
		pos += n
		if state == resp.Failed {
			p.n.log.Warn("replica cut: what it says is no command", "node", p.n.id, "replica", r.address(), "err", r.requests.Err())
			s.closing = true
		}
		if state != resp.Done {
			break
		}
		r.hear(request.Args)
	}
	p.count.bytesIn += uint64(pos)
	c.Took(pos)
	if s.closing {
		c.Close()
	}
}

// hear obeys a word of the replica. Any other than REPLCONF would have to be answered, amid the stream: Redis 7.0 cuts such a replica, too.
func (r *replica) hear(args [][]byte) {
	p := r.s.p
	if lower(args[0]) != "replconf" {
		p.n.log.Warn("replica cut: it may say REPLCONF only", "node", p.n.id, "replica", r.address(), "command", string(args[0]))
		r.s.closing = true
		return
	}
	if len(args) >= 3 && lower(args[1]) == "ack" {
		r.ack(args[1:])
	}
}

// ack notes how far the replica is (ACK offset [FACK offset] [REIGN reign run offset]). It cannot be further than the stream.
func (r *replica) ack(words [][]byte) {
	p := r.s.p
	offset, ok := resp.ParseNumber(words[1])
	if !ok {
		return
	}
	end := p.stream.past.End()
	r.ackedAt = max(r.ackedAt, min(offset, end))
	words = words[2:]
	if len(words) >= 2 && lower(words[0]) == "fack" {
		if synced, ok := resp.ParseNumber(words[1]); ok {
			r.syncedAt = max(r.syncedAt, min(synced, end))
		}
		words = words[2:]
	}
	r.ackedNS = p.nowNS
	if r.phase == phaseLoading {
		r.online()
	}
	if len(words) >= 4 && p.reign != nil && lower(words[0]) == "reign" {
		p.reign.counts(r, words[1:])
	}
	p.countGood()
	p.serveAcks()
	p.stepFailover()
}

// online has the replica be sent the stream.
func (r *replica) online() {
	p := r.s.p
	r.phase = phaseOnline
	r.ackedNS = p.nowNS
	p.n.log.Info("replica is online", "node", p.n.id, "replica", r.address(), "behind bytes", p.stream.past.End()-r.feed.Offset())
	p.countGood()
	r.s.c.Touch()
}

// flush comes at the end of a turn in which the stream grew, or more can be written.
func (r *replica) flush() {
	p, c := r.s.p, r.s.c
	p.askForAcks()
	if p.reign != nil {
		p.reign.sending()
	}
	switch {
	case r.phase == phaseOnline:
		r.sendStream()
	case r.copy != nil:
		r.copy.send(r)
	}
	if r.phase != phaseNone && r.feed != nil && r.overLimit() {
		p.count.outputClosed++
		p.n.log.Warn("replica cut: it does not keep up; client-output-buffer-limit says how far behind a replica may be",
			"node", p.n.id, "replica", r.address(), "behind bytes", r.behind())
		r.s.closing = true
		c.Close()
	}
}

func (r *replica) sendStream() {
	c := r.s.c
	for c.Unsent() < feedHigh {
		view := r.feed.Next()
		if len(view) == 0 {
			return
		}
		if c.Write(view) != nil {
			return
		}
		r.feed.Took(len(view))
		r.s.p.count.replOut += uint64(len(view))
	}
	c.WhenDrained(feedLow)
}

// behind is what is kept of the stream for the replica, in the history and in its output.
func (r *replica) behind() int64 {
	n := int64(r.s.c.Unsent())
	if r.feed != nil {
		n += r.s.p.stream.past.End() - r.feed.Offset()
	}
	return n
}

// overLimit tells whether that is more than the limits of its class allow. A limit below the backlog's size is taken for that size: the bytes are there
// anyway, and the replica would get them all again (Redis 7.0 networking.c, checkClientOutputBufferLimits).
func (r *replica) overLimit() bool {
	p := r.s.p
	limit := p.set.outputLimits[client.ClassReplica]
	if limit.Hard > 0 {
		limit.Hard = max(limit.Hard, p.stream.past.KeepBytes())
	}
	return !limit.Off() && limit.Over(r.behind(), p.nowNS, &r.softNS)
}

// write is for the few bytes that go before the copy and behind it. Where the session's own command asks for them they go behind the replies before it.
func (r *replica) write(text string) {
	if r.s.writing {
		r.s.p.w.Out = append(r.s.p.w.Out, text...)
		return
	}
	r.s.c.Out = append(r.s.c.Out, text...)
	r.s.c.Touch()
}

// stateName is the replica's state as INFO shows it.
func (r *replica) stateName() string {
	switch r.phase {
	case phaseWaiting:
		return "wait_bgsave"
	case phaseSyncing:
		if r.copy != nil && r.copy.spooled != nil && r.copy.spooled.sealed {
			return "send_bulk"
		}
		return "wait_bgsave"
	default:
		return "online"
	}
}

// lagS is for how long it has said nothing, seconds.
func (r *replica) lagS() int64 {
	if r.phase != phaseOnline {
		return 0
	}
	return (r.s.p.nowNS - r.ackedNS) / int64(time.Second)
}

// line is slaveN of INFO.
func (r *replica) line(n int) string {
	return "slave" + strconv.Itoa(n) + ":ip=" + r.ip() + ",port=" + strconv.Itoa(r.told.port) + ",state=" + r.stateName() +
		",offset=" + strconv.FormatInt(r.ackedAt, 10) + ",lag=" + strconv.FormatInt(r.lagS(), 10) + "\r\n"
}
