package clients_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	admin "larder/backends"
	"larder/control/controller"
	"larder/control/host/client"
	"larder/internal/clients"
	"larder/internal/peers"
	"larder/router"
)

// premises are a host as its controller has it, which is the test.
type premises struct {
	t       *testing.T
	consul  *peers.Consul
	process *clients.Process
	dir     string
	args    []string
	asks    *client.Client
	nodes   *admin.Managed
	host    controller.Host
	version uint64
	wants   []controller.Assignment
}

const hostKey = "the-key-of-this-fleet"

func startPremises(t *testing.T) *premises {
	t.Helper()
	p := &premises{t: t, consul: peers.StartConsul(t), dir: t.TempDir(), asks: client.New(hostKey), nodes: admin.NewManaged(admin.Auth{})}
	t.Cleanup(p.asks.Close)
	t.Cleanup(p.nodes.Close)
	key := filepath.Join(t.TempDir(), "key")
	p.must(os.WriteFile(key, []byte(hostKey+"\n"), 0o600))
	const ports = 20
	first := peers.FreePorts(t, ports)
	p.host = controller.Host{ID: "h", Addr: fmt.Sprintf("127.0.0.1:%d", peers.FreePort(t))}
	p.args = []string{
		"--consul", p.consul.Addr, "--key-file", key, "--id", "h", "--zone", "z", "--memory", "512mb", "--listen", p.host.Addr,
		"--ports", fmt.Sprintf("%d-%d", first, first+ports-1),
	}
	p.process = larder.Host(t, p.dir, p.args...)
	return p
}

func (p *premises) must(err error) {
	p.t.Helper()
	if err != nil {
		p.t.Fatal(err)
	}
}

func (p *premises) eventually(what string, so func() bool) {
	p.t.Helper()
	if !holds(peers.Patience, so) {
		p.t.Fatalf("never: %s; told %+v", what, p.says())
	}
}

func (p *premises) says() controller.HostSays {
	p.t.Helper()
	says, err := p.asks.Says(p.t.Context(), p.host)
	p.must(err)
	return says
}

func (p *premises) node(name string) controller.Running {
	p.t.Helper()
	for _, r := range p.says().Nodes {
		if r.Node == name {
			return r
		}
	}
	return controller.Running{}
}

// order has the host have these nodes, and those of before.
func (p *premises) order(parameters map[string]string, names ...string) {
	p.t.Helper()
	p.version++
	for _, name := range names {
		p.wants = append(p.wants, controller.Assignment{Node: name, Shard: len(p.wants), Memory: 32 << 20, MaxMemory: 24 << 20})
	}
	p.must(p.asks.Obey(p.t.Context(), p.host, controller.Order{Host: "h", Cluster: "c", Version: p.version, Nodes: p.wants, Parameters: parameters}))
}

// runs waits until a node runs that is another run than before.
func (p *premises) runs(name, before string) controller.Running {
	p.t.Helper()
	var r controller.Running
	p.eventually(name+" runs", func() bool { r = p.node(name); return r.Run != "" && r.Run != before })
	return r
}

// pids are a node's processes: there is one at most.
func (p *premises) pids(name string) []int {
	p.t.Helper()
	return clients.Running(p.t, filepath.Join(p.dir, "nodes", name))
}

func (p *premises) pid(name string) int {
	p.t.Helper()
	pids := p.pids(name)
	if len(pids) != 1 {
		p.t.Fatalf("node %s is the processes %v", name, pids)
	}
	return pids[0]
}

func (p *premises) kill(name string) {
	p.t.Helper()
	p.must(syscall.Kill(p.pid(name), syscall.SIGKILL))
}

// leads has a node be its shard's primary, and gives a connection to it.
func (p *premises) leads(r controller.Running, epoch uint64) *clients.Wire {
	p.t.Helper()
	run := router.Run{Node: r.Node, ID: r.Run}
	p.must(p.nodes.Show(p.t.Context(), r.Addr, &router.Record{Epoch: epoch, Term: epoch, Reign: epoch, Primary: run, Set: []router.Run{run}, MinInSync: 1}, nil))
	return open(p.t, r.Addr)
}

// announced is the session under which Consul knows the host, empty if it does not.
func (p *premises) announced() string {
	p.t.Helper()
	text := p.consul.Ask("GET", "/v1/kv/"+controller.HostKey("h")+"?raw", "", "", nil)
	_, rest, _ := strings.Cut(text, `"session":"`)
	session, _, _ := strings.Cut(rest, `"`)
	return session
}

// TestHost: real nodes of a real host. One that is killed is started again with its data; the host is killed, and its nodes go on and are taken over, also those
// that it had only just begun to start; one that cannot be started is told of with the reason, and a log that nobody can write does no harm.
func TestHost(t *testing.T) {
	t.Parallel()
	p := startPremises(t)
	p.eventually("announced", func() bool { return p.announced() == p.says().Session })
	stranger := client.New("another-key-of-a-fleet")
	defer stranger.Close()
	if _, err := stranger.Says(t.Context(), p.host); !errors.Is(err, client.ErrKey) {
		t.Errorf("with another key: %v", err)
	}

	full := filepath.Join(p.dir, "nodes", "c-2") // as on a disk that is full
	p.must(os.MkdirAll(full, 0o700))
	p.must(os.Symlink("/dev/full", filepath.Join(full, "node.log")))
	broken := filepath.Join(p.dir, "nodes", "c-3")
	p.must(os.MkdirAll(broken, 0o700))
	p.must(os.WriteFile(filepath.Join(broken, "dump.rdb"), []byte("no dump"), 0o600))
	p.order(map[string]string{"appendonly": "yes", "appendfsync": "always"}, "c-1", "c-2", "c-3")
	one, two := p.runs("c-1", ""), p.runs("c-2", "")

	w := p.leads(one, 1)
	answers(t, w, "+OK\r\n", "SET", "key", "value")
	p.kill("c-1")
	again := p.runs("c-1", one.Run)
	if again.Exited != one.Run || again.Addr != one.Addr {
		t.Errorf("started again as %+v, was %+v", again, one)
	}
	w = p.leads(again, 2)
	answers(t, w, "$5\r\nvalue\r\n", "GET", "key")

	session, pids := p.says().Session, []int{p.pid("c-1"), p.pid("c-2")}
	p.process.Kill()
	answers(t, w, "$5\r\nvalue\r\n", "GET", "key") // over the same connection
	p.process.Start(t)
	if got := p.runs("c-1", ""); got != again || p.runs("c-2", "").Run != two.Run || !slices.Equal(pids, []int{p.pid("c-1"), p.pid("c-2")}) {
		t.Errorf("taken over as %+v, was %+v", got, again)
	}
	if p.says().Session == session {
		t.Error("another process has the same session")
	}
	p.eventually("announced by the other process", func() bool { return p.announced() == p.says().Session })

	p.process.Kill()
	p.kill("c-2")
	p.process.Start(t)
	if got := p.runs("c-2", two.Run); got.Exited != two.Run {
		t.Errorf("started again as %+v, was %+v", got, two)
	}
	p.eventually("what cannot be started is told", func() bool { return p.node("c-3").Failed != "" })
	if why := p.node("c-3").Failed; !strings.Contains(why, "dump.rdb") {
		t.Errorf("c-3 fails: %s", why)
	}

	dice := dice(t)
	for i := range 5 {
		name := "c-" + strconv.Itoa(4+i)
		p.order(nil, name)
		time.Sleep(time.Duration(dice.Int64N(int64(60 * time.Millisecond)))) // wherever it is by now, it is killed there
		p.process.Kill()
		p.process.Start(t)
		run := p.runs(name, "")
		if pid := p.pid(name); run.Run != p.runs(name, "").Run || pid != p.pid(name) {
			t.Errorf("%s is run %+v, process %d, and then another", name, run, pid)
		}
	}
	p.wants[0].Stop = true
	p.order(nil)
	p.eventually("c-1 is gone", func() bool { return p.node("c-1").Node == "" })
	if _, err := os.Stat(filepath.Join(p.dir, "nodes", "c-1")); len(p.pids("c-1")) != 0 || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("c-1 is there still: %v, %v", p.pids("c-1"), err)
	}
	p.endsInOrder()
}

// endsInOrder: told to end, the host leaves its nodes running, unless it is said that they end with it; then the next one starts them.
func (p *premises) endsInOrder() {
	p.t.Helper()
	end := func(process *clients.Process) {
		p.t.Helper()
		p.must(process.Terminate())
		if code := process.Wait(p.t); code != 0 {
			p.t.Errorf("it ends with code %d", code)
		}
	}
	before := p.runs("c-2", "")
	end(p.process)
	if p.pid("c-2"); p.announced() == "" {
		p.t.Error("a host whose nodes go on has taken itself back: another start is to go unnoticed")
	}
	p.process = larder.Host(p.t, p.dir, append([]string{"--stop-nodes"}, p.args...)...)
	if got := p.runs("c-2", ""); got.Run != before.Run {
		p.t.Errorf("taken over as %+v, was %+v", got, before)
	}
	end(p.process)
	if left := clients.Running(p.t, p.dir); len(left) != 0 || p.announced() != "" {
		p.t.Errorf("left: processes %v, announced as %q", left, p.announced())
	}
	p.process = larder.Host(p.t, p.dir, p.args...)
	if got := p.runs("c-2", ""); got.Run == before.Run || got.Exited != before.Run {
		p.t.Errorf("started again as %+v, was %+v", got, before)
	}
}
