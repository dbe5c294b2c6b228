package main

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"larder/control/api"
	"larder/control/api/client"
	"larder/control/controller"
)

// manager answers what a test has it answer, and notes what it was asked.
type manager struct {
	mu       sync.Mutex
	asked    []any
	clusters []api.Cluster
	group    *api.Group
	steps    []controller.Task // of the one task, as they are told one after the other
	looks    int               // how often that was asked for
	refuse   error
	events   []api.Event
}

func (m *manager) begin(what ...any) (controller.Task, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.refuse != nil {
		return controller.Task{}, m.refuse
	}
	m.asked = append(m.asked, what...)
	return controller.Task{ID: "t1", Kind: controller.TaskCreate, Cluster: "two", State: controller.TaskRunning}, nil
}

func (m *manager) Clusters(context.Context) ([]api.Cluster, error) { return m.clusters, nil }

func (m *manager) Cluster(_ context.Context, name string) (api.Cluster, error) {
	for _, c := range m.clusters {
		if c.Name == name {
			return c, nil
		}
	}
	return api.Cluster{}, api.Refuse(api.CodeUnknown, "there is no cluster %q", name)
}

func (m *manager) Create(_ context.Context, w api.Wish) (controller.Task, error) { return m.begin(w) }

func (m *manager) Modify(_ context.Context, name string, c api.Change) (controller.Task, error) {
	return m.begin(name, c)
}

func (m *manager) Delete(_ context.Context, name, _ string) (controller.Task, error) {
	return m.begin("delete " + name)
}

func (m *manager) Topology(context.Context, string) (api.Topology, error) {
	return api.Topology{Cluster: "two", Epoch: 7, Shards: []api.TopologyShard{
		{Slots: "0-16383", Primary: api.TopologyNode{ID: "n1", Addr: "127.0.0.1:1", Host: "a"}, Replicas: []api.TopologyNode{{ID: "n2", Addr: "127.0.0.1:2", Host: "b"}}},
	}}, nil
}

func (m *manager) Nodes(context.Context, string) ([]api.Node, error) {
	return []api.Node{{ID: "two-0001-001", Cluster: "two", Role: controller.Primary, State: api.NodeRunning, Host: "a", Addr: "127.0.0.1:1", Memory: 512 << 20}}, nil
}

func (m *manager) Replace(_ context.Context, n string) (controller.Task, error) {
	return m.begin("replace " + n)
}

func (m *manager) Failover(_ context.Context, c string, want api.Failover) (controller.Task, error) {
	return m.begin("failover "+c, want)
}

func (m *manager) DrainNode(_ context.Context, n string) (controller.Task, error) {
	return m.begin("drain node " + n)
}

func (m *manager) Hosts(context.Context) ([]api.Host, error) {
	return []api.Host{{ID: "a", State: api.HostUp, Zone: "z", Memory: 4 << 30, Free: 1 << 30, Nodes: 6}}, nil
}

func (m *manager) DrainHost(_ context.Context, h string) (controller.Task, error) {
	return m.begin("drain host " + h)
}

func (m *manager) UndrainHost(_ context.Context, h string) error {
	_, err := m.begin("undrain host " + h)
	return err
}

func (m *manager) Endpoints(context.Context) ([]api.Endpoint, error) {
	return []api.Endpoint{{Name: "shop", Cluster: "two"}}, nil
}

func (m *manager) Point(_ context.Context, e, c string) (api.Endpoint, error) {
	_, err := m.begin("point " + e + " " + c)
	return api.Endpoint{Name: e, Cluster: c}, err
}

func (m *manager) DeleteEndpoint(_ context.Context, e string) error {
	_, err := m.begin("delete endpoint " + e)
	return err
}

func (m *manager) Groups(context.Context) ([]api.Group, error) {
	if m.group == nil {
		return nil, nil
	}
	return []api.Group{*m.group}, nil
}

func (m *manager) Group(_ context.Context, name string) (api.Group, error) {
	if m.group == nil || m.group.Name != name {
		return api.Group{}, api.Refuse(api.CodeUnknown, "there is no parameter group %q", name)
	}
	return *m.group, nil
}

func (m *manager) SetGroup(_ context.Context, g api.Group) (api.Group, error) {
	m.group = &g
	return g, nil
}

func (m *manager) ChangeGroup(_ context.Context, name string, change api.GroupChange) (api.Group, error) {
	if m.group == nil {
		m.group = &api.Group{Name: name, Group: controller.Group{Engine: controller.Redis, Values: map[string]string{}}}
	}
	for name, value := range change.Set {
		m.group.Values[strings.ToLower(name)] = value
	}
	for _, name := range change.Unset {
		delete(m.group.Values, name)
	}
	return *m.group, nil
}

func (m *manager) DeleteGroup(context.Context, string) error {
	m.group = nil
	return nil
}

func (m *manager) Events(context.Context) ([]api.Event, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]api.Event(nil), m.events...), nil
}

func (m *manager) Tasks(context.Context) ([]controller.Task, error) { return m.steps, nil }

func (m *manager) Task(context.Context, string) (controller.Task, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.looks++
	t := m.steps[0]
	if len(m.steps) > 1 {
		m.steps = m.steps[1:]
	}
	return t, nil
}

// nobody serves no cluster.
type nobody struct{}

func (nobody) Names() []string { return nil }

func (nobody) Cluster(string) (api.Served, bool) { return api.Served{}, false }

// managing serves a manager, and gives the folder by which commands find it.
func managing(t *testing.T, m *manager) string {
	t.Helper()
	server := httptest.NewServer(api.New(api.Options{Key: "k", Clusters: nobody{}, Manager: m}))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, client.AddressFile), asJSON(t, client.Address{URL: server.URL, Key: "k"}), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func asJSON(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

var two = api.Cluster{
	Name: "two", Endpoint: "127.0.0.1:7", State: api.Ready, Nodes: 4, Members: 4, Epoch: 7,
	Spec: &controller.Spec{Engine: "redis", NodeType: "cache.t3.micro", Memory: 512 << 20, Shards: 2, Replicas: 1, Durability: "async"},
}

func done(t controller.Task) []controller.Task {
	running := t
	t.ID, running.ID = "t1", "t1"
	running.State, running.Waits = controller.TaskRunning, "shard 0 lacks a node: no host has 512 MiB free"
	t.State, t.Done = controller.TaskDone, t.Total
	return []controller.Task{running, running, t}
}

// TestFleetCommands: what each command asks the appliance, and what it prints for people.
func TestFleetCommands(t *testing.T) {
	m := &manager{clusters: []api.Cluster{two}, events: []api.Event{
		{At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Kind: "primary", Cluster: "two", Text: "cluster two: shard 0 has another primary, n2"},
	}}
	dir := managing(t, m)
	zones := []string{"a", "b"}
	none, one := 0, 1
	memory := int64(1 << 30)
	for _, c := range []struct {
		say  string
		asks []any
		out  string // a part of what is printed
		err  string
	}{
		{
			"cluster create two --shards 2 --replicas 0 --node-type cache.t3.micro --zone a --zone b --listen 127.0.0.1:7 --durability replicated",
			[]any{api.Wish{Name: "two", Shards: 2, Replicas: &none, NodeType: "cache.t3.micro", Zones: zones, Listen: "127.0.0.1:7", Durability: "replicated"}},
			"cluster two serves at 127.0.0.1:7: 2 shards, 1 replica each, 512 MiB (cache.t3.micro) a node\n", "it waits: shard 0 lacks a node: no host has 512 MiB free\n",
		},
		{"cluster create two --memory lots", nil, "", "want a size such as 512mb"},
		{"cluster create two --no-wait --memory 1gb --replicas 0", []any{api.Wish{Name: "two", Shards: 1, Replicas: &none, Memory: memory}}, "task t1 is begun: cluster.create of two\n", ""},
		{
			"cluster create two --no-wait --servers a:1,a:2;b:1",
			[]any{api.Wish{Name: "two", Servers: [][]string{{"a:1", "a:2"}, {"b:1"}}}},
			"task t1 is begun", "",
		},
		{
			"cluster create two --no-wait --servers a:1 --shards 2 --replicas 0",
			[]any{api.Wish{Name: "two", Shards: 2, Replicas: &none, Servers: [][]string{{"a:1"}}}},
			"task t1 is begun", "",
		},
		{"cluster create gone", []any{api.Wish{Name: "gone", Shards: 1, Replicas: &one}}, "cluster gone serves\n", ""}, // nobody tells of it
		{"cluster list", nil, "two   ready  127.0.0.1:7  2       1         4/4    512 MiB (cache.t3.micro)  async", ""},
		{"cluster show two", nil, "cluster two is ready\nendpoint    127.0.0.1:7\nshards      2 shards, 1 replica each; 4 of 4 nodes count\n", ""},
		{"cluster show none", nil, "", `there is no cluster "none"`},
		{"cluster modify two", nil, "", "say what is to be changed"},
		{"cluster modify two --replicas 0 --memory 1gb", []any{"two", api.Change{Replicas: &none, Memory: &memory}}, "cluster two is changed, and serves at 127.0.0.1:7", ""},
		{"cluster delete two", nil, "", "all keys of cluster two, on 4 nodes of 2 shards, and its endpoint 127.0.0.1:7 would be lost; its snapshots stay. Say --yes"},
		{"cluster delete two --yes", []any{"delete two"}, "cluster two is deleted\n", ""},
		{"cluster delete none --yes", nil, "", "there is no cluster"},
		{"cluster tasks", nil, "t1    cluster.create  two  done", ""},
		{"node list", nil, "two-0001-001  0      primary  running  a     -     127.0.0.1:1  512 MiB", ""},
		{"node replace two-0001-001", []any{"replace two-0001-001"}, "node two-0001-001 is replaced\n", ""},
		{"cluster failover two --planned --all", []any{"failover two", api.Failover{Planned: true, All: true}}, "have other primaries\n", ""},
		{"cluster failover two --force --shard 1 --yes", []any{"failover two", api.Failover{Force: true, Shard: new(1), Yes: true}}, "have other primaries\n", ""},
		{"cluster failover two --planned --force", nil, "", "say either --planned"},
		{"node drain two-0001-001", []any{"drain node two-0001-001"}, "node two-0001-001 has left its host\n", ""},
		{"node types", nil, "cache.t3.micro       512.0 MiB", ""},
		{"host list", nil, "a     up     z     -        6      4 GiB   1 GiB", ""},
		{"host drain a", []any{"drain host a"}, "host a has no nodes", ""},
		{"host drain a --undo", []any{"undrain host a"}, "host a is used again\n", ""},
		{"endpoint list", nil, "shop      two", ""},
		{"endpoint point shop two", []any{"point shop two"}, "endpoint shop leads to cluster two\n", ""},
		{"endpoint delete shop", []any{"delete endpoint shop"}, "endpoint shop is deleted\n", ""},
		{"cluster create two --shards 0", nil, "", "--shards 0: want at least 1"},
		{"topology", nil, "0      0-16383  primary  n1    127.0.0.1:1  a     -\n                replica  n2    127.0.0.1:2  b     -\n", ""},
		{"parameters list", nil, "there are no parameter groups", ""},
		{"parameters set small maxmemory-policy=allkeys-lru timeout=5", nil, "maxmemory-policy  allkeys-lru\ntimeout           5\n", ""},
		{"parameters set small Timeout=7 --unset maxmemory-policy", nil, "PARAMETER  VALUE\ntimeout    7\n", ""},
		{"parameters set small timeout", nil, "", `"timeout": want NAME=VALUE`},
		{"parameters list", nil, "small  redis   1       -", ""},
		{"parameters delete small", nil, "parameter group small is deleted\n", ""},
		{"parameters show small", nil, "", "there is no parameter group"},
		{"events", nil, "2026-01-02 03:04:05  primary  two      cluster two: shard 0 has another primary, n2", ""},
	} {
		m.asked, m.steps = nil, done(controller.Task{Kind: controller.TaskCreate, Cluster: "two", Total: 4})
		if c.say == "cluster tasks" {
			m.steps = m.steps[2:]
		}
		code, out, err := say(t, append(strings.Fields(c.say), "--dir", dir)...)
		asked, want := asJSON(t, m.asked), asJSON(t, c.asks)
		if fails := c.out == ""; fails != (code != 0) || !strings.Contains(out, c.out) || !strings.Contains(err, c.err) || !bytes.Equal(asked, want) {
			t.Errorf("larder %s\nexit code %d\n%s%s\nasked %s\nwant  %s", c.say, code, out, err, asked, want)
		}
	}
}

// TestFleetCommandsJSON: with --json each prints what can be read as such, and nothing else.
func TestFleetCommandsJSON(t *testing.T) {
	m := &manager{clusters: []api.Cluster{two}, group: &api.Group{Name: "small", Group: controller.Group{Engine: "redis", Values: map[string]string{"timeout": "5"}}}}
	dir := managing(t, m)
	for _, words := range []string{
		"cluster create two", "cluster list", "cluster show two", "cluster modify two --replicas 1", "cluster delete two --yes", "cluster tasks", "cluster failover two --planned", "node list", "node replace n",
		"node drain n", "node types", "host list", "host drain h", "endpoint list", "endpoint point a two", "topology two", "events", "parameters list", "parameters show small",
		"parameters set small timeout=6",
	} {
		m.steps = done(controller.Task{Kind: controller.TaskCreate, Cluster: "two", Total: 4})
		code, out, err := say(t, append(strings.Fields(words), "--json", "--dir", dir)...)
		var value any
		if wrong := json.Unmarshal([]byte(out), &value); wrong != nil || code != 0 || err != "" {
			t.Errorf("larder %s --json: exit code %d, %v\n%s%s", words, code, wrong, out, err)
		}
		if list, ok := value.([]any); words == "cluster list" && (!ok || len(list) != 1) {
			t.Errorf("larder cluster list --json is no list with one entry a cluster: %s", out)
		}
	}
}

// TestFleetRefusals: what an appliance refuses is said in its words, and ends with exit code 1; so does work that fails.
func TestFleetRefusals(t *testing.T) {
	m := &manager{refuse: api.Refuse(api.CodeNoRoom, "cluster two has no place: no host in zone b has 512 MiB free")}
	dir := managing(t, m)
	if code, out, err := say(t, "cluster", "create", "two", "--dir", dir); code != 1 || out != "" || err != "larder: cluster two has no place: no host in zone b has 512 MiB free\n" {
		t.Error(code, out, err)
	}
	m.refuse, m.steps = nil, []controller.Task{{ID: "t1", Kind: controller.TaskCreate, Cluster: "two", State: controller.TaskFailed, Waits: "the cluster is deleted"}}
	if code, _, err := say(t, "cluster", "create", "two", "--dir", dir); code != 1 || err != "larder: cluster.create of two has failed: the cluster is deleted\n" {
		t.Error(code, err)
	}
}

// TestFleetWorkGoesOn: who stops watching stops nothing, and is told so.
func TestFleetWorkGoesOn(t *testing.T) {
	m := &manager{steps: []controller.Task{{ID: "t1", Kind: controller.TaskCreate, Cluster: "two", State: controller.TaskRunning}}}
	dir := managing(t, m)
	ctx, interrupt := context.WithCancel(t.Context())
	var out, err printed
	ended := make(chan int)
	go func() { ended <- run(ctx, []string{"cluster", "create", "two", "--dir", dir}, &out, &err) }()
	until(t, func() bool {
		m.mu.Lock()
		defer m.mu.Unlock()
		return len(m.asked) == 1 && m.looks > 0 // who looks has been told that it is begun
	})
	interrupt()
	if code := <-ended; code != 1 || !strings.Contains(err.String(), "the work goes on in the appliance: cluster.create of two; larder cluster tasks shows it") {
		t.Error(code, out.String(), err.String())
	}
}

// TestEventsAreFollowed: each is printed once, as it comes, until the command is interrupted.
func TestEventsAreFollowed(t *testing.T) {
	m := &manager{}
	dir := managing(t, m)
	ctx, interrupt := context.WithCancel(t.Context())
	var out, err printed
	ended := make(chan int)
	go func() { ended <- run(ctx, []string{"events", "--follow", "--json", "--dir", dir}, &out, &err) }()
	for _, kind := range []string{"first", "second", "third"} {
		m.mu.Lock()
		m.events = append(m.events, api.Event{At: time.Unix(100, 0), Kind: kind})
		m.mu.Unlock()
		until(t, func() bool { return strings.Contains(out.String(), kind) })
	}
	interrupt()
	if code := <-ended; code != 0 || strings.Count(out.String(), "\n") != 3 {
		t.Error(code, out.String(), err.String())
	}
}

// until waits for a condition.
func until(t *testing.T, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it never comes about")
		}
	}
}
