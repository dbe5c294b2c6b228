package engine

import (
	"crypto/subtle"
	"strings"

	"larder/protocol/client"
	"larder/protocol/command"
)

// serverVersion is the Redis release whose behaviour is offered.
const serverVersion = "7.2.4"

const (
	errSyntax    = "ERR syntax error"
	errWrongPass = "WRONGPASS invalid username-password pair or user is disabled."
	errNoPass    = "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"
	errHelloAuth = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time"
)

func lower(word []byte) string { return strings.ToLower(string(word)) }

// hello changes the protocol version, from its own reply on. Its options take effect one after the other, also if a later one is wrong (Redis 7.0
// networking.c, helloCommand).
func hello(s *session, args [][]byte) {
	proto := s.proto
	if len(args) > 1 {
		var wrong string
		if proto, wrong = client.ParseProto(args[1]); wrong != "" {
			s.fail(wrong)
			return
		}
	}
	for rest := args[min(2, len(args)):]; len(rest) > 0; {
		switch word := lower(rest[0]); {
		case word == "auth" && len(rest) >= 3:
			if !s.login(rest[1], rest[2]) {
				s.fail(errWrongPass)
				return
			}
			rest = rest[3:]
		case word == "setname" && len(rest) >= 2:
			if !client.ValidName(rest[1]) {
				s.fail(client.BadName)
				return
			}
			s.name = string(rest[1])
			rest = rest[2:]
		default:
			s.fail("ERR Syntax error in HELLO option " + command.Quote(rest[0]))
			return
		}
	}
	if !s.authed {
		s.fail(errHelloAuth)
		return
	}
	s.setProto(proto)
	s.writeHello()
}

func (s *session) writeHello() {
	w := &s.p.w
	w.Map(7)
	w.Bulk("server")
	w.Bulk("redis")
	w.Bulk("version")
	w.Bulk(serverVersion)
	w.Bulk("proto")
	w.Int(int64(s.proto))
	w.Bulk("id")
	w.Int(int64(s.id))
	w.Bulk("mode")
	w.Bulk("standalone")
	w.Bulk("role")
	w.Bulk("master")
	w.Bulk("modules")
	w.Array(0)
}

// login checks a password. Without one configured everything is right for the default user.
func (s *session) login(user, password []byte) bool {
	want := s.p.set.password
	if string(user) != "default" || want != "" && subtle.ConstantTimeCompare(password, []byte(want)) != 1 {
		s.p.count.loginsFailed++
		return false
	}
	s.setAuthed(true)
	return true
}

func auth(s *session, args [][]byte) {
	user, password := []byte("default"), args[1]
	switch {
	case len(args) > 3:
		s.fail(errSyntax)
		return
	case len(args) == 3:
		user, password = args[1], args[2]
	case s.p.set.password == "":
		s.fail(errNoPass)
		return
	}
	if !s.login(user, password) {
		s.fail(errWrongPass)
		return
	}
	s.ok()
}
