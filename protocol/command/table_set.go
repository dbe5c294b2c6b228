package command

func setRows() []Row {
	read, access := keyAt(1, KeyRO), keyAt(1, KeyRO|KeyAccess)
	all := keysFrom(1, 1, KeyRO|KeyAccess)
	sources := keysFrom(2, 1, KeyRO|KeyAccess)
	return []Row{
		{ID: CmdSAdd, Name: "sadd", Arity: -3, Flags: Write | DenyOOM | Fast, Categories: CatSet, KeySpecs: keys(keyAt(1, KeyRW|KeyInsert)), Since: "1.0.0"},
		{ID: CmdSRem, Name: "srem", Arity: -3, Flags: Write | Fast, Categories: CatSet, KeySpecs: keys(keyAt(1, KeyRW|KeyDelete)), Since: "1.0.0"},
		{ID: CmdSIsMember, Name: "sismember", Arity: 3, Flags: ReadOnly | Fast, Categories: CatSet, KeySpecs: keys(read), Since: "1.0.0"},
		{ID: CmdSMIsMember, Name: "smismember", Arity: -3, Flags: ReadOnly | Fast, Categories: CatSet, KeySpecs: keys(access), Since: "6.2.0"},
		{ID: CmdSCard, Name: "scard", Arity: 2, Flags: ReadOnly | Fast, Categories: CatSet, KeySpecs: keys(read), Since: "1.0.0"},
		{ID: CmdSMembers, Name: "smembers", Arity: 2, Flags: ReadOnly, Categories: CatSet, KeySpecs: keys(access), Tips: tips(tipAnyOrder), Since: "1.0.0"},
		{ID: CmdSPop, Name: "spop", Arity: -2, Flags: Write | Fast, Categories: CatSet, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyDelete)), Tips: tips(tipNondeterministic), Since: "1.0.0"},
		{ID: CmdSRandMember, Name: "srandmember", Arity: -2, Flags: ReadOnly, Categories: CatSet, KeySpecs: keys(access), Tips: tips(tipNondeterministic), Since: "1.0.0"},
		{ID: CmdSMove, Name: "smove", Arity: 4, Flags: Write | Fast | InSteps, Categories: CatSet, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyDelete), keyAt(2, KeyRW|KeyInsert)), Since: "1.0.0"},
		{ID: CmdSInter, Name: "sinter", Arity: -2, Flags: ReadOnly | OverShards, Categories: CatSet, KeySpecs: keys(all), Tips: tips(tipAnyOrder), Since: "1.0.0"},
		{ID: CmdSInterCard, Name: "sintercard", Arity: -3, Flags: ReadOnly | MovableKeys | OverShards, Categories: CatSet, KeySpecs: keys(KeySpec{Flags: KeyRO | KeyAccess, Begin: BeginIndex, Index: 1, Find: FindKeyNum, FirstKey: 1, Step: 1}), Since: "7.0.0"},
		{ID: CmdSInterStore, Name: "sinterstore", Arity: -3, Flags: Write | DenyOOM | InSteps, Categories: CatSet, KeySpecs: keys(keyAt(1, KeyRW|KeyUpdate), sources), Since: "1.0.0"},
		{ID: CmdSUnion, Name: "sunion", Arity: -2, Flags: ReadOnly | OverShards, Categories: CatSet, KeySpecs: keys(all), Tips: tips(tipAnyOrder), Since: "1.0.0"},
		{ID: CmdSUnionStore, Name: "sunionstore", Arity: -3, Flags: Write | DenyOOM | InSteps, Categories: CatSet, KeySpecs: keys(keyAt(1, KeyOW|KeyUpdate), sources), Since: "1.0.0"},
		{ID: CmdSDiff, Name: "sdiff", Arity: -2, Flags: ReadOnly | OverShards, Categories: CatSet, KeySpecs: keys(all), Tips: tips(tipAnyOrder), Since: "1.0.0"},
		{ID: CmdSDiffStore, Name: "sdiffstore", Arity: -3, Flags: Write | DenyOOM | InSteps, Categories: CatSet, KeySpecs: keys(keyAt(1, KeyOW|KeyUpdate), sources), Since: "1.0.0"},
		{ID: CmdSScan, Name: "sscan", Arity: -3, Flags: ReadOnly, Categories: CatSet, KeySpecs: keys(access), Tips: tips(tipNondeterministic), Since: "2.8.0"},
	}
}
