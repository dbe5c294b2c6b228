package mirror

import (
	"slices"
	"strings"

	"larder/protocol/command"
)

// kind says what becomes of a command.
type kind uint8

const (
	kindNever    kind = iota // it is not mirrored: it is about a connection or a server, or has no keys
	kindAlways               // it is mirrored without keys: it concerns all of the data, or scripts
	kindBlind                // it is mirrored by its keys, and replies are not compared: they depend on chance, time or the server
	kindExact                // replies must be equal
	kindAnyOrder             // of an aggregate the elements must be, in whatever order
	kindTimes                // replies are times to live: they must be about equal
)

func kindsOf() []kind {
	kinds := make([]kind, command.NumIDs+1)
	for id := 1; id <= command.NumIDs; id++ {
		kinds[id] = kindOf(command.ByID(command.ID(id)))
	}
	return kinds
}

func kindOf(row *command.Row) kind {
	switch row.ID {
	case command.CmdFlushAll, command.CmdFlushDB, command.CmdSwapDB, command.CmdScriptLoad, command.CmdScriptFlush,
		command.CmdFunctionLoad, command.CmdFunctionDelete, command.CmdFunctionFlush, command.CmdFunctionRestore:
		return kindAlways
	case command.CmdTTL, command.CmdPTTL, command.CmdExpireTime, command.CmdPExpireTime:
		return kindTimes
	case command.CmdGeoRadius, command.CmdGeoRadiusRO, command.CmdGeoRadiusByMember, command.CmdGeoRadiusByMemberRO, command.CmdGeoSearch, command.CmdSort, command.CmdSortRO:
		return kindAnyOrder // unless they are sorted, which both sides do
	case command.CmdXReadGroup, command.CmdXAck: // how long entries wait decides what XCLAIM does with them
		return kindBlind
	case command.CmdWatch, command.CmdDebug, command.CmdPFDebug, command.CmdPFSelfTest, command.CmdWait, command.CmdWaitAOF:
		return kindNever
	}
	switch row.Group {
	case "connection", "pubsub", "cluster", "server", "transactions", "larder":
		return kindNever
	}
	switch {
	case row.Parent == command.CmdObject, row.Parent == command.CmdXInfo, row.Parent == command.CmdMemory:
		return kindBlind
	case !hasKeys(row):
		return kindNever
	case slices.Contains(row.Tips, "nondeterministic_output"):
		return kindBlind
	case slices.Contains(row.Tips, "nondeterministic_output_order"):
		return kindAnyOrder
	}
	return kindExact
}

func hasKeys(row *command.Row) bool {
	return slices.ContainsFunc(row.KeySpecs, func(k command.KeySpec) bool { return k.Flags&command.KeyNotKey == 0 })
}

// chance are words of a script that does not always do the same.
var chance = []string{"time", "random", "srandmember", "spop", "hrandfield", "zrandmember", "scan", "xadd", "xtrim", "xclaim", "xautoclaim", "expire", "setex", "getex", "'px'", "'ex'", "\"px\"", "\"ex\"", "restore", "object", "ttl"}

// settled says whether a script does the same on equal data.
func settled(script []byte) bool {
	text := strings.ToLower(string(script))
	return !slices.ContainsFunc(chance, func(word string) bool { return strings.Contains(text, word) })
}
