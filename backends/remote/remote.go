// Package remote speaks to Redis servers of others as their clients do: a migration's source, and the endpoint that it fills. An Address is what users write
// (redis://, rediss://, with +sentinel and +cluster), Primaries finds the servers that hold its data, and a Conn says commands to one of them, many at once.
//
// What must hold: no text or error of this package shows a password; a Conn ends with the context it was dialled with, and no call on it waits for longer
// than its patience. A Conn belongs to one goroutine at a time; an Address is a value.
package remote

import (
	"errors"
	"fmt"
)

// ErrAddress is what gives an address that cannot be understood; the error says what was expected.
var ErrAddress = errors.New("no address of a server")

// Refused is an error that the server itself answered, in its own words; the connection is fine.
type Refused struct {
	Addr string
	Text string // "NOPERM this user has no permissions …"
}

func (e *Refused) Error() string { return fmt.Sprintf("server %s answers: %s", e.Addr, e.Text) }

// Denied tells whether the server refuses a command to everybody or to this user: it does not have it, it is renamed, or an ACL takes it away.
func Denied(err error) bool {
	refused := (*Refused)(nil)
	if !errors.As(err, &refused) {
		return false
	}
	return hasPrefix(refused.Text, "NOPERM ", "ERR unknown command", "ERR Unknown subcommand", "ERR unknown subcommand", "ERR This instance has cluster support disabled")
}
