package controller

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"larder/router"
)

// Limits bound what is asked for and what is done at once.
type Limits struct {
	Shards   int // a cluster may have; 0: router.ShardsMax
	Replicas int // a shard may have; 0: router.ReplicasMax
	Moves    int // shards of a cluster that may be moving a node at the same time; 0: 4

	DownAfter    time.Duration // for how long a node may not answer before it counts as down; 0: 800 ms
	ReplaceAfter time.Duration // for how long a host may be away before others take its nodes' places; 0: 30 s
}

const (
	movesUsual   = 4
	downUsual    = 800 * time.Millisecond
	replaceUsual = 30 * time.Second
)

func (l Limits) filled() Limits {
	or := func(n *int, usual int) {
		if *n <= 0 {
			*n = usual
		}
	}
	or(&l.Shards, router.ShardsMax)
	or(&l.Replicas, router.ReplicasMax)
	or(&l.Moves, movesUsual)
	if l.DownAfter <= 0 {
		l.DownAfter = downUsual
	}
	if l.ReplaceAfter <= 0 {
		l.ReplaceAfter = replaceUsual
	}
	return l
}

// Down is DownAfter, or the usual.
func (l Limits) Down() time.Duration { return l.filled().DownAfter }

// Engines and durabilities, as they stand in a Spec.
const (
	Redis      = "redis"
	Memcached  = "memcached"
	Async      = "async"
	Replicated = "replicated"
)

// MemoryMin is the least that a node may have of its host.
const MemoryMin = 16 << 20

// Spec is what a user wants of a cluster. The management API writes it.
type Spec struct {
	Kind       string   `json:"kind,omitempty"` // empty: nodes of ours on our hosts; External
	Engine     string   `json:"engine"`
	NodeType   string   `json:"node_type,omitempty"` // the name of the size that was chosen, for people
	Memory     int64    `json:"memory"`              // bytes that a node may take of its host, all in all
	Shards     int      `json:"shards"`
	Replicas   int      `json:"replicas"` // of each shard
	Durability string   `json:"durability"`
	MinInSync  int      `json:"min_in_sync,omitempty"` // under replicated: with fewer members no write is taken
	Parameters string   `json:"parameters,omitempty"`  // the group's name; empty: nothing but what is usual
	Zones      []string `json:"zones,omitempty"`       // where its nodes may be; empty: anywhere
	Listen     string   `json:"listen,omitempty"`      // the endpoint's address
	Deleted    bool     `json:"deleted,omitempty"`     // it is on its way out

	SnapshotWindow string `json:"snapshot_window,omitempty"` // when automatic snapshots of it begin; empty: as the controllers are told
	SnapshotRetain *int   `json:"snapshot_retain,omitempty"` // how many of them stay; nil: as the controllers are told
	Seed           *Seed  `json:"seed,omitempty"`            // what it is still to be filled with; nil: nothing
	Final          string `json:"final,omitempty"`           // the snapshot that is still to be taken before it is deleted; empty: none

	Servers [][]string `json:"servers,omitempty"` // of an external cluster: by shard the addresses of its servers, who was the primary first
}

// Seed is what a new cluster is filled with before it counts as created.
type Seed struct {
	From   string `json:"from"`             // a snapshot's name
	Failed string `json:"failed,omitempty"` // why it could not be; who has asked for it is told so, and it is not tried again
}

// Scheduled is when automatic snapshots are taken; usual is so where nothing is said.
func (s *Spec) Scheduled(usual Schedule) (Schedule, error) {
	if s.SnapshotRetain != nil {
		usual.Retain = *s.SnapshotRetain
	}
	if s.SnapshotWindow == "" {
		return usual, nil
	}
	var err error
	usual.Window, err = ParseWindow(s.SnapshotWindow)
	return usual, err
}

// CheckName wants a name that can stand in keys, host names and metrics: as the service that users know has it.
func CheckName(name string) error {
	const lengthMax = 40
	letter := func(c byte) bool { return c >= 'a' && c <= 'z' }
	plain := func(r rune) bool { return r != '-' && (r < '0' || r > '9') && (r > 127 || !letter(byte(r))) }
	switch {
	case name == "" || len(name) > lengthMax:
		return fmt.Errorf("name %q: want 1 to %d characters", name, lengthMax)
	case strings.ContainsFunc(name, plain):
		return fmt.Errorf("name %q: want lower-case letters, digits and hyphens", name)
	case !letter(name[0]), strings.HasSuffix(name, "-"), strings.Contains(name, "--"):
		return fmt.Errorf("name %q: want a letter first, and single hyphens between other characters", name)
	}
	return nil
}

// Validate tells what about a wish cannot be.
func (s *Spec) Validate(l Limits) error {
	l = l.filled()
	switch {
	case s.External():
		return s.validateServers(l)
	case s.Kind != "" || len(s.Servers) > 0:
		return fmt.Errorf("kind %q: want none, or %s with its servers", s.Kind, External)
	case s.Engine != Redis && s.Engine != Memcached:
		return fmt.Errorf("engine %q: want %s or %s", s.Engine, Redis, Memcached)
	case s.Shards < 1 || s.Shards > l.Shards:
		return fmt.Errorf("%d shards: want 1 to %d", s.Shards, l.Shards)
	case s.Replicas < 0 || s.Replicas > l.Replicas:
		return fmt.Errorf("%d replicas: want 0 to %d a shard", s.Replicas, l.Replicas)
	case s.Engine == Memcached && s.Replicas > 0:
		return errors.New("replicas: a memcached cluster has none")
	case s.Memory < MemoryMin:
		return fmt.Errorf("memory of %d bytes a node: want at least %s", s.Memory, Bytes(MemoryMin))
	case s.Durability != Async && s.Durability != Replicated:
		return fmt.Errorf("durability %q: want %s or %s", s.Durability, Async, Replicated)
	case s.MinInSync < 0 || s.MinInSync > 1+s.Replicas:
		return fmt.Errorf("min-in-sync %d: want 0 to %d, the nodes of a shard", s.MinInSync, 1+s.Replicas)
	case s.MinInSync > 0 && s.Durability != Replicated:
		return fmt.Errorf("min-in-sync %d: it goes with durability %s", s.MinInSync, Replicated)
	case s.SnapshotRetain != nil && *s.SnapshotRetain < 0:
		return fmt.Errorf("%d automatic snapshots to retain: want 0 (none is taken) or more", *s.SnapshotRetain)
	case slices.Contains(s.Zones, ""):
		return errors.New("zones: one has no name")
	}
	_, err := s.Scheduled(Schedule{})
	return err
}

// ValidateChange tells what about a wish cannot be while the cluster is another.
func (s *Spec) ValidateChange(old *Spec, l Limits) error {
	switch {
	case old.Deleted:
		return errors.New("the cluster is being deleted")
	case s.Kind != old.Kind:
		return errors.New("kind: nodes of ours and servers of others cannot be changed into each other: larder migrate moves the data")
	case s.Engine != old.Engine:
		return fmt.Errorf("engine: the cluster is of %s and stays so", old.Engine)
	case s.External() && len(s.Servers) != old.Shards:
		return fmt.Errorf("%d shards: there are servers for %d, and their number cannot be changed", old.Shards, len(s.Servers))
	case s.Shards != old.Shards:
		return fmt.Errorf("shards: the cluster has %d, and their number cannot be changed", old.Shards)
	}
	return s.Validate(l)
}

// wanted is how many nodes a shard has to have.
func (s *Spec) wanted() int { return 1 + s.Replicas }

// ReservedPercent is the parameter that says how much of a node's memory its data does not get: it is for buffers, copies and the process itself.
const ReservedPercent = "reserved-memory-percent"

const reservedUsual = 25

// Group is a parameter group: what the nodes of clusters that name it are set to.
type Group struct {
	Engine      string            `json:"engine"`
	Description string            `json:"description,omitempty"`
	Values      map[string]string `json:"values"`
}

// Validate tells which of a group's values cannot be. check knows a node's parameters.
func (g *Group) Validate(check func(name, value string) error) error {
	if g.Engine != Redis && g.Engine != Memcached {
		return fmt.Errorf("engine %q: want %s or %s", g.Engine, Redis, Memcached)
	}
	for _, name := range sortedKeys(g.Values) {
		var err error
		switch name {
		case "maxmemory":
			err = fmt.Errorf("it is the node type's, less %s", ReservedPercent)
		case ReservedPercent:
			_, err = reserved(g.Values)
		default:
			err = check(name, g.Values[name])
		}
		if err != nil {
			return fmt.Errorf("parameter %s: %w", name, err)
		}
	}
	return nil
}

func reserved(values map[string]string) (int, error) {
	text, ok := values[ReservedPercent]
	if !ok {
		return reservedUsual, nil
	}
	percent := 0
	for _, c := range []byte(text) {
		if c < '0' || c > '9' || percent > 100 {
			percent = 101
			break
		}
		percent = 10*percent + int(c-'0')
	}
	if text == "" || percent > 90 {
		return reservedUsual, fmt.Errorf("%q: want a number from 0 to 90", text)
	}
	return percent, nil
}

// Bytes is a size as people write it: whole units where there are any.
func Bytes(n int64) string {
	for _, u := range []struct {
		shift uint
		name  string
	}{{40, "TiB"}, {30, "GiB"}, {20, "MiB"}, {10, "KiB"}} {
		if unit := int64(1) << u.shift; n >= 10*unit || n >= unit && n%unit == 0 {
			return fmt.Sprintf("%d %s", n>>u.shift, u.name)
		}
	}
	return fmt.Sprintf("%d bytes", n)
}
