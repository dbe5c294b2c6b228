package proxy

import (
	"larder/protocol/command"
	"larder/protocol/resp"
)

// runScriptCommand is SCRIPT, but for what a gateway answers alone.
func (s *session) runScriptCommand(row *command.Row, req resp.Request) bool {
	switch row.ID {
	case command.CmdScriptLoad:
		return s.loadScript(row, req.Args)
	case command.CmdScriptExists:
		return s.scriptsExist(row, req)
	case command.CmdScriptFlush:
		if !s.reach(row) {
			return s.stalled == stallNone
		}
		if flushMode(req.Args) {
			s.p.g.scripts.flush()
		}
		s.fanOut(row, mergeAllOK, req.Args)
		return true
	default: // SCRIPT KILL
		return s.runAside(row, req.Args, mergeOneOK)
	}
}

// flushMode tells whether the arguments are those of SCRIPT FLUSH and FUNCTION FLUSH; others a node refuses.
func flushMode(args [][]byte) bool {
	return len(args) == 2 || len(args) == 3 && (command.EqualFold(args[2], "sync") || command.EqualFold(args[2], "async"))
}

// reach sees that every shard has a lane with room. If not, the client has its error or the session waits.
func (s *session) reach(row *command.Row) bool {
	for shard := range s.p.shards {
		if ln, _ := s.laneTo(row, shard); ln == nil {
			return false
		}
	}
	return true
}

// loadScript is SCRIPT LOAD: it has succeeded when all shards have the script.
func (s *session) loadScript(row *command.Row, args [][]byte) bool {
	if !s.reach(row) {
		return s.stalled == stallNone
	}
	p := s.p
	cache := p.g.scripts
	flushes := cache.now.Load().flushes
	t := newScriptText(args[2])
	m := s.fanOut(row, mergeAllOK, args)
	for _, u := range p.shards {
		u.lane(s.line).learn(t.sha)
	}
	m.after = func(_ ticket, reply []byte) bool {
		if reply[0] != '-' {
			cache.load(t, flushes)
			return false
		}
		for _, u := range p.shards {
			for _, ln := range u.lanes {
				ln.taught.forget(t.sha)
			}
		}
		return false
	}
	return true
}

// scriptsExist is SCRIPT EXISTS: a script exists if all shards have it, or can be told it.
func (s *session) scriptsExist(row *command.Row, req resp.Request) bool {
	if !s.reach(row) {
		return s.stalled == stallNone
	}
	for _, u := range s.p.shards {
		ln := u.lane(s.line)
		for _, sha := range req.Args[2:] {
			ln.teach(sha)
		}
	}
	s.fanOut(row, mergeAnd, req.Args)
	return true
}

// scriptHere is what a gateway answers of SCRIPT itself: it has no debugger.
func (s *session) scriptHere(row *command.Row, args [][]byte) {
	switch {
	case row.ID != command.CmdScriptDebug:
		s.help(row)
	case command.EqualFold(args[2], "no"):
		s.ok(row, nil)
	case command.EqualFold(args[2], "yes"), command.EqualFold(args[2], "sync"):
		s.refuse(row, "ERR a gateway has no debugger for scripts")
	default:
		s.refuse(row, "ERR Use SCRIPT DEBUG YES/SYNC/NO")
	}
}
