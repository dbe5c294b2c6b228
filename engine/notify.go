package engine

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"larder/engine/commands"
	"larder/protocol/client"
	"larder/protocol/command"
)

// notices are what notify-keyspace-events asks for.
type notices struct {
	classes           commands.Class
	module            bool // d: no module is there to tell of anything, but CONFIG GET shows it
	keyspace, byEvent bool // to __keyspace@…, to __keyevent@…
}

// noticeLetters are the classes in the order in which CONFIG GET shows them; A stands for those that everybody means (Redis 7.2 notify.c).
var noticeLetters = []struct {
	letter byte
	class  commands.Class
}{
	{'g', commands.ClassGeneric},
	{'$', commands.ClassString},
	{'l', commands.ClassList},
	{'s', commands.ClassSet},
	{'h', commands.ClassHash},
	{'z', commands.ClassZSet},
	{'x', commands.ClassExpired},
	{'e', commands.ClassEvicted},
	{'t', commands.ClassStream},
}

const noticesAll = commands.ClassGeneric | commands.ClassString | commands.ClassList | commands.ClassSet | commands.ClassHash | commands.ClassZSet |
	commands.ClassExpired | commands.ClassEvicted | commands.ClassStream

// parseNotices reads the letters.
func parseNotices(text string) (n notices, ok bool) {
	for i := range len(text) {
		switch c := text[i]; c {
		case 'A':
			n.classes |= noticesAll
			n.module = true
		case 'K':
			n.keyspace = true
		case 'E':
			n.byEvent = true
		case 'm':
			n.classes |= commands.ClassMiss
		case 'n':
			n.classes |= commands.ClassNew
		case 'd':
			n.module = true
		default:
			if !n.add(c) {
				return n, false
			}
		}
	}
	return n, true
}

func (n *notices) add(letter byte) bool {
	for _, known := range noticeLetters {
		if known.letter == letter {
			n.classes |= known.class
			return true
		}
	}
	return false
}

// String is how CONFIG GET shows them. With A, Redis leaves the n out.
func (n notices) String() string {
	var b strings.Builder
	put := func(is bool, letter byte) {
		if is {
			b.WriteByte(letter)
		}
	}
	if n.classes&noticesAll == noticesAll && n.module {
		b.WriteByte('A')
	} else {
		for _, known := range noticeLetters {
			put(n.classes&known.class != 0, known.letter)
		}
		put(n.module, 'd')
		put(n.classes&commands.ClassNew != 0, 'n')
	}
	put(n.keyspace, 'K')
	put(n.byEvent, 'E')
	put(n.classes&commands.ClassMiss != 0, 'm')
	return b.String()
}

var notifyParameter = client.Parameter[*session, settings]{
	Name: "notify-keyspace-events",
	Get:  func(s *session) string { return s.p.set.notices.String() },
	Set: func(set *settings, value string) string {
		n, ok := parseNotices(value)
		if !ok {
			return "Invalid event class character. Use 'Ag$lshzxeKEtmdn'."
		}
		set.notices = n
		return ""
	},
}

// notify tells of a keyspace event.
func (p *part) notify(db int, class commands.Class, name string, key []byte) {
	if p.call.Listening&class == 0 {
		return
	}
	in := "@" + strconv.Itoa(db) + "__:"
	if p.set.notices.keyspace {
		p.publishMessage([]byte("__keyspace"+in+string(key)), []byte(name))
	}
	if p.set.notices.byEvent {
		p.publishMessage([]byte("__keyevent"+in+name), key)
	}
}

// listen tells handlers what anybody wants to know, so that they keep no more.
func (p *part) listen() {
	c := &p.call
	c.Unawaited = p.waits.count == 0
	c.Unwatched = c.Unawaited && len(p.watched)+len(p.caches.clients) == 0 && p.results == nil
	c.Listening = 0
	if n := &p.set.notices; (n.keyspace || n.byEvent) && len(p.topics[channel])+len(p.topics[pattern]) > 0 {
		c.Listening = n.classes
	}
	p.state &^= tellsNew
	if c.Listening&commands.ClassNew != 0 {
		p.state |= tellsNew
	}
}

// absent gives those keys of a command that writes which are not there.
func (p *part) absent(s *session, row *command.Row, args [][]byte) (keys [][]byte) {
	if !row.Flags.Has(command.Write) {
		return nil
	}
	for _, at := range row.KeyPositions(args, nil) {
		if _, found := s.db.Peek(args[at], p.nowMS); !found {
			keys = append(keys, args[at])
		}
	}
	return keys
}

// tellNew tells of the keys that the present command has made, before the command's event about key is told. Of MSET's pairs, each is new before it is set,
// and SMOVE takes the member out before it makes the key that the member goes to.
func (p *part) tellNew(s *session, row *command.Row, key []byte) {
	keys := p.fresh
	if row.Step > 1 || row.ID == command.CmdSMove {
		at := slices.IndexFunc(keys, func(k []byte) bool { return bytes.Equal(k, key) })
		if at < 0 {
			return
		}
		keys = [][]byte{keys[at]}
		p.fresh = slices.Delete(p.fresh, at, at+1)
	} else {
		p.fresh = nil
	}
	for _, key := range keys {
		if _, found := s.db.Peek(key, p.nowMS); found {
			p.notify(s.dbIndex, commands.ClassNew, "new", key)
		}
	}
}
