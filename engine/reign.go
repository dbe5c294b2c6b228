package engine

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"net"
	"slices"
	"strconv"

	"larder/engine/shard"
	"larder/router"
)

// reign is a managed node's part in its shard: which record it obeys, and what it is by that. The rules are shard.Node's (docs/formats/shard.md); this carries
// them out: it follows, leads or stands still, says what may be acknowledged, and how far things are committed.
//
// What must hold: the node's own shard.Node is asked just before anything that binds it or that clients see, with a look at the clock that runs on while the
// machine is paused; what a node has of another reign is never taken for that of the present one. Everything is the loop's. A node that is not managed has none.
type reign struct {
	p     *part
	node  *shard.Node
	addrs map[string]string // where the nodes are that records have named
	stale string            // the answer to a lane of another term; "": there is no record yet

	role    shard.Role // that was carried out last
	waits   bool       // a record is to be carried out when the data is loaded
	still   bool       // nothing changes here by itself: no key dies, the stream stands
	led     uint64     // the reign that it has led last
	data    uint64     // the reign that its data is of, 0 = that is not known
	follows fealty     // whom its link is for

	gated     bool // it leads, or has led until it was told to stand still, and its writes wait for the members
	looked    bool // the lease was looked at since a command ran that looks at data
	committed int64
	confirmed int64      // up to where writes may be shown: it stays behind while the set is too small
	behind    []*session // lanes that were told of more than is committed
	sentTo    int64      // where the stream ended when it was sent last
	beatAt    int64      // where it ended at the last beat
	unheard   int        // beats since a follower has acknowledged anything
}

// fealty is whom a link is for: a run, as the primary of a reign.
type fealty struct {
	to    router.Run
	reign uint64
}

// newReign makes the part of a managed node that nobody has given an order yet.
func newReign(p *part) *reign {
	g := &reign{p: p, addrs: map[string]string{}, still: true}
	g.node = shard.New(router.Run{Node: p.n.id, ID: p.n.runID}, true)
	g.role = g.node.Role()
	return g
}

// errNotLed is Leads' answer of a node that is not its shard's primary.
var errNotLed = errors.New("the node is not its shard's primary")

// Leads says whether a managed node knows that it is its shard's primary, or why not. Its data may still be loaded.
func (n *Node) Leads(ctx context.Context) error {
	return n.asked(ctx, func(p *part) error {
		if p.reign == nil || p.reign.node.Role() != shard.Primary {
			return errNotLed
		}
		return nil
	})
}

// nowNS is the clock of all promises.
func (g *reign) nowNS() int64 { return int64(g.p.l.Uptime()) }

// isStill tells whether nothing may change here by itself.
func (p *part) isStill() bool { return p.reign != nil && p.reign.still }

// obey takes over a record that somebody has shown, with places of nodes ("node=host:port"), and is what it makes of the node.
func (g *reign) obey(r *router.Record, places map[string]string) error {
	epoch := g.node.Record().Epoch
	if r.Epoch > epoch {
		g.endTurn()
	}
	if err := g.node.Obey(r, g.p.stream.past.End()); err != nil {
		return err
	}
	for node, addr := range places {
		g.addrs[node] = addr
	}
	if r.Epoch != epoch {
		g.stale = staleRecord + r.Line()
		g.p.n.log.Info("record obeyed", "node", g.p.n.id, "role", roleNames[g.node.Role()], "old role", roleNames[g.role], "record", r.Line())
	}
	g.carryOut()
	return nil
}

// endTurn comes before a record that may make the node something else: what commands have found until now is judged by what it is still, and put aside at the gate
// where it has to wait. The session that has brought the record is having its output written: if it holds more than the answer it is dropped.
func (g *reign) endTurn() {
	p := g.p
	if !g.gated || g.role != shard.Primary {
		return
	}
	serves := g.node.Serves(g.nowNS())
	g.settle()
	for _, id := range slices.Sorted(maps.Keys(p.sessions)) {
		s := p.sessions[id]
		switch {
		case !s.led:
		case !serves || s.writing:
			s.forsaken = true
		default:
			s.led = false
			s.atGate(s.c)
		}
	}
}

// learn is obey for a record that came in its line from another node.
func (g *reign) learn(line string) {
	r, err := router.ParseRecord(line)
	if err == nil {
		err = g.obey(r, nil)
	}
	if err != nil {
		g.p.n.log.Warn("a record that another node has shown is not obeyed", "node", g.p.n.id, "record", line, "why", err)
	}
}

// carryOut makes the node what the newest record says. Data that is being read from the disk is waited for: until then it neither follows nor leads.
func (g *reign) carryOut() {
	p := g.p
	if g.waits = p.replay != nil || p.fileLoad != nil; g.waits {
		p.l.Hurry()
	} else {
		g.role = g.node.Role()
		switch g.role {
		case shard.Primary:
			g.lead()
		case shard.Follower:
			g.follow()
		default:
			g.stand()
		}
		p.settleDeaths()
		p.setGate()
	}
	g.settleTerms()
	g.settle()
	g.judge()
}

// lead has the node be the primary. A reign begins with what it has, of which nobody has said yet that all members have it: clients see it when they do.
func (g *reign) lead() {
	p, r := g.p, g.node.Record()
	g.still = false
	if p.link != nil {
		p.promote()
	}
	p.beginStream()
	fresh := g.led != r.Reign
	if fresh || r.Replicated && !g.gated {
		clear(p.gate.marks[:])
		p.gate.floor = p.stream.past.End()
	}
	g.gated = r.Replicated
	if !fresh {
		return
	}
	g.led, g.data = r.Reign, r.Reign
	g.committed, g.confirmed, g.sentTo, g.unheard = 0, 0, 0, 0
	if g.countsOthers() {
		p.addToStream("REPLCONF", "GETACK", "*") // what is acknowledged of it is the first lease
	}
}

// follow has the node follow the record's primary, where that is known to be.
func (g *reign) follow() {
	p, r := g.p, g.node.Record()
	addr := g.addrs[r.Primary.Node]
	if addr == "" {
		p.n.log.Warn("the record's primary cannot be followed: nobody has said where it is", "node", p.n.id, "primary", r.Primary.String())
		g.stand()
		return
	}
	g.forsake()
	g.still = false
	want := fealty{r.Primary, r.Reign}
	if k := p.link; k != nil && k.addr == addr && !k.stopped && g.follows == want {
		return
	}
	host, text, _ := net.SplitHostPort(addr)
	port, _ := strconv.Atoi(text)
	g.follows = want
	p.replicate(host, port)
}

// stand has the node stand still: it is nobody's primary and follows nobody, and what it has stays as it is.
func (g *reign) stand() {
	p := g.p
	if g.role == shard.Waiting {
		g.forsake()
	}
	g.still = true
	if p.link != nil {
		p.link.stop()
		return
	}
	p.unblockAll()
}

// forsake gives up what is held for clients: the node is not the primary any more, so nothing it has done will be committed by it.
func (g *reign) forsake() {
	if !g.gated {
		return
	}
	g.gated, g.committed, g.confirmed = false, 0, 0
	for _, s := range g.p.gate.waiting {
		s.giveUpHeld(textForsaken)
	}
}

// countsOthers tells whether anybody's acknowledgements are waited for.
func (g *reign) countsOthers() bool {
	r := g.node.Record()
	return len(r.Set)+len(r.Joining) > 1
}

// newRun gives the node a new run: it is about to let go of its data, on which others may have counted.
func (p *part) newRun() {
	if p.reign == nil {
		return
	}
	p.n.runID = randomID(p.store.Rand())
	p.reign.node.Drop(p.n.runID)
	p.reign.data = 0
	p.n.log.Info("the node is another run from here on: its data is dropped for the primary's", "node", p.n.id, "run", p.n.runID)
}

// mayDrop tells whether the node may let go of its data for what the primary at the other end of a link sends.
func (p *part) mayDrop(k *link) bool {
	return p.reign == nil || p.reign.node.MayDrop(k.obeys)
}

// stop ends what a link does until the node is told whom to follow.
func (k *link) stop() {
	if k.stopped {
		return
	}
	k.down()
	k.stopped = true
	k.log(slog.LevelInfo, "replication: the primary is not followed while there is an election")
}

// whole says whether the node's data is all there.
func (g *reign) whole() bool {
	whole := g.p.guard&guardLoading == 0 && !g.p.hollow
	g.node.Load(!whole)
	return whole
}

// staleRecord begins what a node answers that knows a newer record.
const staleRecord = "STALE record "

var roleNames = [...]string{shard.Alone: "alone", shard.Waiting: "waiting", shard.Primary: "primary", shard.Frozen: "frozen", shard.Follower: "follower", shard.Elector: "elector"}
