package configs

import (
	"strings"

	"larder/engine"
	"larder/proxy"
)

// setting is one key.
type setting struct {
	key     string
	kind    kind   // around the field of the Config that it sets
	flag    string // its own flag, "" = only --set
	roles   Role   // whose command has the flag
	secret  bool   // never shown unless asked for
	managed effect // whether the registry may say it, for all gateways
	meaning string // a sentence or two: unit, what 0 or empty means
}

// effect is when what the registry says of a setting counts for a gateway.
type effect uint8

const (
	atNever effect = iota // the registry may not say it
	atOnce
	atStart // of the gateway
)

// variable is the environment variable that sets it.
func (s setting) variable() string { return envPrefix + envName.Replace(strings.ToUpper(s.key)) }

const envPrefix = "LARDER_"

var envName = strings.NewReplacer(".", "_", "-", "_")

// settings are all there are, in the order in which they are shown, around the fields of c.
func settings(c *Config) []setting {
	var all []setting
	for _, part := range [][]setting{gatewaySettings(c), placeSettings(c), watchedSettings(c), keptSettings(c), acrossSettings(c), readSettings(c), upstreamSettings(c), engineSettings(c), savingSettings(c), journalSettings(c), followingSettings(c), replicationSettings(c), snapshotSettings(c), apiSettings(c), controlSettings(c), hostSettings(c), shadowSettings(c), consulSettings(c), devSettings(c), commonSettings(c)} {
		all = append(all, part...)
	}
	return all
}

func gatewaySettings(c *Config) []setting {
	g := &c.Gateway
	return []setting{
		{
			key: "gateway.listen", kind: address{text: text{&g.Listen}}, flag: "listen", roles: RoleGateway | RoleDev | RoleShadow,
			meaning: "The endpoint: where clients connect. An empty host is every address of the machine.",
		},
		{
			key: "gateway.nodes", kind: list{&c.Nodes, "addresses host:port", "ADDR", checkNode}, flag: "nodes", roles: RoleGateway,
			meaning: "The nodes, one shard each; slots are spread evenly over them in this order. A stock redis-server is as good a node. Not together with gateway.topology; dev has nodes of its own.",
		},
		{
			key: "gateway.topology", kind: path{text{&c.Topology}}, flag: "topology", roles: RoleGateway,
			meaning: "A file that says which node has which slots (docs/operations.md). A newer epoch in it is taken over within a second.",
		},
		{
			key: "gateway.loops", kind: number{&g.Loops}, flag: "loops", roles: RoleGateway | RoleDev | RoleShadow, managed: atStart,
			meaning: "Event loops. 0 = one a processor.",
		},
		{
			key: "gateway.clients-max", kind: number{&g.ClientsMax}, managed: atOnce,
			meaning: "Client connections in all; one more is refused. 0 = as many as the limit on open files allows, which also caps any other number.",
		},
		{
			key: "gateway.password", kind: text{&g.Password}, secret: true,
			meaning: "What a client's AUTH must say. Empty = no password.",
		},
		{
			key: "gateway.acl-file", kind: text{&g.ACLFile},
			meaning: "File of the endpoint's users and their rules, one \"user NAME RULE ...\" a line, as ACL SAVE writes it; it decides instead of gateway.password. Empty = none.",
		},
		{
			key: "gateway.databases", kind: number{&g.Databases}, managed: atStart,
			meaning: "Logical databases that SELECT offers.",
		},
		{
			key: "gateway.args-max", kind: number{&g.ArgsMax}, managed: atOnce,
			meaning: "Arguments of one command; a client that sends more is closed.",
		},
		{
			key: "gateway.bulk-max", kind: size[int64]{&g.BulkMaxBytes}, managed: atOnce,
			meaning: "Bytes of one argument; a client that sends more is closed.",
		},
		{
			key: "gateway.inline-max", kind: size[int]{&g.InlineMaxBytes}, managed: atOnce,
			meaning: "Bytes of one inline command.",
		},
		{
			key: "gateway.pending-max", kind: number{&g.PendingMax}, managed: atOnce,
			meaning: "Commands of one client that wait for replies; beyond it the client is not read until some have come.",
		},
		{
			key: "gateway.output-max", kind: size[int64]{&g.OutputMaxBytes}, managed: atOnce,
			meaning: "Bytes of replies that a client has not taken; beyond it the client is closed.",
		},
		{
			key: "gateway.stream-min", kind: size[int64]{&g.StreamMinBytes}, managed: atOnce,
			meaning: "An argument of at least this size is passed on to its node as it arrives, instead of being waited for.",
		},
		{
			key: "gateway.idle-timeout", kind: duration{&g.IdleTimeout}, managed: atOnce,
			meaning: "A client that says nothing for so long is closed. 0 = never.",
		},
	}
}

// watchedSettings are about what a gateway notes of slow commands and slow clients.
func watchedSettings(c *Config) []setting {
	g := &c.Gateway
	return []setting{
		{
			key: "gateway.client-output-buffer-limit", kind: checked{text{&g.OutputLimits}, "groups of a class (normal, replica or pubsub) and three numbers, as in pubsub 32mb 8mb 60", proxy.CheckOutputLimits}, managed: atOnce,
			meaning: "Beside gateway.output-max, by class of clients: the bytes of replies not taken at which a client is closed, those at which it is closed after the seconds that follow. 0 = no limit. " +
				"A class that is not named has Redis's limits. CONFIG SET changes it while the gateway runs.",
		},
		{
			key: "gateway.slowlog-log-slower-than", kind: number{&g.SlowUS}, managed: atOnce,
			meaning: "A command that takes longer, in microseconds, is in the slow log. -1 = none is. CONFIG SET changes it while the gateway runs, and its nodes'.",
		},
		{
			key: "gateway.slowlog-max-len", kind: number{&g.SlowMax}, managed: atOnce,
			meaning: "Entries that the slow log keeps.",
		},
		{
			key: "gateway.latency-monitor-threshold", kind: number{&g.LatencyMS}, managed: atOnce,
			meaning: "What takes as long, in milliseconds, is noted by the latency monitor. 0 = nothing is.",
		},
	}
}

// keptSettings are about what a gateway keeps of clients' commands.
func keptSettings(c *Config) []setting {
	g := &c.Gateway
	return []setting{
		{
			key: "gateway.multi-max", kind: size[int64]{&g.MultiMaxBytes}, managed: atOnce,
			meaning: "Bytes of commands that one client has queued for EXEC; with more the transaction is refused.",
		},
		{
			key: "gateway.scripts-max", kind: size[int]{&g.ScriptMaxBytes}, managed: atOnce,
			meaning: "Bytes of Lua scripts that the gateway keeps, so that a node that lacks one can be told it, and of functions.",
		},
		{
			key: "gateway.subscribed-max", kind: size[int64]{&g.SubsMaxBytes}, managed: atOnce,
			meaning: "Bytes of the names that one client is subscribed to, and about 200 more for each; beyond it SUBSCRIBE is refused.",
		},
		{
			key: "gateway.tracking-table-max-keys", kind: number{&g.TrackedMax}, managed: atOnce,
			meaning: "Keys whose readers are known for CLIENT TRACKING; beyond it some are told that one has changed. 0 = any number.",
		},
	}
}

// acrossSettings are about commands whose keys lie on several shards.
func acrossSettings(c *Config) []setting {
	g := &c.Gateway
	return []setting{
		{
			key: "gateway.gather-max", kind: size[int64]{&g.GatherMaxBytes}, managed: atOnce,
			meaning: "Bytes that one command over several shards may gather in the gateway (SINTER, SUNION, ZUNION, PFCOUNT and the like); all commands of a loop may keep four times as much. Beyond it such a command is answered with an error.",
		},
		{
			key: "gateway.cross-slot", kind: choice{text{&g.CrossSlot}, proxy.CrossSlots()}, managed: atOnce,
			meaning: "What happens to a command that writes and whose keys lie on several shards (RENAME, SUNIONSTORE, LMOVE and the like): refuse = CROSSSLOT, as a Redis Cluster answers; allow = it is done in steps and is no longer atomic (docs/cross-slot.md).",
		},
	}
}

func upstreamSettings(c *Config) []setting {
	u := &c.Gateway.Upstream
	return []setting{
		{
			key: "gateway.upstream.user", kind: text{&u.User},
			meaning: "The user that the gateway says to nodes with its password. Empty = the default user.",
		},
		{
			key: "gateway.upstream.password", kind: text{&u.Password}, secret: true,
			meaning: "The password that the gateway says to nodes. Empty = none. In dev it is engine.password.",
		},
		{
			key: "gateway.upstream.dial-timeout", kind: duration{&u.DialTimeout}, managed: atOnce,
			meaning: "How long a node may take to accept a connection, and again to finish the greeting.",
		},
		{
			key: "gateway.upstream.reply-timeout", kind: duration{&u.ReplyTimeout}, managed: atOnce,
			meaning: "A command unanswered by its node for so long fails, and the connection to the node is closed.",
		},
		{
			key: "gateway.upstream.hold-time", kind: duration{&u.HoldTime}, managed: atOnce,
			meaning: "Under durability: replicated, how long the reply to a write, or to a read that may show one, is held until all replicas of the set have that; then it is UNKNOWN or CLUSTERDOWN.",
		},
		{
			key: "gateway.upstream.failover-time", kind: duration{&u.FailoverTime}, managed: atOnce,
			meaning: "How long commands wait for a shard whose primary is gone, frozen or being replaced; then they are answered CLUSTERDOWN, or UNKNOWN if they may have run.",
		},
		{
			key: "gateway.upstream.failover-max", kind: size[int64]{&u.FailoverMaxBytes}, managed: atOnce,
			meaning: "Bytes of commands that wait so, of one event loop; what is more gets the error at once.",
		},
		{
			key: "gateway.upstream.backoff-min", kind: duration{&u.BackoffMin}, managed: atOnce,
			meaning: "The wait after the first failed connection to a node; it doubles with each further one up to backoff-max.",
		},
		{
			key: "gateway.upstream.backoff-max", kind: duration{&u.BackoffMax}, managed: atOnce,
			meaning: "The longest wait between attempts to connect to a node.",
		},
		{
			key: "gateway.upstream.lane-max", kind: size[int]{&u.LaneMaxBytes}, managed: atOnce,
			meaning: "Bytes of commands that wait on one connection to a node; beyond it the clients that add to it are not read.",
		},
		{
			key: "gateway.upstream.borrow-max", kind: number{&u.BorrowMax}, managed: atOnce,
			meaning: "Connections to a node lent to single clients (blocking commands, large values), of one event loop.",
		},
	}
}

func engineSettings(c *Config) []setting {
	e := &c.Engine
	return []setting{
		{
			key: "engine.listen", kind: address{text: text{&e.Listen}}, flag: "listen", roles: RoleEngine,
			meaning: "Where gateways, and clients that talk to the node directly, connect. In dev nodes take free ports of 127.0.0.1.",
		},
		{
			key: "engine.id", kind: text{&e.ID}, flag: "node-id", roles: RoleEngine,
			meaning: "The node's name in its cluster. Empty = a new random one at each start. Not in dev, whose nodes are n0, n1 and so on.",
		},
		{
			key: "engine.maxmemory", kind: size[int64]{&e.MaxMemory}, flag: "maxmemory", roles: RoleEngine,
			meaning: "Bytes that one node's keys, values and index may take; clients' buffers included; beyond it keys go, or writes are refused, as engine.maxmemory-policy says. 0 = no limit.",
		},
		{
			key: "engine.maxmemory-policy", kind: choice{text{&e.MaxMemoryPolicy}, engine.Policies()}, flag: "maxmemory-policy", roles: RoleEngine,
			meaning: "What happens at engine.maxmemory: noeviction refuses writes with -OOM, allkeys-* evict any key, volatile-* only keys that have an expiry.",
		},
		{
			key: "engine.key-prefixes", kind: list{&e.KeyPrefixes, "beginnings of keys", "PREFIX", checkPrefix},
			meaning: "Keys and bytes are counted for each of these beginnings of keys, at most 64: INFO keyprefixes, larder_engine_prefix_keys and _bytes. A key counts for the longest that fits.",
		},
		{
			key: "engine.password", kind: text{&e.Password}, secret: true,
			meaning: "What AUTH must say to the node. Empty = no password.",
		},
		{
			key: "engine.acl-file", kind: text{&e.ACLFile},
			meaning: "File of a node's users and their rules, one \"user NAME RULE ...\" a line, as ACL SAVE writes it; it decides instead of engine.password. Empty = none.",
		},
		{
			key: "engine.enable-debug-command", kind: choice{text{&e.DebugCommand}, engine.DebugCommands()}, flag: "enable-debug-command", roles: RoleEngine,
			meaning: "Who may say DEBUG, with which a client can stop or slow down the node: no = nobody, local = clients on the node's own machine, yes = all.",
		},
		{
			key: "engine.clients-max", kind: number{&e.ClientsMax},
			meaning: "Connections to one node in all. 0 = as many as the limit on open files allows, which also caps any other number.",
		},
		{
			key: "engine.databases", kind: number{&e.Databases},
			meaning: "Logical databases.",
		},
		{
			key: "engine.args-max", kind: number{&e.ArgsMax},
			meaning: "Arguments of one command.",
		},
		{
			key: "engine.bulk-max", kind: size[int64]{&e.BulkMaxBytes},
			meaning: "Bytes of one argument, and of one value.",
		},
		{
			key: "engine.inline-max", kind: size[int]{&e.InlineMaxBytes},
			meaning: "Bytes of one inline command.",
		},
		{
			key: "engine.query-max", kind: size[int64]{&e.QueryMaxBytes},
			meaning: "Bytes of one command with all its arguments, as it arrives; beyond it the connection is closed.",
		},
		{
			key: "engine.output-max", kind: size[int64]{&e.OutputMaxBytes},
			meaning: "Bytes of replies that a client has not taken; beyond it the client is closed.",
		},
		{
			key: "engine.idle-timeout", kind: duration{&e.IdleTimeout},
			meaning: "A client that says nothing for so long is closed; a gateway is not. 0 = never.",
		},
	}
}

func devSettings(c *Config) []setting {
	return []setting{
		{
			key: "dev.shards", kind: number{&c.Dev.Shards}, flag: "shards", roles: RoleDev,
			meaning: "Shards of the cluster that dev makes, one engine node each.",
		},
		{
			key: "dev.replicas", kind: number{&c.Dev.Replicas}, flag: "replicas", roles: RoleDev,
			meaning: "Replicas of each shard, which follow its primary. Reads go where gateway.read-from says. They take as much memory again.",
		},
		{
			key: "dev.keep", kind: boolean{&c.Dev.Keep}, flag: "keep", roles: RoleDev,
			meaning: "Whether keys are there again when dev is started anew in the same folder: its nodes save their data when it stops and now and then, as Redis does " +
				"(3600 1 300 100 60 10000) unless engine.save says something else. With false they save nothing by themselves.",
		},
	}
}

func commonSettings(c *Config) []setting {
	return []setting{
		{
			key: "access.allow", kind: list{&c.Access.Allow, "CIDR blocks or addresses", "CIDR", checkBlock}, flag: "allow", roles: roleData | RoleHost, managed: atOnce,
			meaning: "Who may connect, to the endpoint of a gateway and to a node: CIDR blocks, IPv4 and IPv6. Anybody else is closed before a byte is read. Empty = nobody.",
		},
		{
			key: "data.dir", kind: path{text{&c.Data.Dir}}, flag: "dir", roles: RoleDev | RoleEngine | RoleHost,
			meaning: "The folder for files; one process at a time. Empty = $XDG_DATA_HOME/larder or ~/.local/share/larder in dev, the same with -host behind it in host, the working folder in engine.",
		},
		{
			key: "data.restore", kind: text{&c.Restore}, flag: "restore", roles: RoleDev | RoleEngine,
			meaning: "What to start with instead of what the data folder has, which must have no keys: the name of a snapshot in snapshots.store, a folder with a snapshot or with .rdb files, or one such file, " +
				"plain or compressed by zstd. Each shard takes the keys of its slots.",
		},
		{
			key: "data.restore-db", kind: text{&c.Selection.DB}, flag: "restore-db", roles: RoleDev | RoleEngine,
			meaning: "The number of the database whose keys alone are restored. Empty = those of all. What restore-db, restore-prefix and restore-slots say must hold together.",
		},
		{
			key: "data.restore-prefix", kind: text{&c.Selection.Prefix}, flag: "restore-prefix", roles: RoleDev | RoleEngine,
			meaning: "What the names of the keys begin with that alone are restored. Empty = anything.",
		},
		{
			key: "data.restore-slots", kind: text{&c.Selection.Slots}, flag: "restore-slots", roles: RoleDev | RoleEngine,
			meaning: "The slots whose keys alone are restored, as in 0-5460,8000. Empty = all.",
		},
		{
			key: "metrics.listen", kind: address{text{&c.Metrics.Listen}, true}, flag: "metrics", roles: roleAll,
			meaning: "Where /metrics (Prometheus), /healthz and /readyz are served over HTTP, to whoever reaches that address. off = not at all. Empty = 127.0.0.1:9121 in dev, off elsewhere.",
		},
		{
			key: "metrics.pprof", kind: boolean{&c.Metrics.Pprof}, flag: "pprof", roles: roleAll,
			meaning: "Serve Go's profiles under /debug/pprof/ beside the metrics.",
		},
		{
			key: "log.level", kind: choice{text{&c.Log.Level}, []string{"debug", "info", "warn", "error"}}, flag: "log-level", roles: roleAll,
			meaning: "The least that is logged. Logs go to stderr.",
		},
		{
			key: "log.format", kind: choice{text{&c.Log.Format}, []string{"text", "json"}}, flag: "log-format", roles: roleAll,
			meaning: "How log lines look: text for people, json for machines.",
		},
	}
}
