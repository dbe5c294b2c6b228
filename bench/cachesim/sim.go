package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"

	"larder/engine/memory"
	"larder/engine/store"
)

type options struct {
	seed     uint64
	requests int
	value    int
	limit    int64
	policy   string
	only     string
}

// request asks for a key; a cache that does not have it puts a value of size bytes in.
type request struct {
	key  uint64
	size uint32
}

// cache is a model that holds a number of keys.
type cache interface {
	// get asks for a key, takes it in if it is not there, and tells whether it was.
	get(key uint64) bool
}

// result is the misses of each cache, counted in the second half of the trace: before, caches fill and learn.
type result struct {
	requests, held              int
	larder, lru, lfu, segmented int
}

func (r *result) percent(misses int) float64 { return 100 * float64(misses) / float64(r.requests) }

// against is by how many percent the keyspace misses more than sampled LRU.
func (r *result) against() float64 {
	if r.larder == r.lru {
		return 0
	}
	return 100 * (float64(r.larder)/float64(max(r.lru, 1)) - 1)
}

func warm(trace []request) int { return len(trace) / 2 }

func compare(o options, limit int64, trace []request) (result, error) {
	r := result{requests: len(trace) - warm(trace)}
	var err error
	if r.larder, r.held, err = keyspace(o, limit, trace); err != nil {
		return r, err
	}
	r.lru = replay(newSampled(r.held, o.seed, false), trace)
	r.lfu = replay(newSampled(r.held, o.seed, true), trace)
	r.segmented = replay(newSegmented(r.held), trace)
	return r, nil
}

func replay(c cache, trace []request) (misses int) {
	for i, q := range trace {
		if !c.get(q.key) && i >= warm(trace) {
			misses++
		}
	}
	return misses
}

// keyspace replays the trace through a real keyspace, and gives the mean of the keys it held in the trace's second half.
func keyspace(o options, limit int64, trace []request) (misses, held int, err error) {
	policy, ok := store.ParsePolicy(o.policy)
	if !ok {
		return 0, 0, fmt.Errorf("no policy is called %q", o.policy)
	}
	s, err := store.New(store.Options{
		Databases: 1, Memory: memory.Map{}, Seed: o.seed, Rand: rand.New(rand.NewPCG(o.seed, 1)),
		Slot: func(key []byte) int { return int(binary.BigEndian.Uint64(key) * 0x9e3779b97f4a7c15 >> 50) },
	})
	if err != nil {
		return 0, 0, err
	}
	s.SetLimit(limit, policy)
	d, sum, peak := s.DB(0), 0, int64(0)
	var key [8]byte
	value := make([]byte, 1<<20)
	for i, q := range trace {
		binary.BigEndian.PutUint64(key[:], q.key)
		now := int64(i) / 100
		if _, ok := d.Lookup(key[:], now); !ok {
			if i >= warm(trace) {
				misses++
			}
			if s.MakeRoom(int(q.size)+64, now) {
				d.Set(key[:], value[:min(int(q.size), len(value))], store.FormRaw, store.NoExpiry, now)
			}
		}
		if i >= len(trace)/2 {
			sum += d.Len()
		}
		peak = max(peak, s.Reserved())
	}
	if peak > limit+limit/50 {
		err = fmt.Errorf("%d bytes were taken from the system, with a limit of %d", peak, limit)
	}
	return misses, sum / (len(trace) - len(trace)/2), errors.Join(err, s.Close())
}

// footprint is about what all keys of a trace take.
func footprint(trace []request) int64 {
	const overhead = 30
	sizes := map[uint64]uint32{}
	sum := int64(0)
	for _, q := range trace {
		if _, ok := sizes[q.key]; !ok {
			sizes[q.key] = q.size
			sum += int64(q.size) + overhead
		}
	}
	return sum
}
