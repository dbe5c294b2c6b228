package clients_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"

	"larder/internal/clients"
	"larder/internal/fleet"
	"larder/internal/peers"
)

// channelOn is a channel whose messages one of three shards passes on.
func channelOn(shard int) string { return keyOn(shard, 0) }

// TestGatewaysCountEachOther: PUBLISH and PUBSUB count the clients of all gateways, whichever is asked, and those of one that was killed no more.
func TestGatewaysCountEachOther(t *testing.T) {
	t.Parallel()
	nodes := []*clients.Process{larder.Engine(t), larder.Engine(t), larder.Engine(t)}
	gateways := []*clients.Process{larder.Gateway(t, nodes), larder.Gateway(t, nodes)}
	var ears, mouths []*peers.Conn
	for i := range 10 {
		c := peers.Dial(t, gateways[i%2].Addr, 3)
		want(t, c, ">3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n", "SUBSCRIBE", "news")
		if i < 3 {
			want(t, c, ">3\r\n$10\r\npsubscribe\r\n$2\r\nn*\r\n:2\r\n", "PSUBSCRIBE", "n*")
			want(t, c, ">3\r\n$10\r\nssubscribe\r\n$5\r\nshard\r\n:1\r\n", "SSUBSCRIBE", "shard")
		}
		ears = append(ears, c)
	}
	for _, g := range gateways {
		mouths = append(mouths, peers.Dial(t, g.Addr, 2))
	}
	for i, c := range mouths {
		want(t, c, "*4\r\n$4\r\nnews\r\n:10\r\n$5\r\nother\r\n:0\r\n", "PUBSUB", "NUMSUB", "news", "other")
		want(t, c, ":1\r\n", "PUBSUB", "NUMPAT")
		want(t, c, "*2\r\n$5\r\nshard\r\n:3\r\n", "PUBSUB", "SHARDNUMSUB", "shard")
		want(t, c, "*1\r\n$4\r\nnews\r\n", "PUBSUB", "CHANNELS")
		text := fmt.Sprint("m", i)
		want(t, c, ":13\r\n", "PUBLISH", "news", text)
		want(t, c, ":3\r\n", "SPUBLISH", "shard", text)
		for j, ear := range ears {
			if got := string(ear.Reply()); got != ">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$2\r\n"+text+"\r\n" {
				t.Fatalf("client %d heard %q", j, got)
			}
			if j < 3 {
				if got := string(ear.Reply()); got != ">4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$2\r\n"+text+"\r\n" {
					t.Fatalf("client %d heard %q", j, got)
				}
				ear.Reply() // the shard channel's, of another node: it may come before or behind
			}
		}
	}
	gateways[0].Kill()
	eventually(t, "five clients of the other gateway", func() bool {
		return string(mouths[1].Do("PUBSUB", "NUMSUB", "news")) == "*2\r\n$4\r\nnews\r\n:5\r\n"
	})
	want(t, mouths[1], ":6\r\n", "PUBLISH", "news", "x")
}

// TestSubscriptionsSurvive: a client's subscriptions outlive the nodes behind the gateway, killed or frozen one after the other, without a word to it.
func TestSubscriptionsSurvive(t *testing.T) {
	t.Parallel()
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			gateway, nodes := overThree(t, b.start)
			ear, mouth := peers.Dial(t, gateway.Addr, 3), peers.Dial(t, gateway.Addr, 2)
			for shard := range 3 {
				want(t, ear, fmt.Sprintf(">3\r\n$9\r\nsubscribe\r\n$%d\r\n%s\r\n:%d\r\n", len(channelOn(shard)), channelOn(shard), shard+1), "SUBSCRIBE", channelOn(shard))
			}
			for shard, n := range nodes {
				n.Kill()
				for other := range 3 {
					if other != shard {
						hears(t, ear, mouth, channelOn(other), fmt.Sprint("while", shard, other))
					}
				}
				n.Start(t)
				// Who publishes before the gateway is subscribed again is told that nobody hears.
				eventually(t, "the subscription at the node that is back", func() bool {
					return string(mouth.Do("PUBLISH", channelOn(shard), "back")) == ":1\r\n"
				})
				if got := string(ear.Reply()); !strings.HasSuffix(got, "\r\nback\r\n") {
					t.Fatalf("heard %q", got)
				}
				for other := range 3 {
					hears(t, ear, mouth, channelOn(other), fmt.Sprint("again", shard, other))
				}
			}
			nodes[1].Freeze(t)
			hears(t, ear, mouth, channelOn(0), "beside the frozen one")
			nodes[1].Thaw(t)
			eventually(t, "the subscription at the node that goes on", func() bool {
				return string(mouth.Do("PUBLISH", channelOn(1), "thawed")) == ":1\r\n"
			})
			if got := string(ear.Reply()); !strings.HasSuffix(got, "\r\nthawed\r\n") {
				t.Fatalf("heard %q", got)
			}
		})
	}
}

func hears(t *testing.T, ear, mouth *peers.Conn, channel, text string) {
	t.Helper()
	want(t, mouth, ":1\r\n", "PUBLISH", channel, text)
	if got, want := string(ear.Reply()), fmt.Sprintf(">3\r\n$7\r\nmessage\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n", len(channel), channel, len(text), text); got != want {
		t.Fatalf("heard %q, want %q", got, want)
	}
}

// TestEventsOfAllNodes: what happens to a key on any shard is heard by whoever listens at the gateway.
func TestEventsOfAllNodes(t *testing.T) {
	t.Parallel()
	for _, b := range backends {
		t.Run(b.name, func(t *testing.T) {
			t.Parallel()
			gateway, nodes := overThree(t, b.start)
			for _, n := range nodes {
				want(t, peers.Dial(t, n.Addr, 2), "+OK\r\n", "CONFIG", "SET", "notify-keyspace-events", "Kg$x")
			}
			ear, mouth := peers.Dial(t, gateway.Addr, 2), peers.Dial(t, gateway.Addr, 2)
			ear.Do("PSUBSCRIBE", "__keyspace@0__:*")
			for shard := range 3 {
				want(t, mouth, "+OK\r\n", "SET", keyOn(shard, 0), "v", "PX", "20")
				for _, event := range []string{"set", "expire", "expired"} {
					if got := string(ear.Reply()); !strings.Contains(got, "\r\n__keyspace@0__:"+keyOn(shard, 0)+"\r\n") || !strings.HasSuffix(got, "\r\n"+event+"\r\n") {
						t.Fatalf("heard %q, want %s", got, event)
					}
				}
			}
		})
	}
}

// TestGoRedisHears: go-redis's subscriptions go on by themselves over the restart of a shard, for each protocol; all that is published while the nodes are
// whole arrives once and in order.
func TestGoRedisHears(t *testing.T) {
	t.Parallel()
	for proto := 2; proto <= 3; proto++ {
		t.Run(fmt.Sprintf("RESP%d", proto), func(t *testing.T) {
			t.Parallel()
			ctx := within(t, time.Minute)
			gateway, nodes := overThree(t, backends[0].start)
			c := goRedis(t, redis.Options{Addr: gateway.Addr, Protocol: proto})
			sub := c.Subscribe(ctx, channelOn(0), channelOn(1), channelOn(2))
			defer sub.Close()
			for range 3 {
				if _, err := sub.Receive(ctx); err != nil {
					t.Fatal(err)
				}
			}
			if err := sub.PSubscribe(ctx, "p*"); err != nil {
				t.Fatal(err)
			}
			if _, err := sub.Receive(ctx); err != nil {
				t.Fatal(err)
			}
			messages := sub.Channel(redis.WithChannelSize(4000))
			burst := func(from string) {
				const many = 300
				_, err := c.Pipelined(ctx, func(p redis.Pipeliner) error {
					for i := range many {
						p.Publish(ctx, channelOn(i%3), fmt.Sprint(from, i))
					}
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				next := map[string]int{}
				for range many {
					select {
					case m := <-messages:
						var i int
						if _, err := fmt.Sscanf(m.Payload, from+"%d", &i); err != nil || m.Channel != channelOn(i%3) || i < next[m.Channel] {
							t.Fatalf("%s on %s, expected at least %d: %v", m.Payload, m.Channel, next[m.Channel], err)
						}
						next[m.Channel] = i + 1
					case <-ctx.Done():
						t.Fatalf("%s: messages are missing", from)
					}
				}
			}
			burst("first")
			nodes[1].Kill()
			nodes[1].Start(t)
			eventually(t, "the subscription at the node that is back", func() bool {
				n, err := c.Publish(ctx, channelOn(1), "again").Result()
				return err == nil && n == 1
			})
			if m := <-messages; m.Payload != "again" {
				t.Fatalf("heard %v", m)
			}
			burst("second")
			if n, err := c.Publish(ctx, "pattern", "x").Result(); err != nil || n != 1 {
				t.Errorf("PUBLISH: %d, %v", n, err)
			}
			if m := <-messages; m.Pattern != "p*" || m.Channel != "pattern" {
				t.Errorf("heard %v", m)
			}
			if err := sub.Ping(ctx, "there?"); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestGoRedisHearsShardChannels: so do shard channels, and a client that takes the gateway for a cluster hears them too.
func TestGoRedisHearsShardChannels(t *testing.T) {
	t.Parallel()
	ctx := within(t, time.Minute)
	gateway := fleet.Gateway(t, fleet.Nodes(t, 3))
	cluster := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{gateway}})
	defer cluster.Close()
	for _, c := range []redis.UniversalClient{cluster, goRedis(t, redis.Options{Addr: gateway, Protocol: 3})} {
		for shard := range 3 {
			sub := c.SSubscribe(ctx, channelOn(shard))
			if _, err := sub.Receive(ctx); err != nil {
				t.Fatal(err)
			}
			if n, err := c.SPublish(ctx, channelOn(shard), "hello").Result(); err != nil || n != 1 {
				t.Errorf("SPUBLISH: %d, %v", n, err)
			}
			if m, err := sub.ReceiveMessage(ctx); err != nil || m.Payload != "hello" {
				t.Errorf("heard %v, %v", m, err)
			}
			if err := sub.Close(); err != nil {
				t.Error(err)
			}
			eventually(t, "that it has left", func() bool { return c.SPublish(ctx, channelOn(shard), "x").Val() == 0 })
		}
	}
}

// TestRueidisHears: rueidis has one connection for commands and subscriptions.
func TestRueidisHears(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(within(t, time.Minute))
	defer cancel()
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{fleet.Gateway(t, fleet.Nodes(t, 3))}, ForceSingleClient: true, DisableCache: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	heard, ended := make(chan rueidis.PubSubMessage, 10), make(chan error, 1)
	go func() {
		ended <- c.Receive(ctx, c.B().Subscribe().Channel("a", "b").Build(), func(m rueidis.PubSubMessage) { heard <- m })
	}()
	eventually(t, "that it is subscribed", func() bool {
		n, err := c.Do(ctx, c.B().Publish().Channel("a").Message("hello").Build()).AsInt64()
		return err == nil && n == 1
	})
	if m := <-heard; m.Channel != "a" || m.Message != "hello" {
		t.Errorf("heard %v", m)
	}
	if err := c.Do(ctx, c.B().Set().Key("k").Value("v").Build()).Error(); err != nil {
		t.Error(err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v", err)
	}
}

// TestNodeJSHears: ioredis and node-redis, subscribed through a gateway by name, by pattern and to shard channels.
func TestNodeJSHears(t *testing.T) {
	t.Parallel()
	dir := nodeJS(t)
	host, port, _ := net.SplitHostPort(fleet.Gateway(t, fleet.Nodes(t, 3)))
	for _, part := range []string{"ioredis", "nodeRedis"} {
		t.Run(part, func(t *testing.T) {
			if out := others(t, dir, "node", "pubsub.js", host, port, part); !strings.Contains(out, part+": ok") {
				t.Errorf("%s", out)
			}
		})
	}
}
