package command

// ID names a row. IDs are dense from 1 and may change from build to build: they are never written down anywhere.
type ID uint16

// Commands first, then subcommands; 0 is no command.
const (
	CmdPing ID = iota + 1
	CmdEcho
	CmdHello
	CmdAuth
	CmdSelect
	CmdQuit
	CmdReset
	CmdClient
	CmdCommand
	CmdInfo
	CmdConfig
	CmdMemory
	CmdTime
	CmdDBSize
	CmdFlushAll
	CmdFlushDB
	CmdShutdown
	CmdCluster
	CmdReadOnly
	CmdReadWrite
	CmdAsking
	CmdDel
	CmdUnlink
	CmdExists
	CmdTouch
	CmdExpire
	CmdPExpire
	CmdExpireAt
	CmdPExpireAt
	CmdTTL
	CmdPTTL
	CmdExpireTime
	CmdPExpireTime
	CmdPersist
	CmdRename
	CmdRenameNX
	CmdCopy
	CmdMove
	CmdType
	CmdKeys
	CmdScan
	CmdRandomKey
	CmdObject
	CmdGet
	CmdSet
	CmdSetNX
	CmdSetEx
	CmdPSetEx
	CmdGetSet
	CmdGetEx
	CmdGetDel
	CmdMGet
	CmdMSet
	CmdMSetNX
	CmdAppend
	CmdStrLen
	CmdGetRange
	CmdSubstr
	CmdSetRange
	CmdIncr
	CmdDecr
	CmdIncrBy
	CmdDecrBy
	CmdIncrByFloat
	CmdLCS
	CmdSetBit
	CmdGetBit
	CmdBitCount
	CmdBitPos
	CmdBitOp
	CmdBitField
	CmdBitFieldRO
	CmdLarder

	CmdClientID
	CmdClientInfo
	CmdClientList
	CmdClientSetName
	CmdClientGetName
	CmdClientSetInfo
	CmdClientNoEvict
	CmdClientNoTouch
	CmdClientReply
	CmdClientKill
	CmdClientPause
	CmdClientUnpause
	CmdClientUnblock
	CmdClientHelp
	CmdCommandCount
	CmdCommandDocs
	CmdCommandGetKeys
	CmdCommandGetKeysAndFlags
	CmdCommandHelp
	CmdCommandInfo
	CmdCommandList
	CmdConfigGet
	CmdConfigSet
	CmdConfigResetStat
	CmdConfigHelp
	CmdMemoryDoctor
	CmdMemoryMallocStats
	CmdMemoryPurge
	CmdMemoryStats
	CmdMemoryUsage
	CmdMemoryHelp
	CmdClusterSlots
	CmdClusterShards
	CmdClusterNodes
	CmdClusterInfo
	CmdClusterKeySlot
	CmdClusterMyID
	CmdClusterCountKeysInSlot
	CmdClusterGetKeysInSlot
	CmdClusterHelp
	CmdObjectEncoding
	CmdObjectFreq
	CmdObjectIdleTime
	CmdObjectRefCount
	CmdObjectHelp
	CmdLarderHello
	CmdLarderTerm
	CmdLarderAssign
	CmdLarderScan
	CmdLarderHelp

	afterLast
)

// NumIDs is how many rows there are: the greatest ID.
const NumIDs = int(afterLast) - 1
