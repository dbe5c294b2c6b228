package proxy

import (
	"bytes"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// functionDump are the libraries of functions as a node last told them; immutable. Every shard has them all.
type functionDump struct {
	number    uint64 // a later question has a higher one
	payload   []byte // of FUNCTION DUMP; nil: not known, or too large to be kept
	publishes bool   // one of them may name PUBLISH
}

// dumpEmpty is the length of a payload without a library, which has a footer only.
const dumpEmpty = 10

// hasLibraries tells whether a payload brings any.
func hasLibraries(payload []byte) bool { return len(payload) > dumpEmpty }

var wordFunction, wordDump, wordRestore, wordList = []byte("FUNCTION"), []byte("DUMP"), []byte("RESTORE"), []byte("LIST")

// runFunctionCommand is FUNCTION, but for HELP.
func (s *session) runFunctionCommand(row *command.Row, req resp.Request) bool {
	switch row.ID {
	case command.CmdFunctionList, command.CmdFunctionDump:
		return s.readFunctions(row, req)
	case command.CmdFunctionStats:
		return s.runAside(row, req.Args, mergeRunning)
	case command.CmdFunctionKill:
		return s.runAside(row, req.Args, mergeOneOK)
	default:
		return s.changeFunctions(row, req)
	}
}

// readFunctions asks one shard: all have the same. It is the one of slot 0, or one that can be reached.
func (s *session) readFunctions(row *command.Row, req resp.Request) bool {
	p := s.p
	shard := max(0, p.topo.Owner(0))
	for i, u := range p.shards {
		if p.shards[shard].lane(s.line) != nil {
			break
		}
		if u.lane(s.line) != nil {
			shard = i
		}
	}
	if !s.functionsThere(row, shard) {
		return s.stalled == stallNone
	}
	ln, ok := s.laneTo(row, shard)
	if ln == nil {
		return ok
	}
	seq := s.push(row)
	ln.to(s.db)
	at := len(ln.log)
	ln.log = resp.AppendCommand(ln.log, req.Args...)
	ln.commit(at, ticket{s: s, row: row, seq: seq})
	return true
}

// changeFunctions is a command that every shard has to carry out. Such changes are made one after the other, whichever loop's clients ask for them, so
// that all shards make them in the same order. When it is done the gateway asks what functions there are now, and only then is the client answered: a
// shard that comes back with none gets them.
func (s *session) changeFunctions(row *command.Row, req resp.Request) bool {
	p := s.p
	if !s.reach(row) {
		return s.stalled == stallNone
	}
	for _, u := range p.shards { // else a shard that is greeted meanwhile is given what this brings, before it comes
		if ln := u.lane(s.line); ln.state < laneReady {
			ln.waiters = append(ln.waiters, s)
			return s.stall(stallLane)
		}
	}
	if !p.g.changing.CompareAndSwap(nil, s) {
		p.waitTurn(s)
		return s.stall(stallTurn)
	}
	m := s.fanOut(row, mergeEvery, req.Args)
	m.after = func(t ticket, reply []byte) bool {
		if reply[0] == '-' {
			p.g.changing.CompareAndSwap(s, nil)
			return false
		}
		p.learnFunctions(bytes.Clone(reply), func(reply []byte) {
			p.g.changing.CompareAndSwap(s, nil)
			if !s.gone {
				s.complete(t.seq, reply)
			}
		})
		return true
	}
	return true
}

// waitTurn lets a session try again soon.
func (p *part) waitTurn(s *session) {
	p.turns = append(p.turns, s)
	p.l.Hurry()
}

// nextTurn wakes who waits for a turn at changing functions.
func (p *part) nextTurn() {
	waiting := p.turns
	p.turns = nil
	for _, s := range waiting {
		s.wake(stallTurn)
	}
}

// learnFunctions asks a shard what functions there are, keeps the answer, and then goes on with reply.
func (p *part) learnFunctions(reply []byte, then func(reply []byte)) {
	number, cluster := p.g.dumps.Add(1), p.topo.Cluster
	for _, u := range p.shards {
		u.settled = true
		if ln := u.ready(); ln != nil {
			ln.query(func(dump []byte) {
				payload, _ := resp.BulkOf(dump)
				p.g.keepFunctions(number, cluster, payload)
				then(reply)
			}, wordFunction, wordDump)
			return
		}
	}
	p.g.keepFunctions(number, cluster, nil)
	then(reply)
}

// ready is a lane on which something can be said at once.
func (u *upstream) ready() *lane {
	for _, ln := range u.shared {
		if ln != nil && ln.state == laneReady {
			return ln
		}
	}
	return nil
}

// keepFunctions keeps a payload, or that it is not known, unless a later question has been answered, or the gateway has gone on to another cluster than the one
// that was asked: a loop may ask the old one when that is already so.
func (g *Gateway) keepFunctions(number uint64, cluster string, payload []byte) {
	next := &functionDump{number: number, publishes: payload == nil || publishes(payload)}
	if len(payload) <= g.opts.Load().ScriptMaxBytes {
		next.payload = bytes.Clone(payload)
	} else {
		g.log.Warn("functions are not kept by the gateway: they are larger than its limit for scripts", "bytes", len(payload))
	}
	for {
		have := g.functions.Load()
		if have != nil && have.number >= number || g.topo.Load().Cluster != cluster {
			return
		}
		if g.functions.CompareAndSwap(have, next) {
			return
		}
	}
}

// knownFunctions is the payload that was kept last, nil if there is none.
func (g *Gateway) knownFunctions() []byte {
	if have := g.functions.Load(); have != nil {
		return have.payload
	}
	return nil
}
