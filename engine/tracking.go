package engine

import (
	"maps"
	"slices"
	"strings"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// tracker is what CLIENT TRACKING made of a session: whose keys it is told of when they change (Redis 7.2 tracking.c).
type tracker struct {
	redirect      uint64 // the client that is told instead, 0 = none
	broken        bool   // that one has gone
	bcast, noLoop bool
	optIn, optOut bool
	caching       bool // CLIENT CACHING was said for the next command
	prefixes      []string
}

// caches are what sessions are to be told of.
type caches struct {
	clients map[uint64]*session            // those that track
	keys    map[string]map[uint64]struct{} // what clients have read, by key; a database makes no difference
	follow  map[string]*following          // by prefix: those that are told of every key that begins so
	due     bool                           // something waits in follow to be told
}

// following are the clients of a prefix, and what has changed since they were told: by key, who changed it (nil: nobody).
type following struct {
	clients map[*session]struct{}
	changed map[string]*session
}

func newCaches() caches {
	return caches{clients: map[uint64]*session{}, keys: map[string]map[uint64]struct{}{}, follow: map[string]*following{}}
}

// remember notes the keys that a session's command has read.
func (p *part) remember(s *session, row *command.Row, args [][]byte) {
	t := s.tracker
	if t == nil || t.bcast || !row.Flags.Has(command.ReadOnly) || t.optIn && !t.caching || t.optOut && t.caching {
		return
	}
	for _, at := range row.KeyPositions(args, nil) {
		key := string(args[at])
		who := p.caches.keys[key]
		if who == nil {
			who = map[uint64]struct{}{}
			p.caches.keys[key] = who
		}
		who[s.id] = struct{}{}
	}
	for most := p.set.trackedMax; most > 0 && int64(len(p.caches.keys)) > most; {
		for key := range p.caches.keys { // any
			p.invalidate(nil, []byte(key))
			break
		}
	}
}

// changed tells those who cache a key that it changed. by is who changed it, nil for time or want of room.
func (p *part) changed(by *session, key []byte) {
	for prefix, f := range p.caches.follow {
		if !strings.HasPrefix(string(key), prefix) {
			continue
		}
		f.changed[string(key)] = by
		if !p.caches.due {
			p.caches.due = true
			p.l.Later(p.tellFollowers) // if nothing is answered meanwhile
		}
	}
	p.invalidate(by, key)
}

// invalidate tells those who have read a key; they are told once.
func (p *part) invalidate(by *session, key []byte) {
	who, known := p.caches.keys[string(key)]
	if !known {
		return
	}
	delete(p.caches.keys, string(key))
	for _, id := range slices.Sorted(maps.Keys(who)) {
		s := p.caches.clients[id]
		if s == nil || s.tracker.bcast || s.tracker.noLoop && s == by {
			continue
		}
		p.tellCache(s, [][]byte{key})
	}
}

// tellFollowers tells those who follow prefixes what has changed since.
func (p *part) tellFollowers() {
	p.caches.due = false
	for _, prefix := range slices.Sorted(maps.Keys(p.caches.follow)) {
		f := p.caches.follow[prefix]
		if len(f.changed) == 0 {
			continue
		}
		changed := slices.Sorted(maps.Keys(f.changed))
		for s := range f.clients {
			var keys [][]byte
			for _, key := range changed {
				if !s.tracker.noLoop || f.changed[key] != s {
					keys = append(keys, []byte(key))
				}
			}
			if len(keys) > 0 {
				p.tellCache(s, keys)
			}
		}
		clear(f.changed)
	}
}

// tellCache sends keys that are no longer what they were; nil: none is. Who speaks RESP2 is told only where another client redirects to it, as a
// subscriber.
func (p *part) tellCache(s *session, keys [][]byte) {
	to, t := s, s.tracker
	if t.redirect != 0 {
		if to = p.sessions[t.redirect]; to == nil {
			if !t.broken && s.proto == 3 {
				w := resp.Writer{Proto: 3}
				w.Push(2)
				w.Bulk("tracking-redir-broken")
				w.Int(int64(t.redirect))
				p.deliver(s, w.Out)
			}
			t.broken = true
			return
		}
	}
	w := resp.Writer{Proto: to.proto}
	switch {
	case to.proto == 3:
		w.Push(2)
		w.Bulk("invalidate")
	case to != s && to.state&subscribed != 0:
		w.Array(3)
		w.Bulk("message")
		w.Bulk("__redis__:invalidate")
	default:
		return
	}
	if keys == nil {
		w.NullArray()
	} else {
		w.Array(len(keys))
	}
	for _, key := range keys {
		w.BulkBytes(key)
	}
	p.deliver(to, w.Out)
}

// forgetCaches tells all who track that nothing is what it was: a database was emptied.
func (p *part) forgetCaches() {
	for _, id := range slices.Sorted(maps.Keys(p.caches.clients)) {
		p.tellCache(p.caches.clients[id], nil)
	}
	clear(p.caches.keys)
}

// track has the session track from now on.
func (s *session) track(t *tracker) {
	p := s.p
	if t.bcast {
		if len(t.prefixes) == 0 && (s.tracker == nil || len(s.tracker.prefixes) == 0) {
			t.prefixes = []string{""}
		}
		for _, prefix := range t.prefixes {
			f := p.caches.follow[prefix]
			if f == nil {
				f = &following{map[*session]struct{}{}, map[string]*session{}}
				p.caches.follow[prefix] = f
			}
			f.clients[s] = struct{}{}
		}
		if s.tracker != nil {
			t.prefixes = append(s.tracker.prefixes, t.prefixes...)
		}
	}
	s.tracker = t
	s.state |= tracking
	p.caches.clients[s.id] = s
	p.listen()
}

// untrack ends it.
func (s *session) untrack() {
	if s.tracker == nil {
		return
	}
	p := s.p
	for _, prefix := range s.tracker.prefixes {
		f := p.caches.follow[prefix]
		if f == nil {
			continue
		}
		if delete(f.clients, s); len(f.clients) == 0 {
			delete(p.caches.follow, prefix)
		}
	}
	s.tracker = nil
	s.state &^= tracking
	if delete(p.caches.clients, s.id); len(p.caches.clients) == 0 {
		clear(p.caches.keys)
	}
	p.listen()
}
