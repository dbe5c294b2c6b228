package app

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"

	"github.com/prometheus/client_golang/prometheus"

	"larder/backends"
	"larder/backends/registry"
	"larder/engine"
	"larder/router"
)

// devSave is when the nodes of dev save their data by themselves, if nothing is said: as a redis-server does.
const devSave = "3600 1 300 100 60 10000"

// startNodes starts the nodes, publishes who has which slots, and tells each node its own. Their addresses are new at
// each start, so the topology's epoch is one more than that of the last start, which the registry remembers.
func (d *dev) startNodes() (*router.Topology, [][]*engine.Node, error) {
	if err := d.sameShards(); err != nil {
		return nil, nil, err
	}
	started := make([][]*engine.Node, d.config.Dev.Shards)
	shards := make([]router.Shard, d.config.Dev.Shards)
	for i := range shards {
		nodes, err := d.startShard(i)
		if err != nil {
			return nil, nil, err
		}
		started[i] = nodes
		shards[i].Primary = described(nodes[0])
		for _, replica := range nodes[1:] {
			shards[i].Replicas = append(shards[i].Replicas, described(replica))
		}
	}
	topology, err := backends.Publish(d.stack.ctx, d.registry, clusterName, func(epoch uint64) (*router.Topology, error) {
		return router.EvenShards(clusterName, epoch+1, shards)
	})
	if err != nil {
		return nil, nil, err
	}
	for shard, nodes := range started {
		for _, node := range nodes {
			if err := node.Assign(shard, topology); err != nil {
				return nil, nil, err
			}
		}
	}
	return topology, started, d.restored(started)
}

// restored waits until the nodes have what they start with: what is damaged is told before anything is served.
func (d *dev) restored(nodes [][]*engine.Node) error {
	if d.original == nil {
		return nil
	}
	for _, shard := range nodes {
		if err := shard[0].Loaded(d.stack.ctx); err != nil {
			return errors.Join(errEnding, err)
		}
	}
	d.env.Log.Info("restored", "from", d.original.place)
	return nil
}

func described(n *engine.Node) router.Node { return router.Node{ID: n.ID(), Addr: n.Addr()} }

// startShard starts a shard's node and those that follow it. Its node ends after them, so that they have all that it saves.
func (d *dev) startShard(shard int) (nodes []*engine.Node, err error) {
	o := d.config.Engine
	o.Listen, o.Access, o.Managed = "127.0.0.1:0", []string{"127.0.0.0/8", "::1/128"}, false
	if d.config.Dev.Keep && o.Save == "" {
		o.Save = devSave
	}
	o.Restore = d.original.of(d.selected, router.EvenSlots(shard, d.config.Dev.Shards))
	for i := range 1 + d.config.Dev.Replicas {
		o.ID = fmt.Sprintf("n%d", shard)
		if i > 0 {
			o.ID += fmt.Sprintf("r%d", i)
			host, port, err := net.SplitHostPort(nodes[0].Addr())
			if err != nil {
				return nil, fmt.Errorf("node %s: %w", nodes[0].ID(), err)
			}
			o.ReplicaOf, o.MasterAuth, o.Save, o.AppendOnly, o.Restore = host+" "+port, o.Password, "", false, nil
		}
		if o.Dir, err = d.data.sub("nodes", o.ID); err != nil {
			return nil, err
		}
		node, err := d.startNode(o.ID, o, prometheus.WrapRegistererWith(prometheus.Labels{"node": o.ID}, d.reg))
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, node)
	}
	return nodes, nil
}

// sameShards wants as many shards as those whose keys the folder has: in other ones they would not be found.
func (d *dev) sameShards() error {
	have, err := backends.NewTopologies(d.stack.ctx, d.registry, clusterName, d.env.Log)
	if errors.Is(err, registry.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	was, want := len(have.Topology().Shards), d.config.Dev.Shards
	if was == want {
		return nil
	}
	for _, name := range []string{d.config.Engine.DBFilename, d.config.Engine.AppendDirName} {
		if saved, err := filepath.Glob(filepath.Join(d.data.path, "nodes", "*", name)); err != nil || len(saved) > 0 {
			return errors.Join(err, d.otherShards(was, want))
		}
	}
	return nil
}

func (d *dev) otherShards(was, want int) error {
	return fmt.Errorf("data folder %s has the keys of %d shards, and %d are asked for (dev.shards): say --shards %d, or --dir with another folder", d.data.path, was, want, was)
}

// kept says what becomes of the keys.
func (d *dev) kept() string {
	if d.config.Dev.Keep {
		return "saved when it stops, and there again at its next start in this folder (--keep=false: gone)"
	}
	return "in memory, gone when it stops"
}
