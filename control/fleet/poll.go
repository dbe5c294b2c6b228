package fleet

import (
	"context"
	"errors"
	"io"
	"maps"
	"syscall"
	"time"

	"larder/control/controller"
)

// How often hosts and nodes are asked: those of clusters to which something is happening, and others.
const (
	askOften   = 100 * time.Millisecond // Options.AskOften
	askSeldom  = time.Second
	answerTime = 2 * time.Second

	downParts  = 8                      // so often within Limits.DownAfter nodes are asked that may have to be followed by others
	askSpacing = 500 * time.Microsecond // for each node that there is
	muteTimes  = 3                      // for so many times Limits.DownAfter one that does not answer is asked again almost without a rest
	lateMax    = 300 * time.Millisecond // by which a time that has run out may be noticed late
)

// target is a node that is to be asked.
type target struct{ cluster, node, addr string }

// polls asks hosts and nodes how they are, each not again before it has answered, or has not within its time.
func (t *term) polls() error {
	look := time.NewTimer(0)
	defer look.Stop()
	asked := map[target]time.Time{}                         // when, or in future: it is being asked
	busy, mute := map[target]bool{}, map[target]time.Time{} // since when it has not answered
	done := make(chan answer[target])
	for {
		select {
		case <-t.ctx.Done():
			return nil
		case was := <-done:
			delete(busy, was.of)
			if was.err == nil {
				delete(mute, was.of)
			} else if mute[was.of].IsZero() {
				mute[was.of] = asked[was.of]
			}
		case <-t.woken:
		case <-look.C:
		}
		now := t.l.o.Now()
		hosts, nodes, haste := t.due(now, asked, busy, mute)
		maps.DeleteFunc(mute, func(n target, _ time.Time) bool { _, is := asked[n]; return !is })
		look.Reset(t.pace(haste))
		for _, h := range hosts {
			t.pollHost(h)
		}
		for _, n := range nodes {
			t.pollNode(n, mute[n], done)
		}
	}
}

// news tells whether a host can be asked for news.
func (h *hostView) news() bool { return h.heard && !h.mute && h.says.State > 0 }

// pollHost asks a host, or waits for news of one that is heard.
func (t *term) pollHost(h hostView) {
	a := asking{kind: "host", room: t.rooms.news, within: answerTime, ask: func(ctx context.Context) error { return t.awaitHost(ctx, h.Host, h.says.State) }}
	if !h.news() {
		a.room, a.ask = t.room(h.mute), func(ctx context.Context) error { return t.askHost(ctx, h.Host) }
	}
	if !h.heard && !h.mute {
		a.within = t.l.o.Limits.Down() // a controller that takes over is to find out soon who is there
	}
	a.silent = func(at, until time.Time, _ error) {
		t.tell(controller.HostMute{Host: h.ID, Session: h.Session, At: at, Until: until})
	}
	t.poll(a, func(err error) { t.answered(h.Host, err) })
}

// pollNode asks a node. Who does not answer is soon asked again, over another connection; and later patiently, for it may only be slow.
func (t *term) pollNode(n target, mute time.Time, done chan answer[target]) {
	down := t.l.o.Limits.Down()
	a := asking{kind: "node", room: t.room(!mute.IsZero()), within: min(answerTime, down/2)}
	if !mute.IsZero() && t.l.o.Now().Sub(mute) > muteTimes*down {
		a.within = answerTime
	}
	a.ask = func(ctx context.Context) error { return t.askNode(ctx, n.cluster, n.node, n.addr) }
	a.silent = func(at, until time.Time, err error) {
		t.tell(controller.NodeMute{Cluster: n.cluster, Node: n.node, At: at, Until: until, Refused: nobodyThere(err)})
	}
	t.poll(a, func(err error) { hand(t, done, answer[target]{n, err}) })
}

// nobodyThere tells whether an error says that no process has that address now.
func nobodyThere(err error) bool {
	return errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF)
}

// pace is when it is looked again who is to be asked.
func (t *term) pace(haste bool) time.Duration {
	if haste {
		return t.l.o.AskOften / 2
	}
	return min(t.l.o.Limits.Down()/downParts, askSeldom/5) / 2
}

// wake has it looked at once.
func (t *term) wake() {
	select {
	case t.woken <- struct{}{}:
	default:
	}
}

// due are the hosts and nodes whose turn it is. They count as being asked from now on.
func (t *term) due(now time.Time, asked map[target]time.Time, busy map[target]bool, mute map[target]time.Time) (hosts []hostView, nodes []target, haste bool) {
	t.l.mu.Lock()
	defer t.l.mu.Unlock()
	down := t.l.o.Limits.Down()
	watched := max(down/downParts, time.Duration(len(asked))*askSpacing) // however many there are, only so many are asked a second
	wait := func(n target) time.Duration {
		switch since := mute[n]; {
		case !since.IsZero() && now.Sub(since) <= muteTimes*down:
			return down / (2 * downParts) // where nobody listens that is known at once
		case !t.haste[n.cluster].IsZero():
			return t.l.o.AskOften
		case since.IsZero() && t.l.view.Fleet.Watched(n.cluster):
			return min(watched, askSeldom)
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
		pause := askSeldom
		switch {
		case h.news(): // it answers when there is any
			pause = 0
		case haste && !h.heard:
			pause = t.l.o.AskOften
		}
		if h.left.IsZero() && !h.busy && now.Sub(h.asked) >= pause {
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
			if !busy[n] && now.Sub(asked[n]) >= wait(n) {
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
	silent func(at, until time.Time, err error) // told of one that has not answered
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
		at := t.l.o.Now()
		ctx, cancel := context.WithTimeout(t.ctx, a.within)
		err := a.ask(ctx)
		cancel()
		<-a.room
		if err != nil && t.ctx.Err() == nil {
			t.l.o.Metrics.silent.WithLabelValues(a.kind).Inc()
			t.l.o.Log.Debug("there is no answer", "from", a.kind, "error", err)
			// A process that was paused sees its own time run out, whoever has answered.
			if until := t.l.o.Now(); a.silent != nil && until.Sub(at) < a.within+lateMax {
				a.silent(at, until, err)
			}
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
		t.wake()
	}
}

var errOther = errors.New("another one answers there")

func (t *term) askHost(ctx context.Context, h controller.Host) error {
	return t.heardHost(h, func() (controller.HostSays, error) { return t.l.o.Hosts.Says(ctx, h) })
}

func (t *term) awaitHost(ctx context.Context, h controller.Host, seen uint64) error {
	return t.heardHost(h, func() (controller.HostSays, error) { return t.l.o.Hosts.News(ctx, h, seen) })
}

func (t *term) heardHost(h controller.Host, ask func() (controller.HostSays, error)) error {
	says, err := ask()
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
