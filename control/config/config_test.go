package config_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"larder/backends/registry"
	"larder/backends/registry/embedded"
	"larder/configs"
	"larder/control/config"
)

// desk is a keeper over an embedded registry.
type desk struct {
	t *testing.T
	*config.Keeper
	registry registry.Registry
	faulty   *faulty // what the keeper has of it

	mu     sync.Mutex
	events []string
}

func newDesk(t *testing.T) *desk {
	t.Helper()
	r, err := embedded.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	d := &desk{t: t, registry: r, faulty: &faulty{Store: r}}
	d.Keeper = config.NewKeeper(config.KeeperOptions{
		Registry: d.faulty, Rules: configs.Managed{}, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Report: func(_ context.Context, kind, text string) {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.events = append(d.events, kind+": "+text)
		},
	})
	return d
}

// faulty is a registry that fails where a test says so.
type faulty struct {
	registry.Store
	list error  // what List says
	set  func() // is called when CompareAndSet has written
}

func (f *faulty) List(ctx context.Context, prefix string) ([]registry.Entry, error) {
	if f.list != nil {
		return nil, f.list
	}
	return f.Store.List(ctx, prefix)
}

func (f *faulty) CompareAndSet(ctx context.Context, key string, value []byte, version uint64, fences ...registry.Fence) (uint64, error) {
	written, err := f.Store.CompareAndSet(ctx, key, value, version, fences...)
	if f.set != nil {
		f.set()
	}
	return written, err
}

func (d *desk) set(c config.Edit) config.Version {
	d.t.Helper()
	v, err := d.Set(d.t.Context(), c)
	if err != nil {
		d.t.Fatal(err)
	}
	return v
}

// hand writes as people do, and gives the version.
func (d *desk) hand(text string) uint64 {
	d.t.Helper()
	if err := d.registry.Put(d.t.Context(), config.Key, []byte(text)); err != nil {
		d.t.Fatal(err)
	}
	e, err := d.registry.Get(d.t.Context(), config.Key)
	if err != nil {
		d.t.Fatal(err)
	}
	return e.Version
}

// told waits until events have a text, and gives how many do.
func (d *desk) told(text string) int {
	d.t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		d.mu.Lock()
		n := 0
		for _, e := range d.events {
			if strings.Contains(e, text) {
				n++
			}
		}
		d.mu.Unlock()
		if n > 0 {
			return n
		}
		if time.Now().After(end) {
			d.t.Fatalf("no event has %q: %q", text, d.events)
		}
	}
}

func TestKeeperChanges(t *testing.T) {
	d, ctx := newDesk(t), t.Context()
	first := d.set(config.Edit{Set: config.Values{"gateway.idle-timeout": "300s", "access.allow": " 10.0.0.0/8 , ::1"}, By: "ann"})
	want := config.Values{"gateway.idle-timeout": "5m", "access.allow": "10.0.0.0/8,::1"} // as they are printed
	if !maps.Equal(first.Values, want) || first.Version == 0 || first.By != "ann" {
		t.Errorf("the first version is %+v", first)
	}
	if e, err := d.registry.Get(ctx, config.Key); err != nil || string(e.Value) != "gateway.idle-timeout: 5m\naccess.allow: [10.0.0.0/8, \"::1\"]\n" {
		t.Errorf("the registry has %q, %v", e.Value, err)
	}
	if again := d.set(config.Edit{Set: config.Values{"gateway.idle-timeout": "5m"}, By: "bob"}); again.Version != first.Version || again.By != "ann" {
		t.Errorf("what changes nothing made version %+v", again)
	}
	second := d.set(config.Edit{Set: config.Values{"gateway.pending-max": "64"}, Unset: []string{"access.allow"}, By: "bob", If: &first.Version})
	if second.Version <= first.Version || !maps.Equal(second.Values, config.Values{"gateway.idle-timeout": "5m", "gateway.pending-max": "64"}) {
		t.Errorf("the second version is %+v", second)
	}
	for _, c := range []struct {
		change config.Edit
		is     error
		says   string
	}{
		{config.Edit{Set: config.Values{"gateway.pending-max": "1"}}, config.ErrInvalid, "at least 2"},
		{config.Edit{Set: config.Values{"gateway.idle-timeout": "soon"}}, config.ErrInvalid, "must be a duration"},
		{config.Edit{Set: config.Values{"gateway.idle-timeuot": "1s"}}, config.ErrInvalid, "do you mean gateway.idle-timeout?"},
		{config.Edit{Set: config.Values{"gateway.password": "hush"}}, config.ErrInvalid, "no secret stands in the registry"},
		{config.Edit{Set: config.Values{"gateway.listen": ":1"}}, config.ErrInvalid, "each gateway's own"},
		{config.Edit{Set: config.Values{"engine.maxmemory": "1gb"}}, config.ErrInvalid, "no setting of gateways"},
		{config.Edit{Set: config.Values{"gateway.upstream.backoff-min": "9s"}}, config.ErrInvalid, "backoff max"},
		{config.Edit{Unset: []string{"gateway.listen"}}, config.ErrInvalid, "unknown key"},
		{config.Edit{Set: config.Values{"gateway.pending-max": "65"}, If: &first.Version}, config.ErrChanged, "not " + fmt.Sprint(first.Version)},
	} {
		_, err := d.Set(ctx, c.change)
		if !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%+v: %v, want %v that says %q", c.change, err, c.is, c.says)
		}
	}
	back, err := d.Rollback(ctx, first.Version, "cid")
	if err != nil || back.Version <= second.Version || !maps.Equal(back.Values, want) || back.Note != fmt.Sprintf("rollback to %d", first.Version) {
		t.Errorf("rolled back to %+v, %v", back, err)
	}
	if _, err := d.Rollback(ctx, 9999, "cid"); !errors.Is(err, config.ErrUnknown) {
		t.Errorf("rolled back to nothing: %v", err)
	}
	all, err := d.History(ctx)
	if err != nil || len(all) != 3 || all[0].Version != back.Version || all[1].By != "bob" || all[2].By != "ann" {
		t.Errorf("the history is %+v, %v", all, err)
	}
	if d.told("version "+fmt.Sprint(second.Version)+", by bob: access.allow is no longer set, gateway.pending-max=64") != 1 {
		t.Errorf("events: %q", d.events)
	}
}

// TestKeeperRemembersFifty: the oldest versions go.
func TestKeeperRemembersFifty(t *testing.T) {
	d := newDesk(t)
	var versions []uint64
	for i := range config.HistoryMax + 3 {
		versions = append(versions, d.set(config.Edit{Set: config.Values{"gateway.pending-max": fmt.Sprint(100 + i)}}).Version)
	}
	all, err := d.History(t.Context())
	if err != nil || len(all) != config.HistoryMax || all[0].Version != versions[len(versions)-1] || all[len(all)-1].Version != versions[3] {
		t.Errorf("%d versions, %v", len(all), err)
	}
}

// TestKeepersAtOnce: several change different settings at the same time, and nothing of it is lost.
func TestKeepersAtOnce(t *testing.T) {
	d := newDesk(t)
	keys := []string{"gateway.pending-max", "gateway.slowlog-max-len", "gateway.gather-max", "gateway.multi-max"}
	var all sync.WaitGroup
	for _, key := range keys {
		all.Go(func() {
			if _, err := d.Set(t.Context(), config.Edit{Set: config.Values{key: "77777"}}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	s, err := d.State(t.Context())
	if err != nil || len(s.Present.Values) != len(keys) {
		t.Errorf("%+v, %v", s.Present, err)
	}
}

// TestByHand: what is written straight into the registry comes into the history, and an event tells of it once though two look; what is wrong is refused, and
// the next change begins with the last good version.
func TestByHand(t *testing.T) {
	d := newDesk(t)
	good := d.set(config.Edit{Set: config.Values{"gateway.pending-max": "64"}, By: "ann"})
	ctx, stop := context.WithCancel(t.Context())
	var looking sync.WaitGroup
	for i := range 2 {
		looking.Go(func() { d.Follow(ctx, rand.New(rand.NewPCG(1, uint64(i)))) })
	}
	defer looking.Wait()
	defer stop()
	bad := d.hand("gateway:\n  pending-max: many\n")
	d.told(fmt.Sprintf("config-refused: version %d", bad))
	s, err := d.State(ctx)
	if err != nil || s.Present.Version != bad || !strings.Contains(s.Present.Refused, "larder/config/gateway") || !strings.Contains(s.Present.Refused, "whole number") {
		t.Errorf("%+v, %v", s.Present, err)
	}
	if _, err := d.Rollback(ctx, bad, ""); !errors.Is(err, config.ErrInvalid) {
		t.Errorf("rolled back to what is wrong: %v", err)
	}
	next := d.set(config.Edit{Set: config.Values{"gateway.slowlog-max-len": "5"}, By: "ann"})
	if !maps.Equal(next.Values, config.Values{"gateway.pending-max": "64", "gateway.slowlog-max-len": "5"}) {
		t.Errorf("after a wrong one: %+v", next)
	}
	hand := d.hand("gateway: {pending-max: 32}\naccess.allow: [10.0.0.0/8]\n")
	if n := d.told(fmt.Sprintf("version %d, by somebody", hand)); n != 1 {
		t.Errorf("%d events of one version", n)
	}
	all, err := d.History(ctx)
	var versions []uint64
	for _, v := range all {
		versions = append(versions, v.Version)
	}
	if want := []uint64{hand, next.Version, bad, good.Version}; err != nil || !slices.Equal(versions, want) {
		t.Errorf("history %v, want %v; %v", versions, want, err)
	}
	if err := d.registry.Delete(ctx, config.Key); err != nil {
		t.Fatal(err)
	}
	d.told("gone from the registry")
	if n := d.told("config-refused: version"); n != 1 {
		t.Errorf("a refusal was told %d times", n)
	}
}

// TestKeeperWithoutHistory: where what stands in the registry is wrong and the last good version cannot be read, nothing is written over it.
func TestKeeperWithoutHistory(t *testing.T) {
	d := newDesk(t)
	d.set(config.Edit{Set: config.Values{"gateway.pending-max": "64"}})
	bad := d.hand("gateway.pending-max: many\n")
	d.faulty.list = fmt.Errorf("no answer: %w", registry.ErrUnavailable)
	if v, err := d.Set(t.Context(), config.Edit{Set: config.Values{"gateway.gather-max": "4096"}}); !errors.Is(err, registry.ErrUnavailable) || errors.Is(err, config.ErrInvalid) {
		t.Errorf("%+v, %v", v, err)
	}
	if e, err := d.registry.Get(t.Context(), config.Key); err != nil || e.Version != bad {
		t.Errorf("the registry has %q at version %d, %v", e.Value, e.Version, err)
	}
	d.faulty.list = nil
	if v := d.set(config.Edit{Set: config.Values{"gateway.gather-max": "4096"}}); v.Values["gateway.pending-max"] != "64" {
		t.Errorf("%+v lost the last good values", v)
	}
}

// TestKeeperLeftAlone: a version whose client hangs up when it is written is that client's in the history all the same.
func TestKeeperLeftAlone(t *testing.T) {
	d := newDesk(t)
	ctx, hangUp := context.WithCancel(t.Context())
	d.faulty.set = hangUp
	v, err := d.Set(ctx, config.Edit{Set: config.Values{"gateway.pending-max": "64"}, By: "ann"})
	if err != nil {
		t.Fatal(err)
	}
	all, err := d.History(t.Context())
	if err != nil || len(all) != 1 || all[0].Version != v.Version || all[0].By != "ann" {
		t.Errorf("the history is %+v, %v", all, err)
	}
}
