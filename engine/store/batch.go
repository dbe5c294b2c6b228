package store

import (
	"fmt"

	"larder/engine/memory"
)

// A batch of commands is looked up in passes: Prepare for every key (its hash), Fetch (the first lines of all buckets, then of all items), then the
// commands run in order. Fetch only loads memory, in loops so short that the waits for it overlap. What is kept of a key is its hash and group, which depend
// on its bytes alone; bucket and item are looked up anew when the command runs, so it does not matter what commands before it did.

// ahead is how many prepared keys a command's key is looked for among: so many may be skipped by commands that failed early.
const ahead = 8

// line is a line of the processor's cache, in bytes.
const line = 64

type prepared struct {
	first  *byte
	length int
	bucket uint64
	tags   uint64
	p      probe
}

type batch struct {
	keys []prepared
	next int
	sink uint64 // keeps the loads from being left out
}

// Prepare tells that a command of the batch will ask for key. Its bytes must not change until Forget.
func (d *DB) Prepare(key []byte) {
	if len(key) == 0 {
		return
	}
	s := d.store
	p := s.probeOf(key)
	s.batch.keys = append(s.batch.keys, prepared{first: &key[0], length: len(key), p: p, bucket: d.bucket(p)})
}

// Fetch loads the buckets and items of all prepared keys. No command may have run since they were prepared.
func (s *Store) Fetch() {
	for i := range s.batch.keys {
		if e := &s.batch.keys[i]; e.bucket != 0 {
			e.tags = s.mem.U64(e.bucket)
		}
	}
	sum := uint64(0)
	for i := range s.batch.keys {
		e := &s.batch.keys[i]
		if e.bucket == 0 {
			continue
		}
		slot := firstSlot(equal8(e.tags, e.p.tag))
		if slot == bucketSlots {
			continue
		}
		if ref := s.mem.U40(refPlace(e.bucket, slot)); ref != 0 {
			sum += uint64(s.mem.Byte(ref)) + uint64(s.mem.Byte(min(ref+line, ref|(granuleBytes-1)))) // the next granule may not be in use
		}
	}
	s.batch.sink += sum
}

// Forget ends the batch.
func (s *Store) Forget() {
	clear(s.batch.keys)
	s.batch.keys = s.batch.keys[:0]
	s.batch.next = 0
}

// probe gives a key's probe, the prepared one if there is one.
func (s *Store) probe(key []byte) probe {
	if s.batch.next < len(s.batch.keys) && len(key) > 0 {
		end := min(s.batch.next+ahead, len(s.batch.keys))
		for i := s.batch.next; i < end; i++ {
			if e := &s.batch.keys[i]; e.first == &key[0] && e.length == len(key) {
				s.batch.next = i
				if memory.Checked && e.p != s.probeOf(key) {
					panic(fmt.Sprintf("store: key %q changed since it was prepared", key))
				}
				return e.p
			}
		}
	}
	return s.probeOf(key)
}
