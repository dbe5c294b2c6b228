package client

import (
	"larder/protocol/command"
	"larder/protocol/resp"
)

// Subscribes tells whether the replies to a command are messages.
func Subscribes(id command.ID) bool {
	switch id {
	case command.CmdSubscribe, command.CmdPSubscribe, command.CmdSSubscribe, command.CmdUnsubscribe, command.CmdPUnsubscribe, command.CmdSUnsubscribe:
		return true
	}
	return false
}

// NotInMulti is the error of a command that EXEC does not run, because it expects one reply a command (Redis 7.0 pubsub.c, replication.c); "" if it does.
func NotInMulti(id command.ID) string {
	switch id {
	case command.CmdSSubscribe:
		return "ERR SSUBSCRIBE isn't allowed for a DENY BLOCKING client"
	case command.CmdMonitor:
		return "ERR MONITOR isn't allowed for DENY BLOCKING client"
	}
	return ""
}

// Pong answers PING, whose args are of a right number; with a message where the client is subscribed and speaks RESP2 (Redis 7.2 server.c, pingCommand).
func Pong(w *resp.Writer, args [][]byte, message bool) {
	switch {
	case message:
		w.Array(2)
		w.Bulk("pong")
		if len(args) == 2 {
			w.BulkBytes(args[1])
		} else {
			w.Bulk("")
		}
	case len(args) == 2:
		w.BulkBytes(args[1])
	default:
		w.Status("PONG")
	}
}

// WhileSubscribed tells whether a client that is subscribed and speaks RESP2, to which a reply could be mistaken for a message, may say a command (Redis
// 7.2 server.c, processCommand).
func WhileSubscribed(id command.ID) bool {
	return id == command.CmdPing || id == command.CmdQuit || id == command.CmdReset || Subscribes(id)
}

// NotWhileSubscribed is the error for any other.
func NotWhileSubscribed(row *command.Row) string {
	return "ERR Can't execute '" + row.Name + "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context"
}
