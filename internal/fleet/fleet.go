// Package fleet runs Larder's own parts for tests, in the test's process, so that the race detector sees them: nodes, and gateways over nodes of any
// kind, on free ports of 127.0.0.1.
//
// What must hold: a starter gives what answers, or fails the test; it ends with the test, and the test fails if it does not end in order. It is called on
// the test's goroutine.
package fleet

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"larder/engine"
	"larder/internal/peers"
	"larder/proxy"
	"larder/router"
)

// Node starts a node and gives its address; change, if any, alters its options first.
func Node(t testing.TB, change ...func(*engine.Options)) string {
	t.Helper()
	_, addr := StartNode(t, change...)
	return addr
}

// StartNode is Node for tests that give the node orders.
func StartNode(t testing.TB, change ...func(*engine.Options)) (*engine.Node, string) {
	t.Helper()
	o := engine.DefaultOptions()
	o.Listen, o.Dir = "127.0.0.1:0", t.TempDir()
	for _, f := range change {
		f(&o)
	}
	n, err := engine.New(o, quiet(), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	keep(t, "node", n)
	return n, n.Addr()
}

// Nodes starts n nodes.
func Nodes(t testing.TB, n int) []string {
	t.Helper()
	addrs := make([]string, n)
	for i := range addrs {
		addrs[i] = Node(t)
	}
	return addrs
}

// Gateway starts a gateway with one shard a node and gives its address; change, if any, alters its options first.
func Gateway(t testing.TB, nodes []string, change ...func(*proxy.Options)) string {
	t.Helper()
	_, addr := StartGateway(t, nodes, prometheus.NewRegistry(), change...)
	return addr
}

// StartGateway is Gateway for tests that look at the gateway itself, or at its metrics.
func StartGateway(t testing.TB, nodes []string, reg prometheus.Registerer, change ...func(*proxy.Options)) (*proxy.Gateway, string) {
	t.Helper()
	o := proxy.DefaultOptions()
	o.Listen, o.Loops = "127.0.0.1:0", 2
	o.Upstream.DialTimeout, o.Upstream.ReplyTimeout = peers.Patience/2, peers.Patience/2 // nodes are kept from the processor by who else tests
	for _, f := range change {
		f(&o)
	}
	g, err := proxy.New(o, fixed{Topology(t, nodes)}, quiet(), reg)
	if err != nil {
		t.Fatal(err)
	}
	keep(t, "gateway", g)
	return g, g.Addr()
}

// Topology spreads the slots evenly over nodes, one shard each; nobody manages it.
func Topology(t testing.TB, nodes []string) *router.Topology {
	t.Helper()
	primaries := make([]router.Node, len(nodes))
	for i, addr := range nodes {
		primaries[i] = router.Node{ID: fmt.Sprintf("n%d", i), Addr: addr}
	}
	topology, err := router.Even("test", 0, primaries)
	if err != nil {
		t.Fatal(err)
	}
	return topology
}

// fixed is a topology that never changes.
type fixed struct{ topology *router.Topology }

func (f fixed) Topology() *router.Topology { return f.topology }

func (f fixed) Watch(ctx context.Context, _ func(*router.Topology)) error {
	<-ctx.Done()
	return nil
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }
