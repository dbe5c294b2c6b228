package command

func genericDocs() map[ID]Doc {
	return map[ID]Doc{
		CmdDel: {
			Summary: "Deletes keys.", Complexity: "O(1) for a string; for another type O(N) in the number of its elements; summed over the keys",
			Args: takes(keyArg("key", 0).multiple()),
		},
		CmdUnlink: {
			Summary: "Deletes keys and frees their memory later.", Complexity: "O(1) a key; the memory is freed outside the command",
			Args: takes(keyArg("key", 0).multiple()),
		},
		CmdExists: {
			Summary: "Counts how many of the keys there are.", Complexity: "O(N) in the number of keys",
			History: []Change{{"3.0.3", "Several keys at once."}},
			Args:    takes(keyArg("key", 0).multiple()),
		},
		CmdTouch: {
			Summary: "Counts the keys that exist and marks them as just used.", Complexity: "O(N) in the number of keys",
			Args: takes(keyArg("key", 0).multiple()),
		},
		CmdExpire: {
			Summary: "Sets after how many seconds a key expires.", Complexity: "O(1)",
			History: []Change{{"7.0.0", "Conditions `NX`, `XX`, `GT` and `LT`."}},
			Args: takes(
				keyArg("key", 0),
				integer("seconds"),
				oneOf("condition", word("NX"), word("XX"), word("GT"), word("LT")).since("7.0.0").optional(),
			),
		},
		CmdPExpire: {
			Summary: "Sets after how many milliseconds a key expires.", Complexity: "O(1)",
			History: []Change{{"7.0.0", "Conditions `NX`, `XX`, `GT` and `LT`."}},
			Args: takes(
				keyArg("key", 0),
				integer("milliseconds"),
				oneOf("condition", word("NX"), word("XX"), word("GT"), word("LT")).since("7.0.0").optional(),
			),
		},
		CmdExpireAt: {
			Summary: "Sets at which second of Unix time a key expires.", Complexity: "O(1)",
			History: []Change{{"7.0.0", "Conditions `NX`, `XX`, `GT` and `LT`."}},
			Args: takes(
				keyArg("key", 0),
				unixTime("unix-time-seconds"),
				oneOf("condition", word("NX"), word("XX"), word("GT"), word("LT")).since("7.0.0").optional(),
			),
		},
		CmdPExpireAt: {
			Summary: "Sets at which millisecond of Unix time a key expires.", Complexity: "O(1)",
			History: []Change{{"7.0.0", "Conditions `NX`, `XX`, `GT` and `LT`."}},
			Args: takes(
				keyArg("key", 0),
				unixTime("unix-time-milliseconds"),
				oneOf("condition", word("NX"), word("XX"), word("GT"), word("LT")).since("7.0.0").optional(),
			),
		},
		CmdTTL: {
			Summary: "Tells in how many seconds a key expires.", Complexity: "O(1)",
			History: []Change{{"2.8.0", "-2 for a key that is not there."}},
			Args:    takes(keyArg("key", 0)),
		},
		CmdPTTL: {
			Summary: "Tells in how many milliseconds a key expires.", Complexity: "O(1)",
			History: []Change{{"2.8.0", "-2 for a key that is not there."}},
			Args:    takes(keyArg("key", 0)),
		},
		CmdExpireTime: {
			Summary: "Tells at which second of Unix time a key expires.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0)),
		},
		CmdPExpireTime: {
			Summary: "Tells at which millisecond of Unix time a key expires.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0)),
		},
		CmdPersist: {
			Summary: "Makes a key never expire.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0)),
		},
		CmdRename: {
			Summary: "Gives a key another name; what had that name is lost.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0), keyArg("newkey", 1)),
		},
		CmdRenameNX: {
			Summary: "Gives a key another name if that name is free.", Complexity: "O(1)",
			History: []Change{{"3.2.0", "Both names may be the same."}},
			Args:    takes(keyArg("key", 0), keyArg("newkey", 1)),
		},
		CmdCopy: {
			Summary: "Copies a key's value and expiry to another key.", Complexity: "O(1) for a string, else O(N) in the number of elements",
			Args: takes(
				keyArg("source", 0),
				keyArg("destination", 1),
				integer("destination-db").token("DB").optional(),
				word("REPLACE").optional(),
			),
		},
		CmdMove: {
			Summary: "Moves a key to another database.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0), integer("db")),
		},
		CmdDump: {
			Summary: "Writes a value as bytes that RESTORE reads.", Complexity: "O(N) in the bytes of the value",
			Args: takes(keyArg("key", 0)),
		},
		CmdRestore: {
			Summary: "Makes a key of the bytes that DUMP wrote.", Complexity: "O(N) in the bytes of the value, O(N*log(N)) for a sorted set",
			History: []Change{{"3.0.0", "Option `REPLACE`."}, {"5.0.0", "Option `ABSTTL`."}, {"5.0.0", "Options `IDLETIME` and `FREQ`."}},
			Args: takes(
				keyArg("key", 0),
				integer("ttl"),
				text("serialized-value"),
				word("REPLACE").since("3.0.0").optional(),
				word("ABSTTL").since("5.0.0").optional(),
				integer("seconds").token("IDLETIME").since("5.0.0").optional(),
				integer("frequency").token("FREQ").since("5.0.0").optional(),
			),
		},
		CmdType: {
			Summary: "Tells the type of a key's value.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0)),
		},
		CmdKeys: {
			Summary: "Lists all keys that match a pattern.", Complexity: "O(N) in the number of keys of the database, for names and patterns of bounded length",
			Args: takes(pattern()),
		},
		CmdScan: {
			Summary: "Walks over the keys in steps.", Complexity: "O(1) a call; O(N) in the number of keys for a complete walk",
			History: []Change{{"6.0.0", "Option `TYPE`."}},
			Args: takes(
				integer("cursor"),
				pattern().token("MATCH").optional(),
				integer("count").token("COUNT").optional(),
				text("type").token("TYPE").since("6.0.0").optional(),
			),
		},
		CmdRandomKey: {Summary: "Picks any key.", Complexity: "O(1)"},
		CmdObject:    {Summary: "Commands that look into how a value is stored.", Complexity: "that of the subcommand"},
		CmdObjectEncoding: {
			Summary: "Tells how a value is stored.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0)),
		},
		CmdObjectFreq: {
			Summary: "Tells how often a key is used, on a logarithmic scale.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0)),
		},
		CmdObjectIdleTime: {
			Summary: "Tells for how many seconds a key was not used.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0)),
		},
		CmdObjectRefCount: {
			Summary: "Tells how many references a value has.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0)),
		},
		CmdObjectHelp: {Summary: "Lists the subcommands.", Complexity: "O(1)"},
		CmdWait: {
			Summary: "Waits until so many replicas have what the connection wrote.", Complexity: "O(1)",
			Args: takes(integer("numreplicas"), integer("timeout")),
		},
		CmdWaitAOF: {
			Summary: "Waits until so many append-only files have what the connection wrote.", Complexity: "O(1)",
			Args: takes(integer("numlocal"), integer("numreplicas"), integer("timeout")),
		},
	}
}
