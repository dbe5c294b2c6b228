package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"larder/protocol/command"
)

// An errand is work on a serving node's keys that somebody outside has asked for and that takes long: it is done in slices between commands, as commands of a
// session of its own, so that replicas, the journal, watchers, caches and listeners hear of it as of any client's. It stands still while writes are held back,
// and goes no faster than replicas and the disk can follow.
type errand struct {
	p     *part
	s     *session // in whose name its commands run
	step  func() (errandState, error)
	close func() // gives back what it holds; nil: nothing
	reads bool   // it changes nothing: a node may do it that takes no writes

	armed     bool
	waits     bool  // nothing to do until somebody arms it
	refusedNS int64 // since when the node takes no writes; 0: it does
	replies   []byte

	done chan struct{} // closed when it is over
	err  error         // of it; set before done is closed
	over bool
}

// errandState is what a step comes to.
type errandState uint8

const (
	errandOn    errandState = iota // another step
	errandWaits                    // what it needs has not come: arm is called when it has
	errandDone
)

const (
	refusedMax    = 10 * time.Second // a node that takes no writes for longer ends an errand
	followersMost = 16 << 20         // how far a replica may be behind, bytes, before an errand rests
)

// errand does work on the loop until it is over. begin is called on the loop and makes its step.
func (n *Node) errand(ctx context.Context, e *errand, begin func(p *part) error, meanwhile func(e *errand) error) error {
	l := n.loop.Load()
	if l == nil {
		return errNotReady
	}
	e.done = make(chan struct{})
	l.Post(func() {
		e.p = n.part
		e.p.enter()
		e.s = &session{p: e.p, proto: 2, authed: true, anyKey: true, user: e.p.users.Default()}
		e.s.useDB(0)
		if err := begin(e.p); err != nil {
			e.finish(err)
			return
		}
		e.p.errands = append(e.p.errands, e)
		e.arm()
	})
	if meanwhile != nil {
		if err := meanwhile(e); err != nil {
			l.Post(func() { e.finish(err) })
		}
	}
	select {
	case <-e.done:
	case <-ctx.Done():
		l.Post(func() { e.finish(context.Cause(ctx)) })
		select {
		case <-e.done:
		case <-n.ended:
			return errEnded
		}
	case <-n.ended:
		return errEnded
	}
	if e.err != nil {
		return fmt.Errorf("node %s: %w", n.id, e.err)
	}
	return nil
}

// finish ends an errand, unless it is over.
func (e *errand) finish(err error) {
	if e.over {
		return
	}
	e.over, e.err = true, err
	e.p.errands = slices.DeleteFunc(e.p.errands, func(other *errand) bool { return other == e })
	if e.close != nil {
		e.close()
	}
	close(e.done)
}

// arm has it go on; it is called on the loop.
func (e *errand) arm() {
	if e.waits = false; !e.armed && !e.over {
		e.armed = true
		e.p.l.Later(e.slice)
	}
}

// tickErrands goes on with those that stood still because of the node.
func (p *part) tickErrands() {
	for _, e := range p.errands {
		if !e.waits {
			e.arm()
		}
	}
}

// slice works for a bounded time.
func (e *errand) slice() {
	e.armed = false
	p := e.p
	if e.over || p.scripts.busy != nil {
		return
	}
	p.enter()
	if !e.reads {
		if goes, err := e.mayWrite(); err != nil || !goes {
			if err != nil {
				e.finish(err)
			}
			p.l.Hurry()
			return
		}
	}
	p.w.Out, p.w.Proto = e.replies[:0], 2
	untilNS := p.clockNS() + int64(passSlice)
	state, err := errandOn, error(nil)
	for state == errandOn && err == nil && p.clockNS() < untilNS {
		state, err = e.step()
	}
	e.replies, p.w.Out = p.w.Out[:0], nil
	p.serve()
	p.stream.flush()
	if p.writing != nil {
		p.writing.kick()
	}
	switch {
	case err != nil || state == errandDone:
		e.finish(err)
	case state == errandOn:
		e.arm()
	default:
		e.waits = true
	}
}

var rowRestore = command.Lookup([]byte("RESTORE"))

// refused is why nobody may write now, "" if one may.
func (e *errand) refused() string {
	if e.p.state&guarded == 0 {
		return ""
	}
	return e.p.guardedFrom(e.s, rowRestore)
}

// mayWrite tells whether the errand may go on now. The error is why it never will.
func (e *errand) mayWrite() (bool, error) {
	p := e.p
	if err := p.fit(); err != nil {
		return false, err
	}
	if text := e.refused(); text != "" {
		switch {
		case e.refusedNS == 0:
			e.refusedNS = max(1, p.nowNS)
		case p.nowNS-e.refusedNS > int64(refusedMax):
			return false, fmt.Errorf("it takes no writes: %s", text)
		}
		return false, nil
	}
	e.refusedNS = 0
	return !p.paused.Active(p.nowMS) && !p.lagging && !p.isStill() && p.followersKeepUp(), nil
}

// followersKeepUp tells whether all who are sent the stream have most of it: what they lack is kept for them, and who lacks too much is cut.
func (p *part) followersKeepUp() bool {
	for _, r := range p.replicas.all {
		if r.feed != nil && r.behind() > followersMost {
			return false
		}
	}
	return true
}

// run runs a command of the errand's and gives its error, "" if there is none. Clients that it wakes go on at the end of the slice.
func (e *errand) run(row *command.Row, args [][]byte) string {
	p, c := e.p, &e.p.call
	p.w.Out = p.w.Out[:0]
	blockable := c.Blockable
	c.Blockable = false
	p.depth++
	p.runTold(e.s, row, args)
	p.depth--
	c.Blockable = blockable
	if out := p.w.Out; len(out) > 0 && out[0] == '-' {
		return string(out[1:max(1, len(out)-2)])
	}
	return ""
}
