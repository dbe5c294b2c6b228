package command

// countedKeys is as many keys as the number at argument i says, behind it.
func countedKeys(i int, f KeyFlags) KeySpec {
	return KeySpec{Flags: f, Begin: BeginIndex, Index: i, Find: FindKeyNum, FirstKey: 1, Step: 1}
}

// keysBeforeLast is keys from argument i to the last but one.
func keysBeforeLast(i int, f KeyFlags) KeySpec {
	return KeySpec{Flags: f, Begin: BeginIndex, Index: i, Find: FindRange, LastKey: -2, Step: 1}
}

// keyBehind is the key behind a word, looked for from argument from on, that is written.
func keyBehind(word string, from int) KeySpec {
	return KeySpec{Flags: KeyOW | KeyUpdate, Begin: BeginKeyword, Keyword: word, From: from, Find: FindRange, Step: 1}
}

func zsetRows() []Row {
	return []Row{
		{ID: CmdZAdd, Name: "zadd", Arity: -4, Flags: Write | DenyOOM | Fast, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyRW|KeyUpdate)), Since: "1.2.0"},
		{ID: CmdZIncrBy, Name: "zincrby", Arity: 4, Flags: Write | DenyOOM | Fast, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyUpdate)), Since: "1.2.0"},
		{ID: CmdZRem, Name: "zrem", Arity: -3, Flags: Write | Fast, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyRW|KeyDelete)), Since: "1.2.0"},
		{ID: CmdZScore, Name: "zscore", Arity: 3, Flags: ReadOnly | Fast, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "1.2.0"},
		{ID: CmdZMScore, Name: "zmscore", Arity: -3, Flags: ReadOnly | Fast, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "6.2.0"},
		{ID: CmdZCard, Name: "zcard", Arity: 2, Flags: ReadOnly | Fast, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyRO)), Since: "1.2.0"},
		{ID: CmdZCount, Name: "zcount", Arity: 4, Flags: ReadOnly | Fast, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "2.0.0"},
		{ID: CmdZLexCount, Name: "zlexcount", Arity: 4, Flags: ReadOnly | Fast, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "2.8.9"},
		{ID: CmdZRank, Name: "zrank", Arity: -3, Flags: ReadOnly | Fast, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "2.0.0"},
		{ID: CmdZRevRank, Name: "zrevrank", Arity: -3, Flags: ReadOnly | Fast, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "2.0.0"},
		{ID: CmdZRange, Name: "zrange", Arity: -4, Flags: ReadOnly, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "1.2.0"},
		{ID: CmdZRangeStore, Name: "zrangestore", Arity: -5, Flags: Write | DenyOOM | InSteps, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyOW|KeyUpdate), keyAt(2, KeyRO|KeyAccess)), Since: "6.2.0"},
		{ID: CmdZRevRange, Name: "zrevrange", Arity: -4, Flags: ReadOnly, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "1.2.0"},
		{ID: CmdZRangeByScore, Name: "zrangebyscore", Arity: -4, Flags: ReadOnly, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "1.0.5"},
		{ID: CmdZRevRangeByScore, Name: "zrevrangebyscore", Arity: -4, Flags: ReadOnly, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "2.2.0"},
		{ID: CmdZRangeByLex, Name: "zrangebylex", Arity: -4, Flags: ReadOnly, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "2.8.9"},
		{ID: CmdZRevRangeByLex, Name: "zrevrangebylex", Arity: -4, Flags: ReadOnly, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "2.8.9"},
		{ID: CmdZRemRangeByRank, Name: "zremrangebyrank", Arity: 4, Flags: Write, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyRW|KeyDelete)), Since: "2.0.0"},
		{ID: CmdZRemRangeByScore, Name: "zremrangebyscore", Arity: 4, Flags: Write, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyRW|KeyDelete)), Since: "1.2.0"},
		{ID: CmdZRemRangeByLex, Name: "zremrangebylex", Arity: 4, Flags: Write, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyRW|KeyDelete)), Since: "2.8.9"},
		{ID: CmdZPopMin, Name: "zpopmin", Arity: -2, Flags: Write | Fast, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyDelete)), Since: "5.0.0"},
		{ID: CmdZPopMax, Name: "zpopmax", Arity: -2, Flags: Write | Fast, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyDelete)), Since: "5.0.0"},
		{ID: CmdZMPop, Name: "zmpop", Arity: -4, Flags: Write | MovableKeys | InSteps, Categories: CatSortedSet, KeySpecs: keys(countedKeys(1, KeyRW|KeyAccess|KeyDelete)), Since: "7.0.0"},
		{ID: CmdBZPopMin, Name: "bzpopmin", Arity: -3, Flags: Write | Blocking | Fast, Categories: CatSortedSet, KeySpecs: keys(keysBeforeLast(1, KeyRW|KeyAccess|KeyDelete)), Request: RequestSpecial, Since: "5.0.0"},
		{ID: CmdBZPopMax, Name: "bzpopmax", Arity: -3, Flags: Write | Blocking | Fast, Categories: CatSortedSet, KeySpecs: keys(keysBeforeLast(1, KeyRW|KeyAccess|KeyDelete)), Request: RequestSpecial, Since: "5.0.0"},
		{ID: CmdBZMPop, Name: "bzmpop", Arity: -5, Flags: Write | Blocking | MovableKeys, Categories: CatSortedSet, KeySpecs: keys(countedKeys(2, KeyRW|KeyAccess|KeyDelete)), Request: RequestSpecial, Since: "7.0.0"},
		{ID: CmdZRandMember, Name: "zrandmember", Arity: -2, Flags: ReadOnly, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Tips: tips(tipNondeterministic), Since: "6.2.0"},
		{ID: CmdZScan, Name: "zscan", Arity: -3, Flags: ReadOnly, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Tips: tips(tipNondeterministic), Since: "2.8.0"},
		{ID: CmdZUnion, Name: "zunion", Arity: -3, Flags: ReadOnly | MovableKeys | OverShards, Categories: CatSortedSet, KeySpecs: keys(countedKeys(1, KeyRO|KeyAccess)), Since: "6.2.0"},
		{ID: CmdZInter, Name: "zinter", Arity: -3, Flags: ReadOnly | MovableKeys | OverShards, Categories: CatSortedSet, KeySpecs: keys(countedKeys(1, KeyRO|KeyAccess)), Since: "6.2.0"},
		{ID: CmdZDiff, Name: "zdiff", Arity: -3, Flags: ReadOnly | MovableKeys | OverShards, Categories: CatSortedSet, KeySpecs: keys(countedKeys(1, KeyRO|KeyAccess)), Since: "6.2.0"},
		{ID: CmdZUnionStore, Name: "zunionstore", Arity: -4, Flags: Write | DenyOOM | MovableKeys | InSteps, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyOW|KeyUpdate), countedKeys(2, KeyRO|KeyAccess)), Since: "2.0.0"},
		{ID: CmdZInterStore, Name: "zinterstore", Arity: -4, Flags: Write | DenyOOM | MovableKeys | InSteps, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyOW|KeyUpdate), countedKeys(2, KeyRO|KeyAccess)), Since: "2.0.0"},
		{ID: CmdZDiffStore, Name: "zdiffstore", Arity: -4, Flags: Write | DenyOOM | MovableKeys | InSteps, Categories: CatSortedSet, KeySpecs: keys(keyAt(1, KeyOW|KeyUpdate), countedKeys(2, KeyRO|KeyAccess)), Since: "6.2.0"},
		{ID: CmdZInterCard, Name: "zintercard", Arity: -3, Flags: ReadOnly | MovableKeys | OverShards, Categories: CatSortedSet, KeySpecs: keys(countedKeys(1, KeyRO|KeyAccess)), Since: "7.0.0"},
	}
}
