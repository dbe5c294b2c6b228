package proxy

import (
	"log/slog"
	"math/rand/v2"
	"time"

	"larder/access/acl"
	"larder/loop"
	"larder/metrics"
	"larder/metrics/slow"
	"larder/protocol/command"
	"larder/protocol/resp"
	"larder/proxy/mirror"
	"larder/router"
)

// part is one loop's share of a gateway: its clients, its lanes, its counters. All of it
// is touched on that loop only; what loops share hangs on the gateway behind atomics.
type part struct {
	g      *Gateway
	l      *loop.Loop
	opts   *Options // the gateway's, as take saw them last
	base   time.Time
	nowNS  int64 // since base, sampled at each callback
	chance *rand.Rand

	topo      *router.Topology
	topoID    uint64               // topologyID of topo
	topoNS    int64                // since when
	shards    []*upstream          // by shard of topo: its primary
	upstreams map[string]*upstream // by address; those of replicas with a word before it
	made      uint                 // how many of them there have been
	swaps     uint32               // grows when a shared lane is replaced while commands are out on it
	vouches   uint64               // grows with what lanes vouch for: the topology, and who is a shard's primary in it
	records   []*router.Record
	probeNS   int64 // when nodes were last asked for theirs

	rules     *readRules    // the gateway's, as take saw them last
	noting    bool          // somebody may read from replicas
	replicas  [][]*upstream // by shard of topo, while noting
	topoSwaps uint32        // grows when they may be others
	adoptedNS int64         // since when commands go by topo and records
	partLanes []*lane       // of the parts of a command over several shards
	slots     []int         // of the keys of the command that is being run
	args      [][]byte

	sessions     map[uint64]*session
	lastHeard    uint64 // the session of which commands came last
	othersNS     int64  // when they were another's
	hearing      hearing
	watchers     int        // sessions that MONITOR
	pausing      []*session // wait for CLIENT PAUSE to end
	turns        []*session // wait for their turn at changing functions
	retries      []retry    // commands that a node refused as stale and that wait to go again
	retriesDueNS int64      // none of them can go before, if nothing else has happened

	inquests    []*inquest // lanes that were lost, of which a primary is to say how far they came
	waiting     []*session // whose next command is for a shard in trouble
	parkedBytes int        // of the inquests
	waitBytes   int        // unread of those who wait
	retryBytes  int

	pasts        []*past // the streams of nodes that say more than is committed
	holds        []*hold // what waits for that
	releasing    bool
	releaseAgain bool
	heldRaw      int   // bytes of their commands
	hearNS       int64 // when nodes were last asked how far they are

	refusals  acl.Log
	slowLog   slow.Log
	finishing *job // that is just being answered
	spikes    slow.Spikes
	slowNS    int64 // what takes as long is looked at by the slow log or the latency monitor

	w          resp.Writer
	lanes      []*lane
	keys       []int
	lastText   *scriptText     // the script that was looked at last
	publishing map[string]bool // by SHA1: whether scripts that the gateway does not know may publish
	split      router.Split
	again      resp.Requests
	bufs       buffers
	scratch    []byte // small messages that leave together
	merges     merges
	txs        transactions
	caches     caches

	gathered int // bytes that jobs keep

	feed      *mirror.Feed // nil: nothing is mirrored
	count     counters
	publishNS int64
	strangers uint64 // refused since the last line in the log

	stopping bool
	parting  parting // who is sent away

	strangerNS, warnNS int64 // when those lines were written
}

func newPart(g *Gateway, l *loop.Loop) *part {
	p := &part{
		g: g, l: l, opts: g.opts.Load(), base: l.Now(),
		chance:    rand.New(rand.NewPCG(g.seed, uint64(l.Index()))),
		upstreams: map[string]*upstream{},
		sessions:  map[uint64]*session{},
		refusals:  acl.NewLog(g.settings.Load().refusalsMax),
	}
	p.caches = newCaches()
	p.count.commands = metrics.NewCommands()
	p.watchTimes(&g.settings.Load().watching)
	p.again.Reset(g.limits(true))
	p.rules = g.rules.Load()
	p.noting = p.rules.splits() || g.high.on.Load()
	if g.mirror != nil {
		p.feed = g.mirror.Feed(l.Post, p.base)
	}
	p.enter()
	return p
}

// enter begins every callback: the clock and the topology are read once.
func (p *part) enter() {
	p.nowNS = int64(p.l.Now().Sub(p.base))
	if t := p.g.topo.Load(); t != p.topo {
		p.adopt(t)
	}
}

// adopt routes by a new topology from now on. Sessions with commands under way finish
// them first, so that no command overtakes one that goes another way.
func (p *part) adopt(t *router.Topology) {
	if p.topo != nil && p.topo.Cluster != t.Cluster {
		p.records = nil // nodes of two clusters may have the same names
	}
	if p.topo != t {
		p.topo, p.topoID, p.topoNS = t, topologyID(t), p.nowNS
	}
	p.swaps++
	p.vouches++
	p.shards = p.shards[:0]
	used := map[string]bool{}
	for _, shard := range t.Shards {
		addr, record := p.primaryOf(&shard)
		used[addr] = true
		u := p.upstreamAt(addr)
		for _, ln := range u.deposedLanes() {
			ln.over = true
		}
		u.left, u.probed, u.led, u.record, u.deposedNS, u.shard = false, false, true, record, 0, len(p.shards)
		u.halted = record != nil && record.State != router.Normal
		p.shards = append(p.shards, u)
	}
	p.enlist(used)
	for addr, u := range p.upstreams {
		if !used[addr] {
			u.rerouteAll()
			u.leave()
			if now := p.present(u); now != nil && now.record != nil && u.led {
				u.led = false
				u.depose(now)
			}
		}
	}
	p.rehome()
	p.movedCaches()
	for _, u := range p.shards {
		u.rerouteAll()
		if u.halted {
			u.troubled()
		}
		u.recovered()
	}
	if len(p.waiting) > 0 {
		p.wakeWaiting()
	}
}

// rerouteAll takes back all that waits for lanes which are not ready.
func (u *upstream) rerouteAll() {
	u.arriving = nil // all of them are routed anew
	for _, ln := range append([]*lane(nil), u.lanes...) {
		if ln.state < laneReady && ln.queue.len() > 0 {
			ln.reroute()
		}
	}
}

// upstreamAt is the node at an address. One that is new serves no shard yet.
func (p *part) upstreamAt(addr string) *upstream {
	u := p.upstreams[addr]
	if u == nil {
		u = p.addUpstream(addr, addr)
	}
	return u
}

func (p *part) addUpstream(key, addr string) *upstream {
	u := &upstream{p: p, addr: addr, bit: 1 << (p.made % 64), left: true}
	p.made++
	p.upstreams[key] = u
	return u
}

// reroute takes back what a lane was given before its node is known, and sends it by the present topology: the epoch that its greeting will say would
// else vouch for commands that were routed by an older one.
func (ln *lane) reroute() {
	queue, log := ln.queue, ln.log
	ln.queue, ln.log, ln.db, ln.dbMax, ln.taught, ln.acts = tickets{}, nil, 0, 0, lessons{}, nil
	ln.dropHears() // before anything is asked anew
	for at := 0; queue.len() > 0; {
		t := queue.pop()
		raw := log[at : at+int(t.bytes)]
		at += len(raw)
		if t.s != nil {
			t.s.flying--
		}
		switch {
		case t.s == nil || t.s.abandoned():
		case t.s.retrying > 0:
			ln.p.later(ln.u, t, raw)
		default:
			ln.p.resend(ln.u, t, raw)
		}
	}
	if ln.use == useWatch || ln.use == useBlock {
		ln.discard() // what it was lent for has another
	}
}

// leave lets a node's lanes answer what they were asked and then close. It is watched until the last of them has.
func (u *upstream) leave() {
	u.left = true
	u.shared, u.fading = [lines]*lane{}, nil
	for len(u.queue) > 0 {
		u.nextBorrower()
	}
	for _, ln := range append([]*lane(nil), u.lanes...) {
		if ln.open() && ln.lentTo == nil {
			ln.end()
		}
	}
}

// end takes no new commands; the lane closes when it has answered.
func (ln *lane) end() {
	if ln.state != laneReady {
		ln.fail(errLeft)
		return
	}
	ln.state = laneEnding
	ln.progress()
}

// Accept lets a client in, or not.
func (p *part) Accept(c *loop.Conn) loop.Handler {
	p.enter()
	if !p.g.access.Load().Allows(c.Peer().Addr()) {
		p.count.refused++
		p.stranger(c)
		return nil
	}
	s := &session{p: p, c: c, id: p.g.nextID.Add(1), proto: 2, line: 2, swaps: p.swaps, openedNS: p.nowNS, activeNS: p.nowNS}
	s.requests.Reset(p.g.limits(true))
	s.beDefault()
	p.sessions[s.id] = s
	p.count.accepted++
	return s
}

func (p *part) removeSession(s *session) {
	delete(p.sessions, s.id)
	p.count.closed++
}

// warnEveryNS is how often refusals and slow clients are logged at most, a loop.
const warnEveryNS = int64(time.Second)

// stranger logs refused addresses: one line a second, and how many it stands for.
func (p *part) stranger(c *loop.Conn) {
	p.strangers++
	if p.strangerNS != 0 && p.nowNS-p.strangerNS < warnEveryNS {
		return
	}
	p.g.log.Warn("connection refused: no access list names its address",
		"address", c.Peer().Addr().Unmap().String(), "endpoint", p.opts.Listen, "refused", p.strangers)
	p.strangers, p.strangerNS = 0, p.nowNS
}

// warnf logs about one client, at most once a second.
func (p *part) warnf(text string, c *loop.Conn) {
	if p.warnNS != 0 && p.nowNS-p.warnNS < warnEveryNS {
		return
	}
	p.warnNS = p.nowNS
	p.g.log.Warn(text, slog.String("client", c.Peer().String()))
}

// Tick does what time brings: lanes that do not answer, clients that idle, counters.
func (p *part) Tick(time.Time) {
	p.enter()
	rest := len(p.sessions) == 0
	for addr, u := range p.upstreams {
		p.tickUpstream(u)
		rest = rest && u.rests()
		if u.left && !u.probed && len(u.lanes) == 0 {
			delete(p.upstreams, addr)
		}
	}
	p.tickRecords()
	p.tickTrouble()
	p.tickReads()
	p.tickHearing()
	if rest && len(p.inquests) == 0 {
		p.l.Rest()
	}
	p.tickTracking()
	p.tickHeld()
	if p.feed != nil {
		p.feed.Flush()
	}
	p.retryStale()
	p.nextTurn()
	if len(p.retries)+len(p.pausing) > 0 {
		p.l.Hurry()
	}
	if pause := p.g.pause.Load(); len(p.pausing) > 0 && (pause == nil || !pause.Active(p.g.nowMS(p.l.Now()))) {
		p.endPause()
	}
	if p.nowNS-p.publishNS >= int64(time.Second) {
		p.publishNS = p.nowNS
		commands, _ := p.count.commands.Total()
		p.count.rates.Take(commands, p.count.bytesIn, p.count.bytesOut, p.nowNS)
		p.tickSessions()
		p.tickMonitors()
		p.publish()
	}
}

func (p *part) tickUpstream(u *upstream) {
	o := &p.opts.Upstream
	p.lanes = append(p.lanes[:0], u.lanes...) // failing one changes the list
	for _, ln := range p.lanes {
		switch {
		case ln.state < laneReady:
			ln.tickSettling()
			if ln.state < laneReady && p.nowNS > ln.deadNS {
				ln.fail(errGreetTimeout)
			}
		case ln.slow != nil:
			p.tickSlow(ln)
		case ln.takesCommand():
			if ln.stuck(ln.c.Unsent(), int64(o.ReplyTimeout)) {
				ln.fail(errTakeTimeout)
			}
		case ln.queue.len() > 0 && ln.queue.front().kind&kindBlocks != 0: // see watchBlocked
		case ln.queue.len() > 0 && p.nowNS-max(ln.queue.front().startNS, ln.heardNS) > u.patienceNS():
			ln.fail(errReplyTimeout)
		}
	}
	u.tickDeposed()
	u.watchBlocked()
	u.closeIdle()
	u.closeLeft()
}

// takesCommand says whether a large command waits for the node to take more of it.
func (ln *lane) takesCommand() bool {
	s := ln.lentTo
	return s != nil && s.stalled == stallStream && s.stream != nil && s.stream.started
}

// stuck looks at what is left to be taken by the other side, and says whether that has not changed for longer than most.
func (ln *lane) stuck(left int, most int64) bool {
	if left != ln.left {
		ln.left, ln.leftNS = left, ln.p.nowNS
		return false
	}
	return ln.p.nowNS-ln.leftNS > most
}

// slowMaxNS is how long a client may take nothing of a large reply that holds a lane.
const slowMaxNS = int64(10 * time.Second)

func (p *part) tickSlow(ln *lane) {
	s := ln.slow
	if ln.stuck(s.c.Unsent(), slowMaxNS) {
		p.count.slowClosed++
		p.warnf("client closed: it stopped reading a large reply", s.c)
		s.c.Close()
	}
}

// tickSessions closes clients that have been silent for too long, or too slow.
func (p *part) tickSessions() {
	if p.hearing.sessions > 0 {
		for _, s := range p.sessions {
			if s.softNS != 0 {
				s.limit()
			}
		}
	}
	idle := p.g.settings.Load().idle
	if idle <= 0 {
		return
	}
	for _, s := range p.sessions {
		if s.q.len() == 0 && s.stream == nil && !s.hears() && p.nowNS-s.activeNS > int64(idle) {
			s.c.Close()
		}
	}
}

// Stop is the loop's end: nothing to wait for, connections close by themselves.
func (p *part) Stop() {
	p.stopping = true
	p.publish()
}

// paused says whether CLIENT PAUSE holds a command back. EXEC is what it runs.
func (s *session) paused(row *command.Row) bool {
	p := s.p
	pause := p.g.pause.Load()
	if pause == nil || !pause.Active(p.g.nowMS(p.l.Now())) {
		return false
	}
	if row.ID == command.CmdExec && !pause.All {
		return s.tx != nil && s.tx.flags&(command.Write|command.MayReplicate) != 0
	}
	return pause.Holds(row)
}

func (p *part) waitPause(s *session) {
	p.pausing = append(p.pausing, s)
	p.g.blocked.Add(1)
	p.l.Hurry()
}

func (p *part) endPause() {
	waiting := p.pausing
	p.pausing = nil
	for _, s := range waiting {
		if !s.gone {
			p.g.blocked.Add(-1)
		}
		s.wake(stallPause)
	}
}
