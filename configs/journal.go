package configs

import "larder/engine"

// The settings of a node's journal. Their flags have the names of Redis's parameters.

func journalSettings(c *Config) []setting {
	e := &c.Engine
	return []setting{
		{
			key: "engine.appendonly", kind: yesNo{boolean{&e.AppendOnly}}, flag: "appendonly", roles: RoleEngine,
			meaning: "Whether a node keeps a journal of all that changes, from which it starts again with its data. It is Redis 7's append-only folder. Where there is none yet, the first one begins with " +
				"what engine.dbfilename has.",
		},
		{
			key: "engine.appendfsync", kind: choice{text{&e.AppendFsync}, engine.FsyncPolicies()}, flag: "appendfsync", roles: RoleEngine,
			meaning: "When the journal is made safe on the disk: always = before a write is answered, everysec = at most a second later, no = when the system sees fit.",
		},
		{
			key: "engine.appenddirname", kind: checked{text{&e.AppendDirName}, "the name of a folder, not a path", engine.CheckFileName}, flag: "appenddirname", roles: RoleEngine,
			meaning: "The journal's folder in the node's folder.",
		},
		{
			key: "engine.appendfilename", kind: checked{text{&e.AppendFileName}, "the beginning of files' names, not a path", engine.CheckFileName}, flag: "appendfilename", roles: RoleEngine,
			meaning: "What the names of the journal's files begin with.",
		},
		{
			key: "engine.no-appendfsync-on-rewrite", kind: yesNo{boolean{&e.NoAppendfsyncOnRewrite}}, flag: "no-appendfsync-on-rewrite", roles: RoleEngine,
			meaning: "Whether the journal is not made safe while its base is written anew. With engine.appendfsync always it is all the same.",
		},
		{
			key: "engine.auto-aof-rewrite-percentage", kind: number{&e.AutoAOFRewritePercentage}, flag: "auto-aof-rewrite-percentage", roles: RoleEngine,
			meaning: "By how many percent the journal grows before its base is written anew by itself. 0 = never.",
		},
		{
			key: "engine.auto-aof-rewrite-min-size", kind: size[int64]{&e.AutoAOFRewriteMinSize}, flag: "auto-aof-rewrite-min-size", roles: RoleEngine,
			meaning: "Bytes below which the journal is not written anew by itself.",
		},
		{
			key: "engine.aof-load-truncated", kind: yesNo{boolean{&e.AOFLoadTruncated}}, flag: "aof-load-truncated", roles: RoleEngine,
			meaning: "Whether a node whose journal ends amid a command, as after a crash, cuts that off and starts; else it refuses to start.",
		},
		{
			key: "engine.aof-timestamp-enabled", kind: yesNo{boolean{&e.AOFTimestamps}}, flag: "aof-timestamp-enabled", roles: RoleEngine,
			meaning: "Whether the journal says when things were written, so that it can be cut off at a time.",
		},
	}
}
