package host

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"larder/control/controller"
	"larder/router"
)

// machine starts nodes that are nothing but what is known of them, and answers for them. It outlives hosts, as a machine does.
type machine struct {
	mu     sync.Mutex
	procs  map[string]*proc  // that run, by node
	disk   map[string]bool   // nodes that have kept something
	starts map[string]int    // of each node
	fails  map[string]string // why a node does not start, or ends as soon as it has
	hidden map[string]error  // why it cannot be told whether a node runs
	unfit  map[string]error  // parameters that nodes do not take
	stuck  map[string]error  // why what a node has kept is not removed
	runs   int
	wrong  string
}

type proc struct {
	m        *machine
	node     string
	addr     string
	ended    chan struct{}
	why      string
	run      string
	mute     bool // it does not answer
	stubborn bool // it does not end when it is asked to
	asked    int  // how often it was asked to end
	memory   int64
	set      map[string]string
}

func newMachine() *machine {
	return &machine{
		procs: map[string]*proc{}, disk: map[string]bool{}, starts: map[string]int{}, fails: map[string]string{}, hidden: map[string]error{},
		unfit: map[string]error{}, stuck: map[string]error{},
	}
}

func (m *machine) Find(_ context.Context, node string) (Process, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.hidden[node]; err != nil {
		return nil, err
	}
	if p := m.procs[node]; p != nil {
		return p, nil
	}
	return nil, nil
}

func (m *machine) Start(_ context.Context, l Launch) (Process, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.starts[l.Node]++
	if m.procs[l.Node] != nil {
		m.wrong = "node " + l.Node + " is started twice"
	}
	if why := m.fails[l.Node]; why != "" {
		return nil, errors.New(why)
	}
	m.runs++
	p := &proc{m: m, node: l.Node, addr: l.Addr, ended: make(chan struct{}), run: fmt.Sprintf("run%d", m.runs), memory: l.MaxMemory, set: maps.Clone(l.Parameters)}
	if p.addr == "" {
		p.addr = fmt.Sprintf("here:%d", m.runs)
	}
	if p.set == nil {
		p.set = map[string]string{}
	}
	m.procs[l.Node], m.disk[l.Node] = p, true
	return p, nil
}

func (m *machine) Erase(node string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.procs[node] != nil {
		m.wrong = "node " + node + " is erased while it runs"
	}
	if err := m.stuck[node]; err != nil {
		return err
	}
	delete(m.disk, node)
	return nil
}

// kill ends a node's process by chance.
func (m *machine) kill(node, why string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p := m.procs[node]; p != nil {
		delete(m.procs, node)
		p.why = why
		close(p.ended)
	}
}

func (p *proc) Addr() string           { return p.addr }
func (p *proc) Ended() <-chan struct{} { return p.ended }
func (p *proc) Why() string            { return p.why }
func (p *proc) Kill()                  { p.m.kill(p.node, "killed") }

func (p *proc) Stop() {
	p.m.mu.Lock()
	p.asked++
	stubborn := p.stubborn
	p.m.mu.Unlock()
	if !stubborn {
		p.m.kill(p.node, "stopped")
	}
}

var errNobody = errors.New("nobody listens")

func (m *machine) at(addr string) (*proc, error) {
	for _, p := range m.procs {
		if p.addr == addr && !p.mute {
			return p, nil
		}
	}
	return nil, errNobody
}

func (m *machine) Run(_ context.Context, addr string) (router.Run, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, err := m.at(addr)
	if err != nil {
		return router.Run{}, err
	}
	return router.Run{Node: p.node, ID: p.run}, nil
}

func (m *machine) Set(_ context.Context, addr, name, value string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	p, err := m.at(addr)
	if err != nil {
		return err
	}
	if err := m.unfit[name]; err != nil {
		return err
	}
	if name == "maxmemory" {
		_, err = fmt.Sscan(value, &p.memory)
	}
	p.set[name] = value
	return err
}

// bed is a machine with a host on it.
type bed struct {
	t     *testing.T
	m     *machine
	o     Options
	h     *Host
	log   slog.Handler
	stop  func()
	ends  chan error
	n     int  // sessions
	quick bool // what is remembered need not be safe from a crash of the machine: that takes most of the time
}

// newBed must be called in a bubble of synctest: its waits take no time.
func newBed(t *testing.T, memory int64) *bed { return newBedOf(t, memory, false) }

func newBedOf(t *testing.T, memory int64, quick bool) *bed {
	b := &bed{t: t, m: newMachine(), log: slog.DiscardHandler, quick: quick}
	b.o = Options{Host: controller.Host{ID: "a", Addr: "a:1", Memory: memory}, Dir: t.TempDir(), Starter: b.m, Nodes: b.m}
	b.start()
	return b
}

// start begins a host, as another process.
func (b *bed) start() {
	b.t.Helper()
	b.n++
	b.o.Session, b.o.Log = fmt.Sprintf("session%d", b.n), slog.New(b.log)
	var err error
	if b.h, err = New(b.o); err != nil {
		b.t.Fatal(err)
	}
	if b.quick {
		b.h.save = func(m memory) error {
			text, err := json.Marshal(m)
			if err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(b.o.Dir, memoryName), text, 0o600)
		}
	}
	ctx, stop := context.WithCancel(context.Background())
	b.stop, b.ends = stop, make(chan error, 1)
	go func(h *Host) { b.ends <- h.Run(ctx) }(b.h)
	b.settle()
}

// end ends the host. Nodes go on.
func (b *bed) end() {
	b.t.Helper()
	b.stop()
	if err := <-b.ends; err != nil {
		b.t.Fatal(err)
	}
	b.m.mu.Lock()
	defer b.m.mu.Unlock()
	if b.m.wrong != "" {
		b.t.Error(b.m.wrong)
	}
}

// settle lets all happen that happens within two seconds.
func (b *bed) settle() {
	time.Sleep(2 * time.Second)
	synctest.Wait()
}

// obey gives an order for cluster c, with the nodes as name, memory, settings.
func (b *bed) obey(version uint64, parameters map[string]string, nodes ...controller.Assignment) error {
	return b.h.Obey(context.Background(), b.o.Host, controller.Order{Host: "a", Cluster: "c", Version: version, Nodes: nodes, Parameters: parameters})
}

func assign(name string, memory int64, settings int) controller.Assignment {
	return controller.Assignment{Node: name, Memory: memory, MaxMemory: memory - memory/4, Settings: settings}
}

func stop(name string) controller.Assignment { return controller.Assignment{Node: name, Stop: true} }

func (b *bed) says() controller.HostSays {
	b.t.Helper()
	says, err := b.h.Says(context.Background(), b.o.Host)
	if err != nil {
		b.t.Fatal(err)
	}
	return says
}

// node is what is told of one.
func (b *bed) node(name string) controller.Running {
	b.t.Helper()
	for _, r := range b.says().Nodes {
		if r.Node == name {
			return r
		}
	}
	return controller.Running{}
}

func (b *bed) want(name string, want controller.Running) {
	b.t.Helper()
	want.Cluster, want.Node = "c", name
	if got := b.node(name); got != want {
		b.t.Errorf("of %s is told\n%+v, want\n%+v", name, got, want)
	}
}

func (b *bed) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}
