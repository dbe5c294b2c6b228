package clients_test

import (
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"larder/internal/clients"
	"larder/internal/peers"
	"larder/router"
)

// counter is a client of a gateway that counts up a number of its own, without rest, over one connection.
type counter struct {
	key           string
	done, unknown int
	wrong         []string
	longest       time.Duration
}

func (c *counter) run(addr string, stop <-chan struct{}) {
	w, err := clients.Open(addr)
	if err != nil {
		c.wrong = append(c.wrong, err.Error())
		return
	}
	defer w.Close()
	for last := time.Now(); ; {
		select {
		case <-stop:
			return
		case <-time.After(2 * time.Millisecond):
		}
		reply, err := w.DoWithin(peers.Patience, "INCR", c.key)
		switch text := string(reply); {
		case err != nil:
			c.wrong = append(c.wrong, err.Error())
			return // the connection was closed, or nothing came
		case strings.HasPrefix(text, ":"):
			c.done++
		case strings.HasPrefix(text, "-UNKNOWN "):
			c.unknown++
		default:
			c.wrong = append(c.wrong, text)
		}
		now := time.Now()
		c.longest, last = max(c.longest, now.Sub(last)), now
	}
}

// countThrough has clients count while something happens to a shard. No connection is closed, no error comes but UNKNOWN, and every number is what was acknowledged, and
// at most as much more as is unknown.
func countThrough(t *testing.T, s *shardOf, name string, happens func()) (unknown int) {
	t.Helper()
	stop := make(chan struct{})
	var all sync.WaitGroup
	counters := make([]*counter, 6)
	for i := range counters {
		counters[i] = &counter{key: fmt.Sprint(name, ":", i)}
		all.Go(func() { counters[i].run(s.gateways[0], stop) })
	}
	time.Sleep(50 * time.Millisecond) // so that commands are under way
	happens()
	time.Sleep(50 * time.Millisecond)
	close(stop)
	all.Wait()
	w, err := clients.Open(s.gateways[0])
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	var longest time.Duration
	done := 0
	for _, c := range counters {
		reply, err := w.DoWithin(peers.Patience, "GET", c.key)
		n, _ := strconv.Atoi(textOf(reply))
		if err != nil || n < c.done || n > c.done+c.unknown || c.done == 0 {
			t.Errorf("%s: %s is %q (%v): %d were acknowledged, %d are unknown", name, c.key, reply, err, c.done, c.unknown)
		}
		for _, text := range c.wrong {
			t.Errorf("%s: a client was told %q", name, text)
		}
		done, unknown, longest = done+c.done, unknown+c.unknown, max(longest, c.longest)
	}
	t.Logf("%s: %d counted, %d unknown, longest gap %v", name, done, unknown, longest.Round(time.Millisecond))
	return unknown
}

// reigns waits for another primary.
func (s *shardOf) reigns(after uint64) {
	s.t.Helper()
	eventually(s.t, "another primary is there", func() bool {
		r := s.registry.Record()
		return r.Reign > after && r.State == router.Normal
	})
}

// TestGatewayOutlivesPrimaries: a gateway's clients count while the primary is killed, stands still, loses the gateway, and hands its place over. What is subscribed and
// what waits goes over with them.
func TestGatewayOutlivesPrimaries(t *testing.T) {
	s := startShard(t, 3, 1)
	s.guard()
	s.lead(1)
	s.calm()
	door := func() *clients.Wire {
		w, err := clients.Open(s.gateways[0])
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(w.Close)
		return w
	}
	ear, hand, mouth := door(), door(), door()
	if reply, err := ear.Do("SUBSCRIBE", "news"); err != nil || !strings.Contains(string(reply), "subscribe") {
		t.Fatalf("SUBSCRIBE: %q, %v", reply, err)
	}
	const soon = 20 * time.Millisecond
	goesOn := func(name string) {
		t.Helper()
		if _, err := hand.DoWithin(soon, "BLPOP", "jobs", "0"); !timedOut(err) {
			t.Fatalf("%s: BLPOP did not wait: %v", name, err)
		}
	}
	comesOver := func(name string) {
		t.Helper()
		if reply, err := mouth.DoWithin(peers.Patience, "RPUSH", "jobs", name); err != nil || string(reply) != ":1\r\n" {
			t.Errorf("%s: RPUSH: %q, %v", name, reply, err)
		}
		if reply, err := hand.ReplyWithin(peers.Patience); err != nil || strings.Join(textsOf(reply), " ") != "jobs "+name {
			t.Errorf("%s: who waited has %q, %v", name, reply, err)
		}
		eventually(t, "a message is heard", func() bool { // until the subscription is there messages are missed
			mouth.DoWithin(peers.Patience, "PUBLISH", "news", name)
			for {
				reply, err := ear.ReplyWithin(soon)
				if err != nil {
					return false
				}
				if strings.Join(textsOf(reply), " ") == "message news "+name {
					return true
				}
			}
		})
	}
	for _, happens := range []struct {
		name string
		do   func(primary *member) (end func())
		none bool // nothing is unknown
	}{
		{"handed over", func(m *member) func() {
			for _, other := range s.members {
				if other != m {
					s.registry.Switch(other.name)
				}
			}
			return func() {}
		}, true},
		{"killed", func(m *member) func() {
			s.kill(m)
			return func() { s.revive(m) }
		}, false},
		{"frozen", func(m *member) func() {
			m.Freeze(t)
			return func() { m.Thaw(t) }
		}, false},
	} {
		s.calm()
		goesOn(happens.name)
		reign := s.registry.Record().Reign
		var end func()
		unknown := countThrough(t, s, happens.name, func() {
			end = happens.do(s.primary())
			s.reigns(reign)
			comesOver(happens.name)
		})
		if unknown > 0 && happens.none {
			t.Errorf("%s: %d are unknown", happens.name, unknown)
		}
		end()
	}
	s.calm()
	unknown := countThrough(t, s, "cut", func() {
		for range 20 {
			for _, l := range s.primary().gates {
				l.Open(false)
				l.Open(true)
			}
			time.Sleep(10 * time.Millisecond)
		}
	})
	t.Logf("of %d lanes that were cut amid commands, %d commands are unknown", 20, unknown)
}
