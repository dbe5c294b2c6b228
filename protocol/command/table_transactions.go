package command

func transactionRows() []Row {
	return []Row{
		{ID: CmdMulti, Name: "multi", Arity: 1, Flags: NoScript | Loading | Stale | Fast | AllowBusy, Categories: CatTransaction, Request: RequestLocal, Since: "1.2.0"},
		{ID: CmdExec, Name: "exec", Arity: 1, Flags: NoScript | Loading | Stale | SkipSlowlog, Categories: CatTransaction, Request: RequestLocal, Since: "1.2.0"},
		{ID: CmdDiscard, Name: "discard", Arity: 1, Flags: NoScript | Loading | Stale | Fast | AllowBusy, Categories: CatTransaction, Request: RequestLocal, Since: "2.0.0"},
		{ID: CmdWatch, Name: "watch", Arity: -2, Flags: NoScript | Loading | Stale | Fast | AllowBusy, Categories: CatTransaction, KeySpecs: keys(keysFrom(1, 1, KeyRO)), Request: RequestSpecial, Since: "2.2.0"},
		{ID: CmdUnwatch, Name: "unwatch", Arity: 1, Flags: NoScript | Loading | Stale | Fast | AllowBusy, Categories: CatTransaction, Request: RequestLocal, Since: "2.2.0"},
	}
}

func transactionDocs() map[ID]Doc {
	return map[ID]Doc{
		CmdMulti:   {Summary: "Begins a transaction: the commands that follow are kept for EXEC.", Complexity: "O(1)"},
		CmdExec:    {Summary: "Runs the commands of the transaction, unless a watched key changed.", Complexity: "that of the commands"},
		CmdDiscard: {Summary: "Forgets the transaction.", Complexity: "O(N) in the number of commands kept"},
		CmdWatch: {
			Summary: "Has EXEC run only if none of the keys changes before.", Complexity: "O(1) a key",
			Args: takes(keyArg("key", 0).multiple()),
		},
		CmdUnwatch: {Summary: "Forgets the watched keys.", Complexity: "O(1)"},
	}
}
