package app

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"larder/backends"
	"larder/backends/registry"
	"larder/control/api"
	"larder/control/controller"
	"larder/router"
)

// clusters are those for which this process does something: it has their endpoints (dev.go), or looks after their data (minder.go). Which there are stands in the
// registry: one is served from its first topology on until it is to be deleted, and anew when its endpoint is to be elsewhere. One that cannot be served is tried
// again, and holds no other up.
type clusters struct {
	first  string // the process ends if it cannot be served at the start
	inside bool   // where endpoints are does not matter
	serve  func(ctx context.Context, w wish) (*serving, error)
	fits   func(*router.Topology, *controller.Plan) bool // its nodes are where it says, as far as this process knows
	news   func(*router.Topology)                        // is told each topology, again and again
	report func(w wish, err error)                       // is told why one cannot be served, once
	log    *slog.Logger

	told  chan map[string]wish
	known map[string]topology // by cluster; the following goroutine's, as are the next two
	last  map[string]wish     // what was wanted
	bad   map[string]bool     // of which something cannot be read

	mu  sync.Mutex
	all map[string]*serving // changed by who runs it
}

// topology is one that was read, and the version of its entry.
type topology struct {
	version uint64
	*router.Topology
}

// wish is a cluster as it is to be served.
type wish struct {
	name, listen string
	ready        bool // it has a topology that holds
	external     bool // its servers are others'
}

// serving is a cluster that is served.
type serving struct {
	wish
	api.Served
	addr    string // where its gateway listens
	stack   *stack
	metrics *lease
	drop    func() // what is to be done when it has ended
}

// serveAgain is how long a cluster that could not be served waits.
const serveAgain = 2 * time.Second

// Names implements api.Clusters.
func (c *clusters) Names() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	names := []string{} // never nil: JSON has a list
	for name := range c.all {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Cluster implements api.Clusters.
func (c *clusters) Cluster(name string) (api.Served, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.all[name]
	if s == nil {
		return api.Served{}, false
	}
	return s.Served, true
}

// addr is where a cluster's gateway listens; empty: it is not served.
func (c *clusters) addr(name string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.all[name]; s != nil {
		return s.addr
	}
	return ""
}

// endpoint is where clients of this machine reach a cluster; empty: it is not served.
func (c *clusters) endpoint(name string) string {
	s, _ := c.Cluster(name)
	return s.Endpoint
}

// clustersPrefix is where clusters stand in the registry.
const clustersPrefix = controller.Prefix + "clusters/"

// read makes of what stands in the registry what is to be served. A cluster of which something cannot be read is wanted as it was, unless it is to be deleted.
func (c *clusters) read(entries []registry.Entry) {
	specs, plans, topologies := map[string]*controller.Spec{}, map[string]*controller.Plan{}, map[string]topology{}
	bad := map[string]bool{}
	for _, e := range entries {
		name, what, _ := strings.Cut(strings.TrimPrefix(e.Key, clustersPrefix), "/")
		if len(e.Value) == 0 {
			continue
		}
		var err error
		switch what {
		case "spec":
			var spec controller.Spec
			if err = json.Unmarshal(e.Value, &spec); err == nil {
				specs[name] = &spec
			}
		case "plan":
			plans[name] = &controller.Plan{}
			err = json.Unmarshal(e.Value, plans[name])
		case "topology":
			t := c.known[name]
			if t.Topology == nil || t.version != e.Version { // it is large, and other things change often
				t.version = e.Version
				t.Topology, err = backends.DecodeTopology(e.Value)
			}
			topologies[name] = t
		}
		if err != nil {
			bad[name] = true
			if !c.bad[name] {
				c.log.Warn("what stands in the registry of a cluster cannot be read; it is served as before", "key", e.Key, "error", err)
			}
		}
	}
	wanted := map[string]wish{}
	for name := range bad {
		if was, ok := c.last[name]; ok {
			wanted[name] = was
		}
	}
	for name, spec := range specs {
		switch {
		case spec.Deleted:
			delete(wanted, name)
			continue
		case bad[name]:
			continue
		}
		t := topologies[name].Topology
		ready := t != nil && (plans[name] == nil || c.fits(t, plans[name])) // servers of others have no plan
		if ready {
			c.news(t)
		}
		want := wish{name: name, ready: ready, external: spec.External()}
		if !c.inside {
			want.listen = spec.Listen
		}
		wanted[name] = want
	}
	c.known, c.bad, c.last = topologies, bad, wanted
	newest(c.told, wanted)
}

// newest has a channel of one hold the newest value. It has one sender.
func newest[T any](to chan T, value T) {
	select {
	case <-to:
	default:
	}
	to <- value
}

var errPartEnded = errors.New("a part of it has ended")

// settler has what is served be what is wanted. It is the running goroutine's.
type settler struct {
	*clusters
	wanted map[string]wish
	again  map[string]time.Time // when what could not be served is tried again
	begun  bool                 // the first cluster has been served
}

// settle ends what is not wanted any more, and begins what is.
func (s *settler) settle(ctx context.Context, now time.Time) error {
	for name, is := range s.all {
		want, ok := s.wanted[name]
		switch {
		case !ok || want.listen != is.listen:
			s.end(is, nil)
		case is.stack.ctx.Err() != nil && ctx.Err() == nil:
			s.end(is, errPartEnded)
		}
	}
	for name, want := range s.wanted {
		if s.all[name] != nil || !want.ready || now.Before(s.again[name]) {
			continue
		}
		is, err := s.serve(ctx, want)
		if err == nil {
			s.begin(is)
			continue
		}
		if ctx.Err() == nil && name == s.first && !s.begun {
			return err
		}
		s.failed(want, err)
	}
	return nil
}

func (s *settler) begin(is *serving) {
	s.mu.Lock()
	s.all[is.name] = is
	s.mu.Unlock()
	delete(s.again, is.name)
	s.begun = s.begun || is.name == s.first
}

// end has a cluster be served no more; err is why it cannot be.
func (s *settler) end(is *serving, err error) {
	s.mu.Lock()
	if s.all[is.name] == is {
		delete(s.all, is.name)
	}
	s.mu.Unlock()
	if err = is.finish(err); err != nil {
		s.failed(is.wish, err)
		return
	}
	s.log.Info("cluster is not served here any more", "cluster", is.name, "addr", is.Endpoint)
}

func (s *settler) failed(w wish, err error) {
	if s.again[w.name].IsZero() {
		s.report(w, err)
	}
	s.again[w.name] = time.Now().Add(serveAgain)
}

// finish ends all parts.
func (is *serving) finish(err error) error {
	err = is.stack.finish(err)
	is.metrics.end()
	if is.drop != nil {
		is.drop()
	}
	return err
}

// settling serves what is wanted until ctx ends. begun is closed once the first cluster is served.
func (c *clusters) settling(ctx context.Context, begun chan<- struct{}) error {
	s := &settler{clusters: c, again: map[string]time.Time{}}
	defer func() {
		for _, is := range s.all {
			s.end(is, nil)
		}
	}()
	every := time.NewTicker(serveAgain / 2)
	defer every.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case s.wanted = <-c.told:
		case <-every.C:
		}
		before := s.begun
		if err := s.settle(ctx, time.Now()); err != nil {
			return err
		}
		if s.begun && !before {
			close(begun)
		}
	}
}
