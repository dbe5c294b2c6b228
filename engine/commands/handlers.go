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

	h[command.CmdDel] = del
	h[command.CmdUnlink] = del
	h[command.CmdExists] = exists
	h[command.CmdTouch] = touch
	h[command.CmdType] = typeOf
	return h
}
