package store

// S3-FIFO is better than LRU where popularity lasts, and worse where what is new is what is wanted: it shows new keys the door after a tenth of the
// memory. So two models of the cache, one a method, see a sample of the requests (keys whose hash says so; some thousands of keys each), and the method
// whose model misses less is used. The other is CLOCK: one queue, what was seen goes to its end with no points.

const (
	duelRoom      = 2048 // keys of a model, at least half as many
	duelSampleMin = 2    // log2 of the keys that a key of the models stands for, at least

	duelDecay = 0.75  // of the misses, when a model's room of requests was seen
	duelLead  = 0.995 // CLOCK must be better by so much
)

type duel struct {
	queues, clock *model
	shift         int // log2 of the keys that one stands for
	seen          int
	keys          int // of the store, when the models were made
	clockWins     bool
}

// model is a cache of keys without values.
type model struct {
	clock  bool
	room   int
	freq   map[uint64]uint8 // of the keys it holds
	small  fifo
	main   fifo
	ghost  fifo
	ghosts map[uint64]struct{}
	misses float64
}

// fifo is a ring of keys.
type fifo struct {
	keys    []uint64
	head, n int
}

func newFifo(room int) fifo { return fifo{keys: make([]uint64, room)} }

func (f *fifo) push(key uint64) {
	f.keys[(f.head+f.n)%len(f.keys)] = key
	f.n++
}

func (f *fifo) pop() uint64 {
	key := f.keys[f.head]
	f.head = (f.head + 1) % len(f.keys)
	f.n--
	return key
}

func newModel(room int, clock bool) *model {
	return &model{
		clock: clock, room: room, freq: make(map[uint64]uint8, room), ghosts: make(map[uint64]struct{}, room),
		small: newFifo(room), main: newFifo(room), ghost: newFifo(room),
	}
}

// get asks for a key and takes it in if it is not there; counted: a miss counts.
func (m *model) get(key uint64, counted bool) {
	if f, ok := m.freq[key]; ok {
		if counted && f < freqMax {
			m.freq[key] = f + 1
		}
		return
	}
	if counted {
		m.misses++
	}
	for len(m.freq) >= m.room {
		m.evict()
	}
	m.freq[key] = 0
	if _, back := m.ghosts[key]; back || m.clock {
		m.main.push(key)
		return
	}
	m.small.push(key)
}

func (m *model) evict() {
	if m.small.n > m.room/smallShare || m.main.n == 0 {
		key := m.small.pop()
		if m.freq[key] > 0 {
			m.freq[key] = 0
			m.main.push(key)
			return
		}
		delete(m.freq, key)
		m.haunt(key)
		return
	}
	key := m.main.pop()
	switch f := m.freq[key]; {
	case f == 0:
		delete(m.freq, key)
	case m.clock:
		m.freq[key] = 0
		m.main.push(key)
	default:
		m.freq[key] = f - 1
		m.main.push(key)
	}
}

func (m *model) haunt(key uint64) {
	if _, ok := m.ghosts[key]; ok {
		return
	}
	if m.ghost.n == m.room {
		delete(m.ghosts, m.ghost.pop())
	}
	m.ghost.push(key)
	m.ghosts[key] = struct{}{}
}

// watch shows the models a request for a key; counted: it asks for the key's value.
func (s *Store) watch(hash uint64, counted bool) {
	e := &s.duel
	if e.queues == nil || hash>>32&(1<<e.shift-1) != 0 {
		return
	}
	e.queues.get(hash, counted)
	e.clock.get(hash, counted)
	if e.seen++; e.seen < e.queues.room {
		return
	}
	e.seen = 0
	e.clockWins = e.clock.misses < duelLead*e.queues.misses
	e.queues.misses *= duelDecay
	e.clock.misses *= duelDecay
}

// size makes the models anew when the store has got twice as large or half as large since they were made.
func (e *duel) size(keys int) {
	if e.queues != nil && keys < 2*e.keys && keys > e.keys/2 {
		return
	}
	shift := duelSampleMin
	for keys>>shift > duelRoom {
		shift++
	}
	room := max(keys>>shift, smallShare)
	*e = duel{queues: newModel(room, false), clock: newModel(room, true), shift: shift, keys: keys, clockWins: e.clockWins}
}
