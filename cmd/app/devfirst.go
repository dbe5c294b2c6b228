package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"larder/backends"
	"larder/control/controller"
	system "larder/process"
	"larder/router"
)

// devSave is when the nodes of dev save their data by themselves, if nothing is said: as a redis-server does.
const devSave = "3600 1 300 100 60 10000"

// first is what stands in the registry of dev's own cluster.
type first struct {
	spec     *controller.Spec // nil: nothing
	plan     *controller.Plan
	topology *router.Topology
	records  map[int]*router.Record
	versions map[string]uint64
}

// prepare writes what the first cluster is to be, as the configuration says, before anybody leads. Its nodes have been named so ever since, and keep their names
// and folders; who leads adds to them as to others.
func (d *dev) prepare(ctx context.Context) (*controller.Spec, error) {
	have, err := d.readFirst(ctx)
	if err != nil {
		return nil, err
	}
	if err := d.notMine(have); err != nil {
		return nil, err
	}
	want := d.firstSpec(have.spec)
	was := have.shards()
	anew := have.plan == nil || len(have.plan.Nodes) == 0
	if was != 0 && was != want.Shards {
		if err := d.nothingSaved(was); err != nil {
			return nil, err
		}
		anew = true
	}
	if anew {
		if err := d.beginAnew(ctx, have, want); err != nil {
			return nil, err
		}
	} else if have.spec != nil && have.spec.Deleted {
		for i := range have.plan.Nodes {
			n := &have.plan.Nodes[i]
			n.State, n.Why = controller.Stays, ""
		}
		if err := d.write(ctx, have, controller.PlanKey(clusterName), have.plan); err != nil {
			return nil, err
		}
	}
	d.seed(have, want)
	return want, d.write(ctx, have, controller.SpecKey(clusterName), want)
}

// readFirst reads what is there.
func (d *dev) readFirst(ctx context.Context) (*first, error) {
	f := &first{records: map[int]*router.Record{}, versions: map[string]uint64{}}
	entries, err := d.registry.List(ctx, clustersPrefix+clusterName+"/")
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		f.versions[e.Key] = e.Version
		if len(e.Value) == 0 {
			continue
		}
		var shard int
		switch {
		case e.Key == controller.SpecKey(clusterName):
			err = json.Unmarshal(e.Value, &f.spec)
		case e.Key == controller.PlanKey(clusterName):
			err = json.Unmarshal(e.Value, &f.plan)
		case e.Key == controller.TopologyKey(clusterName):
			f.topology, err = backends.DecodeTopology(e.Value)
		default:
			if n, _ := fmt.Sscanf(e.Key, clustersPrefix+clusterName+"/shards/%d", &shard); n == 1 {
				f.records[shard], err = router.ParseRecord(string(e.Value))
			}
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", e.Key, err)
		}
	}
	return f, nil
}

// shards is of how many there may be keys.
func (f *first) shards() int {
	switch {
	case f.topology != nil:
		return len(f.topology.Shards)
	case f.spec != nil:
		return f.spec.Shards
	}
	return 0
}

// lastEpoch is the highest that stands anywhere.
func (f *first) lastEpoch() (epoch uint64) {
	if f.topology != nil {
		epoch = f.topology.Epoch
	}
	if f.plan != nil {
		epoch = max(epoch, f.plan.Past)
	}
	for _, r := range f.records {
		epoch = max(epoch, r.Epoch)
	}
	return epoch
}

// firstSpec is what the configuration wants, and what was changed of the cluster since beside that. Without a limit its nodes are reckoned with a quarter of the
// memory that the process may have in all, so that there is room for other clusters.
func (d *dev) firstSpec(have *controller.Spec) *controller.Spec {
	c := d.config
	want := controller.Spec{Engine: controller.Redis, Durability: controller.Async}
	if have != nil {
		want = *have
	}
	want.Shards, want.Replicas, want.Listen, want.Deleted = c.Dev.Shards, c.Dev.Replicas, c.Gateway.Listen, false
	const share, percent, data = 4, 100, 75
	want.Memory = system.MemoryLimit() / share / int64(c.Dev.Shards*(1+c.Dev.Replicas))
	if c.Engine.MaxMemory > 0 {
		want.Memory = c.Engine.MaxMemory / data * percent
	}
	want.Memory = max(want.Memory, controller.MemoryMin)
	return &want
}

// beginAnew has the cluster begin with no record, and with nodes of the names that they have always had.
func (d *dev) beginAnew(ctx context.Context, have *first, want *controller.Spec) error {
	plan := &controller.Plan{Settings: 1, Past: have.lastEpoch()}
	if have.plan != nil {
		plan.Settings, plan.Serial = have.plan.Settings+1, have.plan.Serial
	}
	for shard := range want.Shards {
		for i := range 1 + want.Replicas {
			plan.Nodes = append(plan.Nodes, controller.Node{ID: nodeName(shard, i), Host: d.host, Shard: shard, Memory: want.Memory, Settings: plan.Settings})
		}
	}
	for _, shard := range slices.Sorted(maps.Keys(have.records)) {
		if err := d.write(ctx, have, controller.RecordKey(clusterName, shard), nil); err != nil {
			return err
		}
	}
	have.records = nil
	if have.topology != nil && len(have.topology.Shards) != want.Shards {
		if err := d.write(ctx, have, controller.TopologyKey(clusterName), nil); err != nil {
			return err
		}
	}
	return d.write(ctx, have, controller.PlanKey(clusterName), plan)
}

func nodeName(shard, number int) string {
	if number == 0 {
		return fmt.Sprintf("n%d", shard)
	}
	return fmt.Sprintf("n%dr%d", shard, number)
}

// write replaces an entry that stands as it was read. nil: nothing stands there any more.
func (d *dev) write(ctx context.Context, have *first, key string, value any) error {
	var text []byte
	if value != nil {
		var err error
		if text, err = json.Marshal(value); err != nil {
			return err
		}
	}
	_, err := d.registry.CompareAndSet(ctx, key, text, have.versions[key])
	return err
}

// seed notes which nodes are to begin with what is restored: the first primary of each shard.
func (d *dev) seed(have *first, want *controller.Spec) {
	if d.original == nil {
		return
	}
	d.seeds = map[string]int{}
	for shard := range want.Shards {
		name := nodeName(shard, 0)
		if r := have.records[shard]; r != nil {
			name = r.Primary.Node
		}
		d.seeds[name] = shard
	}
}

// takeSeed tells whether a node begins with what is restored: once.
func (d *dev) takeSeed(node string) (shard int, ok bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	shard, ok = d.seeds[node]
	delete(d.seeds, node)
	return shard, ok
}

// nothingSaved wants no keys of another number of shards: they would not be found.
func (d *dev) nothingSaved(was int) error {
	for _, node := range []string{"n[0-9]*", clusterName + "-[0-9][0-9][0-9][0-9]-*"} {
		for _, name := range []string{d.config.Engine.DBFilename, d.config.Engine.AppendDirName} {
			if saved, err := filepath.Glob(filepath.Join(d.data.path, "nodes", node, name)); err != nil || len(saved) > 0 {
				return errors.Join(err, fmt.Errorf("data folder %s has the keys of %d shards, and %d are asked for (dev.shards): say --shards %d, or --dir with another folder",
					d.data.path, was, d.config.Dev.Shards, was))
			}
		}
	}
	return nil
}

// kept says what becomes of the keys.
func (d *dev) kept() string {
	if d.config.Dev.Keep {
		return "saved when it stops, and there again at its next start in this folder (--keep=false: gone)"
	}
	return "in memory, gone when it stops"
}
