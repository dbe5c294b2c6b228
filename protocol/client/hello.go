package client

import (
	"strings"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// Version is the Redis release whose behaviour is offered.
const Version = "7.2.4"

const (
	errWrongPass = "WRONGPASS invalid username-password pair or user is disabled."
	errNoPass    = "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?"
	errHelloAuth = "NOAUTH HELLO must be called with the client already authenticated, otherwise the HELLO AUTH <user> <pass> option can be used to authenticate the client and select the RESP protocol version at the same time"
)

// Session is who says HELLO or AUTH.
type Session interface {
	// Login lets the client in, or not.
	Login(user, password []byte) bool
	// LoggedIn tells whether it is in.
	LoggedIn() bool
	SetName(name string)
}

// Hello runs HELLO for a client that speaks version proto, and gives the version from its reply on. Its options take effect one after the other, also if
// a later one is wrong (Redis 7.0 networking.c, helloCommand).
func Hello(s Session, args [][]byte, proto int) (version int, wrong string) {
	version = proto
	if len(args) > 1 {
		if version, wrong = ParseProto(args[1]); wrong != "" {
			return proto, wrong
		}
	}
	for rest := args[min(2, len(args)):]; len(rest) > 0; {
		switch word := strings.ToLower(string(rest[0])); {
		case word == "auth" && len(rest) >= 3:
			if !s.Login(rest[1], rest[2]) {
				return proto, errWrongPass
			}
			rest = rest[3:]
		case word == "setname" && len(rest) >= 2:
			if !ValidName(rest[1]) {
				return proto, BadName
			}
			s.SetName(string(rest[1]))
			rest = rest[2:]
		default:
			return proto, "ERR Syntax error in HELLO option " + command.Quote(rest[0])
		}
	}
	if !s.LoggedIn() {
		return proto, errHelloAuth
	}
	return version, ""
}

// WriteHello answers HELLO.
func WriteHello(w *resp.Writer, id uint64) {
	w.Map(7)
	w.Bulk("server")
	w.Bulk("redis")
	w.Bulk("version")
	w.Bulk(Version)
	w.Bulk("proto")
	w.Int(int64(w.Proto))
	w.Bulk("id")
	w.Int(int64(id))
	w.Bulk("mode")
	w.Bulk("standalone")
	w.Bulk("role")
	w.Bulk("master")
	w.Bulk("modules")
	w.Array(0)
}

// Auth runs AUTH; password is the one that is configured, "" = none.
func Auth(s Session, args [][]byte, password string) (wrong string) {
	user, given := []byte(defaultUser), args[1]
	switch {
	case len(args) > 3:
		return errSyntax
	case len(args) == 3:
		user, given = args[1], args[2]
	case password == "":
		return errNoPass
	}
	if !s.Login(user, given) {
		return errWrongPass
	}
	return ""
}

const defaultUser = "default"
