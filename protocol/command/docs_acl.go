package command

func aclDocs() map[ID]Doc {
	return map[ID]Doc{
		CmdACL:        {Summary: "Commands about users and what they may do.", Complexity: "that of the subcommand"},
		CmdACLCat:     {Summary: "Lists the categories, or the commands of one.", Complexity: "O(1)", Args: takes(text("categoryname").optional())},
		CmdACLDelUser: {Summary: "Deletes users and closes their connections.", Complexity: "O(N) in the number of users named", Args: takes(text("username").multiple())},
		CmdACLDryRun: {
			Summary: "Tells whether a user may run a command, without running it.", Complexity: "O(1)",
			Args: takes(text("username"), text("command"), text("arg").optional().multiple()),
		},
		CmdACLGenPass: {Summary: "Makes a password by chance.", Complexity: "O(1)", Args: takes(integer("bits").optional())},
		CmdACLGetUser: {
			Summary: "Describes one user's rules.", Complexity: "O(N) in the number of the user's rules",
			History: []Change{{"6.2.0", "Channels."}, {"7.0.0", "Selectors; keys and channels as rules instead of lists."}},
			Args:    takes(text("username")),
		},
		CmdACLList: {Summary: "Lists all users as a file of rules would.", Complexity: "O(N) in the number of users"},
		CmdACLLoad: {Summary: "Reads the users from their file again.", Complexity: "O(N) in the number of users"},
		CmdACLLog: {
			Summary: "Lists what was refused lately, or forgets it.", Complexity: "O(N) in the number of entries",
			Args: takes(oneOf("operation", integer("count"), word("RESET")).optional()),
		},
		CmdACLSave: {Summary: "Writes the users to their file.", Complexity: "O(N) in the number of users"},
		CmdACLSetUser: {
			Summary: "Makes a user, or changes its rules.", Complexity: "O(N) in the number of rules",
			History: []Change{{"6.2.0", "Channels."}, {"7.0.0", "Selectors, and keys to read or to write only."}},
			Args:    takes(text("username"), text("rule").optional().multiple()),
		},
		CmdACLUsers:  {Summary: "Lists the users' names.", Complexity: "O(N) in the number of users"},
		CmdACLWhoAmI: {Summary: "Tells the connection's user.", Complexity: "O(1)"},
		CmdACLHelp:   {Summary: "Lists the subcommands.", Complexity: "O(1)"},
	}
}
