package engine

import (
	"strings"

	"larder/protocol/client"
)

const errSyntax = "ERR syntax error"

func lower(word []byte) string { return strings.ToLower(string(word)) }

func hello(s *session, args [][]byte) {
	proto, wrong := client.Hello(s, args, s.proto)
	if wrong != "" {
		s.fail(wrong)
		return
	}
	s.setProto(proto)
	client.WriteHello(&s.p.w, s.id)
}

func auth(s *session, args [][]byte) {
	configured := ""
	if u := s.p.users.Default(); !u.NoPass {
		configured = "a password" // of which only is asked whether there is one
	}
	s.okUnless(client.Auth(s, args, configured))
}

// Login makes the session a user's if the password is right. With LoggedIn and SetName the session is a client.Session.
func (s *session) Login(user, password []byte) bool {
	u := s.p.users.Get(string(user))
	if u == nil || !u.Admits(password) {
		s.p.count.loginsFailed++
		s.noteRefusal("auth", "AUTH", string(user))
		return false
	}
	s.be(u)
	s.setAuthed(true)
	return true
}

// LoggedIn tells whether the client may run commands.
func (s *session) LoggedIn() bool { return s.authed }

// SetName is what CLIENT SETNAME does.
func (s *session) SetName(name string) { s.name = name }
