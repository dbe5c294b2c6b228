package engine

import (
	"fmt"
	"maps"
	"slices"

	"larder/metrics/slow"
	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// monitor has the session see every command from now on (Redis 7.2 replication.c, monitorCommand).
func monitor(s *session, _ [][]byte) {
	if s.state&inMulti != 0 {
		s.fail(client.NotInMulti(command.CmdMonitor))
		return
	}
	p := s.p
	if s.state&monitoring == 0 {
		s.state |= monitoring
		p.monitors[s.id] = s
		p.state |= monitored
	}
	s.ok()
}

func (s *session) endMonitor() {
	p := s.p
	s.state &^= monitoring
	if delete(p.monitors, s.id); len(p.monitors) == 0 {
		p.state &^= monitored
	}
}

// show tells those who monitor of a command that has run. Administrators' commands are theirs alone, and secrets nobody's.
func (p *part) show(s *session, row *command.Row, args [][]byte) {
	if row.Flags&(command.Admin|command.SkipMonitor) != 0 || p.call.Woken || s.lane && ofGateways(s, row) {
		return
	}
	us := p.base.UnixMicro() + p.nowNS/1000
	line := fmt.Appendf(nil, "+%d.%06d [%d %s]", us/1e6, us%1e6, s.dbIndex, s.c.Peer())
	for _, arg := range slow.Redacted(row, args) {
		line = append(line, ' ')
		line = resp.AppendQuoted(line, arg)
	}
	line = append(line, '\r', '\n')
	for _, id := range slices.Sorted(maps.Keys(p.monitors)) {
		p.deliver(p.monitors[id], line)
	}
}

// ofGateways tells whether a lane says a word of the gateway's own, and none of its clients'.
func ofGateways(s *session, row *command.Row) bool {
	return row.Parent == command.CmdLarder || s.tracker != nil && (row.ID == command.CmdPing || row.Parent == command.CmdClient)
}
