package proxy

import (
	"bytes"

	"larder/protocol/command"
	"larder/protocol/resp"
	"larder/router"
)

// scripted tells whether a command runs a script or a function.
func scripted(row *command.Row) bool {
	switch row.ID {
	case command.CmdEval, command.CmdEvalRO, command.CmdEvalSHA, command.CmdEvalSHARO, command.CmdFCall, command.CmdFCallRO:
		return true
	}
	return false
}

// brings tells whether a command carries the text of its script.
func brings(row *command.Row) bool {
	return row.ID == command.CmdEval || row.ID == command.CmdEvalRO
}

// names tells whether it names its script by the SHA1.
func names(row *command.Row) bool {
	return row.ID == command.CmdEvalSHA || row.ID == command.CmdEvalSHARO
}

// calls tells whether a command calls a function.
func calls(row *command.Row) bool { return row.ID == command.CmdFCall || row.ID == command.CmdFCallRO }

// scriptShard is the one shard that has all keys that a script declares. Its slots may differ: what one node has it does as a plain server would. Without
// keys it is the shard of slot 0, so that what such scripts leave behind is in one place.
func (p *part) scriptShard(row *command.Row, args [][]byte) (int, router.Cross) {
	if len(args) > 3 && string(args[2]) == "1" { // most declare one
		p.keys = append(p.keys[:0], 3)
	} else {
		p.keys = row.KeyPositions(args, p.keys[:0])
	}
	shard := router.Nobody
	if len(p.keys) == 0 {
		shard = p.topo.Owner(0)
	}
	for i, at := range p.keys {
		switch owner := p.topo.ShardOf(args[at]); {
		case owner == router.Nobody:
			return router.Nobody, router.Unserved
		case i > 0 && owner != shard:
			return router.Nobody, router.Crosses
		default:
			shard = owner
		}
	}
	if shard == router.Nobody {
		return router.Nobody, router.Unserved
	}
	return shard, router.Together
}

// runScript sends a script to the shard of its keys.
func (s *session) runScript(row *command.Row, req resp.Request) bool {
	p := s.p
	shard, cross := p.scriptShard(row, req.Args)
	if cross != router.Together {
		s.refuse(row, cross.Error())
		return true
	}
	if calls(row) && !s.functionsThere(row, shard) {
		return s.stalled == stallNone
	}
	ln, ok := s.laneFor(row, shard, nil)
	if ln == nil {
		return ok
	}
	if able, wrong := s.mayScript(ln.u); wrong != "" {
		s.refuse(row, wrong)
		return true
	} else if !able {
		return s.stall(stallLane)
	}
	if s.mayPublish(ln.u, row, req.Args) && !s.speaks(ln.u, true) {
		return false
	}
	seq := s.push(row)
	ln.to(s.db)
	ln.prepare(row, req.Args)
	ln.actFor(s)
	s.sayMarks(ln)
	ln.putRequest(req, ticket{s: s, row: row, seq: seq})
	return true
}

// prepare sees that the script that a command runs is known behind it on the lane: one that comes with EVAL is noted, one that the lane has not been
// told yet goes before its EVALSHA. So a script that one shard has been told, by EVAL or before it was started anew, is known by all, and order is kept.
func (ln *lane) prepare(row *command.Row, args [][]byte) {
	if len(args) < 2 {
		return
	}
	now := ln.p.g.scripts.now.Load()
	again := now == ln.taught.seen // the usual way: the same script as before
	switch {
	case brings(row):
		if again && string(ln.taught.last.body) == string(args[1]) {
			return
		}
		if t := ln.p.g.scripts.evaluated(args[1]); t != nil && !ln.learn(t.sha) {
			ln.taught.last, ln.taught.seen = t, now
		}
	case names(row):
		if !again || ln.taught.last.sha != string(args[1]) {
			ln.teach(args[1])
		}
	}
}

// lessons are the scripts that a lane has been told.
type lessons struct {
	known   map[string]struct{} // by SHA1
	flushes uint64              // of the gateway, when known was begun
	last    *scriptText         // one of them
	seen    *texts              // as long as they are the gateway's, last is among them
}

// forget takes back that a script is known.
func (l *lessons) forget(sha string) {
	delete(l.known, sha)
	l.seen = nil
}

// lessonsMax is how many scripts a lane remembers to have been told. They are then told again, which does no harm.
const lessonsMax = 4096

// learn notes that the node knows a script when it has done what is on the lane. It says false if that was known.
func (ln *lane) learn(sha string) bool {
	l := &ln.taught
	if now := ln.p.g.scripts.now.Load().flushes; l.known == nil || l.flushes != now || len(l.known) >= lessonsMax {
		*l = lessons{known: map[string]struct{}{}, flushes: now}
	}
	if _, known := l.known[sha]; known {
		return false
	}
	l.known[sha] = struct{}{}
	return true
}

// teach tells the lane's node a script, if the gateway knows it and the lane has not been told.
func (ln *lane) teach(sha []byte) {
	now := ln.p.g.scripts.now.Load()
	t := ln.p.g.scripts.named(sha)
	if t == nil {
		return
	}
	if !ln.learn(t.sha) {
		ln.taught.last, ln.taught.seen = t, now
		return
	}
	ln.p.count.scriptsTold++
	ln.query(func(reply []byte) {
		if reply == nil || reply[0] == '-' { // it is busy, or does not take the script
			ln.taught.forget(t.sha)
		}
	}, wordScript, wordLoad, t.body)
}

var wordScript, wordLoad, wordExists = []byte("SCRIPT"), []byte("LOAD"), []byte("EXISTS")

// settleScripts tells the node, in its greeting, what SCRIPT LOAD has brought and it does not have: other gateways' clients may name it, too.
func (ln *lane) settleScripts() {
	loaded := ln.p.g.scripts.now.Load().loaded
	if ln.u.told || len(loaded) == 0 {
		return
	}
	ln.u.told = true
	words := [][]byte{wordScript, wordExists}
	var asked []*scriptText
	for _, t := range loaded {
		words = append(words, []byte(t.sha))
		asked = append(asked, t)
	}
	ln.ask(func(ln *lane, reply []byte) error {
		it := resp.Elements(reply)
		for _, t := range asked {
			has, ok := it.Next()
			if !ok {
				break // it is busy, or may not be asked
			}
			if n, _ := resp.ParseInt(has); n == 0 {
				ln.p.count.scriptsTold++
				ln.ask(func(*lane, []byte) error { return nil }, wordScript, wordLoad, t.body)
			}
			ln.learn(t.sha)
		}
		return nil
	}, words...)
}

// prepareAll is prepare for commands that go out together, or again. Together they may run or not: only then it is known whether the node has the
// scripts that they bring.
func (ln *lane) prepareAll(raw []byte) {
	for p := ln.p; len(raw) > 0; {
		req, n, st := p.again.Next(raw)
		if st != resp.Done {
			return
		}
		raw = raw[n:]
		switch row, _ := p.g.resolve(req.Args); {
		case row == nil || len(req.Args) < 2:
		case brings(row):
			ln.p.g.scripts.evaluated(req.Args[1])
		case names(row):
			ln.teach(req.Args[1])
		}
	}
}

var noScript = []byte("-NOSCRIPT ")

// lacks handles a NOSCRIPT where the gateway knows the script: the node has lost it, by a SCRIPT FLUSH of another gateway or since it had too many. It is
// told, and the command goes again, if the session has nothing behind it on this lane: that has run, or will, before it would. Else the client gets the
// error, as from a server that has forgotten a script, and the next one that asks finds it told.
func (ln *lane) lacks(t ticket, reply []byte) bool {
	if !names(t.row) || t.tries >= triesMax || t.s.gone || t.bytes == 0 || !bytes.HasPrefix(reply, noScript) {
		return false
	}
	raw := ln.log[ln.head : ln.head+int(t.bytes)]
	it := resp.Elements(raw)
	it.Next()
	arg, _ := it.Next()
	sha, _ := resp.BulkOf(arg)
	text := ln.p.g.scripts.named(sha)
	if text == nil {
		return false
	}
	ln.taught.forget(text.sha)
	if !ln.open() || t.s.retrying > 0 || ln.hasMore(t.s) {
		return false
	}
	ln.p.count.scriptsLacked++
	t.tries++
	ln.p.resend(ln.u, t, bytes.Clone(raw)) // anew: its slot may have moved meanwhile, and the lane would vouch for it
	return true
}

// unlearn forgets that the node knows the script of an EVAL that it may have refused.
func (ln *lane) unlearn(t ticket) {
	if !brings(t.row) || t.bytes == 0 {
		return
	}
	it := resp.Elements(ln.log[ln.head : ln.head+int(t.bytes)])
	it.Next()
	arg, _ := it.Next()
	if body, ok := resp.BulkOf(arg); ok {
		if text := ln.p.g.scripts.evaluated(body); text != nil {
			ln.taught.forget(text.sha)
		}
	}
}

// hasMore tells whether a session has a command on the lane behind the oldest.
func (ln *lane) hasMore(s *session) bool {
	for i := ln.queue.head + 1; i != ln.queue.tail; i++ {
		if ln.queue.at(i).s == s {
			return true
		}
	}
	return false
}
