package engine

import (
	"math/bits"
	"strings"

	"larder/loop"
	"larder/protocol/command"
)

// Times are counted in powers of two of 128 ns: bucket i counts what took less than 128 ns × 2^i, the last one everything longer.
const (
	bucketShift = 7
	bucketCount = 26 // the last bound is 2.1 s
)

func bucketOf(ns uint64) int { return min(bits.Len64(ns>>bucketShift), bucketCount-1) }

// errorCodesMax is how many error codes are counted apart, as in Redis 7.2; a client can make up none, so there are few.
const errorCodesMax = 128

// counters are plain numbers written on the loop; publish copies them out once a second.
type counters struct {
	took     [][bucketCount]uint64 // by command.ID; 0 = unknown commands. Their sum is how often it ran
	tookNS   []uint64
	failed   []uint64
	rejected []uint64          // refused before they ran; they are in took too
	errors   map[string]uint64 // by code

	accepted, closed, refused uint64 // connections
	bytesIn, bytesOut         uint64
	protocolErrors            uint64
	loginsFailed              uint64
	stalls                    uint64
	slowClosed                uint64
	stale                     uint64
	large                     uint64 // commands with an argument that was not waited for in the connection's buffer

	// gauges, set by publish
	clients, lanes                    uint64
	keys, expires                     uint64
	memory, memoryReserved, memoryMax uint64
	expired, evicted                  uint64
	epoch                             uint64
	loop                              loop.Stats
}

func (c *counters) init() {
	c.took = make([][bucketCount]uint64, command.NumIDs+1)
	c.tookNS = make([]uint64, command.NumIDs+1)
	c.failed = make([]uint64, command.NumIDs+1)
	c.rejected = make([]uint64, command.NumIDs+1)
	c.errors = map[string]uint64{}
}

// calls is how often a command was answered.
func (c *counters) calls(id int) uint64 {
	var n uint64
	for _, count := range &c.took[id] {
		n += count
	}
	return n
}

// copyTo makes to equal to c; to was initialized and shares nothing with c.
func (c *counters) copyTo(to *counters) {
	copies := *to
	*to = *c
	to.took, to.tookNS, to.failed, to.rejected, to.errors = copies.took, copies.tookNS, copies.failed, copies.rejected, copies.errors
	copy(to.took, c.took)
	copy(to.tookNS, c.tookNS)
	copy(to.failed, c.failed)
	copy(to.rejected, c.rejected)
	clear(to.errors)
	for code, n := range c.errors {
		to.errors[code] = n
	}
}

// countError counts an error by the code that its text begins with.
func (p *part) countError(text string) {
	code := text[:strings.IndexAny(text+" ", " \r")]
	if _, known := p.count.errors[code]; known || len(p.count.errors) < errorCodesMax {
		p.count.errors[code]++
	}
}

// gather sets the gauges.
func (p *part) gather() {
	c := &p.count
	c.clients, c.lanes = uint64(len(p.sessions)), 0
	for _, s := range p.sessions {
		if s.lane {
			c.lanes++
		}
	}
	c.keys, c.expires = 0, 0
	for i := range p.store.Databases() {
		c.keys += uint64(p.store.DB(i).Len())
		c.expires += uint64(p.store.DB(i).Expires())
	}
	c.memory, c.memoryReserved, c.memoryMax = uint64(p.store.Memory()), uint64(p.store.Reserved()), uint64(p.set.maxMemory)
	p.usedPeak = max(p.usedPeak, int64(c.memory))
	c.expired, c.evicted = uint64(p.store.Expired()), uint64(p.store.Evicted())
	c.epoch = p.assigned.epoch
	c.loop = p.l.Stats()
}

// publish copies the counters to where the collector reads them.
func (p *part) publish() {
	p.gather()
	p.n.stats.put(&p.count)
}
