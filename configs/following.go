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
