package command

func clusterDocs() map[ID]Doc {
	return map[ID]Doc{
		CmdCluster: {Summary: "Commands about the cluster.", Complexity: "that of the subcommand"},
		CmdClusterSlots: {
			Summary: "Lists runs of slots with the nodes that serve them.", Complexity: "O(N) in the number of nodes", DeprecatedSince: "7.0.0", ReplacedBy: "`CLUSTER SHARDS`",
			History: []Change{{"4.0.0", "IDs of nodes."}, {"7.0.0", "More about how nodes are reached."}},
		},
		CmdClusterShards: {Summary: "Lists the shards with their slots and nodes.", Complexity: "O(N) in the number of nodes"},
		CmdClusterNodes:  {Summary: "Lists the nodes as lines of text.", Complexity: "O(N) in the number of nodes"},
		CmdClusterInfo:   {Summary: "Reports the cluster's state as lines of text.", Complexity: "O(1)"},
		CmdClusterKeySlot: {
			Summary: "Computes the slot of a key.", Complexity: "O(N) in the length of the key",
			Args: takes(text("key")),
		},
		CmdClusterMyID: {Summary: "Tells the ID of the node that answers.", Complexity: "O(1)"},
		CmdClusterCountKeysInSlot: {
			Summary: "Counts the keys of a slot.", Complexity: "O(N) in the number of keys of sixteen slots",
			Args: takes(integer("slot")),
		},
		CmdClusterGetKeysInSlot: {
			Summary: "Lists keys of a slot, at most so many.", Complexity: "O(N) in the number of keys of sixteen slots",
			Args: takes(integer("slot"), integer("count")),
		},
		CmdClusterHelp: {Summary: "Lists the subcommands.", Complexity: "O(1)"},
		CmdReadOnly:    {Summary: "Lets this connection read from replicas.", Complexity: "O(1)"},
		CmdReadWrite:   {Summary: "Takes READONLY back.", Complexity: "O(1)"},
		CmdAsking:      {Summary: "Lets the next command use a slot that is just being moved here.", Complexity: "O(1)"},
	}
}
