package proxy

import "time"

// Where one message goes to very many clients, writing it to all of them takes longer than many messages take to come. So while such messages follow each
// other, each waits for a moment in the clients' outputs, and what has come by then leaves in one write a client. A message that comes alone does not wait.

const (
	// crowdMin is from how many clients on it is worth it.
	crowdMin = 256
	// crowdEachNS is how long a message may wait for each client it goes to: about a quarter of what writing it takes.
	crowdEachNS = int64(time.Microsecond)
	// crowdMaxNS is how long it may wait at most.
	crowdMaxNS = int64(10 * time.Millisecond)
	// crowdAgain is how soon after the last message the next one follows it, in times of how long it may wait.
	crowdAgain = 8
	// owedMax is how much may wait in all clients' outputs before it is written, bytes; what the nodes send meanwhile waits in the ears' sockets.
	owedMax = 16 << 20
)

// crowd are the clients that have such output.
type crowd struct {
	who    []*session
	dueNS  int64 // when it leaves
	lastNS int64 // when the last message to very many came or left
	owed   int   // bytes that were put into clients' outputs since any of them were written
}

// waits tells whether a message to so many clients waits for others.
func (p *part) waits(clients int) bool {
	c := &p.hearing.crowd
	if clients < crowdMin {
		return false
	}
	if len(c.who) > 0 {
		return true
	}
	most := min(int64(clients)*crowdEachNS, crowdMaxNS)
	follows := c.lastNS != 0 && p.nowNS-c.lastNS < crowdAgain*most
	c.lastNS = max(1, p.nowNS)
	if follows {
		c.dueNS = p.nowNS + most
		p.l.HurryIn(time.Duration(most))
	}
	return follows
}

// releaseCrowd has what waits written.
func (p *part) releaseCrowd() {
	c := &p.hearing.crowd
	for _, s := range c.who {
		s.ears.mail.gathers = false
		s.c.Touch()
	}
	clear(c.who)
	c.who, c.lastNS = c.who[:0], max(1, p.nowNS)
}

// tickCrowd has it written when its time has come.
func (p *part) tickCrowd() {
	c := &p.hearing.crowd
	switch {
	case len(c.who) == 0:
	case p.nowNS >= c.dueNS:
		p.releaseCrowd()
	default:
		p.l.HurryIn(time.Duration(c.dueNS - p.nowNS))
	}
}
