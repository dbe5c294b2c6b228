package commands

import "larder/protocol/command"

// Handlers gives each command's handler by its ID; nil where the node itself answers.
func Handlers() []Handler {
	h := make([]Handler, command.NumIDs+1)
	h[command.CmdGet] = get
	h[command.CmdSet] = set
	h[command.CmdSetNX] = setNX
	h[command.CmdSetEx] = setEx
	h[command.CmdPSetEx] = pSetEx
	h[command.CmdGetSet] = getSet
	h[command.CmdGetEx] = getEx
	h[command.CmdGetDel] = getDel
	h[command.CmdStrLen] = strLen
	h[command.CmdMGet] = mGet
	h[command.CmdMSet] = mSet
	h[command.CmdMSetNX] = mSetNX

	h[command.CmdAppend] = appendTo
	h[command.CmdGetRange] = getRange
	h[command.CmdSubstr] = getRange
	h[command.CmdSetRange] = setRange
	h[command.CmdIncr] = incr
	h[command.CmdDecr] = decr
	h[command.CmdIncrBy] = incrBy
	h[command.CmdDecrBy] = decrBy
	h[command.CmdIncrByFloat] = incrByFloat
	h[command.CmdLCS] = lcs

	bitHandlers(h)
	hllHandlers(h)
	sortHandlers(h)
	streamHandlers(h)
	setHandlers(h)

	keyHandlers(h)
	dumpHandlers(h)
	hashHandlers(h)
	zsetHandlers(h)
	geoHandlers(h)
	listHandlers(h)
	return h
}

func keyHandlers(h []Handler) {
	h[command.CmdDel] = del
	h[command.CmdUnlink] = del
	h[command.CmdExists] = exists
	h[command.CmdTouch] = touch
	h[command.CmdType] = typeOf
	h[command.CmdExpire] = expire
	h[command.CmdPExpire] = pExpire
	h[command.CmdExpireAt] = expireAt
	h[command.CmdPExpireAt] = pExpireAt
	h[command.CmdTTL] = ttl
	h[command.CmdPTTL] = pTTL
	h[command.CmdExpireTime] = expireTime
	h[command.CmdPExpireTime] = pExpireTime
	h[command.CmdPersist] = persist
	h[command.CmdRename] = rename
	h[command.CmdRenameNX] = renameNX
	h[command.CmdCopy] = copyKey
	h[command.CmdMove] = move
	h[command.CmdObjectEncoding] = objectEncoding
	h[command.CmdObjectFreq] = objectFreq
	h[command.CmdObjectIdleTime] = objectIdleTime
	h[command.CmdObjectRefCount] = objectRefCount
	h[command.CmdObjectHelp] = objectHelp
	h[command.CmdMemoryUsage] = memoryUsage
	h[command.CmdClusterCountKeysInSlot] = countKeysInSlot
	h[command.CmdClusterGetKeysInSlot] = getKeysInSlot
	h[command.CmdKeys] = keys
	h[command.CmdScan] = scan
	h[command.CmdLarderScan] = larderScan
	h[command.CmdRandomKey] = randomKey
	h[command.CmdDBSize] = dbSize
	h[command.CmdFlushDB] = flushDB
	h[command.CmdFlushAll] = flushAll
}
