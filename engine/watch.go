package engine

import (
	"larder/engine/commands"
	"larder/protocol/command"
)

// watches are the keys that sessions watch, by key.
type watches map[dbKey]map[*session]struct{}

// watch adds keys to what the session watches (Redis 7.2 multi.c, watchCommand). A key whose time has come is gone before it is watched.
func watch(s *session, args [][]byte) {
	p := s.p
	if s.state&inMulti != 0 {
		s.fail("ERR WATCH inside MULTI is not allowed")
		return
	}
	if s.state&touched == 0 {
		for _, arg := range args[1:] {
			s.db.Peek(arg, p.nowMS)
			s.watch(dbKey{s.dbIndex, string(arg)})
		}
		p.listen()
	}
	s.ok()
}

func (s *session) watch(key dbKey) {
	who := s.p.watched[key]
	if who == nil {
		who = map[*session]struct{}{}
		s.p.watched[key] = who
	}
	if _, already := who[s]; !already {
		who[s] = struct{}{}
		s.watching = append(s.watching, key)
	}
}

func unwatch(s *session, _ [][]byte) {
	s.unwatch()
	s.ok()
}

// unwatch forgets the watched keys, and that one changed.
func (s *session) unwatch() {
	s.state &^= touched
	if len(s.watching) == 0 {
		return
	}
	for _, key := range s.watching {
		who := s.p.watched[key]
		delete(who, s)
		if len(who) == 0 {
			delete(s.p.watched, key)
		}
	}
	s.watching = nil
	s.p.listen()
}

// expireWatched removes the watched keys whose time has come, which touches them. One that may not go has changed all the same.
func (s *session) expireWatched() {
	for _, key := range s.watching {
		db := s.p.store.DB(key.db)
		if _, found := db.Peek([]byte(key.key), s.p.nowMS); !found && db.Dead([]byte(key.key), s.p.nowMS) {
			s.state |= touched
		}
	}
}

// touch tells those who watch or cache a key that it changed. by is who changed it, nil for time or want of room.
func (p *part) touch(by *session, db int, key []byte) {
	if len(p.caches.clients) > 0 {
		p.changed(by, key)
	}
	if p.results != nil {
		p.results.touch(db, key)
	}
	for s := range p.watched[dbKey{db, string(key)}] {
		s.state |= touched
	}
}

// touchDB tells those who watch a key that is in one of two databases, which are emptied or change places; the other may be the same.
func (p *part) touchDB(db, other int) {
	for key, who := range p.watched {
		if key.db != db {
			continue
		}
		_, here := p.store.DB(db).Peek([]byte(key.key), p.nowMS)
		_, there := p.store.DB(other).Peek([]byte(key.key), p.nowMS)
		if here || there {
			for s := range who {
				s.state |= touched
			}
		}
	}
}

// beforeFlush is told that a database will be emptied.
func (p *part) beforeFlush(db int) {
	p.touchDB(db, db)
	if db == 0 || p.call.Row.ID != command.CmdFlushAll {
		p.forgetCaches() // once a command
	}
	if db == 0 && p.call.Row.ID == command.CmdFlushAll {
		p.flushedAll()
	}
	p.signalDB(db)
}

// gone is told of each key that died of age or is evicted, before it goes. It does not touch the store.
func (p *part) gone(db int, key []byte, evicted bool) {
	p.call.Effects.Gone(db, key)
	if evicted {
		p.notify(db, commands.ClassEvicted, "evicted", key)
	} else {
		p.notify(db, commands.ClassExpired, "expired", key)
	}
	if !p.call.Unwatched {
		p.touch(nil, db, key)
		p.signal(db, key)
	}
}
