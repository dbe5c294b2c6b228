package command

func serverDocs() map[ID]Doc {
	return map[ID]Doc{
		CmdCommand:      {Summary: "Describes every command.", Complexity: "O(N) in the number of commands"},
		CmdCommandCount: {Summary: "Counts the commands.", Complexity: "O(1)"},
		CmdCommandDocs: {
			Summary: "Documents the commands named, or all.", Complexity: "O(N) in the number of commands asked for",
			Args: takes(text("command-name").optional().multiple()),
		},
		CmdCommandGetKeys:         {Summary: "Tells which arguments of a complete command are keys.", Complexity: "O(N) in the number of arguments"},
		CmdCommandGetKeysAndFlags: {Summary: "Tells which arguments of a complete command are keys, and what it does to them.", Complexity: "O(N) in the number of arguments"},
		CmdCommandHelp:            {Summary: "Lists the subcommands.", Complexity: "O(1)"},
		CmdCommandInfo: {
			Summary: "Describes the commands named, or all.", Complexity: "O(N) in the number of commands asked for",
			History: []Change{{"7.0.0", "Without names it describes all commands."}},
			Args:    takes(text("command-name").optional().multiple()),
		},
		CmdCommandList: {
			Summary: "Names the commands, all or those that pass a filter.", Complexity: "O(N) in the number of commands",
			Args: takes(
				oneOf("filterby",
					text("module-name").token("MODULE"),
					text("category").token("ACLCAT"),
					pattern().token("PATTERN"),
				).token("FILTERBY").optional(),
			),
		},
		CmdInfo: {
			Summary: "Reports the server's state and counters by section.", Complexity: "O(1)",
			History: []Change{{"7.0.0", "Several sections at once."}},
			Args:    takes(text("section").optional().multiple()),
		},
		CmdConfig: {Summary: "Commands about settings.", Complexity: "that of the subcommand"},
		CmdConfigGet: {
			Summary: "Reads the settings whose names match.", Complexity: "O(N) in the number of patterns",
			History: []Change{{"7.0.0", "Several patterns at once."}},
			Args:    takes(block("parameter", text("parameter")).multiple()),
		},
		CmdConfigSet: {
			Summary: "Changes settings while the server runs.", Complexity: "O(N) in the number of settings",
			History: []Change{{"7.0.0", "Several settings at once."}},
			Args:    takes(block("parameter_value", text("parameter"), text("value")).multiple()),
		},
		CmdConfigResetStat: {Summary: "Sets the counters of INFO back to zero.", Complexity: "O(1)"},
		CmdConfigRewrite:   {Summary: "Writes the settings to the file that the server was started with.", Complexity: "O(1)"},
		CmdConfigHelp:      {Summary: "Lists the subcommands.", Complexity: "O(1)"},
		CmdReplicaOf:       {Summary: "Has the server follow a primary, or follow nobody.", Complexity: "O(1)", Args: replicaOfArgs()},
		CmdSlaveOf: {
			Summary: "The older name of REPLICAOF.", Complexity: "O(1)", DeprecatedSince: "5.0.0", ReplacedBy: "`REPLICAOF`",
			Args: replicaOfArgs(),
		},
		CmdTime: {Summary: "Tells the server's clock in seconds and microseconds.", Complexity: "O(1)"},
	}
}

// replicaOfArgs are those of REPLICAOF and of its older name.
func replicaOfArgs() []Arg {
	return takes(oneOf("args", block("host-port", text("host"), integer("port")), block("no-one", word("NO"), word("ONE"))))
}

func databaseDocs() map[ID]Doc {
	return map[ID]Doc{
		CmdDBSize: {Summary: "Counts the keys of the chosen database.", Complexity: "O(1)"},
		CmdFlushAll: {
			Summary: "Deletes every key of every database.", Complexity: "O(N) in the number of keys",
			History: []Change{{"4.0.0", "Option `ASYNC`."}, {"6.2.0", "Option `SYNC`."}},
			Args:    takes(oneOf("async", word("ASYNC").since("4.0.0"), word("SYNC").since("6.2.0")).optional()),
		},
		CmdFlushDB: {
			Summary: "Deletes every key of the chosen database.", Complexity: "O(N) in the number of keys of the database",
			History: []Change{{"4.0.0", "Option `ASYNC`."}, {"6.2.0", "Option `SYNC`."}},
			Args:    takes(oneOf("async", word("ASYNC").since("4.0.0"), word("SYNC").since("6.2.0")).optional()),
		},
		CmdSwapDB: {
			Summary: "Has two databases change places.", Complexity: "O(N) in the number of clients that watch or wait for their keys, and the memory they take",
			Args: takes(integer("index1"), integer("index2")),
		},
	}
}

func memoryDocs() map[ID]Doc {
	return map[ID]Doc{
		CmdMemory:            {Summary: "Commands about memory.", Complexity: "that of the subcommand"},
		CmdMemoryDoctor:      {Summary: "Says in words what is wrong with the memory, if anything.", Complexity: "O(1)"},
		CmdMemoryMallocStats: {Summary: "Reports what the allocator holds, for people.", Complexity: "O(1)"},
		CmdMemoryPurge:       {Summary: "Gives memory that is free back to the system.", Complexity: "O(N) in the memory that is given back"},
		CmdMemoryStats:       {Summary: "Reports what takes memory.", Complexity: "O(1)"},
		CmdMemoryUsage: {
			Summary: "Tells how much memory a key takes.", Complexity: "O(N) in the number of samples",
			Args: takes(keyArg("key", 0), integer("count").token("SAMPLES").optional()),
		},
		CmdMemoryHelp: {Summary: "Lists the subcommands.", Complexity: "O(1)"},
	}
}
