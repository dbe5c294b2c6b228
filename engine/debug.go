package engine

import (
	"strings"

	"larder/engine/commands"
	"larder/protocol/command"
)

// DEBUG is for those who test a server, not for applications: it may stop the node, and some of it looks at every key. Who may say it is
// enable-debug-command's to tell, which is no unless the node was started otherwise.

// debugging is what DEBUG has changed of the node.
type debugging struct {
	keepExpired bool     // SET-ACTIVE-EXPIRE 0: dead keys go only when somebody looks at them
	idle        bool     // PAUSE-CRON 1: nothing is done that only time asks for
	leaked      []string // LEAK
}

// debugCommand is one subcommand, with how many arguments it takes behind its name. Redis has no rows for them.
type debugCommand struct {
	name        string
	least, most int
	args        string // for HELP
	meaning     string
	run         func(s *session, args [][]byte)
}

const debugAnyArgs = 1 << 30

// debugCommands are all there are, in the order of their names. HELP reads the table, which is why it is made by a function.
func debugCommands() []debugCommand {
	return []debugCommand{
		{"AOF-FLUSH-SLEEP", 1, 1, "<microseconds>", "Accepted: this node has no append-only file to wait for.", debugNothing},
		{"ASSERT", 0, 0, "", "Ends the process as a broken invariant would.", debugDie},
		{"CHANGE-REPL-ID", 0, 0, "", "Gives the node another id for replication.", debugChangeReplID},
		{"CLIENT-EVICTION", 0, 0, "", "Tells how clients are ordered by their memory.", debugClientEviction},
		{"CLUSTERLINK", 3, 3, "KILL <to|from|all> <node-id>", "Refused: this node has no links of a cluster.", debugClusterLink},
		{"CONFIG-REWRITE-FORCE-ALL", 0, 0, "", "Refused: CONFIG REWRITE needs a file.", debugRewriteAll},
		{"CRASH-AND-RECOVER", 0, 1, "[<milliseconds>]", "Refused: who started the process starts it again.", debugRestart},
		{"DICT-RESIZING", 1, 1, "<0|1>", "Accepted: the index grows and shrinks by a bucket at a time.", debugNothing},
		{"DIGEST", 0, 0, "", "Gives the digest of all databases.", debugDigest},
		{"DIGEST-VALUE", 0, debugAnyArgs, "[<key> ...]", "Gives the digest of each key's value.", debugDigestValue},
		{"DROP-CLUSTER-PACKET-FILTER", 1, 1, "<type>", "Accepted: no packets of a cluster come.", debugNothing},
		{"ERROR", 1, 1, "<text>", "Answers an error with this text.", debugError},
		{"HELP", 0, 0, "", "Prints this help.", debugHelp},
		{"HTSTATS", 1, 1, "<db>", "Tells how full the index of a database is.", debugHTStats},
		{"HTSTATS-KEY", 1, 1, "<key>", "Tells how many elements a value has that is kept by hash.", debugHTStatsKey},
		{"LEAK", 1, 1, "<text>", "Keeps the text for ever.", debugLeak},
		{"LISTPACK", 1, 1, "<key>", "Checks that a value is a listpack.", debugListpack},
		{"LOADAOF", 0, 0, "", "Refused: this node has no append-only file.", debugLoadAOF},
		{"LOG", 1, 1, "<text>", "Writes the text to the node's log.", debugLog},
		{"MALLCTL", 1, 2, "<name> [<number>]", "Refused: the allocator has no such settings.", debugMallctl},
		{"MALLCTL-STR", 1, 2, "<name> [<text>]", "Refused: the allocator has no such settings.", debugMallctlText},
		{"OBJECT", 1, 1, "<key>", "Tells how a key's value is kept.", onKeys((*commands.Call).DebugObject)},
		{"OOM", 0, 0, "", "Ends the process as a lack of memory would.", debugDie},
		{"PANIC", 0, 0, "", "Ends the process as a broken invariant would.", debugDie},
		{"PAUSE-CRON", 1, 1, "<0|1>", "With 1 nothing is done that only time asks for, such as expiry.", debugPauseCron},
		{"POPULATE", 1, 3, "<count> [<prefix> [<size>]]", "Makes keys prefix:0, prefix:1 and so on, key:0 without a prefix.", debugPopulate},
		{"PROTOCOL", 1, 1, "<type>", "Answers a value of the type, such as double or push.", debugProtocol},
		{"QUICKLIST", 1, 2, "<key> [<0|1>]", "Checks that a value is a quicklist.", debugQuicklist},
		{"QUICKLIST-PACKED-THRESHOLD", 1, 1, "<size>", "Accepted: a large element of a list is kept as any other.", debugPackedThreshold},
		{"RELOAD", 0, debugAnyArgs, "[NOSAVE] [NOFLUSH] [MERGE]", "Saves to the node's file and loads what is there.", debugReload},
		{"REPLICATE", 2, debugAnyArgs, "<target> <argument> [<argument> ...]", "Accepted: nobody replicates this node.", debugNothing},
		{"REPLYBUFFER", 2, 2, "RESIZING|PEAK-RESET-TIME <value>", "Accepted: replies have no buffers of a size of their own.", debugReplyBuffer},
		{"RESTART", 0, 1, "[<milliseconds>]", "Refused: who started the process starts it again.", debugRestart},
		{"SDSLEN", 1, 1, "<key>", "Tells the lengths of a key and of its text.", onKeys((*commands.Call).DebugSDSLen)},
		{"SEGFAULT", 0, 0, "", "Ends the process as a wrong address would.", debugDie},
		{"SET-ACTIVE-EXPIRE", 1, 1, "<0|1>", "With 0 dead keys go only when somebody looks at them.", debugActiveExpire},
		{"SET-DISABLE-DENY-SCRIPTS", 1, 1, "<0|1>", "Accepted: scripts may run every command on data.", debugNothing},
		{"SET-SKIP-CHECKSUM-VALIDATION", 1, 1, "<0|1>", "With 1 RESTORE does not look at checksums.", debugSkipChecksum},
		{"SLEEP", 1, 1, "<seconds>", "Stops the node for a while; decimals are allowed.", debugSleep},
		{"STRINGMATCH-LEN", 2, 2, "<pattern> <text>", "Answers 1 if the text matches the pattern, else 0.", debugMatch},
		{"STRINGMATCH-TEST", 0, 0, "", "Tries many patterns by chance.", debugMatchTest},
		{"STRUCTSIZE", 0, 0, "", "Tells the sizes of what a key takes.", debugStructSize},
	}
}

const (
	debugNo = "no"
	// debugLocal allows DEBUG to those who come from the machine itself.
	debugLocal = "local"
	debugYes   = "yes"
)

// DebugCommands are the values that Options.DebugCommand may have.
func DebugCommands() []string { return []string{debugNo, debugLocal, debugYes} }

// mayDebug tells whether the client may say DEBUG.
func (s *session) mayDebug() bool {
	switch s.p.n.opts.DebugCommand {
	case debugYes:
		return true
	case debugLocal:
		return s.c.Peer().Addr().Unmap().IsLoopback()
	}
	return false
}

func debug(s *session, args [][]byte) {
	name := strings.ToUpper(string(args[1]))
	for _, d := range debugCommands() {
		if n := len(args) - 2; d.name == name && d.least <= n && n <= d.most {
			d.run(s, args)
			return
		}
	}
	s.fail(command.SubArgumentsError(args))
}

func debugHelp(s *session, _ [][]byte) {
	all := debugCommands()
	s.p.w.Array(1 + 2*len(all))
	s.p.w.Status("DEBUG <subcommand> [<arg> [value] [opt] ...]. Subcommands are:")
	for _, d := range all {
		s.p.w.Status(strings.TrimSpace(d.name + " " + d.args))
		s.p.w.Status("    " + d.meaning)
	}
}

func debugNothing(s *session, _ [][]byte) { s.ok() }

// onKeys runs what looks at keys of the client's database.
func onKeys(f func(*commands.Call)) func(*session, [][]byte) {
	return func(s *session, args [][]byte) { f(s.debugCall(args)) }
}

// debugCall makes the part's call ready for a subcommand.
func (s *session) debugCall(args [][]byte) *commands.Call {
	c := &s.p.call
	c.Reset(command.ByID(command.CmdDebug), args)
	c.DB, c.DBIndex = s.db, s.dbIndex
	return c
}
