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

func auth(s *session, args [][]byte) { s.okUnless(client.Auth(s, args, s.p.set.password)) }

// Login, LoggedIn and SetName make the session a client.Session.
func (s *session) Login(user, password []byte) bool {
	if !client.Admits(s.p.set.password, user, password) {
		s.p.count.loginsFailed++
		return false
	}
	s.setAuthed(true)
	return true
}

// LoggedIn tells whether the client may run commands.
func (s *session) LoggedIn() bool { return s.authed }

// SetName is what CLIENT SETNAME does.
func (s *session) SetName(name string) { s.name = name }
