package controller

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// ServerSays is what a server of an external cluster says of its part in replication (INFO server, replication and cluster).
type ServerSays struct {
	Cluster, Addr string
	At            time.Time // when it was asked
	Wrong         string    // why nothing can be said of it: it does not answer, or is none that can be routed to. The rest is empty then

	Run     string // INFO's run_id
	Primary bool
	History string // its master_replid: of those that share their data the same
	Before  string // master_replid2: the history that its own went on from when it was promoted; empty: none
	Follows string // of a replica: its primary's address, as it calls it
	Linked  bool   // and is connected with it, and has all that it was sent at first
	Loading bool   // it reads its file and serves nothing yet
}

func (ServerSays) event() {}

// server is what is known of one.
type server struct {
	says    ServerSays // what it said last; of one that has said nothing wrong ever, the zero
	wrong   string     // why it said nothing the last time
	asked   time.Time  // At of the last answer or failure
	heard   time.Time  // when it last said something; before it ever did, when it became known
	linked  time.Time  // when it last said that it is connected with its primary; before it ever did, when it became known
	silence bool       // it was told that it says nothing
}

// answers tells whether what it said can be gone by.
func (v server) answers() bool { return v.wrong == "" && v.says.Addr != "" }

// serverSays takes note of what a server says.
func (s *stepper) serverSays(e ServerSays) (touched []string) {
	c := s.clusters[e.Cluster]
	if c == nil || c.spec.value == nil || !slices.ContainsFunc(c.spec.value.Servers, func(shard []string) bool { return slices.Contains(shard, e.Addr) }) {
		return nil
	}
	was, known := c.servers[e.Addr]
	if known && e.At.Before(was.asked) {
		return nil
	}
	next := was
	next.asked, next.wrong = e.At, e.Wrong
	if !known {
		next.heard, next.linked = s.now, s.now // of what was before this controller came it knows the topology
	}
	if e.Wrong == "" {
		next.says, next.heard = e, s.now
		if e.Linked {
			next.linked = s.now
		}
	}
	c = c.clone()
	c.servers = cloned(c.servers)
	c.servers[e.Addr] = next
	s.clusters[e.Cluster] = c
	before, now := was.says, next.says
	before.At, now.At = time.Time{}, time.Time{}
	if known && was.wrong == next.wrong && before == now {
		return nil
	}
	return []string{e.Cluster}
}

// forgetServers keeps only what is known of servers that the cluster still has.
func (c *cluster) forgetServers() {
	servers := map[string]server{}
	if spec := c.spec.value; spec != nil {
		for _, addr := range slices.Concat(spec.Servers...) {
			if v, ok := c.servers[addr]; ok {
				servers[addr] = v
			}
		}
	}
	for topic := range c.told {
		if addr, is := strings.CutPrefix(topic, "server "); is {
			if _, still := servers[addr]; !still {
				delete(c.told, topic)
			}
		}
	}
	c.servers = servers
}

// silent tells whether a server has said nothing for long enough to do without it. One that was never heard is as silent as this controller is old.
func (s *stepper) silent(c *cluster, addr string) bool {
	v, known := c.servers[addr]
	return known && !v.answers() && s.now.Sub(v.heard) >= missingAfter
}

// silenceNews tells people that a server says nothing any more, and that it does again.
func (s *stepper) silenceNews(c *cluster, addr string) {
	v, known := c.servers[addr]
	if !known {
		return
	}
	topic := "server " + addr
	silent := s.silent(c, addr)
	if silent {
		s.why(c, topic, "it cannot be used: "+v.wrong)
	} else if v.answers() && v.silence {
		s.reportOf(c.name, "server-returned", "cluster %s: server %s answers again", c.name, addr)
		s.why(c, topic, "")
	}
	if silent != v.silence && (silent || v.answers()) {
		v.silence = silent
		c.servers = cloned(c.servers)
		c.servers[addr] = v
	}
}

// present is who the primary of a shard is so far: the topology's; before there is one, who was named first.
func (c *cluster) present(shard int) string {
	servers := c.spec.value.Servers[shard]
	if t := c.topology.value; t != nil && shard < len(t.Shards) && slices.Contains(servers, t.Shards[shard].Primary.Addr) {
		return t.Shards[shard].Primary.Addr
	}
	return servers[0]
}

// primaryOf decides who a shard's primary is, by what its servers say; empty: nobody can be. Nothing is promoted here; of what others have done the newest counts:
//
//   - Who is the primary so far stays it as long as it says that it is one, or that it is loading, unless another was promoted out of its history (its second
//     replication id is the first one's): that was done later, by a person or by Sentinel, which will turn the old one into a replica.
//   - One that is a replica now has another in its place: whom it follows, or who was promoted out of the same history, or the only primary that there is.
//   - One that does not answer is replaced at once by who was promoted out of its history, and after missingAfter by the only primary that there is, unless
//     that is known to be the one out of whose history it was promoted itself: what was written since would be missing.
func (s *stepper) primaryOf(c *cluster, shard int) string {
	present := c.present(shard)
	cur := c.servers[present]
	var primaries []string
	for _, addr := range c.spec.value.Servers[shard] {
		if v := c.servers[addr]; v.answers() && v.says.Primary && !v.says.Loading {
			primaries = append(primaries, addr)
		}
	}
	next, why := s.newer(c, present, primaries), ""
	isPrimary := cur.answers() && cur.says.Primary
	switch {
	case next != present, isPrimary:
	case cur.answers():
		next, why = c.inPlaceOfReplica(present, primaries)
	default:
		next, why = s.inPlaceOfSilent(c, present, primaries)
	}
	s.why(c, subject(shard), why)
	s.tellSeveral(c, shard, next, primaries)
	if next == "" && c.topology.value != nil {
		return present
	}
	return next
}

// newer goes from a server on to who was promoted out of its history, and so on to the newest.
func (s *stepper) newer(c *cluster, addr string, primaries []string) string {
	for range primaries {
		history := c.servers[addr].says.History
		at := slices.IndexFunc(primaries, func(o string) bool { return o != addr && history != "" && c.servers[o].says.Before == history })
		if at < 0 {
			break
		}
		addr = primaries[at]
	}
	return addr
}

// inPlaceOfReplica is who is the primary in the place of a server that says it is a replica.
func (c *cluster) inPlaceOfReplica(present string, primaries []string) (next, why string) {
	says := c.servers[present].says
	for _, addr := range primaries {
		if addr == says.Follows || says.Linked && c.servers[addr].says.History == says.History {
			return addr, ""
		}
	}
	switch len(primaries) {
	case 1:
		return primaries[0], ""
	case 0:
		return "", "none of its servers is a primary; " + present + " follows " + says.Follows
	}
	return "", present + " is a replica now, and nothing tells which of " + strings.Join(primaries, ", ") + " is the primary"
}

// inPlaceOfSilent is who is the primary in the place of a server that does not answer.
func (s *stepper) inPlaceOfSilent(c *cluster, present string, primaries []string) (next, why string) {
	gone := c.servers[present]
	wrong := "its primary " + present + " cannot be used"
	switch {
	case gone.wrong != "":
		wrong += ": " + gone.wrong
	case gone.asked.IsZero():
		return "", "" // it has not been asked yet
	}
	older := func(addr string) bool {
		return gone.says.Before != "" && c.servers[addr].says.History == gone.says.Before
	}
	switch {
	case len(primaries) == 0:
		return "", wrong
	case len(primaries) > 1:
		return "", wrong + ", and nothing tells which of " + strings.Join(primaries, ", ") + " is the primary"
	case older(primaries[0]):
		return "", fmt.Sprintf("%s; %s, from which it took over, is a primary, and lacks what was written since: bring %s back, or take it out of the cluster", wrong, primaries[0], present)
	case !s.silent(c, present):
		return "", wrong
	}
	return primaries[0], ""
}

// tellSeveral tells people that more than one server of a shard is a primary.
func (s *stepper) tellSeveral(c *cluster, shard int, chosen string, primaries []string) {
	topic := subject(shard) + " has several primaries"
	others := slices.DeleteFunc(slices.Clone(primaries), func(addr string) bool { return addr == chosen })
	if chosen == "" || len(others) == 0 {
		delete(c.told, topic)
		return
	}
	text := fmt.Sprintf("%s counts; what is written to %s by others is missing there: it should be told REPLICAOF %s", chosen, strings.Join(others, ", "), strings.ReplaceAll(chosen, ":", " "))
	if c.told[topic] != text {
		c.told[topic] = text
		s.reportOf(c.name, "two-primaries", "cluster %s: %s: %s", c.name, topic, text)
	}
}

// follows tells whether a server is a replica of a shard's primary. One in the topology may lose its link, or not answer, for a while.
func (s *stepper) follows(c *cluster, shard int, addr, primary string) bool {
	v := c.servers[addr]
	p := c.servers[primary]
	switch {
	case addr == primary || v.answers() && v.says.Primary:
		return false
	case v.answers() && v.says.Linked && !v.says.Loading && v.says.History == p.says.History:
		return true
	}
	t := c.topology.value
	return t != nil && shard < len(t.Shards) && has(&t.Shards[shard], addr) && s.now.Sub(v.linked) < missingAfter
}
