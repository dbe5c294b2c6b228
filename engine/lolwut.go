package engine

import "larder/protocol/client"

// lolwut draws as many jars as there are databases, full ones and empty ones.
func lolwut(s *session, args [][]byte) {
	filled := make([]bool, s.p.store.Databases())
	for i := range filled {
		filled[i] = s.p.store.DB(i).Len() > 0
	}
	client.Lolwut(&s.p.w, args, filled)
}
