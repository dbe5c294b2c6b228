package configs

import "larder/engine"

// followingSettings are about a node that follows another.
func followingSettings(c *Config) []setting {
	e := &c.Engine
	return []setting{
		{
			key: "engine.replicaof", kind: checked{text{&e.ReplicaOf}, "a host and a port such as 10.0.0.7 6379, or nothing", engine.CheckPrimary}, flag: "replicaof", roles: RoleEngine,
			meaning: "The primary that the node follows from its start, as \"HOST PORT\": a node or a redis-server, whose data takes the place of its own. Empty = none. REPLICAOF changes it while the node runs.",
		},
		{
			key: "engine.managed", kind: boolean{&e.Managed}, flag: "managed", roles: RoleEngine,
			meaning: "The node is told by records of its shard what it is, and is nobody's primary until one names it (docs/formats/shard.md). It needs engine.id. Not in dev.",
		},
		{
			key: "engine.hold-time", kind: duration{&e.HoldTime}, flag: "hold-time", roles: RoleEngine,
			meaning: "In a shard whose writes wait for its replicas: a client's write that is not on all of them for so long is answered -UNKNOWN.",
		},
		{
			key: "engine.masteruser", kind: text{&e.MasterUser}, flag: "masteruser", roles: RoleEngine,
			meaning: "The user that the node logs in as at its primary. Empty = the default user.",
		},
		{
			key: "engine.masterauth", kind: text{&e.MasterAuth}, secret: true,
			meaning: "The password that the node logs in with at its primary. Empty = none.",
		},
		{
			key: "engine.replica-read-only", kind: yesNo{boolean{&e.ReplicaReadOnly}}, flag: "replica-read-only", roles: RoleEngine,
			meaning: "A node that follows another refuses its clients' writes. Without it what they write stays here and may be lost at any time.",
		},
		{
			key: "engine.replica-serve-stale-data", kind: yesNo{boolean{&e.ReplicaServeStale}}, flag: "replica-serve-stale-data", roles: RoleEngine,
			meaning: "A node that has lost its primary answers from what it has. Without it clients get -MASTERDOWN.",
		},
	}
}
