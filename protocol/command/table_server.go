package command

func serverRows() []Row {
	return []Row{
		{ID: CmdCommand, Name: "command", Arity: -1, Flags: Loading | Stale, Categories: CatConnection, Request: RequestLocal, Tips: tips(tipAnyOrder), Since: "2.8.13"},
		{ID: CmdCommandCount, Name: "command|count", Parent: CmdCommand, Arity: 2, Flags: Loading | Stale, Categories: CatConnection, Request: RequestLocal, Since: "2.8.13"},
		{ID: CmdCommandDocs, Name: "command|docs", Parent: CmdCommand, Arity: -2, Flags: Loading | Stale, Categories: CatConnection, Request: RequestLocal, Tips: tips(tipAnyOrder), Since: "7.0.0"},
		{ID: CmdCommandGetKeys, Name: "command|getkeys", Parent: CmdCommand, Arity: -4, Flags: Loading | Stale, Categories: CatConnection, Request: RequestLocal, Since: "2.8.13"},
		{ID: CmdCommandGetKeysAndFlags, Name: "command|getkeysandflags", Parent: CmdCommand, Arity: -4, Flags: Loading | Stale, Categories: CatConnection, Request: RequestLocal, Since: "7.0.0"},
		{ID: CmdCommandHelp, Name: "command|help", Parent: CmdCommand, Arity: 2, Flags: Loading | Stale, Categories: CatConnection, Request: RequestLocal, Since: "5.0.0"},
		{ID: CmdCommandInfo, Name: "command|info", Parent: CmdCommand, Arity: -2, Flags: Loading | Stale, Categories: CatConnection, Request: RequestLocal, Tips: tips(tipAnyOrder), Since: "2.8.13"},
		{ID: CmdCommandList, Name: "command|list", Parent: CmdCommand, Arity: -2, Flags: Loading | Stale, Categories: CatConnection, Request: RequestLocal, Tips: tips(tipAnyOrder), Since: "7.0.0"},
		{ID: CmdInfo, Name: "info", Arity: -1, Flags: Loading | Stale, Categories: CatDangerous, Request: RequestLocal, Tips: tips(tipNondeterministic, tipRequestAllShards, tipResponseSpecial), Since: "1.0.0"},
		{ID: CmdConfig, Name: "config", Arity: -2, Request: RequestLocal, Since: "2.0.0"},
		{ID: CmdConfigGet, Name: "config|get", Parent: CmdConfig, Arity: -3, Flags: Admin | NoScript | Loading | Stale, Request: RequestLocal, Since: "2.0.0"},
		{ID: CmdConfigSet, Name: "config|set", Parent: CmdConfig, Arity: -4, Flags: Admin | NoScript | Loading | Stale, Request: RequestLocal, Tips: tips(tipRequestAllNodes, tipResponseAllSucceeded), Since: "2.0.0"},
		{ID: CmdConfigResetStat, Name: "config|resetstat", Parent: CmdConfig, Arity: 2, Flags: Admin | NoScript | Loading | Stale, Request: RequestLocal, Tips: tips(tipRequestAllNodes, tipResponseAllSucceeded), Since: "2.0.0"},
		{ID: CmdConfigRewrite, Name: "config|rewrite", Parent: CmdConfig, Arity: 2, Flags: Admin | NoScript | Loading | Stale | NodeOnly, Request: RequestLocal, Since: "2.8.0"},
		{ID: CmdConfigHelp, Name: "config|help", Parent: CmdConfig, Arity: 2, Flags: Loading | Stale, Request: RequestLocal, Since: "5.0.0"},
		{ID: CmdMemory, Name: "memory", Arity: -2, Request: RequestLocal, Since: "4.0.0"},
		{ID: CmdMemoryDoctor, Name: "memory|doctor", Parent: CmdMemory, Arity: 2, Tips: tips(tipNondeterministic, tipRequestAllShards, tipResponseSpecial), Since: "4.0.0"},
		{ID: CmdMemoryMallocStats, Name: "memory|malloc-stats", Parent: CmdMemory, Arity: 2, Tips: tips(tipNondeterministic, tipRequestAllShards, tipResponseSpecial), Since: "4.0.0"},
		{ID: CmdMemoryPurge, Name: "memory|purge", Parent: CmdMemory, Arity: 2, Tips: tips(tipRequestAllShards, tipResponseAllSucceeded), Since: "4.0.0"},
		{ID: CmdMemoryStats, Name: "memory|stats", Parent: CmdMemory, Arity: 2, Tips: tips(tipNondeterministic, tipRequestAllShards, tipResponseSpecial), Since: "4.0.0"},
		{ID: CmdMemoryUsage, Name: "memory|usage", Parent: CmdMemory, Arity: -3, Flags: ReadOnly, KeySpecs: keys(keyAt(2, KeyRO)), Since: "4.0.0"},
		{ID: CmdMemoryHelp, Name: "memory|help", Parent: CmdMemory, Arity: 2, Flags: Loading | Stale, Request: RequestLocal, Since: "4.0.0"},
		{ID: CmdTime, Name: "time", Arity: 1, Flags: Loading | Stale | Fast, Request: RequestLocal, Tips: tips(tipNondeterministic), Since: "2.6.0"},
		{ID: CmdDBSize, Name: "dbsize", Arity: 1, Flags: ReadOnly | Fast, Categories: CatKeyspace, Tips: tips(tipRequestAllShards, tipResponseAggSum), Since: "1.0.0"},
		{ID: CmdFlushAll, Name: "flushall", Arity: -1, Flags: Write, Categories: CatKeyspace | CatDangerous, Tips: tips(tipRequestAllShards, tipResponseAllSucceeded), Since: "1.0.0"},
		{ID: CmdFlushDB, Name: "flushdb", Arity: -1, Flags: Write, Categories: CatKeyspace | CatDangerous, Tips: tips(tipRequestAllShards, tipResponseAllSucceeded), Since: "1.0.0"},
		{ID: CmdSwapDB, Name: "swapdb", Arity: 3, Flags: Write | Fast | NodeOnly, Categories: CatKeyspace | CatDangerous, Request: RequestLocal, Since: "4.0.0"},
		{ID: CmdShutdown, Name: "shutdown", Arity: -1, Flags: Admin | NoScript | Loading | Stale | NoMulti | AllowBusy, Request: RequestLocal, Since: "1.0.0"},
	}
}
