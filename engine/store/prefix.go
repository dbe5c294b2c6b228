package store

import (
	"fmt"
	"sort"
)

// PrefixesMax bounds the prefixes that keys are counted by.
const PrefixesMax = 64

// PrefixCount is what keys that begin with a prefix take.
type PrefixCount struct {
	Prefix string
	Keys   int64
	Bytes  int64 // of their items and long values
}

type prefixTally struct{ keys, bytes int64 }

// prefixes finds a key's prefix. The tallies are kept by database, so that one can be emptied at once.
type prefixes struct {
	given  []string // as configured
	order  []int    // numbers in given, longest first
	begins [256]bool
}

func newPrefixes(list []string) prefixes {
	p := prefixes{given: list}
	for i, prefix := range list {
		p.order = append(p.order, i)
		p.begins[prefix[0]] = true
	}
	sort.SliceStable(p.order, func(i, j int) bool { return len(list[p.order[i]]) > len(list[p.order[j]]) })
	return p
}

func (p *prefixes) on() bool { return len(p.given) > 0 }

// of gives the number of the longest prefix that key begins with, -1 if there is none.
func (p *prefixes) of(key []byte) int {
	if len(key) == 0 || !p.begins[key[0]] {
		return -1
	}
	for _, i := range p.order {
		if prefix := p.given[i]; len(key) >= len(prefix) && string(key[:len(prefix)]) == prefix {
			return i
		}
	}
	return -1
}

// tally adds to the counts of the key's prefix.
func (d *DB) tally(key []byte, keys, bytes int) {
	p := &d.store.prefixes
	i := p.of(key)
	if i < 0 {
		return
	}
	d.makeTallies()
	d.tallies[i].keys += int64(keys)
	d.tallies[i].bytes += int64(bytes)
}

func (d *DB) makeTallies() {
	if d.tallies == nil {
		d.tallies = make([]prefixTally, len(d.store.prefixes.given))
	}
}

// tallyBytes is the count of bytes of the key's prefix, nil if it has none; it is that until the database is emptied.
func (d *DB) tallyBytes(key []byte) *int64 {
	i := d.store.prefixes.of(key)
	if i < 0 {
		return nil
	}
	d.makeTallies()
	return &d.tallies[i].bytes
}

// Prefixes gives the counts of all configured prefixes, in their order, over all databases.
func (s *Store) Prefixes() []PrefixCount {
	list := make([]PrefixCount, len(s.prefixes.given))
	for i, prefix := range s.prefixes.given {
		list[i].Prefix = prefix
	}
	for i := range s.dbs {
		for j, t := range s.dbs[i].tallies {
			list[j].Keys += t.keys
			list[j].Bytes += t.bytes
		}
	}
	return list
}

// ValidatePrefixes names what is wrong with a list of prefixes.
func ValidatePrefixes(list []string) error {
	if len(list) > PrefixesMax {
		return fmt.Errorf("store: %d prefixes: want at most %d", len(list), PrefixesMax)
	}
	seen := map[string]bool{}
	for _, p := range list {
		if p == "" || seen[p] {
			return fmt.Errorf("store: prefix %q is empty or given twice", p)
		}
		seen[p] = true
	}
	return nil
}
