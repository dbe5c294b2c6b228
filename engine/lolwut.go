package engine

import "larder/protocol/client"

// role: a node is a master without replicas.
func role(s *session, _ [][]byte) { client.Role(&s.p.w) }

// lolwut draws as many jars as there are databases, full ones and empty ones.
func lolwut(s *session, args [][]byte) {
	filled := make([]bool, s.p.store.Databases())
	for i := range filled {
		filled[i] = s.p.store.DB(i).Len() > 0
	}
	client.Lolwut(&s.p.w, args, filled)
}
