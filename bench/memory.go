package main

import (
	"fmt"
	"io"
	"time"
)

// settle is how long a server may put its memory in order after the load.
const settle = 2 * time.Second

// Footprint is a server's resident memory in bytes, before and after the keys.
type Footprint struct{ Before, After int64 }

// MemoryCell compares what the same keys take. It is measured once: nothing in it is up to chance or to other load.
type MemoryCell struct {
	Value        int
	TTL          bool
	Keys         int
	Ours, Theirs Footprint
	Target       float64 // bytes a key
}

// Overhead is bytes a key beyond key and value.
func (c *MemoryCell) Overhead(f Footprint) float64 {
	return float64(f.After-f.Before)/float64(c.Keys) - float64(len(keyPrefix)+digits+c.Value)
}

func (c *MemoryCell) name() string {
	if c.TTL {
		return sizeName(c.Value) + " with TTL"
	}
	return sizeName(c.Value)
}

func (r *runner) memory() error {
	for _, c := range r.memoryCells() {
		var err error
		if c.Theirs, err = r.footprint(func() (*Server, error) { return r.bed.redis("redis", r.bed.serverCore) }, &c); err != nil {
			return err
		}
		if c.Ours, err = r.footprint(r.bed.engine, &c); err != nil {
			return err
		}
		ours := c.Overhead(c.Ours)
		fmt.Fprintf(r.out, "memory of %s keys, %s: engine %.1f, redis-server %.1f bytes a key beyond key and value%s\n",
			countName(c.Keys), c.name(), ours, c.Overhead(c.Theirs), judged(ours, c.Target))
		r.results.Memory = append(r.results.Memory, c)
	}
	return nil
}

func (r *runner) memoryCells() []MemoryCell {
	all := []MemoryCell{{Value: 8}, {Value: 64}, {Value: 512}, {Value: 64, TTL: true}}
	if r.quick {
		all = []MemoryCell{{Value: 64}, {Value: 64, TTL: true}}
	}
	for i := range all {
		all[i].Keys, all[i].Target = r.many(), memoryTarget(all[i].Value, all[i].TTL)
	}
	return all
}

// footprint starts a server, loads it and looks at its memory.
func (r *runner) footprint(start func() (*Server, error), c *MemoryCell) (Footprint, error) {
	defer r.bed.stop()
	s, err := start()
	if err != nil {
		return Footprint{}, err
	}
	var f Footprint
	if f.Before, err = readRSS(s.pid()); err != nil {
		return f, err
	}
	// The keys that expire do so in the course of an hour, one hour from now.
	spread := expiry{fromMS: time.Now().Add(time.Hour).UnixMilli(), perSecond: max(c.Keys/3600, 1)}
	if err := r.plan.fill(s.Addr, fill{value: c.Value, keys: c.Keys, ttl: c.TTL, expiry: spread}); err != nil {
		return f, err
	}
	time.Sleep(settle)
	f.After, err = readRSS(s.pid())
	return f, err
}

func (r *Results) memoryTable(w io.Writer) {
	if len(r.Memory) == 0 {
		return
	}
	fmt.Fprintf(w, "\n## Memory\n\nResident memory beyond key and value, bytes a key, %s after loading keys of %d bytes; of an empty server each time, once.\n\n", settle, len(keyPrefix)+digits)
	fmt.Fprintf(w, "| value | keys | engine | redis-server | target | | engine MiB, empty → loaded | redis-server MiB |\n|---|---|---|---|---|---|---|---|\n")
	for i := range r.Memory {
		c := &r.Memory[i]
		fmt.Fprintf(w, "| %s | %s | **%.1f** | %.1f | %s | %s | %s | %s |\n", c.name(), countName(c.Keys), c.Overhead(c.Ours), c.Overhead(c.Theirs),
			atMost(c.Target), verdict(c.Overhead(c.Ours), c.Target), c.Ours, c.Theirs)
	}
}

func (f Footprint) String() string {
	return fmt.Sprintf("%.1f → %.1f", float64(f.Before)/(1<<20), float64(f.After)/(1<<20))
}
