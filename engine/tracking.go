package engine

import (
	"maps"
	"slices"
	"strings"

	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
)

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
	changed map[string]writer
}

// writer is who changed a key: a session, or the client for whom a gateway's lane spoke; none where time or want of room did it, or several.
type writer struct {
	s  *session
	as string
}

func (s *session) writes() writer {
	if s == nil {
		return writer{}
	}
	return writer{s, s.as}
}

func newCaches() caches {
	return caches{clients: map[uint64]*session{}, keys: map[string]map[uint64]struct{}{}, follow: map[string]*following{}}
}

// remember notes the keys that a session's command has read.
func (p *part) remember(s *session, row *command.Row, args [][]byte) {
	t := s.tracker
	if t == nil || !row.Flags.Has(command.ReadOnly) || !t.Caches() {
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
		who := by.writes()
		if before, again := f.changed[string(key)]; again && before != who {
			who = writer{}
		}
		f.changed[string(key)] = who
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
		if s == nil || s.tracker.Bcast || s.tracker.NoLoop && s == by {
			continue
		}
		p.tellCache(s, by.writes().as, [][]byte{key})
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
			p.tellFollower(s, f, changed)
		}
		clear(f.changed)
	}
}

// tellFollower tells one client what others have changed: a gateway, in a message a writer, so that it knows who that was.
func (p *part) tellFollower(s *session, f *following, changed []string) {
	var keys [][]byte
	as := ""
	for _, key := range changed {
		by := f.changed[key]
		if s.tracker.NoLoop && by.s == s {
			continue
		}
		if s.lane && by.as != as {
			if len(keys) > 0 {
				p.tellCache(s, as, keys)
			}
			keys, as = nil, by.as
		}
		keys = append(keys, []byte(key))
	}
	if len(keys) > 0 {
		p.tellCache(s, as, keys)
	}
}

// tellCache sends keys that are no longer what they were; nil: none is. Who speaks RESP2 is told only where another client redirects to it, as a
// subscriber. A lane is told for whom the lane spoke that wrote, if it spoke for anybody.
func (p *part) tellCache(s *session, as string, keys [][]byte) {
	to, t := s, s.tracker
	if t.Redirect != 0 {
		if to = p.sessions[t.Redirect]; to == nil {
			t.Broken = true
			if s.proto == 3 {
				w := resp.Writer{Proto: 3}
				client.WriteRedirectBroken(&w, t.Redirect)
				p.deliver(s, w.Out)
			}
			return
		}
	}
	w := resp.Writer{Proto: to.proto}
	switch {
	case to.proto == 3 && to.lane && as != "":
		client.WriteInvalidBy(&w, keys, as)
	case to.proto == 3, to != s && to.state&subscribed != 0:
		client.WriteInvalid(&w, s.proto, keys)
	default:
		return
	}
	p.deliver(to, w.Out)
}

// forgetCaches tells all who track that nothing is what it was: a database was emptied.
func (p *part) forgetCaches() {
	for _, id := range slices.Sorted(maps.Keys(p.caches.clients)) {
		p.tellCache(p.caches.clients[id], "", nil)
	}
	clear(p.caches.keys)
}

// track has the session track from now on.
func (s *session) track(t *client.Tracking) {
	p := s.p
	t.Follow(s.tracker)
	for _, prefix := range t.Prefixes {
		f := p.caches.follow[prefix]
		if f == nil {
			f = &following{map[*session]struct{}{}, map[string]writer{}}
			p.caches.follow[prefix] = f
		}
		f.clients[s] = struct{}{}
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
	for _, prefix := range s.tracker.Prefixes {
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
