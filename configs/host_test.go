package configs

import (
	"slices"
	"strings"
	"testing"
)

func TestHostNeedsConsulAndKey(t *testing.T) {
	_, err := load(t, RoleHost, "", nil, "--memory", "1mb", "--set", "host.log-max=1")
	for _, want := range []string{"--consul", "--key-file", "--memory: host.memory: 1mb of memory for nodes: must be at least 16mb"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: want %s", err, want)
		}
	}
	for _, args := range [][]string{{"--id", "a/b"}, {"--zone", "-x"}, {"--advertise", "a:1"}, {"--advertise", "a b"}, {"--ports", "9-8"}, {"--ports", "0-5"}, {"--ports", "x"}} {
		if _, err := load(t, RoleHost, "", nil, append(args, "--consul", "http://127.0.0.1:8500", "--key-file", "k")...); err == nil || !strings.Contains(err.Error(), "must be") {
			t.Errorf("%q: %v", args, err)
		}
	}
	loaded, err := load(t, RoleHost, "", nil, "--consul", "http://127.0.0.1:8500", "--key-file", "k", "--ports", "7001-7003", "--advertise", "fd00::1")
	if err != nil {
		t.Fatal(err)
	}
	if first, last := loaded.Config.Host.PortRange(); first != 7001 || last != 7003 {
		t.Errorf("ports %d to %d", first, last)
	}
}

// TestNodeEnvironment: nodes are what the host's configuration says of nodes, but for what the host says to each.
func TestNodeEnvironment(t *testing.T) {
	file := "engine: {password: secret, listen: 127.0.0.1:1, save: 60 1, maxmemory: 1gb}\naccess: {allow: [10.0.0.0/8]}\ngateway: {password: other}\nlog: {format: json}"
	loaded, err := load(t, RoleHost, file, nil, "--consul", "http://127.0.0.1:8500", "--key-file", "k")
	if err != nil {
		t.Fatal(err)
	}
	environment := loaded.Config.NodeEnvironment()
	want := []string{"LARDER_ENGINE_PASSWORD=secret", "LARDER_ENGINE_SAVE=60 1", "LARDER_ENGINE_MASTERAUTH=secret", "LARDER_ACCESS_ALLOW=10.0.0.0/8", "LARDER_LOG_FORMAT=json"}
	slices.Sort(want)
	slices.Sort(environment)
	if !slices.Equal(environment, want) {
		t.Fatalf("%q", environment)
	}
	variables := map[string]string{}
	for _, v := range environment {
		name, value, _ := strings.Cut(v, "=")
		variables[name] = value
	}
	parameters := map[string]string{
		"appendonly": "yes", "maxmemory-policy": "allkeys-lru", "databases": "0", "save": "900 1", "maxmemory": "1", "requirepass": "x", "hash-max-listpack-entries": "7", "listen": "x",
	}
	flags := loaded.Config.NodeFlags(parameters)
	wantFlags := []string{"--set", "engine.appendonly=yes", "--set", "engine.maxmemory-policy=allkeys-lru", "--set", "engine.save=900 1"}
	if !slices.Equal(flags, wantFlags) {
		t.Errorf("%q", flags)
	}
	if o := loaded.Config.NodeOptions(parameters); o.Password != "secret" || o.Save != "900 1" || !o.AppendOnly || o.MaxMemoryPolicy != "allkeys-lru" || o.MaxMemory != 1<<30 {
		t.Errorf("a node in this process is %+v", o)
	}
	node, err := load(t, RoleEngine, "", variables, append(flags, "--managed", "--node-id", "n", "--maxmemory", "5mb", "--listen", "127.0.0.1:7001", "--dir", "d")...)
	if err != nil {
		t.Fatal(err)
	}
	e := node.Config.Engine
	if e.Password != "secret" || e.MasterAuth != "secret" || e.Save != "900 1" || !e.AppendOnly || e.MaxMemoryPolicy != "allkeys-lru" || !slices.Equal(e.Access, []string{"10.0.0.0/8"}) {
		t.Errorf("the node is %+v", e)
	}
}
