// Package configs is the configuration of every role: one typed Config, the sum of the parts' Options, set by flags,
// environment variables, a YAML file and defaults, in this order of precedence. What must hold: every setting has one
// key, which is the same everywhere (gateway.listen, LARDER_GATEWAY_LISTEN, --set gateway.listen=…); nothing that is
// set is ignored (an unknown key is an error); an error names the key, where the value came from and what it must be;
// what `larder config` prints is a valid file that says the same. cmd calls it, once, at the process's start.
package configs

import (
	"time"

	"larder/backends/registry/consul"
	"larder/engine"
	"larder/persistence/snapshot"
	"larder/proxy"
)

// Config is every setting, checked. It is a value: nobody changes it after Load.
type Config struct {
	Gateway   proxy.Options  // Access is Access.Allow
	Nodes     []string       // gateway.nodes: host:port each
	Topology  string         // gateway.topology: a file
	Cluster   string         // gateway.cluster: whose topology the registry is asked for
	Endpoint  string         // gateway.endpoint: whose cluster the registry is asked for; empty = Cluster
	Advertise string         // gateway.advertise: host:port; empty = where it listens
	Consul    consul.Options // Address is empty if there is none
	Engine    engine.Options // Access is Access.Allow; Dir is Data.Dir if that is set
	Dev       Dev
	Restore   string // a snapshot's name, a folder or a file; empty = nothing
	Selection Selection
	Snapshots Snapshots
	API       API
	Control   Control
	Host      Host
	Shadow    Shadow
	Access    Access
	Data      Data
	Metrics   Metrics
	Log       Log

	DrainDelay, DrainTimeout time.Duration // how long a gateway that is to end serves on, and how long its clients then have to be done
}

// Dev is the size of what `larder dev` makes.
type Dev struct {
	Shards   int
	Replicas int  // of each shard
	Keep     bool // its keys are there again when it is started anew
}

// Selection is which keys of Restore are taken, as router.ParseSelection reads it.
type Selection struct {
	DB, Prefix, Slots string
}

// Access is who may connect to the endpoints of this process.
type Access struct {
	Allow []string // CIDR blocks; empty = nobody
}

// Data is where a role keeps its files.
type Data struct {
	Dir string // empty = the role's own choice
}

// Metrics is the listener for /metrics, /healthz and /readyz.
type Metrics struct {
	Listen string // host:port; Off; empty = the role's own choice
	Pprof  bool   // serve /debug/pprof/ there too
}

// Off, as an address, turns a listener off.
const Off = "off"

// Log is what the process logs, to stderr.
type Log struct {
	Level  string // debug, info, warn or error
	Format string // text or json
}

// Role is the subcommand that asks; each has flags of its own.
type Role uint8

// The roles. RoleNone serves nothing and has no flags but those that all have.
const (
	RoleDev Role = 1 << iota
	RoleEngine
	RoleGateway
	RoleShadow
	RoleControl
	RoleHost
	RoleNone Role = 0

	roleData = RoleDev | RoleEngine | RoleGateway | RoleShadow // those with an endpoint
	roleAll  = roleData | RoleControl | RoleHost
)

// defaults come from the parts, so that a default stands in one place.
func defaults() Config {
	gateway := proxy.DefaultOptions()
	return Config{
		Gateway:   gateway,
		Cluster:   "main",
		Consul:    consulDefaults(),
		Engine:    engine.DefaultOptions(),
		Dev:       Dev{Shards: 3, Replicas: 1, Keep: true},
		Snapshots: Snapshots{Level: snapshot.LevelDefault, Window: "03:00-05:00"},
		API:       API{Listen: "127.0.0.1:0"},
		Control:   Control{DownAfter: 800 * time.Millisecond, ReplaceAfter: 30 * time.Second},
		Host:      hostDefaults(),
		Shadow:    defaultShadow(),
		Access:    Access{Allow: gateway.Access},
		Log:       Log{Level: "info", Format: "text"},

		DrainDelay: time.Second, DrainTimeout: 5 * time.Second,
	}
}

// spread copies what one setting says to all parts that it is for.
func (c *Config) spread() {
	c.Gateway.Access, c.Engine.Access = c.Access.Allow, c.Access.Allow
	if c.Data.Dir != "" {
		c.Engine.Dir = c.Data.Dir
	}
}
