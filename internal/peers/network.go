package peers

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
)

// Network is machines that are one another's neighbours: each is a network namespace with an address of its own, and a link to the switch between them that can
// be cut. The test itself is on the network too. It needs root, as making namespaces does, and is gone with the test program however that ends.
type Network struct {
	Block string   // of addresses: all machines' and the test's own
	Here  *Machine // the one on which the test runs, as the others reach it

	t   testing.TB
	hub *space // where the links meet
}

// Machine is one of them. A nil one is the machine on which the test runs, at 127.0.0.1.
type Machine struct {
	Name, IP string

	net  *Network
	in   *space // nil: the test's own
	port string // its link's end at the switch
}

// space is a network namespace, which a process holds.
type space struct{ holder *process }

// networks counts those of this program, each of which has a block of addresses: of 198.18.0.0/15, which RFC 2544 sets aside for tests.
var networks atomic.Uint32

const networksMax = 10 // of a program at a time

// StartNetwork makes machines of these names.
func StartNetwork(t testing.TB, names ...string) (n *Network, machines map[string]*Machine) {
	t.Helper()
	own, err := ownPorts()
	if err != nil {
		t.Fatal(err)
	}
	number := (own.first-portFirst)/blockPorts*networksMax + int(networks.Add(1)%networksMax)
	lies := fmt.Sprintf("198.18.%d.", number)
	n = &Network{t: t, Block: lies + "0/24", hub: newSpace(t)}
	n.Here = &Machine{Name: "here", IP: lies + "1", net: n, port: "test"}
	link := fmt.Sprintf("larder%d", number)
	n.ip(nil, "link add "+link+" type veth peer name "+n.Here.port+" netns "+n.hub.pid(), "address add "+n.Here.IP+"/24 dev "+link, "link set dev "+link+" up")
	n.ip(n.hub, "link add hub type bridge", "link set dev hub up", "link set dev "+n.Here.port+" master hub up")
	machines = map[string]*Machine{}
	for i, name := range names {
		const first = 10
		m := &Machine{Name: name, IP: fmt.Sprint(lies, first+i), net: n, in: newSpace(t), port: fmt.Sprint("port", i)}
		n.ip(n.hub, "link add "+m.port+" type veth peer name eth0 netns "+m.in.pid(), "link set dev "+m.port+" master hub up")
		n.ip(m.in, "link set dev lo up", "address add "+m.IP+"/24 dev eth0", "link set dev eth0 up")
		machines[name] = m
	}
	return n, machines
}

func newSpace(t testing.TB) *space {
	t.Helper()
	s := &space{holder: start(t, t.TempDir(), nil, "unshare", "--net", "sleep", "infinity")}
	t.Cleanup(s.holder.stop)
	ours, err := os.Readlink("/proc/self/ns/net")
	if err != nil {
		t.Fatal(err)
	}
	made := s.holder.ready(func() bool {
		its, err := os.Readlink("/proc/" + s.pid() + "/ns/net")
		return err == nil && its != ours
	})
	if !made {
		s.holder.fail(t)
	}
	return s
}

func (s *space) pid() string { return fmt.Sprint(s.holder.cmd.Process.Pid) }

// command is what runs a command in it, in the same process.
func (s *space) command(name string, args []string) (program string, all []string) {
	return "nsenter", append([]string{"--net=/proc/" + s.pid() + "/ns/net", "--", name}, args...)
}

// ip runs commands of ip(8) in a namespace; nil: in the test's own.
func (n *Network) ip(in *space, lines ...string) {
	n.t.Helper()
	program, args := "ip", []string{"-batch", "-"}
	if in != nil {
		program, args = in.command(program, args)
	}
	cmd := exec.Command(program, args...)
	cmd.Stdin = strings.NewReader(strings.Join(lines, "\n") + "\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		n.t.Fatalf("ip: %s: %v: %s (it needs root)", strings.Join(lines, "; "), err, out)
	}
}

// Command is what runs a program on the machine, in the same process.
func (m *Machine) Command(name string, args []string) (program string, all []string) {
	if m == nil || m.in == nil {
		return name, args
	}
	return m.in.command(name, args)
}

// Addr is a port of the machine.
func (m *Machine) Addr(port int) string { return fmt.Sprintf("%s:%d", m.ip(), port) }

func (m *Machine) ip() string {
	if m == nil {
		return "127.0.0.1"
	}
	return m.IP
}

// Cut takes the machine's link away: what it sends gets nowhere, and nobody is told.
func (m *Machine) Cut() { m.net.ip(m.net.hub, "link set "+m.port+" down") }

// Mend is Cut's end.
func (m *Machine) Mend() { m.net.ip(m.net.hub, "link set "+m.port+" up") }

// Slow lets through only so much of what is sent to the machine, in bits a second; what waits longer than two seconds is lost. 0: all.
func (m *Machine) Slow(bits int) {
	m.net.t.Helper()
	line := "tc qdisc del dev " + m.port + " root"
	if bits > 0 {
		line = fmt.Sprintf("tc qdisc add dev %s root tbf rate %dbit burst 4kb latency 2s", m.port, bits)
	}
	m.net.run(m.net.hub, strings.Fields(line)...)
}

// Lose has one in so many packets to the machine get lost, until Hear.
func (m *Machine) Lose(oneIn int) {
	m.net.t.Helper()
	m.filter("-i", "eth0", "-m", "statistic", "--mode", "random", "--probability", fmt.Sprint(1/float64(oneIn)))
}

// Ignore has what other machines send to this one get lost, until Hear; what it sends gets there.
func (m *Machine) Ignore(others ...*Machine) {
	m.net.t.Helper()
	for _, other := range others {
		m.filter("-s", other.IP)
	}
}

// Hear ends all that Ignore and Lose have done.
func (m *Machine) Hear() {
	m.net.t.Helper()
	m.net.run(m.in, "iptables", "-w", "-F", "INPUT")
}

func (m *Machine) filter(what ...string) {
	m.net.t.Helper()
	m.net.run(m.in, append(append([]string{"iptables", "-w", "-A", "INPUT"}, what...), "-j", "DROP")...)
}

// run is a command in a namespace.
func (n *Network) run(in *space, words ...string) {
	n.t.Helper()
	program, args := in.command(words[0], words[1:])
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		n.t.Fatalf("%s: %v: %s (it needs root)", strings.Join(words, " "), err, out)
	}
}
