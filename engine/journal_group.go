package engine

import (
	"time"

	"larder/persistence/journal"
)

// Under appendfsync always one sync is for all that came before it, so who writes at about the same time is to share one: what a round of the loop has
// brought is made safe together, when all that was ready has been served.
//
// While the disk is quick the loop does that by itself, as redis-server does: to hand it to the writer's goroutine and to hear of it takes as long again as
// the sync, and half the writes a second. While it is slow syncs are the goroutine's, so that those do not wait for the disk whose replies show nothing of
// what it is to make safe; meanwhile the next group gathers.

// group is who shares the next sync.
type group struct {
	closes bool          // it is complete when the loop has served what is ready
	usual  time.Duration // what a sync took lately
}

const (
	syncOnLoopMax = 2 * time.Millisecond // where syncs take longer, others shall not wait for them
	syncsLately   = 8                    // so many count: a single sync of sixteen times that makes the disk a slow one
)

// shares tells whether somebody waits for each sync. Nobody waits for a journal without a base.
func (j *writing) shares() bool { return j.p.set.journal.sync == journal.Always && !j.building }

// gather has what was said made safe when the loop has served what is ready.
func (j *writing) gather() {
	if !j.group.closes {
		j.group.closes = true
		j.p.l.Post(j.closeGroup)
	}
}

// closeGroup makes safe what was said.
func (j *writing) closeGroup() {
	p := j.p
	j.group.closes = false
	if p.writing != j {
		return
	}
	p.enter()
	switch {
	case !j.mayHand():
	case !j.shares() || j.group.usual > syncOnLoopMax:
		j.hand(journal.Task{})
	default:
		t := journal.Task{}
		j.fill(&t)
		j.reported(j.w.Do(t))
	}
}

// nextGroup begins with those who came while the last was made safe, which took so long. Those whom that lets go are about to say more: who of them is quick
// is in it too.
func (j *writing) nextGroup(took time.Duration) {
	j.group.usual += (took - j.group.usual) / syncsLately
	if j.mayHand() {
		j.p.l.Later(func() {
			if j.p.writing == j {
				j.kick()
			}
		})
	}
}
