package clients_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sync/errgroup"

	"larder/backends/registry"
	"larder/backends/registry/consul"
	"larder/internal/clients"
	"larder/internal/peers"
	"larder/internal/registrytest"
	"larder/router"
)

// openRegistry is a controller's view of a Consul.
func openRegistry(t *testing.T, server *peers.Consul) registry.Registry {
	t.Helper()
	o := consul.DefaultOptions()
	o.Address = server.Addr
	r, err := consul.New(o, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// publish writes the topology of a cluster with one shard a node.
func publish(t *testing.T, r registry.Registry, cluster string, nodes ...*clients.Process) {
	t.Helper()
	primaries := make([]router.Node, len(nodes))
	for i, n := range nodes {
		primaries[i] = router.Node{Addr: n.Addr}
	}
	registrytest.Publish(t, r, cluster, func(epoch uint64) (*router.Topology, error) { return router.Even(cluster, epoch, primaries) })
}

// slotsAt is what a gateway answers CLUSTER SLOTS: "from-to addr" each.
func slotsAt(ctx context.Context, c redis.Cmdable) string {
	ranges, err := c.ClusterSlots(ctx).Result()
	if err != nil {
		return err.Error()
	}
	all := make([]string, len(ranges))
	for i, r := range ranges {
		all[i] = fmt.Sprintf("%d-%d %s", r.Start, r.End, r.Nodes[0].Addr)
	}
	return strings.Join(all, ", ")
}

// traffic sets, reads and counts by a client that takes the gateways for a cluster.
type traffic struct {
	c      *redis.ClusterClient
	rounds atomic.Int64
	failed context.Context // ended: a command has failed, or it was stopped
	group  *errgroup.Group
	stop   context.CancelFunc
}

func startTraffic(t *testing.T, seeds ...string) *traffic {
	t.Helper()
	// The driver learns of a change only when it reads the list anew, by itself once a minute. A killed gateway is off the list in two seconds or three, which
	// the attempts must outlast.
	f := &traffic{c: redis.NewClusterClient(&redis.ClusterOptions{Addrs: seeds, ClusterStateReloadInterval: time.Second, MaxRedirects: 24})}
	ctx, stop := context.WithCancel(context.Background())
	f.group, ctx = errgroup.WithContext(ctx)
	f.failed, f.stop = ctx, stop
	for worker := range 4 {
		f.group.Go(func() error {
			for n := 0; ctx.Err() == nil; n++ {
				key, value := fmt.Sprint("k", worker, "-", n%500), fmt.Sprint(n)
				if err := f.c.Set(context.Background(), key, value, 0).Err(); err != nil {
					return fmt.Errorf("SET %s: %w", key, err)
				}
				if got, err := f.c.Get(context.Background(), key).Result(); err != nil || got != value {
					return fmt.Errorf("GET %s: %q, %v; want %q", key, got, err, value)
				}
				f.rounds.Add(1)
			}
			return nil
		})
	}
	t.Cleanup(func() {
		stop()
		_ = f.group.Wait()
		_ = f.c.Close()
	})
	return f
}

// goesOn waits for so many rounds more.
func (f *traffic) goesOn(t *testing.T, rounds int64) {
	t.Helper()
	want := f.rounds.Load() + rounds
	eventually(t, "the traffic goes on", func() bool { return f.failed.Err() != nil || f.rounds.Load() >= want })
	if f.failed.Err() != nil {
		t.Fatal(f.group.Wait())
	}
}

// TestGatewaysOfOneEndpoint: two gateways tell of each other and serve every slot; a client that takes them for a cluster uses both, and none of its commands
// fails when one is killed, comes back, and when the other is told to end.
func TestGatewaysOfOneEndpoint(t *testing.T) {
	t.Parallel()
	server := peers.StartConsul(t)
	r := openRegistry(t, server)
	publish(t, r, "orders", larder.Engine(t), larder.Engine(t))
	a := larder.Gateway(t, nil, "--consul", server.Addr, "--cluster", "orders")
	b := larder.Gateway(t, nil, "--consul", server.Addr, "--cluster", "orders")
	ctx := within(t, 2*time.Minute)
	direct := map[*clients.Process]*redis.Client{a: goRedis(t, redis.Options{Addr: a.Addr}), b: goRedis(t, redis.Options{Addr: b.Addr})}
	at := func(p *clients.Process) *redis.Client { return direct[p] }
	served := func(p *clients.Process) (n int64) {
		_, _ = fmt.Sscan(at(p).InfoMap(ctx, "stats").Val()["Stats"]["total_commands_processed"], &n) // it may be away
		return n
	}
	both := func() bool {
		told := slotsAt(ctx, at(a))
		return told == slotsAt(ctx, at(b)) && strings.Contains(told, a.Addr) && strings.Contains(told, b.Addr) &&
			strings.HasPrefix(told, "0-8191 127.0.0.1:") && strings.Contains(told, ", 8192-16383 127.0.0.1:")
	}
	eventually(t, "both tell the same of both", both)
	ids := map[string]bool{}
	for _, p := range []*clients.Process{a, b} {
		id, shards, nodes := at(p).ClusterMyID(ctx).Val(), at(p).ClusterShards(ctx).Val(), at(p).ClusterNodes(ctx).Val()
		ids[id] = true
		if len(id) != 40 || len(shards) != 2 || !strings.Contains(nodes, id+" "+p.Addr+"@") || strings.Count(nodes, "\n") != 2 || strings.Count(nodes, " myself,master ") != 1 {
			t.Errorf("%s: id %s, shards %+v, nodes %s", p.Addr, id, shards, nodes)
		}
		for _, key := range []string{"x", "y", "z", "{a}b"} {
			if err := at(p).Set(ctx, key, "v", 0).Err(); err != nil {
				t.Errorf("%s does not serve %s: %v", p.Addr, key, err)
			}
		}
	}
	if len(ids) != 2 {
		t.Errorf("ids %v", ids)
	}

	byName := func(want ...*clients.Process) func() bool { // as a plain client finds them
		resolver := net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "udp", server.DNS)
		}}
		return func() bool {
			_, found, err := resolver.LookupSRV(ctx, "", "", "cache-orders-gateway.service.consul.")
			for _, p := range want {
				ofIt := func(s *net.SRV) bool { return strings.HasSuffix(p.Addr, fmt.Sprint(":", s.Port)) }
				if err != nil || len(found) != len(want) || !slices.ContainsFunc(found, ofIt) {
					return false
				}
			}
			return true
		}
	}
	eventually(t, "both are found by name", byName(a, b))
	f := startTraffic(t, a.Addr)
	f.goesOn(t, 200)
	for _, p := range []*clients.Process{a, b} {
		eventually(t, "it has a good share of 400 commands", func() bool { return served(p) > 100 })
	}
	b.Kill()
	eventually(t, "the one that is left has all", func() bool { return slotsAt(ctx, at(a)) == "0-16383 "+a.Addr })
	eventually(t, "only that one is found by name", byName(a))
	f.goesOn(t, 200)
	b.Start(t)
	eventually(t, "both tell the same of both again", both)
	eventually(t, "the one that is back is used", func() bool { return served(b) > 200 })
	if err := a.Terminate(); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the other one has all", func() bool { return slotsAt(ctx, at(b)) == "0-16383 "+b.Addr })
	eventually(t, "only the other one is found by name", byName(b))
	f.goesOn(t, 200)
	f.stop()
	if err := f.group.Wait(); err != nil {
		t.Error(err)
	}
}
