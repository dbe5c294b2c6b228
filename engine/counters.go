package engine

import (
	"maps"
	"slices"
	"strings"

	"larder/engine/store"
	"larder/loop"
	"larder/metrics"
)

// errorCodesMax is how many error codes are counted apart, as in Redis 7.2; a client can make up none, so there are few.
const errorCodesMax = 128

// counters are plain numbers written on the loop; publish copies them out once a second.
type counters struct {
	commands metrics.Commands
	errors   map[string]uint64 // by code

	accepted, closed, refused uint64 // connections
	bytesIn, bytesOut         uint64
	protocolErrors            uint64
	loginsFailed              uint64
	stalls                    uint64
	slowClosed                uint64
	outputClosed              uint64 // by client-output-buffer-limit
	stale                     uint64
	replicated                uint64 // bytes of the primary
	faults                    uint64 // commands of the primary that failed here
	chores, choresNS          uint64 // what the keyspace's own work took
	syncFull, syncPartial     uint64 // replicas that were sent a copy of the data, and that went on where they were
	syncRefused               uint64 // replicas that wanted to go on and could not
	replOut                   uint64 // bytes of copies and of the stream that were sent to replicas
	unled                     uint64 // connections ended because the lease was over when their replies were to be written
	unconfirmed               uint64 // replies that were held for too long
	large                     uint64 // commands with an argument that was not waited for in the connection's buffer

	// gauges, set by publish
	clients, lanes, numbered          uint64
	replicas                          uint64
	streamEnd, backlog                uint64
	keys, expires                     uint64
	memory, memoryReserved, memoryMax uint64
	prefixes                          []store.PrefixCount
	expired, evicted                  uint64
	hits, misses                      uint64 // keys that commands which read found, or did not
	saves, saveFailed                 uint64
	journalBytes, journalBehind       uint64
	journalFailed, rewrites           uint64
	savedS, unsaved, kept             uint64 // when the data was saved last; changes since; bytes kept for passes
	epoch                             uint64
	loop                              loop.Stats
}

func (c *counters) init() {
	c.commands = metrics.NewCommands()
	c.errors = map[string]uint64{}
}

// copyTo makes to equal to c; to was initialized and shares nothing with c.
func (c *counters) copyTo(to *counters) {
	have := *to
	*to = *c
	to.commands, to.errors = have.commands, have.errors
	to.prefixes = slices.Clone(c.prefixes)
	to.commands.Set(&c.commands)
	clear(to.errors)
	maps.Copy(to.errors, c.errors)
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
	c.numbered = uint64(p.numbered.table.Len())
	c.replicas, c.streamEnd, c.backlog = uint64(len(p.replicas.all)), uint64(p.stream.past.End()), uint64(p.stream.past.Bytes())
	c.keys, c.expires = 0, 0
	for i := range p.store.Databases() {
		c.keys += uint64(p.store.DB(i).Len())
		c.expires += uint64(p.store.DB(i).Expires())
	}
	c.memory, c.memoryReserved, c.memoryMax = uint64(p.store.Memory()), uint64(p.store.Reserved()), uint64(p.set.maxMemory)
	p.usedPeak = max(p.usedPeak, p.used())
	c.expired, c.evicted = uint64(p.store.Expired()), uint64(p.store.Evicted())
	c.hits, c.misses = p.call.Hits, p.call.Misses
	c.prefixes = p.store.Prefixes()
	c.journalBytes, c.journalBehind, c.journalFailed, c.rewrites = p.journalCounts()
	c.saves, c.savedS, c.unsaved, c.kept = uint64(p.saves.count), uint64(p.saves.lastMS/1000), uint64(max(p.dirty, 0)), uint64(p.store.Kept())
	if c.saveFailed = 0; p.saves.failed {
		c.saveFailed = 1
	}
	c.epoch = p.assigned.epoch
	c.loop = p.l.Stats()
}

// publish copies the counters to where the collector reads them.
func (p *part) publish() {
	p.gather()
	p.n.stats.put(&p.count)
}
