package engine

import (
	"maps"
	"slices"

	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
)

func clientID(s *session, _ [][]byte) { s.p.w.Int(int64(s.id)) }

func clientInfo(s *session, _ [][]byte) {
	i := s.info()
	s.p.w.Verbatim("txt", string(i.AppendLine(nil)))
}

func clientList(s *session, args [][]byte) {
	list, wrong := client.ParseList(args[2:])
	if wrong != "" {
		s.fail(wrong)
		return
	}
	var text []byte
	for _, id := range slices.Sorted(maps.Keys(s.p.sessions)) {
		other := s.p.sessions[id]
		if list.Chooses(id, other.kind()) {
			i := other.info()
			text = i.AppendLine(text)
		}
	}
	s.p.w.Verbatim("txt", string(text))
}

func clientSetName(s *session, args [][]byte) {
	if !client.ValidName(args[2]) {
		s.fail(client.BadName)
		return
	}
	s.name = string(args[2])
	s.ok()
}

func clientGetName(s *session, _ [][]byte) {
	if s.name == "" {
		s.p.w.Null()
		return
	}
	s.p.w.Bulk(s.name)
}

func clientSetInfo(s *session, args [][]byte) { s.okUnless(s.lib.Set(args[2], args[3])) }

func clientNoEvict(s *session, args [][]byte) { s.onOff(args[2], &s.noEvict) }

func clientNoTouch(s *session, args [][]byte) { s.onOff(args[2], &s.noTouch) }

func (s *session) onOff(word []byte, flag *bool) {
	on, wrong := client.ParseOnOff(word)
	if wrong == "" {
		*flag = on
	}
	s.okUnless(wrong)
}

// clientReply: OFF and SKIP are not answered, not even by themselves.
func clientReply(s *session, args [][]byte) {
	switch lower(args[2]) {
	case "on":
		s.mute, s.hushed = muteOff, false
		s.ok()
	case "off":
		s.mute = muteOn
	case "skip":
		if s.mute != muteOn {
			s.mute = muteNext
		}
	default:
		s.fail(errSyntax)
	}
}

// clientUnblock ends another client's waiting (Redis 7.2 networking.c, clientCommand).
func clientUnblock(s *session, args [][]byte) {
	wrong := ""
	if len(args) > 4 {
		s.fail(command.SubArgumentsError(args))
		return
	}
	if len(args) == 4 {
		switch lower(args[3]) {
		case "timeout":
		case "error":
			wrong = "UNBLOCKED client unblocked via CLIENT UNBLOCK"
		default:
			s.fail("ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR")
			return
		}
	}
	id, ok := resp.ParseNumber(args[2])
	if !ok {
		s.fail(errNotInt)
		return
	}
	if other := s.p.sessions[uint64(id)]; other != nil && other.waiter != nil {
		s.p.giveUp(other, wrong)
		s.p.w.Int(1)
		return
	}
	s.p.w.Int(0)
}

// clientKill closes clients. The asking one itself is closed behind the reply.
func clientKill(s *session, args [][]byte) {
	k, wrong := client.ParseKill(args[2:], func(user string) bool { return s.p.users.Get(user) != nil })
	if wrong != "" {
		s.fail(wrong)
		return
	}
	killed := 0
	for id, other := range s.p.sessions {
		if !k.Chooses(id, other.kind(), other.user.Name, other.c) || other == s && k.SkipMe {
			continue
		}
		killed++
		if other == s {
			s.closing = true
		} else {
			other.end()
		}
	}
	switch {
	case !k.Old:
		s.p.w.Int(int64(killed))
	case killed == 0:
		s.fail("ERR No such client")
	default:
		s.ok()
	}
}

func clientPause(s *session, args [][]byte) {
	p := s.p
	next, wrong := client.ParsePause(args, p.pauseAsked, p.nowMS)
	p.pauseAsked = next
	p.settlePause()
	s.okUnless(wrong)
}

// clientUnpause ends the pause. Who waits for keys that are ready is served when the command is done; who was held back goes on in the same turn.
func clientUnpause(s *session, _ [][]byte) {
	p := s.p
	p.pauseAsked = client.Pause{}
	if p.settlePause(); !p.paused.Active(p.nowMS) {
		p.releasePaused()
	}
	s.ok()
}
