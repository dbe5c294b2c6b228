package configs

// The settings of a node that others follow. Their flags have the names of Redis's parameters.

func replicationSettings(c *Config) []setting {
	r := &c.Engine.Replication
	return []setting{
		{
			key: "engine.repl-backlog-size", kind: size[int64]{&r.BacklogBytes}, flag: "repl-backlog-size", roles: RoleEngine,
			meaning: "Bytes of the newest part of its changes that a node keeps for replicas that come back: what they have missed they then get without a copy of all data.",
		},
		{
			key: "engine.repl-backlog-ttl", kind: number{&r.BacklogTTLS}, flag: "repl-backlog-ttl", roles: RoleEngine,
			meaning: "Seconds without any replica after which that is let go. 0 = never.",
		},
		{
			key: "engine.repl-diskless-sync", kind: yesNo{boolean{&r.Diskless}}, flag: "repl-diskless-sync", roles: RoleEngine,
			meaning: "Whether a copy of the data goes to replicas as it is made. Else it goes to a file in engine.dir first, so that its length is known beforehand.",
		},
		{
			key: "engine.repl-diskless-sync-delay", kind: number{&r.DisklessDelayS}, flag: "repl-diskless-sync-delay", roles: RoleEngine,
			meaning: "Seconds that a copy waits after the first replica has asked, so that more can share it. Who asks while its first 4 MiB go out shares it anyway.",
		},
		{
			key: "engine.repl-ping-replica-period", kind: number{&r.PingS}, flag: "repl-ping-replica-period", roles: RoleEngine,
			meaning: "Seconds after which replicas are told that the node lives, again and again.",
		},
		{
			key: "engine.repl-timeout", kind: number{&r.TimeoutS}, flag: "repl-timeout", roles: RoleEngine,
			meaning: "Seconds after which a replica, or a primary, that says nothing is given up.",
		},
		{
			key: "engine.min-replicas-to-write", kind: number{&r.MinReplicasToWrite}, flag: "min-replicas-to-write", roles: RoleEngine,
			meaning: "With fewer replicas that were heard of lately writes are refused with -NOREPLICAS. 0 = writes need none.",
		},
		{
			key: "engine.min-replicas-max-lag", kind: number{&r.MinReplicasMaxLagS}, flag: "min-replicas-max-lag", roles: RoleEngine,
			meaning: "Seconds that are lately enough for that. 0 = writes need no replicas.",
		},
	}
}
