package engine

import (
	"fmt"
	"strings"
)

// memoryPurge begins what the node does anyway when it has time: give back what is free. It does not wait for the end, so that nobody waits.
func memoryPurge(s *session, _ [][]byte) {
	s.p.chores()
	s.ok()
}

// memoryStats answers with Redis's fields (Redis 7.0 object.c, memoryCommand). What a node does not have is 0.
func memoryStats(s *session, _ [][]byte) {
	p := s.p
	f := p.footprint()
	var dbs []int
	for i := range p.store.Databases() {
		if p.store.DB(i).Len() > 0 {
			dbs = append(dbs, i)
		}
	}
	before, after := f.counts()
	w := &p.w
	w.Map(len(before) + len(dbs) + len(after))
	s.writeCounts(before)
	for _, i := range dbs {
		index, expiries := p.store.DB(i).Overhead()
		w.Bulk(fmt.Sprintf("db.%d", i))
		w.Map(3)
		s.writeCounts([]count{{"overhead.hashtable.main", index, 0}, {"overhead.hashtable.expires", expiries, 0}, {"overhead.hashtable.slot-to-keys", 0, 0}})
	}
	s.writeCounts(after)
}

// count is a field: n, or the ratio where there is one.
type count struct {
	name  string
	n     int64
	ratio float64
}

func (s *session) writeCounts(list []count) {
	for _, c := range list {
		s.p.w.Bulk(c.name)
		if c.ratio != 0 {
			s.p.w.Double(c.ratio)
		} else {
			s.p.w.Int(c.n)
		}
	}
}

// counts are the fields before and after those of the databases.
func (f *footprint) counts() (before, after []count) {
	const percent = 100
	before = []count{
		{"peak.allocated", f.peak, 0},
		{"total.allocated", f.used, 0},
		{"startup.allocated", 0, 0},
		{"replication.backlog", f.stream, 0},
		{"clients.slaves", f.replicas, 0},
		{"clients.normal", f.clients, 0},
		{"cluster.links", 0, 0},
		{"aof.buffer", 0, 0},
		{"lua.caches", 0, 0},
		{"functions.caches", 0, 0},
	}
	after = []count{
		{"overhead.total", f.overhead(), 0},
		{"keys.count", int64(f.keys), 0},
		{"keys.bytes-per-key", f.used / int64(max(f.keys, 1)), 0},
		{"dataset.bytes", f.dataset(), 0},
		{"dataset.percentage", 0, percent * ratio(f.dataset(), f.used)},
		{"peak.percentage", 0, percent * ratio(f.used, f.peak)},
		{"allocator.allocated", f.live, 0},
		{"allocator.active", f.active, 0},
		{"allocator.resident", f.reserved, 0},
		{"allocator-fragmentation.ratio", 0, ratio(f.active, f.live)},
		{"allocator-fragmentation.bytes", f.active - f.live, 0},
		{"allocator-rss.ratio", 0, ratio(f.reserved, f.active)},
		{"allocator-rss.bytes", f.reserved - f.active, 0},
		{"rss-overhead.ratio", 0, ratio(f.resident, f.reserved)},
		{"rss-overhead.bytes", f.resident - f.reserved, 0},
		{"fragmentation", 0, ratio(f.resident, f.used)},
		{"fragmentation.bytes", f.resident - f.used, 0},
	}
	return before, after
}

// memoryMallocStats is for people.
func memoryMallocStats(s *session, _ [][]byte) {
	f := s.p.footprint()
	var b strings.Builder
	for _, line := range []count{
		{"taken from the system for keys", f.reserved, 0},
		{"of it in use", f.active - f.kept, 0},
		{"of that alive", f.live, 0},
		{"of that index", f.index, 0},
		{"of that expiries", f.expiries, 0},
		{"kept for snapshots", f.kept, 0},
		{"clients' buffers", f.clients, 0},
		{"Go heap", f.heap, 0},
		{"resident in all", f.resident, 0},
	} {
		fmt.Fprintf(&b, "%-32s %14d (%s)\n", line.name, line.n, human(line.n))
	}
	s.p.w.Verbatim("txt", b.String())
}

// memoryDoctor says what is wrong, in words.
func memoryDoctor(s *session, _ [][]byte) {
	f := s.p.footprint()
	s.p.w.Verbatim("txt", f.diagnosis(s.p.set.maxMemory))
}

// diagnosis is Redis's advice where its thresholds fit (Redis 7.0 object.c, getMemoryDoctorReport).
func (f *footprint) diagnosis(maxMemory int64) string {
	const (
		little     = 5 << 20  // not worth a judgement
		worthwhile = 10 << 20 // a part too small to be a problem
		peakRatio  = 1.5
		deadRatio  = 1.4
		restRatio  = 1.1
		fullShare  = 0.95
	)
	if f.used < little {
		return "This node is empty, or nearly: there is nothing to judge yet.\n"
	}
	var b strings.Builder
	for _, c := range []struct {
		holds bool
		text  string
	}{
		{
			maxMemory > 0 && float64(f.used) > fullShare*float64(maxMemory),
			fmt.Sprintf("Full: %s of maxmemory's %s are used; keys are evicted or writes refused, as maxmemory-policy says.", human(f.used), human(maxMemory)),
		},
		{ratio(f.peak, f.used) > peakRatio, fmt.Sprintf("Peak: %s were used once, now %s; memory is given back by itself.", human(f.peak), human(f.used))},
		{
			ratio(f.active, f.live) > deadRatio && f.active-f.live > worthwhile,
			fmt.Sprintf("Fragmentation: %s of %s in use are dead; compaction follows as keys are written.", human(f.active-f.live), human(f.active)),
		},
		{
			ratio(f.reserved, f.active) > restRatio && f.reserved-f.active > worthwhile,
			fmt.Sprintf("Free: %s are free and not given back yet.", human(f.reserved-f.active)),
		},
		{f.kept > worthwhile, fmt.Sprintf("Snapshot: %s are kept for one that is under way.", human(f.kept))},
		{f.clients > worthwhile, fmt.Sprintf("Clients: %s of requests and of replies that were not read; CLIENT LIST shows whose (qbuf, omem).", human(f.clients))},
	} {
		if c.holds {
			b.WriteString(c.text + "\n")
		}
	}
	if b.Len() == 0 {
		return "No problem of memory was found.\n"
	}
	return b.String()
}
