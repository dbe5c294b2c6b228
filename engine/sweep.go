package engine

// dueKey is a key that has something in it that died.
type dueKey struct {
	db  int
	key string
}

// sweepFields is how many dead fields are removed from a hash in a slice.
const sweepFields = 64

// sweep removes dead fields of one of the hashes that are due, and reports whether there is more to do. Where the node follows another they wait.
func (p *part) sweep() bool {
	if len(p.due) == 0 || p.stream.theirs {
		return false
	}
	last := len(p.due) - 1
	due, c := p.due[last], &p.call
	db, index := c.DB, c.DBIndex
	c.DB, c.DBIndex, c.Changed = p.store.DB(due.db), due.db, 0
	c.Events, c.Touched = c.Events[:0], c.Touched[:0]
	more := c.SweepHash([]byte(due.key), sweepFields)
	p.stream.flush()
	p.dirty += int64(c.Changed)
	for _, e := range c.Events {
		p.notify(e.DB, e.Class, e.Name, e.Key)
	}
	for _, t := range c.Touched {
		p.touch(nil, t.DB, t.Key)
	}
	c.DB, c.DBIndex = db, index
	c.Events, c.Touched = c.Events[:0], c.Touched[:0]
	if !more {
		p.due[last] = dueKey{}
		p.due = p.due[:last]
	}
	return len(p.due) > 0
}
