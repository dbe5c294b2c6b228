package proxy

import (
	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// hereFunc is the handler of a command that a gateway answers itself.
type hereFunc func(s *session, row *command.Row, args [][]byte)

func buildHere() []hereFunc {
	table := make([]hereFunc, command.NumIDs+1)
	for id, f := range map[command.ID]hereFunc{
		command.CmdPing:      (*session).ping,
		command.CmdEcho:      (*session).echo,
		command.CmdAuth:      (*session).auth,
		command.CmdHello:     (*session).hello,
		command.CmdSelect:    (*session).selectDB,
		command.CmdQuit:      (*session).quit,
		command.CmdReset:     (*session).reset,
		command.CmdMulti:     (*session).multi,
		command.CmdDiscard:   (*session).discard,
		command.CmdUnwatch:   (*session).unwatch,
		command.CmdTime:      (*session).time,
		command.CmdReadOnly:  (*session).readOnly,
		command.CmdReadWrite: (*session).readWrite,
		command.CmdAsking:    (*session).ok,
		command.CmdRole:      (*session).role,
		command.CmdLolwut:    (*session).lolwut,
	} {
		table[id] = f
	}
	return table
}

// runHere answers a command of the gateway's own. HELLO and RESET, which change how
// replies look, wait for the replies before them.
func (s *session) runHere(row *command.Row, args [][]byte) bool {
	parent := row.ID
	if row.Parent != 0 {
		parent = row.Parent
	}
	switch parent {
	case command.CmdCommand:
		s.say(row, func(w *resp.Writer) { s.p.g.foreign.Load().Answer(w, args) })
		return true
	case command.CmdHello, command.CmdReset:
		if s.q.len() > 0 {
			return s.stall(stallEmpty)
		}
		if row.ID == command.CmdReset && !s.resetEars() {
			return false
		}
		s.p.g.here[row.ID](s, row, args)
		return true
	case command.CmdExec:
		return s.exec(row)
	case command.CmdSubscribe, command.CmdPSubscribe, command.CmdSSubscribe, command.CmdUnsubscribe, command.CmdPUnsubscribe, command.CmdSUnsubscribe:
		return s.subscribeHere(row, args)
	case command.CmdMonitor:
		return s.monitor(row)
	case command.CmdInfo:
		return s.info(row, args)
	case command.CmdClient:
		if row.ID == command.CmdClientTracking {
			return s.setTracking(row, args)
		}
		s.clientHere(row, args)
		return true
	case command.CmdACL:
		s.aclHere(row, args)
		return true
	case command.CmdConfig:
		return s.configHere(row, args)
	case command.CmdSlowLog:
		return s.slowLogHere(row, args)
	case command.CmdLatency:
		return s.latencyHere(row, args)
	case command.CmdDebug:
		s.refuse(row, client.NoDebug)
		return true
	case command.CmdCluster:
		s.clusterHere(row, args)
		return true
	case command.CmdScript:
		s.scriptHere(row, args)
		return true
	case command.CmdFunction, command.CmdObject, command.CmdMemory, command.CmdPubSub, command.CmdXGroup, command.CmdXInfo:
		s.help(row)
		return true
	}
	if f := s.p.g.here[row.ID]; f != nil {
		f(s, row, args)
		return true
	}
	s.refuse(nil, command.UnknownError(args))
	return true
}

func (s *session) ok(row *command.Row, _ [][]byte) {
	s.say(row, func(w *resp.Writer) { w.OK() })
}

func (s *session) ping(row *command.Row, args [][]byte) {
	switch {
	case len(args) > 2:
		s.refuse(row, command.ArityError(row))
	case s.hears():
		s.pingNodes(row, args)
	case s.track != nil:
		s.pingTelling(row, args)
	default:
		s.say(row, func(w *resp.Writer) { client.Pong(w, args, false) })
	}
}

func (s *session) echo(row *command.Row, args [][]byte) {
	s.say(row, func(w *resp.Writer) { w.BulkBytes(args[1]) })
}

// selectDB changes the session's database; its lanes are told when it matters.
func (s *session) selectDB(row *command.Row, args [][]byte) {
	db, wrong := client.ParseDB(args[1], s.databases())
	if wrong == "" {
		s.db = db
	}
	s.okUnless(row, wrong)
}

// databases is how many there are on all shards, as far as is known.
func (s *session) databases() int {
	most := s.p.opts.Databases
	for _, u := range s.p.shards {
		if u.known {
			most = min(most, u.databases)
		}
	}
	return most
}

func (s *session) quit(row *command.Row, _ [][]byte) {
	s.ok(row, nil)
	s.finish()
}

func (s *session) reset(row *command.Row, _ [][]byte) {
	s.mute, s.muted = muteOff, false
	s.dropMulti()
	s.endWatch()
	s.endMonitor()
	s.db, s.name = 0, ""
	s.noEvict, s.noTouch, s.readMode = false, false, modeUsual
	s.beDefault()
	s.untrack()
	s.say(row, func(w *resp.Writer) { w.Status("RESET") })
	s.proto = 2
	s.chooseLine()
}

func (s *session) time(row *command.Row, _ [][]byte) {
	us := s.p.g.started.UnixMicro() + s.p.l.Now().Sub(s.p.g.started).Microseconds()
	s.say(row, func(w *resp.Writer) {
		w.Array(2)
		w.BulkInt(us / 1e6)
		w.BulkInt(us % 1e6)
	})
}
