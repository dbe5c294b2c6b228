package command

// monitoringRows are those of what a server tells of its own doings.
func monitoringRows() []Row {
	const slow, latency, open = Admin | Loading | Stale, Admin | NoScript | Loading | Stale, Loading | Stale
	told := tips(tipNondeterministic, tipRequestAllNodes, tipResponseSpecial)
	return []Row{
		{ID: CmdSlowLog, Name: "slowlog", Arity: -2, Request: RequestLocal, Since: "2.2.12"},
		{ID: CmdSlowLogGet, Name: "slowlog|get", Parent: CmdSlowLog, Arity: -2, Flags: slow, Request: RequestLocal, Tips: tips(tipRequestAllNodes, tipNondeterministic), Since: "2.2.12"},
		{ID: CmdSlowLogLen, Name: "slowlog|len", Parent: CmdSlowLog, Arity: 2, Flags: slow, Request: RequestLocal, Tips: tips(tipRequestAllNodes, tipResponseAggSum, tipNondeterministic), Since: "2.2.12"},
		{ID: CmdSlowLogReset, Name: "slowlog|reset", Parent: CmdSlowLog, Arity: 2, Flags: slow, Request: RequestLocal, Tips: tips(tipRequestAllNodes, tipResponseAllSucceeded), Since: "2.2.12"},
		{ID: CmdSlowLogHelp, Name: "slowlog|help", Parent: CmdSlowLog, Arity: 2, Flags: open, Request: RequestLocal, Since: "6.2.0"},

		{ID: CmdLatency, Name: "latency", Arity: -2, Request: RequestLocal, Since: "2.8.13"},
		{ID: CmdLatencyDoctor, Name: "latency|doctor", Parent: CmdLatency, Arity: 2, Flags: latency, Request: RequestLocal, Tips: told, Since: "2.8.13"},
		{ID: CmdLatencyGraph, Name: "latency|graph", Parent: CmdLatency, Arity: 3, Flags: latency, Request: RequestLocal, Tips: told, Since: "2.8.13"},
		{ID: CmdLatencyHistogram, Name: "latency|histogram", Parent: CmdLatency, Arity: -2, Flags: latency, Request: RequestLocal, Tips: told, Since: "7.0.0"},
		{ID: CmdLatencyHistory, Name: "latency|history", Parent: CmdLatency, Arity: 3, Flags: latency, Request: RequestLocal, Tips: told, Since: "2.8.13"},
		{ID: CmdLatencyLatest, Name: "latency|latest", Parent: CmdLatency, Arity: 2, Flags: latency, Request: RequestLocal, Tips: told, Since: "2.8.13"},
		{ID: CmdLatencyReset, Name: "latency|reset", Parent: CmdLatency, Arity: -2, Flags: latency, Request: RequestLocal, Tips: tips(tipRequestAllNodes, tipResponseAggSum), Since: "2.8.13"},
		{ID: CmdLatencyHelp, Name: "latency|help", Parent: CmdLatency, Arity: 2, Flags: open, Request: RequestLocal, Since: "2.8.13"},

		{ID: CmdRole, Name: "role", Arity: 1, Flags: NoScript | Loading | Stale | Fast, Categories: CatAdmin | CatDangerous, Request: RequestLocal, Since: "2.8.12"},
		{ID: CmdLolwut, Name: "lolwut", Arity: -1, Flags: ReadOnly | Fast, Request: RequestLocal, Since: "5.0.0"},
		{ID: CmdMonitor, Name: "monitor", Arity: 1, Flags: Admin | NoScript | Loading | Stale, Request: RequestLocal, Since: "1.0.0"},
	}
}
