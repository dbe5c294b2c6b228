// Package store is one node's keyspace: databases of keys with values and expiry times, an index partitioned by slot group, SCAN's cursor, the expiry
// wheel, eviction and snapshots. It is the boundary behind which the keyspace lives: handlers see Store, DB, Item and the few types beside them.
//
// All of it lies in one range of memory outside the Go heap (engine/memory), found by offsets: a garbage collection sees no key. From the outside in: the
// range is cut into runs of granules (pages.go); segments of a log hold the items (log.go, item.go), small blocks hold index buckets (index.go, blocks.go)
// and the wheel's entries (wheel.go), runs hold long values (big.go), trees the big collections (object.go, tree). What costs time in proportion to data
// is done in slices: every write pays for a bounded piece (work.go), the loop calls Work and Expire for the rest.
//
// What must hold: a key is in exactly one group of one database; counts are exact after every call; a key whose time has come is never shown, whether or
// not it was removed yet. Views (keys, values, items) are dead with the next call that may change the store; Lookup and Peek leave other views alive. The
// package is pure: memory, time (milliseconds since 1970), hash seed, slot function and dice are handed in, and nothing is locked: the node's loop is its
// only caller.
//
// Kinds. An item has five bits of kind: 1 to 4 are the forms of a string, the others those of other types. A small collection is one blob in the item
// (SetBlob), a big one an object of trees behind a handle (object.go, NewObject, EditObject).
package store

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"larder/engine/memory"
	"larder/engine/store/tree"

	"github.com/zeebo/xxh3"
)

const (
	// Groups is the number of partitions of each database's index.
	Groups = 1024
	// GroupSlots consecutive slots share a group.
	GroupSlots = 16

	databasesMax = 1 << 16
)

// Options are what a store is made of.
type Options struct {
	Databases int                  // how many; 0 = 16
	Memory    memory.Source        // where its data lies: memory.Map, or memory.Heap in tests
	Seed      uint64               // of the keys' hash: not to be known by clients, who could else fill one bucket
	Slot      func(key []byte) int // the key's slot, 0 to 16383
	Rand      *rand.Rand           // for RandomKey and the random policies
	// Gone is told of each key that died of age or is evicted, before it goes; nil: nobody is. key is dead when it returns; it must not touch the store.
	Gone func(db int, key []byte, evicted bool)
	// Due is told of each key for which Arm said a time that has come, perhaps twice; nil: nobody is. key is dead when it returns; it must not touch the
	// store. Arm is to say the next time, or it is told no more.
	Due      func(db int, key []byte)
	Prefixes []string // count keys and bytes of keys that begin so, the longest that fits; at most PrefixesMax
}

// Validate names what is wrong with the options.
func (o *Options) Validate() error {
	switch {
	case o.Databases < 0 || o.Databases > databasesMax:
		return fmt.Errorf("store: databases is %d: want 1 to %d, or 0 for 16", o.Databases, databasesMax)
	case o.Memory == nil:
		return errors.New("store: the source of memory is missing")
	case o.Slot == nil:
		return errors.New("store: the slot function is missing")
	case o.Rand == nil:
		return errors.New("store: the source of chance is missing")
	}
	return ValidatePrefixes(o.Prefixes)
}

// Store is the keyspace.
type Store struct {
	mem      memory.Range
	options  Options
	dbs      []DB
	pages    pages
	blocks   blocks
	slabs    slabs
	log      itemLog
	bigs     bigs
	trees    *tree.Pool
	dying    []dying
	prefixes prefixes
	batch    batch
	passes   passes
	counts   []int32 // scratch of HashOrder
	eviction
	deaths Deaths

	version    uint64 // of the index: grows with every change of a bucket or table
	compacting walk
	scanAt     uint32 // segment from which on a victim is looked for
	debt       int    // bytes that a change appended and did not pay for yet
	expiredAll int64  // keys that died of age
	evictedAll int64
}

// New makes an empty keyspace. Close gives its memory back.
func New(o Options) (*Store, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	const databasesDefault = 16
	if o.Databases == 0 {
		o.Databases = databasesDefault
	}
	mem, err := memory.New(o.Memory)
	if err != nil {
		return nil, fmt.Errorf("store: %w", err)
	}
	s := &Store{mem: mem, options: o, dbs: make([]DB, o.Databases), bigs: newBigs(), prefixes: newPrefixes(o.Prefixes)}
	s.pages = newPages(&s.mem)
	s.blocks.pages, s.slabs.pages = &s.pages, &s.pages
	s.trees = tree.NewPool(&s.mem, forest{s})
	s.log.segments = make([]segment, 1)
	s.passes.era = 1
	for i := range s.dbs {
		s.dbs[i] = DB{store: s, number: i, bigBytes: new(int64)}
	}
	return s, nil
}

// Close gives the memory back. Nothing of the store may be touched afterwards.
func (s *Store) Close() error {
	if err := s.mem.Close(); err != nil {
		return fmt.Errorf("store: give memory back: %w", err)
	}
	return nil
}

// Databases is how many there are.
func (s *Store) Databases() int { return len(s.dbs) }

// DB gives database i, 0 <= i < Databases(). The pointer stays the same for the store's life.
func (s *Store) DB(i int) *DB { return &s.dbs[i] }

// Slot gives the slot of a key.
func (s *Store) Slot(key []byte) int { return s.options.Slot(key) }

// Memory is what keys, values, index and expiries take, in bytes, without what is free, dead or held by a snapshot.
func (s *Store) Memory() int64 {
	var sum int64
	for i := range s.dbs {
		sum += s.dbs[i].Memory()
	}
	return sum
}

// Reserved is the memory that the store has from the system, in bytes: Memory, and what is dead, free or held.
func (s *Store) Reserved() int64 {
	return s.log.touched + s.blocks.touched + s.slabs.touched + s.bigs.touched + s.bigs.beside + s.ghosts.bytes
}

// Expired is how many keys died of age since the store was made.
func (s *Store) Expired() int64 { return s.expiredAll }

// Flush empties all databases and gives the number of keys that were in them. It takes the same short time however many they are.
func (s *Store) Flush() int {
	n := 0
	for i := range s.dbs {
		n += s.dbs[i].Flush()
	}
	return n
}

// Expire removes keys whose time has come, looking at no more than about limit candidates in all databases together. It reports how many it removed and
// whether more may be due.
func (s *Store) Expire(now int64, limit int) (removed int, more bool) {
	before := s.expiredAll
	for i := range s.dbs {
		if limit, more = s.dbs[i].expireDue(now, limit); more {
			break
		}
	}
	s.pay(int(s.expiredAll-before) * expiredPay)
	return int(s.expiredAll - before), more
}

// probe is where a key belongs.
type probe struct {
	ghost uint64 // the whole hash
	place uint64 // of a reference that may be the key's until the index changes; 0 = none is known
	hash  uint32
	group uint16
	tag   uint8 // bits of the hash that the bucket's number has not; not 0
}

func makeProbe(hash uint64, slot int) probe {
	return probe{ghost: hash, hash: uint32(hash), tag: tagOf(hash), group: uint16(slot / GroupSlots)}
}

func tagOf(hash uint64) uint8 { return max(uint8(hash>>56), 1) }

func (s *Store) hash(key []byte) uint64 { return xxh3.HashSeed(key, s.options.Seed) }

// Hash gives the hash by which big collections are in order, in which clients cannot make collisions: they do not know its seed.
func (s *Store) Hash(text []byte) uint64 { return s.hash(text) }

// Rand is the dice to draw from a collection with.
func (s *Store) Rand() *rand.Rand { return s.options.Rand }

// hashAt is the hash of an item's key, as far as buckets are numbered by it.
func (s *Store) hashAt(at uint64) uint32 {
	h := s.shapeOf(at)
	return uint32(s.hash(s.keyBytes(&h)))
}

func (s *Store) probeOf(key []byte) probe { return makeProbe(s.hash(key), s.options.Slot(key)) }
