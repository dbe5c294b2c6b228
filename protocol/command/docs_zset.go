package command

func zsetDocs() map[ID]Doc {
	return map[ID]Doc{
		CmdZAdd: {
			Summary: "Gives members of a sorted set their scores, and adds those that are not there.", Complexity: "O(log N) a member, N being the size of the sorted set",
			History: []Change{{"2.4.0", "Several members at once."}, {"3.0.2", "Options `XX`, `NX`, `CH` and `INCR`."}, {"6.2.0", "Options `GT` and `LT`."}},
			Args: takes(
				keyArg("key", 0),
				oneOf("condition", word("NX"), word("XX")).since("3.0.2").optional(),
				oneOf("comparison", word("GT"), word("LT")).since("6.2.0").optional(),
				wordNamed("change", "CH").since("3.0.2").optional(),
				wordNamed("increment", "INCR").since("3.0.2").optional(),
				block("score_member", double("score"), text("member")).multiple(),
			),
		},
		CmdZIncrBy: {
			Summary: "Adds to a member's score.", Complexity: "O(log N) in the number of members",
			Args: takes(keyArg("key", 0), integer("increment"), text("member")),
		},
		CmdZRem: {
			Summary: "Takes members out of a sorted set.", Complexity: "O(M log N), M being the members named",
			History: []Change{{"2.4.0", "Several members at once."}},
			Args:    takes(keyArg("key", 0), text("member").multiple()),
		},
		CmdZScore: {
			Summary: "Reads a member's score.", Complexity: "O(log N); O(N) in a small sorted set",
			Args: takes(keyArg("key", 0), text("member")),
		},
		CmdZMScore: {
			Summary: "Reads the scores of several members.", Complexity: "O(M log N), M being the members named",
			Args: takes(keyArg("key", 0), text("member").multiple()),
		},
		CmdZCard: {
			Summary: "Counts the members of a sorted set.", Complexity: "O(1)",
			Args: takes(keyArg("key", 0)),
		},
		CmdZCount: {
			Summary: "Counts the members whose scores are in a range.", Complexity: "O(log N) in the number of members",
			Args: takes(keyArg("key", 0), double("min"), double("max")),
		},
		CmdZLexCount: {
			Summary: "Counts the members in a range of bytes, where all scores are equal.", Complexity: "O(log N) in the number of members",
			Args: takes(keyArg("key", 0), text("min"), text("max")),
		},
		CmdZRank: {
			Summary: "Tells a member's place in the order of scores.", Complexity: "O(log N) in the number of members",
			Args: takes(keyArg("key", 0), text("member")),
		},
		CmdZRevRank: {
			Summary: "Tells a member's place in the order of scores, the highest first.", Complexity: "O(log N) in the number of members",
			Args: takes(keyArg("key", 0), text("member")),
		},
		CmdZRange: {
			Summary: "Reads members by place, score or bytes.", Complexity: "O(log N + M), M being the members answered",
			History: []Change{{"6.2.0", "Options `REV`, `BYSCORE`, `BYLEX` and `LIMIT`."}},
			Args: takes(
				keyArg("key", 0),
				text("start"),
				text("stop"),
				oneOf("sortby", word("BYSCORE"), word("BYLEX")).since("6.2.0").optional(),
				word("REV").since("6.2.0").optional(),
				block("offset_count", integer("offset"), integer("count")).token("LIMIT").since("6.2.0").optional(),
				word("WITHSCORES").optional(),
			),
		},
		CmdZRangeStore: {
			Summary: "Stores the members of a range as a sorted set.", Complexity: "O(log N + M log M), M being the members stored",
			Args: takes(
				keyArg("dst", 0),
				keyArg("src", 1),
				text("min"),
				text("max"),
				oneOf("sortby", word("BYSCORE"), word("BYLEX")).optional(),
				word("REV").optional(),
				block("offset_count", integer("offset"), integer("count")).token("LIMIT").optional(),
			),
		},
		CmdZRevRange: {
			Summary: "Reads members by place, the highest score first.", Complexity: "O(log N + M), M being the members answered", DeprecatedSince: "6.2.0", ReplacedBy: "`ZRANGE` with `REV`",
			Args: takes(keyArg("key", 0), integer("start"), integer("stop"), word("WITHSCORES").optional()),
		},
		CmdZRangeByScore: {
			Summary: "Reads the members whose scores are in a range.", Complexity: "O(log N + M), M being the members answered", DeprecatedSince: "6.2.0", ReplacedBy: "`ZRANGE` with `BYSCORE`",
			History: []Change{{"2.0.0", "Option `WITHSCORES`."}},
			Args: takes(
				keyArg("key", 0),
				double("min"),
				double("max"),
				word("WITHSCORES").since("2.0.0").optional(),
				block("offset_count", integer("offset"), integer("count")).token("LIMIT").optional(),
			),
		},
		CmdZRevRangeByScore: {
			Summary: "Reads the members whose scores are in a range, the highest first.", Complexity: "O(log N + M), M being the members answered", DeprecatedSince: "6.2.0", ReplacedBy: "`ZRANGE` with `REV` and `BYSCORE`",
			History: []Change{{"2.1.6", "A bound may be left out of the range."}},
			Args: takes(
				keyArg("key", 0),
				double("max"),
				double("min"),
				word("WITHSCORES").optional(),
				block("offset_count", integer("offset"), integer("count")).token("LIMIT").optional(),
			),
		},
		CmdZRangeByLex: {
			Summary: "Reads the members in a range of bytes, where all scores are equal.", Complexity: "O(log N + M), M being the members answered", DeprecatedSince: "6.2.0", ReplacedBy: "`ZRANGE` with `BYLEX`",
			Args: takes(
				keyArg("key", 0),
				text("min"),
				text("max"),
				block("offset_count", integer("offset"), integer("count")).token("LIMIT").optional(),
			),
		},
		CmdZRevRangeByLex: {
			Summary: "Reads the members in a range of bytes, the last first, where all scores are equal.", Complexity: "O(log N + M), M being the members answered", DeprecatedSince: "6.2.0", ReplacedBy: "`ZRANGE` with `REV` and `BYLEX`",
			Args: takes(
				keyArg("key", 0),
				text("max"),
				text("min"),
				block("offset_count", integer("offset"), integer("count")).token("LIMIT").optional(),
			),
		},
		CmdZRemRangeByRank: {
			Summary: "Takes out the members of a range of places.", Complexity: "O(M log N), M being the members taken out",
			Args: takes(keyArg("key", 0), integer("start"), integer("stop")),
		},
		CmdZRemRangeByScore: {
			Summary: "Takes out the members whose scores are in a range.", Complexity: "O(M log N), M being the members taken out",
			Args: takes(keyArg("key", 0), double("min"), double("max")),
		},
		CmdZRemRangeByLex: {
			Summary: "Takes out the members in a range of bytes, where all scores are equal.", Complexity: "O(M log N), M being the members taken out",
			Args: takes(keyArg("key", 0), text("min"), text("max")),
		},
		CmdZPopMin: {
			Summary: "Takes out and answers the members with the lowest scores.", Complexity: "O(M log N), M being the members taken out",
			Args: takes(keyArg("key", 0), integer("count").optional()),
		},
		CmdZPopMax: {
			Summary: "Takes out and answers the members with the highest scores.", Complexity: "O(M log N), M being the members taken out",
			Args: takes(keyArg("key", 0), integer("count").optional()),
		},
		CmdZMPop: {
			Summary: "Takes members with the lowest or highest scores out of the first sorted set that has any.", Complexity: "O(K + M log N), K being the keys and M the members taken out",
			Args: takes(
				integer("numkeys"),
				keyArg("key", 0).multiple(),
				oneOf("where", word("MIN"), word("MAX")),
				integer("count").token("COUNT").optional(),
			),
		},
		CmdBZPopMin: {
			Summary: "Takes out the member with the lowest score of the first sorted set that has any, and waits for one if none has.", Complexity: "O(K + log N), K being the keys",
			History: []Change{{"6.0.0", "The timeout may have a fraction."}},
			Args:    takes(keyArg("key", 0).multiple(), double("timeout")),
		},
		CmdBZPopMax: {
			Summary: "Takes out the member with the highest score of the first sorted set that has any, and waits for one if none has.", Complexity: "O(K + log N), K being the keys",
			History: []Change{{"6.0.0", "The timeout may have a fraction."}},
			Args:    takes(keyArg("key", 0).multiple(), double("timeout")),
		},
		CmdBZMPop: {
			Summary: "Takes members out of the first sorted set that has any, and waits for some if none has.", Complexity: "O(K + M log N), K being the keys and M the members taken out",
			Args: takes(
				double("timeout"),
				integer("numkeys"),
				keyArg("key", 0).multiple(),
				oneOf("where", word("MIN"), word("MAX")),
				integer("count").token("COUNT").optional(),
			),
		},
		CmdZRandMember: {
			Summary: "Answers members chosen by chance.", Complexity: "O(M log N), M being the members answered",
			Args: takes(keyArg("key", 0), block("options", integer("count"), word("WITHSCORES").optional()).optional()),
		},
		CmdZScan: {
			Summary: "Goes through the members of a sorted set, some at a time.", Complexity: "O(1) a call, O(N) for all members",
			Args: takes(keyArg("key", 0), integer("cursor"), pattern().token("MATCH").optional(), integer("count").token("COUNT").optional()),
		},
		CmdZUnion: {
			Summary: "Answers the members of several sorted sets, their scores put together.", Complexity: "O(N + M log M), N being the members of all sorted sets and M those of the result",
			Args: takes(
				integer("numkeys"),
				keyArg("key", 0).multiple(),
				integer("weight").token("WEIGHTS").optional().multiple(),
				oneOf("aggregate", word("SUM"), word("MIN"), word("MAX")).token("AGGREGATE").optional(),
				word("WITHSCORES").optional(),
			),
		},
		CmdZInter: {
			Summary: "Answers the members that all sorted sets have, their scores put together.", Complexity: "O(N K + M log M), N being the members of the smallest of K sorted sets and M those of the result",
			Args: takes(
				integer("numkeys"),
				keyArg("key", 0).multiple(),
				integer("weight").token("WEIGHTS").optional().multiple(),
				oneOf("aggregate", word("SUM"), word("MIN"), word("MAX")).token("AGGREGATE").optional(),
				word("WITHSCORES").optional(),
			),
		},
		CmdZDiff: {
			Summary: "Answers the members of the first sorted set that no other has.", Complexity: "O(N + M log M), N being the members of all sorted sets and M those of the result",
			Args: takes(integer("numkeys"), keyArg("key", 0).multiple(), word("WITHSCORES").optional()),
		},
		CmdZUnionStore: {
			Summary: "Stores the members of several sorted sets, their scores put together.", Complexity: "O(N + M log M), N being the members of all sorted sets and M those of the result",
			Args: takes(
				keyArg("destination", 0),
				integer("numkeys"),
				keyArg("key", 1).multiple(),
				integer("weight").token("WEIGHTS").optional().multiple(),
				oneOf("aggregate", word("SUM"), word("MIN"), word("MAX")).token("AGGREGATE").optional(),
			),
		},
		CmdZInterStore: {
			Summary: "Stores the members that all sorted sets have, their scores put together.", Complexity: "O(N K + M log M), N being the members of the smallest of K sorted sets and M those of the result",
			Args: takes(
				keyArg("destination", 0),
				integer("numkeys"),
				keyArg("key", 1).multiple(),
				integer("weight").token("WEIGHTS").optional().multiple(),
				oneOf("aggregate", word("SUM"), word("MIN"), word("MAX")).token("AGGREGATE").optional(),
			),
		},
		CmdZDiffStore: {
			Summary: "Stores the members of the first sorted set that no other has.", Complexity: "O(N + M log M), N being the members of all sorted sets and M those of the result",
			Args: takes(keyArg("destination", 0), integer("numkeys"), keyArg("key", 1).multiple()),
		},
		CmdZInterCard: {
			Summary: "Counts the members that all sorted sets have.", Complexity: "O(N K), N being the members of the smallest of K sorted sets",
			Args: takes(integer("numkeys"), keyArg("key", 0).multiple(), integer("limit").token("LIMIT").optional()),
		},
	}
}

// wordNamed is a word whose name is not its token.
func wordNamed(name, token string) Arg { return Arg{Name: name, Type: "pure-token", Token: token} }
