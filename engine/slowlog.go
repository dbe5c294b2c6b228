package engine

import (
	"bytes"
	"fmt"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// slowLog is SLOWLOG: the commands that took longest lately, oldest first. Each that ran is told of by itself: those of a transaction and of a script too,
// EXEC not, EVAL as a whole (Redis 7.2 server.c, slowlogPushCurrentCommand).
type slowLog struct {
	entries []slowEntry
	nextID  int64
}

type slowEntry struct {
	id, atS, us  int64
	args         [][]byte
	client, name string
}

// What an entry shows of a command at most.
const (
	slowArgsMax  = 32
	slowBytesMax = 128
)

func (l *slowLog) add(s *session, row *command.Row, args [][]byte, tookNS int64) {
	l.entries = append(l.entries, slowEntry{
		id: l.nextID, atS: s.p.nowMS / 1000, us: tookNS / 1000, args: shortened(redacted(row, args)), client: s.c.Peer().String(), name: s.name,
	})
	l.nextID++
	l.limit(s.p.set.watching.slowMax)
}

// limit forgets the oldest of too many.
func (l *slowLog) limit(most int64) {
	over := int64(len(l.entries)) - most
	if over <= 0 {
		return
	}
	clear(l.entries[:over])
	if l.entries = l.entries[over:]; len(l.entries) == 0 {
		l.entries = nil
	}
}

// shortened is a copy of arguments as an entry shows them (Redis 7.0 slowlog.c, slowlogCreateEntry).
func shortened(args [][]byte) [][]byte {
	shown := make([][]byte, min(len(args), slowArgsMax))
	for i := range shown {
		arg := args[i]
		switch {
		case i == slowArgsMax-1 && len(args) > slowArgsMax:
			shown[i] = fmt.Appendf(nil, "... (%d more arguments)", len(args)-slowArgsMax+1)
		case len(arg) > slowBytesMax:
			shown[i] = fmt.Appendf(bytes.Clone(arg[:slowBytesMax]), "... (%d more bytes)", len(arg)-slowBytesMax)
		default:
			shown[i] = bytes.Clone(arg)
		}
	}
	return shown
}

func slowLogLen(s *session, _ [][]byte) { s.p.w.Int(int64(len(s.p.slowLog.entries))) }

func slowLogReset(s *session, _ [][]byte) {
	s.p.slowLog.entries = nil
	s.ok()
}

// slowLogGet shows the newest first.
func slowLogGet(s *session, args [][]byte) {
	entries, n := s.p.slowLog.entries, int64(10)
	if len(args) > 3 {
		s.fail(command.SubArgumentsError(args))
		return
	}
	if len(args) == 3 {
		var ok bool
		if n, ok = resp.ParseNumber(args[2]); !ok || n < -1 {
			s.fail("ERR count should be greater than or equal to -1")
			return
		}
	}
	if n < 0 || n > int64(len(entries)) {
		n = int64(len(entries))
	}
	w := &s.p.w
	w.Array(int(n))
	for i := len(entries) - 1; i >= len(entries)-int(n); i-- {
		e := &entries[i]
		w.Array(6)
		w.Int(e.id)
		w.Int(e.atS)
		w.Int(e.us)
		w.Array(len(e.args))
		for _, arg := range e.args {
			w.BulkBytes(arg)
		}
		w.Bulk(e.client)
		w.Bulk(e.name)
	}
}
