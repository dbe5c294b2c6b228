package fleet_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"larder/backends"
	"larder/backends/registry/embedded"
	"larder/backends/stock"
	"larder/control/controller"
	"larder/control/fleet"
	"larder/internal/clients"
	"larder/internal/peers"
	"larder/proxy"
	"larder/router"
)

// nobody is a fleet without hosts.
type nobody struct{}

var errNothing = errors.New("there are none")

func (nobody) News(context.Context, controller.Host, uint64) (controller.HostSays, error) {
	return controller.HostSays{}, errNobody
}

func (nobody) Says(context.Context, controller.Host) (controller.HostSays, error) {
	return controller.HostSays{}, errNothing
}
func (nobody) Obey(context.Context, controller.Host, controller.Order) error { return errNothing }

type noNodes struct{}

func (noNodes) State(context.Context, string, string, string) (controller.NodeSays, error) {
	return controller.NodeSays{}, errNothing
}
func (noNodes) Obey(context.Context, controller.Tell) error { return errNothing }

// external is a cluster of servers of others, with who looks after it and a gateway over it.
type external struct {
	t   *testing.T
	reg *embedded.Registry
	k   *peers.Conn
}

// runs has something run until the test ends.
func (e *external) runs(what string, run func(context.Context) error) {
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- run(ctx) }()
	e.t.Cleanup(func() {
		stop()
		select {
		case err := <-ended:
			if err != nil {
				e.t.Errorf("%s: %v", what, err)
			}
		case <-time.After(peers.Patience):
			e.t.Errorf("%s does not end", what)
		}
	})
}

// shards wants the topology to say, soon, who is where: primaries, with their replicas behind a plus.
func (e *external) shards(want string) {
	e.t.Helper()
	got := ""
	for deadline := time.Now().Add(peers.Patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		entry, err := e.reg.Get(e.t.Context(), controller.TopologyKey("shop"))
		if err != nil {
			continue
		}
		topology, err := backends.DecodeTopology(entry.Value)
		if err != nil {
			e.t.Fatal(err)
		}
		var shards []string
		for _, shard := range topology.Shards {
			text := shard.Primary.Addr
			for _, r := range shard.Replicas {
				text += "+" + r.Addr
			}
			shards = append(shards, text)
		}
		if got = strings.Join(shards, " "); got == want {
			return
		}
	}
	e.t.Fatalf("the topology says %q, want %q", got, want)
}

// told wants an event to be told, soon.
func (e *external) told(kind, text string) {
	e.t.Helper()
	for deadline := time.Now().Add(peers.Patience); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		events, err := fleet.ReadEvents(e.t.Context(), e.reg)
		if err != nil {
			e.t.Fatal(err)
		}
		for _, event := range events {
			if event.Kind == kind && strings.Contains(event.Text, text) {
				return
			}
		}
	}
	e.t.Fatalf("there is no event %s with %q", kind, text)
}

// holds wants a value to be there through the gateway, which may not be told yet who has it.
func (e *external) holds(key, value string) {
	e.t.Helper()
	want, got := "$"+string(rune('0'+len(value)))+"\r\n"+value+"\r\n", ""
	for deadline := time.Now().Add(peers.Patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if got = string(e.k.Do("GET", key)); got == want {
			return
		}
	}
	e.t.Fatalf("GET %s: %q, want %q", key, got, want)
}

// startExternal begins with the cluster's first topology.
func startExternal(t *testing.T, servers [][]string, first string) *external {
	reg, err := embedded.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = reg.Close() })
	e := &external{t: t, reg: reg}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	roles := stock.NewRoles(backends.Auth{})
	t.Cleanup(roles.Close)
	leader := fleet.New(fleet.Options{
		ID: "one", Registry: reg, Hosts: nobody{}, Nodes: noNodes{}, Servers: roles, Log: quiet, Now: time.Now, Chance: rand.New(rand.NewPCG(1, 2)),
	})
	e.runs("leader", func(ctx context.Context) error { return leader.Run(ctx, make(chan struct{})) })
	spec, err := json.Marshal(controller.ExternalSpec(servers))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reg.CompareAndSet(t.Context(), controller.SpecKey("shop"), spec, 0); err != nil {
		t.Fatal(err)
	}
	e.shards(first)
	src, err := backends.NewTopologies(t.Context(), reg, "shop", quiet)
	if err != nil {
		t.Fatal(err)
	}
	o := proxy.DefaultOptions()
	o.Listen, o.Loops = "127.0.0.1:0", 2
	gateway, err := proxy.New(o, src, quiet, prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	e.runs("gateway", gateway.Run)
	<-gateway.Ready()
	e.k = peers.Dial(t, gateway.Addr(), 0)
	return e
}

// order says REPLICAOF to a server, of another one or of nobody.
func order(t *testing.T, server *clients.Process, primary string) {
	t.Helper()
	host, port := "NO", "ONE"
	if primary != "" {
		host, port, _ = net.SplitHostPort(primary)
	}
	if got := string(peers.Dial(t, server.Addr, 0).Do("REPLICAOF", host, port)); got != "+OK\r\n" {
		t.Fatalf("REPLICAOF %s %s: %q", host, port, got)
	}
}

// TestServers: the topology of a cluster of redis-servers follows what they say of their roles, and its gateway with it: after a kill, by hand, by FAILOVER.
func TestServers(t *testing.T) {
	const delay = "--repl-diskless-sync-delay"
	a, b, c := clients.Redis(t, delay, "0"), clients.Redis(t, delay, "0"), clients.Redis(t)
	order(t, b, a.Addr)
	e := startExternal(t, [][]string{{a.Addr, b.Addr}, {c.Addr}}, a.Addr+"+"+b.Addr+" "+c.Addr)
	keys := []string{"", ""} // one of each shard
	for i := 'a'; keys[0] == "" || keys[1] == ""; i++ {
		keys[router.Slot([]byte(string(i)))/(router.Slots/2)] = string(i)
	}
	for _, key := range keys {
		if got := string(e.k.Do("SET", key, "1")); got != "+OK\r\n" {
			t.Fatalf("SET %s: %q", key, got)
		}
	}
	if got := string(e.k.Do("DBSIZE")); got != ":2\r\n" {
		t.Errorf("DBSIZE: %q", got)
	}
	direct := peers.Dial(t, a.Addr, 0)
	direct.Do("SET", keys[0], "1") // WAIT is about its own connection's writes
	if got := string(direct.Do("WAIT", "1", "60000")); got != ":1\r\n" {
		t.Fatalf("the replica does not follow: %q", got)
	}

	a.Kill()
	order(t, b, "")
	e.shards(b.Addr + " " + c.Addr)
	e.told("primary", "shard 0 has another primary, "+b.Addr)
	e.holds(keys[0], "1")
	e.holds(keys[1], "1")

	a.Start(t) // as a primary, with nothing: it does not count
	e.told("two-primaries", b.Addr+" counts")
	e.holds(keys[0], "1")
	order(t, a, b.Addr)
	e.shards(b.Addr + "+" + a.Addr + " " + c.Addr)

	host, port, _ := net.SplitHostPort(a.Addr)
	if got := string(peers.Dial(t, b.Addr, 0).Do("FAILOVER", "TO", host, port)); got != "+OK\r\n" {
		t.Fatalf("FAILOVER: %q", got)
	}
	e.shards(a.Addr + "+" + b.Addr + " " + c.Addr)
	e.holds(keys[0], "1")

	order(t, b, "") // by hand, while its primary lives: who was promoted last counts
	e.shards(b.Addr + " " + c.Addr)
	e.holds(keys[0], "1")
	order(t, b, a.Addr)
	e.shards(a.Addr + "+" + b.Addr + " " + c.Addr)
	e.holds(keys[0], "1")
}

// TestServersThatCannotBe: what is no server to route to is told, in words that say why, and nothing is published.
func TestServersThatCannotBe(t *testing.T) {
	ok := clients.Redis(t)
	roles := stock.NewRoles(backends.Auth{})
	t.Cleanup(roles.Close)
	for _, tt := range []struct{ addr, wrong string }{
		{ok.Addr, ""},
		{peers.StartRedis(t, "--cluster-enabled", "yes"), "it is in cluster mode"},
		{peers.StartRedis(t, "--requirepass", "x"), "it answers: NOAUTH"},
		{"127.0.0.1:1", "connection refused"},
		{"nobody.invalid:1", "its name cannot be looked up"},
		{peers.StartMemcached(t), "speaks another protocol"},
	} {
		for range 2 {
			ctx, cancel := context.WithTimeout(t.Context(), peers.Patience)
			_, err := roles.Ask(ctx, tt.addr)
			cancel()
			if (err == nil) != (tt.wrong == "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
				t.Errorf("%s: %v, want %q", tt.addr, err, tt.wrong)
			}
		}
	}
	ok.Kill()
	if _, err := roles.Ask(t.Context(), ok.Addr); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("one that was killed: %v", err)
	}
	ok.Start(t)
	if role, err := roles.Ask(t.Context(), ok.Addr); err != nil || !role.Primary || role.Run == "" || role.History == "" || role.Before != "" {
		t.Errorf("one that was started again: %+v, %v", role, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
	defer cancel()
	if _, err := roles.Ask(ctx, ok.Addr); err == nil || err.Error() != "it does not answer" {
		t.Errorf("one that has no time to answer: %v", err)
	}
}
