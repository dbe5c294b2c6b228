package engine

import (
	"maps"
	"slices"
	"strings"

	"larder/protocol/command"
	"larder/protocol/resp"
)

const textNowReplica = "UNBLOCKED force unblock from blocking operation, instance state changed (master -> replica?)"

// replicaOf answers REPLICAOF and SLAVEOF (Redis 7.0 replication.c, replicaofCommand).
func replicaOf(s *session, args [][]byte) {
	p := s.p
	if p.reign != nil {
		s.fail(textManaged)
		return
	}
	host := string(args[1])
	if strings.EqualFold(host, "no") && lower(args[2]) == "one" {
		if p.link != nil {
			p.n.log.Info("replication: this node is to be a primary", "client", s.c.Peer().String(), "node", p.n.id)
			p.promote()
		}
		s.ok()
		return
	}
	port, ok := resp.ParseNumber(args[2])
	if !ok || port < 0 || port > portMax {
		s.fail("ERR Invalid master port")
		return
	}
	if k := p.link; k != nil && strings.EqualFold(k.host, host) && k.port == int(port) {
		s.p.w.Status("OK Already connected to specified master")
		return
	}
	p.n.log.Info("replication: this node is to follow a primary", "primary", host, "port", port, "client", s.c.Peer().String(), "node", p.n.id)
	p.replicate(host, int(port))
	s.ok()
}

const portMax = 65535

// replicate has the node follow a primary from now on. What it has it keeps until that one sends all its data, which it need not do if this node's history is
// the beginning of its own.
func (p *part) replicate(host string, port int) {
	db := 0
	if k := p.link; k != nil {
		k.down()
		db = k.streamDB()
	} else {
		p.joined = p.joined || p.stream.wanted
		p.setFollowing(true)
		p.unblockAll()
	}
	p.link = newLink(p, host, port)
	p.link.s.useDB(db)
	p.noteLink()
	p.link.dial()
}

// followFromStart has a new node follow its primary. The first attempt comes with the first tick.
func (p *part) followFromStart(text string) {
	host, port, _ := parsePrimary(text)
	p.setFollowing(true)
	p.link = newLink(p, host, port)
	p.noteLink()
}

// promote ends the following: the node is a primary, whose history goes on from the one it followed under a name of its own.
func (p *part) promote() {
	p.link.down()
	p.link = nil
	p.stream.past.Rename(randomID(p.store.Rand()))
	p.setFollowing(false)
	p.partReplicas()
	p.noteLink()
	p.hollow = false
	p.n.log.Info("replication: this node is a primary", "id", p.stream.past.ID, "old id", p.stream.past.OldID, "offset", p.stream.past.End(), "node", p.n.id)
}

// unblockAll ends the waiting of all clients: what they wait for is another's to give now.
func (p *part) unblockAll() {
	for _, id := range slices.Sorted(maps.Keys(p.sessions)) {
		s := p.sessions[id]
		switch {
		case s.waiter == nil:
		case s.lane && p.reign != nil && p.reign.stale != "":
			p.giveUp(s, p.reign.stale)
		default:
			s.closing = true
			p.giveUp(s, textNowReplica)
		}
	}
}

// noteLink tells dispatch what clients may not do now.
func (p *part) noteLink() {
	set, k := &p.set.link, p.link
	p.setGuard(guardReadOnly, k != nil && (set.readOnly || p.reign != nil))
	p.setGuard(guardStale, k != nil && k.phase != linkFollowing && !set.stale)
}

// leavesPrimary tells whether a command may end the loading at hand: a copy comes from a primary as slowly as the network is, and Redis, which takes it into a
// file first, can be told to follow another meanwhile.
func (p *part) leavesPrimary(row *command.Row) bool {
	return p.link != nil && p.link.phase == linkLoading && (row.ID == command.CmdReplicaOf || row.ID == command.CmdSlaveOf)
}

// mayObey tells whether commands of the primary may run: they wait while a script runs, while CLIENT PAUSE holds writes back, for a disk that is far
// behind, and for who takes results.
func (p *part) mayObey() bool {
	return p.scripts.busy == nil && !p.paused.Active(p.nowMS) && !p.lagging && (p.results == nil || !p.results.full())
}

// writeRole answers ROLE.
func (k *link) writeRole(w *resp.Writer) {
	w.Array(5)
	w.Bulk("slave")
	w.Bulk(k.host)
	w.Int(int64(k.port))
	w.Bulk(k.stage())
	w.Int(k.offset())
}

// stage is how ROLE calls how far the link has come.
func (k *link) stage() string {
	switch k.phase {
	case linkDialling:
		return "connecting"
	case linkGreeting:
		return "handshake"
	case linkLoading:
		return "sync"
	case linkFollowing:
		return "connected"
	}
	return "connect"
}

// offset is how far the stream has been applied, -1 while it does not come.
func (k *link) offset() int64 {
	if k.phase == linkFollowing {
		return k.p.stream.past.End()
	}
	return -1
}
