package engine

import (
	"log/slog"
	"time"

	"larder/access/acl"
	"larder/access/users"
	"larder/engine/commands"
	"larder/engine/store"
	"larder/loop"
	"larder/metrics"
	"larder/metrics/slow"
	"larder/persistence/files"
	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// part is what a node has on its loop. All of it is touched there only.
type part struct {
	n          *Node
	l          *loop.Loop
	base       time.Time
	nowNS      int64 // since base, of the present callback
	nowMS      int64 // milliseconds since 1970: base's and what has passed since, so that it never jumps
	baseMS     int64
	timedNS    int64 // up to where the time of the commands at hand has been counted, since base
	asideNS    int64 // of the time since, what is not theirs
	set        settings
	paused     client.Pause // by CLIENT PAUSE and by a failover
	pauseAsked client.Pause // by CLIENT PAUSE
	failover   failover

	assigned *assignment
	store    *store.Store
	handlers []commands.Handler
	here     []hereFunc
	call     commands.Call
	users    *users.Users
	aclLog   acl.Log
	refusals int64 // that it ever had
	w        resp.Writer
	batch    batch
	again    resp.Requests // reads complete commands that were left, see session.ahead

	sessions map[uint64]*session
	nextID   uint64
	pausing  []*session // wait for CLIENT PAUSE to end
	depth    int        // commands that the present one is run from within: 0 for a client's own
	waits    waits
	replicas replicas
	reign    *reign   // of a managed node, else nil
	results  *results // for who fills a cluster from here, else nil
	link     *link    // to the primary that the node follows, nil if it follows none
	restored bool     // the node's journal has told it whose stream it had, and it has added nothing since: OldID up to the end
	hollow   bool     // what was here was dropped for a primary's data, which have not come: the disk keeps what it has
	joined   bool     // the history is one that a primary knows, or may know: a partial synchronization is worth asking for
	watched  watches
	scripts  scripts
	scratch  []byte // replies to scripts
	keys     []int  // positions of a script's command
	said     saidSlots
	saidUser saidUser

	errorCounted bool // the error that the present command is about to answer was counted already
	topics       topics
	caches       caches
	behind       crowds
	marked       milestones
	globs        []glob   // the patterns among them, in the order in which they came
	fresh        [][]byte // keys of the present command that were not there before it; only if anybody hears of new ones
	monitors     map[uint64]*session
	state        state // what concerns every session: monitored, tellsNew
	// uncounted are commands of the present run (timed) that did not run: refused and queued ones, and those that wait.
	uncounted []command.ID
	alone     *marks // those that are timed one by one
	quickNS   int64  // what each command of a run took lately
	slowNS    int64  // what takes as long is looked at by the slow log or the latency monitor
	suspectNS int64  // every command is timed by itself until then
	slowLog   slow.Log
	slowID    int64 // of its next entry
	spikes    slow.Spikes
	tracking  slow.Tracked

	longestNS int64 // the longest that commands waited for chores since CONFIG RESETSTAT
	buffered  int   // bytes kept for clients: what their sessions owe

	files   *files.Dir // the node's folder
	passes  []*pass    // in progress
	errands []*errand  // likewise
	hired   []*hired   // work that connections have asked for and that is not over
	writers []*fileSink
	saves   saves
	guard   guard

	fileLoad *fileLoad // nil: no file is being loaded
	loaded   loadedKeys

	debug      debugging
	stream     *stream
	numbered   numbered
	gate       gate
	writing    *writing // the journal; nil: none is written
	rewrites   rewrites
	replay     *replay  // the journal is being loaded
	lagging    bool     // the journal's disk is far behind: writes wait
	due        []dueKey // hashes of which fields have died
	dirty      int64    // changes of the keyspace
	usedPeak   int64    // the most memory that was seen in use, bytes
	count      counters
	base0      counters // what CONFIG RESETSTAT takes off INFO's numbers
	publishNS  int64
	rates      metrics.Rates
	strangers  uint64 // refused since the last line in the log
	strangerNS int64  // when that line was written
	warnNS     int64
}

// settings are what CONFIG SET changes while the node runs.
type settings struct {
	password     string
	aclLogMax    int
	idle         time.Duration
	bulkMax      int64
	maxMemory    int64
	policy       store.Policy
	notices      notices
	outputLimits client.OutputLimits
	repl         replSettings
	link         linkSettings
	collections  commands.Limits
	trackedMax   int64   // keys whose readers are known
	idles        []int64 // of the parameters without an effect, never changed in place
	busyMS       int64   // busy-reply-threshold less its default
	watching     slow.Settings
	saving       saveSettings
	journal      journalSettings
}

// newSettings are those that a node begins with.
func newSettings(o *Options) settings {
	s := settings{
		password: o.Password, aclLogMax: acl.MostDefault, idle: o.IdleTimeout, bulkMax: o.BulkMaxBytes, maxMemory: o.MaxMemory, idles: idleDefaults(),
		outputLimits: client.DefaultOutputLimits(), link: linkSettingsOf(o), trackedMax: 1_000_000, collections: commands.DefaultLimits(), watching: slow.Defaults(),
		saving: newSaveSettings(o), journal: newJournalSettings(o), repl: newReplSettings(&o.Replication),
	}
	s.policy, _ = store.ParsePolicy(o.MaxMemoryPolicy)
	return s
}

func newPart(n *Node, l *loop.Loop) *part {
	o := &n.opts
	p := &part{
		n: n, l: l, base: l.Now(), baseMS: l.Now().UnixMilli(),
		set:      newSettings(o),
		store:    n.store,
		handlers: commands.Handlers(),
		here:     buildHere(),
		sessions: map[uint64]*session{},
		waits:    newWaits(),
		watched:  watches{},
		monitors: map[uint64]*session{},
		topics:   newTopics(),
		behind:   newCrowds(),
		caches:   newCaches(),
		gate:     newGate(),
		marked:   newMilestones(l.Now()),
	}
	p.files = files.In(o.Dir, n.watchFiles)
	p.saves = saves{lastMS: p.baseMS, tookS: -1}
	p.rewrites.tookS = -1
	p.store.SetLimit(p.set.maxMemory, p.set.policy)
	if p.users = n.users; p.users == nil {
		p.users = users.New(o.Password)
	}
	p.aclLog = acl.NewLog(acl.MostDefault)
	p.call.W, p.call.Store, p.call.ShareMin = &p.w, p.store, shareMin
	p.call.BulkMax, p.call.OutputMax = int(p.set.bulkMax), int(o.OutputMaxBytes)
	p.call.Blockable, p.call.BeforeFlush = true, p.beforeFlush
	p.stream = newStream(n.runID, p.set.repl.backlogBytes, &p.call.Effects)
	p.stream.grown = p.streamed
	if o.Results {
		p.results = newResults(p)
	}
	p.listen()
	p.watchTimes()
	p.call.Limits = p.set.collections
	p.count.init()
	p.base0.init()
	p.again.Reset(p.limits(true))
	p.enter()
	if o.Managed {
		p.reign = newReign(p)
		p.settleDeaths()
		p.reign.judge()
	}
	if o.ReplicaOf != "" {
		p.followFromStart(o.ReplicaOf)
	}
	return p
}

// enter begins every callback: the clock and the assignment are read once.
func (p *part) enter() {
	p.nowNS = int64(p.l.Now().Sub(p.base))
	p.nowMS = p.baseMS + p.nowNS/int64(time.Millisecond)
	p.call.NowMS = p.nowMS
	p.assign()
}

// assign notes which slots the node has. Where they have changed, clients' caches may hold keys that are another node's to change now.
func (p *part) assign() {
	a := p.n.assigned.Load()
	if a == p.assigned {
		return
	}
	p.assigned = a
	p.forgetCaches()
	p.refuseWaiters()
}

// limits are the parser's, which are tighter before a client has said its password.
func (p *part) limits(authed bool) resp.Limits {
	o := &p.n.opts
	return resp.Limits{ArgsMax: o.ArgsMax, BulkMax: p.set.bulkMax, InlineMax: o.InlineMaxBytes, Unauthenticated: !authed}
}

// Accept lets a client in, or not.
func (p *part) Accept(c *loop.Conn) loop.Handler {
	p.enter()
	if !p.n.access.Allows(c.Peer().Addr()) {
		p.count.refused++
		p.stranger(c)
		return nil
	}
	p.nextID++
	s := &session{p: p, c: c, id: p.nextID, proto: 2, openedNS: p.nowNS, activeNS: p.nowNS}
	s.useDB(0)
	s.requests.Reset(p.limits(true))
	s.beDefault()
	p.sessions[s.id] = s
	p.count.accepted++
	return s
}

// warnEveryNS is how often refusals and slow clients are logged at most.
const warnEveryNS = int64(time.Second)

// stranger logs refused addresses: one line a second, and how many it stands for.
func (p *part) stranger(c *loop.Conn) {
	p.strangers++
	if p.strangerNS != 0 && p.nowNS-p.strangerNS < warnEveryNS {
		return
	}
	p.n.log.Warn("connection refused: no access list names its address",
		"address", c.Peer().Addr().Unmap().String(), "node", p.n.id, "refused", p.strangers)
	p.strangers, p.strangerNS = 0, max(1, p.nowNS)
}

// warn logs about one client, at most once a second.
func (p *part) warn(text string, c *loop.Conn) {
	if p.warnNS != 0 && p.nowNS-p.warnNS < warnEveryNS {
		return
	}
	p.warnNS = max(1, p.nowNS)
	p.n.log.Warn(text, slog.String("client", c.Peer().String()), slog.String("node", p.n.id))
}

// Tick does what time brings: keys that die, a pause that ends, clients that idle, counters.
func (p *part) Tick(time.Time) {
	if p.scripts.busy != nil {
		return // nothing changes while a script runs
	}
	p.enter()
	if !p.paused.Active(p.nowMS) {
		p.endPause()
	}
	if len(p.pausing) > 0 {
		p.l.Hurry()
	}
	p.endWaits()
	p.stepFailover()
	if p.link != nil {
		p.link.tick()
	}
	if p.reign != nil {
		p.reign.beat()
	}
	if p.debug.idle {
		return
	}
	p.wakePasses()
	p.tickErrands()
	p.tickHired()
	if p.guard&guardLoading == 0 && !p.hollow {
		p.saveByPoints()
		p.rewriteByGrowth()
	}
	more := p.chores()
	if !p.tickJournal() {
		more = true
	}
	if !more && (p.reign == nil || !p.reign.gated) && (p.link == nil || p.link.rests()) && len(p.waits.due)+len(p.pausing) == 0 && p.store.Rests(p.nowMS+restMS) {
		p.l.Rest()
	}
	if p.nowNS-p.publishNS >= int64(time.Second) {
		p.publishNS = p.nowNS
		commands, _ := p.count.commands.Total()
		p.rates.Take(commands, p.count.bytesIn, p.count.bytesOut, p.nowNS)
		p.endSuspicion()
		p.closeIdle()
		p.cronReplicas()
		p.ageLanes()
		p.countBuffers()
		p.publish()
	}
}

const (
	choresMax  = 700 * time.Microsecond // for what the keyspace does in slices
	choresRest = 500 * time.Microsecond // between two slices: a loop that never sleeps is made to wait by the system when others are to run
	choreKeys  = 128                    // candidates for expiry between two looks at the clock
	choreBytes = 16 << 10               // of the store's own work, likewise
	restMS     = 1100                   // the longest that ticks may be apart
)

// chores let keys die whose time has come, evict what a lower limit leaves no room for, and give memory back, for a bounded time. While there is more,
// slices follow each other with rests: commands wait for one slice at most, and a million keys are gone in less than half a second. It reports whether
// there is more.
func (p *part) chores() (more bool) {
	began := time.Now()
	for more = true; more; {
		more = p.chore()
		if more && time.Since(began) > choresMax {
			p.l.HurryIn(choresRest)
			break
		}
	}
	p.serve() // who waits to hear of what is gone
	p.stream.flush()
	took := int64(time.Since(began))
	p.count.chores++
	p.count.choresNS += uint64(took)
	p.longestNS = max(p.longestNS, took)
	return more
}

// chore is a slice; it reports whether there is more to do. While writes are held back, or the node stands still, no key dies.
func (p *part) chore() bool {
	dying, above := false, false
	lapNS := p.lap()
	if p.isStill() {
		return p.store.Work(choreBytes)
	}
	if !p.paused.Active(p.nowMS) && !p.debug.keepExpired {
		_, dying = p.store.Expire(p.nowMS, choreKeys)
		p.stream.flushEach()
		dying = p.sweep() || dying
		lapNS = p.spikeSince(eventExpire, lapNS)
	}
	if !p.paused.Active(p.nowMS) {
		above = p.store.Fit(choreBytes, p.nowMS)
		p.stream.flushEach()
		lapNS = p.spikeSince(eventEvict, lapNS)
	}
	more := p.store.Work(choreBytes)
	p.spikeSince(eventDefrag, lapNS)
	return more || dying || above
}

// closeIdle closes clients that have been silent for too long.
func (p *part) closeIdle() {
	if p.set.idle <= 0 {
		return
	}
	for _, s := range p.sessions {
		if !s.lane && s.stalled != stallPause && s.stalled != stallReplica && s.waiter == nil && s.state&(subscribed|monitoring|ofPrimary) == 0 && p.nowNS-s.activeNS > int64(p.set.idle) {
			s.end()
		}
	}
}

// endPause lets those go on that CLIENT PAUSE held back.
func (p *part) endPause() {
	p.settleDeaths()
	p.serve()
	p.releasePaused()
}

// releasePaused lets those go on later in this turn that CLIENT PAUSE held back, in the order in which they came.
func (p *part) releasePaused() {
	waiting := p.pausing
	p.pausing = nil
	for _, s := range waiting {
		s.wake(stallPause)
	}
}

// Stop is the loop's end: connections close by themselves.
func (p *part) Stop() {
	p.scripts.end()
	p.stopLoading()
	p.stopPasses()
	p.stopReplicas()
	p.endJournal()
	p.saveAtEnd()
	if p.link != nil { // behind the save: data that came by half are not saved
		p.link.down()
		p.link = nil
	}
	p.publish()
}
