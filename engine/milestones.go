package engine

import (
	"slices"
	"strconv"
	"time"

	"larder/protocol/resp"
)

// What a client publishes at one node and then, by a script or a transaction, at another comes to a gateway over two connections, its ears. So that it can be
// passed on in order, the gateway from which it comes has the first node put a mark behind the first message, on all ears, and has the second node say on all
// ears, before the next message, behind which mark that belongs (docs/formats/upstream.md).

// milestones are what a node has of that.
type milestones struct {
	last int64 // the greatest mark that was put; a node that was started anew goes on above those of its former life
	ears []*session
}

func newMilestones(now time.Time) milestones { return milestones{last: now.UnixMicro()} }

// larderEar makes a lane an ear and tells who the node is, in this life, and the last mark.
func larderEar(s *session, _ [][]byte) {
	m := &s.p.marked
	if !s.ear {
		s.ear = true
		m.ears = append(m.ears, s)
	}
	s.p.tellMark()
}

func (p *part) tellMark() {
	p.w.Array(2)
	p.w.Bulk(p.n.runID)
	p.w.Int(p.marked.last)
}

// larderMark puts a mark on all ears: what was published before it comes before it.
func larderMark(s *session, _ [][]byte) {
	m := &s.p.marked
	m.last++
	s.p.tellEars("larder-mark", strconv.FormatInt(m.last, 10))
	s.p.tellMark()
}

// larderAfter says behind which mark of which node belongs what is published from now on. Ears that get none of it are told too: they may get what another
// node publishes behind a mark of this one.
func larderAfter(s *session, args [][]byte) {
	if _, err := strconv.ParseInt(string(args[3]), 10, 64); err != nil {
		s.fail(errNotInt)
		return
	}
	s.p.tellEars("larder-after", string(args[2]), string(args[3]))
	s.ok()
}

// larderPublishes tells whether the text of a script names PUBLISH, for a gateway that does not know the text; one that is not there may.
func larderPublishes(s *session, args [][]byte) {
	if g := s.p.scripts.bySHA(args[2]); g != nil && !g.speaks {
		s.p.w.Int(0)
		return
	}
	s.p.w.Int(1)
}

func (p *part) tellEars(words ...string) {
	for _, ear := range p.marked.ears {
		w := resp.Writer{Proto: ear.proto}
		w.Push(len(words))
		for _, word := range words {
			w.Bulk(word)
		}
		p.deliver(ear, w.Out)
	}
}

// closeEar: the connection is gone.
func (s *session) closeEar() {
	if s.ear {
		m := &s.p.marked
		m.ears = slices.DeleteFunc(m.ears, func(ear *session) bool { return ear == s })
	}
}
