package clients_test

import (
	"encoding/json"
	"fmt"
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

// estate is an appliance whose parts are on machines of their own, each with a link to the others. A controller has gateways beside it; each machine that is no
// Consul server has an agent.
type estate struct {
	*appliance
	net      *peers.Network
	machines map[string]*peers.Machine
	servers  []*peers.Consul
	agents   map[string]*peers.Consul // by machine; the test's own is never killed
	gateways []*clients.Process       // of the cluster
	moving   []*clients.Process       // of the endpoint
	writers  []*clients.Writer
	folders  map[string]string // of hosts, by their names
	registry registry.Registry // as the test has it
	said     string            // why a controller has not done what it was asked last
	seen     *onlooker
	chance   *rand.Rand
}

// hostMemory is each host's: room for what the tests want of it, and for little more.
const hostMemory = 448 << 20

var (
	serverNames  = []string{"server0", "server1", "server2"}
	controlNames = []string{"control0", "control1"}
	hostNames    = []string{"h1", "h2", "h3"}
)

// startEstate takes what makes a folder for a host.
func startEstate(t *testing.T, folder func() string) *estate {
	t.Helper()
	begun := time.Now()
	e := &estate{appliance: &appliance{t: t, keys: keyFiles(t)}, agents: map[string]*peers.Consul{}, folders: map[string]string{}, chance: dice(t)}
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
		e.folders[name] = folder()
		e.hosts = append(e.hosts, larder.On(e.machines[name]).Host(t, e.folders[name], "--consul", e.agents[name].Addr,
			"--listen", e.machines[name].Addr(peers.FreePort(t)), "--key-file", e.keys["fleet"], "--id", name, "--zone", string(rune('a'+i)),
			"--memory", strconv.Itoa(hostMemory), "--allow", e.net.Block))
	}
	e.known(len(hostNames))
	t.Logf("%d machines are there in %s", len(e.machines), time.Since(begun))
	return e
}

// serves starts gateways of the cluster, one beside each controller, and a writer at each.
func (e *estate) serves(cluster string) {
	e.t.Helper()
	for i := range controlNames {
		begun := time.Now()
		g := e.gateway(i, "--cluster", cluster)
		e.t.Logf("a gateway is ready in %s, target 300 ms", time.Since(begun))
		e.gateways = append(e.gateways, g)
		const patience = 2 * time.Second
		e.writers = append(e.writers, clients.RunWriter(e.t, "w"+strconv.Itoa(i), g.Addr, patience))
	}
}

// gateway starts one on a controller's machine.
func (e *estate) gateway(control int, args ...string) *clients.Process {
	e.t.Helper()
	name := controlNames[control]
	return larder.On(e.machines[name]).Gateway(e.t, nil, append([]string{"--consul", e.agents[name].Addr, "--allow", e.net.Block}, args...)...)
}

// all are the processes that ask Consul.
func (e *estate) all() []*clients.Process {
	return slices.Concat(e.controls, e.hosts, e.gateways, e.moving)
}

// asks says a command to a controller, and to the other one if that does not do it: it may be cut off, and there may be none that leads.
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

// done waits until nothing is being done.
func (e *estate) done() {
	e.t.Helper()
	var said string
	so := func() (ok bool) {
		said, ok = e.asks("cluster", "tasks", "--json")
		return ok && !strings.Contains(said, `"running"`)
	}
	if !holds(peers.Patience, so) {
		e.t.Fatalf("it is not done: %s%s", said, e.said)
	}
}

// has waits until the first cluster has the nodes that it should have, and wants that none has ended by itself, and that no host has more than fits.
func (e *estate) has(want map[string]int) {
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
		return true
	}
	if !holds(peers.Patience, so) {
		e.t.Fatalf("the nodes are %v, want %v; %s", got, want, e.said)
	}
	for i, h := range e.hosts {
		if n := metric(e.t, h, "larder_host_nodes_ended_total") + metric(e.t, h, "larder_host_nodes_failed"); n > 0 {
			e.t.Errorf("host %s: %v nodes have ended, or cannot be started", hostNames[i], n)
		}
		if held := metric(e.t, h, "larder_host_memory_held_bytes"); held > hostMemory {
			e.t.Errorf("host %s has %d bytes and has given nodes %v", hostNames[i], hostMemory, held)
		}
	}
}

// registered waits until all that should be is registered, and nothing else.
func (e *estate) registered() {
	e.t.Helper()
	want := map[string]int{"cache-orders-gateway": len(e.gateways), "cache-app-endpoint": len(e.moving)}
	said := e.sure("node", "list", "--json")
	for _, cluster := range []string{"orders", "more"} {
		want["cache-"+cluster] = strings.Count(said, `"cluster": "`+cluster+`"`)
	}
	for service, n := range want {
		var got []string
		if !holds(registeredWithin, func() bool { got = e.passing(service); return len(got) == n }) {
			e.t.Errorf("of service %s there are %v, want %d; the nodes are %s", service, got, n, said)
		}
	}
	if n := 0; !holds(peers.Patience, func() bool { n = e.announced(); return n == len(hostNames) }) {
		e.t.Errorf("%d hosts are announced", n)
	}
}

// registeredWithin is how long it may take until Consul's servers know what an agent knows that could not tell them: it tries again when it compares
// all, every minute or two.
const registeredWithin = 3 * time.Minute

// sure is asks for what must be done in the end.
func (e *estate) sure(words ...string) (said string) {
	e.t.Helper()
	if !holds(peers.Patience, func() (ok bool) { said, ok = e.asks(words...); return ok }) {
		e.t.Fatalf("%v: %s", words, e.said)
	}
	return said
}

// passing are the instances of a service that Consul offers, each with its agent's name.
func (e *estate) passing(service string) (all []string) {
	e.t.Helper()
	var found []struct {
		Node    struct{ Node string }
		Service struct{ ID string }
	}
	_ = json.Unmarshal([]byte(e.consul.Ask("GET", "/v1/health/service/"+service+"?passing", "", "", nil)), &found)
	for _, i := range found {
		all = append(all, i.Node.Node+": "+i.Service.ID)
	}
	return all
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

// calm wants that clients have noticed nothing, or, where a link was cut, that they are served again.
func (e *estate) calm(when string, cut bool) {
	e.t.Helper()
	for i, w := range e.writers {
		failures, last, longest := w.Calm()
		said := fmt.Sprintf("%s: writer %d has waited for %s at most, %d failed %s", when, i, longest.Round(time.Millisecond), failures, last)
		if failures > 0 && !cut {
			e.t.Error(said)
		} else {
			e.t.Log(said)
		}
		if cut {
			e.servedAgain(w)
		}
		for _, text := range w.Wrong() {
			e.t.Error(text)
		}
	}
}

// servedAgain waits until a writer has written some time without a failure.
func (e *estate) servedAgain(w *clients.Writer) {
	e.t.Helper()
	const enough = 100
	since := w.Rounds()
	eventually(e.t, "a writer is served again", func() bool {
		if failures, _, _ := w.Calm(); failures > 0 {
			since = w.Rounds()
		}
		return w.Rounds() >= since+enough
	})
}
