package command

func stringRows() []Row {
	return []Row{
		{ID: CmdGet, Name: "get", Arity: 2, Flags: ReadOnly | Fast, Categories: CatString, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "1.0.0"},
		{ID: CmdSet, Name: "set", Arity: -3, Flags: Write | DenyOOM, Categories: CatString, KeySpecs: keys(noted(keyAt(1, KeyRW|KeyAccess|KeyUpdate|KeyVariable), "reads the old value if GET is given")), Since: "1.0.0"},
		{ID: CmdSetNX, Name: "setnx", Arity: 3, Flags: Write | DenyOOM | Fast, Categories: CatString, KeySpecs: keys(keyAt(1, KeyOW|KeyInsert)), Since: "1.0.0"},
		{ID: CmdSetEx, Name: "setex", Arity: 4, Flags: Write | DenyOOM, Categories: CatString, KeySpecs: keys(keyAt(1, KeyOW|KeyUpdate)), Since: "2.0.0"},
		{ID: CmdPSetEx, Name: "psetex", Arity: 4, Flags: Write | DenyOOM, Categories: CatString, KeySpecs: keys(keyAt(1, KeyOW|KeyUpdate)), Since: "2.6.0"},
		{ID: CmdGetSet, Name: "getset", Arity: 3, Flags: Write | DenyOOM | Fast, Categories: CatString, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyUpdate)), Since: "1.0.0"},
		{ID: CmdGetEx, Name: "getex", Arity: -2, Flags: Write | Fast, Categories: CatString, KeySpecs: keys(noted(keyAt(1, KeyRW|KeyAccess|KeyUpdate), "changes the time to live only")), Since: "6.2.0"},
		{ID: CmdGetDel, Name: "getdel", Arity: 2, Flags: Write | Fast, Categories: CatString, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyDelete)), Since: "6.2.0"},
		{ID: CmdMGet, Name: "mget", Arity: -2, Flags: ReadOnly | Fast, Categories: CatString, KeySpecs: keys(keysFrom(1, 1, KeyRO|KeyAccess)), Tips: tips(tipRequestMultiShard), Since: "1.0.0"},
		{ID: CmdMSet, Name: "mset", Arity: -3, Flags: Write | DenyOOM, Categories: CatString, KeySpecs: keys(keysFrom(1, 2, KeyOW|KeyUpdate)), Tips: tips(tipRequestMultiShard, tipResponseAllSucceeded), Since: "1.0.1"},
		{ID: CmdMSetNX, Name: "msetnx", Arity: -3, Flags: Write | DenyOOM, Categories: CatString, KeySpecs: keys(keysFrom(1, 2, KeyOW|KeyInsert)), Since: "1.0.1"},
		{ID: CmdAppend, Name: "append", Arity: 3, Flags: Write | DenyOOM | Fast, Categories: CatString, KeySpecs: keys(keyAt(1, KeyRW|KeyInsert)), Since: "2.0.0"},
		{ID: CmdStrLen, Name: "strlen", Arity: 2, Flags: ReadOnly | Fast, Categories: CatString, KeySpecs: keys(keyAt(1, KeyRO)), Since: "2.2.0"},
		{ID: CmdGetRange, Name: "getrange", Arity: 4, Flags: ReadOnly, Categories: CatString, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "2.4.0"},
		{ID: CmdSubstr, Name: "substr", Arity: 4, Flags: ReadOnly, Categories: CatString, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "1.0.0"},
		{ID: CmdSetRange, Name: "setrange", Arity: 4, Flags: Write | DenyOOM, Categories: CatString, KeySpecs: keys(keyAt(1, KeyRW|KeyUpdate)), Since: "2.2.0"},
		{ID: CmdIncr, Name: "incr", Arity: 2, Flags: Write | DenyOOM | Fast, Categories: CatString, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyUpdate)), Since: "1.0.0"},
		{ID: CmdDecr, Name: "decr", Arity: 2, Flags: Write | DenyOOM | Fast, Categories: CatString, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyUpdate)), Since: "1.0.0"},
		{ID: CmdIncrBy, Name: "incrby", Arity: 3, Flags: Write | DenyOOM | Fast, Categories: CatString, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyUpdate)), Since: "1.0.0"},
		{ID: CmdDecrBy, Name: "decrby", Arity: 3, Flags: Write | DenyOOM | Fast, Categories: CatString, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyUpdate)), Since: "1.0.0"},
		{ID: CmdIncrByFloat, Name: "incrbyfloat", Arity: 3, Flags: Write | DenyOOM | Fast, Categories: CatString, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyUpdate)), Since: "2.6.0"},
		{ID: CmdLCS, Name: "lcs", Arity: -3, Flags: ReadOnly | OverShards, Categories: CatString, KeySpecs: keys(keysFromTo(1, 2, KeyRO|KeyAccess)), Since: "7.0.0"},
	}
}
