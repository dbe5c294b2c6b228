package client

import (
	"strings"

	"larder/protocol/resp"
)

// NoDebug is the answer to DEBUG where nobody may say it.
const NoDebug = "ERR DEBUG command not allowed. If the enable-debug-command option is set to \"local\", you can run it from a local connection, " +
	"otherwise you need to set this option in the configuration file, and then restart the server."

// Lolwut answers LOLWUT: it draws a larder, a jar for each of full, and names the version last. VERSION's number must be one, and chooses nothing.
func Lolwut(w *resp.Writer, args [][]byte, full []bool) {
	if len(args) > 2 && strings.EqualFold(string(args[1]), "version") {
		if _, ok := resp.ParseNumber(args[2]); !ok {
			w.Error("ERR value is not an integer or out of range")
			return
		}
	}
	w.Verbatim("txt", shelves(full)+"\nRedis ver. "+Version+"\n")
}

// Role answers ROLE for who has no replicas that a client could know.
func Role(w *resp.Writer) {
	w.Array(3)
	w.Bulk("master")
	w.Int(0)
	w.Array(0)
}

// shelves draws jars on shelves, eight a shelf, full ones and empty ones, in an arched frame.
func shelves(full []bool) string {
	const perShelf = 8
	var b strings.Builder
	width := perShelf*6 + 1
	b.WriteString("  ." + strings.Repeat("~", width) + ".\n")
	for from := 0; from < len(full) && from < 2*perShelf; from += perShelf {
		shelf := full[from:min(from+perShelf, len(full))]
		for row := range 3 {
			line := " "
			for _, is := range shelf {
				line += jar(row, is)
			}
			b.WriteString(" |" + line + strings.Repeat(" ", width-len(line)) + "  |\n")
		}
		b.WriteString(" |" + strings.Repeat("=", width+2) + "|\n")
	}
	return b.String()
}

func jar(row int, full bool) string {
	switch {
	case row == 0:
		return " ,__, "
	case full:
		return " |##| "
	case row == 2:
		return " |__| "
	default:
		return " |  | "
	}
}
