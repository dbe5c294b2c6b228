package slow

import (
	"slices"
	"strings"

	"larder/protocol/command"
)

// shownSecret stands for an argument that nobody may see.
var shownSecret = []byte("(redacted)")

// Redacted gives a command's arguments as MONITOR and the slow log may show them: without passwords, and without what tells of users (Redis 7.2, wherever it
// calls redactClientCommandArgument). args stays as it is.
func Redacted(row *command.Row, args [][]byte) [][]byte {
	shown := args
	hide := func(from, to int) {
		if from >= len(args) {
			return
		}
		if &shown[0] == &args[0] {
			shown = slices.Clone(args)
		}
		for i := from; i < min(to, len(args)); i++ {
			shown[i] = shownSecret
		}
	}
	switch row.ID {
	case command.CmdAuth:
		hide(1, len(args))
	case command.CmdACLSetUser, command.CmdACLDelUser:
		hide(2, len(args))
	case command.CmdACLGetUser:
		hide(2, 3)
	case command.CmdHello:
		hideAfter(args, 2, "auth", 2, hide)
	case command.CmdConfigSet:
		for i := 2; i < len(args); i += 2 {
			if secretParameters[strings.ToLower(string(args[i]))] {
				hide(i+1, i+2)
			}
		}
	}
	if row.Name == "migrate" { // its words begin behind host, port, key, database and timeout
		const words = 6
		hideAfter(args, words, "auth", 1, hide)
		hideAfter(args, words, "auth2", 2, hide)
	}
	return shown
}

// hideAfter hides the n arguments behind each occurrence of a word.
func hideAfter(args [][]byte, from int, word string, n int, hide func(from, to int)) {
	for i := from; i < len(args); i++ {
		if strings.ToLower(string(args[i])) == word {
			hide(i+1, i+1+n)
			i += n
		}
	}
}

// secretParameters are those of CONFIG SET whose values are passwords or belong to one.
var secretParameters = map[string]bool{
	"requirepass": true, "masterauth": true, "masteruser": true, "tls-key-file-pass": true, "tls-client-key-file-pass": true,
}
