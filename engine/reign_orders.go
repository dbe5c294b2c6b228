package engine

import (
	"errors"
	"strconv"
	"time"

	"larder/engine/shard"
	"larder/router"
)

// larderRecord shows the node a record: LARDER RECORD record [node=host:port …].
func larderRecord(s *session, args [][]byte) {
	r, wrong := s.p.readRecord(string(args[2]))
	if wrong != "" {
		s.fail(wrong)
		return
	}
	places := map[string]string{}
	for _, word := range args[3:] {
		node, addr, err := router.ParsePlace(string(word))
		if err != nil {
			s.fail("ERR " + err.Error())
			return
		}
		places[node] = addr
	}
	s.okUnless(s.p.shown(r, places))
}

// readRecord reads a record for a node that takes any.
func (p *part) readRecord(line string) (r *router.Record, wrong string) {
	if p.reign == nil {
		return nil, "ERR this node takes no orders: start it with --managed and --node-id (engine.managed, engine.id)"
	}
	r, err := router.ParseRecord(line)
	switch {
	case err != nil:
		return nil, "ERR " + err.Error()
	case r.Epoch == 0:
		return nil, "ERR a record's epoch is at least 1: 0 is that of a shard that has none"
	}
	return r, ""
}

// shown obeys a record, or says why not.
func (p *part) shown(r *router.Record, places map[string]string) (wrong string) {
	switch err := p.reign.obey(r, places); {
	case err == nil:
		return ""
	case errors.Is(err, shard.ErrOld):
		p.count.stale++
		return p.reign.stale
	default:
		return "ERR " + err.Error()
	}
}

// larderPromise asks for the promise of an election: LARDER PROMISE record [EXITED node@run …].
func larderPromise(s *session, args [][]byte) {
	p, w := s.p, &s.p.w
	r, wrong := p.readRecord(string(args[2]))
	var exited []router.Run
	if words := args[3:]; wrong == "" && len(words) > 0 {
		if lower(words[0]) != "exited" {
			wrong = errSyntax
		}
		for _, word := range words[1:] {
			run, err := router.ParseRun(string(word))
			if err != nil {
				wrong = "ERR " + err.Error()
			}
			exited = append(exited, run)
		}
	}
	if wrong == "" {
		wrong = p.shown(r, nil)
	}
	if wrong != "" {
		s.fail(wrong)
		return
	}
	g := p.reign
	switch {
	case r.State != router.Electing:
		s.fail("ERR there is nothing to promise: the record is no election")
		return
	case !r.Member(g.node.Me()):
		s.fail("ERR there is nothing to promise: the run " + g.node.Me().String() + " is no member of the record's set")
		return
	case !g.whole():
		s.fail("LOADING the node promises nothing while its data is not whole")
		return
	}
	waitNS, ok := g.promise(r.Epoch, exited)
	promised := int64(r.Epoch)
	if !ok || waitNS > 0 {
		promised = 0
	}
	w.Map(5)
	w.Bulk("promised")
	w.Int(promised)
	w.Bulk("wait")
	w.Int(roundUpMS(waitNS))
	w.Bulk("run")
	w.Bulk(g.node.Me().String())
	w.Bulk("offset")
	w.Int(p.stream.past.End())
	w.Bulk("reign")
	w.Int(int64(g.data))
}

// promise asks with each of the runs that have ended: one of them may be the one that the node is bound to.
func (g *reign) promise(epoch uint64, exited []router.Run) (waitNS int64, ok bool) {
	nowNS := g.nowNS()
	waitNS, ok = g.node.Promise(epoch, router.Run{}, nowNS)
	for _, run := range exited {
		if ok && waitNS > 0 {
			waitNS, ok = g.node.Promise(epoch, run, nowNS)
		}
	}
	return waitNS, ok
}

func roundUpMS(ns int64) int64 { return (ns + int64(time.Millisecond) - 1) / int64(time.Millisecond) }

// larderState tells what the node is in its shard.
func larderState(s *session, _ [][]byte) {
	p, w := s.p, &s.p.w
	g := p.reign
	if g == nil {
		g = &reign{p: p, node: shard.New(router.Run{Node: p.n.id, ID: p.n.runID}, false)}
	}
	following := p.link != nil && p.link.phase == linkFollowing
	w.Map(14)
	for _, f := range [][2]string{{"run", g.node.Me().String()}, {"role", roleNames[g.node.Role()]}, {"record", p.recordLine()}} {
		w.Bulk(f[0])
		w.Bulk(f[1])
	}
	for _, f := range []struct {
		name  string
		value int64
	}{
		{"promised", int64(g.node.Promised())},
		{"reign", int64(g.data)},
		{"executed", p.stream.past.End()},
		{"committed", p.stamp().committed},
		{"leased", g.leasedMS()},
		{"bound", roundUpMS(max(0, g.node.BoundNS()-g.nowNS()))},
		{"loaded", int64(bit(g.whole()))},
		{"following", int64(bit(following))},
		{"clock", p.nowMS},
	} {
		w.Bulk(f.name)
		w.Int(f.value)
	}
	confirmed := g.node.Confirmed()
	w.Bulk("confirmed")
	w.Array(len(confirmed))
	for _, run := range confirmed {
		w.Bulk(run.String())
	}
	w.Bulk("followers")
	p.writeFollowers()
}

// writeFollowers tells of those that acknowledge: who they are and how far.
func (p *part) writeFollowers() {
	var all []*replica
	for _, r := range p.replicas.all {
		if r.acked.run.Node != "" {
			all = append(all, r)
		}
	}
	p.w.Array(2 * len(all))
	for _, r := range all {
		p.w.Bulk(r.acked.run.String())
		p.w.Int(r.acked.offset)
	}
}

// leasedMS is for how long the node may answer as primary, −1 for ever.
func (g *reign) leasedMS() int64 {
	switch leftNS := g.node.LeasedNS() - g.nowNS(); {
	case g.node.Role() != shard.Primary && g.node.Role() != shard.Alone:
		return 0
	case g.node.LeasedNS() == shard.Never:
		return -1
	default:
		return max(0, leftNS/int64(time.Millisecond))
	}
}

// textManaged is the answer to who would have a managed node follow another or change places.
const textManaged = "ERR this node is told by records of its shard whom it follows (LARDER RECORD)"

func parseTerm(text []byte) (term uint64, ok bool) {
	term, err := strconv.ParseUint(string(text), 10, 64)
	return term, err == nil
}
