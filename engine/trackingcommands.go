package engine

import (
	"larder/protocol/client"
	"larder/protocol/command"
)

// clientTracking turns tracking on or off.
func clientTracking(s *session, args [][]byte) {
	t, on, wrong := client.ParseTracking(args[2:], s.tracker, func(id uint64) bool { return s.p.sessions[id] != nil })
	switch {
	case wrong != "":
		s.fail(wrong)
		return
	case on:
		s.track(t)
	default:
		s.untrack()
	}
	s.ok()
}

func clientCaching(s *session, args [][]byte) {
	if wrong := s.tracker.SetCaching(args[2]); wrong != "" {
		s.fail(wrong)
		return
	}
	s.ok()
}

func clientGetRedir(s *session, _ [][]byte) { s.p.w.Int(s.tracker.Redirection()) }

func clientTrackingInfo(s *session, _ [][]byte) { s.tracker.WriteInfo(&s.p.w) }

// larderAs says for which of its clients a gateway will say the next command: those who track keys are told who changed them.
func larderAs(s *session, args [][]byte) {
	s.as = string(args[2])
	s.state |= speaksFor
	s.ok()
}

// forgetWords ends what was said for one command only (CLIENT CACHING, LARDER AS): that command has ended. A transaction is one, and CLIENT none
// (Redis 7.2 networking.c, resetClient).
func (s *session) forgetWords(row *command.Row) {
	if s.p.depth > 0 || s.state&inMulti != 0 || row != nil && (row.Parent == command.CmdClient || row.ID == command.CmdLarderAs) {
		return
	}
	if s.tracker != nil {
		s.tracker.Caching = false
	}
	s.as = ""
	s.state &^= speaksFor
}
