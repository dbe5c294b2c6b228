package app_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"larder/cmd/app"
	"larder/configs"
	"larder/internal/peers"
	"larder/router"
)

// A stock server and one of ours are nodes of one gateway.
func TestGatewayOverNodes(t *testing.T) {
	node := start(t, app.Engine, config(t, configs.RoleEngine, "--maxmemory", "64mb", "--dir", t.TempDir()))
	stock := peers.StartRedis(t)
	gateway := start(t, app.Gateway, config(t, configs.RoleGateway, "--nodes", node.endpoint(t)+","+stock))
	c, ctx := client(t, gateway.endpoint(t)), context.Background()
	pairs := []string{"a", "1", "b", "2", "c", "3", "d", "4", "e", "5", "f", "6"}
	if err := c.MSet(ctx, pairs).Err(); err != nil {
		t.Fatal(err)
	}
	ours, err := client(t, node.endpoint(t)).DBSize(ctx).Result()
	if err != nil {
		t.Fatal(err)
	}
	theirs, err := client(t, stock).DBSize(ctx).Result()
	if err != nil || ours == 0 || theirs == 0 || ours+theirs != int64(len(pairs)/2) {
		t.Errorf("%d keys in our node, %d in redis-server: %v", ours, theirs, err)
	}
	ready := "http://" + gateway.metrics(t) + "/readyz"
	if status, body := get(t, ready); status != http.StatusOK {
		t.Errorf("%d %s", status, body)
	}
	node.stop()
	if err := node.wait(t); err != nil {
		t.Error(err)
	}
	if status, body := get(t, ready); status != http.StatusOK {
		t.Errorf("with one node gone, whose keys alone are missing: %d %s", status, body)
	}
	peers.Dial(t, stock, 0).Send([]byte("SHUTDOWN NOSAVE\r\n"))
	end := time.Now().Add(time.Minute)
	status, body := get(t, ready)
	for status == http.StatusOK && time.Now().Before(end) {
		status, body = get(t, ready)
	}
	if status != http.StatusServiceUnavailable || !strings.Contains(body, "shard 0") || !strings.Contains(body, "shard 1") || !strings.Contains(body, "refused") {
		t.Errorf("with all nodes gone: %d %s", status, body)
	}
	if status, _ := get(t, "http://"+gateway.metrics(t)+"/healthz"); status != http.StatusOK {
		t.Errorf("with a node gone the process counts as dead: %d", status)
	}
}

func TestEngineFolder(t *testing.T) {
	dir := t.TempDir()
	r := start(t, app.Engine, config(t, configs.RoleEngine, "--dir", dir))
	r.endpoint(t)
	mustSay(t, start(t, app.Engine, config(t, configs.RoleEngine, "--dir", dir)).wait(t), dir+" is in use by another larder")
}

// A client's SHUTDOWN ends the process in order, as a signal does.
func TestEngineShutdown(t *testing.T) {
	r := start(t, app.Engine, config(t, configs.RoleEngine))
	peers.Dial(t, r.endpoint(t), 0).Send([]byte("SHUTDOWN\r\n"))
	if err := r.wait(t); err != nil {
		t.Error(err)
	}
}

func TestNodesTwice(t *testing.T) {
	mustSay(t, start(t, app.Gateway, config(t, configs.RoleGateway, "--nodes", "127.0.0.1:1,127.0.0.1:1")).wait(t), "gateway.nodes", "127.0.0.1:1", "already")
}

func writeTopology(t *testing.T, path string, epoch uint64, nodes ...string) {
	t.Helper()
	var primaries []router.Node
	for _, addr := range nodes {
		primaries = append(primaries, router.Node{Addr: addr, External: true})
	}
	topo, err := router.Even("main", epoch, primaries)
	if err != nil {
		t.Fatal(err)
	}
	text, err := topo.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	replace(t, path, string(text))
}

// replace does it at once, as an editor or a configuration system does.
func replace(t *testing.T, path, content string) {
	t.Helper()
	next := path + ".next"
	if err := os.WriteFile(next, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
}

// A topology's file may be replaced while the gateway runs; one that is no good changes nothing.
func TestTopologyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "topology.json")
	mustSay(t, start(t, app.Gateway, config(t, configs.RoleGateway, "--topology", path)).wait(t), "gateway.topology", path, "no such file")
	replace(t, path, "{\n\"epoche\": 1}")
	mustSay(t, start(t, app.Gateway, config(t, configs.RoleGateway, "--topology", path)).wait(t), "gateway.topology", path, "line 2: epoche: unknown field")

	first, second := peers.StartRedis(t), peers.StartRedis(t)
	writeTopology(t, path, 1, first)
	r := start(t, app.Gateway, config(t, configs.RoleGateway, "--topology", path))
	c, ctx := client(t, r.endpoint(t)), context.Background()
	if err := c.Set(ctx, "k", "first", 0).Err(); err != nil {
		t.Fatal(err)
	}
	replace(t, path, "{")
	r.find(t, r.log, `(topology file is not taken; the last one is used)`)
	writeTopology(t, path, 1, first, second)
	r.find(t, r.log, `(its epoch must be greater)`)
	if got := c.Get(ctx, "k").Val(); got != "first" {
		t.Errorf("after files that are no good: %q", got)
	}
	writeTopology(t, path, 2, second)
	eventually(t, "the second server is asked", func() bool {
		return c.Set(ctx, "new", "x", 0).Err() == nil && client(t, second).Exists(ctx, "new").Val() == 1
	})
	if got := c.Get(ctx, "k").Err(); !errors.Is(got, redis.Nil) {
		t.Errorf("the second server should have no k: %v", got)
	}
}

func TestHealthcheck(t *testing.T) {
	node := start(t, app.Engine, config(t, configs.RoleEngine))
	gateway := start(t, app.Gateway, config(t, configs.RoleGateway, "--nodes", node.endpoint(t)))
	locked := peers.StartRedis(t, "--requirepass", "secret")
	ask := func(target string, c configs.Config) error {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		return app.Healthcheck(ctx, c, target)
	}
	var none, withMetrics, withEndpoint, withPassword configs.Config
	withMetrics.Metrics.Listen = gateway.metrics(t)
	withEndpoint.Metrics.Listen, withEndpoint.Gateway.Listen = configs.Off, strings.Replace(gateway.endpoint(t), "127.0.0.1", "0.0.0.0", 1)
	withPassword.Gateway.Password = "another"
	for _, test := range []struct {
		target string
		config configs.Config
	}{
		{"http://" + gateway.metrics(t) + "/readyz", none},
		{"redis://" + gateway.endpoint(t), none},
		{"redis://" + node.endpoint(t), none},
		{"", withMetrics},
		{"", withEndpoint},
		{"redis://" + locked, none},
		{"redis://" + locked, withPassword},
	} {
		if err := ask(test.target, test.config); err != nil {
			t.Errorf("%q: %v", test.target, err)
		}
	}
	node.stop()
	_ = node.wait(t)
	mustSay(t, ask("", withMetrics), "503", "shard 0")
	mustSay(t, ask("http://"+gateway.metrics(t)+"/nothing", none), "404")
	mustSay(t, ask("redis://"+node.endpoint(t), none), "refused")
	mustSay(t, ask("ftp://x", none), "must begin with http://")
	withEndpoint.Gateway.Listen = ":0"
	mustSay(t, ask("", withEndpoint), "--url")
	silent := taken(t) // takes the connection and says nothing
	ctx, cancel := context.WithTimeout(context.Background(), 50e6)
	defer cancel()
	mustSay(t, app.Healthcheck(ctx, none, "redis://"+silent), "deadline exceeded")
}
