package command

func larderDocs() map[ID]Doc {
	return map[ID]Doc{
		CmdLarder: {Summary: "Commands between Larder's gateways and nodes.", Complexity: "that of the subcommand"},
		CmdLarderHello: {
			Summary: "Agrees on a version of the dialect and tells what the node is.", Complexity: "O(1)",
			Args: takes(integer("version")),
		},
		CmdLarderTerm: {
			Summary: "Says in which epoch, and in which term of the shard's record, the connection speaks from now on.", Complexity: "O(1)",
			Args: takes(integer("epoch"), integer("term").optional()),
		},
		CmdLarderAssign: {
			Summary: "Gives the node its shard and the topology.", Complexity: "O(1)",
			Args: takes(integer("shard"), text("topology")),
		},
		CmdLarderAs: {
			Summary: "Says whose the next command is, for those who are told of changes.", Complexity: "O(1)",
			Args: takes(text("client")),
		},
		CmdLarderEar: {
			Summary: "Makes the connection one over which a gateway hears what is published, and tells the last mark.", Complexity: "O(1)",
		},
		CmdLarderMark: {
			Summary: "Puts a mark behind what was published so far, for all gateways.", Complexity: "O(N) in the number of gateways' loops",
		},
		CmdLarderAfter: {
			Summary: "Says behind which mark of another node belongs what is published from now on.", Complexity: "O(N) in the number of gateways' loops",
			Args: takes(text("run"), integer("mark")),
		},
		CmdLarderPublishes: {
			Summary: "Tells whether the text of a script names PUBLISH.", Complexity: "O(1)",
			Args: takes(text("sha1")),
		},
		CmdLarderSlots: {
			Summary: "Says which slots' keys the connection's scripts may touch on a node that was assigned none.", Complexity: "O(N) in the number of slots",
			Args: takes(text("slots")),
		},
		CmdLarderScan: {
			Summary: "Walks over the keys in steps, up to a slot.", Complexity: "O(1) a call; O(N) in the number of keys for a complete walk",
			Args: takes(
				integer("to"),
				integer("cursor"),
				pattern().token("MATCH").optional(),
				integer("count").token("COUNT").optional(),
				text("type").token("TYPE").optional(),
			),
		},
		CmdLarderSubscribers: {
			Summary: "Says how many clients of a gateway stand behind what the connection is subscribed to.", Complexity: "O(N) in the number of channels and patterns named",
			Args: takes(block("count",
				oneOf("kind", word("CHANNEL"), word("PATTERN"), word("SHARD")),
				text("name"),
				integer("clients"),
			).multiple()),
		},
		CmdLarderUser: {
			Summary: "Says whose rights the lane's scripts have from now on; nobody's, without a name.", Complexity: "O(N) in the number of rules",
			Args: takes(text("username").optional(), text("rule").optional().multiple()),
		},
		CmdLarderHelp: {Summary: "Lists the subcommands.", Complexity: "O(1)"},
	}
}

// larderStreamDocs are of the words about how far a node and its replicas are.
func larderStreamDocs() map[ID]Doc {
	return map[ID]Doc{
		CmdLarderStamps: {
			Summary: "Has each write to the connection begin with how far the node is.", Complexity: "O(1)",
			Args: takes(text("on-or-off")),
		},
		CmdLarderLane: {
			Summary: "Has the requests that follow on the connection be numbered, under a name that no other connection ever has.", Complexity: "O(1)",
			Args: takes(text("id")),
		},
		CmdLarderEnded: {
			Summary: "Ends a numbered lane, and tells up to which number its requests have run.", Complexity: "O(1)",
			Args: takes(text("id")),
		},
		CmdLarderForget: {
			Summary: "Ends numbered lanes about which nobody will ask.", Complexity: "O(N) in the number of lanes",
			Args: takes(text("id").multiple()),
		},
		CmdLarderErrand: {
			Summary: "Begins work that takes long, for as long as the connection stands.", Complexity: "O(1)",
			Args: takes(text("kind"), text("order")),
		},
		CmdLarderGive: {
			Summary: "Gives the connection's errand a piece of what it needs, and tells how much it has taken.", Complexity: "O(N) in the bytes",
			Args: takes(text("piece")),
		},
		CmdLarderGiven: {
			Summary: "Says that the connection's errand was given all, or why it is given no more.", Complexity: "O(1)",
			Args: takes(text("why").optional()),
		},
		CmdLarderAsk: {Summary: "Tells how the connection's errand is.", Complexity: "O(1)"},
		CmdLarderAt: {
			Summary: "Says up to where of which stream the writes go whose replicas WAIT is to count next.", Complexity: "O(1)",
			Args: takes(text("history"), integer("offset")),
		},
		CmdLarderRecord: {
			Summary: "Shows the node a record of its shard, which it obeys if it is the newest it knows.", Complexity: "O(N) in the number of connections",
			Args: takes(text("record"), text("place").optional().multiple()),
		},
		CmdLarderPromise: {
			Summary: "Asks the node to follow no primary of an older record than that of an election.", Complexity: "O(N) in the number of connections",
			Args: takes(text("record"), text("run").token("EXITED").optional().multiple()),
		},
		CmdLarderState: {Summary: "Tells what the node is in its shard and how far it is.", Complexity: "O(N) in the number of replicas"},
		CmdLarderShared: {
			Summary: "Says up to which offset of a stream the node has what that stream says.", Complexity: "O(1)",
			Args: takes(text("history")),
		},
		CmdLarderWrote: {
			Summary: "Takes all that the node has written so far for the connection's, of which WAIT and WAITAOF tell.", Complexity: "O(1)",
		},
	}
}
