package conform

// intendedOfZSets are the differences of sorted sets, and of the numbers of keys that came with them.
func intendedOfZSets() []Difference {
	return []Difference{
		{
			Name: "doubles", Reason: "7.2 writes the shortest digits that mean the same number, 7.0 writes 17",
			Doubles: true,
			Rows: []string{
				"zscore", "zmscore", "zadd", "zincrby", "zrange", "zrevrange", "zrangebyscore", "zrevrangebyscore", "zpopmin", "zpopmax", "zmpop", "bzpopmin",
				"bzpopmax", "bzmpop", "zunion", "zinter", "zdiff", "zrandmember", "zscan", "eval", "eval_ro", "evalsha", "fcall",
			},
		},
		{
			Name: "rank-with-score", Reason: "WITHSCORE is of 7.2; to 7.0 it is one argument too many",
			Rows:   []string{"zrank", "zrevrank"},
			Redis:  exactly(`-ERR wrong number of arguments for 'z(rev)?rank' command\r\n`),
			Larder: exactly(`-ERR syntax error\r\n|\*2\r\n:\d+\r\n.*|\*-1\r\n|_\r\n|-WRONGTYPE .*`),
		},
		{
			Name: "keys-of-rank-with-score", Reason: "WITHSCORE is of 7.2; to 7.0 it is one argument too many",
			Rows:   []string{"command|getkeys", "command|getkeysandflags"},
			Words:  exactly(`(?i:command getkeys(andflags)? z(rev)?rank) .*`),
			Redis:  exactly(`-ERR Invalid number of arguments specified for command\r\n`),
			Larder: exactly(`\*1\r\n(\$.*|\*2\r\n.*)`),
		},
		{
			Name: "getkeys-overflow", Reason: "a number of keys beyond 32 bits is wrong; Redis takes what is left of it",
			Rows:   []string{"command|getkeys", "command|getkeysandflags"},
			Redis:  exactly(`\*.*`),
			Larder: exactly(`-ERR Invalid arguments specified for command\r\n`),
		},
		{
			Name: "waiting-too-long", Reason: "a timeout too large for a number of milliseconds is out of range, as in 7.2; in 7.0 its overflow is called negative",
			Rows:   []string{"bzpopmin", "bzpopmax", "bzmpop"},
			Redis:  exactly(`-ERR timeout is negative\r\n`),
			Larder: exactly(`-ERR timeout is out of range\r\n`),
		},
	}
}
