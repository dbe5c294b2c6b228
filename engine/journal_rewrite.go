package engine

import (
	"errors"

	"larder/engine/store"
	"larder/persistence/journal"
)

// rewrites is what the node knows of the rewriting of its journal: a new base by a pass, beginning with a new increment at the same moment.
type rewrites struct {
	now       *rewrite // in progress; nil: none is
	scheduled bool     // one is to begin as soon as it can
	rewritten int64    // bytes of the journal when it was rewritten last, or the node began
	tookS     int64    // the last one; -1: none has ended
	count     int64
	failures  int64 // in a row
	triedNS   int64
}

// rewrite is one in progress. It is over when the base is whole and the increment that belongs to it is there, and the journal consists of them.
type rewrite struct {
	pass          *pass
	beganMS       int64
	turned, based bool
	err           error
}

const textRewriting = "ERR Background append only file rewriting already in progress"

// rewriting tells whether the journal's base is being written: one pass for the disk is enough.
func (p *part) rewriting() bool { return p.rewrites.now != nil }

// bgRewriteAOF answers BGREWRITEAOF (Redis 7.0 aof.c, bgrewriteaofCommand).
func bgRewriteAOF(s *session, _ [][]byte) {
	p := s.p
	switch {
	case p.rewriting():
		s.fail(textRewriting)
	case p.writing == nil:
		s.fail("ERR This node writes no append only file: CONFIG SET appendonly yes begins one")
	case p.saves.now != nil || p.depth > 0:
		p.rewriteSoon()
		p.w.Status("Background append only file rewriting scheduled")
	default:
		p.beginRewrite()
		if !p.rewriting() {
			s.fail("ERR Can't execute an AOF background rewriting. Please check the server logs for more information.")
			return
		}
		p.w.Status("Background append only file rewriting started")
	}
}

// rewriteSoon has a rewrite begin at a tick.
func (p *part) rewriteSoon() {
	p.rewrites.scheduled = true
	p.l.Hurry()
}

// beginRewrite begins a rewrite. No command runs.
func (p *part) beginRewrite() {
	v, j := &p.rewrites, p.writing
	if j.tasks >= journal.TasksMax-1 || j.era != p.stream.past.Restarts() {
		p.rewriteSoon()
		return
	}
	v.scheduled, v.triedNS = false, p.nowNS
	r := &rewrite{beganMS: p.nowMS}
	sink, err := p.newFileSink(j.folder.Dir(), j.folder.TempBase(), func(err error) {
		r.based, r.err = true, errors.Join(r.err, err)
		p.goOnRewriting(r)
	})
	if err != nil {
		p.rewriteFailed(err)
		return
	}
	q, err := p.beginPass(passOptions{aofBase: true}, sink)
	if err != nil {
		sink.end(err)
		if errors.Is(err, store.ErrPasses) {
			p.rewriteSoon()
		}
		return
	}
	sink.pass, r.pass, v.now = q, q, r
	j.w.Rest(p.set.journal.restOnRewrite)
	p.n.log.Info("journal: a new base is being written", "node", p.n.id, "keys", q.total(), "bytes", j.state.Bytes)
	p.tellJournal() // the new file has to say the database
	head, turn := p.journalHead(), (*journal.Folder).Turn
	if j.building {
		turn = (*journal.Folder).Again // what has come since it was begun is in the base
	}
	j.hand(journal.Task{
		Then: func(f *journal.Folder) error { return turn(f, head) },
		Done: func(err error) {
			p.l.Post(func() {
				r.turned = true
				if err != nil {
					r.err = errors.Join(r.err, err)
					q.cancel(err)
				}
				p.goOnRewriting(r)
			})
		},
	})
}

// goOnRewriting ends a rewrite of which both parts have ended.
func (p *part) goOnRewriting(r *rewrite) {
	j := p.writing
	if p.rewrites.now != r || !r.turned || !r.based {
		return
	}
	if r.err != nil || j == nil {
		p.rewriteFailed(r.err)
		return
	}
	if j.tasks >= journal.TasksMax-1 {
		p.l.Later(func() { p.goOnRewriting(r) })
		return
	}
	j.hand(journal.Task{
		Then: func(f *journal.Folder) error { return f.Replace() },
		Done: func(err error) { p.l.Post(func() { p.rewriteEnded(r, err) }) },
	})
}

func (p *part) rewriteEnded(r *rewrite, err error) {
	v, j := &p.rewrites, p.writing
	if v.now != r || j == nil {
		return
	}
	if err != nil {
		p.rewriteFailed(err)
		return
	}
	v.now, v.failures = nil, 0
	v.count++
	v.tookS = (p.nowMS - r.beganMS) / 1000
	j.w.Rest(false)
	v.rewritten = 0 // the next report says how much it is
	if j.building {
		j.building = false
		p.setGate()
	}
	p.n.log.Info("journal: rewritten", "node", p.n.id, "seconds", float64(p.nowMS-r.beganMS)/1000)
}

func (p *part) rewriteFailed(err error) {
	v := &p.rewrites
	v.now = nil
	v.failures++
	v.tookS = 0
	if p.writing != nil {
		p.writing.w.Rest(false)
		v.scheduled = p.writing.building // there is no journal until one succeeds
	}
	p.n.log.Error("journal: the new base was not written, what there was goes on", "node", p.n.id, "error", p.explainSave(err))
}

// endRewrite ends a rewrite before its time, and waits until it has ended.
func (p *part) endRewrite(err error) {
	v := &p.rewrites
	r := v.now
	v.now, v.scheduled = nil, false
	if r != nil {
		r.pass.cancel(err)
	}
}

const (
	rewriteRestNS = int64(1e9)  // between two tries
	rewriteMaxNS  = int64(60e9) // at most, after failures
)

// rewriteByGrowth begins a rewrite that was asked for, or that the journal's growth calls for (Redis 7.0 server.c, serverCron). It belongs to the tick.
func (p *part) rewriteByGrowth() {
	v, j := &p.rewrites, p.writing
	if j == nil || v.now != nil || p.saves.now != nil || p.scripts.busy != nil {
		return
	}
	rest := min(rewriteRestNS<<min(v.failures, 6), rewriteMaxNS)
	if v.failures > 0 && p.nowNS-v.triedNS < rest {
		return
	}
	if v.rewritten == 0 {
		v.rewritten = j.state.Bytes
	}
	set, size := &p.set.journal, j.state.Bytes
	grown := set.growth > 0 && size > set.growthMin && (size-v.rewritten)*100/max(v.rewritten, 1) >= set.growth
	if v.scheduled || grown {
		if grown {
			p.n.log.Info("journal: it has grown", "node", p.n.id, "bytes", size, "bytes after the last rewrite", v.rewritten)
		}
		p.beginRewrite()
	}
}
