package fleet

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"larder/backends/registry"
	"larder/control/controller"
	"larder/router"
)

// effectTime is how long an effect may take, its waiting for others included. Then it is given up: the controller asks again.
const effectTime = 3 * time.Second

// rooms bound how much is done at once, of each kind apart: hosts that do not answer hold up no writing, and nobody's being asked but that of others like them.
type rooms struct{ puts, orders, tells, polls, mute, news chan struct{} }

func newRooms() rooms {
	const puts, orders, tells, polls, mute, news = 16, 32, 256, 32, 64, 4096
	room := func(size int) chan struct{} { return make(chan struct{}, size) }
	return rooms{puts: room(puts), orders: room(orders), tells: room(tells), polls: room(polls), mute: room(mute), news: room(news)}
}

// carryOut begins to do what a step wants.
func (t *term) carryOut(effect controller.Effect) {
	switch e := effect.(type) {
	case controller.Put:
		t.hasten(clusterOf(e.Key))
		t.do(t.rooms.puts, "put", e.Key, func(ctx context.Context) error { return t.put(ctx, e) })
	case controller.Order:
		t.hasten(e.Cluster)
		t.do(t.rooms.orders, "order", e.Host, func(ctx context.Context) error { return t.order(ctx, e) })
	case controller.Tell:
		if e.Promise || e.Record.State != router.Normal || !e.Repeated { // who hangs is told for ever
			t.hasten(e.Cluster)
		}
		t.do(t.rooms.tells, "tell", e.Node, func(ctx context.Context) error { return t.show(ctx, e) })
	case controller.Again:
		if at, ok := t.again[e.Cluster]; !ok || e.At.Before(at) {
			t.again[e.Cluster] = e.At
		}
	case controller.Report:
		t.l.ReportOf(e.Cluster, e.Kind, e.Text)
	}
}

// clusterOf is the cluster that a key is of; empty: none.
func clusterOf(key string) string {
	rest, ok := strings.CutPrefix(key, controller.Prefix+"clusters/")
	name, _, _ := strings.Cut(rest, "/")
	if !ok {
		return ""
	}
	return name
}

// do does something when there is room for it, within its time.
func (t *term) do(room chan struct{}, kind, subject string, what func(context.Context) error) {
	t.spawn(func() {
		ctx, cancel := context.WithTimeout(t.ctx, effectTime)
		defer cancel()
		select {
		case room <- struct{}{}:
			defer func() { <-room }()
		case <-ctx.Done():
			return
		}
		t.l.o.Metrics.effects.WithLabelValues(kind).Inc()
		if err := what(ctx); err != nil && t.ctx.Err() == nil {
			t.l.o.Metrics.failed.WithLabelValues(kind).Inc()
			t.l.o.Log.Debug("what is to be done could not be done now; it is tried again", "what", kind, "subject", subject, "error", err)
		}
	})
}

// put writes if nobody else has and this process still leads.
func (t *term) put(ctx context.Context, p controller.Put) error {
	value := p.Value
	if isTopology(p.Key) && len(value) > 0 {
		packed, err := registry.Pack(value)
		if err != nil {
			return err
		}
		value = packed
	}
	_, err := t.l.o.Registry.CompareAndSet(ctx, p.Key, value, p.Version, registry.Fence{Key: LockKey, Session: t.session})
	if errors.Is(err, registry.ErrNotHeld) {
		t.suspects()
	}
	return err
}

// order gives a host an order, and asks what has become of it.
func (t *term) order(ctx context.Context, o controller.Order) error {
	t.l.mu.Lock()
	known := t.hosts[o.Host]
	t.l.mu.Unlock()
	if known == nil {
		return fmt.Errorf("host %s is not announced", o.Host)
	}
	if err := t.l.o.Hosts.Obey(ctx, known.Host, o); err != nil {
		return err
	}
	return t.askHost(ctx, known.Host)
}

// show shows a node a record, and asks how it is then.
func (t *term) show(ctx context.Context, e controller.Tell) error {
	if err := t.l.o.Nodes.Obey(ctx, e); err != nil {
		return err
	}
	return t.askNode(ctx, e.Cluster, e.Node, e.Addr)
}
