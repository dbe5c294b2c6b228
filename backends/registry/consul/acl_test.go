package consul_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"os"
	"testing"
	"time"

	"larder/backends/registry"
	"larder/internal/peers"
)

// root may do everything on a guarded server.
const root = "00000000-0000-0000-0000-00000000feed"

// guarded is a server that lets nobody do anything without a token that says so.
type guarded struct{ *peers.Consul }

func startGuarded(t *testing.T) *guarded {
	t.Helper()
	return &guarded{peers.StartConsul(t, `acl { enabled = true default_policy = "deny" tokens { initial_management = "`+root+`" agent = "`+root+`" } }`)}
}

// token makes one with the policy that is shipped for a role.
func (g *guarded) token(t *testing.T, role string) string {
	t.Helper()
	rules, err := os.ReadFile("../../../configs/consul/policy-" + role + ".hcl")
	if err != nil {
		t.Fatal(err)
	}
	put := func(path string, what any) string {
		t.Helper()
		body, err := json.Marshal(what)
		if err != nil {
			t.Fatal(err)
		}
		code, answer := 0, ""
		for end := time.Now().Add(peers.Patience); code != http.StatusOK && time.Now().Before(end); time.Sleep(10 * time.Millisecond) { // a new leader makes the root's token first
			answer = g.Ask(http.MethodPut, path, root, string(body), &code)
		}
		if code != http.StatusOK {
			t.Fatalf("%s: %d %s", path, code, answer)
		}
		return answer
	}
	put("/v1/acl/policy", map[string]string{"Name": "larder-" + role, "Rules": string(rules)})
	var made struct{ SecretID string }
	answer := put("/v1/acl/token", map[string]any{"Policies": []map[string]string{{"Name": "larder-" + role}}})
	if err := json.Unmarshal([]byte(answer), &made); err != nil || made.SecretID == "" {
		t.Fatalf("%s: %v", answer, err)
	}
	return made.SecretID
}

// TestPolicies holds the shipped policies: each role may do what it does, and no more.
func TestPolicies(t *testing.T) {
	server := startGuarded(t)
	ctx := bounded(t)
	as := func(token string) registry.Registry {
		o := optionsOf(server.Consul)
		o.Token = token
		return open(t, o)
	}
	may := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	mayNot := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, registry.ErrDenied) {
			t.Errorf("%s: got %v, want a refusal", what, err)
		}
	}
	service := func(name string) registry.Service {
		return registry.Service{ID: name + "-1", Name: name, Addr: "127.0.0.1:6379", TTL: time.Minute}
	}
	const key = "larder/clusters/main/topology"
	all := as(root)
	may("root writes", all.Put(ctx, key, []byte("t")))
	may("root writes elsewhere", all.Put(ctx, "other/key", []byte("t")))
	session := func(r registry.Registry) (registry.SessionID, error) {
		return r.OpenSession(ctx, registry.Session{Name: "s", TTL: registry.TTLMin})
	}

	nobody := as("")
	_, err := nobody.Get(ctx, key)
	mayNot("nobody reads", err)
	mayNot("nobody registers", nobody.Register(ctx, service("cache-main-gateway")))

	for _, role := range []string{"gateway", "host", "control"} {
		token := server.token(t, role)
		r := as(token)
		_, err = r.Get(ctx, key)
		may(role+" reads", err)
		found, _, err := r.Watch(ctx, key, 0)
		may(role+" watches", err)
		if len(found) != 1 {
			t.Errorf("%s sees %+v", role, found)
		}
		may(role+" registers", r.Register(ctx, service("cache-main-gateway")))
		may(role+" reports", r.Report(ctx, "cache-main-gateway-1", registry.Passing, "fine"))
		for end := time.Now().Add(peers.Patience); ; time.Sleep(10 * time.Millisecond) {
			listed, err := r.Instances(ctx, "cache-main-gateway")
			may(role+" lists", err)
			if len(listed) == 1 && listed[0].Health == registry.Passing {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("%s sees no gateway: %+v", role, listed)
			}
		}
		may(role+" deregisters", r.Deregister(ctx, "cache-main-gateway-1"))
		mayNot(role+" registers another's service", r.Register(ctx, service("web")))
		_, err = r.Get(ctx, "other/key")
		mayNot(role+" reads elsewhere", err)
		mayNot(role+" writes elsewhere", r.Put(ctx, "other/key", nil))
		for _, path := range []string{"/v1/acl/tokens", "/v1/operator/raft/configuration", "/v1/agent/self", "/v1/snapshot"} {
			code := 0
			server.Ask(http.MethodGet, path, token, "", &code)
			if code != http.StatusForbidden {
				t.Errorf("%s: %s is answered %d", role, path, code)
			}
		}
		writes, err := r.CompareAndSet(ctx, key, []byte(role), found[0].Version)
		_, opens := session(r)
		switch role {
		case "control":
			may("control writes", err)
			may("control puts", r.Put(ctx, key, []byte("again")))
			may("control opens a session", opens)
			if writes == 0 {
				t.Error("no version")
			}
		case "host":
			mayNot("host writes a topology", err)
			may("host opens a session", opens)
			id, _ := session(r)
			may("host says that it is there", r.Acquire(ctx, "larder/hosts/h1", nil, id))
			may("host ends its session", r.EndSession(ctx, id))
		default:
			mayNot("gateway writes a topology", err)
			mayNot("gateway puts", r.Put(ctx, key, nil))
			mayNot("gateway writes settings", r.Put(ctx, "larder/config/gateway", nil))
			may("gateway says which settings it runs", r.Put(ctx, "larder/config/running/g1", nil))
			may("gateway takes that back", r.Delete(ctx, "larder/config/running/g1"))
			mayNot("gateway deletes", r.Delete(ctx, key))
			mayNot("gateway opens a session", opens)
		}
	}
}
