package command

// savingDocs are of commands about the data on disk.
func savingDocs() map[ID]Doc {
	return map[ID]Doc{
		CmdSave: {Summary: "Saves the data to a file; nobody else is served meanwhile.", Complexity: "O(N) in the number of keys"},
		CmdBgSave: {
			Summary: "Begins to save the data to a file while the server goes on.", Complexity: "O(1)",
			History: []Change{{"3.2.2", "Option `SCHEDULE`."}},
			Args:    takes(word("SCHEDULE").since("3.2.2").optional()),
		},
		CmdBgRewriteAOF: {Summary: "Writes the append-only file anew, beside the commands.", Complexity: "O(1)"},
		CmdLastSave:     {Summary: "Tells when the data was saved last, in seconds since 1970.", Complexity: "O(1)"},
		CmdShutdown: {
			Summary: "Ends the server, with or without saving its data first.", Complexity: "O(N) in the number of keys if data is saved, else O(1)",
			History: []Change{{"7.0.0", "Options `NOW`, `FORCE` and `ABORT`."}},
			Args: takes(
				oneOf("nosave_save", word("NOSAVE"), word("SAVE")).optional(),
				word("NOW").since("7.0.0").optional(),
				word("FORCE").since("7.0.0").optional(),
				word("ABORT").since("7.0.0").optional(),
			),
		},
	}
}
