package app

import (
	"context"
	"slices"
	"sync"
	"time"

	"larder/router"
)

// movable is a source's topology, which follows the source, and can be replaced for good.
type movable struct {
	look   func(context.Context) ([]router.Shard, error)
	env    Env
	mu     sync.Mutex
	newest *router.Topology
	moved  bool
	words  string // what was wrong with the last look
}

func newMovable(ctx context.Context, look func(context.Context) ([]router.Shard, error), env Env) (*movable, error) {
	first, err := look(ctx)
	if err != nil {
		return nil, err
	}
	t, err := router.New(clusterName, 1, first)
	if err != nil {
		return nil, err
	}
	return &movable{look: look, env: env, newest: t}, nil
}

// Topology implements router.Source.
func (m *movable) Topology() *router.Topology {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.newest
}

// Watch implements router.Source: a sentinel or a cluster may name other primaries, or have moved slots.
func (m *movable) Watch(ctx context.Context, changed func(*router.Topology)) error {
	every := time.NewTicker(lookEvery)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
			if t := m.again(ctx); t != nil {
				changed(t)
			}
		}
	}
}

// again looks whether the source's nodes are others by now.
func (m *movable) again(ctx context.Context) *router.Topology {
	shards, err := m.look(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.moved || ctx.Err() != nil {
		return nil
	}
	var t *router.Topology
	if err == nil {
		t, err = router.New(clusterName, m.newest.Epoch+1, shards)
	}
	if err != nil {
		if words := err.Error(); words != m.words {
			m.words = words
			m.env.Log.Warn("the source does not tell where its data is; what it said last holds", "error", err)
		}
		return nil
	}
	m.words = ""
	if sameShards(t, m.newest) {
		return nil
	}
	m.newest = t
	return t
}

func sameShards(a, b *router.Topology) bool {
	return slices.EqualFunc(a.Shards, b.Shards, func(x, y router.Shard) bool {
		return x.Primary.Addr == y.Primary.Addr && slices.Equal(x.Slots, y.Slots)
	})
}

// move replaces the topology by one node, for good.
func (m *movable) move(to router.Node) (*router.Topology, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	t, err := router.Even(clusterName, m.newest.Epoch+1, []router.Node{to})
	if err != nil {
		return nil, err
	}
	m.newest, m.moved = t, true
	return t, nil
}
