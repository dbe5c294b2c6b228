package clients_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"larder/internal/fleet"
)

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

func goRedis(t *testing.T, o redis.Options) *redis.Client {
	t.Helper()
	o.MaxRetries = -1
	c := redis.NewClient(&o)
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

// TestGoRedisConnects: all that the library says when it connects is answered so that it goes on, and what applications ask at start is.
func TestGoRedisConnects(t *testing.T) {
	for _, s := range served {
		for proto := 2; proto <= 3; proto++ {
			t.Run(fmt.Sprintf("%s RESP%d", s.name, proto), func(t *testing.T) {
				ctx := within(t, time.Minute)
				c := goRedis(t, redis.Options{Addr: s.start(t), Protocol: proto, DB: 3, ClientName: "tester", IdentitySuffix: "x", PoolSize: 1})
				ask := asker{t}
				ask.is("PONG")(c.Ping(ctx).Result())
				ask.is("tester")(c.ClientGetName(ctx).Result())
				info, err := c.ClientInfo(ctx).Result()
				if err != nil || info.Name != "tester" || info.DB != 3 || info.Resp != proto || !strings.HasPrefix(info.LibName, "go-redis") {
					t.Errorf("CLIENT INFO: %+v, %v", info, err)
				}
				if id, err := c.ClientID(ctx).Result(); err != nil || id != info.ID || id == 0 {
					t.Errorf("CLIENT ID: %d, CLIENT INFO's: %d, %v", id, info.ID, err)
				}
				if names, err := c.Command(ctx).Result(); err != nil || names["get"] == nil || !names["get"].ReadOnly || names["mset"].StepCount != 2 {
					t.Errorf("COMMAND: %d commands, %v", len(names), err)
				}
				if text, err := c.Info(ctx, "server").Result(); err != nil || !strings.Contains(text, "redis_version:7.2.4\r\n") {
					t.Errorf("INFO: %q, %v", text, err)
				}
				if m, err := c.ConfigGet(ctx, "maxmemory*").Result(); err != nil || m["maxmemory"] != "0" {
					t.Errorf("CONFIG GET: %v, %v", m, err)
				}
				if at, err := c.Time(ctx).Result(); err != nil || time.Since(at).Abs() > time.Minute {
					t.Errorf("TIME: %v, %v", at, err)
				}
				if _, err := c.Do(ctx, "SENTINEL", "masters").Result(); err == nil || !strings.HasPrefix(err.Error(), "ERR unknown command") {
					t.Errorf("SENTINEL: %v", err)
				}
				ask.is("PONG")(c.Ping(ctx).Result())
			})
		}
	}
}

type asker struct{ t *testing.T }

// is takes what a call gave.
func (a asker) is(want string) func(string, error) {
	return func(got string, err error) {
		a.t.Helper()
		if err != nil || got != want {
			a.t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
}

// TestGoRedisAgainstMap: random commands, in pipelines of random depth, give what a map says.
func TestGoRedisAgainstMap(t *testing.T) {
	for _, s := range served {
		for proto := 2; proto <= 3; proto++ {
			t.Run(fmt.Sprintf("%s RESP%d", s.name, proto), func(t *testing.T) {
				c := goRedis(t, redis.Options{Addr: s.start(t), Protocol: proto, PoolSize: 4})
				againstMap(t, c, 30_000)
			})
		}
	}
}

// TestClusterClientAgainstMap: the same for a client that takes the gateway for a Redis Cluster.
func TestClusterClientAgainstMap(t *testing.T) {
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{fleet.Gateway(t, fleet.Nodes(t, 3))}, MaxRedirects: -1})
	defer c.Close()
	againstMap(t, c, 30_000)
}

// model is what a cache is.
type model struct {
	rng  *rand.Rand
	data map[string]string
}

func againstMap(t *testing.T, c redis.Cmdable, commands int) {
	t.Helper()
	ctx := within(t, 5*time.Minute)
	m := model{rng: dice(t), data: map[string]string{}}
	for done := 0; done < commands; {
		var checks []func() string
		depth := 1 + m.rng.IntN(200)
		_, _ = c.Pipelined(ctx, func(p redis.Pipeliner) error {
			for range depth {
				checks = append(checks, m.step(ctx, p))
			}
			return nil
		})
		for _, check := range checks {
			if wrong := check(); wrong != "" {
				t.Fatalf("after %d commands: %s", done, wrong)
			}
		}
		done += depth
	}
	if n, err := c.DBSize(ctx).Result(); err != nil || int(n) != len(m.data) {
		t.Errorf("DBSIZE: %d, %v; want %d", n, err, len(m.data))
	}
}

func (m *model) key() string { return fmt.Sprintf("k%d", m.rng.IntN(2000)) }

// step adds a random command to the pipeline and changes the map likewise. What it returns compares the two, once the pipeline has run.
func (m *model) step(ctx context.Context, p redis.Pipeliner) func() string {
	k := m.key()
	old, had := m.data[k]
	switch m.rng.IntN(6) {
	case 0:
		v := strings.Repeat("v", m.rng.IntN(300)) + fmt.Sprint(m.rng.Uint32())
		m.data[k] = v
		r := p.Set(ctx, k, v, 0)
		return func() string { return differ("SET "+k, r.Val(), r.Err(), "OK") }
	case 1:
		n := 0
		keys := []string{k, m.key(), m.key()}
		for _, k := range keys {
			if _, ok := m.data[k]; ok {
				n++
				delete(m.data, k)
			}
		}
		r := p.Del(ctx, keys...)
		return func() string { return differ(fmt.Sprint("DEL ", keys), fmt.Sprint(r.Val()), r.Err(), fmt.Sprint(n)) }
	case 2:
		m.data[k] = old + "x"
		r := p.Append(ctx, k, "x")
		return func() string { return differ("APPEND "+k, fmt.Sprint(r.Val()), r.Err(), fmt.Sprint(len(old)+1)) }
	case 3:
		return m.mget(ctx, p)
	case 4:
		return m.mset(ctx, p)
	}
	r := p.Get(ctx, k)
	return func() string {
		if !had && r.Err() == redis.Nil {
			return ""
		}
		return differ("GET "+k, r.Val(), r.Err(), old)
	}
}

func (m *model) mget(ctx context.Context, p redis.Pipeliner) func() string {
	keys := make([]string, 1+m.rng.IntN(12))
	want := make([]any, len(keys))
	for i := range keys {
		keys[i] = m.key()
		if v, ok := m.data[keys[i]]; ok {
			want[i] = v
		}
	}
	r := p.MGet(ctx, keys...)
	return func() string {
		return differ(fmt.Sprint("MGET ", keys), fmt.Sprint(r.Val()), r.Err(), fmt.Sprint(want))
	}
}

func (m *model) mset(ctx context.Context, p redis.Pipeliner) func() string {
	var pairs []any
	for range 1 + m.rng.IntN(8) {
		k, v := m.key(), fmt.Sprint(m.rng.Uint64())
		m.data[k] = v
		pairs = append(pairs, k, v)
	}
	r := p.MSet(ctx, pairs...)
	return func() string { return differ("MSET", r.Val(), r.Err(), "OK") }
}

func differ(command, got string, err error, want string) string {
	if err == nil && got == want {
		return ""
	}
	return fmt.Sprintf("%s: %.200q, %v; want %.200q", command, got, err, want)
}

// TestClusterClient: what a cluster-aware client asks beside data.
func TestClusterClient(t *testing.T) {
	ctx := within(t, time.Minute)
	gateway := fleet.Gateway(t, fleet.Nodes(t, 3))
	c := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{gateway}, Protocol: 3, ReadOnly: true})
	defer c.Close()
	slots, err := c.ClusterSlots(ctx).Result()
	if err != nil || len(slots) != 1 || slots[0].Start != 0 || slots[0].End != 16383 || slots[0].Nodes[0].Addr != gateway {
		t.Errorf("CLUSTER SLOTS: %+v, %v", slots, err)
	}
	shards, err := c.ClusterShards(ctx).Result()
	if err != nil || len(shards) != 1 || shards[0].Nodes[0].Role != "master" || shards[0].Slots[0].End != 16383 {
		t.Errorf("CLUSTER SHARDS: %+v, %v", shards, err)
	}
	for i := range 200 {
		if err := c.Set(ctx, fmt.Sprint("key", i), i, time.Hour).Err(); err != nil {
			t.Fatal(err)
		}
	}
	seen := 0
	err = c.ForEachMaster(ctx, func(ctx context.Context, m *redis.Client) error {
		it := m.Scan(ctx, 0, "key*", 7).Iterator()
		for it.Next(ctx) {
			seen++
		}
		return it.Err()
	})
	if err != nil || seen < 200 {
		t.Errorf("SCAN: %d keys, %v", seen, err)
	}
	if err := c.MSetNX(ctx, "a", 1, "b", 2).Err(); err == nil || !strings.Contains(err.Error(), "CROSSSLOT") {
		t.Errorf("MSETNX over slots: %v", err)
	}
	if n, err := c.Exists(ctx, "key1", "key2", "key3", "none").Result(); err != nil || n != 3 {
		t.Errorf("EXISTS: %d, %v", n, err)
	}
}

// TestUnknownCommandKeepsConnection: with one connection in the pool the next command would notice.
func TestUnknownCommandKeepsConnection(t *testing.T) {
	for _, s := range served {
		t.Run(s.name, func(t *testing.T) {
			ctx := within(t, time.Minute)
			c := goRedis(t, redis.Options{Addr: s.start(t), Protocol: 3, PoolSize: 1, MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}})
			first := c.ClientID(ctx).Val()
			for _, args := range [][]any{{"NOPE"}, {"nope", "\r\n"}, {"SUBSCRIBED", "x"}, {"CLIENT", "NOPE"}, {"GET"}, {"SET", "k"}, {"OBJECT", "NOPE", "k"}} {
				if err := c.Do(ctx, args...).Err(); err == nil || !strings.HasPrefix(err.Error(), "ERR ") {
					t.Errorf("%v: %v", args, err)
				}
			}
			if id := c.ClientID(ctx).Val(); id != first || id == 0 {
				t.Errorf("the connection was %d and is %d", first, id)
			}
		})
	}
}
