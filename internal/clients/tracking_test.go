package clients_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"

	"larder/internal/clients"
	"larder/internal/fleet"
	"larder/internal/peers"
	"larder/protocol/resp"
)

func invalid(key string) string {
	return fmt.Sprintf(">2\r\n$10\r\ninvalidate\r\n*1\r\n$%d\r\n%s\r\n", len(key), key)
}

const nothingHolds = ">2\r\n$10\r\ninvalidate\r\n_\r\n"

func heard(t *testing.T, c *peers.Conn, want string) {
	t.Helper()
	if got := string(c.Reply()); got != want {
		t.Fatalf("heard %q, want %q", got, want)
	}
}

// quiet waits until all that nodes have told of tracking clients so far is heard by whom it is for, and forgets that: the nodes' nulls after a FLUSHALL are
// told as one only if they come together, and the last of them may reach a client that has just begun to track. A tracking client's PING is answered when
// its nodes have nothing older to tell.
func quiet(t *testing.T, tracking, told *peers.Conn) {
	t.Helper()
	want(t, tracking, "+PONG\r\n", "PING")
	told.Send(resp.AppendCommandStrings(nil, "PING"))
	for {
		switch got := string(told.Reply()); got {
		case "+PONG\r\n", "*2\r\n$4\r\npong\r\n$0\r\n\r\n":
			return
		case nothingHolds, nothingHoldsMessage:
		default:
			t.Fatalf("heard %q", got)
		}
	}
}

const nothingHoldsMessage = "*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n$-1\r\n"

// TestCachesAreToldOfLosses: clients that cache are told of changes on every shard, and that nothing holds when a shard is killed, frozen, or back.
func TestCachesAreToldOfLosses(t *testing.T) {
	t.Parallel()
	for _, b := range backends {
		for _, mode := range []string{"", "BCAST"} {
			t.Run(b.name+" "+mode, func(t *testing.T) {
				t.Parallel()
				gateway, nodes := overThree(t, b.start)
				cache, other := peers.Dial(t, gateway.Addr, 3), peers.Dial(t, gateway.Addr, 2)
				want(t, cache, "+OK\r\n", append([]string{"CLIENT", "TRACKING", "ON"}, strings.Fields(mode)...)...)
				everyShard := func(value string) {
					t.Helper()
					for shard := range 3 {
						key := keyOn(shard, 0)
						cache.Do("GET", key)
						want(t, other, "+OK\r\n", "SET", key, value)
						heard(t, cache, invalid(key))
					}
				}
				everyShard("1")
				cache.Do("GET", keyOn(1, 0))
				nodes[1].Kill()
				heard(t, cache, nothingHolds)
				want(t, cache, "$1\r\n1\r\n", "GET", keyOn(0, 0))
				nodes[1].Start(t)
				if mode != "" {
					heard(t, cache, nothingHolds)
				}
				eventually(t, "the shard that is back", func() bool { return string(cache.Do("GET", keyOn(1, 0))) == "_\r\n" })
				if mode == "" { // what was read of the others is still known
					want(t, other, "+OK\r\n", "SET", keyOn(0, 0), "x")
					heard(t, cache, invalid(keyOn(0, 0)))
				}
				everyShard("2")
				cache.Do("GET", keyOn(2, 0))
				nodes[2].Freeze(t)
				heard(t, cache, nothingHolds)
				nodes[2].Thaw(t)
				if mode != "" {
					heard(t, cache, nothingHolds)
				}
				eventually(t, "the shard that goes on", func() bool { return string(cache.Do("GET", keyOn(2, 0))) == "$1\r\n2\r\n" })
				everyShard("3")
				want(t, other, "+OK\r\n", "FLUSHALL")
				heard(t, cache, nothingHolds)
				want(t, cache, "+PONG\r\n", "PING")
			})
		}
	}
}

// TestRedirectedInvalidations: a client that speaks RESP2 has another one told, wherever in the gateway that is, as a subscriber or in RESP3; if that one is
// gone it is told so. All as a redis-server does.
func TestRedirectedInvalidations(t *testing.T) {
	t.Parallel()
	for _, e := range []struct{ name, addr string }{
		{"redis-server", peers.StartRedis(t)},
		{"gateway over 3 nodes", fleet.Gateway(t, fleet.Nodes(t, 3))},
		{"gateway over 3 redis-servers", fleet.Gateway(t, []string{peers.StartRedis(t), peers.StartRedis(t), peers.StartRedis(t)})},
	} {
		t.Run(e.name, func(t *testing.T) {
			other := peers.Dial(t, e.addr, 2)
			for i := range 8 { // they are on different loops
				cache, ear, modern := peers.Dial(t, e.addr, 2), peers.Dial(t, e.addr, 2), peers.Dial(t, e.addr, 3)
				id := strings.Trim(string(ear.Do("CLIENT", "ID")), ":\r\n")
				ear.Do("SUBSCRIBE", "__redis__:invalidate")
				want(t, cache, "+OK\r\n", "CLIENT", "TRACKING", "ON", "REDIRECT", id)
				want(t, cache, ":"+id+"\r\n", "CLIENT", "GETREDIR")
				quiet(t, cache, ear)
				key := fmt.Sprint("key", i)
				cache.Do("GET", key)
				want(t, other, "+OK\r\n", "SET", key, "1")
				heard(t, ear, fmt.Sprintf("*3\r\n$7\r\nmessage\r\n$20\r\n__redis__:invalidate\r\n*1\r\n$%d\r\n%s\r\n", len(key), key))
				want(t, cache, "+OK\r\n", "CLIENT", "TRACKING", "OFF")

				id = strings.Trim(string(modern.Do("CLIENT", "ID")), ":\r\n")
				want(t, cache, "+OK\r\n", "CLIENT", "TRACKING", "ON", "BCAST", "PREFIX", "key", "REDIRECT", id)
				quiet(t, cache, modern)
				want(t, other, "+OK\r\n", "SET", key, "2")
				heard(t, modern, invalid(key))
				want(t, cache, "+OK\r\n", "CLIENT", "TRACKING", "OFF")

				aware := peers.Dial(t, e.addr, 3)
				want(t, aware, "-ERR The client ID you want redirect to does not exist\r\n", "CLIENT", "TRACKING", "ON", "REDIRECT", "999999")
				want(t, aware, "+OK\r\n", "CLIENT", "TRACKING", "ON", "REDIRECT", id)
				quiet(t, aware, modern)
				want(t, other, ":1\r\n", "CLIENT", "KILL", "ID", id)
				want(t, aware, "$1\r\n2\r\n", "GET", key)
				want(t, other, "+OK\r\n", "SET", key, "3")
				heard(t, aware, ">2\r\n$21\r\ntracking-redir-broken\r\n:"+id+"\r\n")
				if got := string(aware.Do("CLIENT", "INFO")); !strings.Contains(got, " flags=tR ") || !strings.Contains(got, " redir="+id+" ") {
					t.Errorf("CLIENT INFO: %q", got)
				}
			}
			for range 8 { // behind all else: the last null of a FLUSHALL may reach who has just begun to track, see quiet
				cache, ear := peers.Dial(t, e.addr, 2), peers.Dial(t, e.addr, 2)
				id := strings.Trim(string(ear.Do("CLIENT", "ID")), ":\r\n")
				ear.Do("SUBSCRIBE", "__redis__:invalidate")
				want(t, cache, "+OK\r\n", "CLIENT", "TRACKING", "ON", "REDIRECT", id)
				quiet(t, cache, ear)
				cache.Do("GET", "key")
				want(t, other, "+OK\r\n", "FLUSHALL")
				heard(t, ear, nothingHoldsMessage)
				quiet(t, cache, ear)
			}
		})
	}
}

// TestTrackedKeysAreLimited: beyond tracking-table-max-keys a client is told of keys that have not changed.
func TestTrackedKeysAreLimited(t *testing.T) {
	addr := fleet.Gateway(t, fleet.Nodes(t, 3))
	c := peers.Dial(t, addr, 3)
	want(t, c, "+OK\r\n", "CONFIG", "SET", "tracking-table-max-keys", "1")
	want(t, c, "+OK\r\n", "CLIENT", "TRACKING", "ON")
	c.Do("GET", "a")
	for i := range 4 {
		c.Do("GET", fmt.Sprint("b", i))
		if got := string(c.Reply()); !strings.HasPrefix(got, ">2\r\n$10\r\ninvalidate\r\n*1\r\n") {
			t.Fatalf("heard %q", got)
		}
	}
}

// TestRueidisCaches: rueidis's cache, with and without broadcasts, over three shards that are killed and come back while go-redis changes the keys. When all
// is quiet it shows what is so.
func TestRueidisCaches(t *testing.T) {
	t.Parallel()
	for _, b := range backends {
		for _, broadcast := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s broadcast=%v", b.name, broadcast), func(t *testing.T) {
				t.Parallel()
				gateway, nodes := overThree(t, b.start)
				ctx := within(t, time.Minute)
				o := rueidis.ClientOption{InitAddress: []string{gateway.Addr}, ForceSingleClient: true}
				if broadcast {
					o.ClientTrackingOptions = []string{"PREFIX", "k", "BCAST"}
				}
				c, err := rueidis.NewClient(o)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				writer := goRedis(t, redis.Options{Addr: gateway.Addr})
				for shard, n := range nodes {
					cachesFollow(ctx, t, c, writer, fmt.Sprint("before ", shard))
					n.Kill()
					for other := range 3 {
						if other != shard {
							cacheFollows(ctx, t, c, writer, keyOn(other, 0), fmt.Sprint("while ", shard))
						}
					}
					n.Start(t)
					eventually(t, "the shard that is back", func() bool { return writer.Get(ctx, keyOn(shard, 0)).Err() == redis.Nil })
					eventually(t, "that the cache knows that the shard is empty", func() bool {
						return rueidis.IsRedisNil(c.DoCache(ctx, c.B().Get().Key(keyOn(shard, 0)).Cache(), time.Minute).Error())
					})
				}
				cachesFollow(ctx, t, c, writer, "after")
			})
		}
	}
}

// cachesFollow changes keys on every shard, and sees that a second look comes from the cache.
func cachesFollow(ctx context.Context, t *testing.T, c rueidis.Client, writer *redis.Client, value string) {
	t.Helper()
	for shard := range 3 {
		for i := range 20 {
			cacheFollows(ctx, t, c, writer, keyOn(shard, i), value)
		}
	}
	hits := 0
	for shard := range 3 {
		for i := range 20 {
			if c.DoCache(ctx, c.B().Get().Key(keyOn(shard, i)).Cache(), time.Minute).IsCacheHit() {
				hits++
			}
		}
	}
	if hits == 0 {
		t.Error("nothing comes from the cache")
	}
}

func cacheFollows(ctx context.Context, t *testing.T, c rueidis.Client, writer *redis.Client, key, value string) {
	t.Helper()
	eventually(t, "a write", func() bool { return writer.Set(ctx, key, value, 0).Err() == nil })
	eventually(t, "what was written, through the cache", func() bool {
		got, err := c.DoCache(ctx, c.B().Get().Key(key).Cache(), time.Minute).ToString()
		return err == nil && got == value
	})
}

// TestOwnChangesAreNoNews: over Larder nodes a client that said NOLOOP is not told of what it changed itself, by whatever way; by another gateway's client it
// is told.
func TestOwnChangesAreNoNews(t *testing.T) {
	nodes := fleet.Nodes(t, 3)
	addr, elsewhere := fleet.Gateway(t, nodes), fleet.Gateway(t, nodes)
	for _, mode := range []string{"", "BCAST"} {
		cache, other := peers.Dial(t, addr, 3), peers.Dial(t, elsewhere, 2)
		large := strings.Repeat("x", 1<<20) // it is passed on as it comes, over a lane of its own
		want(t, cache, "+OK\r\n", append([]string{"CLIENT", "TRACKING", "ON", "NOLOOP"}, strings.Fields(mode)...)...)
		for _, words := range [][]string{
			{"SET k 1"},
			{"SET k " + large},
			{"MULTI", "SET k 2", "SET {k}2 3", "EXEC"},
			{"EVAL redis.call('set',KEYS[1],'1') 1 k"},
			{"WATCH k", "MULTI", "SET k 2", "EXEC"},
			{"MSET k 1 {k}2 2 a 3 b 4"},
			{"DEL k {k}2 a b"},
		} {
			for _, key := range []string{"k", "{k}2", "a", "b"} {
				cache.Do("GET", key)
			}
			for _, line := range words {
				if got := string(cache.Do(strings.Fields(line)...)); got[0] == '-' || got[0] == '>' {
					t.Fatalf("%.40s: %q", line, got)
				}
			}
			want(t, cache, "+PONG\r\n", "PING")
			cache.Do("GET", "k")
			want(t, other, "+OK\r\n", "SET", "k", "theirs")
			heard(t, cache, invalid("k"))
		}
	}
}

// TestCachesOfABusyShard: a node that runs a script refuses the words that go before a command, too; nothing is lost of what it is to tell.
func TestCachesOfABusyShard(t *testing.T) {
	t.Parallel()
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			nodes := []*clients.Process{b.start(t), b.start(t), b.start(t)}
			gateway := larder.Gateway(t, nodes, "--set", "gateway.upstream.reply-timeout=20s")
			want(t, peers.Dial(t, nodes[1].Addr, 2), "+OK\r\n", "CONFIG", "SET", "busy-reply-threshold", "1")
			cache, runner, other := peers.Dial(t, gateway.Addr, 3), peers.Dial(t, gateway.Addr, 2), peers.Dial(t, gateway.Addr, 2)
			key := keyOn(1, 0)
			want(t, cache, "+OK\r\n", "CLIENT", "TRACKING", "ON", "OPTIN", "NOLOOP")
			want(t, cache, "+OK\r\n", "CLIENT", "CACHING", "YES")
			want(t, cache, "_\r\n", "GET", key)
			runner.Send(resp.AppendCommandStrings(nil, "EVAL", endlessly, "1", key))
			eventually(t, "a node that is busy", func() bool { return strings.HasPrefix(string(cache.Do("GET", key)), "-BUSY ") })
			if got := string(cache.Do("SET", keyOn(1, 1), "v")); !strings.HasPrefix(got, "-BUSY ") {
				t.Errorf("SET: %q", got)
			}
			eventually(t, "the end of what runs", func() bool { return string(other.Do("SCRIPT", "KILL")) == "+OK\r\n" })
			runner.Reply()
			want(t, cache, "_\r\n", "GET", key)
			want(t, other, "+OK\r\n", "SET", key, "v")
			heard(t, cache, invalid(key))
		})
	}
}
