package main

import "fmt"

// fill is keys to set, each once.
type fill struct {
	value  int // bytes
	first  int // the keys first … first+keys-1
	keys   int
	noise  bool
	fresh  string // the kind of values, if no two are alike
	ttl    bool
	expiry expiry // with ttl: by key, from first on
}

// Seeds of values: what is written again differs from what was there.
const (
	seedOfFill = 1 + iota
	seedOfChurn
	seedOfSave
)

// fill sets the keys, so that reads hit.
func (p plan) fill(addr string, f fill) error {
	if err := p.stopped(); err != nil {
		return err
	}
	g, err := newGenerator([]string{addr}, p.conns, Workload{Op: "SET", Keys: 1, Value: f.value, Depth: 64, Noise: f.noise, TTL: f.ttl, Fresh: f.fresh, Seed: seedOfFill}, f.keys)
	if err != nil {
		return fmt.Errorf("load %s: %w", addr, err)
	}
	defer g.close()
	g.sequential, g.first, g.expiry = true, uint32(f.first), f.expiry
	n, err := g.closed(f.keys, unlimited)
	if err == nil {
		err = g.verdict()
	}
	if err != nil {
		return fmt.Errorf("load %s, after %d keys: %w", addr, n, err)
	}
	return nil
}
