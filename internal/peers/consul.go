package peers

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Consul is an agent of HashiCorp's Consul, which may be a server.
type Consul struct {
	Addr string // of its API: http://host:port
	DNS  string // host:port, UDP and TCP
	Name string // of its node

	t       testing.TB
	machine *Machine
	script  string
	dir     string   // its data
	args    []string // all, but for the servers that it joins
	serf    string   // where others join it
	joins   []*Consul
	p       *process
	running bool
}

// StartConsul runs one server, which keeps its data on the disk, until the test ends, and waits for it to lead; settings are further pieces of its
// configuration in HCL. It is built if that was never done on this machine (`make test` does it first).
func StartConsul(t testing.TB, settings ...string) *Consul {
	t.Helper()
	c := newConsul(t, nil, "server0", settings, "-server", "-bootstrap-expect=1")
	c.Again()
	c.Lead()
	return c
}

// StartConsuls runs three servers and an agent that is none, and waits for a leader.
func StartConsuls(t testing.TB, settings ...string) (servers []*Consul, agent *Consul) {
	t.Helper()
	servers, agents := StartConsulsOn(t, make([]*Machine, 3), []*Machine{nil}, settings...)
	return servers, agents[0]
}

// StartConsulsOn runs a server on each of some machines and an agent that is none on each of others, and waits for a leader.
func StartConsulsOn(t testing.TB, serversOn, agentsOn []*Machine, settings ...string) (servers, agents []*Consul) {
	t.Helper()
	expect := "-bootstrap-expect=" + strconv.Itoa(len(serversOn))
	for i, m := range serversOn {
		servers = append(servers, newConsul(t, m, "server"+strconv.Itoa(i), settings, "-server", expect))
	}
	for i, m := range agentsOn {
		agents = append(agents, newConsul(t, m, "agent"+strconv.Itoa(i), settings))
	}
	for _, c := range slices.Concat(servers, agents) {
		c.joins = servers
		c.Again()
	}
	for _, agent := range agents {
		agent.Lead()
	}
	return servers, agents
}

// consulSettings are every agent's. By its own choice a server takes 64 MiB of the disk before it has written anything.
const consulSettings = `disable_update_check = true leave_on_terminate = false performance { raft_multiplier = 1 } raft_logstore { backend = "boltdb" }`

func newConsul(t testing.TB, m *Machine, name string, settings []string, args ...string) *Consul {
	t.Helper()
	_, here, _, _ := runtime.Caller(0)
	c := &Consul{t: t, machine: m, Name: name, dir: t.TempDir(), script: filepath.Join(filepath.Dir(here), "..", "..", "tools", "consul", "consul.sh")}
	if out, err := exec.CommandContext(t.Context(), c.script, "version").CombinedOutput(); err != nil {
		t.Fatalf("build consul: %v: %s", err, out)
	}
	api, dns, server, serf, wan := FreePort(t), FreePort(t), FreePort(t), FreePort(t), FreePort(t)
	c.Addr, c.DNS, c.serf = "http://"+m.Addr(api), m.Addr(dns), m.Addr(serf)
	c.args = append([]string{
		"agent", "-node=" + name, "-data-dir=" + c.dir, "-bind=" + m.ip(), "-client=" + m.ip(), "-log-level=warn", "-disable-host-node-id",
		"-grpc-port=-1", "-grpc-tls-port=-1", "-hcl", consulSettings,
		fmt.Sprintf("-http-port=%d", api), fmt.Sprintf("-dns-port=%d", dns), fmt.Sprintf("-server-port=%d", server), fmt.Sprintf("-serf-lan-port=%d", serf),
		fmt.Sprintf("-serf-wan-port=%d", wan),
	}, args...)
	for _, s := range settings {
		c.args = append(c.args, "-hcl", s)
	}
	t.Cleanup(c.Kill)
	return c
}

// Again starts it, with what it had, at the same addresses, and waits until its API answers.
func (c *Consul) Again() {
	c.t.Helper()
	args := c.args
	for _, other := range c.joins {
		if other != c {
			args = append(args[:len(args):len(args)], "-retry-join="+other.serf)
		}
	}
	program, args := c.machine.Command(c.script, args)
	c.p = start(c.t, c.t.TempDir(), []string{"CHECKPOINT_DISABLE=1"}, program, args...)
	c.running = true
	if !c.p.ready(func() bool { return answers(strings.TrimPrefix(c.Addr, "http://")) }) {
		c.p.fail(c.t)
	}
}

// Leader is the address by which the servers know their leader, empty if they have none.
func (c *Consul) Leader() string {
	return strings.Trim(c.Ask(http.MethodGet, "/v1/status/leader", "", "", nil), "\" \n")
}

// Lead waits until there is a leader, as this agent knows, that answers.
func (c *Consul) Lead() {
	c.t.Helper()
	ok := c.p.ready(func() bool {
		code := 0
		c.Ask(http.MethodGet, "/v1/catalog/nodes?consistent", "", "", &code)
		return c.Leader() != "" && (code == http.StatusOK || code == http.StatusForbidden)
	})
	if !ok {
		c.p.fail(c.t)
	}
}

// Leads tells whether it is the server with that address.
func (c *Consul) Leads(leader string) bool {
	_, port, _ := strings.Cut(leader, ":")
	for _, arg := range c.args {
		if arg == "-server-port="+port {
			return true
		}
	}
	return false
}

// Ask makes a request of its API, as the holder of a token, and gives the answer, empty if none came; the status goes to code if that is given.
func (c *Consul) Ask(method, path, token, body string, code *int) string {
	c.t.Helper()
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.Addr+path, strings.NewReader(body))
	if err != nil {
		c.t.Fatal(err)
	}
	if token != "" {
		request.Header.Set("X-Consul-Token", token)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: 10 * time.Second}
	answer, err := client.Do(request)
	if err != nil {
		return ""
	}
	defer answer.Body.Close()
	if code != nil {
		*code = answer.StatusCode
	}
	var text strings.Builder
	buf := make([]byte, 32<<10)
	for {
		n, err := answer.Body.Read(buf)
		text.Write(buf[:n])
		if err != nil {
			return text.String()
		}
	}
}

// Kill ends it at once.
func (c *Consul) Kill() {
	if c.running {
		c.running = false
		c.p.stop()
	}
}

// Forget takes its data away. It must not run.
func (c *Consul) Forget() {
	c.t.Helper()
	if err := os.RemoveAll(c.dir); err != nil {
		c.t.Fatal(err)
	}
}

// Freeze stops it as a debugger would, and Thaw lets it go on.
func (c *Consul) Freeze() { _ = c.p.cmd.Process.Signal(syscall.SIGSTOP) }

// Thaw is Freeze's end.
func (c *Consul) Thaw() { _ = c.p.cmd.Process.Signal(syscall.SIGCONT) }
