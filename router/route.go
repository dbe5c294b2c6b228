package router

// Cross says why keys cannot be sent to one shard together. Its zero value is no error.
type Cross uint8

const (
	Together Cross = iota // the keys can go to one shard
	Crosses               // their slots differ
	Unserved              // nobody owns the slot of one of them
)

// Error is the error line that a Redis Cluster gives (Redis 7.0 cluster.c, clusterRedirectClient), without the leading '-'; clients match it.
func (c Cross) Error() string {
	switch c {
	case Crosses:
		return "CROSSSLOT Keys in request don't hash to the same slot"
	case Unserved:
		return "CLUSTERDOWN Hash slot not served"
	default:
		return ""
	}
}

// ShardOf is the index of the shard that has the key, or Nobody.
func (t *Topology) ShardOf(key []byte) int { return int(t.owners[Slot(key)]) }

// OneShard finds the one shard for a command that cannot be split. keys are positions in args. With several shards all keys must share a slot, even
// where one shard has them all: else a command would work until slots move. With one shard anything goes that it owns, as on a plain server. Without
// keys any shard will do, and it is the first. Where the answer is not Together, shard is Nobody.
func (t *Topology) OneShard(args [][]byte, keys []int) (shard int, cross Cross) {
	if len(t.Shards) == 1 {
		return t.onlyShard(args, keys)
	}
	if len(keys) == 0 {
		return 0, Together
	}
	slot := Slot(args[keys[0]])
	owner := int(t.owners[slot])
	if owner == Nobody {
		return Nobody, Unserved
	}
	for _, key := range keys[1:] {
		if Slot(args[key]) != slot {
			return Nobody, Crosses
		}
	}
	return owner, Together
}

func (t *Topology) onlyShard(args [][]byte, keys []int) (int, Cross) {
	if len(t.runs) == 1 && t.runs[0].owner == 0 {
		return 0, Together
	}
	for _, key := range keys {
		if t.ShardOf(args[key]) == Nobody {
			return Nobody, Unserved
		}
	}
	return 0, Together
}

// Split is a command over many keys sorted by shard. It is scratch: reused by the next Topology.Split into it, so that nothing is allocated once it
// has grown. A key is named by its number: 0 for the first, 1 for the next.
type Split struct {
	Shard []int // by key number: the shard it goes to
	Parts []Part

	order []int // backs the Keys of all parts
	part  []int // by shard: its place in Parts + 1, or 0
}

// Part is what goes to one shard.
type Part struct {
	Shard int
	Keys  []int // key numbers, in the command's order

	count int
}

// Split sorts the keys args[first], args[first+step] … by shard, into s. Parts come in the order in which their shards first appear. args must hold
// nothing behind the last key's step (cut a command's tail off before). Unserved if some key has no owner: then s is of no use.
func (t *Topology) Split(args [][]byte, first, step int, s *Split) Cross {
	s.reset(len(t.Shards))
	for at := first; at < len(args); at += step {
		shard := t.ShardOf(args[at])
		if shard == Nobody {
			return Unserved
		}
		s.Shard = append(s.Shard, shard)
		if s.part[shard] == 0 {
			s.Parts = append(s.Parts, Part{Shard: shard})
			s.part[shard] = len(s.Parts)
		}
		s.Parts[s.part[shard]-1].count++
	}
	s.gather()
	return Together
}

func (s *Split) reset(shards int) {
	s.Shard, s.Parts = s.Shard[:0], s.Parts[:0]
	if cap(s.part) < shards {
		s.part = make([]int, shards)
	}
	s.part = s.part[:shards]
	clear(s.part)
}

// gather hands each part its share of one array and deals the keys out: the order within a shard is kept, the cost linear in keys.
func (s *Split) gather() {
	if cap(s.order) < len(s.Shard) {
		s.order = make([]int, 2*len(s.Shard))
	}
	from := 0
	for i := range s.Parts {
		to := from + s.Parts[i].count
		s.Parts[i].Keys = s.order[:cap(s.order)][from:from:to]
		from = to
	}
	for key, shard := range s.Shard {
		part := &s.Parts[s.part[shard]-1]
		part.Keys = append(part.Keys, key)
	}
}
