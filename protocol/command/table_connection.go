package command

func connectionRows() []Row {
	return []Row{
		{ID: CmdPing, Name: "ping", Arity: -1, Flags: Fast, Categories: CatConnection, Request: RequestLocal, Tips: tips(tipRequestAllShards, tipResponseAllSucceeded), Since: "1.0.0"},
		{ID: CmdEcho, Name: "echo", Arity: 2, Flags: Loading | Stale | Fast, Categories: CatConnection, Request: RequestLocal, Since: "1.0.0"},
		{ID: CmdHello, Name: "hello", Arity: -1, Flags: NoScript | Loading | Stale | Fast | NoAuth | AllowBusy, Categories: CatConnection, Request: RequestLocal, Since: "6.0.0"},
		{ID: CmdAuth, Name: "auth", Arity: -2, Flags: NoScript | Loading | Stale | Fast | NoAuth | AllowBusy, Categories: CatConnection, Request: RequestLocal, Since: "1.0.0"},
		{ID: CmdSelect, Name: "select", Arity: 2, Flags: Loading | Stale | Fast, Categories: CatConnection, Request: RequestLocal, Since: "1.0.0"},
		{ID: CmdQuit, Name: "quit", Arity: -1, Flags: NoScript | Loading | Stale | Fast | NoAuth | AllowBusy, Categories: CatConnection, Request: RequestLocal, Since: "1.0.0"},
		{ID: CmdReset, Name: "reset", Arity: 1, Flags: NoScript | Loading | Stale | Fast | NoAuth | AllowBusy, Categories: CatConnection, Request: RequestLocal, Since: "6.2.0"},
		{ID: CmdClient, Name: "client", Arity: -2, Request: RequestLocal, Since: "2.4.0"},
		{ID: CmdClientID, Name: "client|id", Parent: CmdClient, Arity: 2, Flags: NoScript | Loading | Stale, Categories: CatConnection, Request: RequestLocal, Since: "5.0.0"},
		{ID: CmdClientInfo, Name: "client|info", Parent: CmdClient, Arity: 2, Flags: NoScript | Loading | Stale, Categories: CatConnection, Request: RequestLocal, Tips: tips(tipNondeterministic), Since: "6.2.0"},
		{ID: CmdClientList, Name: "client|list", Parent: CmdClient, Arity: -2, Flags: Admin | NoScript | Loading | Stale, Categories: CatConnection, Request: RequestLocal, Tips: tips(tipNondeterministic), Since: "2.4.0"},
		{ID: CmdClientSetName, Name: "client|setname", Parent: CmdClient, Arity: 3, Flags: NoScript | Loading | Stale, Categories: CatConnection, Request: RequestLocal, Tips: tips(tipRequestAllNodes, tipResponseAllSucceeded), Since: "2.6.9"},
		{ID: CmdClientGetName, Name: "client|getname", Parent: CmdClient, Arity: 2, Flags: NoScript | Loading | Stale, Categories: CatConnection, Request: RequestLocal, Since: "2.6.9"},
		{ID: CmdClientSetInfo, Name: "client|setinfo", Parent: CmdClient, Arity: 4, Flags: NoScript | Loading | Stale, Categories: CatConnection, Request: RequestLocal, Tips: tips(tipRequestAllNodes, tipResponseAllSucceeded), Since: "7.2.0"},
		{ID: CmdClientNoEvict, Name: "client|no-evict", Parent: CmdClient, Arity: 3, Flags: Admin | NoScript | Loading | Stale, Categories: CatConnection, Request: RequestLocal, Since: "7.0.0"},
		{ID: CmdClientNoTouch, Name: "client|no-touch", Parent: CmdClient, Arity: 3, Flags: NoScript | Loading | Stale, Categories: CatConnection, Request: RequestLocal, Since: "7.2.0"},
		{ID: CmdClientReply, Name: "client|reply", Parent: CmdClient, Arity: 3, Flags: NoScript | Loading | Stale, Categories: CatConnection, Request: RequestLocal, Since: "3.2.0"},
		{ID: CmdClientKill, Name: "client|kill", Parent: CmdClient, Arity: -3, Flags: Admin | NoScript | Loading | Stale, Categories: CatConnection, Request: RequestLocal, Since: "2.4.0"},
		{ID: CmdClientPause, Name: "client|pause", Parent: CmdClient, Arity: -3, Flags: Admin | NoScript | Loading | Stale, Categories: CatConnection, Request: RequestLocal, Since: "2.9.50"},
		{ID: CmdClientUnpause, Name: "client|unpause", Parent: CmdClient, Arity: 2, Flags: Admin | NoScript | Loading | Stale, Categories: CatConnection, Request: RequestLocal, Since: "6.2.0"},
		{ID: CmdClientUnblock, Name: "client|unblock", Parent: CmdClient, Arity: -3, Flags: Admin | NoScript | Loading | Stale, Categories: CatConnection, Request: RequestLocal, Since: "5.0.0"},
		{ID: CmdClientTracking, Name: "client|tracking", Parent: CmdClient, Arity: -3, Flags: NoScript | Loading | Stale, Categories: CatConnection, Request: RequestLocal, Since: "6.0.0"},
		{ID: CmdClientCaching, Name: "client|caching", Parent: CmdClient, Arity: 3, Flags: NoScript | Loading | Stale, Categories: CatConnection, Request: RequestLocal, Since: "6.0.0"},
		{ID: CmdClientGetRedir, Name: "client|getredir", Parent: CmdClient, Arity: 2, Flags: NoScript | Loading | Stale, Categories: CatConnection, Request: RequestLocal, Since: "6.0.0"},
		{ID: CmdClientTrackingInfo, Name: "client|trackinginfo", Parent: CmdClient, Arity: 2, Flags: NoScript | Loading | Stale, Categories: CatConnection, Request: RequestLocal, Since: "6.2.0"},
		{ID: CmdClientHelp, Name: "client|help", Parent: CmdClient, Arity: 2, Flags: Loading | Stale, Categories: CatConnection, Request: RequestLocal, Since: "5.0.0"},
	}
}
