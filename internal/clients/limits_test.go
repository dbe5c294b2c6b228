package clients_test

import (
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"larder/engine"
	"larder/internal/clients"
	"larder/internal/fleet"
	"larder/internal/peers"
	"larder/proxy"
)

// TestPasswords: one at the endpoint, another at the nodes, stock ones too.
func TestPasswords(t *testing.T) {
	t.Parallel()
	node := func(t *testing.T) string { return fleet.Node(t, func(o *engine.Options) { o.Password = "inner" }) }
	stock := func(t *testing.T) string { return peers.StartRedis(t, "--requirepass", "inner") }
	for name, start := range map[string]func(t *testing.T) string{"nodes": node, "redis-servers": stock} {
		for proto := 2; proto <= 3; proto++ {
			t.Run(fmt.Sprintf("%s RESP%d", name, proto), func(t *testing.T) {
				addr := fleet.Gateway(t, []string{start(t), start(t), start(t)}, func(o *proxy.Options) { o.Password, o.Upstream.Password = "outer", "inner" })
				ctx := within(t, time.Minute)
				c := goRedis(t, redis.Options{Addr: addr, Protocol: proto, Username: "default", Password: "outer"})
				for i := range 50 {
					if err := c.Set(ctx, fmt.Sprint("k", i), i, 0).Err(); err != nil {
						t.Fatal(err)
					}
				}
				if n, err := c.DBSize(ctx).Result(); err != nil || n != 50 {
					t.Errorf("DBSIZE: %d, %v", n, err)
				}
				for _, o := range []redis.Options{{Password: "wrong"}, {Password: "inner"}, {}, {Username: "nobody", Password: "outer"}} {
					o.Addr, o.Protocol = addr, proto
					err := goRedis(t, o).Get(ctx, "k1").Err()
					if err == nil || !strings.Contains(err.Error(), "WRONGPASS") && !strings.Contains(err.Error(), "NOAUTH") {
						t.Errorf("with user %q and password %q: %v", o.Username, o.Password, err)
					}
				}
			})
		}
	}
}

// TestWrongUpstreamPassword: a node that refuses the gateway is named in the error; the client's connection stays.
func TestWrongUpstreamPassword(t *testing.T) {
	t.Parallel()
	c := peers.Dial(t, fleet.Gateway(t, []string{peers.StartRedis(t, "--requirepass", "inner")}), 3)
	for range 5 {
		if got := string(c.Do("GET", "k")); !strings.HasPrefix(got, "-CLUSTERDOWN node 127.0.0.1:") || !strings.Contains(got, "NOAUTH") {
			t.Errorf("GET: %q", got)
		}
		want(t, c, "+PONG\r\n", "PING")
	}
}

// TestClientsMax: one client too many hears Redis's words and is closed; with one less there is room again.
func TestClientsMax(t *testing.T) {
	t.Parallel()
	node := larder.Engine(t, "--set", "engine.clients-max=9")
	gateway := larder.Gateway(t, []*clients.Process{larder.Engine(t)}, "--set", "gateway.clients-max=9")
	for _, p := range []*clients.Process{gateway, node} {
		var held []*clients.Wire
		full := func() bool {
			w, err := clients.Open(p.Addr)
			if err != nil {
				t.Fatal(err)
			}
			got, err := w.Do("PING")
			if err == nil && string(got) == "+PONG\r\n" {
				held = append(held, w)
				return false
			}
			if string(got) != "-ERR max number of clients reached\r\n" {
				t.Fatalf("client %d: %q, %v", len(held)+1, got, err)
			}
			return true
		}
		for !full() {
			if len(held) > 9 {
				t.Fatalf("%d clients, and room for more", len(held))
			}
		}
		if len(held) < 8 { // who looked whether the process is ready may not be gone yet
			t.Errorf("room for %d clients, want 9", len(held))
		}
		held[0].Close()
		eventually(t, "room for one more", func() bool { return !full() })
		for _, w := range held {
			w.Close()
		}
	}
}

// TestIdleClients: CONFIG SET timeout counts for open connections too.
func TestIdleClients(t *testing.T) {
	t.Parallel()
	for _, s := range served {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			addr := s.start(t)
			idle := dialPlain(t, addr)
			admin := peers.Dial(t, addr, 2)
			want(t, admin, "+OK\r\n", "CONFIG", "SET", "timeout", "3")
			began := time.Now()
			for time.Since(began) < 4*time.Second { // one that speaks is not idle
				want(t, admin, "+PONG\r\n", "PING")
				time.Sleep(50 * time.Millisecond)
			}
			_ = idle.SetReadDeadline(time.Now().Add(peers.Patience))
			if n, err := idle.Read(make([]byte, 10)); err != io.EOF {
				t.Errorf("an idle client: %d bytes, %v; want it closed", n, err)
			}
		})
	}
}

// TestCounted: what clients were told is what the gateway and its nodes have counted.
func TestCounted(t *testing.T) {
	t.Parallel()
	node := larder.Engine(t)
	gateway := larder.Gateway(t, []*clients.Process{node})
	c := peers.Dial(t, gateway.Addr, 2)
	const sets, gets, wrong = 300, 200, 50
	for i := range sets {
		want(t, c, "+OK\r\n", "SET", fmt.Sprint("k", i), "v")
	}
	for i := range gets {
		want(t, c, "$1\r\nv\r\n", "GET", fmt.Sprint("k", i))
	}
	for range wrong {
		c.Do("INCR", "k1")
	}
	counted(t, gateway.Metrics,
		fmt.Sprintf(`larder_gateway_commands_total{command="set",outcome="ok"} %d`, sets),
		fmt.Sprintf(`larder_gateway_commands_total{command="get",outcome="ok"} %d`, gets),
		fmt.Sprintf(`larder_gateway_commands_total{command="incr",outcome="error"} %d`, wrong),
		fmt.Sprintf(`larder_gateway_command_seconds_count{command="set"} %d`, sets),
		"larder_gateway_clients 1")
	counted(t, node.Metrics,
		fmt.Sprintf(`larder_engine_commands_total{command="set",outcome="ok"} %d`, sets),
		fmt.Sprintf(`larder_engine_commands_total{command="get",outcome="ok"} %d`, gets),
		fmt.Sprintf(`larder_engine_commands_total{command="incr",outcome="error"} %d`, wrong),
		fmt.Sprintf("larder_engine_keys %d", sets))
}

// counted waits until the metrics, which are published once a second, have the lines.
func counted(t *testing.T, metrics string, lines ...string) {
	t.Helper()
	eventually(t, fmt.Sprint("in the metrics: ", lines), func() bool {
		text := scrape(t, metrics)
		for _, l := range lines {
			if !strings.Contains(text, l+"\n") {
				return false
			}
		}
		return true
	})
}
