package engine

import (
	"strings"

	"larder/protocol/client"
	"larder/protocol/resp"
)

// role: a node is a master without replicas.
func role(s *session, _ [][]byte) {
	w := &s.p.w
	w.Array(3)
	w.Bulk("master")
	w.Int(0)
	w.Array(0)
}

// lolwut draws a larder, as much of it as there are databases with keys in them, and names the version last. VERSION's number must be one, and chooses
// nothing.
func lolwut(s *session, args [][]byte) {
	if len(args) > 2 && lower(args[1]) == "version" {
		if _, ok := resp.ParseNumber(args[2]); !ok {
			s.fail(errNotInt)
			return
		}
	}
	filled := make([]bool, s.p.store.Databases())
	for i := range filled {
		filled[i] = s.p.store.DB(i).Len() > 0
	}
	s.p.w.Verbatim("txt", shelves(filled)+"\nRedis ver. "+client.Version+"\n")
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
