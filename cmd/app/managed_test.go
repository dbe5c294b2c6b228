package app_test

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"larder/backends/registry"
	"larder/cmd/app"
	"larder/configs"
	settings "larder/control/config"
	"larder/internal/clients"
	"larder/internal/peers"
)

// settled is a fleet's settings in a real Consul, and who keeps them.
type settled struct {
	*settings.Keeper
	t      *testing.T
	server *peers.Consul
	fleet  registry.Registry

	mu     sync.Mutex
	events []string
}

func settle(t *testing.T, server *peers.Consul, fleet registry.Registry) *settled {
	t.Helper()
	s := &settled{t: t, server: server, fleet: fleet}
	s.Keeper = settings.NewKeeper(settings.KeeperOptions{
		Registry: fleet, Rules: configs.Managed{}, Log: slog.New(slog.DiscardHandler), Now: time.Now,
		Report: func(_ context.Context, kind, text string) {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.events = append(s.events, kind+": "+text)
		},
	})
	ctx, stop := context.WithCancel(context.Background())
	var looking sync.WaitGroup
	looking.Go(func() { s.Follow(ctx, rand.New(rand.NewPCG(1, 2))) })
	t.Cleanup(func() {
		stop()
		looking.Wait()
	})
	return s
}

func (s *settled) set(values settings.Values) settings.Version {
	s.t.Helper()
	var v settings.Version
	eventually(s.t, "settings are written", func() (done bool) {
		var err error
		v, err = s.Set(s.t.Context(), settings.Edit{Set: values, By: "ann"})
		return err == nil
	})
	return v
}

// hand writes as people do, with Consul's own tools.
func (s *settled) hand(text string) {
	s.t.Helper()
	s.server.Ask(http.MethodPut, "/v1/kv/"+settings.Key, "", text, nil)
}

func (s *settled) told(text string) {
	s.t.Helper()
	eventually(s.t, "an event "+text, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return strings.Contains(strings.Join(s.events, "\n"), text)
	})
}

// runs waits until the gateway has said in the registry which version it runs, and that it refuses another if refused is not empty.
func (s *settled) runs(version uint64, refused string) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("the registry says that version %d runs", version), func() bool {
		state, err := s.State(s.t.Context())
		if err != nil || len(state.Running) != 1 {
			return false
		}
		r := state.Running[0]
		return r.Version == version && (r.Refused != nil) == (refused != "") && (r.Refused == nil || strings.Contains(r.Refused.Error, refused))
	})
}

// visitor is a client's one connection.
type visitor struct {
	t *testing.T
	w *clients.Wire
}

func visit(t *testing.T, endpoint string) *visitor {
	t.Helper()
	w, err := clients.Open(endpoint)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return &visitor{t, w}
}

func (v *visitor) do(args ...string) string {
	v.t.Helper()
	reply, err := v.w.Do(args...)
	if err != nil {
		v.t.Fatalf("%q: %v: the connection did not last", args, err)
	}
	return string(reply)
}

// timeout waits until the gateway's has those seconds, and gives how long that took.
func (v *visitor) timeout(seconds int) time.Duration {
	v.t.Helper()
	begun := time.Now()
	eventually(v.t, fmt.Sprintf("timeout %d", seconds), func() bool {
		return strings.HasSuffix(v.do("CONFIG", "GET", "timeout"), fmt.Sprintf("\r\n%d\r\n", seconds))
	})
	return time.Since(begun)
}

// shut waits until the gateway has closed the connection.
func (v *visitor) shut() {
	v.t.Helper()
	eventually(v.t, "the connection is closed", func() bool {
		_, err := v.w.Do("PING")
		return err != nil
	})
}

// TestGatewaySettings: what is written into Consul takes effect at a gateway with clients connected, and no connection ends but those that are no longer let
// in; what is wrong is refused and the last good version stays, over restarts too; without Consul all stays as it is, and who starts then waits.
func TestGatewaySettings(t *testing.T) {
	server := peers.StartConsul(t)
	fleet := openConsul(t, server, "")
	publishAt(t, fleet, "main", peers.StartRedis(t))
	s := settle(t, server, fleet)
	first := s.set(settings.Values{"gateway.idle-timeout": "100s"})
	t.Setenv("LARDER_GATEWAY_IDLE_TIMEOUT", "50s") // the registry goes before it
	t.Setenv("LARDER_GATEWAY_SLOWLOG_MAX_LEN", "7")
	c := gatewayOver(t, server)
	r := start(t, app.Gateway, c)
	endpoint, metrics := r.endpoint(t), "http://"+r.metrics(t)+"/metrics"
	shows := func(line string) {
		t.Helper()
		eventually(t, line, func() bool {
			_, body := get(t, metrics)
			return strings.Contains(body, "\n"+line+"\n")
		})
	}
	v := visit(t, endpoint)
	v.timeout(100)
	s.runs(first.Version, "")
	shows(fmt.Sprintf("larder_config_version %d", first.Version))

	second := s.set(settings.Values{"gateway.idle-timeout": "200s"})
	quickest := v.timeout(200)
	s.runs(second.Version, "")
	s.told(fmt.Sprintf("version %d, by ann: gateway.idle-timeout=3m20s", second.Version))
	s.hand("gateway:\n  idle-timeout: soon\n")
	s.told("config-refused")
	s.runs(second.Version, "duration")
	shows("larder_config_refused 1")
	if info := v.do("INFO", "gateway"); !strings.Contains(info, fmt.Sprintf("config_version:%d\r\n", second.Version)) || !strings.Contains(info, "duration") {
		t.Errorf("INFO says nothing of what is refused: %s", info)
	}
	v.timeout(200)
	r.stop() // who starts now has the last good version too
	if err := r.wait(t); err != nil {
		t.Error(err)
	}
	r = start(t, app.Gateway, c)
	endpoint, metrics = r.endpoint(t), "http://"+r.metrics(t)+"/metrics"
	v = visit(t, endpoint)
	v.timeout(200)
	s.runs(second.Version, "duration")
	id := v.do("CLIENT", "ID")
	s.hand("gateway.idle-timeout: 300s\n")
	quickest = min(quickest, v.timeout(300))
	shows("larder_config_refused 0")
	s.told("by " + settings.ByHand)

	server.Kill()
	r.find(t, r.log, `(settings cannot be watched; the last ones are used)`)
	v.timeout(300)
	late := start(t, app.Gateway, gatewayOver(t, server, "--nodes", "127.0.0.1:1"))
	late.find(t, late.log, `(the registry does not answer; the gateway starts when it does)`)
	server.Again()
	server.Lead()
	visit(t, late.endpoint(t)).timeout(300)
	late.stop()
	if err := late.wait(t); err != nil {
		t.Error(err)
	}
	s.set(settings.Values{"gateway.idle-timeout": "400s"})
	quickest = min(quickest, v.timeout(400))
	if t.Logf("a change was in force %s after its write", quickest); quickest > time.Second {
		t.Error("no change was in force within a second")
	}
	if now := v.do("CLIENT", "ID"); now != id {
		t.Errorf("the client was %q and is %q: its connection was not kept", id, now)
	}
	s.set(settings.Values{"access.allow": "192.0.2.0/24"})
	v.shut()
	s.set(settings.Values{"access.allow": "127.0.0.0/8"})
	eventually(t, "the client may connect again", func() bool {
		_, err := visit(t, endpoint).w.Do("PING")
		return err == nil
	})
	shows("larder_gateway_clients_expelled_total 1")
	visit(t, endpoint).do("CONFIG", "GET", "slowlog-max-len")
	r.stop()
	if err := r.wait(t); err != nil {
		t.Error(err)
	}
	eventually(t, "nothing is said to run", func() bool {
		state, err := s.State(t.Context())
		return err == nil && len(state.Running) == 0
	})
}

// gatewayOver is a gateway's over Consul.
func gatewayOver(t *testing.T, server *peers.Consul, args ...string) configs.Config {
	t.Helper()
	return config(t, configs.RoleGateway, append([]string{"--consul", server.Addr}, args...)...)
}
