package clients_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"larder/internal/clients"
	"larder/internal/fleet"
	"larder/proxy"
)

// killedCommands are those of cutCommands with steps of every kind.
var killedCommands = []string{"RENAME of a set with an expiry", "RENAMENX", "COPY", "SMOVE", "LMOVE", "SINTERSTORE", "PFMERGE"}

// TestStepsKilled kills a process between the steps of commands over several shards, at each step, before the step has run and behind it: the node that is
// just asked (a redis-server that keeps on disk what it has acknowledged), or the gateway. When all are back nothing is lost, and what the client was told
// is true.
func TestStepsKilled(t *testing.T) {
	t.Parallel()
	t.Run("node", func(t *testing.T) {
		t.Parallel()
		nodes := map[string]*clients.Process{}
		s := &scissors{}
		var relays []string
		for range 3 {
			n := clients.Redis(t, "--appendonly", "yes", "--appendfsync", "always")
			nodes[n.Addr] = n
			relays = append(relays, relay(t, n.Addr, s))
		}
		gateway := fleet.Gateway(t, relays, func(o *proxy.Options) { o.CrossSlot = "allow" })
		var killed atomic.Pointer[clients.Process]
		s.kill = func(node string) {
			killed.Store(nodes[node])
			_ = syscall.Kill(nodes[node].PID(), syscall.SIGKILL)
		}
		eachKilled(t, s, gateway, func(t *testing.T) {
			killed.Load().Kill()
			killed.Load().Start(t)
		})
	})
	t.Run("gateway", func(t *testing.T) {
		t.Parallel()
		s := &scissors{}
		var relays []*clients.Process
		for _, node := range fleet.Nodes(t, 3) {
			relays = append(relays, &clients.Process{Addr: relay(t, node, s)})
		}
		gateway := larder.Gateway(t, relays, "--set", "gateway.cross-slot=allow")
		s.kill = func(string) { _ = syscall.Kill(gateway.PID(), syscall.SIGKILL) }
		eachKilled(t, s, gateway.Addr, func(t *testing.T) {
			gateway.Kill()
			gateway.Start(t)
		})
	})
}

func eachKilled(t *testing.T, s *scissors, gateway string, revive func(t *testing.T)) {
	for i := range cutCommands {
		c := &cutCommands[i]
		if !slices.Contains(killedCommands, c.name) {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			for _, reply := range []bool{false, true} {
				at := 1
				for c.runKilled(t, gateway, s, at, reply, revive) {
					at++
				}
				if at < 3 {
					t.Errorf("it has only %d steps", at-1)
				}
			}
		})
	}
}

// runKilled says whether somebody died.
func (c *cutCommand) runKilled(t *testing.T, gateway string, s *scissors, at int, reply bool, revive func(t *testing.T)) bool {
	t.Helper()
	s.arm(0, false)
	for _, line := range append([]string{"FLUSHALL"}, c.prepare...) {
		if got := sayUntilUp(t, gateway, line); got[0] == '-' {
			t.Fatalf("%s: %q", line, got)
		}
	}
	s.arm(at, reply)
	got := sayOnce(gateway, c.command)
	died := s.fell()
	s.arm(0, false)
	if died {
		revive(t)
	}
	var states []string
	for _, line := range c.look {
		states = append(states, sayUntilUp(t, gateway, line))
	}
	state := strings.Join(states, "|")
	where := fmt.Sprintf("killed at %d, the step has run: %v: replied %q, then %q", at, reply, got, state)
	if got == "" {
		got = "-UNKNOWN (the connection is lost)"
	}
	c.judge(t, where, got, state, died)
	return died
}

// sayOnce gives the reply, its words parted by one blank; empty if the connection is lost.
func sayOnce(addr, line string) string {
	w, err := clients.Open(addr)
	if err != nil {
		return ""
	}
	defer w.Close()
	reply, err := w.Do(strings.Fields(line)...)
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(string(reply)), " ")
}

// sayUntilUp asks until all who are needed for the reply are back.
func sayUntilUp(t *testing.T, addr, line string) string {
	t.Helper()
	got := ""
	eventually(t, line+" is answered", func() bool {
		got = sayOnce(addr, line)
		return got != "" && !strings.HasPrefix(got, "-CLUSTERDOWN ") && !strings.HasPrefix(got, "-LOADING ") && !strings.HasPrefix(got, "-UNKNOWN ")
	})
	return got
}
