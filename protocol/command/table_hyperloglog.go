package command

func hyperloglogRows() []Row {
	return []Row{
		{ID: CmdPFAdd, Name: "pfadd", Arity: -2, Flags: Write | DenyOOM | Fast, Categories: CatHyperLogLog, KeySpecs: keys(keyAt(1, KeyRW|KeyInsert)), Since: "2.8.9"},
		{ID: CmdPFCount, Name: "pfcount", Arity: -2, Flags: ReadOnly | MayReplicate | OverShards, Categories: CatHyperLogLog, KeySpecs: keys(noted(keysFrom(1, 1, KeyRW|KeyAccess), "keeps the estimate in the value, so it also writes")), Since: "2.8.9"},
		{ID: CmdPFMerge, Name: "pfmerge", Arity: -2, Flags: Write | DenyOOM | InSteps, Categories: CatHyperLogLog, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyInsert), keysFrom(2, 1, KeyRO|KeyAccess)), Since: "2.8.9"},
		{ID: CmdPFDebug, Name: "pfdebug", Arity: 3, Flags: Write | DenyOOM | Admin, Categories: CatHyperLogLog, KeySpecs: keys(keyAt(2, KeyRW|KeyAccess)), Since: "2.8.9"},
		{ID: CmdPFSelfTest, Name: "pfselftest", Arity: 1, Flags: Admin | NodeOnly, Categories: CatHyperLogLog, Request: RequestLocal, Since: "2.8.9"},
	}
}
