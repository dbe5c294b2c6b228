// Package fleet drives the deciding part of a fleet (control/controller): a Leader competes with others for a lock in the registry, and the one that has it
// follows the registry, asks hosts and nodes how they are, takes the controller's steps and carries out what they want.
//
// What must hold: what is decided is written with the lock as a fence, so whoever has lost it and does not know yet changes nothing; a step is taken on one
// goroutine, and nothing that waits is done there; each effect is carried out within seconds or given up, for the controller asks again; a host or a node that
// does not answer holds nobody else up; all goroutines have ended when Run returns. The other methods may be called from any goroutine.
package fleet

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"larder/backends/registry"
	"larder/control"
	"larder/control/controller"
)

// Hosts are the fleet's hosts, as a leader asks them.
type Hosts interface {
	// Says asks a host how things are.
	Says(ctx context.Context, h controller.Host) (controller.HostSays, error)
	// News asks likewise, and is answered when the host is in another state than that, or after a second.
	News(ctx context.Context, h controller.Host, seen uint64) (controller.HostSays, error)
	// Obey gives it an order.
	Obey(ctx context.Context, h controller.Host, o controller.Order) error
}

// Nodes are the fleet's nodes.
type Nodes interface {
	// State asks a node how it is. At is the caller's to set.
	State(ctx context.Context, cluster, node, addr string) (controller.NodeSays, error)
	// Obey shows it a record.
	Obey(ctx context.Context, t controller.Tell) error
}

// Options say what a Leader works with. All fields but Addr, Servers, Ping, Limits and Metrics must be given.
type Options struct {
	ID       string // this process's name, another one than that of any other that competes
	Addr     string // where this process's management API is asked, for those that do not lead; empty: nowhere
	Registry registry.Registry
	Hosts    Hosts
	Nodes    Nodes
	Servers  Servers // nil: external clusters are not looked after
	Limits   controller.Limits
	// Ping asks whether a leader lives. ErrAnother: another process has its address; ErrCutOff: it lives, and says that it is CutOff. nil: a leader that is dead
	// is missed only when its session has ended.
	Ping    func(ctx context.Context, h Holder) error
	Log     *slog.Logger
	Metrics *Metrics // nil: nobody looks at them
	Now     func() time.Time
	Chance  *rand.Rand // the leader's own
	// AskOften is how often hosts and nodes are asked while something happens to their cluster. 0: every 100 ms. Where they are near it can be shorter.
	AskOften time.Duration
}

// Leader leads the fleet, or waits until it may.
type Leader struct {
	o     Options
	told  chan control.Event // reports that are to be kept
	doubt chan struct{}      // whether the registry answers
	terms chan Term          // the one that has begun last, until somebody has taken it

	mu     sync.Mutex // of what follows
	view   View       // without Hosts and Nodes, which are of the term
	term   *term      // nil: it does not lead
	cutOff bool       // the registry has not answered the last time
}

// ErrAnother is what Ping gives where another process answers: the one that was meant has ended.
var ErrAnother = errors.New("another process answers there")

// ErrCutOff is what Ping gives of a leader that lives and can decide nothing.
var ErrCutOff = errors.New("the registry does not answer it")

// Holder is who leads, as the lock's value says.
type Holder struct {
	ID   string `json:"id"`
	Addr string `json:"addr,omitempty"`
}

// View is what is known of the fleet at a moment. Nobody changes it. All but Leader is empty where this process does not lead.
type View struct {
	Leads   bool
	Leader  Holder // who leads, as far as is known
	Fleet   controller.Fleet
	Entries []controller.Entry                        // what stands in the registry, topologies unpacked
	Hosts   map[string]controller.HostSays            // what announced hosts have said last
	Nodes   map[string]map[string]controller.NodeSays // likewise, by cluster and node
}

// New makes a leader, which Run then runs.
func New(o Options) *Leader {
	if o.Metrics == nil {
		o.Metrics, _ = NewMetrics(prometheus.NewRegistry()) // in a registry of its own no name is taken
	}
	if o.AskOften <= 0 {
		o.AskOften = askOften
	}
	return &Leader{o: o, told: make(chan control.Event, reportsMax), doubt: make(chan struct{}, 1), terms: make(chan Term, 1)}
}

// View gives what is known.
func (l *Leader) View() View {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := l.view
	if l.term == nil {
		return v
	}
	v.Hosts, v.Nodes = map[string]controller.HostSays{}, map[string]map[string]controller.NodeSays{}
	for id, h := range l.term.hosts {
		if h.heard && h.left.IsZero() {
			v.Hosts[id] = h.says
		}
	}
	for cluster, nodes := range l.term.nodes {
		v.Nodes[cluster] = maps.Clone(nodes)
	}
	return v
}

// ID is this process's name.
func (l *Leader) ID() string { return l.o.ID }

// Healthy tells whether somebody leads, as far as is known.
func (l *Leader) Healthy(context.Context) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.view.Leader.ID == "" {
		return errors.New("no controller leads, as far as this one knows")
	}
	return nil
}

// CutOff tells whether this process leads and the registry does not answer it: where it answers another, that one had better lead.
func (l *Leader) CutOff() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.term != nil && l.cutOff
}

// Registry is where the fleet's wishes stand.
func (l *Leader) Registry() registry.Registry { return l.o.Registry }
