package writes

// draws is a table of commands, a line each.
var draws = []draw{
	{30, func(s *Source) []string { return []string{"SET", s.key("text"), s.text()} }},
	{6, func(s *Source) []string { return []string{"SET", s.key("text"), s.text(), "PXAT", s.expiry()} }},
	{4, func(s *Source) []string { return []string{"SET", s.key("text"), s.text(), "KEEPTTL"} }},
	{6, func(s *Source) []string { return []string{"APPEND", s.key("text"), s.text()} }},
	{3, func(s *Source) []string { return []string{"SETRANGE", s.key("text"), s.n(500), s.text()} }},
	{2, func(s *Source) []string { return []string{"GETDEL", s.key("text")} }},
	{2, func(s *Source) []string { return []string{"GETEX", s.key("text"), "PXAT", s.expiry()} }},
	{8, func(s *Source) []string { return []string{"INCRBY", s.key("count"), s.n(1000)} }},
	{2, func(s *Source) []string { return []string{"INCRBYFLOAT", s.key("count"), "1.25"} }},
	{4, func(s *Source) []string { return []string{"SETBIT", s.key("bits"), s.n(3000), s.n(2)} }},
	{1, func(s *Source) []string { return []string{"BITOP", "XOR", s.key("bits"), s.key("bits"), s.key("text")} }},
	{4, func(s *Source) []string { return []string{"PFADD", s.key("hll"), s.text(), s.text()} }},
	{1, func(s *Source) []string { return []string{"PFMERGE", s.key("hll"), s.key("hll"), s.key("hll")} }},
	{4, func(s *Source) []string {
		return pairs(1+s.Rand.IntN(4), []string{"MSET"}, func() string { return s.key("text") }, s.text)
	}},

	{20, func(s *Source) []string {
		return pairs(1+s.Rand.IntN(4), []string{"HSET", s.key("hash")}, func() string { return "f" + s.n(300) }, s.text)
	}},
	{6, func(s *Source) []string { return []string{"HDEL", s.key("hash"), "f" + s.n(300), "f" + s.n(300)} }},
	{3, func(s *Source) []string { return []string{"HINCRBY", s.key("hash"), "n" + s.n(9), s.n(99)} }},

	{16, func(s *Source) []string { return []string{"RPUSH", s.key("list"), s.text(), s.text()} }},
	{6, func(s *Source) []string { return []string{"LPUSH", s.key("list"), s.text()} }},
	{10, func(s *Source) []string { return []string{"LPOP", s.key("list"), s.n(3)} }},
	{3, func(s *Source) []string { return []string{"LSET", s.key("list"), "0", s.text()} }},
	{3, func(s *Source) []string { return []string{"LTRIM", s.key("list"), "0", "200"} }},
	{4, func(s *Source) []string { return []string{"LMOVE", s.key("list"), s.key("list"), "LEFT", "RIGHT"} }},
	{2, func(s *Source) []string {
		return []string{"BLMOVE", s.key("list"), s.key("list"), "RIGHT", "LEFT", "0.001"}
	}},
	{2, func(s *Source) []string { return []string{"LINSERT", s.key("list"), "BEFORE", "1", s.text()} }},

	{16, func(s *Source) []string { return []string{"SADD", s.key("set"), s.n(1000), s.text()} }},
	{5, func(s *Source) []string { return []string{"SADD", s.key("set"), s.n(1000), s.n(1000)} }},
	{5, func(s *Source) []string { return []string{"SREM", s.key("set"), s.n(1000), s.n(1000)} }},
	{3, func(s *Source) []string { return []string{"SPOP", s.key("set"), "2"} }},
	{2, func(s *Source) []string { return []string{"SMOVE", s.key("set"), s.key("set"), s.n(1000)} }},
	{2, func(s *Source) []string { return []string{"SUNIONSTORE", s.key("set"), s.key("set"), s.key("set")} }},
	{1, func(s *Source) []string { return []string{"SINTERSTORE", s.key("set"), s.key("set"), s.key("set")} }},
	{1, func(s *Source) []string { return []string{"SORT", s.key("set"), "ALPHA", "STORE", s.key("list")} }},

	{16, func(s *Source) []string {
		return pairs(1+s.Rand.IntN(3), []string{"ZADD", s.key("zset")}, func() string { return s.n(1000) + ".5" }, func() string { return "m" + s.n(400) })
	}},
	{4, func(s *Source) []string { return []string{"ZINCRBY", s.key("zset"), "0.1", "m" + s.n(400)} }},
	{4, func(s *Source) []string { return []string{"ZREM", s.key("zset"), "m" + s.n(400)} }},
	{2, func(s *Source) []string { return []string{"ZPOPMIN", s.key("zset")} }},
	{1, func(s *Source) []string {
		return []string{"ZUNIONSTORE", s.key("zset"), "2", s.key("zset"), s.key("zset")}
	}},
	{1, func(s *Source) []string { return []string{"ZRANGESTORE", s.key("zset"), s.key("zset"), "0", "50"} }},
	{3, func(s *Source) []string { return []string{"GEOADD", s.key("geo"), s.n(90), s.n(80), "place" + s.n(50)} }},

	{14, func(s *Source) []string { return []string{"XADD", s.key("stream"), "*", "f" + s.n(3), s.text()} }},
	{3, func(s *Source) []string { return []string{"XTRIM", s.key("stream"), "MAXLEN", "60"} }},
	{3, func(s *Source) []string {
		return []string{"XGROUP", "CREATE", s.key("stream"), "g" + s.n(2), "0", "MKSTREAM"}
	}},
	{4, func(s *Source) []string {
		return []string{"XREADGROUP", "GROUP", "g" + s.n(2), "c" + s.n(3), "COUNT", "2", "STREAMS", s.key("stream"), ">"}
	}},
	{1, func(s *Source) []string {
		return []string{"XAUTOCLAIM", s.key("stream"), "g" + s.n(2), "c" + s.n(3), "0", "0", "COUNT", "3"}
	}},
	{1, func(s *Source) []string { return []string{"XGROUP", "DESTROY", s.key("stream"), "g1"} }},

	{5, func(s *Source) []string { return []string{"DEL", s.any(), s.any()} }},
	{2, func(s *Source) []string { return []string{"UNLINK", s.any()} }},
	{6, func(s *Source) []string { return []string{"PEXPIREAT", s.any(), s.expiry()} }},
	{3, func(s *Source) []string { return []string{"PERSIST", s.any()} }},
	{4, func(s *Source) []string { from, to := s.same(); return []string{"RENAME", from, to} }},
	{1, func(s *Source) []string { from, to := s.same(); return []string{"RENAMENX", from, to} }},
	{3, func(s *Source) []string { from, to := s.same(); return []string{"COPY", from, to, "REPLACE"} }},
	{4, func(s *Source) []string {
		return []string{"EVAL", script, "3", s.key("n"), s.key("list"), s.key("set"), s.text()}
	}},
}
