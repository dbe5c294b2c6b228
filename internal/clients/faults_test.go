package clients_test

import (
	"strconv"
	"testing"
	"time"

	"larder/internal/clients"
	"larder/internal/peers"
)

// fault is something that happens to a ward for some time. What is said of a primary or of replicas is said of the shard of that number.
type fault struct {
	what   string
	lasts  time.Duration
	closes bool // it ends gateways, so clients' connections end with them
	silent bool // clients may see no error
	begin  func(w *ward, shard int) (end func())
}

func nothing() {}

// both has two faults happen at once.
func both(what string, a, b fault) fault {
	return fault{what, max(a.lasts, b.lasts), a.closes || b.closes, false, func(w *ward, shard int) func() {
		endA := a.begin(w, shard)
		endB := b.begin(w, shard)
		return func() { endB(); endA() } // a process that begins again may need the link that was cut after it had ended
	}}
}

// killed is kill -9 of nodes: their hosts start them again.
func killedNodes(nodes func(w *ward, shard int) []string) func(w *ward, shard int) func() {
	return func(w *ward, shard int) func() {
		for _, p := range w.processes(nodes(w, shard)...) {
			p.Kill()
		}
		return nothing
	}
}

func frozenNodes(nodes func(w *ward, shard int) []string) func(w *ward, shard int) func() {
	return func(w *ward, shard int) func() {
		all := w.processes(nodes(w, shard)...)
		for _, p := range all {
			p.Freeze(w.t)
		}
		return func() {
			for _, p := range all {
				p.Thaw(w.t)
			}
		}
	}
}

func thePrimary(w *ward, shard int) []string   { return []string{w.primary(shard)} }
func allReplicas(w *ward, shard int) []string  { return w.replicas(shard) }
func firstReplica(w *ward, shard int) []string { return w.replicas(shard)[:1] }

// restarted kills a process, and starts it again at the end.
func restarted(t *testing.T, p *clients.Process) (again func()) {
	p.Kill()
	return func() { p.Start(t) }
}

func (w *ward) primaryMachine(shard int) *peers.Machine {
	return w.machines[hostNames[w.host(w.primary(shard))]]
}

// otherMachine is that of the controller that does not lead.
func (w *ward) otherMachine() string { return controlNames[1-w.leads()] }

// deaf has a machine hear nothing of others.
func (w *ward) deaf(machine string, others []string) (end func()) {
	m := w.machines[machine]
	for _, name := range others {
		m.Ignore(w.machines[name])
	}
	return m.Hear
}

const (
	moment = time.Second
	longer = 5 * time.Second
)

// faults of one part.
var (
	primaryKilled  = fault{"primary: kill -9", moment, false, false, killedNodes(thePrimary)}
	primaryFrozen  = fault{"primary: SIGSTOP for 5 s", longer, false, false, frozenNodes(thePrimary)}
	replicaKilled  = fault{"a replica: kill -9", moment, false, false, killedNodes(firstReplica)}
	replicaFrozen  = fault{"a replica: SIGSTOP for 5 s", longer, false, false, frozenNodes(firstReplica)}
	replicasKilled = fault{"both replicas: kill -9", moment, false, false, killedNodes(allReplicas)}
	replicasFrozen = fault{"both replicas: SIGSTOP for 5 s", longer, false, false, frozenNodes(allReplicas)}
	hostKilled     = fault{"the primary's host and all its nodes: kill -9, back after 5 s", longer, false, false, func(w *ward, shard int) func() {
		at := w.host(w.primary(shard))
		again := restarted(w.t, w.hosts[at])
		for _, pid := range clients.Running(w.t, w.folders[hostNames[at]]) {
			clients.PID(pid).Kill()
		}
		return again
	}}
	hostOnlyKilled = fault{"the primary's host, not its nodes: kill -9, back after 5 s", longer, false, false, func(w *ward, shard int) func() {
		return restarted(w.t, w.hosts[w.host(w.primary(shard))])
	}}
	hostCutOff = fault{"the primary's machine: cut off for 5 s", longer, false, false, func(w *ward, shard int) func() {
		m := w.primaryMachine(shard)
		m.Cut()
		return m.Mend
	}}
	hostSlow = fault{"the primary's machine: 256 kbit/s for 5 s", longer, false, false, func(w *ward, shard int) func() {
		m := w.primaryMachine(shard)
		const bits = 256_000
		m.Slow(bits)
		return func() { m.Slow(0) }
	}}
	hostLossy = fault{"the primary's machine: one packet in five is lost for 5 s", longer, false, false, func(w *ward, shard int) func() {
		m := w.primaryMachine(shard)
		const oneIn = 5
		m.Lose(oneIn)
		return m.Hear
	}}
	lateReplicas = fault{"primary: kill -9, when the machines of both replicas lose one packet in three for 6 s", longer, false, false, func(w *ward, shard int) func() {
		machines := map[int]*peers.Machine{}
		for _, node := range w.replicas(shard) {
			at := w.host(node)
			machines[at] = w.machines[hostNames[at]]
			const oneIn = 3
			machines[at].Lose(oneIn)
		}
		time.Sleep(moment) // what is behind is to be so for some time
		primaryKilled.begin(w, shard)
		return func() {
			for _, m := range machines {
				m.Hear()
			}
		}
	}}
	gatewayKilled = fault{"a gateway: kill -9, back after 1 s", moment, true, false, func(w *ward, _ int) func() { return restarted(w.t, w.gateways[0]) }}
	gatewayFrozen = fault{"a gateway: SIGSTOP for 5 s", longer, false, false, func(w *ward, _ int) func() {
		w.gateways[0].Freeze(w.t)
		return func() { w.gateways[0].Thaw(w.t) }
	}}
	gatewayFromNodes = fault{"a gateway: hears no node for 5 s", longer, false, false, func(w *ward, _ int) func() {
		return w.deaf(w.otherMachine(), hostNames)
	}}
	gatewayFromRegistry = fault{"a gateway: hears nobody of Consul for 5 s", longer, false, false, func(w *ward, _ int) func() {
		return w.deaf(w.otherMachine(), serverNames)
	}}
	leaderFromRegistry = fault{"the controller that leads, and a gateway beside it: hear nobody of Consul for 5 s", longer, false, false, func(w *ward, _ int) func() {
		return w.deaf(w.leadersMachine(), serverNames)
	}}
	controllerKilled = fault{"the controller that leads: kill -9", moment, false, false, func(w *ward, _ int) func() { return restarted(w.t, w.controls[w.leads()]) }}
	controllerFrozen = fault{"the controller that leads: SIGSTOP for a minute", time.Minute, false, false, func(w *ward, _ int) func() {
		c := w.controls[w.leads()]
		c.Freeze(w.t)
		return func() { c.Thaw(w.t) }
	}}
	consulLeaderKilled = fault{"the Consul server that leads: kill -9, back after 1 s", moment, false, false, func(w *ward, _ int) func() { return killed(w.consulLeads()) }}
	agentKilled        = fault{"the Consul agent of the controller that leads: kill -9, back after 5 s", longer, false, false, func(w *ward, _ int) func() {
		return killed(w.agents[w.leadersMachine()])
	}}
	hostAgentKilled = fault{"the Consul agent of the primary's host: kill -9, back after 5 s", longer, false, false, func(w *ward, shard int) func() {
		return killed(w.agents[hostNames[w.host(w.primary(shard))]])
	}}
)

// what operators do.
var (
	plannedSwitch = fault{"`larder cluster failover --planned`", 0, false, true, func(w *ward, shard int) func() {
		w.sure("cluster", "failover", "orders", "--planned", "--shard", strconv.Itoa(shard))
		return nothing
	}}
	nodeReplaced = fault{"`larder node replace` of the primary", 0, false, true, func(w *ward, shard int) func() {
		w.sure("node", "replace", w.primary(shard))
		return nothing
	}}
	gatewayTold = fault{"a gateway: SIGTERM, another one after 1 s", moment, true, false, func(w *ward, _ int) func() {
		g := w.gateways[0]
		if err := g.Terminate(); err != nil {
			w.t.Fatal(err)
		}
		return func() {
			g.Wait(w.t)
			g.Start(w.t)
		}
	}}
)

// faults of two parts at once.
var (
	primaryAndController  = both("primary and the controller that leads: kill -9", primaryKilled, controllerKilled)
	primaryAndAgent       = both("primary, and the Consul agent of the controller that leads: kill -9", primaryKilled, agentKilled)
	primaryAndConsul      = both("primary, and the Consul server that leads: kill -9", primaryKilled, consulLeaderKilled)
	primaryAndReplica     = both("primary and a replica: kill -9", primaryKilled, replicaKilled)
	primaryAndFrozen      = both("primary: kill -9, a replica: SIGSTOP for 5 s", primaryKilled, replicaFrozen)
	primaryUnknownGateway = both("primary: kill -9, while a gateway hears nobody of Consul", gatewayFromRegistry, primaryKilled)
	frozenUnknownGateway  = both("primary: SIGSTOP for 5 s, while a gateway hears nobody of Consul", gatewayFromRegistry, primaryFrozen)
	cutOffAndConsul       = both("the primary's machine: cut off for 5 s, and the Consul server that leads: kill -9", hostCutOff, consulLeaderKilled)
	frozenAndController   = both("primary: SIGSTOP for 5 s, and the controller that leads: kill -9", primaryFrozen, controllerKilled)
	primaryAndAsleep      = both("primary: kill -9, while the controller that leads is stopped for a minute", controllerFrozen, primaryKilled)
	primaryUnknownLeader  = both("primary: kill -9, while the controller that leads hears nobody of Consul", leaderFromRegistry, primaryKilled)
	primaryAndGateway     = both("primary and a gateway: kill -9", primaryKilled, gatewayKilled)
)
