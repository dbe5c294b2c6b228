package proxy

import (
	"larder/protocol/command"
	"larder/protocol/resp"
)

// rowOwn marks the ticket of a word of the gateway's own whose answer is told to somebody, good or bad; a word without it only has to be good.
var rowOwn = command.ByID(command.CmdLarder)

// tell puts a word of the gateway's own on the lane, before the next command. then hears the answer, or nil if the lane is lost before.
func (ln *lane) tell(then func(reply []byte), args ...[]byte) {
	at := len(ln.log)
	ln.log = resp.AppendCommand(ln.log, args...)
	ln.thens = append(ln.thens, then)
	ln.commit(at, ticket{row: rowOwn})
}

// told hands the answer of the oldest such word to who waits for it.
func (ln *lane) told(reply []byte) {
	then := ln.thens[0]
	ln.thens[0] = nil
	ln.thens = ln.thens[1:]
	then(reply)
}

// untold ends those that wait for an answer which will not come.
func (ln *lane) untold() {
	waiting := ln.thens
	ln.thens = nil
	for _, then := range waiting {
		then(nil)
	}
}
