package app_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"larder/backends/registry"
	"larder/backends/registry/consul"
	"larder/cmd/app"
	"larder/configs"
	"larder/internal/peers"
	"larder/internal/registrytest"
	"larder/router"
)

// openConsul is a controller's view of the registry.
func openConsul(t *testing.T, server *peers.Consul, prefix string) *consul.Registry {
	t.Helper()
	o := consul.DefaultOptions()
	o.Address, o.Prefix = server.Addr, prefix
	r, err := consul.New(o, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func publishAt(t *testing.T, r registry.Store, cluster string, addrs ...string) *router.Topology {
	t.Helper()
	nodes := make([]router.Node, len(addrs))
	for i, addr := range addrs {
		nodes[i] = router.Node{Addr: addr, External: true}
	}
	return registrytest.Publish(t, r, cluster, func(epoch uint64) (*router.Topology, error) { return router.Even(cluster, epoch, nodes) })
}

// TestGatewayOverConsul: a gateway takes its topology from Consul, is a service there, serves on without it, and is there again when it is back.
func TestGatewayOverConsul(t *testing.T) {
	server := peers.StartConsul(t)
	fleet := openConsul(t, server, "test/")
	args := []string{"--consul", server.Addr, "--cluster", "orders", "--set", "consul.prefix=test/"}
	mustSay(t, start(t, app.Gateway, config(t, configs.RoleGateway, args...)).wait(t), "read topology of cluster orders", "not found", "--cluster", `"test/larder/"`)

	first, second := peers.StartRedis(t), peers.StartRedis(t)
	publishAt(t, fleet, "orders", first)
	begun := time.Now()
	r := start(t, app.Gateway, config(t, configs.RoleGateway, args...))
	endpoint := r.endpoint(t)
	t.Logf("it served %s after its start", time.Since(begun))
	c, ctx := client(t, endpoint), context.Background()
	if err := c.Set(ctx, "k", "first", 0).Err(); err != nil {
		t.Fatal(err)
	}
	listed := func() registry.Instance {
		found, err := fleet.Instances(ctx, "cache-orders-gateway")
		if err != nil || len(found) != 1 {
			return registry.Instance{}
		}
		return found[0]
	}
	eventually(t, "the service passes", func() bool { return listed().Health == registry.Passing && listed().Addr == endpoint })
	if _, metrics := get(t, "http://"+r.metrics(t)+"/metrics"); !strings.Contains(metrics, "larder_consul_up 1") {
		t.Error("the metrics do not say that Consul is up")
	}

	server.Kill()
	r.find(t, r.log, `(topology cannot be watched; the last one is used)`)
	if got := c.Get(ctx, "k").Val(); got != "first" {
		t.Errorf("without Consul: %q", got)
	}
	if code, body := get(t, "http://"+r.metrics(t)+"/readyz"); code != http.StatusOK {
		t.Errorf("without Consul it is not ready: %s", body)
	}
	late := start(t, app.Gateway, config(t, configs.RoleGateway, args...))
	late.find(t, late.log, `(the registry does not answer; the gateway starts when it does)`)
	server.Again()
	server.Lead()
	late.endpoint(t)
	late.stop()
	if err := late.wait(t); err != nil {
		t.Error(err)
	}

	r.find(t, r.log, `(the registry answers again)`)
	publishAt(t, fleet, "orders", first, second)
	written := time.Now()
	eventually(t, "the second server is asked", func() bool {
		for _, key := range []string{"a", "b", "c", "d"} {
			c.Set(ctx, key, "x", 0)
		}
		return client(t, second).DBSize(ctx).Val() > 0
	})
	t.Logf("a topology was in force %s after its write", time.Since(written))
	eventually(t, "the service passes again", func() bool { return listed().Health == registry.Passing })
	r.stop()
	if err := r.wait(t); err != nil {
		t.Error(err)
	}
	eventually(t, "the service is gone", func() bool { return listed().ID == "" })
}

func TestGatewayConsulIsDenied(t *testing.T) {
	server := peers.StartConsul(t, `acl { enabled = true default_policy = "deny" }`)
	r := start(t, app.Gateway, config(t, configs.RoleGateway, "--consul", server.Addr))
	mustSay(t, r.wait(t), "not allowed by Consul", "larder/clusters/main/topology", "consul.token")
}

// TestDevOverConsul: a dev whose fleet is in Consul: its first cluster's gateway is a service there, others may ask its host, keys are there again at the next start
// in its folder, another folder does not take the cluster, and all its gateways follow the settings as one.
func TestDevOverConsul(t *testing.T) {
	server, dir := peers.StartConsul(t), t.TempDir()
	fleet := openConsul(t, server, "dev/")
	args := []string{"--consul", server.Addr, "--set", "consul.prefix=dev/", "--shards", "2"}
	run := func(dir string) *role {
		return start(t, app.Dev, config(t, configs.RoleDev, append([]string{"--dir", dir}, args...)...))
	}
	r := run(dir)
	endpoint := r.find(t, r.out, `cluster of 2 shards at (\S+)(?s:.*)Ctrl-C`)
	c, ctx := client(t, endpoint), t.Context()
	for i := range 50 {
		if err := c.Set(ctx, fmt.Sprint("key-", i), i, 0).Err(); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "the gateway is a service", func() bool {
		all, err := fleet.Instances(ctx, "cache-main-gateway")
		return err == nil && len(all) == 1 && all[0].Health == registry.Passing && all[0].Addr == endpoint
	})
	op := operate(t, dir)
	hosts, err := op.Hosts(ctx)
	if err != nil || len(hosts) != 1 || !strings.HasPrefix(hosts[0].ID, "dev-") || hosts[0].Addr == "" {
		t.Errorf("hosts: %+v %v", hosts, err)
	}
	task, err := op.CreateCluster(ctx, wish("two", "", 1, 0))
	over(t, op, task, err)
	eventually(t, "the dev alone follows the settings, with all its gateways", func() bool {
		all, err := fleet.List(ctx, "larder/config/running/")
		return err == nil && len(all) == 1 && len(hosts) == 1 && all[0].Key == "larder/config/running/"+hosts[0].ID
	})
	mustSay(t, run(t.TempDir()).wait(t), "there is a cluster main already", server.Addr, "consul.prefix")
	r.stop()
	if err := r.wait(t); err != nil {
		t.Fatal(err)
	}
	if all, err := fleet.Instances(ctx, "cache-main-gateway"); err != nil || len(all) != 0 {
		t.Errorf("services are left: %v %v", all, err)
	}
	r = run(dir)
	if n, err := client(t, r.find(t, r.out, `cluster of 2 shards at (\S+)(?s:.*)Ctrl-C`)).DBSize(ctx).Result(); err != nil || n != 50 {
		t.Errorf("%d keys at the next start: %v", n, err)
	}
}
