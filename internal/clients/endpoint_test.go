package clients_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	backing "larder/backends"
	"larder/backends/registry"
	"larder/internal/clients"
	"larder/internal/peers"
	"larder/router"
)

// assigned starts the nodes of a cluster, which are told their slots, and publishes its topology.
func assigned(t *testing.T, r registry.Registry, cluster string, epoch uint64, shards int) []*peers.Conn {
	t.Helper()
	nodes, primaries := make([]*peers.Conn, shards), make([]router.Node, shards)
	for i := range nodes {
		addr := larder.Engine(t).Addr
		nodes[i] = peers.Dial(t, addr, 2)
		primaries[i] = router.Node{ID: fmt.Sprint("n", i), Addr: addr} // the same names in each cluster
	}
	topology, err := router.Even(cluster, epoch, primaries)
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range nodes {
		if got := string(n.Do("LARDER", "ASSIGN", strconv.Itoa(i), topology.Line())); got != "+OK\r\n" {
			t.Fatalf("assign: %s", got)
		}
	}
	value, err := backing.EncodeTopology(topology)
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Put(context.Background(), backing.TopologyKey(cluster), value); err != nil {
		t.Fatal(err)
	}
	return nodes
}

// TestEndpointMoves: an endpoint is pointed to another cluster, of another number of shards and an older epoch, and back, while clients write, wait, listen and have
// begun transactions. Nobody loses the connection; each session's commands run in one cluster up to some moment and in the other from then on.
func TestEndpointMoves(t *testing.T) {
	t.Parallel()
	server := peers.StartConsul(t)
	r := openRegistry(t, server)
	old, next := assigned(t, r, "old", 7, 2), assigned(t, r, "next", 3, 3)
	point := func(cluster string) {
		t.Helper()
		if err := backing.PointEndpoint(context.Background(), r, "app", cluster); err != nil {
			t.Fatal(err)
		}
	}
	point("old")
	gateway := larder.Gateway(t, nil, "--consul", server.Addr, "--endpoint", "app")
	eventually(t, "it is the endpoint's service", func() bool {
		found, err := r.Instances(context.Background(), "cache-app-endpoint")
		return err == nil && len(found) == 1 && found[0].Health == registry.Passing
	})
	setter := peers.Dial(t, gateway.Addr, 2)
	moved := func(cluster string, nodes []*peers.Conn) {
		t.Helper()
		point(cluster)
		eventually(t, "it has moved to "+cluster, func() bool {
			return strings.Contains(string(setter.Do("INFO", "everything")), "\r\ncluster:"+cluster+"\r\n") && string(setter.Do("SET", "{where}"+cluster, cluster)) == "+OK\r\n" && len(keysOf("{where}"+cluster, nodes...)) == 1
		})
	}
	moved("old", old)

	waiting, timed, hearing, queued, watching := peers.Dial(t, gateway.Addr, 2), peers.Dial(t, gateway.Addr, 2), peers.Dial(t, gateway.Addr, 3), peers.Dial(t, gateway.Addr, 2), peers.Dial(t, gateway.Addr, 2)
	send := func(c *peers.Conn, line string) { c.Send([]byte(line + "\r\n")) }
	reply := func(c *peers.Conn, want string) {
		t.Helper()
		if got := string(c.Reply()); got != want {
			t.Fatalf("got %q, want %q", got, want)
		}
	}
	do := func(c *peers.Conn, line, want string) {
		t.Helper()
		send(c, line)
		reply(c, want)
	}
	do(hearing, "SUBSCRIBE news", ">3\r\n$9\r\nsubscribe\r\n$4\r\nnews\r\n:1\r\n")
	for _, round := range []struct {
		cluster string
		nodes   []*peers.Conn
	}{{"next", next}, {"old", old}} {
		writer := startSteady(t, gateway.Addr)
		send(waiting, "BLPOP list 0")
		begun := time.Now()
		send(timed, "BLPOP nothing 2")
		eventually(t, "both wait", func() bool {
			return strings.Contains(string(setter.Do("INFO", "clients")), "\r\nblocked_clients:2\r\n")
		})
		do(queued, "MULTI", "+OK\r\n")
		do(queued, "SET tx-"+round.cluster+" 1", "+QUEUED\r\n")
		do(watching, "WATCH seen", "+OK\r\n")
		do(watching, "MULTI", "+OK\r\n")
		do(watching, "SET seen 1", "+QUEUED\r\n")

		writer.goesOn(t)
		moved(round.cluster, round.nodes)
		writer.goesOn(t)

		do(queued, "EXEC", "*1\r\n+OK\r\n")
		if len(keysOf("tx-"+round.cluster, round.nodes...)) != 1 {
			t.Errorf("the transaction did not run in %s", round.cluster)
		}
		do(watching, "EXEC", "*-1\r\n")
		do(setter, "PUBLISH news "+round.cluster, ":1\r\n")
		reply(hearing, fmt.Sprintf(">3\r\n$7\r\nmessage\r\n$4\r\nnews\r\n$%d\r\n%s\r\n", len(round.cluster), round.cluster))
		do(setter, "RPUSH list "+round.cluster, ":1\r\n")
		reply(waiting, fmt.Sprintf("*2\r\n$4\r\nlist\r\n$%d\r\n%s\r\n", len(round.cluster), round.cluster))
		reply(timed, "*-1\r\n")
		if waited := time.Since(begun); waited < 2*time.Second {
			t.Errorf("BLPOP has waited %s of two seconds", waited)
		}
		writer.ended(t, round.nodes)
	}
}

// steady are clients that write one key after the other, several at a time on one connection each.
type steady struct {
	run    int64
	last   [4]atomic.Int64 // by client: the number of its last write that was answered
	failed context.Context // ended: a write has failed, or they were stopped
	group  *errgroup.Group
	stop   context.CancelFunc
}

func startSteady(t *testing.T, addr string) *steady {
	t.Helper()
	s := &steady{run: time.Now().UnixNano()}
	ctx, stop := context.WithCancel(context.Background())
	s.group, ctx = errgroup.WithContext(ctx)
	s.failed, s.stop = ctx, stop
	for client := range s.last {
		w, err := clients.Open(addr)
		if err != nil {
			t.Fatal(err)
		}
		s.group.Go(func() error {
			defer w.Close()
			for n := int64(1); ctx.Err() == nil; n++ {
				key := s.key(client, n)
				if got, err := w.Do("SET", key, "x"); err != nil || string(got) != "+OK\r\n" {
					return fmt.Errorf("SET %s: %q, %v", key, got, err)
				}
				s.last[client].Store(n)
			}
			return nil
		})
	}
	t.Cleanup(func() {
		stop()
		_ = s.group.Wait()
	})
	return s
}

func (s *steady) key(client int, n int64) string { return fmt.Sprintf("w-%d-%d-%d", s.run, client, n) }

// goesOn waits until all have written some more.
func (s *steady) goesOn(t *testing.T) {
	t.Helper()
	for client := range s.last {
		want := s.last[client].Load() + 50
		eventually(t, "a client goes on", func() bool { return s.failed.Err() != nil || s.last[client].Load() >= want })
	}
	if s.failed.Err() != nil {
		t.Fatal(s.group.Wait())
	}
}

// ended wants of each client that what it has written from some moment on is at the nodes, and nothing of before.
func (s *steady) ended(t *testing.T, nodes []*peers.Conn) {
	t.Helper()
	s.stop()
	if err := s.group.Wait(); err != nil {
		t.Error(err)
	}
	there := map[string]bool{}
	for _, key := range keysOf(fmt.Sprintf("w-%d-*", s.run), nodes...) {
		there[key] = true
	}
	for client := range s.last {
		last, first := s.last[client].Load(), int64(1)
		for first <= last && !there[s.key(client, first)] {
			first++
		}
		if first == 1 || first > last {
			t.Errorf("client %d: %d writes, the first there is %d", client, last, first)
		}
		for n := first; n <= last; n++ {
			if !there[s.key(client, n)] {
				t.Fatalf("client %d: write %d is not there, %d of %d is the first", client, n, first, last)
			}
		}
	}
}
