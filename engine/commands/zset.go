package commands

import (
	"larder/engine/store"
	"larder/engine/zsets"
	"larder/protocol/command"
)

// Errors of the commands on sorted sets, geo's among them.
const (
	errScoreNaN       = "ERR resulting score is not a number (NaN)"
	errZAddNXAndXX    = "ERR XX and NX options at the same time are not compatible"
	errZAddCompare    = "ERR GT, LT, and/or NX options at the same time are not compatible"
	errZAddIncr       = "ERR INCR option supports a single increment-element pair"
	errScoreRange     = "ERR min or max is not a float"
	errLexRange       = "ERR min or max not valid string range item"
	errLimitRank      = "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX"
	errLexScores      = "ERR syntax error, WITHSCORES not supported in combination with BYLEX"
	errWeight         = "ERR weight value is not a float"
	errLimitNegative  = "ERR LIMIT can't be negative"
	errCountAboveZero = "ERR count should be greater than 0"
	errOutOfRange     = "ERR value is out of range"
)

func zsetHandlers(h []Handler) {
	h[command.CmdZAdd] = zAdd
	h[command.CmdZIncrBy] = zIncrBy
	h[command.CmdZRem] = zRem
	h[command.CmdZScore] = zScore
	h[command.CmdZMScore] = zMScore
	h[command.CmdZCard] = zCard
	h[command.CmdZCount] = zCount
	h[command.CmdZLexCount] = zLexCount
	h[command.CmdZRank] = zRank
	h[command.CmdZRevRank] = zRevRank
	h[command.CmdZRange] = zRange
	h[command.CmdZRangeStore] = zRangeStore
	h[command.CmdZRevRange] = zRevRange
	h[command.CmdZRangeByScore] = zRangeByScore
	h[command.CmdZRevRangeByScore] = zRevRangeByScore
	h[command.CmdZRangeByLex] = zRangeByLex
	h[command.CmdZRevRangeByLex] = zRevRangeByLex
	h[command.CmdZRemRangeByRank] = zRemRangeByRank
	h[command.CmdZRemRangeByScore] = zRemRangeByScore
	h[command.CmdZRemRangeByLex] = zRemRangeByLex
	h[command.CmdZPopMin] = zPopMin
	h[command.CmdZPopMax] = zPopMax
	h[command.CmdZMPop] = zMPop
	h[command.CmdBZPopMin] = bZPopMin
	h[command.CmdBZPopMax] = bZPopMax
	h[command.CmdBZMPop] = bZMPop
	h[command.CmdZRandMember] = zRandMember
	h[command.CmdZScan] = zScan
	h[command.CmdZUnion] = zUnion
	h[command.CmdZInter] = zInter
	h[command.CmdZDiff] = zDiff
	h[command.CmdZUnionStore] = zUnionStore
	h[command.CmdZInterStore] = zInterStore
	h[command.CmdZDiffStore] = zDiffStore
	h[command.CmdZInterCard] = zInterCard
}

// lookZSet is lookKind for sorted sets.
func (c *Call) lookZSet(key []byte) (v zsets.Value, found, wrong bool) {
	it, found, wrong := c.lookKind(key, store.KindZSet, store.KindZSetBig)
	if found {
		v = zsets.Of(c.Store, it)
	}
	return v, found, wrong
}

// openZSet begins a change of a sorted set, which closeZSet ends.
func (c *Call) openZSet(key []byte) (e *zsets.Edit, found, wrong bool) {
	it, found, wrong := c.lookKind(key, store.KindZSet, store.KindZSetBig)
	if wrong {
		return nil, false, true
	}
	c.zset.Open(c.Store, c.DB, key, it, found, c.Limits.ZSet, c.NowMS)
	return &c.zset, found, false
}

// closeZSet ends a change that took members out, and tells of it: of the event by its name, and of the key if it is gone.
func (c *Call) closeZSet(key []byte, event string) {
	c.Notify(ClassZSet, event, key)
	if !c.zset.Close() {
		c.Notify(ClassGeneric, "del", key)
	}
	c.Touch(key)
}
