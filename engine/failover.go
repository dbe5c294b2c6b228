package engine

import (
	"math"
	"strings"

	"larder/protocol/client"
	"larder/protocol/resp"
)

// failover is a planned change of places with a replica (Redis 7.0 replication.c, failoverCommand): writes are held back until the replica has all that was
// written; then this node follows it, and asks it by PSYNC … FAILOVER to be the primary from there on. Whatever comes between, one of both is the primary of
// all that was acknowledged.
type failover struct {
	state failoverState
	host  string // of the replica; "": the first that has everything
	port  int
	force bool  // it is to be the primary when the time is over, whatever it has
	endMS int64 // then waiting is over; 0 = never
}

type failoverState uint8

const (
	failoverNone    failoverState = iota
	failoverWaiting               // the replica has not everything yet
	failoverAsking                // it is asked to be the primary
)

// String is how INFO calls it.
func (f failoverState) String() string {
	return [...]string{"no-failover", "waiting-for-sync", "failover-in-progress"}[f]
}

// failOver answers FAILOVER [TO host port [FORCE]] [ABORT] [TIMEOUT milliseconds].
func failOver(s *session, args [][]byte) {
	p := s.p
	if len(args) == 2 && lower(args[1]) == "abort" {
		if p.failover.state == failoverNone {
			s.fail("ERR No failover in progress.")
			return
		}
		p.abortFailover("it was aborted by a client")
		s.ok()
		return
	}
	f, timeoutMS, wrong := parseFailover(args[1:])
	if wrong == "" {
		wrong = p.mayFailOver(&f, timeoutMS)
	}
	if wrong != "" {
		s.fail(wrong)
		return
	}
	if timeoutMS > 0 {
		f.endMS = p.nowMS + min(timeoutMS, waitMaxMS)
	}
	p.addToStream("REPLCONF", "GETACK", "*") // else it would be up to a second until a replica says how far it is
	f.state = failoverWaiting
	p.failover = f
	p.settlePause()
	p.n.log.Info("failover begins: writes wait until a replica has everything", "node", p.n.id, "client", s.c.Peer().String(), "to", f.host, "port", f.port)
	p.l.Hurry()
	s.ok()
}

func parseFailover(words [][]byte) (f failover, timeoutMS int64, wrong string) {
	for ; len(words) > 0; words = words[1:] {
		switch word := lower(words[0]); {
		case word == "timeout" && len(words) > 1 && timeoutMS == 0:
			ms, ok := resp.ParseNumber(words[1])
			switch {
			case !ok:
				return f, 0, errNotInt
			case ms <= 0:
				return f, 0, "ERR FAILOVER timeout must be greater than 0"
			}
			timeoutMS, words = ms, words[1:]
		case word == "to" && len(words) > 2 && f.host == "":
			port, ok := resp.ParseNumber(words[2])
			if !ok {
				return f, 0, errNotInt
			}
			f.host, f.port, words = string(words[1]), int(port), words[2:]
		case word == "force" && !f.force:
			f.force = true
		default:
			return f, 0, errSyntax
		}
	}
	return f, timeoutMS, ""
}

// mayFailOver is why there can be no failover, "" if there can.
func (p *part) mayFailOver(f *failover, timeoutMS int64) string {
	switch {
	case p.reign != nil:
		return textManaged
	case p.failover.state != failoverNone:
		return "ERR FAILOVER already in progress."
	case p.follows():
		return "ERR FAILOVER is not valid when server is a replica."
	case len(p.replicas.all) == 0:
		return "ERR FAILOVER requires connected replicas."
	case f.force && (timeoutMS == 0 || f.host == ""):
		return "ERR FAILOVER with force option requires both a timeout and target HOST and IP."
	case f.host == "":
		return ""
	}
	switch r := p.findReplica(f.host, f.port); {
	case r == nil:
		return "ERR FAILOVER target HOST and PORT is not a replica."
	case !r.isOnline():
		return "ERR FAILOVER target replica is not online."
	}
	return ""
}

func (p *part) findReplica(host string, port int) *replica {
	for _, r := range p.replicas.all {
		if strings.EqualFold(r.ip(), host) && r.told.port == port {
			return r
		}
	}
	return nil
}

// settlePause has writes held back for as long as a client or a failover wants it.
func (p *part) settlePause() {
	if p.paused = p.pauseAsked; p.failover.state != failoverNone {
		if !p.paused.Active(p.nowMS) {
			p.paused = client.Pause{}
		}
		p.paused.UntilMS = math.MaxInt64
	}
	p.settleDeaths()
}

// stepFailover goes on with a failover: a replica has said how far it is, or time has passed.
func (p *part) stepFailover() {
	f := &p.failover
	if f.state != failoverWaiting {
		return
	}
	p.l.Hurry()
	if f.endMS != 0 && p.nowMS >= f.endMS {
		if !f.force {
			p.abortFailover("no replica had everything in time")
			return
		}
		p.n.log.Warn("failover: the time is over, the replica is to be the primary with what it has", "node", p.n.id, "replica", f.host, "port", f.port)
		p.handOver()
		return
	}
	end := p.stream.past.End()
	for _, r := range p.replicas.all {
		if r.phase == phaseOnline && r.ackedAt == end && (f.host == "" || p.findReplica(f.host, f.port) == r) {
			f.host, f.port = r.ip(), r.told.port
			p.n.log.Info("failover: the replica has everything and is to be the primary", "node", p.n.id, "replica", f.host, "port", f.port, "offset", end)
			p.handOver()
			return
		}
	}
}

// handOver follows the replica, which is asked to take over when it is greeted.
func (p *part) handOver() {
	f := &p.failover
	f.state = failoverAsking
	p.replicate(f.host, f.port)
	p.link.takeOver = true
}

// failedOver: the replica is the primary. Writes that were held back are told that this node is none.
func (p *part) failedOver() {
	p.n.log.Info("failover is done", "node", p.n.id, "primary", p.failover.host, "port", p.failover.port)
	p.endFailover()
}

// abortFailover leaves things as they were: this node is the primary, under another name if the replica may have been asked already.
func (p *part) abortFailover(why string) {
	asked := p.failover.state == failoverAsking
	p.n.log.Warn("failover aborted", "node", p.n.id, "to", p.failover.host, "port", p.failover.port, "why", why)
	if asked && p.link != nil {
		p.link.takeOver = false
		p.promote()
	}
	p.endFailover()
}

func (p *part) endFailover() {
	p.failover = failover{}
	p.settlePause()
	if !p.paused.Active(p.nowMS) {
		p.endPause()
	}
}

// takeOver makes a replica the primary, as its primary asks by PSYNC … FAILOVER.
func (p *part) takeOver(s *session, id string) (wrong string) {
	switch {
	case p.link == nil:
		return "ERR PSYNC FAILOVER can't be sent to a master."
	case !strings.EqualFold(id, p.stream.past.ID):
		return "ERR PSYNC FAILOVER replid must match my replid."
	}
	p.n.log.Info("failover: the primary hands over to this node", "node", p.n.id, "client", s.c.Peer().String())
	p.promote()
	return ""
}
