package clients_test

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/backends/registry"
	"larder/internal/clients"
	"larder/internal/peers"
)

// estate is an appliance whose parts are on machines of their own. A controller has a gateway beside it; each machine that is no Consul server has an agent.
type estate struct {
	*appliance
	net      *peers.Network
	machines map[string]*peers.Machine
	servers  []*peers.Consul
	agents   map[string]*peers.Consul // by machine; the test's own is never killed
	gateways []*clients.Process
	writers  []*clients.Writer
	registry registry.Registry // as the test has it
	said     string            // why a controller has not done what it was asked last
	seen     *onlooker
	chance   *rand.Rand
}

// hostMemory is each host's: room for what the tests want of it, and for little more.
const hostMemory = 400 << 20

var (
	serverNames  = []string{"server0", "server1", "server2"}
	controlNames = []string{"control0", "control1"}
	hostNames    = []string{"h1", "h2", "h3"}
)

func startEstate(t *testing.T) *estate {
	t.Helper()
	e := &estate{appliance: &appliance{t: t, keys: keyFiles(t)}, agents: map[string]*peers.Consul{}, chance: dice(t)}
	e.net, e.machines = peers.StartNetwork(t, slices.Concat(serverNames, controlNames, hostNames)...)
	on := func(names []string) (all []*peers.Machine) {
		for _, name := range names {
			all = append(all, e.machines[name])
		}
		return all
	}
	withAgents := slices.Concat(controlNames, hostNames)
	servers, agents := peers.StartConsulsOn(t, on(serverNames), append(on(withAgents), e.net.Here))
	for i, name := range withAgents {
		e.agents[name] = agents[i]
	}
	e.servers, e.consul = servers, agents[len(agents)-1]
	e.registry = openRegistry(t, e.consul)
	e.seen = look(t, e.registry, hostMemory)
	for _, name := range controlNames {
		api := e.machines[name].Addr(peers.FreePort(t))
		e.apis = append(e.apis, "http://"+api)
		e.controls = append(e.controls, larder.On(e.machines[name]).Role(t, "control", "--consul", e.agents[name].Addr, "--listen", api,
			"--api-key-file", e.keys["api"], "--key-file", e.keys["fleet"]))
	}
	for i, name := range hostNames {
		e.hosts = append(e.hosts, larder.On(e.machines[name]).Host(t, "--consul", e.agents[name].Addr, "--listen", e.machines[name].Addr(peers.FreePort(t)),
			"--key-file", e.keys["fleet"], "--id", name, "--zone", string(rune('a'+i)), "--memory", strconv.Itoa(hostMemory), "--allow", e.net.Block))
	}
	e.known(len(hostNames))
	return e
}

// gateway starts one on a controller's machine.
func (e *estate) gateway(control int, args ...string) *clients.Process {
	e.t.Helper()
	name := controlNames[control]
	return larder.On(e.machines[name]).Gateway(e.t, nil, append([]string{"--consul", e.agents[name].Addr, "--allow", e.net.Block}, args...)...)
}

// all are the processes that ask Consul.
func (e *estate) all() []*clients.Process { return slices.Concat(e.controls, e.hosts, e.gateways) }

// asks says a command to a controller, the other one if that does not answer. Both may be without one that leads.
func (e *estate) asks(words ...string) (said string, ok bool) {
	e.t.Helper()
	for _, api := range e.apis {
		said, wrong, code := larder.Run(e.t, append(words, "--api", api, "--api-key-file", e.keys["api"])...)
		if code == 0 {
			return said, true
		}
		e.said = wrong
	}
	return "", false
}

// trouble is what happens amid some work, and its end.
type trouble struct {
	what  string
	begin func(e *estate) (end func())
	lasts time.Duration
	cut   bool // a machine's link: who is served by way of it is not, for that time
}

// consulLeads is the Consul server that leads.
func (e *estate) consulLeads() *peers.Consul {
	e.t.Helper()
	var leads *peers.Consul
	eventually(e.t, "a server of Consul leads", func() bool {
		at := slices.IndexFunc(e.servers, func(s *peers.Consul) bool { return s.Leads(e.consul.Leader()) })
		if at >= 0 {
			leads = e.servers[at]
		}
		return at >= 0
	})
	return leads
}

func killed(c ...*peers.Consul) (again func()) {
	for _, c := range c {
		c.Kill()
	}
	return func() {
		for _, c := range c {
			c.Again()
		}
	}
}

var (
	consulLeader = trouble{what: "the Consul server that leads is killed", lasts: 2 * time.Second, begin: func(e *estate) func() { return killed(e.consulLeads()) }}
	leadersAgent = trouble{what: "the agent of the controller that leads is killed", lasts: 2 * time.Second, begin: func(e *estate) func() {
		return killed(e.agents[controlNames[e.leads()]])
	}}
	hostsAgent = trouble{what: "a host's agent is killed", lasts: 3 * time.Second, begin: func(e *estate) func() {
		return killed(e.agents[hostNames[e.chance.IntN(len(hostNames))]])
	}}
	quorum = trouble{what: "two Consul servers of three are killed", lasts: 20 * time.Second, begin: func(e *estate) func() {
		first := e.chance.IntN(len(e.servers))
		return killed(e.servers[first], e.servers[(first+1)%len(e.servers)])
	}}
	leadersLink = trouble{what: "the machine of the controller that leads is cut off", lasts: 4 * time.Second, cut: true, begin: func(e *estate) func() {
		m := e.machines[controlNames[e.leads()]]
		m.Cut()
		return m.Mend
	}}
	hostsLink = trouble{what: "a host's machine is cut off", lasts: 3 * time.Second, cut: true, begin: func(e *estate) func() {
		m := e.machines[hostNames[e.chance.IntN(len(hostNames))]]
		m.Cut()
		return m.Mend
	}}
)

// amid begins some work, has some trouble at any moment in it, and waits until the work is done and all is as it should be: so many nodes, and what the test
// says of them.
func (e *estate) amid(x trouble, want map[string]int, words ...string) {
	e.t.Helper()
	title := strings.Join(words, " ")
	decided := e.seen.decided("")
	e.calm(title, false)
	begun := time.Now()
	eventually(e.t, "larder "+title, func() bool { _, ok := e.asks(append(words, "--no-wait")...); return ok })
	wait := time.Duration(e.chance.Int64N(int64(300 * time.Millisecond)))
	time.Sleep(wait) // wherever it is by now
	end := x.begin(e)
	time.Sleep(x.lasts) // so long it is
	end()
	ended, before := time.Now(), e.asked(e.all())
	eventually(e.t, title+" is done", func() bool {
		said, ok := e.asks("cluster", "tasks", "--json")
		return ok && !strings.Contains(said, `"running"`)
	})
	done := time.Since(ended)
	e.settled(want)
	settled := time.Since(ended)
	e.t.Logf("larder %s; %s after %s, for %s; done in %s, %s after that; all settled %s after; %d decisions, %.0f requests to Consul since",
		title, x.what, wait, x.lasts, ended.Add(done).Sub(begun), done, settled, e.seen.decided("")-decided, e.asked(e.all())-before)
	e.calm(title, x.cut)
	e.seen.judge()
}

// calm wants that clients have noticed nothing, but where a link was cut.
func (e *estate) calm(when string, cut bool) {
	e.t.Helper()
	for i, w := range e.writers {
		failures, last, longest := w.Calm()
		e.t.Logf("%s: writer %d has %d writes, waited for %s at most, %d failed, as %s", when, i, w.Rounds(), longest, failures, last)
		if failures > 0 && !cut {
			e.t.Errorf("%s: %d commands failed, as %s", when, failures, last)
		}
		for _, text := range w.Wrong() {
			e.t.Error(text)
		}
	}
}

// settled waits until the cluster has the nodes that it should have, and all that should be is registered; and wants that no node has ended by itself or is
// there twice, and that no host has more than fits.
func (e *estate) settled(want map[string]int) {
	e.t.Helper()
	var got map[string]int
	so := func() bool {
		said, ok := e.asks("node", "list", "--cluster", "orders", "--json")
		if !ok {
			return false
		}
		got = countNodes(e.t, said)
		for what, n := range want {
			if got[what] != n {
				return false
			}
		}
		return e.passing("cache-orders") == want["all"] && e.passing("cache-orders-gateway") == len(e.gateways) && e.announced() == len(hostNames)
	}
	for deadline := time.Now().Add(peers.Patience); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			e.t.Fatalf("not settled: nodes %v, want %v; services %d, gateways %d, hosts %d; %s", got, want, e.passing("cache-orders"),
				e.passing("cache-orders-gateway"), e.announced(), e.said)
		}
	}
	for _, h := range e.hosts {
		for _, m := range []string{"larder_host_nodes_ended_total", "larder_host_nodes_failed"} {
			if n := sample(e.t, h, m); n > 0 {
				e.t.Errorf("%s is %v", m, n)
			}
		}
		if held := sample(e.t, h, "larder_host_memory_held_bytes"); held > hostMemory {
			e.t.Errorf("a host of %d bytes has given nodes %v", hostMemory, held)
		}
	}
}

// passing is how many instances of a service Consul offers.
func (e *estate) passing(service string) int {
	e.t.Helper()
	var found []struct{}
	_ = json.Unmarshal([]byte(e.consul.Ask("GET", "/v1/health/service/"+service+"?passing", "", "", nil)), &found)
	return len(found)
}

// announced is how many hosts are, by a session that lives.
func (e *estate) announced() (n int) {
	e.t.Helper()
	var found []struct{ Session string }
	_ = json.Unmarshal([]byte(e.consul.Ask("GET", "/v1/kv/larder/hosts/?recurse", "", "", nil)), &found)
	for _, h := range found {
		if h.Session != "" {
			n++
		}
	}
	return n
}

// sample is a metric of a process that has no labels.
func sample(t *testing.T, p *clients.Process, name string) float64 {
	t.Helper()
	for line := range strings.Lines(scrape(t, p.Metrics)) {
		if value, ok := strings.CutPrefix(line, name+" "); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
	}
	t.Fatalf("there is no metric %s", name)
	return 0
}

// TestMachines: …
func TestMachines(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	e := startEstate(t)
	t.Logf("all is started in %s", time.Since(begun))
	begun = time.Now()
	six := map[string]int{"all": 6, "running": 6, "primary": 3, "replica": 3}
	nine := map[string]int{"all": 9, "running": 9, "primary": 3, "replica": 6}
	e.amid(consulLeader, six, "cluster", "create", "orders", "--shards", "3", "--replicas", "1", "--memory", "64mb")
	t.Logf("created in %s", time.Since(begun))
	for i := range controlNames {
		begun = time.Now()
		e.gateways = append(e.gateways, e.gateway(i, "--cluster", "orders"))
		t.Logf("a gateway is ready in %s, target 300 ms", time.Since(begun))
		e.writers = append(e.writers, clients.RunWriter(t, "w"+strconv.Itoa(i), e.gateways[i].Addr, 2*time.Second))
	}
	e.amid(leadersAgent, nine, "cluster", "modify", "orders", "--replicas", "2")
	e.amid(hostsAgent, nine, "cluster", "modify", "orders", "--memory", "96mb")
	e.amid(leadersLink, six, "cluster", "modify", "orders", "--replicas", "1")
	e.amid(quorum, six, "host", "drain", "h3")
	e.idles(e.all())
	e.t.Log(e.seen.decided("orders"), e.seen.nodes("orders"), e.seen.changes)
	for _, w := range e.writers {
		w.Stop()
		for _, g := range e.gateways {
			t.Logf("%d keys are as they should be", w.Judge(t, g.Addr))
		}
	}
}
