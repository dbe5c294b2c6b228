package command

// keysAfterStreams is the keys behind the word STREAMS, searched from an argument: the first half of what follows it.
func keysAfterStreams(from int, f KeyFlags) KeySpec {
	return KeySpec{Flags: f, Begin: BeginKeyword, Keyword: "STREAMS", From: from, Find: FindRange, LastKey: -1, Step: 1, Limit: 2}
}

func streamRows() []Row {
	return []Row{
		{ID: CmdXAdd, Name: "xadd", Arity: -5, Flags: Write | DenyOOM | Fast, Categories: CatStream, KeySpecs: keys(noted(keyAt(1, KeyRW|KeyUpdate), "may also trim, so it updates rather than inserts")), Tips: tips(tipNondeterministic), Since: "5.0.0"},
		{ID: CmdXLen, Name: "xlen", Arity: 2, Flags: ReadOnly | Fast, Categories: CatStream, KeySpecs: keys(keyAt(1, KeyRO)), Since: "5.0.0"},
		{ID: CmdXRange, Name: "xrange", Arity: -4, Flags: ReadOnly, Categories: CatStream, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "5.0.0"},
		{ID: CmdXRevRange, Name: "xrevrange", Arity: -4, Flags: ReadOnly, Categories: CatStream, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "5.0.0"},
		{ID: CmdXDel, Name: "xdel", Arity: -3, Flags: Write | Fast, Categories: CatStream, KeySpecs: keys(keyAt(1, KeyRW|KeyDelete)), Since: "5.0.0"},
		{ID: CmdXTrim, Name: "xtrim", Arity: -4, Flags: Write, Categories: CatStream, KeySpecs: keys(keyAt(1, KeyRW|KeyDelete)), Tips: tips(tipNondeterministic), Since: "5.0.0"},
		{ID: CmdXRead, Name: "xread", Arity: -4, Flags: ReadOnly | Blocking | MovableKeys | OverShards, Categories: CatStream, KeySpecs: keys(keysAfterStreams(1, KeyRO|KeyAccess)), Request: RequestSpecial, Since: "5.0.0"},
		{ID: CmdXReadGroup, Name: "xreadgroup", Arity: -7, Flags: Write | Blocking | MovableKeys | OverShards, Categories: CatStream, KeySpecs: keys(keysAfterStreams(4, KeyRO|KeyAccess)), Request: RequestSpecial, Since: "5.0.0"},
		{ID: CmdXAck, Name: "xack", Arity: -4, Flags: Write | Fast, Categories: CatStream, KeySpecs: keys(keyAt(1, KeyRW|KeyUpdate)), Since: "5.0.0"},
		{ID: CmdXPending, Name: "xpending", Arity: -3, Flags: ReadOnly, Categories: CatStream, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Tips: tips(tipNondeterministic), Since: "5.0.0"},
		{ID: CmdXClaim, Name: "xclaim", Arity: -6, Flags: Write | Fast, Categories: CatStream, KeySpecs: keys(keyAt(1, KeyRW|KeyUpdate)), Tips: tips(tipNondeterministic), Since: "5.0.0"},
		{ID: CmdXAutoClaim, Name: "xautoclaim", Arity: -6, Flags: Write | Fast, Categories: CatStream, KeySpecs: keys(keyAt(1, KeyRW|KeyDelete)), Tips: tips(tipNondeterministic), Since: "6.2.0"},
		{ID: CmdXSetID, Name: "xsetid", Arity: -3, Flags: Write | DenyOOM | Fast, Categories: CatStream, KeySpecs: keys(keyAt(1, KeyRW|KeyUpdate)), Since: "5.0.0"},

		{ID: CmdXGroup, Name: "xgroup", Arity: -2, Request: RequestLocal, Since: "5.0.0"},
		{ID: CmdXGroupCreate, Name: "xgroup|create", Parent: CmdXGroup, Arity: -5, Flags: Write | DenyOOM, Categories: CatStream, KeySpecs: keys(keyAt(2, KeyRW|KeyInsert)), Since: "5.0.0"},
		{ID: CmdXGroupSetID, Name: "xgroup|setid", Parent: CmdXGroup, Arity: -5, Flags: Write, Categories: CatStream, KeySpecs: keys(keyAt(2, KeyRW|KeyUpdate)), Since: "5.0.0"},
		{ID: CmdXGroupDestroy, Name: "xgroup|destroy", Parent: CmdXGroup, Arity: 4, Flags: Write, Categories: CatStream, KeySpecs: keys(keyAt(2, KeyRW|KeyDelete)), Since: "5.0.0"},
		{ID: CmdXGroupCreateConsumer, Name: "xgroup|createconsumer", Parent: CmdXGroup, Arity: 5, Flags: Write | DenyOOM, Categories: CatStream, KeySpecs: keys(keyAt(2, KeyRW|KeyInsert)), Since: "6.2.0"},
		{ID: CmdXGroupDelConsumer, Name: "xgroup|delconsumer", Parent: CmdXGroup, Arity: 5, Flags: Write, Categories: CatStream, KeySpecs: keys(keyAt(2, KeyRW|KeyDelete)), Since: "5.0.0"},
		{ID: CmdXGroupHelp, Name: "xgroup|help", Parent: CmdXGroup, Arity: 2, Flags: Loading | Stale, Categories: CatStream, Request: RequestLocal, Since: "5.0.0"},

		{ID: CmdXInfo, Name: "xinfo", Arity: -2, Request: RequestLocal, Since: "5.0.0"},
		{ID: CmdXInfoStream, Name: "xinfo|stream", Parent: CmdXInfo, Arity: -3, Flags: ReadOnly, Categories: CatStream, KeySpecs: keys(keyAt(2, KeyRO|KeyAccess)), Since: "5.0.0"},
		{ID: CmdXInfoGroups, Name: "xinfo|groups", Parent: CmdXInfo, Arity: 3, Flags: ReadOnly, Categories: CatStream, KeySpecs: keys(keyAt(2, KeyRO|KeyAccess)), Since: "5.0.0"},
		{ID: CmdXInfoConsumers, Name: "xinfo|consumers", Parent: CmdXInfo, Arity: 4, Flags: ReadOnly, Categories: CatStream, KeySpecs: keys(keyAt(2, KeyRO|KeyAccess)), Tips: tips(tipNondeterministic), Since: "5.0.0"},
		{ID: CmdXInfoHelp, Name: "xinfo|help", Parent: CmdXInfo, Arity: 2, Flags: Loading | Stale, Categories: CatStream, Request: RequestLocal, Since: "5.0.0"},
	}
}
