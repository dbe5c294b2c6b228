package command

// replicationRows are those by which one server follows another.
func replicationRows() []Row {
	return []Row{
		{ID: CmdPSync, Name: "psync", Arity: -3, Flags: Admin | NoAsyncLoading | NoMulti | NoScript | NodeOnly, Request: RequestLocal, Since: "2.8.0"},
		{ID: CmdSync, Name: "sync", Arity: 1, Flags: Admin | NoAsyncLoading | NoMulti | NoScript | NodeOnly, Request: RequestLocal, Since: "1.0.0"},
		{ID: CmdReplConf, Name: "replconf", Arity: -1, Flags: Admin | NoScript | Loading | Stale | AllowBusy | NodeOnly, Request: RequestLocal, Since: "3.0.0"},
		{ID: CmdFailover, Name: "failover", Arity: -1, Flags: Admin | NoScript | Stale | NodeOnly, Request: RequestLocal, Since: "6.2.0"},
	}
}
