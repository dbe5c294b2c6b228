package command

// sign is an argument that is one character with a meaning.
func sign(name, token string) Arg { return Arg{Name: name, Type: "pure-token", Token: token} }

// trimArg is how XADD and XTRIM are told to trim.
func trimArg() Arg {
	return block("trim",
		oneOf("strategy",
			word("MAXLEN"),
			word("MINID").since("6.2.0"),
		),
		oneOf("operator",
			sign("equal", "="),
			sign("approximately", "~"),
		).optional(),
		text("threshold"),
		integer("count").token("LIMIT").since("6.2.0").optional(),
	)
}

func streamDocs() map[ID]Doc {
	return map[ID]Doc{
		CmdXAdd: {
			Summary: "Puts an entry at the end of a stream.", Complexity: "O(1); with trimming O(N) in the number of entries taken away",
			History: []Change{{"6.2.0", "Options `NOMKSTREAM`, `MINID` and `LIMIT`."}, {"7.0.0", "IDs of the form `<ms>-*`."}},
			Args: takes(
				keyArg("key", 0),
				word("NOMKSTREAM").since("6.2.0").optional(),
				trimArg().optional(),
				oneOf("id_or_auto",
					sign("auto_id", "*"),
					text("id"),
				),
				block("field_value",
					text("field"),
					text("value"),
				).multiple(),
			),
		},
		CmdXLen: {
			Summary: "Counts the entries of a stream.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0)),
		},
		CmdXRange: {
			Summary: "Reads the entries between two IDs.", Complexity: "O(log(N)+M) in the number of entries and of those returned",
			History: []Change{{"6.2.0", "Borders that do not count themselves."}},
			Args: takes(
				keyArg("key", 0),
				text("start"),
				text("end"),
				integer("count").token("COUNT").optional(),
			),
		},
		CmdXRevRange: {
			Summary: "Reads the entries between two IDs, the last first.", Complexity: "O(log(N)+M) in the number of entries and of those returned",
			History: []Change{{"6.2.0", "Borders that do not count themselves."}},
			Args: takes(
				keyArg("key", 0),
				text("end"),
				text("start"),
				integer("count").token("COUNT").optional(),
			),
		},
		CmdXDel: {
			Summary: "Deletes entries from a stream and tells how many there were.", Complexity: "O(log(N)) for each ID",
			Args: takes(
				keyArg("key", 0),
				text("id").multiple(),
			),
		},
		CmdXTrim: {
			Summary: "Deletes the oldest entries of a stream, down to a length or an ID.", Complexity: "O(N) in the number of entries taken away",
			History: []Change{{"6.2.0", "Options `MINID` and `LIMIT`."}},
			Args:    takes(keyArg("key", 0), trimArg()),
		},
		CmdXSetID: {
			Summary: "Sets the last ID of a stream and its counters, as replication needs it.", Complexity: "O(1)",
			History: []Change{{"7.0.0", "Options `ENTRIESADDED` and `MAXDELETEDID`."}},
			Args: takes(
				keyArg("key", 0),
				text("last-id"),
				integer("entries_added").token("ENTRIESADDED").since("7.0.0").optional(),
				text("max_deleted_entry_id").token("MAXDELETEDID").since("7.0.0").optional(),
			),
		},
	}
}

func streamReadDocs() map[ID]Doc {
	return map[ID]Doc{
		CmdXRead: {
			Summary: "Reads what comes behind an ID in some streams, and waits for it if asked to.", Complexity: "O(log(N)+M) for each stream in the number of entries returned",
			Args: takes(
				integer("count").token("COUNT").optional(),
				integer("milliseconds").token("BLOCK").optional(),
				block("streams",
					keyArg("key", 0).multiple(),
					text("id").multiple(),
				).token("STREAMS"),
			),
		},
		CmdXReadGroup: {
			Summary: "Reads new entries for a consumer of a group, which has to acknowledge them, or those it has not acknowledged yet.", Complexity: "O(log(N)+M) for each stream in the number of entries returned",
			Args: takes(
				block("group_consumer",
					text("group"),
					text("consumer"),
				).token("GROUP"),
				integer("count").token("COUNT").optional(),
				integer("milliseconds").token("BLOCK").optional(),
				word("NOACK").optional(),
				block("streams",
					keyArg("key", 0).multiple(),
					text("id").multiple(),
				).token("STREAMS"),
			),
		},
		CmdXAck: {
			Summary: "Acknowledges entries: they are pending no longer.", Complexity: "O(log(N)) for each ID",
			Args: takes(
				keyArg("key", 0),
				text("group"),
				text("id").multiple(),
			),
		},
	}
}

func streamPendingDocs() map[ID]Doc {
	return map[ID]Doc{
		CmdXPending: {
			Summary: "Tells which entries of a group are not acknowledged.", Complexity: "O(log(N)+M) in the number of entries looked at; the summary O(N) in the number of consumers",
			History: []Change{{"6.2.0", "Option `IDLE` and borders that do not count themselves."}},
			Args: takes(
				keyArg("key", 0),
				text("group"),
				block("filters",
					integer("min-idle-time").token("IDLE").since("6.2.0").optional(),
					text("start"),
					text("end"),
					integer("count"),
					text("consumer").optional(),
				).optional(),
			),
		},
		CmdXClaim: {
			Summary: "Gives pending entries to another consumer.", Complexity: "O(log(N)) for each ID",
			Args: takes(
				keyArg("key", 0),
				text("group"),
				text("consumer"),
				text("min-idle-time"),
				text("id").multiple(),
				integer("ms").token("IDLE").optional(),
				unixTime("unix-time-milliseconds").token("TIME").optional(),
				integer("count").token("RETRYCOUNT").optional(),
				word("FORCE").optional(),
				word("JUSTID").optional(),
				text("id").token("LASTID").optional(),
			),
		},
		CmdXAutoClaim: {
			Summary: "Gives pending entries that have been idle for long to another consumer.", Complexity: "O(log(N)+M) in the number of entries looked at",
			History: []Change{{"7.0.0", "The reply names pending entries that were deleted, which are pending no longer."}},
			Args: takes(
				keyArg("key", 0),
				text("group"),
				text("consumer"),
				text("min-idle-time"),
				text("start"),
				integer("count").token("COUNT").optional(),
				word("JUSTID").optional(),
			),
		},
	}
}

func streamGroupDocs() map[ID]Doc {
	return map[ID]Doc{
		CmdXGroup: {
			Summary: "Manages the consumer groups of a stream.", Complexity: "Depends on the subcommand.",
		},
		CmdXGroupCreate: {
			Summary: "Makes a consumer group.", Complexity: "O(1)",
			History: []Change{{"7.0.0", "Option `ENTRIESREAD`."}},
			Args: takes(
				keyArg("key", 0),
				text("groupname"),
				oneOf("id",
					text("id"),
					sign("new_id", "$"),
				),
				word("MKSTREAM").optional(),
				integer("entries_read").token("ENTRIESREAD").optional(),
			),
		},
		CmdXGroupCreateConsumer: {
			Summary: "Makes a consumer of a group.", Complexity: "O(1)",
			Args: takes(
				keyArg("key", 0),
				text("groupname"),
				text("consumername"),
			),
		},
		CmdXGroupDelConsumer: {
			Summary: "Deletes a consumer with all that it has not acknowledged.", Complexity: "O(N) in the number of its pending entries",
			Args: takes(
				keyArg("key", 0),
				text("groupname"),
				text("consumername"),
			),
		},
		CmdXGroupDestroy: {
			Summary: "Deletes a consumer group.", Complexity: "O(N) in the number of its pending entries",
			Args: takes(
				keyArg("key", 0),
				text("groupname"),
			),
		},
		CmdXGroupHelp: {
			Summary: "Lists the subcommands.", Complexity: "O(1)",
		},
		CmdXGroupSetID: {
			Summary: "Sets from which ID on a group gets entries.", Complexity: "O(1)",
			History: []Change{{"7.0.0", "Option `ENTRIESREAD`."}},
			Args: takes(
				keyArg("key", 0),
				text("groupname"),
				oneOf("id",
					text("id"),
					sign("new_id", "$"),
				),
				integer("entries_read").token("ENTRIESREAD").optional(),
			),
		},
	}
}

func streamInfoDocs() map[ID]Doc {
	return map[ID]Doc{
		CmdXInfo: {
			Summary: "Tells of streams, groups and consumers.", Complexity: "Depends on the subcommand.",
		},
		CmdXInfoConsumers: {
			Summary: "Lists the consumers of a group.", Complexity: "O(N) in the number of consumers",
			Args: takes(
				keyArg("key", 0),
				text("groupname"),
			),
		},
		CmdXInfoGroups: {
			Summary: "Lists the groups of a stream.", Complexity: "O(N) in the number of groups",
			History: []Change{{"7.0.0", "Fields `entries-read` and `lag`."}},
			Args:    takes(keyArg("key", 0)),
		},
		CmdXInfoHelp: {
			Summary: "Lists the subcommands.", Complexity: "O(1)",
		},
		CmdXInfoStream: {
			Summary: "Tells of a stream.", Complexity: "O(N) in the number of blocks of entries",
			History: []Change{{"6.0.0", "Option `FULL`."}, {"7.0.0", "Fields `max-deleted-entry-id`, `entries-added`, `recorded-first-entry-id`, `entries-read` and `lag`."}},
			Args: takes(
				keyArg("key", 0),
				block("full",
					integer("count").token("COUNT").optional(),
				).token("FULL").optional(),
			),
		},
	}
}
