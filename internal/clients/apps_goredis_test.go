package clients_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// goRedisApp is an application with go-redis, which takes the gateway for one server or for a cluster.
type goRedisApp struct {
	c      redis.UniversalClient
	groups sync.Map // streams whose group was made; made anew when it is gone
}

func openGoRedis(_ *testing.T, addr string) app {
	return &goRedisApp{c: redis.NewClient(&redis.Options{Addr: addr, PoolSize: 40})}
}

func openGoRedisCluster(_ *testing.T, addr string) app {
	return &goRedisApp{c: redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{addr}, PoolSize: 40})}
}

func (a *goRedisApp) close() { _ = a.c.Close() }

func (a *goRedisApp) count(ctx context.Context, key string) error {
	for {
		err := a.c.Watch(ctx, func(tx *redis.Tx) error {
			n, err := tx.Get(ctx, key).Int()
			if err != nil && !errors.Is(err, redis.Nil) {
				return err
			}
			replies, err := tx.TxPipelined(ctx, func(p redis.Pipeliner) error {
				p.Set(ctx, key, n+1, 0)
				p.Get(ctx, key)
				return nil
			})
			if err != nil {
				return err
			}
			if got, _ := replies[1].(*redis.StringCmd).Int(); got != n+1 {
				return wrong("the transaction set %d and read %d", n+1, got)
			}
			return nil
		}, key)
		if !errors.Is(err, redis.TxFailedErr) {
			return err
		}
	}
}

func (a *goRedisApp) queue(ctx context.Context, key, job string) error {
	if err := a.c.Del(ctx, key).Err(); err != nil { // what an earlier deed that failed has left
		return err
	}
	pushed := make(chan error, 1)
	go func() { pushed <- a.c.RPush(ctx, key, job).Err() }()
	got, err := a.c.BLPop(ctx, 3*time.Second, key).Result()
	if pushErr := <-pushed; pushErr != nil || err != nil {
		return errors.Join(pushErr, err)
	}
	if len(got) != 2 || got[0] != key || !sameWorker(got[1], job) {
		return wrong("BLPOP %s: %q", key, got)
	}
	return nil
}

var goRedisScript = redis.NewScript("redis.call('SET', KEYS[1], ARGV[1]) return {KEYS[1], redis.call('GET', KEYS[1])}")

func (a *goRedisApp) script(ctx context.Context, key, text string) error {
	got, err := goRedisScript.Run(ctx, a.c, []string{key}, text).StringSlice()
	if err == nil && (len(got) != 2 || got[0] != key || got[1] != text) {
		return wrong("EVALSHA: %q, not %q and %q", got, key, text)
	}
	return err
}

func (a *goRedisApp) stream(ctx context.Context, key, text string) error {
	if _, made := a.groups.Load(key); !made {
		if err := a.c.XGroupCreateMkStream(ctx, key, "g", "0").Err(); err != nil && !redis.HasErrorPrefix(err, "BUSYGROUP") {
			return err
		}
		a.groups.Store(key, true)
	}
	id, err := a.c.XAdd(ctx, &redis.XAddArgs{Stream: key, Values: []string{"text", text}}).Result()
	if err != nil {
		return err
	}
	for {
		got, err := a.c.XReadGroup(ctx, &redis.XReadGroupArgs{Group: "g", Consumer: "c", Streams: []string{key, ">"}, Count: 1, Block: 3 * time.Second}).Result()
		if err != nil {
			a.groups.Delete(key)
			return err
		}
		if len(got) != 1 || got[0].Stream != key || len(got[0].Messages) != 1 {
			return wrong("XREADGROUP: %v", got)
		}
		m := got[0].Messages[0]
		if n, err := a.c.XAck(ctx, key, "g", m.ID).Result(); err != nil || n != 1 {
			return errors.Join(err, errors.New("not acknowledged"))
		}
		if m.ID == id {
			if m.Values["text"] != text {
				return wrong("stream %s: %v, not %q", key, m.Values, text)
			}
			return nil
		}
	}
}

func (a *goRedisApp) publish(ctx context.Context, channel, text string) error {
	sub := a.c.Subscribe(ctx, channel)
	defer sub.Close()
	if _, err := sub.Receive(ctx); err != nil {
		return err
	}
	if err := a.c.Publish(ctx, channel, text).Err(); err != nil {
		return err
	}
	m, err := sub.ReceiveTimeout(ctx, 2*time.Second)
	if err != nil {
		return err
	}
	if got, ok := m.(*redis.Message); !ok || got.Channel != channel || got.Payload != text {
		return wrong("heard %v on %s, not %q", m, channel, text)
	}
	return nil
}

func (a *goRedisApp) pipeline(ctx context.Context, keys []string, text string) error {
	var gets []*redis.StringCmd
	var all *redis.SliceCmd
	_, err := a.c.Pipelined(ctx, func(p redis.Pipeliner) error {
		for _, key := range keys {
			p.Set(ctx, key, key+text, 0)
			gets = append(gets, p.Get(ctx, key))
		}
		if _, cluster := a.c.(*redis.ClusterClient); !cluster { // which refuses it itself, over several slots
			all = p.MGet(ctx, keys...)
		}
		return nil
	})
	if err != nil {
		return err
	}
	for i, key := range keys {
		if gets[i].Val() != key+text {
			return wrong("GET %s: %q, not %q", key, gets[i].Val(), key+text)
		}
		if all != nil && all.Val()[i] != key+text {
			return wrong("MGET of %s: %v, not %q", key, all.Val()[i], key+text)
		}
	}
	return nil
}
