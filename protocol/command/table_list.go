package command

// keysCounted is keys as many as the number at argument i says, behind it.
func keysCounted(i int, f KeyFlags) KeySpec {
	return KeySpec{Flags: f, Begin: BeginIndex, Index: i, Find: FindKeyNum, FirstKey: 1, Step: 1}
}

// keysBut is keys from argument i on, but for the last arguments.
func keysBut(i, last int, f KeyFlags) KeySpec {
	return KeySpec{Flags: f, Begin: BeginIndex, Index: i, Find: FindRange, LastKey: -1 - last, Step: 1}
}

func listRows() []Row {
	return []Row{
		{ID: CmdLPush, Name: "lpush", Arity: -3, Flags: Write | DenyOOM | Fast, Categories: CatList, KeySpecs: keys(keyAt(1, KeyRW|KeyInsert)), Since: "1.0.0"},
		{ID: CmdRPush, Name: "rpush", Arity: -3, Flags: Write | DenyOOM | Fast, Categories: CatList, KeySpecs: keys(keyAt(1, KeyRW|KeyInsert)), Since: "1.0.0"},
		{ID: CmdLPushX, Name: "lpushx", Arity: -3, Flags: Write | DenyOOM | Fast, Categories: CatList, KeySpecs: keys(keyAt(1, KeyRW|KeyInsert)), Since: "2.2.0"},
		{ID: CmdRPushX, Name: "rpushx", Arity: -3, Flags: Write | DenyOOM | Fast, Categories: CatList, KeySpecs: keys(keyAt(1, KeyRW|KeyInsert)), Since: "2.2.0"},
		{ID: CmdLPop, Name: "lpop", Arity: -2, Flags: Write | Fast, Categories: CatList, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyDelete)), Since: "1.0.0"},
		{ID: CmdRPop, Name: "rpop", Arity: -2, Flags: Write | Fast, Categories: CatList, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyDelete)), Since: "1.0.0"},
		{ID: CmdLLen, Name: "llen", Arity: 2, Flags: ReadOnly | Fast, Categories: CatList, KeySpecs: keys(keyAt(1, KeyRO)), Since: "1.0.0"},
		{ID: CmdLIndex, Name: "lindex", Arity: 3, Flags: ReadOnly, Categories: CatList, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "1.0.0"},
		{ID: CmdLSet, Name: "lset", Arity: 4, Flags: Write | DenyOOM, Categories: CatList, KeySpecs: keys(keyAt(1, KeyRW|KeyUpdate)), Since: "1.0.0"},
		{ID: CmdLInsert, Name: "linsert", Arity: 5, Flags: Write | DenyOOM, Categories: CatList, KeySpecs: keys(keyAt(1, KeyRW|KeyInsert)), Since: "2.2.0"},
		{ID: CmdLRange, Name: "lrange", Arity: 4, Flags: ReadOnly, Categories: CatList, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "1.0.0"},
		{ID: CmdLTrim, Name: "ltrim", Arity: 4, Flags: Write, Categories: CatList, KeySpecs: keys(keyAt(1, KeyRW|KeyDelete)), Since: "1.0.0"},
		{ID: CmdLRem, Name: "lrem", Arity: 4, Flags: Write, Categories: CatList, KeySpecs: keys(keyAt(1, KeyRW|KeyDelete)), Since: "1.0.0"},
		{ID: CmdLPos, Name: "lpos", Arity: -3, Flags: ReadOnly, Categories: CatList, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "6.0.6"},
		{ID: CmdLMove, Name: "lmove", Arity: 5, Flags: Write | DenyOOM | InSteps, Categories: CatList, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyDelete), keyAt(2, KeyRW|KeyInsert)), Since: "6.2.0"},
		{ID: CmdRPopLPush, Name: "rpoplpush", Arity: 3, Flags: Write | DenyOOM | InSteps, Categories: CatList, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyDelete), keyAt(2, KeyRW|KeyInsert)), Since: "1.2.0"},
		{ID: CmdLMPop, Name: "lmpop", Arity: -4, Flags: Write | MovableKeys | InSteps, Categories: CatList, KeySpecs: keys(keysCounted(1, KeyRW|KeyAccess|KeyDelete)), Since: "7.0.0"},
		{ID: CmdBLPop, Name: "blpop", Arity: -3, Flags: Write | Blocking, Categories: CatList, KeySpecs: keys(keysBut(1, 1, KeyRW|KeyAccess|KeyDelete)), Request: RequestSpecial, Since: "2.0.0"},
		{ID: CmdBRPop, Name: "brpop", Arity: -3, Flags: Write | Blocking, Categories: CatList, KeySpecs: keys(keysBut(1, 1, KeyRW|KeyAccess|KeyDelete)), Request: RequestSpecial, Since: "2.0.0"},
		{ID: CmdBLMove, Name: "blmove", Arity: 6, Flags: Write | DenyOOM | Blocking, Categories: CatList, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyDelete), keyAt(2, KeyRW|KeyInsert)), Request: RequestSpecial, Since: "6.2.0"},
		{ID: CmdBRPopLPush, Name: "brpoplpush", Arity: 4, Flags: Write | DenyOOM | Blocking, Categories: CatList, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyDelete), keyAt(2, KeyRW|KeyInsert)), Request: RequestSpecial, Since: "2.2.0"},
		{ID: CmdBLMPop, Name: "blmpop", Arity: -5, Flags: Write | Blocking | MovableKeys, Categories: CatList, KeySpecs: keys(keysCounted(2, KeyRW|KeyAccess|KeyDelete)), Request: RequestSpecial, Since: "7.0.0"},
	}
}
