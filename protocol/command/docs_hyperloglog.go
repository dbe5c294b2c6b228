package command

func hyperloglogDocs() map[ID]Doc {
	return map[ID]Doc{
		CmdPFAdd: {Summary: "Adds elements to a HyperLogLog, made if need be.", Complexity: "O(1) an element", Args: takes(keyArg("key", 0), text("element").optional().multiple())},
		CmdPFCount: {
			Summary: "Estimates how many different elements one or several HyperLogLogs have seen.", Complexity: "O(1) for one key, O(N) for N keys, and slow",
			Args: takes(keyArg("key", 0).multiple()),
		},
		CmdPFMerge:    {Summary: "Adds what several HyperLogLogs have seen to one of them.", Complexity: "O(N) in the number of keys, and slow", Args: takes(keyArg("destkey", 0), keyArg("sourcekey", 1).multiple())},
		CmdPFDebug:    {Summary: "Shows what is inside a HyperLogLog.", Complexity: "O(N) in the number of registers", Internal: true, Args: takes(text("subcommand"), keyArg("key", 0))},
		CmdPFSelfTest: {Summary: "Checks the arithmetic of HyperLogLogs on this machine.", Complexity: "O(1), and slow", Internal: true},
	}
}
