package command

func replicationDocs() map[ID]Doc {
	return map[ID]Doc{
		CmdPSync: {
			Summary: "Asks a server for its stream of changes, from an offset on or behind a copy of all data.",
			Args:    takes(text("replicationid"), integer("offset")),
		},
		CmdSync:     {Summary: "Asks a server for a copy of all data and its stream of changes."},
		CmdReplConf: {Summary: "Tells a server about the replica that is to follow it, or how far it is.", Complexity: "O(1)", Internal: true},
		CmdFailover: {
			Summary: "Makes a replica the primary in this server's place.", Complexity: "O(1)",
			Args: takes(
				block("target", text("host"), integer("port"), word("FORCE").optional()).token("TO").optional(),
				word("ABORT").optional(), integer("milliseconds").token("TIMEOUT").optional(),
			),
		},
	}
}
