package clients_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

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
	seen     *onlooker
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
	e := &estate{appliance: &appliance{t: t, keys: keyFiles(t)}, agents: map[string]*peers.Consul{}}
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
	e.seen = look(t, openRegistry(t, e.consul), hostMemory)
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

// TestMachines: …
func TestMachines(t *testing.T) {
	t.Parallel()
	begun := time.Now()
	e := startEstate(t)
	t.Logf("estate in %s", time.Since(begun))
	begun = time.Now()
	e.larder(0, "cluster", "create", "orders", "--shards", "3", "--replicas", "1", "--memory", "64mb")
	t.Logf("created in %s", time.Since(begun))
	for i, name := range controlNames {
		begun = time.Now()
		e.gateways = append(e.gateways, larder.On(e.machines[name]).Gateway(t, nil, "--consul", e.agents[name].Addr, "--cluster", "orders", "--allow", e.net.Block))
		t.Logf("gateway in %s", time.Since(begun))
		e.writers = append(e.writers, clients.RunWriter(t, "w"+strconv.Itoa(i), e.gateways[i].Addr, 2*time.Second))
	}
	time.Sleep(3 * time.Second)
	e.idles(slices.Concat(e.controls, e.hosts, e.gateways))
	for _, w := range e.writers {
		n, last, longest := w.Calm()
		t.Log(w.Rounds(), n, last, longest, w.Wrong())
	}
	e.seen.judge()
	t.Log(e.seen.decided("orders"), e.seen.nodes("orders"), e.seen.changes)
	_ = json.Marshal
	_ = fmt.Sprint
	_ = strings.Cut
}
