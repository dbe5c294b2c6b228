package clients_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/backends/registry"
	"larder/control/api"
	"larder/control/fleet"
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
	folders  []string // the hosts'
}

// nodePorts are those of a host.
const nodePorts = 40

// startAppliance starts one; of are arguments of the controllers beside what each must have.
func startAppliance(t *testing.T, controls, hosts int, of ...string) *appliance {
	t.Helper()
	return startReleased(t, larder, controls, hosts, of...)
}

// startReleased is startAppliance of some release.
func startReleased(t *testing.T, release clients.Binary, controls, hosts int, of ...string) *appliance {
	t.Helper()
	a := &appliance{t: t, consul: peers.StartConsul(t), keys: keyFiles(t)}
	for range controls {
		api := fmt.Sprintf("127.0.0.1:%d", peers.FreePort(t))
		a.apis = append(a.apis, "http://"+api)
		a.controls = append(a.controls, release.Role(t, "control", append([]string{
			"--consul", a.consul.Addr, "--listen", api, "--api-key-file", a.keys["api"], "--key-file", a.keys["fleet"],
		}, of...)...))
	}
	for i := range hosts {
		first := peers.FreePorts(t, nodePorts)
		a.folders = append(a.folders, t.TempDir())
		a.hosts = append(a.hosts, release.Host(t, a.folders[i], "--consul", a.consul.Addr, "--listen", fmt.Sprintf("127.0.0.1:%d", peers.FreePort(t)), "--key-file", a.keys["fleet"],
			"--id", "h"+strconv.Itoa(i+1), "--zone", string(rune('a'+i)), "--memory", "1gb", "--ports", fmt.Sprintf("%d-%d", first, first+nodePorts-1)))
	}
	return a
}

// keyFiles are files with keys, by what they are for.
func keyFiles(t *testing.T) map[string]string {
	t.Helper()
	dir, keys := t.TempDir(), map[string]string{}
	for _, what := range []string{"api", "fleet"} {
		keys[what] = filepath.Join(dir, what)
		if err := os.WriteFile(keys[what], []byte("the-"+what+"-key-of-this-test\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return keys
}

// leads is the number of the controller that leads.
func (a *appliance) leads() (control int) {
	a.t.Helper()
	var text string
	if !holds(peers.Patience, func() bool {
		var entries []struct {
			Value   []byte
			Session string
		}
		text = a.consul.Ask("GET", "/v1/kv/"+fleet.LockKey, "", "", nil)
		if json.Unmarshal([]byte(text), &entries) != nil || len(entries) != 1 || entries[0].Session == "" {
			return false
		}
		control = slices.IndexFunc(a.apis, func(api string) bool {
			return strings.Contains(string(entries[0].Value), strings.TrimPrefix(api, "http://"))
		})
		return control >= 0
	}) {
		a.t.Fatalf("nobody leads: %s", text)
	}
	return control
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
	eventually(a.t, "another controller leads", func() bool { return a.leads() != leader })
	return time.Since(begun)
}

// larder says a command to the controller of that number.
func (a *appliance) larder(control int, args ...string) string {
	a.t.Helper()
	return larder.Done(a.t, append(args, "--api", a.apis[control], "--api-key-file", a.keys["api"])...)
}

// nodes tells how many nodes a cluster (empty: all) has in each state, of each role and on each host.
func (a *appliance) nodes(cluster string) map[string]int {
	a.t.Helper()
	words := []string{"node", "list", "--json"}
	if cluster != "" {
		words = append(words, "--cluster", cluster)
	}
	return countNodes(a.t, a.larder(1, words...))
}

func countNodes(t *testing.T, text string) map[string]int {
	t.Helper()
	var nodes []api.Node
	if json.Unmarshal([]byte(text), &nodes) != nil {
		t.Fatalf("no list of nodes: %s", text)
	}
	count := map[string]int{}
	for _, n := range nodes {
		count[n.Host]++
		count[string(n.Role)]++
		count[string(n.State)]++
		count["all"]++
	}
	return count
}

// known waits until the leader has heard of so many hosts.
func (a *appliance) known(hosts int) {
	a.t.Helper()
	var list string
	if !holds(peers.Patience, func() bool { list = a.larder(0, "host", "list"); return strings.Count(list, " up ") >= hosts }) {
		a.t.Fatalf("not all hosts are known: %s", list)
	}
}

// asked is how many requests Consul's agents have had from all of these.
func (a *appliance) asked(all []*clients.Process) (sum float64) {
	a.t.Helper()
	for _, p := range all {
		for line := range strings.Lines(scrape(a.t, p.Metrics)) {
			if strings.HasPrefix(line, "larder_consul_requests_total{") {
				words := strings.Fields(line)
				n, err := strconv.ParseFloat(words[len(words)-1], 64)
				if err != nil {
					a.t.Fatal(err)
				}
				sum += n
			}
		}
	}
	return sum
}

// idles wants a fleet to which nothing happens to leave Consul alone.
func (a *appliance) idles(all []*clients.Process) {
	a.t.Helper()
	const within, most = 3 * time.Second, 20
	before := a.asked(all)
	time.Sleep(within)
	rate := (a.asked(all) - before) / within.Seconds()
	a.t.Logf("idle, %d processes make %.1f requests to Consul a second, target %d", len(all), rate, most)
	if rate >= most {
		a.t.Errorf("%.1f requests a second", rate)
	}
}

// amid begins some work, kills the leader at any moment in it, and waits until the work is done.
func (a *appliance) amid(dice *rand.Rand, args ...string) {
	a.t.Helper()
	a.larder(0, append(args, "--no-wait")...)
	leader, wait := a.leads(), time.Duration(dice.Int64N(int64(400*time.Millisecond)))
	time.Sleep(wait)
	a.t.Logf("larder %s: the leader is killed after %s, and its place taken in %s", strings.Join(args, " "), wait, a.takenOver(leader))
	a.controls[leader].Start(a.t)
	var said, wrong string
	if !holds(peers.Patience, func() bool {
		var code int
		said, wrong, code = larder.Run(a.t, "cluster", "tasks", "--json", "--api", a.apis[1], "--api-key-file", a.keys["api"])
		return code == 0 && !strings.Contains(said, `"running"`)
	}) {
		a.t.Fatalf("%v is not done: %s%s", args, said, wrong)
	}
}

// TestFleet: a cluster of 3 shards with a replica each on three hosts is created and serves; replicas come and go, a host is drained, another cluster is created
// and both are deleted, and the leader is killed amid each. No key is lost.
func TestFleet(t *testing.T) {
	t.Parallel()
	a, chance := startAppliance(t, 2, 3), dice(t)
	a.known(3)
	begun := time.Now()
	a.larder(0, "cluster", "create", "orders", "--shards", "3", "--replicas", "1", "--memory", "64mb")
	created := time.Since(begun)
	gateway := larder.Gateway(t, nil, "--consul", a.consul.Addr, "--cluster", "orders")
	w := open(t, gateway.Addr)
	const keys = 1000
	for i := range keys {
		answers(t, w, "+OK\r\n", "SET", "key:"+strconv.Itoa(i), strconv.Itoa(i))
	}
	t.Logf("created in %s, target 5 s; serves, with %d keys written, after %s", created, keys, time.Since(begun))
	all := func(when string, want map[string]int) {
		t.Helper()
		answers(t, w, fmt.Sprintf(":%d\r\n", keys), "DBSIZE")
		answers(t, w, "$3\r\n999\r\n", "GET", "key:999")
		got := a.nodes("orders")
		for what, n := range want {
			if got[what] != n {
				t.Errorf("%s: %d %s, want %d: %v", when, got[what], what, n, got)
			}
		}
	}
	all("created", map[string]int{"all": 6, "running": 6, "primary": 3, "replica": 3, "h1": 2, "h2": 2, "h3": 2})
	a.idles(slices.Concat(a.controls, a.hosts, []*clients.Process{gateway}))
	a.amid(chance, "cluster", "create", "more", "--shards", "2", "--replicas", "1", "--memory", "64mb")
	if more := a.nodes("more"); more["primary"] != 2 || more["replica"] != 2 {
		t.Errorf("the other cluster has %v", more)
	}
	a.amid(chance, "cluster", "modify", "orders", "--replicas", "2")
	all("with more replicas", map[string]int{"all": 9, "running": 9, "primary": 3, "replica": 6, "h1": 3, "h2": 3, "h3": 3})
	a.amid(chance, "cluster", "modify", "orders", "--replicas", "1")
	all("with fewer replicas", map[string]int{"all": 6, "running": 6, "primary": 3, "replica": 3})
	a.amid(chance, "host", "drain", "h3")
	all("drained", map[string]int{"all": 6, "running": 6, "primary": 3, "replica": 3, "h3": 0})
	a.amid(chance, "cluster", "delete", "more", "--yes")
	a.larder(1, "cluster", "delete", "orders", "--yes")
	if left := a.nodes(""); left["all"] != 0 {
		t.Errorf("nodes are left: %v", left)
	}
}
