package command

func hashDocs() map[ID]Doc {
	docs := fieldExpiryDocs()
	for id, d := range plainHashDocs() {
		docs[id] = d
	}
	return docs
}

func plainHashDocs() map[ID]Doc {
	key, field, value := keyArg("key", 0), text("field"), text("value")
	whole := "O(N) in the number of fields of the hash"
	return map[ID]Doc{
		CmdHSet: {
			Summary: "Sets fields of a hash and tells how many of them are new.", Complexity: "O(1) for each field",
			History: []Change{{"4.0.0", "Several fields at once."}},
			Args:    takes(key, block("field_value", field, value).multiple()),
		},
		CmdHMSet: {
			Summary: "Sets fields of a hash.", Complexity: "O(N) in the number of fields given", DeprecatedSince: "4.0.0", ReplacedBy: "`HSET` with several fields",
			Args: takes(key, block("field_value", field, value).multiple()),
		},
		CmdHSetNX: {
			Summary: "Sets a field of a hash if there is no such field.", Complexity: "O(1)",
			Args: takes(key, field, value),
		},
		CmdHGet: {
			Summary: "Reads a field of a hash.", Complexity: "O(1)",
			Args: takes(key, field),
		},
		CmdHMGet: {
			Summary: "Reads several fields of a hash.", Complexity: "O(N) in the number of fields given",
			Args: takes(key, field.multiple()),
		},
		CmdHGetAll: {
			Summary: "Reads all fields of a hash with their values.", Complexity: whole,
			Args: takes(key),
		},
		CmdHKeys: {
			Summary: "Reads the names of all fields of a hash.", Complexity: whole,
			Args: takes(key),
		},
		CmdHVals: {
			Summary: "Reads the values of all fields of a hash.", Complexity: whole,
			Args: takes(key),
		},
		CmdHLen: {
			Summary: "Counts the fields of a hash.", Complexity: "O(1)",
			Args: takes(key),
		},
		CmdHStrLen: {
			Summary: "Tells the length of a field's value in bytes.", Complexity: "O(1)",
			Args: takes(key, field),
		},
		CmdHExists: {
			Summary: "Tells whether a hash has a field.", Complexity: "O(1)",
			Args: takes(key, field),
		},
		CmdHDel: {
			Summary: "Takes fields out of a hash; one without fields is deleted.", Complexity: "O(N) in the number of fields given",
			History: []Change{{"2.4.0", "Several fields at once."}},
			Args:    takes(key, field.multiple()),
		},
		CmdHIncrBy: {
			Summary: "Adds to the whole number in a field.", Complexity: "O(1)",
			Args: takes(key, field, integer("increment")),
		},
		CmdHIncrByFloat: {
			Summary: "Adds to the number with a fraction in a field.", Complexity: "O(1)",
			Args: takes(key, field, double("increment")),
		},
		CmdHRandField: {
			Summary: "Reads fields of a hash by chance.", Complexity: "O(N) in the number of fields answered",
			Args: takes(key, block("options", integer("count"), word("WITHVALUES").optional()).optional()),
		},
		CmdHScan: {
			Summary: "Reads a hash piece by piece.", Complexity: "O(1) a call, O(N) in the number of fields for all calls together",
			Args: takes(key, integer("cursor"), pattern().token("MATCH").optional(), integer("count").token("COUNT").optional()),
		},
	}
}

// fieldExpiryDocs are those of the commands on fields that expire.
func fieldExpiryDocs() map[ID]Doc {
	key, each := keyArg("key", 0), "O(N) in the number of fields given"
	fields := block("fields", integer("numfields"), text("field").multiple()).token("FIELDS")
	pairs := block("fields", integer("numfields"), block("data", text("field"), text("value")).multiple()).token("FIELDS")
	condition := oneOf("condition", word("NX"), word("XX"), word("GT"), word("LT")).optional()
	expiration := func(last string) Arg {
		return oneOf("expiration",
			integer("seconds").token("EX"), integer("milliseconds").token("PX"),
			unixTime("unix-time-seconds").token("EXAT"), unixTime("unix-time-milliseconds").token("PXAT"), word(last),
		).optional()
	}
	return map[ID]Doc{
		CmdHExpire: {
			Summary: "Has fields of a hash expire after some seconds.", Complexity: each,
			Args: takes(key, integer("seconds"), condition, fields),
		},
		CmdHPExpire: {
			Summary: "Has fields of a hash expire after some milliseconds.", Complexity: each,
			Args: takes(key, integer("milliseconds"), condition, fields),
		},
		CmdHExpireAt: {
			Summary: "Has fields of a hash expire at a time in seconds since 1970.", Complexity: each,
			Args: takes(key, unixTime("unix-time-seconds"), condition, fields),
		},
		CmdHPExpireAt: {
			Summary: "Has fields of a hash expire at a time in milliseconds since 1970.", Complexity: each,
			Args: takes(key, unixTime("unix-time-milliseconds"), condition, fields),
		},
		CmdHExpireTime: {
			Summary: "Tells when fields of a hash expire, in seconds since 1970.", Complexity: each,
			Args: takes(key, fields),
		},
		CmdHPExpireTime: {
			Summary: "Tells when fields of a hash expire, in milliseconds since 1970.", Complexity: each,
			Args: takes(key, fields),
		},
		CmdHTTL: {
			Summary: "Tells in how many seconds fields of a hash expire.", Complexity: each,
			Args: takes(key, fields),
		},
		CmdHPTTL: {
			Summary: "Tells in how many milliseconds fields of a hash expire.", Complexity: each,
			Args: takes(key, fields),
		},
		CmdHPersist: {
			Summary: "Has fields of a hash expire no more.", Complexity: each,
			Args: takes(key, fields),
		},
		CmdHGetEx: {
			Summary: "Reads fields of a hash and changes when they expire.", Complexity: each,
			Args: takes(key, expiration("PERSIST"), fields),
		},
		CmdHSetEx: {
			Summary: "Sets fields of a hash, with conditions and an expiry if wanted.", Complexity: each,
			Args: takes(key,
				oneOf("key-condition", word("NX"), word("XX")).optional(),
				oneOf("field-condition", word("FNX"), word("FXX")).optional(),
				expiration("KEEPTTL"), pairs),
		},
		CmdHGetDel: {
			Summary: "Reads fields of a hash and takes them out of it.", Complexity: each,
			Args: takes(key, fields),
		},
	}
}
