package proxy

import (
	"time"

	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// pingWait is a PING of a session that tracks. By one server it is answered behind every message of what was changed before; here, when all lanes that tell
// have answered one too, or after a moment.
type pingWait struct {
	s       *session
	seq     uint32
	reply   []byte
	lanes   []lanePing
	untilNS int64
}

// lanePing is a lane that has to have answered so many.
type lanePing struct {
	ln    *lane
	count uint32
}

// pingTellingNS is how long a PING waits for lanes. A node on a machine with much to do takes a tenth of a second at times.
const pingTellingNS = int64(500 * time.Millisecond)

// pingTelling answers PING when the lanes that tell the session have nothing older to tell.
func (s *session) pingTelling(row *command.Row, args [][]byte) {
	p := s.p
	w := resp.Writer{Proto: s.proto}
	client.Pong(&w, args, false)
	line := lineReads3
	if s.track.Bcast {
		line = lineEar
	}
	wait := pingWait{s: s, seq: s.push(row), reply: w.Out, untilNS: p.nowNS + pingTellingNS}
	for _, u := range p.shards {
		if ln := u.shared[line-2]; ln != nil && ln.state == laneReady {
			ln.ping()
			wait.lanes = append(wait.lanes, lanePing{ln, ln.pinged})
		}
	}
	p.caches.pings = append(p.caches.pings, wait)
	p.l.Hurry()
	p.answerPings()
}

// ping asks whether the node is there, on a lane of tracking sessions.
func (ln *lane) ping() {
	ln.pinged++
	ln.query(func([]byte) {
		ln.pongs++
		ln.p.answerPings()
		ln.p.endRounds()
	}, wordPing)
}

// answerPings answers the clients whose lanes have answered.
func (p *part) answerPings() {
	c := &p.caches
	waiting := c.pings
	c.pings = c.pings[:0]
	for _, w := range waiting {
		switch {
		case w.s.gone:
		case p.nowNS >= w.untilNS || answered(w.lanes):
			w.s.complete(w.seq, w.reply)
		default:
			c.pings = append(c.pings, w)
		}
	}
	clear(waiting[len(c.pings):])
	if len(c.pings) > 0 {
		p.l.Hurry()
	}
}

func answered(lanes []lanePing) bool {
	for _, lp := range lanes {
		if lp.ln.state != laneClosed && int32(lp.count-lp.ln.pongs) > 0 {
			return false
		}
	}
	return true
}
