// Package proxy is what clients talk to: a gateway. It holds no data: it reads commands,
// sends each over a lane to the node whose slot it is, and writes the replies back in the
// order of the commands.
//
// A gateway runs event loops that share nothing but an immutable topology and a few
// settings behind atomic pointers. What a loop has (a part: its sessions, upstreams and
// lanes) is touched on that loop's goroutine only; loop calls it. New, Run, Ready, Addr
// and Healthy may be called from anywhere. The order of a session's commands for one
// shard is the order in which it sent them; a command that has to wait stays unread in
// the client's buffer, and everything behind it with it.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"larder/access"
	"larder/access/users"
	"larder/loop"
	"larder/metrics/slow"
	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
	"larder/proxy/mirror"
	"larder/router"
)

// Gateway serves one cluster at one endpoint.
type Gateway struct {
	src     router.Source
	log     *slog.Logger
	seed    uint64
	id      string // 40 hex digits, new at each start: its node id in CLUSTER replies
	started time.Time
	here    []hereFunc // by row

	opts     atomic.Pointer[Options] // immutable once stored; a loop has its own pointer, which take renews
	topo     atomic.Pointer[router.Topology]
	settings atomic.Pointer[settings]
	users    atomic.Pointer[users.Users] // immutable once stored
	refusals atomic.Uint64               // entries that ACL LOG ever had
	access   atomic.Pointer[access.List]
	peers    atomic.Pointer[peers]           // nil = it knows of no other gateway
	leaving  atomic.Bool                     // it is about to end
	pause    atomic.Pointer[client.Pause]    // nil = none
	foreign  atomic.Pointer[command.Overlay] // nil = none
	tracked  atomic.Pointer[slow.Tracked]
	slowIDs  atomic.Uint64              // entries that the slow log ever had
	rules    atomic.Pointer[readRules]  // immutable once stored
	high     highs                      // what reads from replicas must show
	config   atomic.Pointer[configured] // nil = nobody manages its settings
	base     atomic.Pointer[counters]   // what CONFIG RESETSTAT takes off INFO's numbers
	nextID   atomic.Uint64
	lanes    atomic.Uint64 // numbers those of whose requests nodes keep count
	scripts  *scriptCache

	functions atomic.Pointer[functionDump] // nil = nothing is known of them
	dumps     atomic.Uint64                // numbers the questions for them
	changing  atomic.Pointer[session]      // whose command changes them at present

	heard   heardNames
	blocked atomic.Int64 // clients that wait at a node, or for CLIENT PAUSE to end

	waitLongestNS atomic.Int64 // that a command has waited for a shard without a primary

	flushing atomic.Int64 // FLUSHALLs and FLUSHDBs of clients that not every shard has answered

	mu    sync.Mutex
	parts []*part
	stats published

	mirror *mirror.Mirror // nil: nothing is mirrored

	aside func(func()) // runs a function beside the loops; nil: there is nobody to run it

	addr  net.Addr
	ready chan struct{}
	ended chan struct{} // closed when Run returns
}

// settings are what CONFIG SET changes while the gateway runs; immutable once stored.
type settings struct {
	password    string // of the default user, as CONFIG GET shows it
	idle        time.Duration
	bulkMax     int64
	refusalsMax int // acllog-max-len
	trackedMax  int // tracking-table-max-keys
	watching    slow.Settings

	outputLimits client.OutputLimits
}

var (
	errGreetTimeout = errors.New("node took the connection but does not answer")
	errLeft         = errors.New("node left the topology")
)

// New makes a gateway that routes by src. It registers its metrics with reg.
func New(o Options, src router.Source, log *slog.Logger, reg prometheus.Registerer) (*Gateway, error) {
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("gateway options: %w", err)
	}
	list, err := access.ParseList(o.Access)
	if err != nil {
		return nil, fmt.Errorf("gateway access list: %w", err)
	}
	all := users.New(o.Password).TakeForeign()
	if o.ACLFile != "" {
		if all, err = loadUsers(o.ACLFile); err != nil {
			return nil, fmt.Errorf("gateway users: %w", err)
		}
	}
	topo := src.Topology()
	if topo == nil {
		return nil, errors.New("gateway: no topology: its source has none")
	}
	g := &Gateway{src: src, log: log, seed: rand.Uint64(), started: time.Now(), ready: make(chan struct{}), ended: make(chan struct{})}
	g.id = nodeID(rand.New(rand.NewPCG(g.seed, 1)))
	g.scripts = newScriptCache(o.ScriptMaxBytes)
	g.here = buildHere()
	g.opts.Store(&o)
	g.topo.Store(topo)
	g.users.Store(all)
	g.tracked.Store(&slow.Tracked{})
	g.access.Store(list)
	g.settings.Store(o.settings())
	g.rules.Store(o.readRules())
	g.high.on.Store(g.rules.Load().splits()) // each loop notes its writes from its start on
	if reg != nil {
		if err := reg.Register(collector{g}); err != nil {
			return nil, fmt.Errorf("register gateway metrics: %w", err)
		}
	}
	return g, nil
}

func nodeID(chance *rand.Rand) string {
	return fmt.Sprintf("%016x%016x%08x", chance.Uint64(), chance.Uint64(), chance.Uint32())
}

// Adopt takes over a newer topology; an older or equal one is ignored, and another cluster's where this one's is managed. Any goroutine.
func (g *Gateway) Adopt(t *router.Topology) {
	for {
		have := g.topo.Load()
		if t.Epoch <= have.Epoch || have.Epoch != 0 && t.Cluster != have.Cluster {
			return
		}
		if g.topo.CompareAndSwap(have, t) {
			g.log.Info("topology adopted", "cluster", t.Cluster, "old epoch", have.Epoch, "new epoch", t.Epoch, "shards", len(t.Shards))
			return
		}
	}
}

// Mirror has a share of the traffic copied. It is called before Run.
func (g *Gateway) Mirror(m *mirror.Mirror) { g.mirror = m }

// Ready is closed when clients can connect.
func (g *Gateway) Ready() <-chan struct{} { return g.ready }

// Addr is where clients connect; valid once Ready is closed.
func (g *Gateway) Addr() string { return g.addr.String() }

// NewPart makes a loop's part; loop calls it, and tests with a MemLoop do.
func (g *Gateway) NewPart(l *loop.Loop) loop.Part {
	g.mu.Lock() // from here on Change finds it, or it finds what Change has stored
	defer g.mu.Unlock()
	p := newPart(g, l)
	g.parts = append(g.parts, p)
	return p
}

// limits are the parser's, which are tighter before a client has said its password.
func (g *Gateway) limits(authed bool) resp.Limits {
	o := g.opts.Load()
	return resp.Limits{ArgsMax: o.ArgsMax, BulkMax: g.settings.Load().bulkMax, InlineMax: o.InlineMaxBytes, Unauthenticated: !authed}
}

// nowMS is the time for clients, in unix milliseconds: the start's wall clock and what
// has passed since, so that it never jumps.
func (g *Gateway) nowMS(now time.Time) int64 {
	return g.started.UnixMilli() + now.Sub(g.started).Milliseconds()
}

// hostPort is the endpoint's address in two.
func (g *Gateway) hostPort() (host, port string) {
	listen := g.opts.Load().Listen
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return listen, "0"
	}
	return host, port
}

func (g *Gateway) loopOptions() loop.Options {
	o := g.opts.Load()
	return loop.Options{
		Listen:     o.Listen,
		Loops:      o.Loops,
		ClientsMax: o.ClientsMax,
		Logger:     g.log,
		Refuse:     []byte("-ERR max number of clients reached\r\n"),
		Ready: func(addr net.Addr) {
			g.addr = addr
			close(g.ready)
		},
	}
}

// Healthy says whether any shard answers, or why none does.
func (g *Gateway) Healthy(ctx context.Context) error { return g.probe(ctx) }
