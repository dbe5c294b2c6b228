package command

// larderRows are ours: the dialect between gateway and node. A stock server does not know them.
func larderRows() []Row {
	return []Row{
		{ID: CmdLarder, Name: "larder", Arity: -2, Request: RequestLocal, Since: "0.1.0"},
		{ID: CmdLarderHello, Name: "larder|hello", Parent: CmdLarder, Arity: 3, Flags: NoScript | Loading | Stale | Fast | AllowBusy, Categories: CatConnection, Request: RequestLocal, Tips: tips(tipNondeterministic), Since: "0.1.0"},
		{ID: CmdLarderTerm, Name: "larder|term", Parent: CmdLarder, Arity: -3, Flags: NoScript | Loading | Stale | Fast | AllowBusy, Categories: CatConnection, Request: RequestLocal, Since: "0.1.0"},
		{ID: CmdLarderAssign, Name: "larder|assign", Parent: CmdLarder, Arity: 4, Flags: Admin | NoScript | Loading | Stale, Request: RequestLocal, Since: "0.1.0"},
		{ID: CmdLarderAs, Name: "larder|as", Parent: CmdLarder, Arity: 3, Flags: NoScript | Loading | Stale | Fast | AllowBusy, Categories: CatConnection, Request: RequestLocal, Since: "0.1.0"},
		{ID: CmdLarderSlots, Name: "larder|slots", Parent: CmdLarder, Arity: 3, Flags: NoScript | Loading | Stale | Fast | AllowBusy, Categories: CatConnection, Request: RequestLocal, Since: "0.1.0"},
		{ID: CmdLarderScan, Name: "larder|scan", Parent: CmdLarder, Arity: -4, Flags: ReadOnly | NoScript | TouchesArbitraryKeys, Categories: CatKeyspace, Request: RequestLocal, Tips: tips(tipNondeterministic), Since: "0.1.0"},
		{ID: CmdLarderSubscribers, Name: "larder|subscribers", Parent: CmdLarder, Arity: -5, Flags: NoScript | Loading | Stale | Fast, Categories: CatConnection, Request: RequestLocal, Since: "0.1.0"},
		{ID: CmdLarderUser, Name: "larder|user", Parent: CmdLarder, Arity: -2, Flags: NoScript | Loading | Stale | Fast | AllowBusy, Categories: CatConnection, Request: RequestLocal, Since: "0.1.0"},
		{ID: CmdLarderEar, Name: "larder|ear", Parent: CmdLarder, Arity: 2, Flags: NoScript | Loading | Stale | Fast, Categories: CatConnection, Request: RequestLocal, Since: "0.1.0"},
		{ID: CmdLarderMark, Name: "larder|mark", Parent: CmdLarder, Arity: 2, Flags: NoScript | Loading | Stale | Fast | AllowBusy, Categories: CatConnection, Request: RequestLocal, Since: "0.1.0"},
		{ID: CmdLarderAfter, Name: "larder|after", Parent: CmdLarder, Arity: 4, Flags: NoScript | Loading | Stale | Fast | AllowBusy, Categories: CatConnection, Request: RequestLocal, Since: "0.1.0"},
		{ID: CmdLarderPublishes, Name: "larder|publishes", Parent: CmdLarder, Arity: 3, Flags: NoScript | Loading | Stale | Fast | AllowBusy, Categories: CatConnection, Request: RequestLocal, Since: "0.1.0"},
		{ID: CmdLarderWrote, Name: "larder|wrote", Parent: CmdLarder, Arity: 2, Flags: NoScript | Loading | Stale | Fast, Categories: CatConnection, Request: RequestLocal, Since: "0.1.0"},
		{ID: CmdLarderStamps, Name: "larder|stamps", Parent: CmdLarder, Arity: 3, Flags: NoScript | Loading | Stale | Fast | AllowBusy, Categories: CatConnection, Request: RequestLocal, Since: "0.1.0"},
		{ID: CmdLarderAt, Name: "larder|at", Parent: CmdLarder, Arity: 4, Flags: NoScript | Loading | Stale | Fast | AllowBusy, Categories: CatConnection, Request: RequestLocal, Since: "0.1.0"},
		{ID: CmdLarderRecord, Name: "larder|record", Parent: CmdLarder, Arity: -3, Flags: Admin | NoScript | Loading | Stale | NoMulti, Request: RequestLocal, Since: "0.1.0"},
		{ID: CmdLarderPromise, Name: "larder|promise", Parent: CmdLarder, Arity: -3, Flags: Admin | NoScript | Loading | Stale | NoMulti, Request: RequestLocal, Since: "0.1.0"},
		{ID: CmdLarderState, Name: "larder|state", Parent: CmdLarder, Arity: 2, Flags: NoScript | Loading | Stale | Fast | AllowBusy, Categories: CatConnection, Request: RequestLocal, Since: "0.1.0"},
		{ID: CmdLarderShared, Name: "larder|shared", Parent: CmdLarder, Arity: 3, Flags: NoScript | Loading | Stale | Fast | AllowBusy, Categories: CatConnection, Request: RequestLocal, Since: "0.1.0"},
		{ID: CmdLarderLane, Name: "larder|lane", Parent: CmdLarder, Arity: 3, Flags: NoScript | NoMulti | Stale | Fast | AllowBusy, Categories: CatConnection, Request: RequestLocal, Since: "0.1.0"},
		{ID: CmdLarderEnded, Name: "larder|ended", Parent: CmdLarder, Arity: 3, Flags: Admin | NoScript | NoMulti | Stale, Categories: CatConnection, Request: RequestLocal, Since: "0.1.0"},
		{ID: CmdLarderForget, Name: "larder|forget", Parent: CmdLarder, Arity: -3, Flags: Admin | NoScript | NoMulti | Stale, Categories: CatConnection, Request: RequestLocal, Since: "0.1.0"},
		{ID: CmdLarderErrand, Name: "larder|errand", Parent: CmdLarder, Arity: 4, Flags: Admin | NoScript | NoMulti | Stale | SkipMonitor | SkipSlowlog, Request: RequestLocal, Since: "0.1.0"},
		{ID: CmdLarderGive, Name: "larder|give", Parent: CmdLarder, Arity: 3, Flags: Admin | NoScript | NoMulti | Stale | SkipMonitor | SkipSlowlog, Request: RequestLocal, Since: "0.1.0"},
		{ID: CmdLarderGiven, Name: "larder|given", Parent: CmdLarder, Arity: -2, Flags: Admin | NoScript | NoMulti | Stale, Request: RequestLocal, Since: "0.1.0"},
		{ID: CmdLarderAsk, Name: "larder|ask", Parent: CmdLarder, Arity: 2, Flags: Admin | NoScript | NoMulti | Stale | Loading | AllowBusy, Request: RequestLocal, Since: "0.1.0"},
		{ID: CmdLarderHelp, Name: "larder|help", Parent: CmdLarder, Arity: 2, Flags: Loading | Stale, Request: RequestLocal, Since: "0.1.0"},
	}
}
