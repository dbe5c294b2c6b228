package proxy

import "time"

// Sessions share the lanes of a loop, and a node answers a lane in order: what one client has sent in one piece stands before the single commands of all
// others. So a client has only Options.PendingMax on the way at a time, and fewer where others would wait for it alone. The rest stays in its buffer until
// half of that is answered; meanwhile others have their turn.
const (
	// shareFew is how many commands are on the way of a client beside others that have fewer there all together. A node needs some tens of microseconds
	// for them, less than a single command is on its way anyhow. With fewer, a command of a long pipeline would cost twice as much.
	shareFew = 64
	// shareNS is how long others are taken to be about since they were heard last. Who is alone is not held back for nobody.
	shareNS = int64(10 * time.Millisecond)
	// shareBytes is how much of a client's commands is taken before half of the commands under way are answered: a pipeline of large values fills a
	// node's time with few of them.
	shareBytes = 256 << 10
	// shareTime is how long a client's commands may run here at a time, among them those that no node is asked for. It is looked at behind every
	// shareLook commands.
	shareTime = 500 * time.Microsecond
	shareLook = 64
)

// heardFrom notes whose commands have come.
func (p *part) heardFrom(s *session) {
	if p.lastHeard != s.id {
		p.lastHeard, p.othersNS = s.id, p.nowNS
	}
}

// portion is what a session has had in one callback.
type portion struct {
	most     int // commands that may be on the way; it may prove to be more
	commands int // that have run
}

func (s *session) portion() portion { return portion{most: min(shareFew, s.p.opts.PendingMax)} }

// spent says whether a session has had its share: others are served before it goes on. So many bytes of its input are taken in this callback.
func (s *session) spent(had *portion, taken int) bool {
	n := s.q.len()
	if n >= had.most || n > 0 && taken >= shareBytes {
		if had.most < s.p.opts.PendingMax {
			had.most = s.share()
		}
		if n >= had.most || taken >= shareBytes {
			s.room = n / 2
			s.stall(stallFull)
			return true
		}
	}
	if had.commands%shareLook == shareLook-1 && s.p.l.Since(s.p.l.Now()) > shareTime {
		s.stall(stallShare)
		s.p.l.Later(func() {
			s.p.enter()
			s.wake(stallShare)
		})
		return true
	}
	had.commands++
	return false
}

// share is how many commands of a session that has many may be on the way.
func (s *session) share() int {
	p := s.p
	most := p.opts.PendingMax
	if p.nowNS-p.othersNS > shareNS {
		return most
	}
	others := -s.flying
	for _, u := range p.shards {
		others += u.depth()
	}
	for _, all := range p.replicas {
		for _, u := range all {
			others += u.depth()
		}
	}
	if others >= shareFew {
		return most
	}
	return min(shareFew, most)
}
