package command

func clusterRows() []Row {
	return []Row{
		{ID: CmdCluster, Name: "cluster", Arity: -2, Request: RequestLocal, Since: "3.0.0"},
		{ID: CmdClusterSlots, Name: "cluster|slots", Parent: CmdCluster, Arity: 2, Flags: Loading | Stale, Request: RequestLocal, Tips: tips(tipNondeterministic), Since: "3.0.0"},
		{ID: CmdClusterShards, Name: "cluster|shards", Parent: CmdCluster, Arity: 2, Flags: Loading | Stale, Request: RequestLocal, Tips: tips(tipNondeterministic), Since: "7.0.0"},
		{ID: CmdClusterNodes, Name: "cluster|nodes", Parent: CmdCluster, Arity: 2, Flags: Stale, Request: RequestLocal, Tips: tips(tipNondeterministic), Since: "3.0.0"},
		{ID: CmdClusterInfo, Name: "cluster|info", Parent: CmdCluster, Arity: 2, Flags: Stale, Request: RequestLocal, Tips: tips(tipNondeterministic), Since: "3.0.0"},
		{ID: CmdClusterKeySlot, Name: "cluster|keyslot", Parent: CmdCluster, Arity: 3, Flags: Stale, Request: RequestLocal, Since: "3.0.0"},
		{ID: CmdClusterMyID, Name: "cluster|myid", Parent: CmdCluster, Arity: 2, Flags: Stale, Request: RequestLocal, Since: "3.0.0"},
		{ID: CmdClusterCountKeysInSlot, Name: "cluster|countkeysinslot", Parent: CmdCluster, Arity: 3, Flags: Stale, Request: RequestSpecial, Since: "3.0.0"},
		{ID: CmdClusterGetKeysInSlot, Name: "cluster|getkeysinslot", Parent: CmdCluster, Arity: 4, Flags: Stale, Request: RequestSpecial, Tips: tips(tipNondeterministic), Since: "3.0.0"},
		{ID: CmdClusterHelp, Name: "cluster|help", Parent: CmdCluster, Arity: 2, Flags: Loading | Stale, Request: RequestLocal, Since: "5.0.0"},
		{ID: CmdReadOnly, Name: "readonly", Arity: 1, Flags: Loading | Stale | Fast, Categories: CatConnection, Request: RequestLocal, Since: "3.0.0"},
		{ID: CmdReadWrite, Name: "readwrite", Arity: 1, Flags: Loading | Stale | Fast, Categories: CatConnection, Request: RequestLocal, Since: "3.0.0"},
		{ID: CmdAsking, Name: "asking", Arity: 1, Flags: Fast, Categories: CatConnection, Request: RequestLocal, Since: "3.0.0"},
	}
}
