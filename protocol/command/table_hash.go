package command

// hashRows are Redis 7.2's commands on hashes, and behind HSCAN those on fields that expire, whose rows are Valkey 9.1's.
func hashRows() []Row {
	return []Row{
		{ID: CmdHSet, Name: "hset", Arity: -4, Flags: Write | DenyOOM | Fast, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRW|KeyUpdate)), Since: "2.0.0"},
		{ID: CmdHMSet, Name: "hmset", Arity: -4, Flags: Write | DenyOOM | Fast, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRW|KeyUpdate)), Since: "2.0.0"},
		{ID: CmdHSetNX, Name: "hsetnx", Arity: 4, Flags: Write | DenyOOM | Fast, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRW|KeyInsert)), Since: "2.0.0"},
		{ID: CmdHGet, Name: "hget", Arity: 3, Flags: ReadOnly | Fast, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "2.0.0"},
		{ID: CmdHMGet, Name: "hmget", Arity: -3, Flags: ReadOnly | Fast, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "2.0.0"},
		{ID: CmdHGetAll, Name: "hgetall", Arity: 2, Flags: ReadOnly, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Tips: tips(tipAnyOrder), Since: "2.0.0"},
		{ID: CmdHKeys, Name: "hkeys", Arity: 2, Flags: ReadOnly, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Tips: tips(tipAnyOrder), Since: "2.0.0"},
		{ID: CmdHVals, Name: "hvals", Arity: 2, Flags: ReadOnly, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Tips: tips(tipAnyOrder), Since: "2.0.0"},
		{ID: CmdHLen, Name: "hlen", Arity: 2, Flags: ReadOnly | Fast, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRO)), Since: "2.0.0"},
		{ID: CmdHStrLen, Name: "hstrlen", Arity: 3, Flags: ReadOnly | Fast, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRO)), Since: "3.2.0"},
		{ID: CmdHExists, Name: "hexists", Arity: 3, Flags: ReadOnly | Fast, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRO)), Since: "2.0.0"},
		{ID: CmdHDel, Name: "hdel", Arity: -3, Flags: Write | Fast, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRW|KeyDelete)), Since: "2.0.0"},
		{ID: CmdHIncrBy, Name: "hincrby", Arity: 4, Flags: Write | DenyOOM | Fast, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyUpdate)), Since: "2.0.0"},
		{ID: CmdHIncrByFloat, Name: "hincrbyfloat", Arity: 4, Flags: Write | DenyOOM | Fast, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyUpdate)), Since: "2.6.0"},
		{ID: CmdHRandField, Name: "hrandfield", Arity: -2, Flags: ReadOnly, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Tips: tips(tipNondeterministic), Since: "6.2.0"},
		{ID: CmdHScan, Name: "hscan", Arity: -3, Flags: ReadOnly, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Tips: tips(tipNondeterministic), Since: "2.8.0"},
		{ID: CmdHExpire, Name: "hexpire", Arity: -6, Flags: Write | Fast, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRW|KeyUpdate)), Since: "7.4.0"},
		{ID: CmdHPExpire, Name: "hpexpire", Arity: -6, Flags: Write | Fast, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRW|KeyUpdate)), Since: "7.4.0"},
		{ID: CmdHExpireAt, Name: "hexpireat", Arity: -6, Flags: Write | Fast, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRW|KeyUpdate)), Since: "7.4.0"},
		{ID: CmdHPExpireAt, Name: "hpexpireat", Arity: -6, Flags: Write | Fast, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRW|KeyUpdate)), Since: "7.4.0"},
		{ID: CmdHExpireTime, Name: "hexpiretime", Arity: -5, Flags: ReadOnly | Fast, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "7.4.0"},
		{ID: CmdHPExpireTime, Name: "hpexpiretime", Arity: -5, Flags: ReadOnly | Fast, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "7.4.0"},
		{ID: CmdHTTL, Name: "httl", Arity: -5, Flags: ReadOnly | Fast, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "7.4.0"},
		{ID: CmdHPTTL, Name: "hpttl", Arity: -5, Flags: ReadOnly | Fast, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRO|KeyAccess)), Since: "7.4.0"},
		{ID: CmdHPersist, Name: "hpersist", Arity: -5, Flags: Write | Fast, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRW|KeyUpdate)), Since: "7.4.0"},
		{ID: CmdHGetEx, Name: "hgetex", Arity: -5, Flags: Write | Fast, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyUpdate)), Since: "8.0.0"},
		{ID: CmdHSetEx, Name: "hsetex", Arity: -6, Flags: Write | DenyOOM | Fast, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRW|KeyInsert)), Since: "8.0.0"},
		{ID: CmdHGetDel, Name: "hgetdel", Arity: -5, Flags: Write | Fast, Categories: CatHash, KeySpecs: keys(keyAt(1, KeyRW|KeyAccess|KeyDelete)), Since: "8.0.0"},
	}
}
