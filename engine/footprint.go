package engine

import (
	"runtime"

	"larder/process"
)

// footprint says what the node's memory goes into, in bytes. The words of INFO and MEMORY STATS come from here. Redis's allocator is our store: allocated
// is what lives in it, active what has something in it, resident what it has from the system.
type footprint struct {
	used     int64 // what maxmemory is compared with: all that the store uses, slack included, and clients' buffers
	peak     int64 // the most of it that was seen
	clients  int64 // what clients have sent and what they have not read
	stream   int64 // what is kept of the replication stream
	replicas int64 // what is kept for replicas beside it
	index    int64
	expiries int64
	live     int64 // keys, values, index, expiries
	kept     int64 // for snapshots
	active   int64 // live, dead and kept
	reserved int64 // active, and what is free and not given back
	resident int64 // of the whole process: the store's, Go's heap, the program itself
	heap     int64 // Go's
	cycles   uint32
	gcShare  float64 // of the processor time since the start that cleaning up the Go heap took
	keys     int
}

func (p *part) footprint() footprint {
	p.countBuffers()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	f := footprint{
		used: p.used(), clients: int64(p.buffered), live: p.store.Memory(), kept: p.store.Kept(), active: p.store.Used() + p.store.Kept(),
		reserved: p.store.Reserved(), resident: process.ResidentBytes(), heap: int64(m.HeapAlloc), cycles: m.NumGC, gcShare: m.GCCPUFraction,
	}
	f.stream, f.replicas = p.streamBytes(), p.replicaBytes()
	for i := range p.store.Databases() {
		db := p.store.DB(i)
		index, expiries := db.Overhead()
		f.index += index
		f.expiries += expiries
		f.keys += db.Len()
	}
	p.usedPeak = max(p.usedPeak, f.used)
	f.peak = p.usedPeak
	return f
}

// used is the memory that maxmemory bounds.
func (p *part) used() int64 { return p.store.Used() + int64(p.buffered) }

// overhead is what of the used memory is neither key nor value nor slack.
func (f *footprint) overhead() int64 { return f.index + f.expiries + f.clients }

func (f *footprint) dataset() int64 { return f.used - f.overhead() }

// ratio is a part of a whole, 1 where there is no whole.
func ratio(a, b int64) float64 {
	if b == 0 {
		return 1
	}
	return float64(a) / float64(b)
}

// countBuffers looks at all clients' buffers; between its calls those are followed that grow large.
func (p *part) countBuffers() {
	for _, s := range p.sessions {
		s.countBuffers()
	}
}

// countBuffers notes what is kept for the session on the Go heap. Large values are the store's, also while they arrive or leave.
func (s *session) countBuffers() {
	if s.stalled == stallReplica {
		return // as in Redis: keys are not evicted for what a replica has not read, which would only make it more
	}
	n := len(s.c.In()) + s.c.Unsent()
	if s.arrival != nil {
		n += s.arrival.heap
	}
	s.owe(n)
}

func (s *session) owe(n int) {
	s.p.buffered += n - s.owed
	s.owed = n
	s.p.store.Beside(int64(s.p.buffered))
}
