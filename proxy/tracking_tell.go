package proxy

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// notice is a message that waits for replies which have to come before it.
type notice struct {
	after uint32   // until the command of this number is the oldest
	keys  [][]byte // nil: none holds
	bytes int
}

var wordInvalidate = []byte("invalidate")

// identity is how nodes know the session that writes.
func (s *session) identity() []byte {
	return strconv.AppendUint(append([]byte(s.p.g.id), ':'), s.id, 10)
}

// byWhom is the session of this gateway that a node names as the one that wrote; 0 = it is another's.
func (g *Gateway) byWhom(identity []byte) uint64 {
	digits, ours := bytes.CutPrefix(identity, []byte(g.id+":"))
	id, err := strconv.ParseUint(string(digits), 10, 64)
	if !ours || err != nil {
		return 0
	}
	return id
}

// heardPush takes a node's message.
func (ln *lane) heardPush(push []byte) {
	it := resp.Elements(push)
	what, _ := it.Next()
	if word, _ := resp.BulkOf(what); !bytes.Equal(word, wordInvalidate) {
		return
	}
	list, ok := it.Next()
	if !ok {
		return
	}
	var by uint64
	if who, ok := it.Next(); ok {
		identity, _ := resp.BulkOf(who)
		by = ln.p.g.byWhom(identity)
	}
	p, u := ln.p, ln.u
	p.count.cacheTold++
	kind := roundReaders
	if ln.line == lineEar {
		kind = roundFollowers
	}
	if isNull(list) || isNullArray(list) {
		p.flushed(ln, kind)
		return
	}
	var keys [][]byte
	for elems := resp.Elements(list); ; {
		elem, ok := elems.Next()
		if !ok {
			break
		}
		if key, ok := resp.BulkOf(elem); ok {
			keys = append(keys, key)
		}
	}
	if kind == roundFollowers {
		p.tellFollowers(keys, by)
		return
	}
	for _, key := range keys {
		p.changedRead(u, key, by)
	}
}

func isNullArray(reply []byte) bool { return len(reply) > 1 && reply[0] == '*' && reply[1] == '-' }

// tellFollowers tells those who follow a prefix which of the keys begin so.
func (p *part) tellFollowers(keys [][]byte, by uint64) {
	c := &p.caches
	prefixes := make([]string, 0, len(c.follow))
	for prefix := range c.follow {
		prefixes = append(prefixes, prefix)
	}
	slices.Sort(prefixes)
	for _, prefix := range prefixes {
		var mine [][]byte
		for _, key := range keys {
			if strings.HasPrefix(string(key), prefix) {
				mine = append(mine, key)
			}
		}
		if len(mine) == 0 {
			continue
		}
		for s := range c.follow[prefix] {
			if s.track.tells(by, s.id) {
				s.invalid(s.asked(), mine)
			}
		}
	}
}

// tellFollowersAll tells those who follow prefixes that nothing holds: messages may have been lost.
func (p *part) tellFollowersAll() {
	p.count.cacheFlushes++
	for _, s := range p.trackers() {
		if t := s.track; t != nil && t.Bcast && !t.awaited {
			s.invalid(s.asked(), nil)
		}
	}
}

// asked is the number behind the last command that a message has to wait for which may have overtaken its reply. What blocks, at the end, has read nothing
// yet, and what is the gateway's own reads nothing.
func (s *session) asked() uint32 {
	seq := s.q.tail
	for seq != s.q.head {
		row := s.q.at(seq - 1).row
		if row != nil && !row.Flags.Has(command.Blocking) && (row.Request != command.RequestLocal || mayRead(row)) {
			break
		}
		seq--
	}
	return seq
}

// invalid tells a session's cache of keys, nil: of all, when the replies to all commands before that number are out.
func (s *session) invalid(after uint32, keys [][]byte) {
	t := s.track
	if t == nil {
		return
	}
	if n := len(t.notices); n > 0 && int32(t.notices[n-1].after-after) > 0 {
		after = t.notices[n-1].after
	}
	if t.awaited && int32(t.awaiting+1-after) > 0 { // it is not told before it knows that it tracks
		after = t.awaiting + 1
	}
	if int32(after-s.q.head) <= 0 {
		s.tellCache(keys)
		return
	}
	n := notice{after: after}
	for _, key := range keys {
		n.keys = append(n.keys, bytes.Clone(key))
		n.bytes += len(key)
	}
	t.notices = append(t.notices, n)
	s.held += n.bytes
	s.limit()
}

// tellNotices sends what has waited long enough.
func (s *session) tellNotices() {
	t := s.track
	n := 0
	for n < len(t.notices) && int32(t.notices[n].after-s.q.head) <= 0 {
		s.held -= t.notices[n].bytes
		s.tellCache(t.notices[n].keys)
		n++
	}
	if t.notices = t.notices[n:]; len(t.notices) == 0 {
		t.notices = nil
	}
}

// tellCache sends keys that are no longer what they were to the session, or to whom it redirects (Redis 7.2 tracking.c, sendTrackingMessage).
func (s *session) tellCache(keys [][]byte) {
	t := s.track
	switch {
	case t.Redirect == 0:
		if s.proto == 3 {
			s.hearInvalid(3, keys)
		}
	case t.target == s.p:
		if to := s.p.sessions[t.Redirect]; to != nil {
			to.hearInvalid(s.proto, keys)
		} else {
			s.redirectBroken(t)
		}
	default:
		s.tellElsewhere(t, keys)
	}
}

// hearInvalid is told; of is the protocol of the session that tracks.
func (s *session) hearInvalid(of int, keys [][]byte) {
	if s.proto == 2 && !s.hears() {
		return
	}
	w := resp.Writer{Out: s.p.bufs.get(), Proto: s.proto}
	client.WriteInvalid(&w, of, keys)
	s.interject(w.Out)
	s.p.bufs.recycle(w.Out)
}

// tellElsewhere tells a client of another loop.
func (s *session) tellElsewhere(t *tracker, keys [][]byte) {
	var copied [][]byte
	for _, key := range keys {
		copied = append(copied, bytes.Clone(key))
	}
	from, of, id := s.p, s.proto, s.id
	t.target.l.Post(func() {
		t.target.enter()
		if to := t.target.sessions[t.Redirect]; to != nil {
			to.hearInvalid(of, copied)
			return
		}
		from.l.Post(func() {
			from.enter()
			if s := from.sessions[id]; s != nil && s.track == t {
				s.redirectBroken(t)
			}
		})
	})
}

func (s *session) redirectBroken(t *tracker) {
	t.Broken = true
	if s.proto == 3 {
		w := resp.Writer{Out: s.p.bufs.get(), Proto: 3}
		client.WriteRedirectBroken(&w, t.Redirect)
		s.interject(w.Out)
		s.p.bufs.recycle(w.Out)
	}
}
