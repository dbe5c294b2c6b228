package lanes

// endedMost is how many names are kept. They are needed for as long as a connection can lie in the queue of those that are to be accepted.
const endedMost = 1 << 16

// Ended are the names of lanes that are no more: whoever still comes under one is refused. The zero Ended has none.
type Ended struct {
	names map[string]struct{}
	order []string // a ring, once it is full
	next  int
}

// Add notes one.
func (e *Ended) Add(id string) {
	if e.Has([]byte(id)) {
		return
	}
	if e.names == nil {
		e.names = map[string]struct{}{}
	}
	e.names[id] = struct{}{}
	if len(e.order) < endedMost {
		e.order = append(e.order, id)
		return
	}
	delete(e.names, e.order[e.next])
	e.order[e.next] = id
	e.next = (e.next + 1) % endedMost
}

// Has tells whether a lane has ended.
func (e *Ended) Has(id []byte) bool {
	_, has := e.names[string(id)]
	return has
}
