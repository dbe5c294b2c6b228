package command

func pubsubRows() []Row {
	shard := func(last int) []KeySpec {
		return keys(KeySpec{Flags: KeyNotKey, Begin: BeginIndex, Index: 1, Find: FindRange, LastKey: last, Step: 1})
	}
	const base, quick = PubSub | NoScript | Loading | Stale, PubSub | Loading | Stale
	return []Row{
		{ID: CmdSubscribe, Name: "subscribe", Arity: -2, Flags: base, Request: RequestLocal, Since: "2.0.0"},
		{ID: CmdPSubscribe, Name: "psubscribe", Arity: -2, Flags: base, Request: RequestLocal, Since: "2.0.0"},
		{ID: CmdSSubscribe, Name: "ssubscribe", Arity: -2, Flags: base, KeySpecs: shard(-1), Request: RequestLocal, Since: "7.0.0"},
		{ID: CmdUnsubscribe, Name: "unsubscribe", Arity: -1, Flags: base, Request: RequestLocal, Since: "2.0.0"},
		{ID: CmdPUnsubscribe, Name: "punsubscribe", Arity: -1, Flags: base, Request: RequestLocal, Since: "2.0.0"},
		{ID: CmdSUnsubscribe, Name: "sunsubscribe", Arity: -1, Flags: base, KeySpecs: shard(-1), Request: RequestLocal, Since: "7.0.0"},
		{ID: CmdPublish, Name: "publish", Arity: 3, Flags: quick | Fast | MayReplicate, Request: RequestSpecial, Since: "2.0.0"},
		{ID: CmdSPublish, Name: "spublish", Arity: 3, Flags: quick | Fast | MayReplicate, KeySpecs: shard(0), Since: "7.0.0"},
		{ID: CmdPubSub, Name: "pubsub", Arity: -2, Request: RequestLocal, Since: "2.8.0"},
		{ID: CmdPubSubChannels, Name: "pubsub|channels", Parent: CmdPubSub, Arity: -2, Flags: quick, Request: RequestAllShards, Since: "2.8.0"},
		{ID: CmdPubSubNumSub, Name: "pubsub|numsub", Parent: CmdPubSub, Arity: -2, Flags: quick, Request: RequestAllShards, Since: "2.8.0"},
		{ID: CmdPubSubNumPat, Name: "pubsub|numpat", Parent: CmdPubSub, Arity: 2, Flags: quick, Request: RequestAllShards, Since: "2.8.0"},
		{ID: CmdPubSubShardChannels, Name: "pubsub|shardchannels", Parent: CmdPubSub, Arity: -2, Flags: quick, Request: RequestAllShards, Since: "7.0.0"},
		{ID: CmdPubSubShardNumSub, Name: "pubsub|shardnumsub", Parent: CmdPubSub, Arity: -2, Flags: quick, Request: RequestAllShards, Since: "7.0.0"},
		{ID: CmdPubSubHelp, Name: "pubsub|help", Parent: CmdPubSub, Arity: 2, Flags: Loading | Stale, Request: RequestLocal, Since: "6.2.0"},
	}
}

func pubsubDocs() map[ID]Doc {
	return map[ID]Doc{
		CmdSubscribe:  {Summary: "Hears the channels named.", Complexity: "O(N) in the number of channels", Args: takes(text("channel").multiple())},
		CmdPSubscribe: {Summary: "Hears the channels whose names match.", Complexity: "O(N) in the number of patterns", Args: takes(block("pattern", pattern()).multiple())},
		CmdSSubscribe: {Summary: "Hears the shard channels named.", Complexity: "O(N) in the number of channels", Args: takes(text("shardchannel").multiple())},
		CmdUnsubscribe: {
			Summary: "Hears the channels no more, or none.", Complexity: "O(N) in the number of clients that hear them",
			Args: takes(text("channel").optional().multiple()),
		},
		CmdPUnsubscribe: {
			Summary: "Takes patterns back, or all.", Complexity: "O(N) in the number of clients that have them",
			Args: takes(pattern().optional().multiple()),
		},
		CmdSUnsubscribe: {
			Summary: "Hears the shard channels no more, or none.", Complexity: "O(N) in the number of clients that hear them",
			Args: takes(text("shardchannel").optional().multiple()),
		},
		CmdPublish: {
			Summary: "Sends a message to those who hear a channel.", Complexity: "O(N+M) in the number N of clients that hear it and M of all patterns",
			Args: takes(text("channel"), text("message")),
		},
		CmdSPublish: {
			Summary: "Sends a message to those who hear a shard channel.", Complexity: "O(N) in the number of clients that hear it",
			Args: takes(text("shardchannel"), text("message")),
		},
		CmdPubSub:         {Summary: "Commands about channels.", Complexity: "that of the subcommand"},
		CmdPubSubChannels: {Summary: "Names the channels that anybody hears.", Complexity: "O(N) in the number of channels", Args: takes(pattern().optional())},
		CmdPubSubNumSub: {
			Summary: "Counts those who hear the channels by name.", Complexity: "O(N) in the number of channels",
			Args: takes(text("channel").optional().multiple()),
		},
		CmdPubSubNumPat: {Summary: "Counts the patterns.", Complexity: "O(1)"},
		CmdPubSubShardChannels: {
			Summary: "Names the shard channels that anybody hears.", Complexity: "O(N) in the number of channels",
			Args: takes(pattern().optional()),
		},
		CmdPubSubShardNumSub: {
			Summary: "Counts those who hear the shard channels.", Complexity: "O(N) in the number of channels",
			Args: takes(text("shardchannel").optional().multiple()),
		},
		CmdPubSubHelp: {Summary: "Lists the subcommands.", Complexity: "O(1)"},
	}
}
