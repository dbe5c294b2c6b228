package configs

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"larder/engine"
)

// Host is a machine that runs nodes, and what hosts and controllers know of each other.
type Host struct {
	ID        string // empty = the machine's name
	Zone      string
	Memory    int64  // bytes for all nodes; 0 = three quarters of what the machine, or this process's control group, has
	Listen    string // host:port
	Advertise string // a name or an address without a port; empty = the host of Listen
	Ports     string // of nodes: FIRST-LAST
	KeyFile   string // with the key that all of a fleet share
	LogMax    int64  // bytes of a node's log
	StopNodes bool   // nodes end with the host
}

func hostDefaults() Host {
	return Host{Listen: "127.0.0.1:7490", Ports: "7500-7999", LogMax: 16 << 20}
}

func hostSettings(c *Config) []setting {
	h := &c.Host
	return []setting{
		{
			key: "host.id", kind: checked{text{&h.ID}, wantHost, checkHostID}, flag: "id", roles: RoleHost,
			meaning: "The host's name in the fleet, the same at each start: its nodes are placed by it. Empty = the machine's name.",
		},
		{
			key: "host.zone", kind: checked{text{&h.Zone}, wantHost, checkHostID}, flag: "zone", roles: RoleHost,
			meaning: "Where the machine stands: what fails together has one zone. A shard's nodes are placed in different ones where there are several.",
		},
		{
			key: "host.memory", kind: size[int64]{&h.Memory}, flag: "memory", roles: RoleHost,
			meaning: "Bytes that all nodes of the host may take together, which is never exceeded. 0 = three quarters of what the machine has, or of what the host's control group may take.",
		},
		{
			key: "host.listen", kind: address{text: text{&h.Listen}}, flag: "listen", roles: RoleHost,
			meaning: "Where controllers ask the host, by HTTP with the fleet's key. Nodes listen on the same address, each on a port of host.ports.",
		},
		{
			key: "host.advertise", kind: checked{text{&h.Advertise}, "a name or an address without a port, or empty", checkHostName}, flag: "advertise", roles: RoleHost,
			meaning: "The name or address by which controllers, gateways and other nodes reach the host and its nodes. Empty = that of host.listen, which then must be one address.",
		},
		{
			key: "host.ports", kind: checked{text{&h.Ports}, "two ports from 1 to 65535 such as 7500-7999", checkPorts}, flag: "ports", roles: RoleHost,
			meaning: "The ports that nodes take, one each.",
		},
		{
			key: "host.key-file", kind: path{text{&h.KeyFile}}, flag: "key-file", roles: RoleControl | RoleHost,
			meaning: "A file with the fleet's key, in one line: hosts obey who shows it. The same in all hosts and controllers.",
		},
		{
			key: "host.log-max", kind: size[int64]{&h.LogMax},
			meaning: "Bytes of a node's log (nodes/NODE/node.log in the data folder), beyond which it begins anew; the one before stays as node.log.1.",
		},
		{
			key: "host.stop-nodes", kind: boolean{&h.StopNodes}, flag: "stop-nodes", roles: RoleHost,
			meaning: "Nodes end, in order, when the host is told to, and are started again with it. Without it they go on, and the host takes them over when it comes back.",
		},
	}
}

var errHostKey = errors.New("host.key-file: hosts obey who has the fleet's key: must be given with --key-file FILE")

// checkHost wants of a host what it cannot be without.
func checkHost(c *Config) (problems []error) {
	if c.Consul.Address == "" {
		problems = append(problems, errors.New("consul.address: a host announces itself in Consul: must be given with --consul URL (larder dev needs none)"))
	}
	if c.Host.KeyFile == "" {
		problems = append(problems, errHostKey)
	}
	return problems
}

func checkHostSizes(c *Config) error {
	const memoryMin, logMin = 16 << 20, 64 << 10
	if m := c.Host.Memory; m != 0 && m < memoryMin {
		return fmt.Errorf("%s of memory for nodes: must be at least %s, or 0", formatSize(m), formatSize(memoryMin))
	}
	if c.Host.LogMax < logMin {
		return fmt.Errorf("%s of log: must be at least %s", formatSize(c.Host.LogMax), formatSize(logMin))
	}
	return nil
}

const wantHost = "1 to 64 letters, digits, dots, dashes and underscores, the first a letter or digit, or empty"

// hostName is what can stand in a key, and is the same wherever it is written.
var hostName = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]{0,63})?$`)

func checkHostID(s string) error {
	if !hostName.MatchString(s) {
		return errors.New("no name of a host")
	}
	return nil
}

func checkHostName(s string) error {
	if s == "" {
		return nil
	}
	if strings.ContainsAny(s, " \t/[]") {
		return errors.New("no name or address")
	}
	if strings.Count(s, ":") == 1 {
		return errors.New("a port does not belong here")
	}
	return nil
}

func checkPorts(s string) error {
	_, _, err := parsePorts(s)
	return err
}

func parsePorts(s string) (first, last int, err error) {
	a, b, found := strings.Cut(s, "-")
	if !found {
		b = a
	}
	low, bad := strconv.ParseUint(strings.TrimSpace(a), 10, 16)
	high, worse := strconv.ParseUint(strings.TrimSpace(b), 10, 16)
	if err := errors.Join(bad, worse); err != nil || low < 1 || high < low {
		return 0, 0, errors.New("no range of ports")
	}
	return int(low), int(high), nil
}

// PortRange is what Ports says.
func (h Host) PortRange() (first, last int) {
	first, last, _ = parsePorts(h.Ports) // it was checked
	return first, last
}

// ofHost are settings that a host says to each of its nodes by itself.
var ofHost = map[string]bool{
	"engine.listen": true, "engine.id": true, "engine.managed": true, "engine.maxmemory": true, "engine.replicaof": true,
}

// NodeEnvironment is what has a node be as the configuration says, as environment variables: what a host gives the nodes that it starts.
func (c *Config) NodeEnvironment() []string {
	var all []string
	given, standard := *c, defaults()
	if given.Engine.MasterAuth == "" {
		given.Engine.MasterUser, given.Engine.MasterAuth = "", given.Engine.Password // its primary is such a node too
	}
	standards := settings(&standard)
	for i, s := range settings(&given) {
		section, _, _ := strings.Cut(s.key, ".")
		if (section == "engine" || section == "access" || section == "log") && !ofHost[s.key] && s.kind.String() != standards[i].kind.String() {
			all = append(all, s.variable()+"="+s.kind.String())
		}
	}
	return all
}

// NodeFlags are those of a node's parameters, named as Redis names them, that can be given at its start, as flags of `larder engine`. What would keep it from
// starting is left out: the node refuses it, and goes on, when it is told while it runs.
func (c *Config) NodeFlags(parameters map[string]string) []string {
	_, flags := c.startWith(parameters)
	return flags
}

// NodeOptions are those of a node that is started in this process, with the parameters that NodeFlags gives one of its own.
func (c *Config) NodeOptions(parameters map[string]string) engine.Options {
	o, _ := c.startWith(parameters)
	return o
}

func (c *Config) startWith(parameters map[string]string) (o engine.Options, flags []string) {
	scratch := *c
	known := map[string]setting{}
	for _, s := range settings(&scratch) {
		known[s.key] = s
	}
	for _, name := range slices.Sorted(maps.Keys(parameters)) {
		key, value := "engine."+name, parameters[name]
		s, ok := known[key]
		if !ok || ofHost[key] || s.secret {
			continue
		}
		before := s.kind.String()
		if err := errors.Join(s.kind.set(value), scratch.Engine.Validate()); err != nil {
			_ = s.kind.set(before) // it was set to that already
			continue
		}
		flags = append(flags, "--set", key+"="+value)
	}
	return scratch.Engine, flags
}
