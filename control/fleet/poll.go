package fleet

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"larder/control/controller"
)

// How often hosts and nodes are asked: those of clusters to which something is happening, and others.
const (
	askOften   = 100 * time.Millisecond // Options.AskOften
	askSeldom  = time.Second
	answerTime = 2 * time.Second
)

// target is a node that is to be asked.
type target struct{ cluster, node, addr string }

// polls asks hosts and nodes how they are, each not again before it has answered, or has not within its time.
func (t *term) polls() error {
	look := time.NewTimer(0)
	defer look.Stop()
	asked := map[target]time.Time{} // when, or in future: it is being asked
	busy, mute := map[target]bool{}, map[target]bool{}
	done := make(chan answer[target])
	for {
		select {
		case <-t.ctx.Done():
			return nil
		case was := <-done:
			delete(busy, was.of)
			mute[was.of] = was.err != nil
			continue
		case <-t.woken:
		case <-look.C:
		}
		now := t.l.o.Now()
		hosts, nodes, haste := t.due(now, asked, busy)
		maps.DeleteFunc(mute, func(n target, _ bool) bool { _, is := asked[n]; return !is })
		look.Reset(t.pace(haste))
		for _, h := range hosts {
			ask := func(ctx context.Context) error { return t.askHost(ctx, h.Host) }
			t.poll(asking{"host", t.room(h.mute), answerTime, ask}, func(err error) { t.answered(h.Host, err) })
		}
		for _, n := range nodes {
			ask := func(ctx context.Context) error { return t.askNode(ctx, n.cluster, n.node, n.addr) }
			t.poll(asking{"node", t.room(mute[n]), answerTime, ask}, func(err error) { hand(t, done, answer[target]{n, err}) })
		}
	}
}

// pace is when it is looked again who is to be asked.
func (t *term) pace(haste bool) time.Duration {
	if haste {
		return t.l.o.AskOften / 2
	}
	return askSeldom / 10
}

// wake has it looked at once.
func (t *term) wake() {
	select {
	case t.woken <- struct{}{}:
	default:
	}
}

// due are the hosts and nodes whose turn it is. They count as being asked from now on.
func (t *term) due(now time.Time, asked map[target]time.Time, busy map[target]bool) (hosts []hostView, nodes []target, haste bool) {
	t.l.mu.Lock()
	defer t.l.mu.Unlock()
	wait := func(hasty bool) time.Duration {
		if hasty {
			return t.l.o.AskOften
		}
		return askSeldom
	}
	for cluster, until := range t.haste {
		if now.After(until) {
			delete(t.haste, cluster)
			continue
		}
		haste = true
	}
	there := map[target]bool{}
	for _, h := range t.hosts {
		hasty := haste && (!h.heard || slices.ContainsFunc(h.says.Nodes, func(r controller.Running) bool { return !t.haste[r.Cluster].IsZero() }))
		if !h.busy && now.Sub(h.asked) >= wait(hasty) {
			h.busy, h.asked = true, now
			hosts = append(hosts, *h)
		}
		for i := range h.says.Nodes {
			r := &h.says.Nodes[i]
			if r.Run == "" || r.Addr == "" {
				continue
			}
			n := target{r.Cluster, r.Node, r.Addr}
			there[n] = true
			if !busy[n] && now.Sub(asked[n]) >= wait(!t.haste[r.Cluster].IsZero()) {
				busy[n], asked[n] = true, now
				nodes = append(nodes, n)
			}
		}
	}
	for n := range asked {
		if !there[n] && !busy[n] {
			delete(asked, n)
		}
	}
	t.forget(there)
	return hosts, nodes, haste
}

// forget lets go of what nodes have said that are no more. Under mu.
func (t *term) forget(there map[target]bool) {
	left := map[string]map[string]bool{}
	for n := range there {
		if left[n.cluster] == nil {
			left[n.cluster] = map[string]bool{}
		}
		left[n.cluster][n.node] = true
	}
	for cluster, nodes := range t.nodes {
		for node := range nodes {
			if !left[cluster][node] {
				delete(nodes, node)
			}
		}
		if len(nodes) == 0 {
			delete(t.nodes, cluster)
		}
	}
}

// asking is how somebody is asked.
type asking struct {
	kind   string // of who is asked
	room   chan struct{}
	within time.Duration
	ask    func(context.Context) error
}

// answer is what became of asking somebody. err: it did not answer.
type answer[T any] struct {
	of  T
	err error
}

// room is where somebody waits to be asked: who did not answer the last time takes no place from those who do.
func (t *term) room(mute bool) chan struct{} {
	if mute {
		return t.rooms.mute
	}
	return t.rooms.polls
}

// poll asks when there is room for it.
func (t *term) poll(a asking, done func(error)) {
	t.spawn(func() {
		select {
		case a.room <- struct{}{}:
		case <-t.ctx.Done():
			return
		}
		ctx, cancel := context.WithTimeout(t.ctx, a.within)
		err := a.ask(ctx)
		cancel()
		<-a.room
		if err != nil && t.ctx.Err() == nil {
			t.l.o.Metrics.silent.WithLabelValues(a.kind).Inc()
			t.l.o.Log.Debug("there is no answer", "from", a.kind, "error", err)
		}
		done(err)
	})
}

// hand gives an answer to who waits for it, as long as the term lasts.
func hand[T any](t *term, to chan<- answer[T], a answer[T]) {
	select {
	case to <- a:
	case <-t.ctx.Done():
	}
}

// answered notes that a host may be asked again.
func (t *term) answered(h controller.Host, err error) {
	t.l.mu.Lock()
	defer t.l.mu.Unlock()
	if known := t.hosts[h.ID]; known != nil && known.Host == h {
		known.busy, known.mute = false, err != nil
	}
}

var errOther = errors.New("another one answers there")

func (t *term) askHost(ctx context.Context, h controller.Host) error {
	says, err := t.l.o.Hosts.Says(ctx, h)
	if err != nil {
		return err
	}
	if says.Host != h.ID {
		return errOther
	}
	t.hostSays(h, says)
	return nil
}

func (t *term) askNode(ctx context.Context, cluster, node, addr string) error {
	at := t.l.o.Now()
	says, err := t.l.o.Nodes.State(ctx, cluster, node, addr)
	if err != nil {
		return err
	}
	if says.Run.Node != node {
		return errOther
	}
	says.Cluster, says.Node, says.At = cluster, node, at
	t.nodeSays(says)
	return nil
}
