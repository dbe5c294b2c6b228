package command

func listDocs() map[ID]Doc {
	several := []Change{{"2.4.0", "Several elements at once."}}
	severalX := []Change{{"4.0.0", "Several elements at once."}}
	counted := []Change{{"6.2.0", "Argument `count`."}}
	return map[ID]Doc{
		CmdLPush: {
			Summary: "Puts elements in front of a list, which is made if need be.", Complexity: "O(N) in the number of elements given", History: several,
			Args: takes(keyArg("key", 0), text("element").multiple()),
		},
		CmdRPush: {
			Summary: "Puts elements behind a list, which is made if need be.", Complexity: "O(N) in the number of elements given", History: several,
			Args: takes(keyArg("key", 0), text("element").multiple()),
		},
		CmdLPushX: {
			Summary: "Puts elements in front of a list, if there is one.", Complexity: "O(N) in the number of elements given", History: severalX,
			Args: takes(keyArg("key", 0), text("element").multiple()),
		},
		CmdRPushX: {
			Summary: "Puts elements behind a list, if there is one.", Complexity: "O(N) in the number of elements given", History: severalX,
			Args: takes(keyArg("key", 0), text("element").multiple()),
		},
		CmdLPop: {
			Summary: "Takes elements from the front of a list.", Complexity: "O(N) in the number of elements taken", History: counted,
			Args: takes(keyArg("key", 0), integer("count").since("6.2.0").optional()),
		},
		CmdRPop: {
			Summary: "Takes elements from the end of a list.", Complexity: "O(N) in the number of elements taken", History: counted,
			Args: takes(keyArg("key", 0), integer("count").since("6.2.0").optional()),
		},
		CmdLLen: {
			Summary: "Counts the elements of a list.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0)),
		},
		CmdLIndex: {
			Summary: "Reads the element at a place of a list.", Complexity: "O(log N) in the length of the list",
			Args: takes(keyArg("key", 0), integer("index")),
		},
		CmdLSet: {
			Summary: "Replaces the element at a place of a list.", Complexity: "O(log N) in the length of the list",
			Args: takes(keyArg("key", 0), integer("index"), text("element")),
		},
		CmdLInsert: {
			Summary: "Puts an element beside the first that is equal to another.", Complexity: "O(N) in the elements before that one",
			Args: takes(keyArg("key", 0), oneOf("where", word("BEFORE"), word("AFTER")), text("pivot"), text("element")),
		},
		CmdLRange: {
			Summary: "Reads the elements between two places of a list.", Complexity: "O(log N + M) in the length of the list and the elements read",
			Args: takes(keyArg("key", 0), integer("start"), integer("stop")),
		},
		CmdLTrim: {
			Summary: "Keeps of a list what is between two places.", Complexity: "O(N) in the elements removed",
			Args: takes(keyArg("key", 0), integer("start"), integer("stop")),
		},
		CmdLRem: {
			Summary: "Removes elements that are equal to one, from either end.", Complexity: "O(N) in the length of the list",
			Args: takes(keyArg("key", 0), integer("count"), text("element")),
		},
		CmdLPos: {
			Summary: "Finds the places of elements that are equal to one.", Complexity: "O(N) in the elements looked at",
			Args: takes(
				keyArg("key", 0), text("element"),
				integer("rank").token("RANK").optional(), integer("num-matches").token("COUNT").optional(), integer("len").token("MAXLEN").optional(),
			),
		},
	}
}

// listEnd is an end of a list.
func listEnd(name string) Arg { return oneOf(name, word("LEFT"), word("RIGHT")) }

func listMoveDocs() map[ID]Doc {
	fractions := []Change{{"6.0.0", "The time may be a fraction of a second."}}
	return map[ID]Doc{
		CmdLMove: {
			Summary: "Moves an element from an end of a list to an end of another, and reads it.", Complexity: "O(1)",
			Args: takes(keyArg("source", 0), keyArg("destination", 1), listEnd("wherefrom"), listEnd("whereto")),
		},
		CmdRPopLPush: {
			Summary: "Moves the last element of a list to the front of another, and reads it.", Complexity: "O(1)",
			DeprecatedSince: "6.2.0", ReplacedBy: "`LMOVE` with `RIGHT` and `LEFT`",
			Args: takes(keyArg("source", 0), keyArg("destination", 1)),
		},
		CmdLMPop: {
			Summary: "Takes elements from the first of several lists that has any.", Complexity: "O(N+M) in the keys and the elements taken",
			Args: takes(integer("numkeys"), keyArg("key", 0).multiple(), listEnd("where"), integer("count").token("COUNT").optional()),
		},
		CmdBLPop: {
			Summary: "Takes the first element of the first of several lists that has any; waits for one.", Complexity: "O(N) in the keys", History: fractions,
			Args: takes(keyArg("key", 0).multiple(), double("timeout")),
		},
		CmdBRPop: {
			Summary: "Takes the last element of the first of several lists that has any; waits for one.", Complexity: "O(N) in the keys", History: fractions,
			Args: takes(keyArg("key", 0).multiple(), double("timeout")),
		},
		CmdBLMove: {
			Summary: "Moves an element from an end of a list to an end of another, and reads it; waits for one.", Complexity: "O(1)",
			Args: takes(keyArg("source", 0), keyArg("destination", 1), listEnd("wherefrom"), listEnd("whereto"), double("timeout")),
		},
		CmdBRPopLPush: {
			Summary: "Moves the last element of a list to the front of another, and reads it; waits for one.", Complexity: "O(1)", History: fractions,
			DeprecatedSince: "6.2.0", ReplacedBy: "`BLMOVE` with `RIGHT` and `LEFT`",
			Args: takes(keyArg("source", 0), keyArg("destination", 1), double("timeout")),
		},
		CmdBLMPop: {
			Summary: "Takes elements from the first of several lists that has any; waits for one.", Complexity: "O(N+M) in the keys and the elements taken",
			Args: takes(double("timeout"), integer("numkeys"), keyArg("key", 0).multiple(), listEnd("where"), integer("count").token("COUNT").optional()),
		},
	}
}
