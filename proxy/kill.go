package proxy

import (
	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// kill closes clients on every loop. Oneself is closed behind the reply.
func (s *session) kill(row *command.Row, args [][]byte) {
	k, text := client.ParseKill(args, func(user string) bool { return s.p.g.users.Load().Get(user) != nil })
	if text != "" {
		s.refuse(row, text)
		return
	}
	killed, me := 0, false
	seq := s.push(row)
	s.p.everywhere(func(p *part) {
		for _, other := range p.sessions {
			switch {
			case !k.Chooses(other.id, other.kind(), other.user.Name, other.c):
			case other == s:
				if !k.SkipMe {
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
			case k.Old && killed == 0:
				w.Error("ERR No such client")
			case k.Old:
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
