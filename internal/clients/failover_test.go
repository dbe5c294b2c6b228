package clients_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"larder/control/api"
	"larder/control/controller"
	"larder/internal/clients"
	"larder/internal/peers"
)

// primary is the process of the primary of a cluster with one shard.
func (a *appliance) primary(cluster string) (id string, pid int) {
	a.t.Helper()
	eventually(a.t, "a primary is known and answers", func() bool {
		var nodes []api.Node
		if err := json.Unmarshal([]byte(a.larder(0, "node", "list", "--json", "--cluster", cluster)), &nodes); err != nil {
			a.t.Fatal(err)
		}
		for _, n := range nodes {
			if n.Role != controller.Primary {
				continue
			}
			w, err := clients.Open(n.Addr)
			if err != nil {
				return false
			}
			defer w.Close()
			info, err := w.DoWithin(peers.Patience, "INFO", "server")
			if _, after, ok := strings.Cut(string(info), "process_id:"); err == nil && ok {
				text, _, _ := strings.Cut(after, "\r\n")
				pid, err = strconv.Atoi(text)
				id = n.ID
				return err == nil
			}
		}
		return false
	})
	return id, pid
}

// whole waits until a cluster has so many members again.
func (a *appliance) whole(cluster string, members int) {
	a.t.Helper()
	eventually(a.t, "all are members", func() bool {
		n := a.nodes(cluster)
		return n["primary"] == 1 && n["replica"] == members-1 && n["running"] == members
	})
}

// additions are a client that adds one to a key every few milliseconds, over one connection.
type additions struct {
	stop, ended chan struct{}
	gap         time.Duration
	said        int
	unknown     int
	wrong       string
}

func addOnes(t *testing.T, addr, key string) *additions {
	t.Helper()
	w := open(t, addr)
	c := &additions{stop: make(chan struct{}), ended: make(chan struct{})}
	go func() {
		defer close(c.ended)
		for last := time.Now(); ; {
			select {
			case <-c.stop:
				return
			case <-time.After(2 * time.Millisecond):
			}
			reply, err := w.DoWithin(peers.Patience, "INCR", key)
			now := time.Now()
			c.gap, last = max(c.gap, now.Sub(last)), now
			text := strings.TrimSpace(string(reply))
			n, isNumber := strconv.Atoi(strings.TrimPrefix(text, ":"))
			switch {
			case err != nil:
				c.wrong = "the connection: " + err.Error()
				return
			case strings.HasPrefix(text, "-UNKNOWN"):
				c.unknown++
			case isNumber != nil:
				c.wrong = text
				return
			case n <= c.said || n > c.said+1+c.unknown:
				c.wrong = "it was " + strconv.Itoa(c.said) + " and is " + text
				return
			default:
				c.said, c.unknown = n, 0
			}
		}
	}()
	return c
}

// end stops it, and wants that each addition was done once.
func (c *additions) end(t *testing.T, what string) time.Duration {
	t.Helper()
	close(c.stop)
	<-c.ended
	if c.wrong != "" {
		t.Errorf("%s: behind %d: %s", what, c.said, c.wrong)
	}
	return c.gap
}

// TestFailover: of a shard with two replicas, under replicated, the primary is killed, frozen, and handed over, while a client adds one again and again over one
// connection: each addition is done once, the connection stays, and another is the primary by itself; who comes back is a replica.
func TestFailover(t *testing.T) {
	t.Parallel()
	a := startAppliance(t, 2, 3)
	a.known(3)
	a.larder(0, "cluster", "create", "orders", "--replicas", "2", "--durability", "replicated", "--memory", "64mb")
	gateway := larder.Gateway(t, nil, "--consul", a.consul.Addr, "--cluster", "orders")
	signal := func(pid int, s syscall.Signal) {
		if err := syscall.Kill(pid, s); err != nil {
			t.Fatal(err)
		}
	}
	for _, trouble := range []struct {
		what, target string
		do           func(pid int) (mend func())
	}{
		{"the primary is killed", "300 ms", func(pid int) func() { signal(pid, syscall.SIGKILL); return func() {} }},
		{"the primary is frozen", "1.5 s", func(pid int) func() { signal(pid, syscall.SIGSTOP); return func() { signal(pid, syscall.SIGCONT) } }},
		{"a planned switch", "200 ms", func(int) func() { a.larder(1, "cluster", "failover", "orders", "--planned"); return func() {} }},
		{"the primary and the leading controller are killed", "2.5 s", func(pid int) func() {
			leader := a.leads()
			a.controls[leader].Kill()
			signal(pid, syscall.SIGKILL)
			return func() { a.controls[leader].Start(t) }
		}},
	} {
		a.whole("orders", 3)
		before, pid := a.primary("orders")
		c := addOnes(t, gateway.Addr, strings.ReplaceAll(trouble.what, " ", ":"))
		time.Sleep(200 * time.Millisecond) // so that it is amid
		mend := trouble.do(pid)
		eventually(t, "after "+trouble.what+" another is the primary", func() bool {
			return slices.ContainsFunc(a.apis, func(at string) bool {
				said, _, code := larder.Run(t, "topology", "orders", "--json", "--api", at, "--api-key-file", a.keys["api"])
				var topology api.Topology
				return code == 0 && json.Unmarshal([]byte(said), &topology) == nil && topology.Shards[0].Primary.ID != before
			})
		})
		mend()
		a.whole("orders", 3)
		t.Logf("%s: longest gap %s, target %s", trouble.what, c.end(t, trouble.what).Round(time.Millisecond), trouble.target)
	}
}
