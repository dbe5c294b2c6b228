package proxy

import (
	"cmp"
	"net/netip"
	"slices"

	"larder/router"
)

// Peer is a gateway of this endpoint, as clients are told of it. Any of them serves any slot; that each is said to have a share of them spreads clients that
// take them for the nodes of a Redis Cluster.
type Peer struct {
	ID   string // 40 hex digits: its node id in CLUSTER replies, the same whichever gateway answers
	Host string // an address or a name; empty: where the client came to, for the gateway itself
	Port int
}

// peers are the gateways that live, in an order that is the same for all who know the same ones. Immutable once stored.
type peers struct {
	self string // this one's ID
	all  []Peer
}

// Know says which gateways the endpoint has at present, this one among them by the ID self. Any goroutine.
func (g *Gateway) Know(self string, all []Peer) {
	all = slices.Clone(all)
	if !slices.ContainsFunc(all, func(p Peer) bool { return p.ID == self }) {
		all = append(all, Peer{ID: self}) // it answers
	}
	slices.SortFunc(all, func(a, b Peer) int { return cmp.Compare(a.ID, b.ID) })
	all = slices.CompactFunc(all, func(a, b Peer) bool { return a.ID == b.ID })
	g.peers.Store(&peers{self: self, all: all[:min(len(all), router.Groups)]})
}

// Leave has clients that ask told to go to the other gateways, if there are any: this one ends soon. Any goroutine.
func (g *Gateway) Leave() { g.leaving.Store(true) }

// listed is a gateway as a session is told of it.
type listed struct {
	Peer
	own   bool
	named bool           // its host is a name
	slots []router.Range // at most one run; none if it is about to end
}

// clusterID is the gateway's node id.
func (g *Gateway) clusterID() string {
	if known := g.peers.Load(); known != nil {
		return known.self
	}
	return g.id
}

// gateways are all that a client can go to. One that knows of no other has all slots, at the address that the client came to: however that got there.
func (s *session) gateways() []listed {
	known := s.p.g.peers.Load()
	if known == nil || len(known.all) == 1 {
		own := Peer{ID: s.p.g.clusterID()}
		own.Host, own.Port = s.endpoint()
		return []listed{{Peer: own, own: true, slots: router.EvenSlots(0, 1)}}
	}
	leaving, share, shares := s.p.g.leaving.Load(), 0, len(known.all)
	if leaving {
		shares--
	}
	all := make([]listed, 0, len(known.all))
	for _, p := range known.all {
		if p.Host == "" {
			p.Host, p.Port = s.endpoint()
		}
		_, noAddr := netip.ParseAddr(p.Host)
		g := listed{Peer: p, own: p.ID == known.self, named: noAddr != nil}
		if !g.own || !leaving {
			g.slots = router.EvenSlots(share, shares)
			share++
		}
		all = append(all, g)
	}
	return all
}

func (s *session) endpoint() (string, int) {
	local := s.c.Local()
	return local.Addr().Unmap().String(), int(local.Port())
}
