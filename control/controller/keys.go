package controller

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"larder/router"
)

// Where things stand in the registry. All values but the two forms of router are JSON; an empty value says that nothing is there.
//
//	larder/clusters/<name>/spec         Spec; the management API
//	larder/clusters/<name>/plan         Plan; the controller
//	larder/clusters/<name>/shards/<n>   the shard's record in its line; the controller
//	larder/clusters/<name>/topology     the form of a topology file; the controller
//	larder/hosts/<id>                   Host; the host, as long as its session lives
//	larder/drains/<id>                  anything: the host is to be drained; the management API
//	larder/parameters/<name>            Group; the management API
//	larder/fleet-tasks/<id>             Task; the management API begins it, the controller goes on
const (
	Prefix          = "larder/"
	clustersPrefix  = "larder/clusters/"
	hostsPrefix     = "larder/hosts/"
	drainsPrefix    = "larder/drains/"
	parameterPrefix = "larder/parameters/"
	tasksPrefix     = "larder/fleet-tasks/"
)

// SpecKey is where a cluster's Spec stands.
func SpecKey(cluster string) string { return clustersPrefix + cluster + "/spec" }

// PlanKey is where a cluster's Plan stands.
func PlanKey(cluster string) string { return clustersPrefix + cluster + "/plan" }

// RecordKey is where a shard's record stands.
func RecordKey(cluster string, shard int) string {
	return clustersPrefix + cluster + "/shards/" + strconv.Itoa(shard)
}

// TopologyKey is where a cluster's topology stands.
func TopologyKey(cluster string) string { return clustersPrefix + cluster + "/topology" }

// HostKey is where a host announces itself.
func HostKey(id string) string { return hostsPrefix + id }

// DrainKey is where it is said that a host is to be drained.
func DrainKey(id string) string { return drainsPrefix + id }

// ParametersKey is where a parameter group stands.
func ParametersKey(name string) string { return parameterPrefix + name }

// TaskKey is where a task stands.
func TaskKey(id string) string { return tasksPrefix + id }

// Entry is what stands under a key.
type Entry struct {
	Key     string
	Value   []byte
	Version uint64
}

// entry is an Entry that has been read. value is nil if nothing is there, or a pointer to what its key says.
type entry struct {
	version uint64
	value   any
}

// parse reads what stands under a key. ours is false for keys of others.
func parse(e Entry) (value any, ours bool, err error) {
	switch kind, _ := kindOf(e.Key); kind {
	case "spec":
		value = &Spec{}
	case "plan":
		value = &Plan{}
	case "host":
		value = &Host{}
	case "group":
		value = &Group{}
	case "task":
		value = &Task{}
	case "drain":
		return e.Key, true, nil
	case "record":
		return parsed(e, func() (any, error) { return router.ParseRecord(string(e.Value)) })
	case "topology":
		return parsed(e, func() (any, error) { return router.Parse(e.Value) })
	default:
		return nil, false, nil
	}
	return parsed(e, func() (any, error) {
		if err := json.Unmarshal(e.Value, value); err != nil {
			return nil, err
		}
		if c, ok := value.(interface{ check() error }); ok {
			return value, c.check()
		}
		return value, nil
	})
}

func parsed(e Entry, read func() (any, error)) (any, bool, error) {
	if len(e.Value) == 0 {
		return nil, true, nil
	}
	value, err := read()
	if err != nil {
		return nil, true, fmt.Errorf("read %s: %w", e.Key, err)
	}
	return value, true, nil
}

// What stands in the registry may have been written by anybody, and is bounded before it is reckoned with.
const (
	replicasBound = 100
	memoryBound   = 1 << 50
)

func (s *Spec) check() error {
	if s.External() {
		if len(s.Servers) < 1 || len(s.Servers) > router.ShardsMax || s.Shards != len(s.Servers) {
			return fmt.Errorf("%d shards with servers for %d", s.Shards, len(s.Servers))
		}
		return s.checkServers()
	}
	if s.Shards < 1 || s.Shards > router.ShardsMax || s.Replicas < 0 || s.Replicas > replicasBound || s.Memory < 1 || s.Memory > memoryBound {
		return fmt.Errorf("%d shards, %d replicas, %d bytes of memory", s.Shards, s.Replicas, s.Memory)
	}
	return nil
}

func (h *Host) check() error {
	if h.Memory < 0 || h.Memory > memoryBound {
		return fmt.Errorf("%d bytes of memory", h.Memory)
	}
	return nil
}

// check wants of a plan what else would have nodes started twice or somewhere.
func (p *Plan) check() error {
	seen := map[string]bool{}
	for _, n := range p.Nodes {
		switch {
		case n.ID == "" || n.Host == "" || n.Shard < 0 || n.Shard >= router.ShardsMax || n.Memory < 0 || n.Memory > memoryBound || n.Reserved < 0 || n.Reserved > memoryBound:
			return fmt.Errorf("node %q on host %q: shard %d, memory %d", n.ID, n.Host, n.Shard, n.Memory)
		case seen[n.ID]:
			return fmt.Errorf("node %q stands there twice", n.ID)
		case n.State != Stays && n.State != Leaves && n.State != Stops:
			return fmt.Errorf("node %q: state %q", n.ID, n.State)
		}
		seen[n.ID] = true
	}
	return nil
}

// kindOf says what stands under a key, and the name in it.
func kindOf(key string) (kind, name string) {
	for prefix, kind := range map[string]string{hostsPrefix: "host", drainsPrefix: "drain", parameterPrefix: "group", tasksPrefix: "task"} {
		if name, ok := strings.CutPrefix(key, prefix); ok && name != "" && !strings.Contains(name, "/") {
			return kind, name
		}
	}
	rest, ok := strings.CutPrefix(key, clustersPrefix)
	name, what, cut := strings.Cut(rest, "/")
	if !ok || !cut || name == "" {
		return "", ""
	}
	switch {
	case what == "spec" || what == "plan" || what == "topology":
		return what, name
	case strings.HasPrefix(what, "shards/"):
		if shard, ok := number(strings.TrimPrefix(what, "shards/")); ok && shard < router.ShardsMax {
			return "record", name
		}
	}
	return "", ""
}

// encode is the value that stands in the registry.
func encode(value any) []byte {
	switch v := value.(type) {
	case nil:
		return nil
	case *router.Record:
		return []byte(v.Line())
	case *router.Topology:
		text, err := v.MarshalText()
		if err != nil {
			panic(err) // it is made of texts and numbers
		}
		return text
	}
	text, err := json.Marshal(value)
	if err != nil {
		panic(errors.Join(errors.New("a value of ours has no JSON"), err))
	}
	return text
}

// ReadHost reads a host's announcement; ok is false for other keys, and what cannot be read.
func ReadHost(e Entry) (h Host, ok bool) {
	kind, id := kindOf(e.Key)
	if kind != "host" {
		return Host{}, false
	}
	value, _, err := parse(e)
	read, is := value.(*Host)
	if err != nil || !is {
		return Host{}, false
	}
	h = *read
	h.ID = id
	return h, true
}
