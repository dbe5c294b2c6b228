package api

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"larder/control"
	"larder/control/catalog"
	"larder/control/controller"
	"larder/persistence/snapshot"
)

// What lists are answered as.
type (
	// ClusterList has the names of clusters, and what is told of each.
	ClusterList struct {
		Clusters []string  `json:"clusters"`
		Details  []Cluster `json:"details"`
	}
	// Nodes are in order of their clusters, shards and names.
	Nodes struct {
		Nodes []Node `json:"nodes"`
	}
	// Hosts are in order of their names.
	Hosts struct {
		Hosts []Host `json:"hosts"`
	}
	// Endpoints are in order of their names.
	Endpoints struct {
		Endpoints []Endpoint `json:"endpoints"`
	}
	// Groups are in order of their names.
	Groups struct {
		Groups []Group `json:"groups"`
	}
	// NodeTypes are the smallest first.
	NodeTypes struct {
		NodeTypes []NodeType `json:"node_types"`
	}
	// FleetTasks are the newest first.
	FleetTasks struct {
		Tasks []controller.Task `json:"tasks"`
	}
)

// Point asks for an endpoint to lead to a cluster.
type Point struct {
	Cluster string `json:"cluster"`
}

// managed is a handler that asks the manager.
func (s *server) managed(h func(m Manager, r *http.Request) (int, any, error)) http.HandlerFunc {
	return s.say(func(r *http.Request) (int, any, error) {
		if s.o.Manager == nil {
			return 0, nil, Refuse(CodeNoFleet, "%s %s: who was asked looks after no fleet", r.Method, r.URL.Path)
		}
		return h(s.o.Manager, r)
	})
}

// clusters are those of the fleet, and those that only this process knows.
func (s *server) clusters(r *http.Request) (int, any, error) {
	list := ClusterList{Clusters: []string{}, Details: []Cluster{}}
	if s.o.Manager != nil {
		known, err := s.o.Manager.Clusters(r.Context())
		if err != nil {
			return 0, nil, err
		}
		list.Details = append(list.Details, known...)
	}
	for _, name := range s.o.Clusters.Names() {
		at := slices.IndexFunc(list.Details, func(c Cluster) bool { return c.Name == name })
		if at < 0 {
			list.Details = append(list.Details, Cluster{Name: name})
		}
	}
	slices.SortFunc(list.Details, func(a, b Cluster) int { return cmp.Compare(a.Name, b.Name) })
	for i := range list.Details {
		s.served(&list.Details[i])
		list.Clusters = append(list.Clusters, list.Details[i].Name)
	}
	return http.StatusOK, list, nil
}

// served says where clients of a cluster connect, if this process has its endpoint.
func (s *server) served(c *Cluster) {
	if here, ok := s.o.Clusters.Cluster(c.Name); ok && here.Endpoint != "" {
		c.Endpoint = here.Endpoint
	}
}

func (s *server) cluster(r *http.Request) (int, any, error) {
	name := r.PathValue("cluster")
	c, err := Cluster{Name: name}, Refuse(CodeUnknown, "there is no cluster %q", name)
	if s.o.Manager != nil {
		c, err = s.o.Manager.Cluster(r.Context(), name)
	}
	refused := (*Refusal)(nil)
	if _, here := s.o.Clusters.Cluster(name); here && errors.As(err, &refused) && refused.Code == CodeUnknown {
		c, err = Cluster{Name: name}, nil
	}
	s.served(&c)
	return http.StatusOK, c, err
}

func (s *server) createCluster(m Manager, r *http.Request) (int, any, error) {
	var want Wish
	if err := body(r, &want); err != nil {
		return 0, nil, err
	}
	if want.Restore != "" {
		found, err := s.o.Store.Find(r.Context(), want.Restore)
		if err != nil {
			return 0, nil, err
		}
		if want.Shards == 0 {
			want.Shards = len(found.Manifest.Shards)
		}
	}
	task, err := m.Create(r.Context(), want)
	return http.StatusAccepted, task, err
}

func modifyCluster(m Manager, r *http.Request) (int, any, error) {
	var change Change
	if err := body(r, &change); err != nil {
		return 0, nil, err
	}
	task, err := m.Modify(r.Context(), r.PathValue("cluster"), change)
	return http.StatusAccepted, task, err
}

func (s *server) deleteCluster(m Manager, r *http.Request) (int, any, error) {
	final := r.URL.Query().Get("final_snapshot")
	if final != "" {
		switch _, err := s.o.Store.Find(r.Context(), final); {
		case err == nil:
			return 0, nil, fmt.Errorf("%w: %s; say another name for the last one of this cluster", snapshot.ErrTaken, final)
		case !errors.Is(err, snapshot.ErrUnknown):
			return 0, nil, err
		}
	}
	task, err := m.Delete(r.Context(), r.PathValue("cluster"), final)
	return http.StatusAccepted, task, err
}

func failover(m Manager, r *http.Request) (int, any, error) {
	var want Failover
	if err := body(r, &want); err != nil {
		return 0, nil, err
	}
	task, err := m.Failover(r.Context(), r.PathValue("cluster"), want)
	return http.StatusAccepted, task, err
}

func topology(m Manager, r *http.Request) (int, any, error) {
	t, err := m.Topology(r.Context(), r.PathValue("cluster"))
	return http.StatusOK, t, err
}

func nodes(m Manager, r *http.Request) (int, any, error) {
	list, err := m.Nodes(r.Context(), r.PathValue("cluster"))
	return http.StatusOK, Nodes{some(list)}, err
}

// some is a list that is there even if it is empty.
func some[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func replaceNode(m Manager, r *http.Request) (int, any, error) {
	task, err := m.Replace(r.Context(), r.PathValue("node"))
	return http.StatusAccepted, task, err
}

func drainNode(m Manager, r *http.Request) (int, any, error) {
	task, err := m.DrainNode(r.Context(), r.PathValue("node"))
	return http.StatusAccepted, task, err
}

func hosts(m Manager, r *http.Request) (int, any, error) {
	list, err := m.Hosts(r.Context())
	return http.StatusOK, Hosts{some(list)}, err
}

func drainHost(m Manager, r *http.Request) (int, any, error) {
	task, err := m.DrainHost(r.Context(), r.PathValue("host"))
	return http.StatusAccepted, task, err
}

func undrainHost(m Manager, r *http.Request) (int, any, error) {
	return http.StatusOK, nothing{}, m.UndrainHost(r.Context(), r.PathValue("host"))
}

func nodeTypes(*http.Request) (int, any, error) {
	list := []NodeType{}
	for _, t := range catalog.All() {
		list = append(list, NodeType{Name: t.Name, Memory: t.Memory, MemcachedMemory: t.MemcachedMiB << 20, Previous: t.Previous})
	}
	return http.StatusOK, NodeTypes{list}, nil
}

func endpoints(m Manager, r *http.Request) (int, any, error) {
	list, err := m.Endpoints(r.Context())
	return http.StatusOK, Endpoints{some(list)}, err
}

func point(m Manager, r *http.Request) (int, any, error) {
	var to Point
	if err := body(r, &to); err != nil {
		return 0, nil, err
	}
	e, err := m.Point(r.Context(), r.PathValue("endpoint"), to.Cluster)
	return http.StatusOK, e, err
}

func deleteEndpoint(m Manager, r *http.Request) (int, any, error) {
	return http.StatusOK, nothing{}, m.DeleteEndpoint(r.Context(), r.PathValue("endpoint"))
}

func groups(m Manager, r *http.Request) (int, any, error) {
	list, err := m.Groups(r.Context())
	return http.StatusOK, Groups{some(list)}, err
}

func group(m Manager, r *http.Request) (int, any, error) {
	g, err := m.Group(r.Context(), r.PathValue("group"))
	return http.StatusOK, g, err
}

func setGroup(m Manager, r *http.Request) (int, any, error) {
	g := Group{Name: r.PathValue("group")}
	if err := body(r, &g.Group); err != nil {
		return 0, nil, err
	}
	g, err := m.SetGroup(r.Context(), g)
	return http.StatusOK, g, err
}

func changeGroup(m Manager, r *http.Request) (int, any, error) {
	var change GroupChange
	if err := body(r, &change); err != nil {
		return 0, nil, err
	}
	g, err := m.ChangeGroup(r.Context(), r.PathValue("group"), change)
	return http.StatusOK, g, err
}

func deleteGroup(m Manager, r *http.Request) (int, any, error) {
	return http.StatusOK, nothing{}, m.DeleteGroup(r.Context(), r.PathValue("group"))
}

func fleetTasks(m Manager, r *http.Request) (int, any, error) {
	list, err := m.Tasks(r.Context())
	return http.StatusOK, FleetTasks{some(list)}, err
}

func fleetTask(m Manager, r *http.Request) (int, any, error) {
	ctx, cancel := within(r)
	defer cancel()
	task, err := m.Task(ctx, r.PathValue("task"))
	return http.StatusOK, task, err
}

// allEvents are those of the fleet and those of each cluster that this process looks after.
func (s *server) allEvents(r *http.Request) (int, any, error) {
	var since time.Time
	if text := r.URL.Query().Get("since"); text != "" {
		var err error
		if since, err = time.Parse(time.RFC3339, text); err != nil {
			return 0, nil, Refuse(CodeInvalid, "since: %q is no time in RFC 3339", text)
		}
	}
	var all []Event
	if s.o.Manager != nil {
		told, err := s.o.Manager.Events(r.Context())
		if err != nil {
			return 0, nil, err
		}
		all = told
	}
	for _, name := range s.o.Clusters.Names() {
		if c, ok := s.o.Clusters.Cluster(name); ok {
			all = append(all, agentEvents(name, c.Agent)...)
		}
	}
	all = slices.DeleteFunc(all, func(e Event) bool { return !e.At.After(since) })
	return http.StatusOK, Events{inOrder(all)}, nil
}

// events are those of the fleet that are about a cluster, and those of who looks after its data.
func (s *server) events(r *http.Request) (int, any, error) {
	name := r.PathValue("cluster")
	var all []Event
	if s.o.Manager != nil {
		told, err := s.o.Manager.Events(r.Context())
		if err != nil {
			return 0, nil, err
		}
		all = slices.DeleteFunc(told, func(e Event) bool { return e.Cluster != name })
	}
	if c, here := s.o.Clusters.Cluster(name); here {
		all = append(all, agentEvents(name, c.Agent)...)
	}
	if len(all) == 0 { // of one that is gone there may be some
		if status, answer, err := s.cluster(r); err != nil {
			return status, answer, err
		}
	}
	return http.StatusOK, Events{inOrder(all)}, nil
}

func agentEvents(cluster string, a *control.Agent) (list []Event) {
	if a == nil {
		return nil
	}
	for _, e := range a.Events() {
		list = append(list, Event{At: e.At, Kind: e.Kind, Cluster: cluster, Text: e.Text})
	}
	return list
}

func inOrder(list []Event) []Event {
	slices.SortStableFunc(list, func(a, b Event) int { return a.At.Compare(b.At) })
	return some(list)
}
