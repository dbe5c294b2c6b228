package roster_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"larder/backends/registry"
	"larder/backends/registry/consul"
	"larder/backends/roster"
	"larder/internal/peers"
	"larder/internal/registrytest"
	"larder/router"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// TestNodesAreServices: nodes have the tags that the topology gives them, in Consul's lists and in its DNS, follow it, count as failing when nothing listens, stay when
// the host's process ends, and are gone when the node is.
func TestNodesAreServices(t *testing.T) {
	server := peers.StartConsul(t)
	o := consul.DefaultOptions()
	o.Address = server.Addr
	r, err := consul.New(o, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	a, b := listen(t), listen(t)
	first, second := router.Node{ID: "n0", Addr: a.Addr().String()}, router.Node{ID: "n1", Addr: b.Addr().String()}
	publish := func(primary, replica router.Node) {
		t.Helper()
		registrytest.Publish(t, r, "orders", func(epoch uint64) (*router.Topology, error) {
			return router.EvenShards("orders", epoch, []router.Shard{{Primary: router.Node{ID: "elsewhere", Addr: "127.0.0.9:1"}}, {Primary: primary, Replicas: []router.Node{replica}}})
		})
	}
	var nodes atomic.Pointer[[]roster.Node]
	nodes.Store(&[]roster.Node{{Cluster: "orders", ID: "n0"}, {Cluster: "orders", ID: "n1"}, {Cluster: "orders", ID: "joining"}})
	run := func() (end func()) {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			roster.New(r, func(context.Context) []roster.Node { return *nodes.Load() }, slog.New(slog.DiscardHandler)).Run(ctx)
		}()
		return func() {
			cancel()
			<-ended
		}
	}
	agree := func(what, want string) {
		t.Helper()
		got := ""
		for end := time.Now().Add(peers.Patience); got != want; time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%s: %s, want %s", what, got, want)
			}
			found, err := r.Instances(t.Context(), "cache-orders")
			got = fmt.Sprint(shown(found), " ", err)
		}
	}
	end := run()
	publish(first, second)
	agree("as the first topology says", fmt.Sprintf("[cache-orders-n0 %s passing primary primary-1 shard-1] [cache-orders-n1 %s passing replica shard-1] <nil>", first.Addr, second.Addr))
	publish(second, first)
	agree("as the second says", fmt.Sprintf("[cache-orders-n0 %s passing replica shard-1] [cache-orders-n1 %s passing primary primary-1 shard-1] <nil>", first.Addr, second.Addr))

	resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", server.DNS)
	}}
	for _, tag := range []string{"primary", "primary-1", "replica", "shard-1"} {
		found := ""
		for end := time.Now().Add(peers.Patience); found == "" && time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
			_, ports, _ := resolver.LookupSRV(t.Context(), "", "", tag+".cache-orders.service.consul.")
			for _, p := range ports {
				found += fmt.Sprintf("%d ", p.Port)
			}
		}
		want := map[string]string{"primary": second.Addr, "primary-1": second.Addr, "replica": first.Addr, "shard-1": first.Addr + second.Addr}[tag]
		for port := range strings.FieldsSeq(found) {
			if !strings.Contains(want, ":"+port) {
				t.Errorf("%s is answered %s, want %s", tag, found, want)
			}
		}
		if found == "" {
			t.Errorf("%s is not found", tag)
		}
	}

	end()
	agree("when the host's process has ended", fmt.Sprintf("[cache-orders-n0 %s passing replica shard-1] [cache-orders-n1 %s passing primary primary-1 shard-1] <nil>", first.Addr, second.Addr))
	_ = a.Close()
	agree("when nothing listens", fmt.Sprintf("[cache-orders-n0 %s critical replica shard-1] [cache-orders-n1 %s passing primary primary-1 shard-1] <nil>", first.Addr, second.Addr))
	end = run()
	defer func() { end() }()
	agree("under the next process", fmt.Sprintf("[cache-orders-n0 %s critical replica shard-1] [cache-orders-n1 %s passing primary primary-1 shard-1] <nil>", first.Addr, second.Addr))
	nodes.Store(&[]roster.Node{{Cluster: "orders", ID: "n1"}})
	agree("when the node is gone", fmt.Sprintf("[cache-orders-n1 %s passing primary primary-1 shard-1] <nil>", second.Addr))
	nodes.Store(&[]roster.Node{})
	agree("when none is left", " <nil>")
}

func shown(found []registry.Instance) string {
	all := make([]string, len(found))
	for i, f := range found {
		slices.Sort(f.Tags)
		all[i] = fmt.Sprintf("[%s %s %s %s]", f.ID, f.Addr, f.Health, strings.Join(f.Tags, " "))
	}
	return strings.Join(all, " ")
}
