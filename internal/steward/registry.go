package steward

import (
	"slices"
	"sync"

	"larder/router"
)

// Registry holds the record of a shard, which only compare-and-set changes, and what is known of runs that have ended. Its methods may be called from any
// goroutine.
type Registry struct {
	mu      sync.Mutex
	record  router.Record
	exited  map[router.Run]bool
	allowed func(*router.Record) bool
	target  string // the node that is to be the primary next; empty: no switch is wished
	changes int
}

// NewRegistry begins with a record. allowed may refuse one that would follow; it is called while the registry stands still.
func NewRegistry(first router.Record, allowed func(*router.Record) bool) *Registry {
	return &Registry{record: first, exited: map[router.Run]bool{}, allowed: allowed}
}

// Record is the present record.
func (r *Registry) Record() router.Record {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.record
}

// Put makes next the record, if it is the one that follows the present one.
func (r *Registry) Put(next *router.Record) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if next.Epoch != r.record.Epoch+1 || !r.allowed(next) {
		return false
	}
	r.record = *next
	r.changes++
	return true
}

// Still has the registry stand still while a function looks at the record, and notes the runs that it gives as having ended.
func (r *Registry) Still(do func(now *router.Record) (exited []router.Run)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, run := range do(&r.record) {
		r.exited[run] = true
	}
}

// Exited are those of the runs that are known to have ended.
func (r *Registry) Exited(runs []router.Run) []router.Run {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(runs), func(run router.Run) bool { return !r.exited[run] })
}

// Switch wishes a node to be the primary. Whoever takes it up forgets the wish.
func (r *Registry) Switch(node string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.target = node
}

func (r *Registry) wish() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.target
}
