package host

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"larder/control/controller"
)

// How often a node is asked for its run, while it has not answered and when it has, and how long it may take.
const (
	askMin    = 20 * time.Millisecond
	askMax    = time.Second
	askWithin = 2 * time.Second
)

// leaveFor is how long a node that is to go lives on: it refuses what gateways send that have not heard of it, which they send elsewhere then. Of what lies unread
// when it ends nobody could tell whether it has run.
const leaveFor = time.Second

// setUnknown is the number of no settings.
const setUnknown = -1

// keeper looks after a node, on a goroutine of its own.
type keeper struct {
	h    *Host
	id   string
	news chan struct{} // its orders are others, or it is to rest

	// Under the host's lock.
	kept    bool // somebody looks after it
	alive   bool // its process may run
	run     string
	set     int               // the number of what its process is set to, or setUnknown
	refuses map[string]string // parameters that it did not take, with its words
	failed  string
	trouble string // why it cannot be told whether it runs, or its data cannot be removed

	// The keeper's own.
	restarts restarts
	launched time.Time
	silent   bool      // that it does not answer has been said
	leaves   time.Time // since when it is to go; zero: it is not
	stopping bool      // it has been asked to end: once, for a second time ends it at once
}

func newKeeper(h *Host, id string) *keeper {
	return &keeper{h: h, id: id, news: make(chan struct{}, 1), set: setUnknown}
}

func (k *keeper) nudge() { nudge(k.news) }

// says is what is told of its node. The host's lock is held.
func (k *keeper) says(n *node) controller.Running {
	r := controller.Running{Cluster: n.Cluster, Node: n.Node, Run: k.run, Addr: n.Addr, Exited: n.Exited, Memory: n.holds(), Settings: n.Settings}
	if k.alive {
		r.Settings = k.set
	}
	if k.run == "" {
		r.Failed = k.failed
	}
	return r
}

// refused is what of an order its node does not do. The host's lock is held.
func (k *keeper) refused() (all []error) {
	for _, name := range slices.Sorted(maps.Keys(k.refuses)) {
		all = append(all, fmt.Errorf("node %s does not take the parameter %s: %s", k.id, name, k.refuses[name]))
	}
	if k.trouble != "" {
		all = append(all, errors.New(k.trouble))
	}
	return all
}

// update changes what others read of the keeper.
func (k *keeper) update(how func()) {
	k.h.mu.Lock()
	defer k.h.mu.Unlock()
	how()
	k.h.tell()
}

// keep looks after the node until it is gone, or the host rests, or ctx ends. Then its process is left as it is.
func (k *keeper) keep(ctx context.Context) {
	for ctx.Err() == nil {
		p, found := k.find(ctx)
		if !found {
			continue
		}
		n, parameters, rest := k.h.told(k.id)
		if !n.Stop { // its data may be what the trouble is with: that is over once it is gone
			k.untroubled()
		}
		switch {
		case p != nil:
			k.attend(ctx, p)
		case n.Stop && k.erase(ctx):
			return
		case n.Stop:
		case rest:
			return
		default:
			if p := k.start(ctx, n, parameters); p != nil {
				k.attend(ctx, p)
			}
		}
	}
}

// find looks for the node's process. found: it is known whether there is one.
func (k *keeper) find(ctx context.Context) (p Process, found bool) {
	p, err := k.h.o.Starter.Find(ctx, k.id)
	if err != nil {
		if ctx.Err() == nil {
			k.troubled(fmt.Errorf("whether node %s runs cannot be told, so it is not started: %w", k.id, err))
			k.pause(ctx, waitMin)
		}
		return nil, false
	}
	if p == nil {
		k.gone()
		return nil, true
	}
	k.h.o.Log.Info("node runs already and is taken over", "node", k.id, "addr", p.Addr())
	k.arrived(p)
	return p, true
}

func (k *keeper) troubled(err error) {
	news := false
	k.update(func() { news, k.trouble = k.trouble != err.Error(), err.Error() })
	if news {
		k.h.o.Log.Error("a node is in trouble", "node", k.id, "error", err)
	}
}

func (k *keeper) untroubled() { k.update(func() { k.trouble = "" }) }

// start starts the node's process, or waits before the next attempt.
func (k *keeper) start(ctx context.Context, n node, parameters map[string]string) Process {
	p, err := k.h.o.Starter.Start(ctx, Launch{Cluster: n.Cluster, Node: n.Node, Shard: n.Shard, MaxMemory: n.MaxMemory, Parameters: parameters, Addr: n.Addr})
	if err == nil {
		k.arrived(p)
		return p
	}
	if ctx.Err() == nil {
		k.short(ctx, 0, err.Error())
	}
	return nil
}

// arrived takes note that there is a process.
func (k *keeper) arrived(p Process) {
	k.launched, k.leaves, k.silent, k.stopping = time.Now(), time.Time{}, false, false
	k.update(func() { k.alive, k.run, k.set, k.refuses = true, "", setUnknown, nil })
	k.h.change(k.id, func(n *node) { n.Addr = p.Addr() })
}

// gone takes note that there surely is no process.
func (k *keeper) gone() {
	k.update(func() { k.alive, k.run, k.set, k.refuses = false, "", setUnknown, nil })
	k.h.change(k.id, func(n *node) {
		n.Holds = 0
		if n.Run != "" {
			n.Exited = n.Run
		}
	})
}

// short takes note that the node has ended, and waits as long as is due before it may be started again, or until its orders are others.
func (k *keeper) short(ctx context.Context, lived time.Duration, why string) {
	wait := k.restarts.ended(lived, why)
	k.h.counters.ends.Inc()
	k.update(func() { k.failed = k.restarts.failed })
	k.h.o.Log.Warn("node has ended; it is started again", "node", k.id, "why", why, "after", lived, "wait", wait)
	if k.pause(ctx, wait) {
		k.restarts = restarts{}
	}
}

// pause waits, and tells whether the node's orders have changed meanwhile.
func (k *keeper) pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-k.news:
		return true
	case <-t.C:
	case <-ctx.Done():
	}
	return false
}

// attend asks the node how it is and has it be as is ordered, until it has ended or ctx has.
func (k *keeper) attend(ctx context.Context, p Process) {
	every := askMin
	look := time.NewTimer(0)
	defer look.Stop()
	for {
		select {
		case <-p.Ended():
			k.ended(ctx, p)
			return
		case <-ctx.Done():
			return
		case <-k.news:
			every = askMin
		case <-look.C:
		}
		if k.turn(ctx, p) {
			every = askMax
		} else {
			every = min(2*every, askMax)
		}
		look.Reset(every)
	}
}

// turn has the node be as is ordered, and tells whether it is, as far as can be done.
func (k *keeper) turn(ctx context.Context, p Process) bool {
	n, parameters, rest := k.h.told(k.id)
	switch {
	case n.Stop:
		if k.leaves.IsZero() {
			k.leaves = time.Now()
		}
		if time.Since(k.leaves) < leaveFor {
			return false
		}
		p.Kill() // nobody counts on what it has
	case rest && !k.stopping:
		k.stopping = true
		p.Stop()
	case !rest:
		return k.ask(ctx, p.Addr(), n, parameters)
	}
	return true
}

// ended takes note that the process has ended, and why.
func (k *keeper) ended(ctx context.Context, p Process) {
	lived := time.Since(k.launched)
	n, _, rest := k.h.told(k.id)
	k.gone()
	if n.Stop || rest {
		k.h.o.Log.Info("node has ended, as it was told to", "node", k.id)
		return
	}
	k.short(ctx, lived, p.Why())
}

// ask asks the node for its run, and sets what is to be set. It tells whether all is as it should be.
func (k *keeper) ask(ctx context.Context, addr string, n node, parameters map[string]string) bool {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	run, err := k.h.o.Nodes.Run(ctx, addr)
	if err == nil && run.Node != k.id {
		err = fmt.Errorf("node %s answers there", run.Node)
	}
	if err != nil {
		if since := time.Since(k.launched); !k.silent && since > steadyAfter {
			k.silent = true
			k.h.o.Log.Warn("node runs and does not answer", "node", k.id, "addr", addr, "error", err)
		}
		return false
	}
	k.silent = false
	set := k.isSet(n.Settings) || k.configure(ctx, addr, n, parameters)
	k.h.change(k.id, func(n *node) {
		if n.Run != run.ID && n.Run != "" {
			n.Exited = n.Run
		}
		n.Run = run.ID
	})
	news := false
	k.update(func() { news, k.run, k.failed = k.run != run.ID, run.ID, "" })
	if news {
		k.h.o.Log.Info("node runs", "node", k.id, "addr", addr, "run", run.ID)
	}
	return set
}

func (k *keeper) isSet(number int) (is bool) {
	k.update(func() { is = k.set == number })
	return is
}

// configure sets the node to what is ordered, and tells whether all was taken. What can only be given at the start is at the next one.
func (k *keeper) configure(ctx context.Context, addr string, n node, parameters map[string]string) bool {
	refuses, atStart := map[string]string{}, []string(nil)
	settings := maps.Clone(parameters)
	if settings == nil {
		settings = map[string]string{}
	}
	settings["maxmemory"] = fmt.Sprint(n.MaxMemory)
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		err := k.h.o.Nodes.Set(ctx, addr, name, settings[name])
		switch {
		case errors.Is(err, ErrAtStart):
			atStart = append(atStart, name)
		case err != nil:
			refuses[name] = err.Error()
		}
	}
	known := false
	k.update(func() {
		known = maps.Equal(k.refuses, refuses)
		k.refuses = refuses
		if len(refuses) == 0 {
			k.set = n.Settings
		}
	})
	if !known || len(refuses) == 0 { // else it was tried again, and said before
		for _, name := range atStart {
			k.h.o.Log.Info("a parameter of a node is for its next start", "node", k.id, "parameter", name)
		}
		for name, why := range refuses {
			k.h.o.Log.Error("a node does not take a parameter", "node", k.id, "parameter", name, "error", why)
		}
	}
	if refuses["maxmemory"] == "" {
		k.h.change(k.id, func(now *node) {
			if now.Settings == n.Settings {
				now.Holds = 0
			}
		})
	}
	return len(refuses) == 0
}

// erase removes what the node has kept, and then lets go of it.
func (k *keeper) erase(ctx context.Context) bool {
	if err := k.h.o.Starter.Erase(k.id); err != nil {
		k.troubled(fmt.Errorf("what node %s has kept cannot be removed: %w", k.id, err))
		k.pause(ctx, waitMax/10)
		return false
	}
	k.h.forget(k.id)
	return true
}
