package controller

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// room is a host as somebody sees it who looks for a place.
type room struct {
	id, zone string
	free     int64
	nodes    int // that it has
}

// seat says how good a place would be for a node of a shard: the smaller the better, the first difference decides. All but the first two keep hosts equally full:
// taking the emptiest each time finds different hosts for a shard's nodes whenever there are such.
type seat struct {
	sameHost int // others of the shard on the host
	sameZone int // and in its zone
	leaving  int // others of the shard that are to leave the host
	used     int64
	nodes    int
	id       string
}

func (s seat) compare(o seat) int {
	return cmp.Or(s.spread(o), cmp.Compare(s.leaving, o.leaving), cmp.Compare(s.used, o.used), cmp.Compare(s.nodes, o.nodes), cmp.Compare(s.id, o.id))
}

// spread compares only how far a shard's nodes are apart.
func (s seat) spread(o seat) int {
	return cmp.Or(cmp.Compare(s.sameHost, o.sameHost), cmp.Compare(s.sameZone, o.sameZone))
}

// rooms are the hosts with what is free there. used takes what is given away while one looks on.
type rooms struct {
	list  []room
	hosts map[string]*host // all that are known, for their zones
}

// search is what a place is looked for.
type search struct {
	others []*Node // of the shard, whatever becomes of them
	memory int64
	zones  []string // empty: all
	not    string   // a host that is out of the question; empty: none
	alone  bool     // only where none of the others stays
}

// pick finds the best place.
func (r *rooms) pick(s search) (seat, error) {
	var best *seat
	for _, room := range r.list {
		if room.free < s.memory || room.id == s.not || len(s.zones) > 0 && !slices.Contains(s.zones, room.zone) {
			continue
		}
		found := r.seat(room, s.others)
		if s.alone && found.sameHost > 0 {
			continue
		}
		if best == nil || found.compare(*best) < 0 {
			best = &found
		}
	}
	if best == nil {
		return seat{}, r.why(s)
	}
	return *best, nil
}

// seat says how good a host would be beside the others of the shard.
func (r *rooms) seat(at room, others []*Node) seat {
	return seatOf(r.hosts, at, others)
}

func seatOf(hosts map[string]*host, at room, others []*Node) seat {
	s := seat{used: -at.free, nodes: at.nodes, id: at.id}
	for _, o := range others {
		switch {
		case o.State != Stays && o.Host == at.id:
			s.leaving++
		case o.State != Stays:
		case o.Host == at.id:
			s.sameHost++
			s.sameZone++
		case hosts[o.Host] != nil && hosts[o.Host].Zone == at.zone:
			s.sameZone++
		}
	}
	return s
}

// take gives some of a host away, or back.
func (r *rooms) take(host string, memory int64, nodes int) {
	for i := range r.list {
		if r.list[i].id == host {
			r.list[i].free -= memory
			r.list[i].nodes += nodes
		}
	}
}

func (r *rooms) free(host string) int64 {
	for _, room := range r.list {
		if room.id == host {
			return room.free
		}
	}
	return 0
}

// why says why there is no place, with what would be needed.
func (r *rooms) why(s search) error {
	subject := "no host"
	if s.alone || s.not != "" {
		subject = "no other host"
	}
	if len(s.zones) > 0 {
		subject += " in zone " + strings.Join(s.zones, " or ")
	}
	most, at := int64(-1), ""
	for _, room := range r.list {
		inZone := len(s.zones) == 0 || slices.Contains(s.zones, room.zone)
		if inZone && room.id != s.not && !(s.alone && r.seat(room, s.others).sameHost > 0) && room.free > most {
			most, at = room.free, room.id
		}
	}
	if most < 0 && at == "" {
		return fmt.Errorf("%s is there that takes nodes", subject)
	}
	return fmt.Errorf("%s has %s free: the most is %s, on host %s", subject, Bytes(s.memory), Bytes(max(0, most)), at)
}

// apart says why a node has no place further away from the others of its shard; empty if there is none to be wished for, or there is one.
func (r *rooms) apart(got seat, s search) string {
	if got.sameHost > 0 && len(r.hosts) == 1 {
		return "" // there never was another host
	}
	if got.sameHost > 0 {
		s.alone = true
		if _, err := r.pick(s); err != nil {
			return fmt.Sprintf("two nodes of one shard are on host %s: %s", got.id, err)
		}
		return "" // one will be moved
	}
	if got.sameZone == 0 {
		return ""
	}
	var zones []string
	for _, name := range sortedKeys(r.hosts) {
		h := r.hosts[name]
		taken := slices.ContainsFunc(s.others, func(o *Node) bool {
			return o.State == Stays && r.hosts[o.Host] != nil && r.hosts[o.Host].Zone == h.Zone
		})
		allowed := len(s.zones) == 0 || slices.Contains(s.zones, h.Zone)
		if h.there && !taken && allowed && !slices.Contains(zones, h.Zone) {
			zones = append(zones, h.Zone)
		}
	}
	if len(zones) == 0 {
		return "" // there is no other zone
	}
	s.zones = zones
	if _, err := r.pick(s); err != nil {
		return fmt.Sprintf("two nodes of one shard are in one zone: %s", err)
	}
	return ""
}
