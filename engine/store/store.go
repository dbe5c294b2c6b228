// Package store is one node's keyspace: databases of keys with values and expiry times, an index partitioned by slot group, SCAN's cursor and the
// expiry wheel. It is the boundary behind which the next form of the keyspace grows: handlers see DB, Item and the few types beside them.
//
// What must hold: a key is in exactly one group of one database; count, expires and memory are exact after every call; a key whose time has come is
// never shown, whether or not it was removed yet; views (keys, values, items) are dead with the next change of the database they came from. The package
// is pure: time (milliseconds since 1970), hash seed, slot function and dice are handed in, and nothing is locked: the node's loop is its only caller.
package store

import (
	"errors"
	"fmt"
	"math/rand/v2"

	"github.com/zeebo/xxh3"
)

const (
	// Groups is the number of partitions of each database's index.
	Groups = 1024
	// GroupSlots consecutive slots share a group.
	GroupSlots = 16

	databasesMax = 1 << 16
	tableBytes   = 32
)

// Options are what a store is made of.
type Options struct {
	Databases int                  // how many; 0 = 16
	Seed      uint64               // of the keys' hash: not to be known by clients, who could else fill one bucket
	Slot      func(key []byte) int // the key's slot, 0 to 16383
	Rand      *rand.Rand           // for RandomKey
}

// Validate names what is wrong with the options.
func (o *Options) Validate() error {
	switch {
	case o.Databases < 0 || o.Databases > databasesMax:
		return fmt.Errorf("store: databases is %d: want 1 to %d, or 0 for 16", o.Databases, databasesMax)
	case o.Slot == nil:
		return errors.New("store: the slot function is missing")
	case o.Rand == nil:
		return errors.New("store: the source of chance is missing")
	}
	return nil
}

// Store is the keyspace.
type Store struct {
	options Options
	dbs     []DB
	expired int64 // keys that died of age, in all
}

// New makes an empty keyspace.
func New(o Options) (*Store, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	const databasesDefault = 16
	if o.Databases == 0 {
		o.Databases = databasesDefault
	}
	s := &Store{options: o, dbs: make([]DB, o.Databases)}
	for i := range s.dbs {
		s.dbs[i].store = s
		s.dbs[i].reset()
	}
	return s, nil
}

// Databases is how many there are.
func (s *Store) Databases() int { return len(s.dbs) }

// DB gives database i, 0 <= i < Databases(). The pointer stays the same for the store's life.
func (s *Store) DB(i int) *DB { return &s.dbs[i] }

// Slot gives the slot of a key.
func (s *Store) Slot(key []byte) int { return s.options.Slot(key) }

// Memory is what keys, values and index take, in bytes: what a limit on memory is compared with.
func (s *Store) Memory() int64 {
	var sum int64
	for i := range s.dbs {
		sum += s.dbs[i].Memory()
	}
	return sum
}

// Reserved is what the store has taken from the Go heap, in bytes: Memory and what of its segments is not in use.
func (s *Store) Reserved() int64 {
	var sum int64
	for i := range s.dbs {
		d := &s.dbs[i]
		sum += d.Memory() - d.arena.live + d.arena.reserved
	}
	return sum
}

// Expired is how many keys died of age since the store was made.
func (s *Store) Expired() int64 { return s.expired }

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
	before := s.expired
	for i := range s.dbs {
		if limit, more = s.dbs[i].expireDue(now, limit); more {
			break
		}
	}
	return int(s.expired - before), more
}

// probe is where a key belongs.
type probe struct {
	hash  uint32
	tag   uint16 // bits of the hash that the bucket's number has not
	group uint16
}

func (s *Store) probe(key []byte) probe {
	h := xxh3.HashSeed(key, s.options.Seed)
	return probe{hash: uint32(h), tag: uint16(h >> 48), group: uint16(s.options.Slot(key) / GroupSlots)}
}
