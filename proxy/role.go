package proxy

import (
	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
)

// role: clients see one master; the fleet's replicas are not theirs to follow.
func (s *session) role(row *command.Row, _ [][]byte) { s.say(row, client.Role) }

// lolwut draws a jar a shard, full ones for those in reach.
func (s *session) lolwut(row *command.Row, args [][]byte) {
	full := make([]bool, len(s.p.shards))
	for i, u := range s.p.shards {
		full[i] = u.err == ""
	}
	s.say(row, func(w *resp.Writer) { client.Lolwut(w, args, full) })
}
