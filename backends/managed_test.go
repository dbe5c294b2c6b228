package backends_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"larder/backends"
	"larder/engine"
	"larder/internal/fleet"
	"larder/internal/peers"
	"larder/router"
)

// TestManagedNodes: real nodes are shown records, by which one follows the other and joins, and say how they are.
func TestManagedNodes(t *testing.T) {
	managed := func(id string) string {
		return fleet.Node(t, func(o *engine.Options) { o.ID, o.Managed = id, true })
	}
	a, b := managed("a"), managed("b")
	m := backends.NewManaged(backends.Auth{})
	defer m.Close()
	ctx := within(t, peers.Patience)
	state := func(addr string) backends.State {
		t.Helper()
		s, err := m.State(ctx, addr)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first, second := state(a), state(b)
	if first.Role != "waiting" || first.Run.Node != "a" || first.Run.ID == "" || first.Record != nil {
		t.Errorf("before a record: %+v", first)
	}
	record := &router.Record{Epoch: 1, Term: 1, Reign: 1, Primary: first.Run, Set: []router.Run{first.Run}}
	show := func() {
		t.Helper()
		for _, addr := range []string{a, b} {
			if err := m.Show(ctx, addr, record, []string{router.Place("a", a), router.Place("b", b)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	show()
	until := func(what string, ok func() bool) {
		t.Helper()
		for !ok() {
			if ctx.Err() != nil {
				t.Fatalf("%s: a is %+v, b is %+v", what, state(a), state(b))
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	until("b follows", func() bool { second = state(b); return slices.Contains(state(a).Followers, second.Run) })
	record.Epoch, record.Joining = 2, []router.Run{second.Run}
	show()
	until("b is confirmed", func() bool { s := state(a); return s.Record.Epoch == 2 && slices.Contains(s.Confirmed, second.Run) })
	if s := state(b); s.Role != "follower" || !s.Loaded || !s.Following {
		t.Errorf("b is %+v", s)
	}
	record.Epoch = 1
	if err := m.Show(ctx, a, record, nil); err != nil {
		t.Errorf("an old record, which its state shows: %v", err)
	}
	if _, err := m.State(ctx, scripted(t, "*2\r\n$3\r\nrun\r\n$3\r\nabc\r\n")); err == nil || !strings.Contains(err.Error(), "abc") {
		t.Errorf("a state that cannot be: %v", err)
	}
}
