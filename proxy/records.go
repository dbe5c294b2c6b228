package proxy

import (
	"slices"
	"strconv"

	"larder/router"
)

// A shard whose nodes get orders has a record (docs/formats/shard.md): it says who is the primary, and its term is what lanes say. Each loop learns records from
// nodes, in greetings and refusals, and believes the newest of each shard: above the topology as to which of the shard's nodes is the primary.

// recordOf is the newest record known of the shard that has a node, nil if nobody gives it orders.
func (p *part) recordOf(shard *router.Shard) *router.Record {
	for _, r := range p.records {
		if p.has(shard, r.Primary.Node) || slices.ContainsFunc(r.Set, func(run router.Run) bool { return p.has(shard, run.Node) }) {
			return r
		}
	}
	return nil
}

func (p *part) has(shard *router.Shard, name string) bool { return p.nodeOf(shard, name) != nil }

// nodeOf is the node of a shard with a name, which it has from the topology or has said itself; nil if there is none.
func (p *part) nodeOf(shard *router.Shard, name string) *router.Node {
	if p.named(&shard.Primary, name) {
		return &shard.Primary
	}
	for i := range shard.Replicas {
		if p.named(&shard.Replicas[i], name) {
			return &shard.Replicas[i]
		}
	}
	return nil
}

// hasAddr tells whether a node of a shard has an address.
func hasAddr(shard *router.Shard, addr string) bool {
	return shard.Primary.Addr == addr || slices.ContainsFunc(shard.Replicas, func(n router.Node) bool { return n.Addr == addr })
}

func (p *part) named(n *router.Node, name string) bool {
	u := p.upstreams[n.Addr]
	return n.ID == name || u != nil && u.name == name
}

// primaryOf is where a shard's primary is, and the shard's record.
func (p *part) primaryOf(shard *router.Shard) (addr string, r *router.Record) {
	if len(p.records) == 0 {
		return shard.Primary.Addr, nil
	}
	if r = p.recordOf(shard); r != nil {
		if n := p.nodeOf(shard, r.Primary.Node); n != nil {
			return n.Addr, r
		}
	}
	return shard.Primary.Addr, r
}

// learn believes a record that is newer than what is known of its shard, and says whether it was.
func (p *part) learn(r *router.Record) bool {
	at := slices.IndexFunc(p.records, func(known *router.Record) bool { return sameShard(known, r) })
	var was router.Record
	if at >= 0 {
		was = *p.records[at]
		if was.Epoch >= r.Epoch {
			return false
		}
		p.records[at] = r
	} else {
		p.records = append(p.records, r)
	}
	if was.Primary != r.Primary {
		p.g.log.Info("a shard's primary is known", "node", r.Primary.Node, "reign", r.Reign, "epoch", r.Epoch, "before", was.Primary.Node)
	}
	if was.Term != r.Term || was.Primary != r.Primary {
		p.adopt(p.topo)
	}
	return true
}

// sameShard tells whether two records have a node in common: no node is of two shards.
func sameShard(a, b *router.Record) bool {
	return slices.ContainsFunc(slices.Concat(a.Set, a.Joining), func(x router.Run) bool {
		return slices.ContainsFunc(slices.Concat(b.Set, b.Joining), func(y router.Run) bool { return x.Node == y.Node })
	})
}

// heardRecord takes the record that a node has said it knows.
func (ln *lane) heardRecord(line []byte) bool {
	r, err := router.ParseRecord(string(line))
	if err != nil {
		ln.p.g.log.Error("node told a record that cannot be read", "node", ln.u.addr, "err", err)
		return false
	}
	ln.greet.managed = true
	return ln.p.inTopology(ln.u.addr) && ln.p.learn(r)
}

// termWords vouch for the topology and, to a node that gets orders, for the shard's record.
func (ln *lane) termWords() [][]byte {
	words := [][]byte{wordLarder, wordTerm, strconv.AppendUint(nil, ln.greet.epoch, 10)}
	if ln.greet.managed {
		var term uint64
		if r := ln.u.record; r != nil {
			term = r.Term
		}
		words = append(words, strconv.AppendUint(nil, term, 10))
	}
	return words
}

// tickRecords asks the nodes of shards whose primary is out of reach, silent, or not to be it for long, which record they know.
func (p *part) tickRecords() {
	if p.nowNS-p.probeNS < probeSoonNS {
		return
	}
	p.probeNS = p.nowNS
	var wanted []*upstream
	for i := range p.topo.Shards {
		shard, primary := &p.topo.Shards[i], p.shards[i]
		every := primary.doubtful(shard)
		if every == 0 {
			continue
		}
		if every < probeSeldomNS {
			p.l.Hurry()
		}
		due := p.nowNS-primary.probeNS >= every
		if due {
			primary.probeNS = p.nowNS
		}
		for _, n := range append([]router.Node{shard.Primary}, shard.Replicas...) {
			u := primary
			if n.Addr != primary.addr {
				u = p.upstreamAt(n.Addr)
				wanted, u.probed = append(wanted, u), true
			}
			if due {
				u.probe()
			}
		}
	}
	for _, u := range p.upstreams {
		if u.probed && !slices.Contains(wanted, u) {
			u.probed = false
			if u.left {
				u.leave()
			}
		}
	}
}

// probe asks a node for the record that it knows: in a greeting, or again.
func (u *upstream) probe() {
	switch ln := u.lane(3); {
	case ln == nil || ln.state != laneReady || ln.queue.len() > 0:
	default:
		ln.askRecord()
	}
}

// askRecord has the node describe itself once more.
func (ln *lane) askRecord() {
	ln.query(func(reply []byte) {
		if len(reply) > 0 && reply[0] != '-' && ln.state != laneClosed {
			_ = ln.heardDescription(reply)
		}
	}, wordLarder, wordHello, []byte(dialectVersion))
}

var wordHello = []byte("HELLO")
