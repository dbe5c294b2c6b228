package manage_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"larder/backends/registry"
	"larder/backends/registry/embedded"
	"larder/control"
	"larder/control/api"
	"larder/control/controller"
	"larder/control/fleet"
	"larder/control/manage"
)

// bed is a manager over a registry. Whoever is its controller reads what stands there, plans if it may, and starts nothing: hosts say they have nothing.
type bed struct {
	*manage.Manager
	t   *testing.T
	reg *embedded.Registry
	its shared // what the manager has of it

	mu    sync.Mutex
	known controller.Fleet
	plans bool
	runs  func(host string) []controller.Running // what hosts say that they have; nil: nothing
	step  uint64
	leads bool
	now   time.Time
}

// shared is a registry that others write to: meanwhile is done once, when something has been read.
type shared struct {
	registry.Store
	meanwhile func()
}

func (s *shared) Get(ctx context.Context, key string) (registry.Entry, error) {
	e, err := s.Store.Get(ctx, key)
	if does := s.meanwhile; does != nil {
		s.meanwhile = nil
		does()
	}
	return e, err
}

func newBed(t *testing.T, hosts ...controller.Host) *bed {
	t.Helper()
	reg, err := embedded.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := reg.Close(); err != nil {
			t.Error(err)
		}
	})
	b := &bed{t: t, reg: reg, its: shared{Store: reg}, leads: true, now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	for _, h := range hosts {
		h.Session = "1"
		b.put(controller.HostKey(h.ID), h)
	}
	b.Manager = manage.New(manage.Options{
		View: b.view, Registry: &b.its, Limits: controller.Limits{Shards: 10}, Now: func() time.Time { return b.now }, Chance: rand.New(rand.NewPCG(1, 2)),
		CheckParameter: func(name, _ string) error {
			if name != "timeout" {
				return errors.New("nodes have no such parameter")
			}
			return nil
		},
		Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
	})
	return b
}

func (b *bed) put(key string, value any) {
	b.t.Helper()
	text, err := json.Marshal(value)
	if err == nil {
		err = b.reg.Put(b.t.Context(), key, text)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// view is what a controller would know that has read all just now.
func (b *bed) view() fleet.View {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.leads {
		return fleet.View{Leader: fleet.Holder{ID: "other", Addr: "http://other"}}
	}
	b.step++
	b.happens(controller.Registry{Index: b.step, Entries: b.entries()})
	for _, h := range b.known.Hosts() {
		says := controller.HostSays{Host: h.ID, Session: "1", Number: b.step}
		if b.runs != nil {
			says.Nodes = b.runs(h.ID)
		}
		b.happens(says)
	}
	b.happens(controller.Tick{})
	return fleet.View{Leads: true, Fleet: b.known}
}

func (b *bed) happens(e controller.Event) {
	var effects []controller.Effect
	b.known, effects = b.known.Step(b.now, controller.Limits{}, e)
	for _, effect := range effects {
		if put, ok := effect.(controller.Put); ok && b.plans {
			_, _ = b.reg.CompareAndSet(context.Background(), put.Key, put.Value, put.Version)
		}
	}
}

func (b *bed) entries() (list []controller.Entry) {
	entries, err := b.reg.List(context.Background(), controller.Prefix)
	if err != nil {
		b.t.Error(err)
	}
	for _, e := range entries {
		list = append(list, controller.Entry{Key: e.Key, Value: e.Value, Version: e.Version})
	}
	return list
}

func (b *bed) stands(key string) string {
	e, err := b.reg.Get(b.t.Context(), key)
	if err != nil && !errors.Is(err, registry.ErrNotFound) {
		b.t.Error(err)
	}
	return string(e.Value)
}

// all is everything that stands in the registry.
func (b *bed) all() []byte {
	var out bytes.Buffer
	for _, e := range b.entries() {
		fmt.Fprintln(&out, e.Key, e.Version, string(e.Value))
	}
	return out.Bytes()
}

// refused wants a refusal with a code and words, and that nothing was written.
func (b *bed) refused(what string, do func() error, code, words string) {
	b.t.Helper()
	before := b.all()
	err := do()
	var refusal *api.Refusal
	if !errors.As(err, &refusal) || refusal.Code != code || !strings.Contains(refusal.Text, words) {
		b.t.Errorf("%s: %v; want code %s and %q", what, err, code, words)
	}
	if after := b.all(); !bytes.Equal(before, after) {
		b.t.Errorf("%s is refused, and something was written:\n%s\nbefore\n%s", what, after, before)
	}
}

const (
	mib = 1 << 20
	gib = 1 << 30
)

func ptr[T any](v T) *T { return &v }

// TestCreate: what a wish becomes, and each thing that can be wrong with one, which is found before anything is written.
func TestCreate(t *testing.T) {
	b := newBed(t, controller.Host{ID: "h1", Zone: "a", Memory: 8 * gib}, controller.Host{ID: "h2", Zone: "b", Memory: 300 * mib})
	ctx := t.Context()
	if _, err := b.SetGroup(ctx, api.Group{Name: "small", Group: controller.Group{Engine: "redis", Values: map[string]string{"timeout": "5"}}}); err != nil {
		t.Fatal(err)
	}
	task, err := b.Create(ctx, api.Wish{Name: "one", Shards: 2, Replicas: ptr(0), Listen: "127.0.0.1:7000", Parameters: "small"})
	if err != nil || task.Kind != controller.TaskCreate || task.State != controller.TaskRunning || task.Cluster != "one" {
		t.Fatal(task, err)
	}
	want := `{"engine":"redis","node_type":"cache.t3.micro","memory":536870912,"shards":2,"replicas":0,"durability":"async","parameters":"small","listen":"127.0.0.1:7000"}`
	if got := b.stands(controller.SpecKey("one")); got != want {
		t.Errorf("it is\n%s, want\n%s", got, want)
	}
	ended, end := context.WithCancel(ctx)
	end() // who does not wait
	if got, err := b.Task(ended, task.ID); err != nil || got.ID != task.ID || got.State != controller.TaskRunning {
		t.Error(got, err)
	}
	for _, c := range []struct {
		want        api.Wish
		code, words string
	}{
		{api.Wish{Name: "One"}, api.CodeInvalid, "lower-case letters"},
		{api.Wish{Name: "one"}, api.CodeTaken, "there is a cluster one already"},
		{api.Wish{Name: "two", Shards: 11}, api.CodeInvalid, "11 shards: want 1 to 10"},
		{api.Wish{Name: "two", Replicas: ptr(6)}, api.CodeInvalid, "6 replicas: want 0 to 5"},
		{api.Wish{Name: "two", Memory: 1}, api.CodeInvalid, "want at least 16 MiB"},
		{api.Wish{Name: "two", Memory: gib, NodeType: "cache.t3.micro"}, api.CodeInvalid, "say one"},
		{api.Wish{Name: "two", NodeType: "cache.t3.tiny"}, api.CodeInvalid, "cache.t3.micro"},
		{api.Wish{Name: "two", NodeType: "cache.m1.small"}, api.CodeInvalid, "earlier generation"},
		{api.Wish{Name: "two", Durability: "some"}, api.CodeInvalid, "want async or replicated"},
		{api.Wish{Name: "two", Parameters: "none"}, api.CodeInvalid, `no parameter group "none"`},
		{api.Wish{Name: "two", Listen: "7000"}, api.CodeInvalid, "want host:port"},
		{api.Wish{Name: "two", Listen: "0.0.0.0:7000"}, api.CodeTaken, "cluster one has its endpoint at 127.0.0.1:7000"},
		{api.Wish{Name: "two", Zones: []string{"b"}}, api.CodeNoRoom, "no host in zone b has 512 MiB free: the most is 300 MiB, on host h2"},
		{api.Wish{Name: "two", Zones: []string{"c"}}, api.CodeNoRoom, "no host in zone c is there"},
		{api.Wish{Name: "two", Memory: 6 * gib}, api.CodeNoRoom, "shard 0: no host has 6 GiB free"},
		{api.Wish{Name: "two", Servers: [][]string{{"a:1"}}, Memory: gib, NodeType: "cache.t3.micro"}, api.CodeInvalid, "not ours to set"},
	} {
		b.refused(fmt.Sprintf("%+v", c.want), func() error { _, err := b.Create(ctx, c.want); return err }, c.code, c.words)
	}
	if _, err := b.Create(ctx, api.Wish{Name: "stock", Servers: [][]string{{"a:1", "a:2"}, {"b:1"}}}); err != nil {
		t.Error(err)
	}
	if _, err := b.Modify(ctx, "stock", api.Change{Servers: &[][]string{{"a:2"}, {"b:1"}}}); err != nil {
		t.Error(err)
	}
	if c, err := b.Cluster(ctx, "stock"); err != nil || c.Replicas != 0 || len(c.Servers[0]) != 1 {
		t.Errorf("another list of servers: %+v %v", c.Spec, err)
	}
	b.refused("a list of more shards", func() error {
		_, err := b.Modify(ctx, "stock", api.Change{Servers: &[][]string{{"a:2"}, {"b:1"}, {"c:1"}}})
		return err
	}, api.CodeInvalid, "servers for 3")
	list, err := b.Clusters(ctx)
	if err != nil || len(list) != 2 || list[0].Name != "one" || list[0].State != api.Creating || list[0].Endpoint != "127.0.0.1:7000" || list[0].Nodes != 2 || list[1].Kind != controller.External {
		t.Errorf("%+v %v", list, err)
	}
	b.refused("a topology that is not there yet", func() error { _, err := b.Topology(ctx, "one"); return err }, api.CodeUnknown, "no topology yet")
	b.refused("an endpoint to what does not serve", func() error { _, err := b.Point(ctx, "shop", "one"); return err }, api.CodeBusy, "does not serve yet")
	b.refused("another cluster's topology", func() error { _, err := b.Topology(ctx, "none"); return err }, api.CodeUnknown, `no cluster "none"`)
}

// TestModify: only what is said is changed, and what there is no room for is refused.
func TestModify(t *testing.T) {
	b := newBed(t, controller.Host{ID: "h1", Zone: "a", Memory: 2 * gib}, controller.Host{ID: "h2", Zone: "b", Memory: 2 * gib})
	b.plans = true
	ctx := t.Context()
	if _, err := b.Create(ctx, api.Wish{Name: "one", Shards: 2, Replicas: ptr(1)}); err != nil {
		t.Fatal(err)
	}
	b.view() // it is planned
	modify := func(c api.Change) func() error {
		return func() error { _, err := b.Modify(ctx, "one", c); return err }
	}
	b.refused("more replicas than there is room for", modify(api.Change{Replicas: ptr(4)}), api.CodeNoRoom, "has 512 MiB free")
	b.refused("more memory than there is", modify(api.Change{Memory: ptr(int64(3 * gib / 2))}), api.CodeNoRoom, "1536 MiB free")
	b.refused("a zone without hosts", modify(api.Change{Zones: &[]string{"c"}}), api.CodeNoRoom, "no other host in zone c")
	b.refused("another durability than there is", modify(api.Change{Durability: ptr("some")}), api.CodeInvalid, "durability")
	b.refused("a cluster that is not there", func() error { _, err := b.Modify(ctx, "none", api.Change{Replicas: ptr(0)}); return err }, api.CodeUnknown, "no cluster")
	task, err := b.Modify(ctx, "one", api.Change{Replicas: ptr(2), Durability: ptr("replicated"), MinInSync: ptr(2)})
	if err != nil || task.Kind != controller.TaskModify {
		t.Fatal(task, err)
	}
	if _, err := b.Modify(ctx, "one", api.Change{Memory: ptr(int64(600 * mib))}); err != nil {
		t.Error(err)
	}
	var stood map[string]any // a later release has put something there
	if err := json.Unmarshal([]byte(b.stands(controller.SpecKey("one"))), &stood); err != nil {
		t.Fatal(err)
	}
	stood["of_a_later_release"] = []string{"x"}
	b.put(controller.SpecKey("one"), stood)
	b.view()
	if _, err := b.Modify(ctx, "one", api.Change{Parameters: ptr("")}); err != nil {
		t.Error(err)
	}
	if _, err := b.Modify(ctx, "one", api.Change{MinInSync: ptr(1)}); err != nil {
		t.Error(err)
	}
	if got := b.stands(controller.SpecKey("one")); !strings.Contains(got, `"of_a_later_release":["x"]`) || !strings.Contains(got, `"min_in_sync":1`) {
		t.Errorf("what a later release has put there: %s", got)
	}
	if _, err := b.Modify(ctx, "one", api.Change{MinInSync: ptr(2)}); err != nil {
		t.Error(err)
	}
	want := controller.Spec{Engine: "redis", Memory: 600 * mib, Shards: 2, Replicas: 2, Durability: "replicated", MinInSync: 2}
	if c, err := b.Cluster(ctx, "one"); err != nil || !reflect.DeepEqual(*c.Spec, want) || c.Doing == "" {
		t.Errorf("%+v %v, want %+v", c, err, want)
	}
	if _, err := b.Delete(ctx, "one", ""); err != nil {
		t.Fatal(err)
	}
	b.refused("a cluster that goes", modify(api.Change{Replicas: ptr(1)}), api.CodeInvalid, "is being deleted")
	b.refused("one of its name", func() error { _, err := b.Create(ctx, api.Wish{Name: "one"}); return err }, api.CodeTaken, "is being deleted")
}

// TestNodesAndHosts: what is told of them, and what is asked of them.
func TestNodesAndHosts(t *testing.T) {
	b := newBed(t, controller.Host{ID: "h1", Zone: "a", Addr: "10.0.0.1:1", Memory: gib}, controller.Host{ID: "h2", Zone: "b", Memory: gib})
	b.plans = true
	ctx := t.Context()
	if _, err := b.Create(ctx, api.Wish{Name: "one", Memory: 600 * mib}); err != nil {
		t.Fatal(err)
	}
	b.view()
	nodes, err := b.Nodes(ctx, "")
	want := []api.Node{
		{ID: "one-0001-001", Cluster: "one", State: api.NodeStarting, Host: "h1", Zone: "a", Memory: 600 * mib},
		{ID: "one-0001-002", Cluster: "one", State: api.NodeStarting, Host: "h2", Zone: "b", Memory: 600 * mib},
	}
	if err != nil || !reflect.DeepEqual(nodes, want) {
		t.Errorf("%+v %v", nodes, err)
	}
	hosts, err := b.Hosts(ctx)
	if err != nil || len(hosts) != 2 || hosts[0] != (api.Host{ID: "h1", State: api.HostUp, Zone: "a", Addr: "10.0.0.1:1", Memory: gib, Free: 424 * mib, Nodes: 1}) {
		t.Errorf("%+v %v", hosts, err)
	}
	b.refused("a node without a place for another", func() error { _, err := b.Replace(ctx, "one-0001-001"); return err }, api.CodeNoRoom, "no host has 600 MiB free")
	b.put(controller.HostKey("h3"), controller.Host{ID: "h3", Session: "1", Memory: gib})
	b.view()
	task, err := b.DrainNode(ctx, "one-0001-001")
	if err != nil || task.Kind != controller.TaskAway || task.Subject != "one-0001-001" || task.Cluster != "one" {
		t.Error(task, err)
	}
	b.refused("a node that goes", func() error { _, err := b.Replace(ctx, "one-0001-001"); return err }, api.CodeBusy, "on its way out already")
	b.refused("a node that is not there", func() error { _, err := b.Replace(ctx, "one-0001-009"); return err }, api.CodeUnknown, "no node")
	if task, err = b.DrainHost(ctx, "h2"); err != nil || task.Kind != controller.TaskDrain || task.Subject != "h2" {
		t.Error(task, err)
	}
	b.refused("a host twice", func() error { _, err := b.DrainHost(ctx, "h2"); return err }, api.CodeBusy, "already")
	b.refused("a host that is not there", func() error { _, err := b.DrainHost(ctx, "h9"); return err }, api.CodeUnknown, "no host")
	if hosts, err := b.Hosts(ctx); err != nil || hosts[1].State != api.HostDraining {
		t.Errorf("%+v %v", hosts, err)
	}
	if err := b.UndrainHost(ctx, "h2"); err != nil {
		t.Error(err)
	}
	if hosts, err := b.Hosts(ctx); err != nil || hosts[1].State != api.HostUp {
		t.Errorf("%+v %v", hosts, err)
	}
	if tasks, err := b.Tasks(ctx); err != nil || len(tasks) != 3 {
		t.Errorf("%+v %v", tasks, err)
	}
}

// TestGroups: a group is judged as a whole, and stays as long as a cluster names it.
func TestGroups(t *testing.T) {
	b := newBed(t, controller.Host{ID: "h1", Memory: 8 * gib})
	ctx := t.Context()
	group := func(values map[string]string) func() error {
		return func() error {
			_, err := b.SetGroup(ctx, api.Group{Name: "small", Group: controller.Group{Engine: "redis", Values: values}})
			return err
		}
	}
	b.refused("a parameter that nodes do not have", group(map[string]string{"timeout": "5", "color": "red"}), api.CodeInvalid, "parameter color: nodes have no such parameter")
	b.refused("a parameter that is the node type's", group(map[string]string{"maxmemory": "1gb"}), api.CodeInvalid, "node type's")
	b.refused("a group that is not there", func() error { _, err := b.Group(ctx, "small"); return err }, api.CodeUnknown, "no parameter group")
	if err := errors.Join(group(map[string]string{"timeout": "5"})(), group(map[string]string{"timeout": "6"})()); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Create(ctx, api.Wish{Name: "one", Parameters: "small"}); err != nil {
		t.Fatal(err)
	}
	if list, err := b.Groups(ctx); err != nil || len(list) != 1 || list[0].Values["timeout"] != "6" || len(list[0].Clusters) != 1 {
		t.Errorf("%+v %v", list, err)
	}
	b.refused("a change to a parameter that nodes do not have", func() error {
		_, err := b.ChangeGroup(ctx, "small", api.GroupChange{Set: map[string]string{"color": "red"}})
		return err
	}, api.CodeInvalid, "parameter color: nodes have no such parameter")
	b.refused("a group without a name", func() error { _, err := b.ChangeGroup(ctx, "", api.GroupChange{}); return err }, api.CodeInvalid, "name")
	if g, err := b.ChangeGroup(ctx, "small", api.GroupChange{Description: ptr("of shops")}); err != nil || g.Description != "of shops" || g.Values["timeout"] != "6" || len(g.Clusters) != 1 {
		t.Errorf("%+v %v", g, err)
	}
	if g, err := b.ChangeGroup(ctx, "small", api.GroupChange{Set: map[string]string{"TimeOut": "7"}}); err != nil || g.Description != "of shops" || g.Values["timeout"] != "7" {
		t.Errorf("%+v %v", g, err)
	}
	b.its.meanwhile = func() {
		b.put(controller.ParametersKey("small"), controller.Group{Engine: "redis", Description: "of others", Values: map[string]string{"timeout": "7"}})
	}
	if g, err := b.ChangeGroup(ctx, "small", api.GroupChange{Set: map[string]string{"timeout": "8"}}); err != nil || g.Description != "of others" || g.Values["timeout"] != "8" {
		t.Errorf("what another changed at the same time: %+v %v", g, err)
	}
	if g, err := b.ChangeGroup(ctx, "small", api.GroupChange{Unset: []string{"TIMEOUT", "color"}}); err != nil || len(g.Values) != 0 {
		t.Errorf("%+v %v", g, err)
	}
	b.refused("a group that is in use", func() error { return b.DeleteGroup(ctx, "small") }, api.CodeInUse, "cluster one names group small")
	if _, err := b.Modify(ctx, "one", api.Change{Parameters: ptr("")}); err != nil {
		t.Fatal(err)
	}
	if err := b.DeleteGroup(ctx, "small"); err != nil {
		t.Error(err)
	}
	if list, err := b.Groups(ctx); err != nil || len(list) != 0 {
		t.Errorf("%+v %v", list, err)
	}
}

// TestRest: endpoints are not lost with their clusters, old tasks go, events are those that are kept, and who does not lead says who does.
func TestRest(t *testing.T) {
	b := newBed(t, controller.Host{ID: "h1", Memory: 8 * gib})
	ctx := t.Context()
	if _, err := b.Create(ctx, api.Wish{Name: "one"}); err != nil {
		t.Fatal(err)
	}
	b.put("larder/endpoints/shop", map[string]string{"cluster": "one"})
	if list, err := b.Endpoints(ctx); err != nil || len(list) != 1 || list[0] != (api.Endpoint{Name: "shop", Cluster: "one"}) {
		t.Error(list, err)
	}
	b.refused("a cluster to which an endpoint leads", func() error { _, err := b.Delete(ctx, "one", ""); return err }, api.CodeInUse, "endpoint shop leads to cluster one")
	if err := b.DeleteEndpoint(ctx, "shop"); err != nil {
		t.Error(err)
	}
	b.refused("an endpoint that is not there", func() error { return b.DeleteEndpoint(ctx, "shop") }, api.CodeUnknown, `no endpoint "shop"`)
	const tasks = 120
	for i := range tasks {
		b.put(controller.TaskKey(fmt.Sprintf("20250101t%06d", i)), controller.Task{ID: fmt.Sprintf("20250101t%06d", i), Kind: controller.TaskModify, State: controller.TaskDone, Began: b.now.Add(-time.Hour)})
	}
	b.now = b.now.Add(time.Minute)
	last, err := b.Modify(ctx, "one", api.Change{Replicas: ptr(0)})
	if err != nil {
		t.Fatal(err)
	}
	list, err := b.Tasks(ctx)
	if err != nil || len(list) != 100+2 || list[0].ID != last.ID || list[2].ID != "20250101t000020" {
		t.Error(len(list), err)
	}
	if err := fleet.AppendEvents(ctx, b.reg, []control.Event{{At: b.now, Kind: "primary", Cluster: "one", Text: "cluster one: shard 0 has another primary"}}); err != nil {
		t.Fatal(err)
	}
	if events, err := b.Events(ctx); err != nil || len(events) != 1 || events[0].Kind != "primary" || events[0].Cluster != "one" {
		t.Error(events, err)
	}
	b.mu.Lock()
	b.leads = false
	b.mu.Unlock()
	b.refused("who does not lead", func() error { _, err := b.Create(ctx, api.Wish{Name: "two"}); return err }, api.CodeNoLeader, "ask other at http://other")
}
