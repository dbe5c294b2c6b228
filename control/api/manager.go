package api

import (
	"context"
	"fmt"
	"time"

	"larder/control/controller"
)

// Manager knows hosts, clusters and nodes, and has what is wanted of them changed. Its methods may be called from any goroutine. What takes long is begun and
// told as a task, which goes on whoever waits for it. An error that people can do something about is a *Refusal; then nothing was changed.
type Manager interface {
	Clusters(ctx context.Context) ([]Cluster, error) // in order of their names
	Cluster(ctx context.Context, name string) (Cluster, error)
	Create(ctx context.Context, want Wish) (controller.Task, error)
	Modify(ctx context.Context, name string, change Change) (controller.Task, error)
	// Delete deletes one; final, if it is not empty, is a snapshot that is taken before.
	Delete(ctx context.Context, name, final string) (controller.Task, error)
	Topology(ctx context.Context, cluster string) (Topology, error)
	Failover(ctx context.Context, cluster string, want Failover) (controller.Task, error)

	Nodes(ctx context.Context, cluster string) ([]Node, error) // empty: of all clusters
	Replace(ctx context.Context, node string) (controller.Task, error)
	DrainNode(ctx context.Context, node string) (controller.Task, error)

	Hosts(ctx context.Context) ([]Host, error)
	DrainHost(ctx context.Context, host string) (controller.Task, error)
	UndrainHost(ctx context.Context, host string) error

	Endpoints(ctx context.Context) ([]Endpoint, error)
	Point(ctx context.Context, endpoint, cluster string) (Endpoint, error)
	DeleteEndpoint(ctx context.Context, endpoint string) error

	Groups(ctx context.Context) ([]Group, error)
	Group(ctx context.Context, name string) (Group, error)
	SetGroup(ctx context.Context, g Group) (Group, error) // makes it, or replaces it
	// ChangeGroup makes it if there is none. What others change of it at the same time stays.
	ChangeGroup(ctx context.Context, name string, change GroupChange) (Group, error)
	DeleteGroup(ctx context.Context, name string) error

	Events(ctx context.Context) ([]Event, error)          // the oldest first
	Tasks(ctx context.Context) ([]controller.Task, error) // the newest first
	// Task gives one when it is over, or when ctx has ended.
	Task(ctx context.Context, id string) (controller.Task, error)
}

// Refusal is an error with what it is to programs.
type Refusal struct{ Code, Text string }

func (r *Refusal) Error() string { return r.Text }

// The codes of a Manager's refusals, beside those of control.Code.
const (
	CodeInvalid  = "invalid"
	CodeUnknown  = "unknown"
	CodeTaken    = "taken"     // there is one of that name
	CodeBusy     = "busy"      // something that excludes it is under way
	CodeInUse    = "in-use"    // somebody needs what should go
	CodeNoRoom   = "no-room"   // the hosts have no place for it
	CodeRegistry = "registry"  // it cannot be reached, or refuses
	CodeNoFleet  = "no-fleet"  // who was asked looks after no fleet
	CodeNoLeader = "no-leader" // nobody decides about the fleet at the moment
	CodeConfirm  = "confirm"   // something may be lost, and it was not said that this is known
)

// Refuse makes a Refusal.
func Refuse(code, format string, args ...any) error {
	return &Refusal{code, fmt.Sprintf(format, args...)}
}

// Cluster is what is told of one. Without a Manager only name and endpoint are known.
type Cluster struct {
	Name             string       `json:"name"`
	Endpoint         string       `json:"endpoint"`        // where its clients connect, host:port; empty: where its gateways are
	State            ClusterState `json:"state,omitempty"` // of it as a whole
	Doing            string       `json:"doing,omitempty"` // what is not yet as it should be; empty: nothing
	Waits            []string     `json:"waits,omitempty"` // why something does not go on
	Nodes            int          `json:"nodes,omitempty"` // that it has to have
	Members          int          `json:"members"`         // of them, those that have all data and count
	Epoch            uint64       `json:"epoch,omitempty"` // of its topology
	*controller.Spec              // what is wanted of it
}

// ClusterState says how a cluster is.
type ClusterState string

// The states.
const (
	Creating ClusterState = "creating" // it does not serve yet
	Ready    ClusterState = "ready"
	Changing ClusterState = "changing" // it serves, and something of it is not as it should be
	Deleting ClusterState = "deleting"
)

// Wish asks for a cluster. What is not given is as it usually is.
type Wish struct {
	Name       string   `json:"name"`
	Engine     string   `json:"engine,omitempty"`      // redis
	NodeType   string   `json:"node_type,omitempty"`   // a named size
	Memory     int64    `json:"memory,omitempty"`      // bytes that a node may take of its host, all in all; instead of a node type
	Shards     int      `json:"shards,omitempty"`      // 1
	Replicas   *int     `json:"replicas,omitempty"`    // of each shard; 1
	Durability string   `json:"durability,omitempty"`  // async or replicated; async
	MinInSync  int      `json:"min_in_sync,omitempty"` // under replicated: with fewer members no write is taken
	Parameters string   `json:"parameters,omitempty"`  // a parameter group's name
	Zones      []string `json:"zones,omitempty"`       // where its nodes may be; anywhere
	Listen     string   `json:"listen,omitempty"`      // the endpoint's address, host:port
	// Restore is the snapshot that it is filled with before it counts as created; then shards are as many as that has, if nothing is said.
	Restore        string `json:"restore,omitempty"`
	SnapshotWindow string `json:"snapshot_window,omitempty"` // when automatic snapshots begin, in UTC: 03:00-05:00; as the controllers are told
	SnapshotRetain *int   `json:"snapshot_retain,omitempty"` // how many automatic snapshots stay; as the controllers are told
	// Servers make it a cluster of servers of others: by shard their addresses, the primary first. Then shards and replicas are as there, and nothing is placed.
	Servers [][]string `json:"servers,omitempty"`
}

// Failover asks for other nodes to be the primaries of shards: planned, where nothing is lost, or by force, where a primary is gone and no rule can go on.
type Failover struct {
	Planned bool `json:"planned,omitempty"`
	Force   bool `json:"force,omitempty"`
	Shard   *int `json:"shard,omitempty"` // which; may be left out if there is one only
	All     bool `json:"all,omitempty"`   // planned: every shard
	Yes     bool `json:"yes,omitempty"`   // force: what may be lost is known. Without it nothing is done, and the refusal says what
}

// Change asks for a cluster to be another. What is not given stays.
type Change struct {
	NodeType   *string   `json:"node_type,omitempty"`
	Memory     *int64    `json:"memory,omitempty"`
	Replicas   *int      `json:"replicas,omitempty"`
	Durability *string   `json:"durability,omitempty"`
	MinInSync  *int      `json:"min_in_sync,omitempty"`
	Parameters *string   `json:"parameters,omitempty"` // empty: none
	Zones      *[]string `json:"zones,omitempty"`      // empty: anywhere
	Listen     *string   `json:"listen,omitempty"`

	SnapshotWindow *string `json:"snapshot_window,omitempty"` // empty: as the controllers are told
	SnapshotRetain *int    `json:"snapshot_retain,omitempty"` // -1: as the controllers are told

	Servers *[][]string `json:"servers,omitempty"` // of a cluster of servers of others
}

// Node is one of a cluster's.
type Node struct {
	ID      string          `json:"id"`
	Cluster string          `json:"cluster"`
	Shard   int             `json:"shard"`
	Role    controller.Role `json:"role,omitempty"` // primary, replica, joining; empty: nobody counts on it
	State   NodeState       `json:"state"`
	Host    string          `json:"host"`
	Zone    string          `json:"zone,omitempty"`
	Addr    string          `json:"addr,omitempty"` // where it is reached; empty: not known
	Memory  int64           `json:"memory"`         // bytes that it may take of its host
	Why     string          `json:"why,omitempty"`  // it is not running, or does not stay
}

// NodeState says how a node is.
type NodeState string

// The states.
const (
	NodeStarting NodeState = "starting" // its host has not started it yet, or starts it again
	NodeRunning  NodeState = "running"
	NodeFailed   NodeState = "failed" // its host has given up starting it
	NodeLost     NodeState = "lost"   // its host is not there
	NodeLeaving  NodeState = "leaving"
	NodeStopping NodeState = "stopping"
)

// Host is a machine that runs nodes.
type Host struct {
	ID     string    `json:"id"`
	State  HostState `json:"state"`
	Zone   string    `json:"zone,omitempty"`
	Addr   string    `json:"addr,omitempty"`
	Memory int64     `json:"memory"` // bytes for all its nodes
	Free   int64     `json:"free"`   // bytes of it that nothing is planned for
	Nodes  int       `json:"nodes"`
}

// HostState says how a host is.
type HostState string

// The states.
const (
	HostUp       HostState = "up"
	HostSilent   HostState = "silent"   // it is announced and has not said yet what it has
	HostDraining HostState = "draining" // its nodes go elsewhere
	HostDrained  HostState = "drained"  // it has none, and gets none
	HostLost     HostState = "lost"     // it is not announced
)

// Topology says who has which slots.
type Topology struct {
	Cluster string          `json:"cluster"`
	Epoch   uint64          `json:"epoch"`
	Shards  []TopologyShard `json:"shards"`
}

// TopologyShard is a share of the slots.
type TopologyShard struct {
	Shard    int            `json:"shard"`
	Slots    string         `json:"slots"` // 0-5460,5470
	Primary  TopologyNode   `json:"primary"`
	Replicas []TopologyNode `json:"replicas"`
}

// TopologyNode is who has them.
type TopologyNode struct {
	ID   string `json:"id"`
	Addr string `json:"addr"`
	Host string `json:"host,omitempty"`
	Zone string `json:"zone,omitempty"`
}

// Endpoint is a name under which clients find a cluster, which may be another one later.
type Endpoint struct {
	Name    string `json:"name"`
	Cluster string `json:"cluster"`
}

// Group is a parameter group: what the nodes of clusters that name it are set to.
type Group struct {
	Name string `json:"name"`
	controller.Group
	Clusters []string `json:"clusters,omitempty"` // that name it
}

// GroupChange asks for a parameter group to be another, or for one to be made. What is not given stays.
type GroupChange struct {
	Description *string           `json:"description,omitempty"`
	Set         map[string]string `json:"set,omitempty"`
	Unset       []string          `json:"unset,omitempty"` // names of parameters that the group is to set no more
}

// Event is something that people should know of.
type Event struct {
	At      time.Time `json:"at"`
	Kind    string    `json:"kind"`
	Cluster string    `json:"cluster,omitempty"` // that it is about
	Text    string    `json:"text"`
}

// NodeType is a named size.
type NodeType struct {
	Name            string `json:"name"`
	Memory          int64  `json:"memory"`                     // bytes that a redis node takes of its host
	MemcachedMemory int64  `json:"memcached_memory,omitempty"` // and a memcached node; 0: there is none of this type
	Previous        bool   `json:"previous,omitempty"`         // of an earlier generation: not for new clusters
}
