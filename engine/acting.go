package engine

import (
	"slices"

	"larder/access/users"
)

// saidUser is the user that a lane has said last, kept because the same comes again and again.
type saidUser struct {
	rules []string
	user  *users.User
}

// larderUser notes for whom the gateway has scripts run from now on. The gateway judges all other commands itself; what a script does, only the node sees.
func larderUser(s *session, args [][]byte) {
	if len(args) == 2 {
		s.acts = nil
		s.ok()
		return
	}
	words := make([]string, 0, len(args)-2)
	for _, arg := range args[2:] {
		words = append(words, string(arg))
	}
	said := &s.p.saidUser
	if said.user == nil || !slices.Equal(said.rules, words) {
		u, err := users.Of(words[0], words[1:])
		if err != nil {
			s.fail("ERR " + err.Error())
			return
		}
		*said = saidUser{words, u}
	}
	s.acts = said.user
	s.ok()
}

// scriptUser is whose rights the session's scripts have.
func (s *session) scriptUser() *users.User {
	if s.acts != nil {
		return s.acts
	}
	return s.user
}

// scriptLimited tells whether that user may not do everything.
func (s *session) scriptLimited() bool { return s.acts != nil || s.limited }
