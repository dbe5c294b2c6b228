package command

func genericRows() []Row {
	return []Row{
		{ID: CmdDel, Name: "del", Arity: -2, Flags: Write, Categories: CatKeyspace, KeySpecs: keys(keysFrom(1, 1, KeyRM|KeyDelete)), Tips: tips(tipRequestMultiShard, tipResponseAggSum), Since: "1.0.0"},
		{ID: CmdUnlink, Name: "unlink", Arity: -2, Flags: Write | Fast, Categories: CatKeyspace, KeySpecs: keys(keysFrom(1, 1, KeyRM|KeyDelete)), Tips: tips(tipRequestMultiShard, tipResponseAggSum), Since: "4.0.0"},
		{ID: CmdExists, Name: "exists", Arity: -2, Flags: ReadOnly | Fast, Categories: CatKeyspace, KeySpecs: keys(keysFrom(1, 1, KeyRO)), Tips: tips(tipRequestMultiShard, tipResponseAggSum), Since: "1.0.0"},
		{ID: CmdTouch, Name: "touch", Arity: -2, Flags: ReadOnly | Fast, Categories: CatKeyspace, KeySpecs: keys(keysFrom(1, 1, KeyRO)), Tips: tips(tipRequestMultiShard, tipResponseAggSum), Since: "3.2.1"},
		{ID: CmdExpire, Name: "expire", Arity: -3, Flags: Write | Fast, Categories: CatKeyspace, KeySpecs: keys(keyAt(1, KeyRW|KeyUpdate)), Since: "1.0.0"},
		{ID: CmdPExpire, Name: "pexpire", Arity: -3, Flags: Write | Fast, Categories: CatKeyspace, KeySpecs: keys(keyAt(1, KeyRW|KeyUpdate)), Since: "2.6.0"},
		{ID: CmdExpireAt, Name: "expireat", Arity: -3, Flags: Write | Fast, Categories: CatKeyspace, KeySpecs: keys(keyAt(1, KeyRW|KeyUpdate)), Since: "1.2.0"},
		{ID: CmdPExpireAt, Name: "pexpireat", Arity: -3, Flags: Write | Fast, Categories: CatKeyspace, KeySpecs: keys(keyAt(1, KeyRW|KeyUpdate)), Since: "2.6.0"},
		{ID: CmdTTL, Name: "ttl", Arity: 2, Flags: ReadOnly | Fast, Categories: CatKeyspace, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Tips: tips(tipNondeterministic), Since: "1.0.0"},
		{ID: CmdPTTL, Name: "pttl", Arity: 2, Flags: ReadOnly | Fast, Categories: CatKeyspace, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Tips: tips(tipNondeterministic), Since: "2.6.0"},
		{ID: CmdExpireTime, Name: "expiretime", Arity: 2, Flags: ReadOnly | Fast, Categories: CatKeyspace, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "7.0.0"},
		{ID: CmdPExpireTime, Name: "pexpiretime", Arity: 2, Flags: ReadOnly | Fast, Categories: CatKeyspace, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "7.0.0"},
		{ID: CmdPersist, Name: "persist", Arity: 2, Flags: Write | Fast, Categories: CatKeyspace, KeySpecs: keys(keyAt(1, KeyRW|KeyUpdate)), Since: "2.2.0"},
		{ID: CmdRename, Name: "rename", Arity: 3, Flags: Write, Categories: CatKeyspace, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyDelete), keyAt(2, KeyOW|KeyUpdate)), Since: "1.0.0"},
		{ID: CmdRenameNX, Name: "renamenx", Arity: 3, Flags: Write | Fast, Categories: CatKeyspace, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyDelete), keyAt(2, KeyOW|KeyInsert)), Since: "1.0.0"},
		{ID: CmdCopy, Name: "copy", Arity: -3, Flags: Write | DenyOOM, Categories: CatKeyspace, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess), keyAt(2, KeyOW|KeyUpdate)), Since: "6.2.0"},
		{ID: CmdMove, Name: "move", Arity: 3, Flags: Write | Fast, Categories: CatKeyspace, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyUpdate)), Since: "1.0.0"},
		{ID: CmdType, Name: "type", Arity: 2, Flags: ReadOnly | Fast, Categories: CatKeyspace, KeySpecs: keys(keyAt(1, KeyRO)), Since: "1.0.0"},
		{ID: CmdKeys, Name: "keys", Arity: 2, Flags: ReadOnly | TouchesArbitraryKeys, Categories: CatKeyspace | CatDangerous, Tips: tips(tipRequestAllShards, tipAnyOrder), Since: "1.0.0"},
		{ID: CmdScan, Name: "scan", Arity: -2, Flags: ReadOnly | TouchesArbitraryKeys, Categories: CatKeyspace, Tips: tips(tipNondeterministic, tipRequestSpecial, tipResponseSpecial), Since: "2.8.0"},
		{ID: CmdRandomKey, Name: "randomkey", Arity: 1, Flags: ReadOnly | TouchesArbitraryKeys, Categories: CatKeyspace, Request: RequestSpecial, Tips: tips(tipRequestAllShards, tipResponseSpecial, tipNondeterministic), Since: "1.0.0"},
		{ID: CmdObject, Name: "object", Arity: -2, Request: RequestLocal, Since: "2.2.3"},
		{ID: CmdObjectEncoding, Name: "object|encoding", Parent: CmdObject, Arity: 3, Flags: ReadOnly, Categories: CatKeyspace, KeySpecs: keys(keyAt(2, KeyRO)), Tips: tips(tipNondeterministic), Since: "2.2.3"},
		{ID: CmdObjectFreq, Name: "object|freq", Parent: CmdObject, Arity: 3, Flags: ReadOnly, Categories: CatKeyspace, KeySpecs: keys(keyAt(2, KeyRO)), Tips: tips(tipNondeterministic), Since: "4.0.0"},
		{ID: CmdObjectIdleTime, Name: "object|idletime", Parent: CmdObject, Arity: 3, Flags: ReadOnly, Categories: CatKeyspace, KeySpecs: keys(keyAt(2, KeyRO)), Tips: tips(tipNondeterministic), Since: "2.2.3"},
		{ID: CmdObjectRefCount, Name: "object|refcount", Parent: CmdObject, Arity: 3, Flags: ReadOnly, Categories: CatKeyspace, KeySpecs: keys(keyAt(2, KeyRO)), Tips: tips(tipNondeterministic), Since: "2.2.3"},
		{ID: CmdObjectHelp, Name: "object|help", Parent: CmdObject, Arity: 2, Flags: Loading | Stale, Categories: CatKeyspace, Request: RequestLocal, Since: "6.2.0"},
	}
}
