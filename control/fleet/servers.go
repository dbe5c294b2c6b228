package fleet

import (
	"context"
	"maps"
	"time"

	"larder/backends/stock"
	"larder/control/controller"
)

// Servers are those of others that external clusters are made of.
type Servers interface {
	// Ask asks one for its role. An error says in words that stay the same why nothing can be said.
	Ask(ctx context.Context, addr string) (stock.Role, error)
}

// askServersWithin is less than askSeldom: a server that does not answer is known not to before it is asked again.
const askServersWithin = 800 * time.Millisecond

// servers asks the servers of external clusters once a second each, not again before one has answered, or has not within its time.
func (t *term) servers() error {
	if t.l.o.Servers == nil {
		return nil
	}
	every := time.NewTicker(askSeldom / 4)
	defer every.Stop()
	asked, busy, mute := map[controller.Server]time.Time{}, map[controller.Server]bool{}, map[controller.Server]bool{}
	done := make(chan answer[controller.Server])
	for {
		select {
		case <-t.ctx.Done():
			return nil
		case was := <-done:
			delete(busy, was.of)
			mute[was.of] = was.err != nil
		case <-every.C:
			now := t.l.o.Now()
			there := map[controller.Server]time.Time{}
			for _, s := range t.l.View().Fleet.Servers() {
				there[s] = asked[s]
				if busy[s] || now.Sub(asked[s]) < askSeldom {
					continue
				}
				there[s], busy[s] = now, true
				ask := func(ctx context.Context) error { return t.askServer(ctx, s, now) }
				t.poll(asking{kind: "server", room: t.room(mute[s]), within: askServersWithin, ask: ask}, func(err error) { hand(t, done, answer[controller.Server]{s, err}) })
			}
			asked = there
			maps.DeleteFunc(mute, func(s controller.Server, _ bool) bool { _, is := there[s]; return !is })
		}
	}
}

// askServer has the controller hear what a server says, or why it says nothing.
func (t *term) askServer(ctx context.Context, s controller.Server, now time.Time) error {
	role, err := t.l.o.Servers.Ask(ctx, s.Addr)
	says := controller.ServerSays{Cluster: s.Cluster, Addr: s.Addr, At: now}
	if err != nil {
		says.Wrong = err.Error()
	} else {
		says.Run, says.Primary, says.History, says.Before = role.Run, role.Primary, role.History, role.Before
		says.Follows, says.Linked, says.Loading = role.Follows, role.Linked, role.Loading
	}
	if t.ctx.Err() == nil { // else it had no time to answer
		t.tell(says)
	}
	return err
}
