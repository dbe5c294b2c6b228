package proxy

import (
	"math"
	"slices"
	"strings"

	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// CLIENT TRACKING through a gateway. Nodes tell of changes on lanes of the loop's own kind, and the loop knows whom to tell.
//
// What a session has read (the default mode) is remembered by the node for the lane on which it was read. So sessions that track share a lane of their own,
// for RESP3 one that is told itself: a message that a key has changed and the replies to who read it come over one connection, in the order in which the node
// ran them, as one server tells a client. Of RESP2, in which nothing can be told, the lane has the RESP3 one told instead; there a message may be early, and
// waits for what is under way. Who reads nothing for its cache uses other lanes, so that nobody pays for those who do.
//
// Who follows prefixes (BCAST) is told what comes over an ear: a lane that follows all that any session of the loop follows. It is a connection apart from
// those of the commands, so its messages too wait for the replies of what is under way.
//
// What must hold: no client keeps a value that was changed before the client was told last, but for messages that are still on their way. When a lane that
// tells is lost, whoever relied on it is told that nothing holds any more.

// tracker is what a gateway knows of a session that tracks.
type tracker struct {
	*client.Tracking
	target  *part     // the loop of the client that is told instead; nil: the session's own
	done    uint32    // the number behind the latest command of which a reply, or a part of it, has come
	unsure  bool      // a write of its own may run later, and is to be told to it
	readers []reading // nodes of which it may keep something
	notices []notice  // that wait for replies which stand before them

	awaited  bool // its CLIENT TRACKING is not answered yet: what tells it is not there
	awaiting uint32
}

// reading is a node of which a session may keep something that it has read.
type reading struct {
	u    *upstream
	wild bool // a script has read keys that are not known
}

// caches are what a loop knows of its sessions that track.
type caches struct {
	clients  map[uint64]*session
	readers  int                              // of those, in the default mode
	follow   map[string]map[*session]struct{} // by prefix, in the other
	prefixes []string                         // of follow, without those that another one stands at the front of
	awaited  []*session                       // whose CLIENT TRACKING waits for lanes
	wild     map[*session]struct{}            // whose scripts have read keys that are not known
	keys     int                              // that are remembered, of all nodes
	items    int                              // sessions of those keys
	pings    []pingWait                       // of clients, that wait for lanes
	rounds   [2]rounds                        // of readers and of followers: flushes that not every shard has told of
	pingNS   int64                            // when lanes that tell were last asked whether they live
	tuneNS   int64                            // when ears were last compared with what is followed

	parser  resp.Requests // of what sessions have read
	limited *settings     // of which most is
	most    int           // keys that are remembered, 0 = any number
}

func newCaches() caches {
	c := caches{clients: map[uint64]*session{}, follow: map[string]map[*session]struct{}{}, wild: map[*session]struct{}{}}
	c.parser.Reset(resp.Limits{ArgsMax: math.MaxInt32, BulkMax: math.MaxInt32}) // it passed the session's limits
	return c
}

// tracking is how the session tracks, nil if it does not.
func (s *session) tracking() *client.Tracking {
	if s.track == nil {
		return nil
	}
	return s.track.Tracking
}

// setTracking is CLIENT TRACKING. What the session has under way comes first: it will use other lanes. What comes next waits for the answer, which waits for
// the lanes that tell, so that nothing is read that would not be told of.
func (s *session) setTracking(row *command.Row, args [][]byte) bool {
	if s.flying+s.retrying > 0 {
		return s.stall(stallEmpty)
	}
	var asked uint64
	t, on, wrong := client.ParseTracking(args[2:], s.tracking(), func(id uint64) bool {
		asked = id
		return true
	})
	seq := s.push(row)
	s.swaps = s.p.swaps - 1
	if asked == 0 {
		s.tracked(seq, t, nil, on, wrong)
		return true
	}
	var target *part
	s.p.everywhere(func(p *part) {
		if p.sessions[asked] != nil {
			target = p
		}
	}, func() {
		if target == nil {
			wrong = client.ErrNoRedirect
		}
		if !s.gone {
			s.tracked(seq, t, target, on, wrong)
		}
	})
	return true
}

// tracked carries CLIENT TRACKING out.
func (s *session) tracked(seq uint32, t *client.Tracking, target *part, on bool, wrong string) {
	switch {
	case wrong != "":
		s.later(seq, func(w *resp.Writer) { w.Error(wrong) })
		return
	case !on:
		s.untrack()
		s.later(seq, (*resp.Writer).OK)
		return
	}
	p, c := s.p, &s.p.caches
	t.Follow(s.tracking())
	next := &tracker{Tracking: t, target: target, done: s.q.head}
	if old := s.track; old != nil {
		next.readers, next.notices, next.done, next.unsure = old.readers, old.notices, old.done, old.unsure
		s.unfollow()
	} else if !t.Bcast {
		c.readers++
	}
	s.track = next
	c.clients[s.id] = s
	for _, prefix := range t.Prefixes {
		if c.follow[prefix] == nil {
			c.follow[prefix] = map[*session]struct{}{}
		}
		c.follow[prefix][s] = struct{}{}
	}
	s.chooseLine()
	c.prefixes = foremost(c.follow)
	next.awaited, next.awaiting = true, seq
	c.awaited = append(c.awaited, s)
	p.tuneEars(false)
	p.answerAwaited()
}

// untrack ends it.
func (s *session) untrack() {
	if s.track == nil {
		return
	}
	c := &s.p.caches
	s.unfollow()
	if !s.track.Bcast {
		c.readers--
	}
	delete(c.clients, s.id)
	delete(c.wild, s)
	s.track = nil
	s.chooseLine()
	c.prefixes = foremost(c.follow)
	if c.readers == 0 {
		s.p.hushReaders()
	}
	if len(c.follow) == 0 {
		s.p.tuneEars(true)
	}
}

func (s *session) unfollow() {
	c := &s.p.caches
	for _, prefix := range s.track.Prefixes {
		if delete(c.follow[prefix], s); len(c.follow[prefix]) == 0 {
			delete(c.follow, prefix)
		}
	}
}

// foremost are the prefixes of which none begins with another, in order.
func foremost(follow map[string]map[*session]struct{}) []string {
	all := make([]string, 0, len(follow))
	for prefix := range follow {
		all = append(all, prefix)
	}
	slices.Sort(all)
	kept := all[:0]
	for _, prefix := range all {
		if n := len(kept); n == 0 || !strings.HasPrefix(prefix, kept[n-1]) {
			kept = append(kept, prefix)
		}
	}
	return kept
}

// chooseLine says on which of a node's shared lanes the session's commands go.
func (s *session) chooseLine() {
	s.line = s.proto
	if s.track != nil && !s.track.Bcast {
		s.line += lineReads2 - 2
	}
}

// answerAwaited answers every CLIENT TRACKING whose lanes are there, but for those of shards that are out of reach: of such nothing can be read either, and
// who follows prefixes is told when one is back.
func (p *part) answerAwaited() {
	c := &p.caches
	waiting := c.awaited
	c.awaited = nil
	for _, s := range waiting {
		if s.gone || s.track == nil || !s.track.awaited {
			continue
		}
		overdue := p.nowNS-s.q.at(s.track.awaiting).startNS > int64(p.opts.Upstream.ReplyTimeout)
		switch {
		case p.tells(s.track), overdue:
			for _, u := range p.shards { // who has not been heard of is told again when it is
				u.deaf = u.deaf || overdue && s.track.Bcast
			}
			s.track.awaited = false
			s.later(s.track.awaiting, (*resp.Writer).OK)
		default:
			c.awaited = append(c.awaited, s)
		}
	}
}

// tells says whether all lanes that tell a session are there that can be.
func (p *part) tells(t *tracker) bool {
	for _, u := range p.shards {
		line := lineReads3
		if t.Bcast {
			line = lineEar
		}
		ln := u.lane(line)
		if ln != nil && (ln.state != laneReady || t.Bcast && (!covers(ln.prefixes, t.Prefixes) || u.overlaps())) {
			return false
		}
	}
	return true
}

// overlaps says whether an ear that has been replaced has not ended yet: what changes meanwhile is told by both.
func (u *upstream) overlaps() bool {
	return slices.ContainsFunc(u.lanes, func(ln *lane) bool { return ln.line == lineEar && ln.state == laneEnding })
}

// covers says whether each of the prefixes begins with one of those.
func covers(those, prefixes []string) bool {
	return !slices.ContainsFunc(prefixes, func(prefix string) bool {
		return !slices.ContainsFunc(those, func(front string) bool { return strings.HasPrefix(prefix, front) })
	})
}

// setCaching is CLIENT CACHING. Within a transaction it has had its effect when EXEC was sent (tracksPiece).
func (s *session) setCaching(row *command.Row, word []byte) {
	wrong := s.tracking().SetCaching(word)
	if s.track != nil && s.executing {
		s.track.Caching = false
	}
	s.okUnless(row, wrong)
}

// trackingRan ends what was said for one command only: it has run. A transaction is one, and CLIENT none (Redis 7.2 networking.c, resetClient).
func (s *session) trackingRan(args [][]byte) {
	if s.track == nil || s.mode&modeMulti != 0 {
		return
	}
	if row := command.Lookup(args[0]); row == nil || row.ID != command.CmdClient {
		s.track.Caching = false
	}
}
