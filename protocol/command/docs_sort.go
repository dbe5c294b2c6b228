package command

func sortDocs() map[ID]Doc {
	const effort = "O(N+M*log(M)), N the elements, M those that are given"
	by := pattern()
	by.KeySpec = 1
	args := takes(
		keyArg("key", 0),
		by.token("BY").optional(),
		block("offset_count", integer("offset"), integer("count")).token("LIMIT").optional(),
		by.token("GET").optional().multiple().eachWithToken(),
		oneOf("order", word("ASC"), word("DESC")).optional(),
		Arg{Name: "sorting", Type: "pure-token", Token: "ALPHA"}.optional(),
	)
	return map[ID]Doc{
		CmdSort: {
			Summary: "Gives the elements of a list, a set or a sorted set in order, or keeps them in a list.", Complexity: effort,
			Args: append(args[:len(args):len(args)], keyArg("destination", 2).token("STORE").optional()),
		},
		CmdSortRO: {Summary: "Gives the elements of a list, a set or a sorted set in order.", Complexity: effort, Args: args},
	}
}
