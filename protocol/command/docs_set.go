package command

func setDocs() map[ID]Doc {
	docs := map[ID]Doc{
		CmdSAdd: {
			Summary: "Adds members to a set, made if need be.", Complexity: "O(1) a member",
			History: []Change{{"2.4.0", "Several members at once."}}, Args: takes(keyArg("key", 0), text("member").multiple()),
		},
		CmdSRem: {
			Summary: "Takes members out of a set.", Complexity: "O(1) a member",
			History: []Change{{"2.4.0", "Several members at once."}}, Args: takes(keyArg("key", 0), text("member").multiple()),
		},
		CmdSIsMember:  {Summary: "Tells whether a set has a member.", Complexity: "O(1)", Args: takes(keyArg("key", 0), text("member"))},
		CmdSMIsMember: {Summary: "Tells of each of several members whether a set has it.", Complexity: "O(1) a member", Args: takes(keyArg("key", 0), text("member").multiple())},
		CmdSCard:      {Summary: "Counts the members of a set.", Complexity: "O(1)", Args: takes(keyArg("key", 0))},
		CmdSMembers:   {Summary: "Gives all members of a set.", Complexity: "O(N) in the number of members", Args: takes(keyArg("key", 0))},
		CmdSPop: {
			Summary: "Takes members out of a set by chance and gives them.", Complexity: "O(1) a member",
			History: []Change{{"3.2.0", "A count."}}, Args: takes(keyArg("key", 0), integer("count").since("3.2.0").optional()),
		},
		CmdSRandMember: {
			Summary: "Gives members of a set by chance.", Complexity: "O(1) a member",
			History: []Change{{"2.6.0", "A count."}}, Args: takes(keyArg("key", 0), integer("count").since("2.6.0").optional()),
		},
		CmdSMove: {Summary: "Moves a member from one set to another.", Complexity: "O(1)", Args: takes(keyArg("source", 0), keyArg("destination", 1), text("member"))},
		CmdSInterCard: {
			Summary: "Counts what several sets have in common.", Complexity: "O(N*M), N the members of the smallest set, M the number of sets",
			Args: takes(integer("numkeys"), keyArg("key", 0).multiple(), integer("limit").token("LIMIT").optional()),
		},
		CmdSScan: {
			Summary: "Gives the members of a set in pieces.", Complexity: "O(1) a call, O(N) for all members",
			Args: takes(keyArg("key", 0), integer("cursor"), pattern().token("MATCH").optional(), integer("count").token("COUNT").optional()),
		},
	}
	for _, op := range []struct {
		id, store            ID
		gives, keeps, effort string
	}{
		{CmdSInter, CmdSInterStore, "Gives what several sets have in common.", "Keeps in a key what several sets have in common.", "O(N*M), N the members of the smallest set, M the number of sets"},
		{CmdSUnion, CmdSUnionStore, "Gives what is in any of several sets.", "Keeps in a key what is in any of several sets.", "O(N) in the number of all members"},
		{CmdSDiff, CmdSDiffStore, "Gives what the first of several sets has and no other.", "Keeps in a key what the first of several sets has and no other.", "O(N) in the number of all members"},
	} {
		docs[op.id] = Doc{Summary: op.gives, Complexity: op.effort, Args: takes(keyArg("key", 0).multiple())}
		docs[op.store] = Doc{Summary: op.keeps, Complexity: op.effort, Args: takes(keyArg("destination", 0), keyArg("key", 1).multiple())}
	}
	return docs
}
