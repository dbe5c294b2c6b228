package command

func scriptingRows() []Row {
	const run = NoScript | Stale | SkipMonitor | NoMandatoryKeys | MovableKeys
	const rw, ro = KeyRW | KeyAccess | KeyUpdate, KeyRO | KeyAccess
	const unknown = "what a script does with its keys is not known: the worst is assumed"
	all, nodes := tips(tipRequestAllShards, tipResponseAllSucceeded), tips(tipRequestAllNodes, tipResponseAllSucceeded)
	rows := []Row{
		{ID: CmdEval, Name: "eval", Arity: -3, Flags: run | MayReplicate, KeySpecs: keys(noted(keysCounted(2, rw), unknown)), Since: "2.6.0"},
		{ID: CmdEvalSHA, Name: "evalsha", Arity: -3, Flags: run | MayReplicate, KeySpecs: keys(keysCounted(2, rw)), Since: "2.6.0"},
		{ID: CmdEvalRO, Name: "eval_ro", Arity: -3, Flags: run | ReadOnly, KeySpecs: keys(noted(keysCounted(2, ro), unknown)), Since: "7.0.0"},
		{ID: CmdEvalSHARO, Name: "evalsha_ro", Arity: -3, Flags: run | ReadOnly, KeySpecs: keys(keysCounted(2, ro)), Since: "7.0.0"},
		{ID: CmdFCall, Name: "fcall", Arity: -3, Flags: run | MayReplicate, KeySpecs: keys(noted(keysCounted(2, rw), unknown)), Since: "7.0.0"},
		{ID: CmdFCallRO, Name: "fcall_ro", Arity: -3, Flags: run | ReadOnly, KeySpecs: keys(noted(keysCounted(2, ro), unknown)), Since: "7.0.0"},

		{ID: CmdScriptDebug, Name: "script|debug", Parent: CmdScript, Arity: 3, Flags: NoScript, Since: "3.2.0"},
		{ID: CmdScriptExists, Name: "script|exists", Parent: CmdScript, Arity: -3, Flags: NoScript, Tips: tips(tipRequestAllShards, tipResponseLogicalAnd), Since: "2.6.0"},
		{ID: CmdScriptFlush, Name: "script|flush", Parent: CmdScript, Arity: -2, Flags: NoScript, Tips: nodes, Since: "2.6.0"},
		{ID: CmdScriptKill, Name: "script|kill", Parent: CmdScript, Arity: 2, Flags: NoScript | AllowBusy, Tips: tips(tipRequestAllShards, tipResponseOneSucceeded), Since: "2.6.0"},
		{ID: CmdScriptLoad, Name: "script|load", Parent: CmdScript, Arity: 3, Flags: NoScript | Stale, Tips: nodes, Since: "2.6.0"},
		{ID: CmdScriptHelp, Name: "script|help", Parent: CmdScript, Arity: 2, Flags: Loading | Stale, Since: "5.0.0"},

		{ID: CmdFunctionDelete, Name: "function|delete", Parent: CmdFunction, Arity: 3, Flags: Write | NoScript, Tips: all, Since: "7.0.0"},
		{ID: CmdFunctionDump, Name: "function|dump", Parent: CmdFunction, Arity: 2, Flags: NoScript, Since: "7.0.0"},
		{ID: CmdFunctionFlush, Name: "function|flush", Parent: CmdFunction, Arity: -2, Flags: Write | NoScript, Tips: all, Since: "7.0.0"},
		{ID: CmdFunctionKill, Name: "function|kill", Parent: CmdFunction, Arity: 2, Flags: NoScript | AllowBusy, Tips: tips(tipRequestAllShards, tipResponseOneSucceeded), Since: "7.0.0"},
		{ID: CmdFunctionList, Name: "function|list", Parent: CmdFunction, Arity: -2, Flags: NoScript, Tips: tips(tipAnyOrder), Since: "7.0.0"},
		{ID: CmdFunctionLoad, Name: "function|load", Parent: CmdFunction, Arity: -3, Flags: Write | DenyOOM | NoScript, Tips: all, Since: "7.0.0"},
		{ID: CmdFunctionRestore, Name: "function|restore", Parent: CmdFunction, Arity: -3, Flags: Write | DenyOOM | NoScript, Tips: all, Since: "7.0.0"},
		{ID: CmdFunctionStats, Name: "function|stats", Parent: CmdFunction, Arity: 2, Flags: NoScript | AllowBusy, Tips: tips(tipNondeterministic, tipRequestAllShards, tipResponseSpecial), Since: "7.0.0"},
		{ID: CmdFunctionHelp, Name: "function|help", Parent: CmdFunction, Arity: 2, Flags: Loading | Stale, Since: "7.0.0"},
	}
	for i := range rows {
		rows[i].Categories = CatScripting
		switch rows[i].ID {
		case CmdEval, CmdEvalSHA, CmdEvalRO, CmdEvalSHARO, CmdFCall, CmdFCallRO: // by their keys, which may be several slots' of one shard
		case CmdScriptDebug, CmdScriptHelp, CmdFunctionHelp:
			rows[i].Request = RequestLocal
		default:
			rows[i].Request = RequestSpecial
		}
	}
	return append(rows,
		Row{ID: CmdScript, Name: "script", Arity: -2, Request: RequestLocal, Since: "2.6.0"},
		Row{ID: CmdFunction, Name: "function", Arity: -2, Request: RequestLocal, Since: "7.0.0"})
}

func scriptingDocs() map[ID]Doc {
	called := func(name string) []Arg {
		return takes(text(name), integer("numkeys"), keyArg("key", 0).optional().multiple(), text("arg").optional().multiple())
	}
	mode := func(name string) Arg { return oneOf(name, word("ASYNC"), word("SYNC")).optional() }
	const script, function = "that of the script", "that of the function"
	return map[ID]Doc{
		CmdEval:      {Summary: "Runs a Lua script.", Complexity: script, Args: called("script")},
		CmdEvalSHA:   {Summary: "Runs a Lua script that the node has already, by its SHA1.", Complexity: script, Args: called("sha1")},
		CmdEvalRO:    {Summary: "Runs a Lua script that may only read.", Complexity: script, Args: called("script")},
		CmdEvalSHARO: {Summary: "Runs a Lua script that the node has already, by its SHA1, and that may only read.", Complexity: script, Args: called("sha1")},
		CmdFCall:     {Summary: "Calls a function of a library.", Complexity: function, Args: called("function")},
		CmdFCallRO:   {Summary: "Calls a function of a library that only reads.", Complexity: function, Args: called("function")},

		CmdScript:       {Summary: "Commands about Lua scripts.", Complexity: "that of the subcommand"},
		CmdScriptDebug:  {Summary: "Sets how scripts are debugged.", Complexity: "O(1)", Args: takes(oneOf("mode", word("YES"), word("SYNC"), word("NO")))},
		CmdScriptExists: {Summary: "Tells which scripts the node has.", Complexity: "O(N) in the number of scripts named", Args: takes(text("sha1").multiple())},
		CmdScriptFlush: {
			Summary: "Forgets all scripts.", Complexity: "O(N) in the number of scripts", History: []Change{{"6.2.0", "`ASYNC` and `SYNC`."}},
			Args: takes(mode("async").since("6.2.0")),
		},
		CmdScriptKill: {Summary: "Ends the script that runs, if it has not written.", Complexity: "O(1)"},
		CmdScriptLoad: {Summary: "Keeps a script without running it.", Complexity: "O(N) in the length of the script", Args: takes(text("script"))},
		CmdScriptHelp: {Summary: "Lists the subcommands.", Complexity: "O(1)"},

		CmdFunction:       {Summary: "Commands about libraries of functions.", Complexity: "that of the subcommand"},
		CmdFunctionDelete: {Summary: "Deletes a library and its functions.", Complexity: "O(1)", Args: takes(text("library-name"))},
		CmdFunctionDump:   {Summary: "Answers all libraries in one text, for `FUNCTION RESTORE`.", Complexity: "O(N) in the number of functions"},
		CmdFunctionFlush:  {Summary: "Deletes all libraries.", Complexity: "O(N) in the number of functions", Args: takes(mode("async"))},
		CmdFunctionKill:   {Summary: "Ends the function that runs, if it has not written.", Complexity: "O(1)"},
		CmdFunctionList: {
			Summary: "Lists libraries and their functions.", Complexity: "O(N) in the number of functions",
			Args: takes(text("library-name-pattern").token("LIBRARYNAME").optional(), word("WITHCODE").optional()),
		},
		CmdFunctionLoad: {
			Summary: "Makes a library.", Complexity: "O(N) in the length of the code",
			Args: takes(word("REPLACE").optional(), text("function-code")),
		},
		CmdFunctionRestore: {
			Summary: "Makes libraries of what `FUNCTION DUMP` has answered.", Complexity: "O(N) in the number of functions",
			Args: takes(text("serialized-value"), oneOf("policy", word("FLUSH"), word("APPEND"), word("REPLACE")).optional()),
		},
		CmdFunctionStats: {Summary: "Tells of the function that runs.", Complexity: "O(1)"},
		CmdFunctionHelp:  {Summary: "Lists the subcommands.", Complexity: "O(1)"},
	}
}
