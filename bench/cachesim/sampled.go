package main

import (
	"math/rand/v2"
	"slices"
)

// sampled is Redis's approximation: five keys by chance at each eviction, the best sixteen candidates kept in a pool, the one goes that was not asked for
// the longest (LRU) or has the lowest counter (LFU; counters are logarithmic and lose a point a period without a request). Redis 7.0 evict.c.
type sampled struct {
	room    int
	lfu     bool
	dice    *rand.Rand
	index   map[uint64]int
	keys    []sampledKey
	pool    []candidate // the best last
	now     int64
	periods int64 // requests a period of the counters' decay
}

type sampledKey struct {
	key    uint64
	access int64
	count  uint8
}

type candidate struct {
	key  uint64
	idle int64
}

const (
	samples   = 5
	poolSize  = 16
	countInit = 5  // Redis's LFU_INIT_VAL
	logFactor = 10 // lfu-log-factor
)

func newSampled(room int, seed uint64, lfu bool) *sampled {
	return &sampled{room: max(room, 1), lfu: lfu, dice: rand.New(rand.NewPCG(seed, 2)), index: map[uint64]int{}, periods: 500_000}
}

func (c *sampled) get(key uint64) bool {
	c.now++
	if i, ok := c.index[key]; ok {
		k := &c.keys[i]
		k.count = c.bump(c.decayed(k))
		k.access = c.now
		return true
	}
	for len(c.keys) >= c.room {
		c.evict()
	}
	c.index[key] = len(c.keys)
	c.keys = append(c.keys, sampledKey{key: key, access: c.now, count: countInit})
	return false
}

func (c *sampled) decayed(k *sampledKey) uint8 {
	return uint8(max(int64(k.count)-(c.now-k.access)/c.periods, 0))
}

func (c *sampled) bump(count uint8) uint8 {
	if count == 255 {
		return count
	}
	base := max(float64(count)-countInit, 0)
	if c.dice.Float64() < 1/(base*logFactor+1) {
		count++
	}
	return count
}

func (c *sampled) idle(k *sampledKey) int64 {
	if c.lfu {
		return 255 - int64(c.decayed(k))
	}
	return c.now - k.access
}

func (c *sampled) evict() {
	for range samples {
		c.offer(&c.keys[c.dice.IntN(len(c.keys))])
	}
	for n := len(c.pool) - 1; n >= 0; n-- {
		key := c.pool[n].key
		c.pool = c.pool[:n]
		if i, ok := c.index[key]; ok {
			c.remove(i)
			return
		}
	}
}

// offer puts a key into the pool, if it is better than one of those there.
func (c *sampled) offer(k *sampledKey) {
	if slices.ContainsFunc(c.pool, func(e candidate) bool { return e.key == k.key }) {
		return
	}
	e := candidate{k.key, c.idle(k)}
	at, _ := slices.BinarySearchFunc(c.pool, e, func(a, b candidate) int { return int(a.idle - b.idle) })
	if len(c.pool) == poolSize {
		if at == 0 {
			return
		}
		c.pool = slices.Delete(c.pool, 0, 1)
		at--
	}
	c.pool = slices.Insert(c.pool, at, e)
}

func (c *sampled) remove(i int) {
	delete(c.index, c.keys[i].key)
	last := len(c.keys) - 1
	if i != last {
		c.keys[i] = c.keys[last]
		c.index[c.keys[i].key] = i
	}
	c.keys = c.keys[:last]
}
