package proxy

import (
	"larder/protocol/client"
	"larder/protocol/command"
	"larder/protocol/resp"
)

const textSyntax = "ERR syntax error"

// hello changes the protocol version, from its own reply on.
func (s *session) hello(row *command.Row, args [][]byte) {
	proto, wrong := client.Hello(s, args, s.proto)
	if wrong != "" {
		s.refuse(row, wrong)
		return
	}
	if s.proto != proto && s.watch != nil {
		s.loseWatch() // its lane speaks the other protocol
	}
	if s.proto != proto && s.ears != nil {
		s.ears.mail.seal()
	}
	s.proto = proto
	s.chooseLine()
	s.say(row, func(w *resp.Writer) { client.WriteHello(w, s.id) })
}

func (s *session) auth(row *command.Row, args [][]byte) {
	configured := ""
	if u := s.p.g.users.Load().Default(); !u.NoPass {
		configured = "a password" // of which only is asked whether there is one
	}
	s.okUnless(row, client.Auth(s, args, configured))
}

// Login makes the session a user's if the password is right. With LoggedIn and SetName the session is a client.Session.
func (s *session) Login(user, password []byte) bool {
	u := s.p.g.users.Load().Get(string(user))
	if u == nil || !u.Admits(password) {
		s.p.count.loginsFailed++
		s.noteRefusal("auth", "AUTH", string(user))
		return false
	}
	s.be(u, true)
	return true
}

// LoggedIn tells whether the client may run commands.
func (s *session) LoggedIn() bool { return s.authed }

// SetName is what CLIENT SETNAME does.
func (s *session) SetName(name string) { s.name = name }
