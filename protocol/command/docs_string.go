package command

func stringDocs() map[ID]Doc {
	return map[ID]Doc{
		CmdGet: {
			Summary: "Reads a string.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0)),
		},
		CmdSet: {
			Summary: "Stores a string, with conditions and an expiry if wanted.", Complexity: "O(1)",
			History: []Change{{"2.6.12", "Options `EX`, `PX`, `NX` and `XX`."}, {"6.0.0", "Option `KEEPTTL`."}, {"6.2.0", "Options `GET`, `EXAT` and `PXAT`."}, {"7.0.0", "`NX` and `GET` go together."}},
			Args: takes(
				keyArg("key", 0),
				text("value"),
				oneOf("condition", word("NX"), word("XX")).since("2.6.12").optional(),
				word("GET").since("6.2.0").optional(),
				oneOf("expiration",
					integer("seconds").token("EX").since("2.6.12"),
					integer("milliseconds").token("PX").since("2.6.12"),
					unixTime("unix-time-seconds").token("EXAT").since("6.2.0"),
					unixTime("unix-time-milliseconds").token("PXAT").since("6.2.0"),
					word("KEEPTTL").since("6.0.0"),
				).optional(),
			),
		},
		CmdSetNX: {
			Summary: "Stores a string if there is no such key.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0), text("value")),
		},
		CmdSetEx: {
			Summary: "Stores a string that expires after some seconds.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0), integer("seconds"), text("value")),
		},
		CmdPSetEx: {
			Summary: "Stores a string that expires after some milliseconds.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0), integer("milliseconds"), text("value")),
		},
		CmdGetSet: {
			Summary: "Stores a string and answers the one before.", Complexity: "O(1)", DeprecatedSince: "6.2.0", ReplacedBy: "`SET` with `GET`",
			Args: takes(keyArg("key", 0), text("value")),
		},
		CmdGetEx: {
			Summary: "Reads a string and changes when it expires.", Complexity: "O(1)",
			Args: takes(
				keyArg("key", 0),
				oneOf("expiration",
					integer("seconds").token("EX"),
					integer("milliseconds").token("PX"),
					unixTime("unix-time-seconds").token("EXAT"),
					unixTime("unix-time-milliseconds").token("PXAT"),
					word("PERSIST"),
				).optional(),
			),
		},
		CmdGetDel: {
			Summary: "Reads a string and deletes its key.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0)),
		},
		CmdMGet: {
			Summary: "Reads several strings.", Complexity: "O(N) in the number of keys",
			Args: takes(keyArg("key", 0).multiple()),
		},
		CmdMSet: {
			Summary: "Stores several strings.", Complexity: "O(N) in the number of keys",
			Args: takes(block("key_value", keyArg("key", 0), text("value")).multiple()),
		},
		CmdMSetNX: {
			Summary: "Stores several strings if none of the keys exists.", Complexity: "O(N) in the number of keys",
			Args: takes(block("key_value", keyArg("key", 0), text("value")).multiple()),
		},
		CmdAppend: {
			Summary: "Puts text at the end of a string.", Complexity: "O(1) amortized for short text: the room of a string grows by doubling",
			Args: takes(keyArg("key", 0), text("value")),
		},
		CmdStrLen: {
			Summary: "Tells the length of a string in bytes.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0)),
		},
		CmdGetRange: {
			Summary: "Reads a part of a string.", Complexity: "O(N) in the length of the part",
			Args: takes(keyArg("key", 0), integer("start"), integer("end")),
		},
		CmdSubstr: {
			Summary: "Reads a part of a string.", Complexity: "O(N) in the length of the part", DeprecatedSince: "2.0.0", ReplacedBy: "`GETRANGE`",
			Args: takes(keyArg("key", 0), integer("start"), integer("end")),
		},
		CmdSetRange: {
			Summary: "Overwrites a part of a string.", Complexity: "O(N) in the length of the new part",
			Args: takes(keyArg("key", 0), integer("offset"), text("value")),
		},
		CmdIncr: {
			Summary: "Adds one to a number.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0)),
		},
		CmdDecr: {
			Summary: "Takes one from a number.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0)),
		},
		CmdIncrBy: {
			Summary: "Adds to a number.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0), integer("increment")),
		},
		CmdDecrBy: {
			Summary: "Takes from a number.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0), integer("decrement")),
		},
		CmdIncrByFloat: {
			Summary: "Adds to a number with a fraction.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0), double("increment")),
		},
		CmdLCS: {
			Summary: "Finds the longest common subsequence of two strings.", Complexity: "O(N*M) in the lengths of the strings",
			Args: takes(
				keyArg("key1", 0),
				keyArg("key2", 0),
				word("LEN").optional(),
				word("IDX").optional(),
				integer("len").token("MINMATCHLEN").optional(),
				word("WITHMATCHLEN").optional(),
			),
		},
	}
}
