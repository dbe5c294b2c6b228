package command

func monitoringDocs() map[ID]Doc {
	return map[ID]Doc{
		CmdMonitor: {Summary: "Shows every command that the server runs."},
		CmdDebug:   {Summary: "Commands for those who test a server.", Complexity: "that of the subcommand", Internal: true},
		CmdSlowLog: {Summary: "Commands about the log of slow commands.", Complexity: "that of the subcommand"},
		CmdSlowLogGet: {
			Summary: "Shows the newest slow commands, 10 or as many as asked for; -1 for all.", Complexity: "O(N) in the number of entries shown",
			History: []Change{{"4.0.0", "The client's address and name."}},
			Args:    takes(integer("count").optional()),
		},
		CmdSlowLogLen:    {Summary: "Counts the entries of the log of slow commands.", Complexity: "O(1)"},
		CmdSlowLogReset:  {Summary: "Empties the log of slow commands.", Complexity: "O(N) in the number of entries"},
		CmdSlowLogHelp:   {Summary: "Lists the subcommands.", Complexity: "O(1)"},
		CmdLatency:       {Summary: "Commands about what made clients wait.", Complexity: "that of the subcommand"},
		CmdLatencyDoctor: {Summary: "Says in words what made clients wait, and what helps.", Complexity: "O(1)"},
		CmdLatencyGraph: {
			Summary: "Draws how long an event took each time.", Complexity: "O(1)",
			Args: takes(text("event")),
		},
		CmdLatencyHistogram: {
			Summary: "Counts how long commands took, by powers of two.", Complexity: "O(N) in the number of commands told of",
			Args: takes(text("command").optional().multiple()),
		},
		CmdLatencyHistory: {
			Summary: "Tells when an event happened and how long it took.", Complexity: "O(1)",
			Args: takes(text("event")),
		},
		CmdLatencyLatest: {Summary: "Tells of each event when it happened last, and how long it took then and at most.", Complexity: "O(1)"},
		CmdLatencyReset: {
			Summary: "Forgets the events named, or all.", Complexity: "O(1)",
			Args: takes(text("event").optional().multiple()),
		},
		CmdLatencyHelp: {Summary: "Lists the subcommands.", Complexity: "O(1)"},
		CmdRole:        {Summary: "Tells whether the server is a master or a replica, and of whom.", Complexity: "O(1)"},
		CmdLolwut: {
			Summary: "Draws something, and tells the version.",
			Args:    takes(integer("version").token("VERSION").optional()),
		},
	}
}
