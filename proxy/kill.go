package proxy

import (
	"strconv"
	"strings"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// killFilter is CLIENT KILL's choice; zero fields choose everything.
type killFilter struct {
	id          uint64
	addr, laddr string
	kind, user  string
	skipMe      bool
	old         bool // CLIENT KILL ip:port: OK or an error, and oneself is not spared
}

func parseKill(args [][]byte) (killFilter, string) {
	if len(args) == 1 {
		return killFilter{addr: string(args[0]), old: true}, ""
	}
	f := killFilter{skipMe: true}
	if len(args)%2 != 0 {
		return f, textSyntax
	}
	for ; len(args) > 0; args = args[2:] {
		value := string(args[1])
		switch strings.ToLower(string(args[0])) {
		case "id":
			id, err := strconv.ParseInt(value, 10, 64)
			if err != nil || id < 1 {
				return f, "ERR client-id should be greater than 0"
			}
			f.id = uint64(id)
		case "type":
			kind, ok := clientType(args[1])
			if !ok {
				return f, "ERR Unknown client type '" + value + "'"
			}
			f.kind = kind
		case "addr":
			f.addr = value
		case "laddr":
			f.laddr = value
		case "user":
			if value != "default" {
				return f, "ERR No such user '" + value + "'"
			}
			f.user = value
		case "skipme":
			switch strings.ToLower(value) {
			case "yes":
				f.skipMe = true
			case "no":
				f.skipMe = false
			default:
				return f, textSyntax
			}
		default:
			return f, textSyntax
		}
	}
	return f, ""
}

func (f *killFilter) chooses(s *session) bool {
	return (f.id == 0 || f.id == s.id) &&
		(f.addr == "" || f.addr == s.c.Peer().String()) &&
		(f.laddr == "" || f.laddr == s.c.Local().String()) &&
		(f.kind == "" || f.kind == "normal")
}

// kill closes clients on every loop. Oneself is closed behind the reply.
func (s *session) kill(row *command.Row, args [][]byte) {
	f, text := parseKill(args)
	if text != "" {
		s.refuse(row, text)
		return
	}
	killed, me := 0, false
	seq := s.push(row)
	s.p.everywhere(func(p *part) {
		for _, other := range p.sessions {
			switch {
			case !f.chooses(other):
			case other == s:
				if !f.skipMe {
					me = true
					killed++
				}
			default:
				killed++
				other.c.Close()
			}
		}
	}, func() {
		s.later(seq, func(w *resp.Writer) {
			switch {
			case f.old && killed == 0:
				w.Error("ERR No such client")
			case f.old:
				w.OK()
			default:
				w.Int(int64(killed))
			}
		})
		if me && !s.gone {
			s.finish()
		}
	})
}
