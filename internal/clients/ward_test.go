package clients_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"larder/control/controller"
	"larder/internal/clients"
	"larder/internal/failures"
	"larder/internal/history"
	"larder/router"
)

// ward is a cluster on an estate, to which faults happen while clients in three languages write to it, and others read after one another what they wrote.
type ward struct {
	*estate
	durability string
	lanes      []string // tags: one a shard, in the order of the shards
	doors      []string // of the gateways
	faults     int      // so far: each has keys of its own
	rows       []failures.Row
}

const wardShards, wardReplicas = 2, 2

// startWard creates the cluster, with a gateway on each controller's machine. folder makes one for a host.
func startWard(t *testing.T, durability string, folder func() string) *ward {
	t.Helper()
	w := &ward{estate: startEstate(t, folder), durability: durability, lanes: make([]string, wardShards)}
	w.sure("cluster", "create", "orders", "--shards", strconv.Itoa(wardShards), "--replicas", strconv.Itoa(wardReplicas), "--memory", "64mb", "--durability", durability)
	for i := range controlNames {
		w.gateways = append(w.gateways, w.gateway(i, "--cluster", "orders"))
		w.doors = append(w.doors, w.gateways[i].Addr)
	}
	for i, found := 0, 0; found < wardShards; i++ {
		tag := "{" + strconv.Itoa(i) + "}"
		if shard := router.Slot([]byte(tag)) * wardShards / router.Slots; w.lanes[shard] == "" {
			w.lanes[shard] = tag
			found++
		}
	}
	return w
}

// record is who is who in a shard.
func (w *ward) record(shard int) *router.Record {
	w.t.Helper()
	var r *router.Record
	eventually(w.t, "the record of a shard is read", func() bool {
		e, err := w.registry.Get(w.t.Context(), controller.RecordKey("orders", shard))
		if err == nil {
			r, err = router.ParseRecord(string(e.Value))
		}
		return err == nil
	})
	return r
}

// primary is a shard's, by its name, and replicas are the others of the set.
func (w *ward) primary(shard int) string { return w.record(shard).Primary.Node }

func (w *ward) replicas(shard int) (all []string) {
	r := w.record(shard)
	for _, run := range r.Set {
		if run != r.Primary {
			all = append(all, run.Node)
		}
	}
	return all
}

// host is the number of that on which a node is.
func (w *ward) host(node string) int {
	w.seen.mu.Lock()
	defer w.seen.mu.Unlock()
	return slices.Index(hostNames, w.seen.planned[node])
}

// processes are those of some nodes.
func (w *ward) processes(nodes ...string) (all []clients.PID) {
	w.t.Helper()
	for _, node := range nodes {
		pids := clients.Running(w.t, filepath.Join(w.folders[hostNames[w.host(node)]], "nodes", node))
		if len(pids) != 1 {
			w.t.Fatalf("node %s is the processes %v", node, pids)
		}
		all = append(all, clients.PID(pids[0]))
	}
	return all
}

// whole waits until each shard has a primary and all its nodes are members.
func (w *ward) whole() {
	w.t.Helper()
	for shard := range wardShards {
		so := func() bool {
			r := w.record(shard)
			return r.State == router.Normal && len(r.Set) == 1+wardReplicas && len(r.Joining) == 0
		}
		if !holds(wholeWithin, so) {
			w.t.Fatalf("shard %d does not become whole: %s\nevents: %s", shard, w.record(shard).Line(), w.sure("events"))
		}
	}
}

// wholeWithin is enough for a node that was lost with its host to be replaced, or to return.
const wholeWithin = 2 * time.Minute

// writers starts a client in each language, each with a lane a shard; the gateways take turns in being the first.
func (w *ward) writers() (all []*clients.Steady) {
	w.t.Helper()
	lanes := func(name string) (lanes []string) {
		for _, tag := range w.lanes {
			lanes = append(lanes, fmt.Sprintf("%s%s:%d", tag, name, w.faults))
		}
		return lanes
	}
	turned := slices.Clone(w.doors)
	slices.Reverse(turned)
	steady, err := filepath.Abs(filepath.Join("testdata", "steady.py"))
	if err != nil {
		w.t.Fatal(err)
	}
	return []*clients.Steady{
		clients.SteadyGo(w.t, "go-redis", w.doors, lanes("go"), func(addr string) redis.UniversalClient { return redis.NewClient(clients.SteadyOptions(addr)) }),
		clients.SteadyProgram(w.t, "ioredis", nodeJS(w.t), turned, lanes("node"), "node", "steady.js"),
		clients.SteadyProgram(w.t, "redis-py", w.t.TempDir(), w.doors, lanes("py"), "/usr/bin/python3", steady),
	}
}

// flows waits until each lane has had so many writes acknowledged that were begun since.
func (w *ward) flows(all []*clients.Steady, since time.Time, enough int) {
	w.t.Helper()
	var behind string
	so := func() bool {
		behind = ""
		for _, s := range all {
			acked := map[string]int{}
			for _, d := range s.Deeds() {
				if d.Done() && d.Called.After(since) {
					acked[d.Lane]++
				}
			}
			if len(acked) < wardShards || slices.Min(slices.Collect(maps.Values(acked))) < enough {
				behind += fmt.Sprintf(" %s %v;", s.Name, acked)
			}
		}
		return behind == ""
	}
	if !holds(wholeWithin, so) {
		w.t.Fatalf("writes do not flow: acknowledged since are%s\nevents: %s", behind, w.sure("events"))
	}
}

// final reads all that the writers have written, at a gateway.
func (w *ward) final(addr string, deeds []failures.Deed) failures.Final {
	w.t.Helper()
	wire, final := open(w.t, addr), failures.Final{}
	read := func(words ...string) (reply []byte) {
		reply, err := wire.Do(words...)
		if err != nil || strings.HasPrefix(string(reply), "-") {
			w.t.Fatalf("%q at the end: %q, %v", words, reply, err)
		}
		return reply
	}
	value := func(key string) { final[key] = []string{textOf(read("GET", key))} }
	list := func(key string) { final[key] = textsOf(read("LRANGE", key, "0", "-1")) }
	lanes := map[string]bool{}
	for _, d := range deeds {
		if lanes[d.Lane] {
			continue
		}
		lanes[d.Lane] = true
		value(failures.Set.Key(d.Lane))
		value(failures.Incr.Key(d.Lane))
		value(failures.CounterKey(d.Lane))
		list(failures.Push.Key(d.Lane))
		list(failures.Multi.Key(d.Lane))
	}
	return final
}

// readers are clients that write and read the same keys, through all gateways; their history is judged by porcupine. It makes sense under `replicated` only.
type readers struct {
	log     *history.Log
	patrons []*patron
	stop    chan struct{}
	ended   sync.WaitGroup
	once    sync.Once
}

func (w *ward) readers() *readers {
	r := &readers{log: history.New(), stop: make(chan struct{})}
	if w.durability != string(controller.Replicated) {
		return r
	}
	const many = 4
	for i := range many + 1 {
		at := i
		r.patrons = append(r.patrons, &patron{
			id: i, log: r.log, wires: map[string]*clients.Wire{}, dice: rand.New(rand.NewPCG(w.chance.Uint64(), uint64(i))),
			space: fmt.Sprintf("%s%d:", w.lanes[w.faults%wardShards], w.faults),
			home:  func() string { return w.doors[at%len(w.doors)] }, door: func(d *rand.Rand) string { return w.doors[d.IntN(len(w.doors))] },
		})
	}
	for _, p := range r.patrons[:many] {
		r.ended.Go(func() { p.run(r.stop) })
	}
	w.t.Cleanup(r.end)
	return r
}

func (r *readers) end() {
	r.once.Do(func() { close(r.stop) })
	r.ended.Wait()
}

// judge says what they have seen that cannot be.
func (r *readers) judge(t *testing.T) (faults []string) {
	t.Helper()
	if len(r.patrons) == 0 {
		return nil
	}
	r.patrons[len(r.patrons)-1].readAll(t, int(r.log.Now()/int64(2*time.Second)))
	for _, p := range r.patrons {
		for _, odd := range p.odd {
			faults = append(faults, "a reader was answered "+odd)
		}
	}
	return append(faults, r.log.Faults(time.Minute)...)
}
