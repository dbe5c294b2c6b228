package backends_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"larder/backends"
	"larder/backends/registry"
	"larder/internal/peers"
	"larder/router"
)

// TestPointed: an endpoint's source tells the topologies of where it points to, of nothing else, and keeps what it has while that cannot be served.
func TestPointed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		r := open(t)
		topology := func(cluster string, epoch uint64) { putTopology(t, r, cluster, epoch) }
		if _, err := backends.NewPointed(ctx, r, "app", slog.New(slog.DiscardHandler)); !errors.Is(err, registry.ErrNotFound) || !strings.Contains(err.Error(), "read endpoint app") {
			t.Errorf("no endpoint: %v", err)
		}
		if err := backends.PointEndpoint(ctx, r, "app", "old"); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("pointed to what has no topology: %v", err)
		}
		topology("old", 7)
		if err := backends.PointEndpoint(ctx, r, "app", "old"); err != nil {
			t.Fatal(err)
		}
		s, err := backends.NewPointed(ctx, r, "app", slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		var told []string
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			if err := s.Watch(ctx, func(topo *router.Topology) { told = append(told, fmt.Sprint(topo.Cluster, topo.Epoch)) }); err != nil {
				t.Errorf("watch: %v", err)
			}
		}()
		point := func(value string) {
			t.Helper()
			if err := r.Put(ctx, backends.EndpointKey("app"), []byte(value)); err != nil {
				t.Fatal(err)
			}
		}
		for _, step := range []struct {
			what string
			do   func()
			want string // what is told
		}{
			{"nothing", func() {}, ""},
			{"another epoch", func() { topology("old", 8) }, "old8"},
			{"another cluster's", func() { topology("other", 9) }, ""},
			{"another endpoint", func() { _ = r.Put(ctx, backends.EndpointKey("app2"), []byte(`{"cluster":"other"}`)) }, ""},
			{"to what has no topology yet", func() { point(`{"cluster":"new"}`) }, ""},
			{"meanwhile another epoch of the one before", func() { topology("old", 10) }, "old10"},
			{"it has one", func() { topology("new", 3) }, "new3"},
			{"the one before has no say", func() { topology("old", 11) }, ""},
			{"another epoch of the new one", func() { topology("new", 4) }, "new4"},
			{"nonsense", func() { point(`nonsense`) }, ""},
			{"it is gone", func() { _ = r.Delete(ctx, backends.EndpointKey("app")) }, ""},
			{"which changes nothing", func() { topology("new", 5) }, "new5"},
			{"back", func() { point(`{"cluster":"old"}`) }, "old11"},
			{"twice at once", func() { point(`{"cluster":"new"}`); point(`{"cluster":"other"}`) }, "other9"},
		} {
			told = nil
			step.do()
			time.Sleep(time.Second)
			synctest.Wait()
			if got := strings.Join(told, " "); got != step.want {
				t.Errorf("%s: told %q, want %q", step.what, got, step.want)
			}
			if len(told) > 0 && fmt.Sprint(s.Topology().Cluster, s.Topology().Epoch) != told[len(told)-1] {
				t.Errorf("%s: Topology is %s %d", step.what, s.Topology().Cluster, s.Topology().Epoch)
			}
		}
		cancel()
		<-ended
	})
}

// TestPointedFromHome: an endpoint with a home leads there while nothing else is said, or what is said has been taken back.
func TestPointedFromHome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		r := open(t)
		putTopology(t, r, "home", 1)
		putTopology(t, r, "other", 1)
		s, err := backends.NewPointedFrom(ctx, r, "home", slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			_ = s.Watch(ctx, func(*router.Topology) {})
		}()
		serves := func(what, want string) {
			t.Helper()
			time.Sleep(time.Second)
			synctest.Wait()
			if got := s.Topology().Cluster; got != want {
				t.Errorf("%s: it serves %s, not %s", what, got, want)
			}
		}
		serves("nothing is said", "home")
		if err := backends.PointEndpoint(ctx, r, "home", "other"); err != nil {
			t.Fatal(err)
		}
		serves("pointed elsewhere", "other")
		_ = r.Put(ctx, backends.EndpointKey("home"), []byte("nonsense"))
		serves("nonsense changes nothing", "other")
		if late, err := backends.NewPointedFrom(ctx, r, "home", slog.New(slog.DiscardHandler)); err == nil {
			t.Errorf("nonsense at the start: it serves %s", late.Topology().Cluster)
		}
		_ = r.Delete(ctx, backends.EndpointKey("home"))
		serves("taken back", "home")
		cancel()
		<-ended
	})
}

func TestEndpointForm(t *testing.T) {
	if got := string(backends.EncodeEndpoint(backends.Endpoint{Cluster: "orders"})); got != `{"cluster":"orders"}` {
		t.Errorf("written as %s", got)
	}
	for value, want := range map[string]string{
		`{"cluster": "orders"}`: "orders", `{"cluster":"orders","later":1}`: "orders", ``: "", `{}`: "", `"orders"`: "", `{"cluster":""}`: "", `{"cluster":"a/b"}`: "",
	} {
		e, err := backends.DecodeEndpoint([]byte(value))
		if e.Cluster != want && err == nil || (err == nil) != (want != "") {
			t.Errorf("%s: %+v, %v", value, e, err)
		}
	}
}

// TestPointedElsewhere: an endpoint that is pointed on while a topology is being told is followed, whichever of both is done first.
func TestPointedElsewhere(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	r := open(t)
	point := func(cluster string) {
		if err := backends.PointEndpoint(ctx, r, "app", cluster); err != nil {
			t.Error(err)
		}
	}
	for _, cluster := range []string{"old", "new", "other"} {
		putTopology(t, r, cluster, 1)
	}
	point("old")
	s, err := backends.NewPointed(ctx, r, "app", slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		ended <- s.Watch(ctx, func(topo *router.Topology) {
			if topo.Cluster == "new" { // who follows the endpoint hears of it while this is being told
				point("other")
				time.Sleep(20 * time.Millisecond)
			}
		})
	}()
	serves := func(cluster string) {
		t.Helper()
		for deadline := time.Now().Add(peers.Patience); s.Topology().Cluster != cluster; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("it serves %s, and not %s", s.Topology().Cluster, cluster)
			}
		}
	}
	for range 40 {
		point("new")
		serves("other")
		point("old")
		serves("old")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// putTopology is of one shard.
func putTopology(t *testing.T, r registry.Store, cluster string, epoch uint64) {
	t.Helper()
	topo, err := router.Even(cluster, epoch, []router.Node{{Addr: "127.0.0.1:1"}})
	if err != nil {
		t.Fatal(err)
	}
	value, err := backends.EncodeTopology(topo)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Put(context.Background(), backends.TopologyKey(cluster), value); err != nil {
		t.Fatal(err)
	}
}
