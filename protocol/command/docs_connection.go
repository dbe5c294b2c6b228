package command

func connectionDocs() map[ID]Doc {
	return map[ID]Doc{
		CmdPing: {
			Summary: "Answers PONG, or the message if one is sent.", Complexity: "O(1)",
			Args: takes(text("message").optional()),
		},
		CmdEcho: {
			Summary: "Sends the message back.", Complexity: "O(1)",
			Args: takes(text("message")),
		},
		CmdHello: {
			Summary: "Starts a session: chooses the protocol version, may log in and name the connection.", Complexity: "O(1)",
			History: []Change{{"6.2.0", "The version may be left out: then nothing changes and the session is described."}},
			Args: takes(
				block("arguments",
					integer("protover"),
					block("username_password", text("username"), text("password")).token("AUTH").optional(),
					text("clientname").token("SETNAME").optional(),
				).optional(),
			),
		},
		CmdAuth: {
			Summary: "Logs in with a password, or with a user and a password.", Complexity: "O(N) in the number of passwords the user has",
			History: []Change{{"6.0.0", "A user can be named."}},
			Args:    takes(text("username").since("6.0.0").optional(), text("password")),
		},
		CmdSelect: {
			Summary: "Chooses the database that later commands of this connection use.", Complexity: "O(1)",
			Args: takes(integer("index")),
		},
		CmdQuit:       {Summary: "Closes the connection once earlier replies are sent.", Complexity: "O(1)"},
		CmdReset:      {Summary: "Puts the connection back into the state of a new one.", Complexity: "O(1)"},
		CmdClient:     {Summary: "Commands about client connections.", Complexity: "that of the subcommand"},
		CmdClientID:   {Summary: "Tells this connection's ID.", Complexity: "O(1)"},
		CmdClientInfo: {Summary: "Describes this connection in one line.", Complexity: "O(1)"},
		CmdClientList: {
			Summary: "Describes the connections, one a line.", Complexity: "O(N) in the number of clients",
			History: []Change{{"2.8.12", "Field `id`."}, {"5.0.0", "Filter `TYPE`."}, {"6.0.0", "Field `user`."}, {"6.2.0", "Fields `argv-mem`, `tot-mem`, `laddr` and `redir`; filter `ID`."}, {"7.0.0", "Fields `resp`, `multi-mem`, `rbs` and `rbp`."}, {"7.0.3", "Field `ssub`."}},
			Args: takes(
				oneOf("normal_master_replica_pubsub", word("NORMAL"), word("MASTER"), word("REPLICA"), word("PUBSUB")).token("TYPE").since("5.0.0").optional(),
				block("id", integer("client-id").multiple()).token("ID").since("6.2.0").optional(),
			),
		},
		CmdClientSetName: {
			Summary: "Gives this connection a name.", Complexity: "O(1)",
			Args: takes(text("connection-name")),
		},
		CmdClientGetName: {Summary: "Tells this connection's name.", Complexity: "O(1)"},
		CmdClientSetInfo: {
			Summary: "Records which client library uses this connection, and its version.", Complexity: "O(1)",
			Args: takes(oneOf("attr", text("libname").token("LIB-NAME"), text("libver").token("LIB-VER"))),
		},
		CmdClientNoEvict: {
			Summary: "Spares this connection when clients are closed to free memory.", Complexity: "O(1)",
			Args: takes(oneOf("enabled", word("ON"), word("OFF"))),
		},
		CmdClientNoTouch: {
			Summary: "Keeps this connection's reads from changing keys' access times.", Complexity: "O(1)",
			Args: takes(oneOf("enabled", word("ON"), word("OFF"))),
		},
		CmdClientReply: {
			Summary: "Turns replies to this connection on or off, or skips the next one.", Complexity: "O(1)",
			Args: takes(oneOf("on_off_skip", word("ON"), word("OFF"), word("SKIP"))),
		},
		CmdClientKill: {
			Summary: "Closes connections, by address or by filters.", Complexity: "O(N) in the number of clients",
			History: []Change{{"2.8.12", "Filters besides the address."}, {"2.8.12", "Filter `ID`."}, {"3.2.0", "`TYPE` knows `master`."}, {"5.0.0", "`TYPE` knows `replica`; `slave` still works."}, {"6.2.0", "Filter `LADDR`."}},
			Args: takes(
				oneOf("filter",
					text("ip:port").deprecated("2.8.12"),
					oneOf("new-format",
						integer("client-id").token("ID").since("2.8.12").optional(),
						oneOf("normal_master_slave_pubsub",
							word("NORMAL"),
							word("MASTER").since("3.2.0"),
							word("SLAVE"),
							word("REPLICA").since("5.0.0"),
							word("PUBSUB"),
						).token("TYPE").since("2.8.12").optional(),
						text("username").token("USER").optional(),
						text("ip:port").token("ADDR").optional(),
						text("ip:port").token("LADDR").since("6.2.0").optional(),
						text("yes/no").token("SKIPME").optional(),
					).multiple(),
				),
			),
		},
		CmdClientPause: {
			Summary: "Holds back all commands, or those that write, for some milliseconds.", Complexity: "O(1)",
			History: []Change{{"6.2.0", "A pause of writes only, and with it the mode."}},
			Args:    takes(integer("timeout"), oneOf("mode", word("WRITE"), word("ALL")).since("6.2.0").optional()),
		},
		CmdClientUnpause: {Summary: "Ends a pause of clients.", Complexity: "O(N) in the number of paused clients"},
		CmdClientUnblock: {
			Summary: "Ends the waiting of another client that waits for keys.", Complexity: "O(log N) in the number of client connections",
			Args: takes(integer("client-id"), oneOf("timeout_error", word("TIMEOUT"), word("ERROR")).optional()),
		},
		CmdClientTracking: {
			Summary: "Tells the client when keys that it caches change, or no more.", Complexity: "O(1)",
			Args: takes(
				oneOf("status", word("ON"), word("OFF")),
				integer("client-id").token("REDIRECT").optional(),
				text("prefix").token("PREFIX").optional().multiple().eachWithToken(),
				word("BCAST").optional(), word("OPTIN").optional(), word("OPTOUT").optional(), word("NOLOOP").optional(),
			),
		},
		CmdClientCaching: {
			Summary: "Says whether the next command's keys are cached.", Complexity: "O(1)",
			Args: takes(oneOf("mode", word("YES"), word("NO"))),
		},
		CmdClientGetRedir:     {Summary: "Tells which client is told of changed keys instead of this one.", Complexity: "O(1)"},
		CmdClientTrackingInfo: {Summary: "Tells how this client tracks keys.", Complexity: "O(1)"},
		CmdClientHelp:         {Summary: "Lists the subcommands.", Complexity: "O(1)"},
	}
}
