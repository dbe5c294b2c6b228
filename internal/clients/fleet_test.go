package clients_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/backends/registry"
	"larder/internal/clients"
	"larder/internal/peers"
)

// appliance is a fleet with Consul between its parts.
type appliance struct {
	t        *testing.T
	consul   *peers.Consul
	keys     map[string]string // files with keys, by what they are for
	controls []*clients.Process
	apis     []string // of the controllers
	hosts    []*clients.Process
}

func startAppliance(t *testing.T, controls, hosts int) *appliance {
	t.Helper()
	a := &appliance{t: t, consul: peers.StartConsul(t), keys: map[string]string{}}
	dir := t.TempDir()
	for _, what := range []string{"api", "fleet"} {
		a.keys[what] = filepath.Join(dir, what)
		if err := os.WriteFile(a.keys[what], []byte("the-"+what+"-key-of-this-test\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for range controls {
		api := fmt.Sprintf("127.0.0.1:%d", peers.FreePort(t))
		a.apis = append(a.apis, "http://"+api)
		a.controls = append(a.controls, larder.Role(t, "control", "--consul", a.consul.Addr, "--listen", api, "--api-key-file", a.keys["api"], "--key-file", a.keys["fleet"]))
	}
	for i := range hosts {
		a.hosts = append(a.hosts, larder.Role(t, "host", "--consul", a.consul.Addr, "--listen", "127.0.0.1:0", "--key-file", a.keys["fleet"], "--id", "h"+strconv.Itoa(i+1),
			"--zone", string(rune('a'+i)), "--memory", "1gb", "--dir", t.TempDir()))
	}
	return a
}

// leads is the number of the controller that leads.
func (a *appliance) leads() int {
	a.t.Helper()
	for deadline := time.Now().Add(peers.Patience); ; time.Sleep(10 * time.Millisecond) {
		var entries []struct{ Value []byte }
		text := a.consul.Ask("GET", "/v1/kv/larder/leader", "", "", nil)
		if json.Unmarshal([]byte(text), &entries) == nil && len(entries) == 1 {
			if at := slices.IndexFunc(a.apis, func(api string) bool {
				return strings.Contains(string(entries[0].Value), strings.TrimPrefix(api, "http://"))
			}); at >= 0 {
				return at
			}
		}
		if time.Now().After(deadline) {
			a.t.Fatalf("nobody leads: %s", text)
		}
	}
}

// TestControllers: each of two answers the management API, who has no key is told nothing; the leader is killed, and the other leads before its session ends.
func TestControllers(t *testing.T) {
	t.Parallel()
	a := startAppliance(t, 2, 0)
	answers := func(control int, key string) (code int) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.apis[control]+"/v1/clusters", nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Authorization", "Bearer "+key)
		reply, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: peers.Patience}).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		defer reply.Body.Close()
		return reply.StatusCode
	}
	leader := a.leads()
	for control := range a.apis {
		if ok, no := answers(control, "the-api-key-of-this-test"), answers(control, "another"); ok != http.StatusOK || no != http.StatusUnauthorized {
			t.Errorf("controller %d, of which %d leads: %d, and without the key %d", control, leader, ok, no)
		}
	}
	took := a.takenOver(leader)
	t.Logf("taken over in %s, target 2 s", took)
	if took >= registry.TTLMin {
		t.Errorf("it took %s: the session's end was waited for", took)
	}
	a.controls[leader].Start(t) // ready: it knows who leads
	if code := answers(leader, "the-api-key-of-this-test"); code != http.StatusOK {
		t.Errorf("started again: %d", code)
	}
}

// takenOver kills the leader, and tells how long there is none.
func (a *appliance) takenOver(leader int) time.Duration {
	a.t.Helper()
	a.controls[leader].Kill()
	begun := time.Now()
	for a.leads() == leader {
		time.Sleep(10 * time.Millisecond)
	}
	return time.Since(begun)
}
