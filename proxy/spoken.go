package proxy

import (
	"bytes"
	"slices"
	"strconv"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// Messages to one channel come from one node, unless scripts and transactions publish: these do it where their keys are. A session that publishes at one node
// and then by such means at another, or the other way round, has its messages in order nevertheless: before the second command, the node of the first one is
// asked for a mark behind what it has published, and the node of the second one is told behind which mark its messages belong. Who hears both sees to the
// rest (passing.go). It costs such a session a round trip each time it changes nodes, and nobody else anything.

// speech is where a session has published.
type speech struct {
	at     []*upstream // since when all of it was marked last
	widely bool        // some of it by scripts or transactions, which may have been to any channel
	asked  int         // nodes whose marks are awaited
	ready  bool        // they have come
	marks  []mark      // behind which the next messages belong
}

// mark is a node's.
type mark struct {
	run string // which life of which node
	n   int64
}

// readMark takes what a node says of its last mark; not ok if it knows none.
func readMark(reply []byte) (m mark, ok bool) {
	it := resp.Elements(reply)
	run, _ := it.Next()
	n, _ := it.Next()
	word, isWord := resp.BulkOf(run)
	m.run = string(word)
	m.n, ok = resp.ParseInt(n)
	return m, ok && isWord
}

// speaks comes before a command that may publish at node u: widely, to any channel, or only to one whose messages always come from there. It says false when the command has
// to wait.
func (s *session) speaks(u *upstream, widely bool) bool {
	if s.speech == nil {
		s.speech = &speech{}
	}
	sp := s.speech
	switch {
	case len(sp.at) == 1 && sp.at[0] == u:
		sp.widely = sp.widely || widely
		return true
	case !widely && !sp.widely || len(sp.at) == 0:
		if !slices.Contains(sp.at, u) {
			sp.at = append(sp.at, u)
		}
		sp.widely = widely
		return true
	case sp.asked > 0:
		return s.stall(stallMark)
	case !sp.ready:
		if s.q.len() > 0 {
			return s.stall(stallEmpty)
		}
		if s.askMarks(u); sp.asked > 0 {
			return s.stall(stallMark)
		}
	}
	sp.at, sp.widely, sp.ready = append(sp.at[:0], u), true, false
	return true
}

var wordMark, wordAfter, wordEar = []byte("MARK"), []byte("AFTER"), []byte("EAR")

// askMarks asks all nodes at which the session has published, but for the one where it does so next. A stock server knows no marks.
func (s *session) askMarks(next *upstream) {
	sp := s.speech
	for _, u := range sp.at {
		if u == next || u.left || u.known && !u.larder {
			continue
		}
		ln := u.lane(s.line)
		if ln == nil {
			continue // out of reach, and so are its messages
		}
		sp.asked++
		ln.query(func(reply []byte) {
			if m, ok := readMark(reply); ok {
				sp.marks = append(sp.marks, m)
			}
			if sp.asked--; sp.asked == 0 {
				sp.ready = true
				s.wake(stallMark)
			}
		}, wordLarder, wordMark)
	}
}

// sayMarks tells the node, before a command, behind which marks its messages belong.
func (s *session) sayMarks(ln *lane) {
	if s.speech == nil || len(s.speech.marks) == 0 {
		return
	}
	for _, m := range s.speech.marks {
		if !ln.u.known || ln.u.larder {
			ln.query(whatever, wordLarder, wordAfter, []byte(m.run), strconv.AppendInt(nil, m.n, 10))
		}
	}
	s.speech.marks = s.speech.marks[:0]
}

// runPublish sends a message to the node of its channel's slot.
func (s *session) runPublish(row *command.Row, req resp.Request) bool {
	shard := s.p.topo.ShardOf(req.Args[1])
	if shard < 0 {
		return s.runKey(row, req)
	}
	ln, ok := s.laneTo(row, shard)
	if ln == nil {
		return ok
	}
	if !s.speaks(ln.u, false) {
		return false
	}
	seq := s.push(row)
	ln.to(s.db)
	s.sayMarks(ln)
	ln.putRequest(req, ticket{s: s, row: row, seq: seq})
	return true
}

// putRequest appends a command, in the form in which nodes are told commands.
func (ln *lane) putRequest(req resp.Request, t ticket) {
	if !req.Inline {
		ln.put(req.Raw, t)
		return
	}
	at := len(ln.log)
	ln.log = resp.AppendCommand(ln.log, req.Args...)
	ln.commit(at, t)
}

var wordPublish, wordSPublish = []byte("publish"), []byte("spublish")

// mayPublish tells whether a script may publish: it, or one of its arguments, names the command. One whose text the gateway does not know is
// asked about at its node. What a script
// puts together from parts is not seen.
func (s *session) mayPublish(u *upstream, row *command.Row, args [][]byte) bool {
	p := s.p
	if row.Flags.Has(command.ReadOnly) || len(args) < 2 {
		return false
	}
	for _, arg := range args[2:] {
		if bytes.EqualFold(arg, wordPublish) || bytes.EqualFold(arg, wordSPublish) {
			return true
		}
	}
	switch {
	case brings(row):
		if t := p.lastText; t != nil && string(t.body) == string(args[1]) {
			return t.publishes
		}
		t := p.g.scripts.evaluated(args[1])
		if t == nil {
			return publishes(args[1])
		}
		p.lastText = t
		return t.publishes
	case names(row):
		if t := p.g.scripts.named(args[1]); t != nil {
			return t.publishes
		}
		return s.askPublishes(u, string(args[1]))
	default:
		known := p.g.functions.Load()
		return known == nil || known.publishes
	}
}

// askedMost is how many scripts a loop remembers to have asked for.
const askedMost = 4096

// askPublishes has a node asked about a script whose text the gateway does not know: another gateway was told it. Until the answer has come it may publish.
func (s *session) askPublishes(u *upstream, sha string) bool {
	p := s.p
	if may, asked := p.publishing[sha]; asked {
		return may
	}
	ln := u.lane(s.line)
	if ln == nil || u.known && !u.larder {
		return true
	}
	if p.publishing == nil || len(p.publishing) >= askedMost {
		p.publishing = map[string]bool{}
	}
	p.publishing[sha] = true
	ln.query(func(reply []byte) {
		if n, ok := resp.ParseInt(reply); ok {
			p.publishing[sha] = n != 0
		} else {
			delete(p.publishing, sha)
		}
	}, wordLarder, wordPublishes, []byte(sha))
	return true
}

var wordPublishes = []byte("PUBLISHES")

func publishes(text []byte) bool { return bytes.Contains(bytes.ToLower(text), wordPublish) }
