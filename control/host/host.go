// Package host runs nodes on one machine: it obeys a controller's orders within the memory that it has, starts again what ends, and says how things are.
//
// What must hold: the memory of its nodes never exceeds what it offers; no node is started while one of its name may still run, be it started by another
// process; an order that was obeyed is obeyed again after a restart, and a later one is never undone by an earlier; that a run has ended is told only when it
// surely has; a node's data is removed only by an order. A host that ends leaves its nodes running, and the next one takes them over: whether they can be is the
// Starter's (children: processes of their own). Host's methods may be called from any goroutine; Run has one goroutine a node.
package host

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"larder/control/controller"
)

// Options say what a host is, and what it works with. All fields must be given.
type Options struct {
	controller.Host        // as it is announced
	Dir             string // where it remembers what it has obeyed: its own folder
	Starter         Starter
	Nodes           Nodes
	Log             *slog.Logger
}

// Host runs nodes. It implements what a controller asks hosts by, for who has it in the same process.
type Host struct {
	o        Options
	save     func(memory) error
	counters counters
	work     sync.WaitGroup
	news     chan struct{} // somebody is to be looked after
	left     chan struct{} // somebody is looked after no more

	mu      sync.Mutex // of what follows
	number  uint64
	said    controller.HostSays // the last that it said: what differs is another state
	changed chan struct{}       // closed when what it says may have changed
	memory  memory
	keepers map[string]*keeper // by node
	kept    int                // keepers that are at work
	resting bool               // nodes are to end, and are not started again
}

// New makes a host that remembers what is in its folder. Run then looks after its nodes.
func New(o Options) (*Host, error) {
	keep := func(m memory) error { return m.save(o.Dir) }
	h := &Host{o: o, save: keep, counters: newCounters(), news: make(chan struct{}, 1), left: make(chan struct{}, 1), changed: make(chan struct{}), keepers: map[string]*keeper{}}
	var err error
	if h.memory, err = remember(o.Dir); err != nil {
		return nil, err
	}
	for _, n := range h.memory.Nodes {
		h.keepers[n.Node] = newKeeper(h, n.Node)
	}
	return h, nil
}

// ErrOther says that a host is not the one that was meant.
var ErrOther = errors.New("another host answers there")

// Says says how things are. who is whom the caller means.
func (h *Host) Says(_ context.Context, who controller.Host) (controller.HostSays, error) {
	if err := h.is(who.ID); err != nil {
		return controller.HostSays{}, err
	}
	says, _ := h.saysNow()
	return says, nil
}

// newsWithin is how long News waits. Who asks waits a little longer.
const newsWithin = 900 * time.Millisecond

// News is Says when it says something else than in that state, or after a while.
func (h *Host) News(ctx context.Context, who controller.Host, seen uint64) (controller.HostSays, error) {
	if err := h.is(who.ID); err != nil {
		return controller.HostSays{}, err
	}
	patience := time.NewTimer(newsWithin)
	defer patience.Stop()
	for {
		says, changed := h.saysNow()
		if says.State != seen {
			return says, nil
		}
		select {
		case <-changed:
		case <-patience.C:
			says, _ = h.saysNow()
			return says, nil
		case <-ctx.Done():
			return controller.HostSays{}, context.Cause(ctx)
		}
	}
}

// saysNow says how things are, and gives what is closed when they may have changed.
func (h *Host) saysNow() (says controller.HostSays, changed <-chan struct{}) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.number++
	says = controller.HostSays{Host: h.o.ID, Session: h.o.Session, Number: h.number, State: h.said.State, Obeyed: map[string]uint64{}}
	for name, c := range h.memory.Clusters {
		says.Obeyed[name] = c.Obeyed
	}
	for _, id := range slices.Sorted(maps.Keys(h.memory.Nodes)) {
		says.Nodes = append(says.Nodes, h.keepers[id].says(h.memory.Nodes[id]))
	}
	if says.State == 0 || !slices.Equal(says.Nodes, h.said.Nodes) || !maps.Equal(says.Obeyed, h.said.Obeyed) {
		says.State++
	}
	h.said = says
	return says, h.changed
}

// tell says to who waits that there may be news. h.mu is held.
func (h *Host) tell() {
	close(h.changed)
	h.changed = make(chan struct{})
}

func (h *Host) is(id string) error {
	if id != h.o.ID {
		return fmt.Errorf("%w: it is %q, and %q was asked for", ErrOther, h.o.ID, id)
	}
	return nil
}

// Obey obeys an order, as far as there is memory. What it says was remembered when it returns, and is done soon after; the error says what of it is not.
func (h *Host) Obey(_ context.Context, who controller.Host, o controller.Order) error {
	if err := h.is(who.ID); err != nil {
		return err
	}
	if err := h.is(o.Host); err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	refused, err := h.obey(o)
	outcome := orderObeyed
	switch {
	case err != nil:
		outcome = orderRefused
	case len(refused) > 0:
		outcome, err = orderPartly, errors.Join(refused...)
	}
	h.counters.orders.WithLabelValues(outcome).Inc()
	return err
}

// obey obeys an order, and gives what of it is refused; an error says that all is. h.mu is held.
func (h *Host) obey(o controller.Order) (refused []error, err error) {
	next := h.memory.clone()
	if refused, err = next.obey(o, h.o.Memory); err != nil {
		return nil, err
	}
	if !next.equal(h.memory) {
		if err := h.save(next); err != nil {
			return nil, fmt.Errorf("host %s cannot remember the order, and does not obey it: %w", h.o.ID, err)
		}
	}
	h.take(next)
	for _, a := range o.Nodes {
		if k := h.keepers[a.Node]; k != nil {
			refused = append(refused, k.refused()...)
		}
	}
	return refused, nil
}

// Rest ends all nodes in order, each with its data saved if it saves any, and waits for that until ctx ends. They are remembered, and started by the next Host of
// this folder. Run runs meanwhile and ends after it; nothing is started any more.
func (h *Host) Rest(ctx context.Context) error {
	h.mu.Lock()
	h.resting = true
	for _, k := range h.keepers {
		k.nudge()
	}
	h.mu.Unlock()
	for {
		h.mu.Lock()
		kept := h.kept
		h.mu.Unlock()
		if kept == 0 {
			return nil
		}
		select {
		case <-h.left:
		case <-ctx.Done():
			return fmt.Errorf("%d nodes have not ended yet: %w", kept, context.Cause(ctx))
		}
	}
}

// take has another memory count, and looks after what is new in it.
func (h *Host) take(next memory) {
	had := h.memory
	h.memory = next
	for id, n := range next.Nodes {
		was := had.Nodes[id]
		if h.keepers[id] == nil {
			h.keepers[id] = newKeeper(h, id)
			h.o.Log.Info("node is to run here", "node", id, "cluster", n.Cluster, "memory", controller.Bytes(n.Memory))
		}
		if was == nil || *was != *n || !maps.Equal(had.Clusters[n.Cluster].Parameters, next.Clusters[n.Cluster].Parameters) {
			h.keepers[id].refuses = nil
			h.keepers[id].nudge()
		}
	}
	nudge(h.news)
	h.tell()
}

// change changes what is remembered of a node, and keeps it. That it could not be kept is said, and the change counts: it is about what is.
func (h *Host) change(id string, how func(n *node)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	was := h.memory.Nodes[id]
	n := *was
	if how(&n); n == *was {
		return
	}
	h.memory.Nodes[id] = &n
	h.tell()
	h.keep()
}

// forget lets go of a node that is gone.
func (h *Host) forget(id string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.memory.Nodes, id)
	delete(h.keepers, id)
	h.tell()
	h.keep()
	h.o.Log.Info("node is gone from here", "node", id)
}

func (h *Host) keep() {
	if err := h.save(h.memory); err != nil {
		h.o.Log.Error("what the host has cannot be remembered", "error", err)
	}
}

// told is what a node is to be now.
func (h *Host) told(id string) (n node, parameters map[string]string, rest bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n = *h.memory.Nodes[id]
	return n, h.memory.Clusters[n.Cluster].Parameters, h.resting
}

// nudge tells whoever reads the channel that there is news.
func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it is going to look anyway
	}
}
