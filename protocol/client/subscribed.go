package client

import "larder/protocol/command"

// WhileSubscribed tells whether a client that is subscribed and speaks RESP2, to which a reply could be mistaken for a message, may say a command (Redis
// 7.2 server.c, processCommand).
func WhileSubscribed(id command.ID) bool {
	switch id {
	case command.CmdPing, command.CmdQuit, command.CmdReset, command.CmdSubscribe, command.CmdPSubscribe, command.CmdSSubscribe,
		command.CmdUnsubscribe, command.CmdPUnsubscribe, command.CmdSUnsubscribe:
		return true
	}
	return false
}

// NotWhileSubscribed is the error for any other.
func NotWhileSubscribed(row *command.Row) string {
	return "ERR Can't execute '" + row.Name + "': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context"
}
