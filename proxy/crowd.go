package proxy

import "time"

// Where one message goes to very many clients, writing it to all of them takes longer than many messages take to come. So while such messages follow each
// other, each waits for a moment, kept once for all, and what has come by then leaves in one write a client. A message that comes alone does not wait.

const (
	// crowdMin is from how many clients on it is worth it.
	crowdMin = 256
	// crowdEachNS is how long a message may wait for each client it goes to: about a quarter of what writing it takes.
	crowdEachNS = int64(time.Microsecond)
	// crowdMaxNS is how long it may wait at most.
	crowdMaxNS = int64(10 * time.Millisecond)
	// crowdAgain is how soon after the last message the next one follows it, in times of how long it may wait.
	crowdAgain = 8
	// owedMax is how much is taken in for all clients before it is written, bytes, of which a copy in a client's output counts copiedWeight times: what the
	// nodes send meanwhile waits in the ears' sockets. Writing so much takes some 30 ms.
	owedMax      = 128 << 20
	copiedWeight = 8
)

// crowd are the clients that have such output.
type crowd struct {
	who     []*session
	dueNS   int64 // when it leaves
	lastNS  int64 // when the last message to very many came, or had been written
	toWrite int   // clients that one is still to be written to in this turn
	held    int   // bytes that wait for that
	leaving int   // bytes that leave when the turn ends
}

func (c *crowd) owe(bytes int, waits bool) {
	if waits {
		c.held += bytes
	} else {
		c.leaving += bytes
	}
}

func (c *crowd) full() bool { return c.held > owedMax || c.leaving > owedMax }

// gather has a client among those whose output waits.
func (c *crowd) gather(s *session) {
	if !s.ears.mail.gathers {
		s.ears.mail.gathers = true
		c.who = append(c.who, s)
	}
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
	c.leaving += c.held
	c.held = 0
	for _, s := range c.who {
		s.ears.mail.gathers = false
		s.ears.mail.seal()
		s.c.Touch()
	}
	clear(c.who)
	c.toWrite = len(c.who)
	c.who = c.who[:0]
}

// wrote follows the writing to each client: the time that it takes to write to all of them is none in which nothing followed.
func (p *part) wrote() {
	c := &p.hearing.crowd
	c.leaving = 0
	if c.toWrite == 0 {
		return
	}
	if c.toWrite--; c.toWrite == 0 {
		c.lastNS = p.nowNS + int64(p.l.Since(p.l.Now()))
	}
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
