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
	s.proto = proto
	s.say(row, func(w *resp.Writer) { client.WriteHello(w, s.id) })
}

func (s *session) auth(row *command.Row, args [][]byte) {
	s.okUnless(row, client.Auth(s, args, s.p.g.settings.Load().password))
}

// Login, LoggedIn and SetName make the session a client.Session.
func (s *session) Login(user, password []byte) bool {
	if !client.Admits(s.p.g.settings.Load().password, user, password) {
		s.p.count.loginsFailed++
		return false
	}
	s.authed = true
	s.requests.SetLimits(s.p.g.limits(true))
	return true
}

// LoggedIn tells whether the client may run commands.
func (s *session) LoggedIn() bool { return s.authed }

// SetName is what CLIENT SETNAME does.
func (s *session) SetName(name string) { s.name = name }
