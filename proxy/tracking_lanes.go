package proxy

import (
	"errors"
	"slices"
	"strconv"
	"time"
)

// The shared lanes of a node by what they are for; the first two are the protocol's version.
const (
	lineReads2 = 4 // RESP2, what is read is remembered; the next one is told
	lineReads3 = 5 // RESP3, what is read is remembered and told
	lineEar    = 6 // RESP3, without commands: told of every key that begins as somebody wants to know
	lines      = 5
)

// protoOf is the version in which a line speaks.
func protoOf(line int) int {
	if line == 2 || line == lineReads2 {
		return 2
	}
	return 3
}

var errNotTold = errors.New("the lane that would tell of its keys was lost")

// askTracking greets a lane of tracking sessions.
func (ln *lane) askTracking() {
	words := [][]byte{wordClient, wordTracking, []byte("ON")}
	switch ln.line {
	case lineReads3:
		ln.ask((*lane).heardID, wordClient, []byte("ID"))
		words = append(words, []byte("OPTOUT"))
	case lineReads2:
		words = append(words, []byte("OPTOUT"), []byte("REDIRECT"), strconv.AppendInt(nil, ln.u.teller().nodeID, 10))
	case lineEar:
		ln.prefixes = ln.p.caches.prefixes
		words = append(words, []byte("BCAST"))
		for _, prefix := range ln.prefixes {
			if prefix != "" {
				words = append(words, []byte("PREFIX"), []byte(prefix))
			}
		}
	default:
		return
	}
	ln.ask(mustSucceed, words...)
}

var wordTracking, wordCaching, wordNo = []byte("TRACKING"), []byte("CACHING"), []byte("NO")

// teller is the lane that is told of what the node's clients have read; nil if it is not there.
func (u *upstream) teller() *lane {
	if ln := u.shared[lineReads3-2]; ln != nil && ln.state == laneReady {
		return ln
	}
	return nil
}

// mayBegin says whether the lane can be greeted: the one that is to be told instead of it has to be there.
func (ln *lane) mayBegin() bool {
	if ln.line != lineReads2 || ln.u.teller() != nil {
		return true
	}
	if ln.u.lane(lineReads3) == nil {
		ln.fail(errNotTold)
	}
	return false
}

// remembers says whether the node will tell of what is read on this lane now.
func (ln *lane) remembers() bool {
	return ln.line >= lineReads2 && ln.state == laneReady && ln.u.shared[ln.line-2] == ln && ln.u.teller() != nil
}

// tellingReady follows the greeting of a lane that tells.
func (ln *lane) tellingReady() {
	u, p := ln.u, ln.p
	switch ln.line {
	case lineReads3:
		if other := u.shared[lineReads2-2]; other != nil && other.state == laneDialling && other.c != nil {
			other.begin()
		}
	case lineEar:
		if old := u.fading; old != nil { // what was changed before this ear listened comes over the old one, before its answer to this
			u.fading = nil
			old.ping()
			old.state = laneEnding
		}
		if u.deaf {
			p.tellFollowersAll()
		}
		u.deaf = false
		p.tuneEars(false)
	}
	p.answerAwaited()
}

// tellingLost follows the loss of a lane of tracking sessions: what was to be told over it may be lost too.
func (ln *lane) tellingLost(before laneState) {
	u, p := ln.u, ln.p
	switch ln.line {
	case lineReads2, lineReads3:
		if before == laneReady {
			p.tellReadersOf(u, ln.line)
		}
		if ln.line == lineReads3 {
			u.retire(lineReads2)
		}
	case lineEar:
		switch {
		case ln == u.fading:
			u.fading = nil
			p.deafened(u)
		case before == laneEnding: // the last that it had to tell
			p.tellFollowersAll()
		case before == laneReady:
			p.deafened(u)
		case u.fading != nil: // the one that was to take over did not come: the old one is kept
			u.shared[lineEar-2], u.fading = u.fading, nil
		}
	}
	p.answerAwaited()
}

// movedCaches follows a change of topology: keys may be another node's to change now, and another may have changed them already.
func (p *part) movedCaches() {
	if len(p.caches.clients) == 0 {
		return
	}
	p.tellReadersAll()
	p.tellFollowersAll()
	p.tuneEars(false)
	p.answerAwaited()
}

// deafened: nothing listens to a node for a while.
func (p *part) deafened(u *upstream) {
	u.deaf = true
	p.tellFollowersAll()
}

// retire takes a lane out of use: it answers what it was asked.
func (u *upstream) retire(line int) {
	ln := u.shared[line-2]
	if ln == nil {
		return
	}
	u.shared[line-2] = nil
	if ln.state != laneReady {
		ln.fail(errNotTold)
		return
	}
	ln.state = laneEnding
	if ln.queue.len() > 0 {
		u.p.swaps++
	}
	ln.progress()
}

// hushReaders ends the lanes of sessions that read for their caches: there is none any more.
func (p *part) hushReaders() {
	for _, u := range p.upstreams {
		u.retire(lineReads2)
		u.retire(lineReads3)
		p.forgetReads(u)
	}
}

// tuneEars has the nodes tell of what sessions follow: of all that is new at once; of less when exactly says so, since it takes a new ear.
func (p *part) tuneEars(exactly bool) {
	want := p.caches.prefixes
	for _, u := range p.shards {
		ln := u.shared[lineEar-2]
		switch {
		case len(want) == 0:
			if u.fading != nil {
				u.fading.end()
				u.fading = nil
			}
			u.retire(lineEar)
		case ln == nil:
			u.deaf = true
			u.lane(lineEar)
		case ln.state != laneReady || u.fading != nil:
			// it is looked at when it is there
		case !covers(ln.prefixes, want) || exactly && !slices.Equal(ln.prefixes, want):
			u.shared[lineEar-2] = nil
			if u.lane(lineEar) == nil {
				u.shared[lineEar-2] = ln
				continue
			}
			u.fading = ln
		}
	}
}

// tellingEveryNS is how often a lane that tells, and has nothing to answer, is asked whether it lives.
const tellingEveryNS = int64(time.Second)

// tickTracking keeps the lanes that tell alive, and ends what waits too long.
func (p *part) tickTracking() {
	c := &p.caches
	p.endRounds()
	if len(c.pings) > 0 {
		p.answerPings()
	}
	if len(c.clients) == 0 {
		return
	}
	if c.readers > 0 {
		for _, u := range p.shards {
			u.lane(lineReads3)
		}
	}
	exactly := p.nowNS-c.tuneNS >= tellingEveryNS
	if exactly {
		c.tuneNS = p.nowNS
	}
	p.tuneEars(exactly)
	if p.nowNS-c.pingNS >= tellingEveryNS {
		c.pingNS = p.nowNS
		for _, u := range p.shards {
			for _, line := range [...]int{lineReads2, lineReads3, lineEar} {
				if ln := u.shared[line-2]; ln != nil && ln.state == laneReady && ln.queue.len() == 0 {
					ln.ping()
				}
			}
		}
	}
	p.answerAwaited()
}
