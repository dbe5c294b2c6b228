package proxy

import (
	"time"

	"larder/protocol/resp"
)

// A message that belongs behind a mark of another node (spoken.go) is passed on when that mark has come over the other node's ear. Until then its own ear is
// not read on. What waits so for what cannot wait for it in turn: each mark was put before the message that waits for it was published.

// passMax is how long a message waits for a mark: a node that does not send it by then is in trouble of its own.
const passMax = int64(500 * time.Millisecond)

// passing is an ear's waiting for a mark.
type passing struct {
	ear     *ear // of the node that put the mark; once that is lost the mark does not come any more
	mark    int64
	untilNS int64
}

const (
	wordMarked = "larder-mark"
	wordBehind = "larder-after"
)

// marked takes what a node says of marks, and says whether it was that.
func (e *ear) marked(word string, it *resp.Iter) bool {
	switch word {
	case wordMarked:
		if mark, ok := markOf(it); ok {
			e.mark.n = max(e.mark.n, mark)
			e.u.p.passEars()
		}
	case wordBehind:
		arg, _ := it.Next()
		run, _ := resp.BulkOf(arg)
		if mark, ok := markOf(it); ok {
			e.waitFor(string(run), mark)
		}
	default:
		return false
	}
	return true
}

func markOf(it *resp.Iter) (int64, bool) {
	arg, _ := it.Next()
	text, _ := resp.BulkOf(arg)
	return resp.ParseNumber(text)
}

// waitFor stops the reading of an ear until another has come to a mark. A node that this loop does not hear is not waited for.
func (e *ear) waitFor(run string, mark int64) {
	p := e.u.p
	for _, u := range p.upstreams {
		if other := u.ear; other != nil && other != e && other.marks && other.mark.run == run && other.mark.n < mark {
			e.passing = &passing{ear: other, mark: mark, untilNS: p.nowNS + passMax}
			e.ln.c.Pause()
			p.l.HurryIn(time.Duration(passMax))
			return
		}
	}
}

// passEars has ears read on that wait for nothing any more.
func (p *part) passEars() {
	for _, u := range p.upstreams {
		e := u.ear
		if e == nil || e.passing == nil {
			continue
		}
		if w := e.passing; w.ear.mark.n >= w.mark || w.ear.ln.state == laneClosed || p.nowNS >= w.untilNS {
			e.passing = nil
			e.ln.c.Resume()
			p.release()
		}
	}
}
