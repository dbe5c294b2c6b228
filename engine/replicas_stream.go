package engine

// streaming tells whether what commands do is in the stream.
func (p *part) streaming() bool { return p.stream.wanted }

// follows tells whether the node follows another.
func (p *part) follows() bool { return p.stream.theirs }

// beginStream has everything that is done from now on in the stream, whose name is new if it was not until now: there is no past that anybody could have.
func (p *part) beginStream() {
	if p.streaming() {
		p.stream.told.Restate()
		return
	}
	p.stream.past.Restart(randomID(p.store.Rand()), p.stream.past.End())
	p.stream.listen()
}

// endStream ends it, unless the journal reads it too.
func (p *part) endStream() bool {
	if _, journal := p.journalSynced(); journal {
		return false
	}
	p.stream.hush()
	p.stream.past.Restart(randomID(p.store.Rand()), p.stream.past.End())
	return true
}

// journalSynced is up to where the stream is safe in the node's own journal, and whether there is one. One whose first base is not whole has nothing yet.
func (p *part) journalSynced() (offset int64, has bool) {
	switch j := p.writing; {
	case j == nil:
		return 0, false
	case j.building:
		return 0, true
	default:
		return j.state.Synced, true
	}
}

// streamBytes is what the stream's past takes. It is not counted against maxmemory: keys that are evicted for it would only make it more.
func (p *part) streamBytes() int64 {
	if !p.streaming() {
		return 0
	}
	return p.stream.past.Bytes()
}

// replicaBytes is what is kept for replicas beside that: what their sockets have not taken, and pieces of the copy on its way.
func (p *part) replicaBytes() (n int64) {
	for _, r := range p.replicas.all {
		n += int64(r.s.c.Unsent())
	}
	if y := p.replicas.copying; y != nil {
		n += y.kept
	}
	return n
}
