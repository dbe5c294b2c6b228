package clients_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	backing "larder/backends"
	"larder/backends/registry"
	"larder/internal/peers"
)

// trouble is what happens amid some work, and its end.
type trouble struct {
	what  string
	lasts time.Duration
	cut   bool // a machine's link: who is served by way of it is not, for that time
	begin func(e *estate) (end func())
}

// consulLeads is the Consul server that leads.
func (e *estate) consulLeads() (leads *peers.Consul) {
	e.t.Helper()
	eventually(e.t, "a server of Consul leads", func() bool {
		leader := e.consul.Leader()
		at := slices.IndexFunc(e.servers, func(s *peers.Consul) bool { return s.Leads(leader) })
		if at >= 0 {
			leads = e.servers[at]
		}
		return at >= 0
	})
	return leads
}

func (e *estate) leadersMachine() string { return controlNames[e.leads()] }

func (e *estate) anyHost() string { return hostNames[e.chance.IntN(len(hostNames))] }

// killed is kill -9 of agents, and their start with what they had.
func killed(all ...*peers.Consul) (again func()) {
	for _, c := range all {
		c.Kill()
	}
	return func() {
		for _, c := range all {
			c.Again()
		}
	}
}

func (e *estate) cut(machine string) (mend func()) {
	e.machines[machine].Cut()
	return e.machines[machine].Mend
}

var (
	consulLeader = trouble{"the Consul server that leads is killed", time.Second, false, func(e *estate) func() { return killed(e.consulLeads()) }}
	leadersAgent = trouble{"the agent of the controller that leads is killed", 2 * time.Second, false, func(e *estate) func() {
		leader, begun := e.leads(), time.Now()
		again := killed(e.agents[controlNames[leader]])
		return func() {
			eventually(e.t, "another controller leads", func() bool { return e.leads() != leader })
			took := time.Since(begun)
			if e.t.Logf("another leads %s after the agent's end", took); took >= registry.TTLMin {
				e.t.Errorf("it took %s: the session's end was waited for", took)
			}
			again()
		}
	}}
	hostsAgent = trouble{"a host's agent is killed", 2 * time.Second, false, func(e *estate) func() { return killed(e.agents[e.anyHost()]) }}
	quorum     = trouble{"two Consul servers of three are killed", 20 * time.Second, false, func(e *estate) func() {
		first := e.chance.IntN(len(e.servers))
		return killed(e.servers[first], e.servers[(first+1)%len(e.servers)])
	}}
	leadersLink = trouble{"the machine of the controller that leads is cut off", 3 * time.Second, true, func(e *estate) func() { return e.cut(e.leadersMachine()) }}
	// Under durability async what a primary has and its replicas have not yet is lost with its link, so the writers are quiet for the moment of the cut.
	hostsLink = trouble{"a host's machine is cut off", 3 * time.Second, true, func(e *estate) func() {
		for _, w := range e.writers {
			if err := w.Pause(1); err != nil {
				e.t.Errorf("before a link is cut: %v", err)
			}
			defer w.Resume()
		}
		return e.cut(e.anyHost())
	}}
)

// work is something that an operator wants of a fleet.
type work struct {
	words []string
	has   map[string]int // the first cluster's nodes, in the end
	adds  int            // how many nodes it takes that were not there; drained: as many as are on the host that its last word names
}

// drained is work's adds for a host that is drained.
const drained = -1

func works(words string, has map[string]int, adds int) work {
	return work{words: strings.Fields(words), has: has, adds: adds}
}

var (
	six  = map[string]int{"all": 6, "running": 6, "primary": 3, "replica": 3}
	nine = map[string]int{"all": 9, "running": 9, "primary": 3, "replica": 6}
)

// amid begins some work, has some trouble at any moment of its first, and waits until the work is done. It wants that it takes no more nodes and decisions than
// if there had been no trouble, and that nobody storms Consul when that is over.
func (e *estate) amid(x trouble, first time.Duration, w work) {
	e.t.Helper()
	title := strings.Join(w.words, " ")
	if w.adds == drained {
		w.adds = countNodes(e.t, e.sure("node", "list", "--json"))[w.words[len(w.words)-1]]
	}
	decided, planned, gone := e.seen.count()
	begun := time.Now()
	e.sure(append(w.words, "--no-wait")...)
	wait := time.Duration(e.chance.Int64N(int64(first)))
	time.Sleep(wait)
	end := x.begin(e)
	time.Sleep(x.lasts)
	end()
	ended, asked := time.Now(), e.asked(e.all())
	e.done()
	took, after := time.Since(begun), time.Since(ended)
	e.has(w.has)
	asked = e.asked(e.all()) - asked
	most := float64(len(e.all())) * (20 + 10*time.Since(ended).Seconds())
	nowDecided, nowPlanned, nowGone := e.seen.count()
	decided, planned, gone = nowDecided-decided, nowPlanned-planned, nowGone-gone
	e.t.Logf("larder %s: %s after %s for %s; done in %s, %s after its end; %d decisions, %d nodes more, %d gone; %.0f requests to Consul since its end", title,
		x.what, wait.Round(time.Millisecond), x.lasts, took.Round(time.Millisecond), after.Round(time.Millisecond), decided, planned, gone, asked)
	// Golden traces of control/fleet: a dozen for a node that goes and another that comes. The nodes of a host that is not there for a while are replaced as
	// primaries, leave their sets and join again.
	const perNode, perCluster, perLost = 12, 12, 40
	allowed := perCluster + perNode*(planned+gone)
	if x.cut || x.lasts >= registry.TTLMin {
		allowed += perLost
	}
	if planned != w.adds || decided > allowed {
		e.t.Errorf("%s: %d nodes more, want %d; %d gone; %d decisions, want at most %d", title, planned, w.adds, gone, decided, allowed)
	}
	if asked > most {
		e.t.Errorf("%s: %.0f requests, want at most %.0f", title, asked, most)
	}
	e.calm(title, x.cut)
	e.seen.judge()
}

// quiet waits until nothing is decided any more, and wants that it stays so and Consul is asked little.
func (e *estate) quiet() {
	e.t.Helper()
	before, since := 0, time.Now()
	eventually(e.t, "nothing is decided any more", func() bool {
		if now, _, _ := e.seen.count(); now != before {
			before, since = now, time.Now()
		}
		return time.Since(since) > 2*time.Second
	})
	e.idles(e.all())
	if after, _, _ := e.seen.count(); after > before {
		e.t.Errorf("%d decisions while nothing is to be done", after-before)
	}
}

// moves has an endpoint lead to one cluster and to another, also while Consul has no leader, and tells how soon its gateways do.
func (e *estate) moves(one, other string) {
	e.t.Helper()
	for _, cluster := range []string{one, other} { // each has a key that says which it is
		e.sure("endpoint", "point", "app", cluster)
		g := e.gateway(0, "--endpoint", "app")
		answers(e.t, open(e.t, g.Addr), "+OK\r\n", "SET", "who", cluster)
		g.Kill()
	}
	for i := range controlNames {
		e.moving = append(e.moving, e.gateway(i, "--endpoint", "app"))
	}
	e.leadsTo(other)
	end := consulLeader.begin(e)
	e.sure("endpoint", "point", "app", one)
	e.leadsTo(one)
	end()
	for _, cluster := range []string{other, one, other} {
		if err := backing.PointEndpoint(e.t.Context(), e.registry, "app", cluster); err != nil {
			e.t.Fatal(err)
		}
		e.t.Logf("all gateways of the endpoint serve another cluster %s after the write, target 50 ms", e.leadsTo(cluster))
	}
}

// leadsTo waits until all gateways of the endpoint serve a cluster.
func (e *estate) leadsTo(cluster string) (took time.Duration) {
	e.t.Helper()
	begun, want := time.Now(), fmt.Sprintf("$%d\r\n%s\r\n", len(cluster), cluster)
	for _, g := range e.moving {
		w := open(e.t, g.Addr)
		eventually(e.t, "the endpoint leads to "+cluster, func() bool { reply, err := w.Do("GET", "who"); return err == nil && string(reply) == want })
	}
	return time.Since(begun)
}

// judgeAll stops the writers and reads all that they have ever written, at each gateway.
func (e *estate) judgeAll() {
	e.t.Helper()
	for _, w := range e.writers {
		w.Stop()
		for _, g := range e.gateways {
			e.t.Logf("%d keys, of %d writes, are as they should be", w.Judge(e.t, g.Addr), w.Rounds())
		}
	}
	e.seen.judge()
}

// TestMachines: a fleet on machines of its own, with three Consul servers and an agent each, is worked on while what it needs of Consul is killed (-9), comes
// back, has no quorum for 20 seconds, or a machine is cut off. All gets done, once; clients notice nothing, and no acknowledged write is lost.
func TestMachines(t *testing.T) {
	t.Parallel()
	e := startEstate(t, t.TempDir)
	const early = 300 * time.Millisecond
	e.amid(consulLeader, early, works("cluster create orders --shards 3 --replicas 1 --memory 64mb", six, 6))
	e.serves("orders")
	e.amid(leadersAgent, early, works("cluster modify orders --replicas 2", nine, 3))
	e.amid(hostsAgent, early, works("cluster modify orders --memory 96mb", nine, 0))
	e.amid(leadersLink, early, works("cluster create more --shards 2 --replicas 1 --memory 64mb", nine, 4))
	e.moves("orders", "more")
	e.amid(hostsLink, early, works("cluster modify orders --replicas 1", six, 0))
	e.amid(quorum, early, works("host drain h3", six, drained))
	e.registered()
	e.quiet()
	e.judgeAll()
}
