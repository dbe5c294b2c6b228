// Package engine is one node: it runs the command table's rows against its keyspace and answers clients and gateways' lanes.
//
// One node is one event loop, one keyspace, one core. Commands run on the loop, one after the other, so each is atomic and nothing is locked; what the
// node has (its part: clients, store, settings, counters) is touched on that loop's goroutine only, and loop calls it. New, Run, Ready, Addr, Healthy and
// Assign may be called from anywhere. What must hold: a connection's commands run in its order and are answered in it; all complete commands in its
// buffer are read first and then run, with exactly the result of one by one; a command that has to wait stays unread, and all behind it with it; what a
// turn produced for a connection leaves in one write; a GET or SET allocates nothing.
package engine

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"larder/access"
	"larder/access/users"
	"larder/engine/memory"
	"larder/engine/store"
	"larder/loop"
	"larder/persistence/files"
	"larder/router"
)

// Node is one engine process, or one loop of a process that runs several.
type Node struct {
	opts    Options
	log     *slog.Logger
	access  *access.List
	id      string // its name in the cluster
	runID   string // 40 hex digits, new at each start
	started time.Time
	store   *store.Store // the loop's, once it runs
	users   *users.Users // of the ACL file, the loop's once it runs; nil without one

	assigned atomic.Pointer[assignment] // never nil
	loop     atomic.Pointer[loop.Loop]  // nil before Run has begun
	part     *part                      // the loop's, and only touched on it
	stats    published

	failed     error                // why the loop was told to end; the loop's until it has ended
	watchFiles func(files.Op) error // for tests: told of what is done to the node's files

	stop    context.CancelFunc // ends Run; set before the loop begins, as done and working are
	working context.Context    // of what connections have asked for; it ends with the loop
	jobs    sync.WaitGroup     // that work

	done  <-chan struct{} // closed when Run is to end
	addr  net.Addr
	ready chan struct{}
	ended chan struct{}
}

// New makes a node with an empty keyspace. It registers its metrics with reg.
func New(o Options, log *slog.Logger, reg prometheus.Registerer) (*Node, error) {
	if err := o.Validate(); err != nil {
		return nil, fmt.Errorf("engine options: %w", err)
	}
	list, err := access.ParseList(o.Access)
	if err != nil {
		return nil, fmt.Errorf("engine access list: %w", err)
	}
	chance := rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	var all *users.Users
	if o.ACLFile != "" {
		if all, err = LoadUsers(o.ACLFile); err != nil {
			return nil, fmt.Errorf("engine: %w", err)
		}
	}
	n := &Node{
		opts: o, users: all, log: log, access: list, id: o.ID, runID: randomID(chance), started: time.Now(),
		stop: func() {}, ready: make(chan struct{}), ended: make(chan struct{}),
	}
	n.store, err = store.New(store.Options{
		Databases: o.Databases, Memory: memory.Map{}, Seed: chance.Uint64(), Slot: router.Slot, Rand: chance, Prefixes: o.KeyPrefixes,
		Gone: func(db int, key []byte, evicted bool) { n.part.gone(db, key, evicted) },
		Due:  func(db int, key []byte) { n.part.due = append(n.part.due, dueKey{db, string(key)}) },
	})
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	if n.id == "" {
		n.id = n.runID
	}
	n.assigned.Store(&assignment{shard: router.Nobody})
	if reg != nil {
		if err := reg.Register(collector{n}); err != nil {
			return nil, fmt.Errorf("register engine metrics: %w", err)
		}
	}
	return n, nil
}

func randomID(chance *rand.Rand) string {
	return fmt.Sprintf("%016x%016x%08x", chance.Uint64(), chance.Uint64(), chance.Uint32())
}

// ID is the node's name in the cluster.
func (n *Node) ID() string { return n.id }

// Ready is closed when clients can connect.
func (n *Node) Ready() <-chan struct{} { return n.ready }

// Addr is where clients connect; valid once Ready is closed.
func (n *Node) Addr() string { return n.addr.String() }

// ErrOldTopology is Assign's answer to a topology that is not newer than the node's.
var ErrOldTopology = errors.New("the node has a topology of this epoch or a later one")

// Assign tells the node that it serves a shard of t, from its next command on. It is taken only if t's epoch is greater than the node's: else the error
// is ErrOldTopology. The order that the node has already carried out is taken again.
func (n *Node) Assign(shard int, t *router.Topology) error {
	if shard < 0 || shard >= len(t.Shards) {
		return fmt.Errorf("assign shard %d: the topology has %d", shard, len(t.Shards))
	}
	if t.Epoch == 0 {
		return fmt.Errorf("assign shard %d: the topology has epoch 0, which is no order", shard)
	}
	line := t.Line()
	next := &assignment{shard: shard, topology: t, epoch: t.Epoch, stale: fmt.Sprintf("STALE %d %s", t.Epoch, line), own: slotsOf(t.Shards[shard].Slots)}
	for {
		have := n.assigned.Load()
		if t.Epoch <= have.epoch {
			if shard == have.shard && next.stale == have.stale {
				return nil
			}
			return fmt.Errorf("assign shard %d of epoch %d: %w", shard, t.Epoch, ErrOldTopology)
		}
		if n.assigned.CompareAndSwap(have, next) {
			n.log.Info("shard assigned", "node", n.id, "old shard", have.shard, "new shard", shard, "old epoch", have.epoch, "new epoch", t.Epoch)
			return nil
		}
	}
}

// Close gives back the memory of a node that was not Run; Run does it itself.
func (n *Node) Close() error { return n.store.Close() }

// NewPart makes the loop's part; loop calls it, once, and tests with a MemLoop do.
func (n *Node) NewPart(l *loop.Loop) loop.Part {
	p := newPart(n, l)
	n.part = p
	n.loop.Store(l)
	p.loadAtStart()
	return p
}

// port is where the node listens, 0 if that is not known yet.
func (n *Node) port() int {
	addr := n.opts.Listen
	select {
	case <-n.ready:
		addr = n.Addr()
	default:
	}
	_, text, _ := net.SplitHostPort(addr)
	port, _ := strconv.Atoi(text)
	return port
}

func (n *Node) loopOptions() loop.Options {
	return loop.Options{
		Listen:     n.opts.Listen,
		Loops:      1,
		ClientsMax: n.opts.ClientsMax,
		Logger:     n.log,
		Refuse:     []byte("-ERR max number of clients reached\r\n"),
		Ready: func(addr net.Addr) {
			n.addr = addr
			close(n.ready)
		},
	}
}

var (
	errNotReady = errors.New("the node does not serve yet")
	errEnded    = errors.New("the node has ended")
	errLoading  = errors.New("the node loads its data")
)

// fit says whether the node serves all commands.
func (p *part) fit() error {
	if p.guard&guardLoading != 0 {
		return errLoading
	}
	return nil
}

// Healthy says whether the node's loop runs commands, or why not.
func (n *Node) Healthy(ctx context.Context) error { return n.asked(ctx, (*part).fit) }

// asked has the loop answer.
func (n *Node) asked(ctx context.Context, what func(*part) error) error {
	select {
	case <-n.ready:
	default:
		return errNotReady
	}
	answered := make(chan error, 1)
	n.loop.Load().Post(func() { answered <- what(n.part) })
	select {
	case err := <-answered:
		return err
	case <-n.ended:
		return errEnded
	case <-ctx.Done():
		return fmt.Errorf("the node does not answer: %w", ctx.Err())
	}
}
