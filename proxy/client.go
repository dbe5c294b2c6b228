package proxy

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// clientHere answers CLIENT, from here on in the words of Redis 7.0 networking.c.
func (s *session) clientHere(row *command.Row, args [][]byte) {
	switch row.ID {
	case command.CmdClientID:
		s.say(row, func(w *resp.Writer) { w.Int(int64(s.id)) })
	case command.CmdClientInfo:
		s.say(row, func(w *resp.Writer) { w.Verbatim("txt", s.line()) })
	case command.CmdClientList:
		s.clientList(row, args[2:])
	case command.CmdClientSetName:
		s.setName(row, args[2])
	case command.CmdClientGetName:
		s.say(row, func(w *resp.Writer) {
			if s.name == "" {
				w.Null()
				return
			}
			w.Bulk(s.name)
		})
	case command.CmdClientSetInfo:
		s.setInfo(row, string(args[2]), args[3])
	case command.CmdClientNoEvict:
		s.onOff(row, args[2], &s.noEvict)
	case command.CmdClientNoTouch:
		s.onOff(row, args[2], &s.noTouch)
	case command.CmdClientReply:
		s.replyMode(row, string(args[2]))
	case command.CmdClientKill:
		s.kill(row, args[2:])
	case command.CmdClientPause:
		s.setPause(row, args[2:])
	case command.CmdClientUnpause:
		s.p.g.pause.Store(nil)
		s.ok(row, nil)
	default:
		s.help(row)
	}
}

// line is a session as CLIENT LIST shows it.
func (s *session) line() string {
	now := s.p.nowNS
	cmd := "NULL"
	if s.lastRow != nil {
		cmd = s.lastRow.Name
	}
	events := "r"
	if s.c.Unsent() > 0 {
		events = "rw"
	}
	out := s.c.Unsent() + s.held
	var b strings.Builder
	field := func(name, value string) {
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(name)
		b.WriteByte('=')
		b.WriteString(value)
	}
	number := func(name string, n int64) { field(name, strconv.FormatInt(n, 10)) }
	number("id", int64(s.id))
	field("addr", s.c.Peer().String())
	field("laddr", s.c.Local().String())
	number("fd", int64(s.c.Fd()))
	field("name", s.name)
	number("age", (now-s.openedNS)/int64(time.Second))
	number("idle", (now-s.activeNS)/int64(time.Second))
	field("flags", "N")
	number("db", int64(s.db))
	for _, name := range []string{"sub", "psub", "ssub"} {
		number(name, 0)
	}
	number("multi", -1)
	number("qbuf", int64(len(s.c.In())))
	for _, name := range []string{"qbuf-free", "argv-mem", "multi-mem", "rbs", "rbp", "obl"} {
		number(name, 0)
	}
	number("oll", int64(s.q.len()))
	number("omem", int64(out))
	number("tot-mem", int64(out+cap(s.c.In())))
	field("events", events)
	field("cmd", cmd)
	field("user", "default")
	number("redir", -1)
	number("resp", int64(s.proto))
	field("lib-name", s.lib)
	field("lib-ver", s.libVer)
	b.WriteByte('\n')
	return b.String()
}

func (s *session) setName(row *command.Row, name []byte) {
	if !validName(name) {
		s.refuse(row, textBadName)
		return
	}
	s.name = string(name)
	s.ok(row, nil)
}

func (s *session) setInfo(row *command.Row, option string, value []byte) {
	var field *string
	switch strings.ToLower(option) {
	case "lib-name":
		field = &s.lib
	case "lib-ver":
		field = &s.libVer
	default:
		s.refuse(row, "ERR Unrecognized option '"+option+"'")
		return
	}
	if !validName(value) {
		s.refuse(row, "ERR "+strings.ToLower(option)+" cannot contain spaces, newlines or special characters.")
		return
	}
	*field = string(value)
	s.ok(row, nil)
}

func (s *session) onOff(row *command.Row, word []byte, flag *bool) {
	switch strings.ToLower(string(word)) {
	case "on":
		*flag = true
	case "off":
		*flag = false
	default:
		s.refuse(row, textSyntax)
		return
	}
	s.ok(row, nil)
}

func (s *session) replyMode(row *command.Row, word string) {
	switch strings.ToLower(word) {
	case "on":
		s.mute = muteOff
		s.ok(row, nil)
	case "off":
		s.mute = muteOn
	case "skip":
		if s.mute == muteOff {
			s.mute = muteNext
		}
	default:
		s.refuse(row, textSyntax)
	}
}

func (s *session) setPause(row *command.Row, args [][]byte) {
	all := true
	if len(args) > 1 {
		switch strings.ToLower(string(args[1])) {
		case "write":
			all = false
		case "all":
		default:
			s.refuse(row, "ERR CLIENT PAUSE mode must be WRITE or ALL")
			return
		}
	}
	ms, err := strconv.ParseInt(string(args[0]), 10, 64)
	if err != nil {
		s.refuse(row, "ERR timeout is not an integer or out of range")
		return
	}
	if ms < 0 {
		s.refuse(row, "ERR timeout is negative")
		return
	}
	now := s.p.g.nowMS(s.p.l.Now())
	s.p.g.pause.Store(&pause{untilMS: now + min(ms, 1<<50), all: all})
	s.ok(row, nil)
}

// clientList collects the lines of every loop's clients.
func (s *session) clientList(row *command.Row, args [][]byte) {
	var ids []uint64
	switch {
	case len(args) == 0:
	case len(args) == 2 && strings.EqualFold(string(args[0]), "type"):
		kind, ok := clientType(args[1])
		if !ok {
			s.refuse(row, "ERR Unknown client type '"+string(args[1])+"'")
			return
		}
		if kind != "normal" {
			s.say(row, func(w *resp.Writer) { w.Verbatim("txt", "") })
			return
		}
	case len(args) > 1 && strings.EqualFold(string(args[0]), "id"):
		for _, arg := range args[1:] {
			id, err := strconv.ParseInt(string(arg), 10, 64)
			if err != nil || id < 1 {
				s.refuse(row, "ERR Invalid client ID")
				return
			}
			ids = append(ids, uint64(id))
		}
	default:
		s.refuse(row, textSyntax)
		return
	}
	type entry struct {
		id   uint64
		line string
	}
	var found []entry
	seq := s.push(row)
	s.p.everywhere(func(p *part) {
		for id, other := range p.sessions {
			if ids == nil || slices.Contains(ids, id) {
				found = append(found, entry{id, other.line()})
			}
		}
	}, func() {
		slices.SortFunc(found, func(a, b entry) int { return cmp.Compare(a.id, b.id) })
		var b strings.Builder
		for _, e := range found {
			b.WriteString(e.line)
		}
		s.later(seq, func(w *resp.Writer) { w.Verbatim("txt", b.String()) })
	})
}

// later writes the reply of a command that asked other loops.
func (s *session) later(seq uint32, write func(*resp.Writer)) {
	if s.gone {
		return
	}
	w := resp.Writer{Out: s.p.bufs.get(), Proto: s.proto}
	write(&w)
	s.complete(seq, w.Out)
	s.p.bufs.recycle(w.Out)
}

func clientType(word []byte) (string, bool) {
	switch name := strings.ToLower(string(word)); name {
	case "normal", "pubsub", "master", "replica":
		return name, true
	case "slave":
		return "replica", true
	default:
		return "", false
	}
}
