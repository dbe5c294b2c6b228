package clients_test

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"
)

// rueidisApp is an application with rueidis, which takes the gateway for one server or for a cluster, and pipelines what goroutines do by itself.
type rueidisApp struct {
	c      rueidis.Client
	groups sync.Map // streams whose group was made
}

func openRueidis(t *testing.T, addr string) app { return newRueidisApp(t, addr, true) }

func openRueidisCluster(t *testing.T, addr string) app { return newRueidisApp(t, addr, false) }

func newRueidisApp(t *testing.T, addr string, single bool) app {
	t.Helper()
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{addr}, ForceSingleClient: single, DisableCache: true, ConnWriteTimeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	return &rueidisApp{c: c}
}

func (a *rueidisApp) close() { a.c.Close() }

func (a *rueidisApp) count(ctx context.Context, key string) error {
	for {
		again := false
		err := a.c.Dedicated(func(c rueidis.DedicatedClient) error {
			if err := c.Do(ctx, c.B().Watch().Key(key).Build()).Error(); err != nil {
				return err
			}
			n, err := c.Do(ctx, c.B().Get().Key(key).Build()).AsInt64()
			if err != nil && !rueidis.IsRedisNil(err) {
				return err
			}
			replies := c.DoMulti(ctx, c.B().Multi().Build(), c.B().Set().Key(key).Value(strconv.FormatInt(n+1, 10)).Build(), c.B().Get().Key(key).Build(),
				c.B().Exec().Build())
			results, err := replies[3].ToArray()
			switch {
			case rueidis.IsRedisNil(err):
				again = true
				return nil
			case err != nil:
				return err
			}
			if got, _ := results[1].AsInt64(); got != n+1 {
				return wrong("the transaction set %d and read %d", n+1, got)
			}
			return nil
		})
		if err != nil || !again {
			return err
		}
	}
}

func (a *rueidisApp) queue(ctx context.Context, key, job string) error {
	if err := a.c.Do(ctx, a.c.B().Del().Key(key).Build()).Error(); err != nil {
		return err
	}
	pushed := make(chan error, 1)
	go func() { pushed <- a.c.Do(ctx, a.c.B().Rpush().Key(key).Element(job).Build()).Error() }()
	got, err := a.c.Do(ctx, a.c.B().Blpop().Key(key).Timeout(3).Build()).AsStrSlice()
	if pushErr := <-pushed; pushErr != nil || err != nil {
		return errors.Join(pushErr, err)
	}
	if len(got) != 2 || got[0] != key || !sameWorker(got[1], job) {
		return wrong("BLPOP %s: %q", key, got)
	}
	return nil
}

var rueidisScript = rueidis.NewLuaScript("redis.call('SET', KEYS[1], ARGV[1]) return {KEYS[1], redis.call('GET', KEYS[1])}")

func (a *rueidisApp) script(ctx context.Context, key, text string) error {
	got, err := rueidisScript.Exec(ctx, a.c, []string{key}, []string{text}).AsStrSlice()
	if err == nil && (len(got) != 2 || got[0] != key || got[1] != text) {
		return wrong("EVALSHA: %q, not %q and %q", got, key, text)
	}
	return err
}

func (a *rueidisApp) stream(ctx context.Context, key, text string) error {
	if _, made := a.groups.Load(key); !made {
		err := a.c.Do(ctx, a.c.B().XgroupCreate().Key(key).Group("g").Id("0").Mkstream().Build()).Error()
		if err != nil && !strings.Contains(err.Error(), "BUSYGROUP") {
			return err
		}
		a.groups.Store(key, true)
	}
	id, err := a.c.Do(ctx, a.c.B().Xadd().Key(key).Id("*").FieldValue().FieldValue("text", text).Build()).ToString()
	if err != nil {
		return err
	}
	for {
		got, err := a.c.Do(ctx, a.c.B().Xreadgroup().Group("g", "c").Count(1).Block(3000).Streams().Key(key).Id(">").Build()).AsXRead()
		if err != nil {
			a.groups.Delete(key)
			return err
		}
		if len(got[key]) != 1 {
			return wrong("XREADGROUP: %v", got)
		}
		m := got[key][0]
		if n, err := a.c.Do(ctx, a.c.B().Xack().Key(key).Group("g").Id(m.ID).Build()).AsInt64(); err != nil || n != 1 {
			return errors.Join(err, errors.New("not acknowledged"))
		}
		if m.ID == id {
			if m.FieldValues["text"] != text {
				return wrong("stream %s: %v, not %q", key, m.FieldValues, text)
			}
			return nil
		}
	}
}

func (a *rueidisApp) publish(ctx context.Context, channel, text string) error {
	c, cancel := a.c.Dedicate()
	defer cancel()
	heard := make(chan rueidis.PubSubMessage, 10)
	ended := c.SetPubSubHooks(rueidis.PubSubHooks{OnMessage: func(m rueidis.PubSubMessage) { heard <- m }})
	if err := c.Do(ctx, c.B().Subscribe().Channel(channel).Build()).Error(); err != nil {
		return err
	}
	if err := a.c.Do(ctx, a.c.B().Publish().Channel(channel).Message(text).Build()).Error(); err != nil {
		return err
	}
	select {
	case m := <-heard:
		if m.Channel != channel || m.Message != text {
			return wrong("heard %v on %s, not %q", m, channel, text)
		}
		return nil
	case err := <-ended:
		return errors.Join(err, errors.New("the subscription ended"))
	case <-time.After(2 * time.Second):
		return errors.New("nothing was heard")
	}
}

func (a *rueidisApp) pipeline(ctx context.Context, keys []string, text string) error {
	var commands rueidis.Commands
	for _, key := range keys {
		commands = append(commands, a.c.B().Set().Key(key).Value(key+text).Build(), a.c.B().Get().Key(key).Build())
	}
	for i, reply := range a.c.DoMulti(ctx, commands...) {
		got, err := reply.ToString()
		if err != nil {
			return err
		}
		if want := keys[i/2] + text; i%2 == 1 && got != want {
			return wrong("GET %s: %q, not %q", keys[i/2], got, want)
		}
	}
	return nil
}
