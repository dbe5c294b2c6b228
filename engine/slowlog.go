package engine

import (
	"larder/metrics/slow"
	"larder/protocol/command"
)

// noteSlow keeps a command in the slow log. Each that ran is told of by itself: those of a transaction and of a script too, EXEC not, EVAL as a whole (Redis
// 7.2 server.c, slowlogPushCurrentCommand).
func (p *part) noteSlow(s *session, row *command.Row, args [][]byte, tookNS int64) {
	p.slowLog.Add(slow.Entry{
		ID: p.slowID, AtS: p.nowMS / 1000, US: tookNS / 1000, Args: slow.Shown(row, args), Client: s.c.Peer().String(), Name: s.name,
	}, p.set.watching.SlowMax)
	p.slowID++
}

func slowLogLen(s *session, _ [][]byte) { s.p.w.Int(int64(s.p.slowLog.Len())) }

func slowLogReset(s *session, _ [][]byte) {
	s.p.slowLog.Reset()
	s.ok()
}

// slowLogGet shows the newest first.
func slowLogGet(s *session, args [][]byte) {
	n := int64(slow.CountDefault)
	if len(args) > 3 {
		s.fail(command.SubArgumentsError(args))
		return
	}
	if len(args) == 3 {
		var wrong string
		if n, wrong = slow.ParseCount(args[2]); wrong != "" {
			s.fail(wrong)
			return
		}
	}
	slow.Write(&s.p.w, s.p.slowLog.Entries(), n)
}
