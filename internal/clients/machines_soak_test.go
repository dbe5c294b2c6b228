//go:build soak

package clients_test

import (
	"maps"
	"slices"
	"testing"
	"time"
)

// Troubles that are too long, or too many, for each day.
var (
	serversLink = trouble{"the Consul server that leads is cut off", 5 * time.Second, false, func(e *estate) func() {
		return e.cut(serverNames[slices.Index(e.servers, e.consulLeads())])
	}}
	leadersAgentFreezes = trouble{"the agent of the controller that leads hangs", 15 * time.Second, false, func(e *estate) func() {
		a := e.agents[e.leadersMachine()]
		a.Freeze()
		return a.Thaw
	}}
	leaderFreezes = trouble{"the controller that leads hangs", 5 * time.Second, false, func(e *estate) func() {
		c := e.controls[e.leads()]
		c.Freeze(e.t)
		return func() { c.Thaw(e.t) }
	}}
	hostsAgentLong = trouble{"a host's agent is killed", 25 * time.Second, false, hostsAgent.begin}
	// It comes back under another id, which Consul takes only when it knows that the one of before is gone.
	hostsAgentEmpty = trouble{"a host's agent is killed and loses its files", 20 * time.Second, false, func(e *estate) func() {
		a := e.agents[e.anyHost()]
		again := killed(a)
		a.Forget()
		return again
	}}
	allOfConsul = trouble{"all of Consul is killed", 25 * time.Second, false, func(e *estate) func() {
		return killed(append(slices.Collect(maps.Values(e.agents)), e.servers...)...)
	}}
)

// TestSoakMachines is TestMachines with any trouble amid any work, begun at any moment of it.
func TestSoakMachines(t *testing.T) {
	e := startEstate(t, t.TempDir)
	troubles := []trouble{
		consulLeader, leadersAgent, hostsAgent, quorum, leadersLink, hostsLink,
		serversLink, leadersAgentFreezes, leaderFreezes, hostsAgentLong, hostsAgentEmpty, allOfConsul,
	}
	var left []trouble // each has its turn
	next := func(words string, has map[string]int, adds int) {
		t.Helper()
		if len(left) == 0 {
			left = slices.Clone(troubles)
			e.chance.Shuffle(len(left), func(i, j int) { left[i], left[j] = left[j], left[i] })
		}
		const late = 1500 * time.Millisecond
		e.amid(left[0], late, works(words, has, adds))
		left = left[1:]
		if t.Failed() {
			t.FailNow()
		}
	}
	next("cluster create orders --shards 3 --replicas 1 --memory 64mb", six, 6)
	e.serves("orders")
	for begun := time.Now(); time.Since(begun) < 15*time.Minute; {
		next("cluster create more --shards 2 --replicas 1 --memory 64mb", six, 4)
		host := e.anyHost()
		next("host drain "+host, six, drained)
		e.sure("host", "drain", host, "--undo")
		next("cluster modify orders --memory 96mb", six, 0)
		next("cluster modify orders --replicas 2", nine, 3)
		next("cluster delete more --yes", nine, 0)
		next("cluster modify orders --memory 64mb", nine, 0)
		next("cluster modify orders --replicas 1", six, 0)
		e.registered()
		e.quiet()
	}
	e.judgeAll()
}
