package proxy

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// clientHere answers CLIENT, from here on in the words of Redis 7.0 networking.c.
func (s *session) clientHere(row *command.Row, args [][]byte) {
	switch row.ID {
	case command.CmdClientID:
		s.say(row, func(w *resp.Writer) { w.Int(int64(s.id)) })
	case command.CmdClientInfo:
		s.say(row, func(w *resp.Writer) { i := s.describe(); w.Verbatim("txt", string(i.AppendLine(nil))) })
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
		s.okUnless(row, s.lib.Set(args[2], args[3]))
	case command.CmdClientNoEvict:
		s.onOff(row, args[2], &s.noEvict)
	case command.CmdClientNoTouch:
		s.onOff(row, args[2], &s.noTouch)
	case command.CmdClientCaching:
		s.setCaching(row, args[2])
	case command.CmdClientGetRedir:
		s.say(row, func(w *resp.Writer) { w.Int(s.tracking().Redirection()) })
	case command.CmdClientTrackingInfo:
		s.say(row, s.tracking().WriteInfo)
	case command.CmdClientReply:
		s.replyMode(row, string(args[2]))
	case command.CmdClientUnblock:
		s.clientUnblock(row, args)
	case command.CmdClientKill:
		s.kill(row, args[2:])
	case command.CmdClientPause:
		s.setPause(row, args)
	case command.CmdClientUnpause:
		s.p.g.pause.Store(nil)
		seq := s.push(row)
		s.p.everywhere((*part).endPause, func() { s.later(seq, (*resp.Writer).OK) })
	default:
		s.help(row)
	}
}

// describe is the session as CLIENT LIST shows it.
func (s *session) describe() client.Info {
	now := s.p.nowNS
	i := client.Info{
		ID: s.id, Peer: s.c.Peer().String(), Local: s.c.Local().String(), FD: s.c.Fd(), Name: s.name, User: s.user.Name, Flags: s.flags(), DB: s.db, Proto: s.proto,
		AgeS: (now - s.openedNS) / int64(time.Second), IdleS: (now - s.activeNS) / int64(time.Second),
		InputBytes: len(s.c.In()), Replies: s.q.len(), OutputBytes: s.c.Unsent() + s.held, LibName: s.lib.Name, LibVersion: s.lib.Version,
		Channels: s.ears.count(channel), Patterns: s.ears.count(pattern), ShardChannels: s.ears.count(shardChannel),
	}
	if tx := s.tx; tx != nil {
		i.InMulti, i.Multi, i.MultiBytes = true, len(tx.queue), len(tx.raw)+len(tx.here)
	}
	i.Tracking, i.Redirect = s.track != nil, s.tracking().Redirection()
	i.Flags = s.flags()
	if s.lastRow != nil {
		i.Command = s.lastRow.Name
	}
	return i
}

// flags are the letters by which CLIENT LIST tells what is special about a client, N for nothing.
func (s *session) flags() string {
	var b []byte
	if s.hears() {
		b = append(b, 'P')
	}
	if s.monitors != nil {
		b = append(b, 'O')
	}
	if s.mode&modeMulti != 0 {
		b = append(b, 'x')
	}
	if s.waits() {
		b = append(b, 'b')
	}
	if t := s.track; t != nil {
		b = append(b, 't')
		if t.Broken {
			b = append(b, 'R')
		}
		if t.Bcast {
			b = append(b, 'B')
		}
	}
	if len(b) == 0 {
		return "N"
	}
	return string(b)
}

func (s *session) setName(row *command.Row, name []byte) {
	if !client.ValidName(name) {
		s.refuse(row, client.BadName)
		return
	}
	s.name = string(name)
	s.ok(row, nil)
}

// okUnless answers OK, or what was wrong.
func (s *session) okUnless(row *command.Row, wrong string) {
	if wrong != "" {
		s.refuse(row, wrong)
		return
	}
	s.ok(row, nil)
}

func (s *session) onOff(row *command.Row, word []byte, flag *bool) {
	on, wrong := client.ParseOnOff(word)
	if wrong == "" {
		*flag = on
	}
	s.okUnless(row, wrong)
}

// replyMode: OFF and SKIP are not answered, not even by themselves, and a SKIP behind a SKIP skips once more.
func (s *session) replyMode(row *command.Row, word string) {
	switch strings.ToLower(word) {
	case "on":
		s.mute, s.muted = muteOff, false
		s.ok(row, nil)
	case "off":
		s.mute = muteOn
	case "skip":
		if s.mute != muteOn {
			s.mute = muteNext
		}
	default:
		s.refuse(row, textSyntax)
	}
}

func (s *session) setPause(row *command.Row, args [][]byte) {
	var before client.Pause
	if now := s.p.g.pause.Load(); now != nil {
		before = *now
	}
	next, wrong := client.ParsePause(args, before, s.p.g.nowMS(s.p.l.Now()))
	s.p.g.pause.Store(&next)
	s.okUnless(row, wrong)
}

// clientList collects the lines of every loop's clients.
func (s *session) clientList(row *command.Row, args [][]byte) {
	list, wrong := client.ParseList(args)
	if wrong != "" {
		s.refuse(row, wrong)
		return
	}
	type entry struct {
		id   uint64
		line []byte
	}
	var found []entry
	seq := s.push(row)
	s.p.everywhere(func(p *part) {
		for id, other := range p.sessions {
			if list.Chooses(id, other.kind()) {
				i := other.describe()
				found = append(found, entry{id, i.AppendLine(nil)})
			}
		}
	}, func() {
		slices.SortFunc(found, func(a, b entry) int { return cmp.Compare(a.id, b.id) })
		var b strings.Builder
		for _, e := range found {
			b.Write(e.line)
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
