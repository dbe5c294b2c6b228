package client

import (
	"math"
	"strings"

	"larder/protocol/command"
	"larder/protocol/resp"
)

// BadName is the answer to a name that is not valid.
const BadName = "ERR Client names cannot contain spaces, newlines or special characters."

// ValidName tells whether CLIENT SETNAME takes the name: what CLIENT LIST can show in one line. The empty one takes a name away.
func ValidName(name []byte) bool {
	for _, c := range name {
		if c < '!' || c > '~' {
			return false
		}
	}
	return true
}

// Library is what CLIENT SETINFO says of a client.
type Library struct{ Name, Version string }

// Set takes what stands behind CLIENT SETINFO.
func (l *Library) Set(option, value []byte) string {
	field := &l.Name
	switch {
	case strings.EqualFold(string(option), "lib-name"):
	case strings.EqualFold(string(option), "lib-ver"):
		field = &l.Version
	default:
		return "ERR Unrecognized option " + command.Quote(option)
	}
	if !ValidName(value) {
		return "ERR " + strings.ToLower(string(option)) + " cannot contain spaces, newlines or special characters."
	}
	*field = string(value)
	return ""
}

// ParseOnOff reads the word of CLIENT NO-EVICT and NO-TOUCH.
func ParseOnOff(word []byte) (on bool, wrong string) {
	switch {
	case strings.EqualFold(string(word), "on"):
		return true, ""
	case strings.EqualFold(string(word), "off"):
		return false, ""
	default:
		return false, errSyntax
	}
}

// Pause is a CLIENT PAUSE; the zero one holds nothing back.
type Pause struct {
	UntilMS int64 // unix
	All     bool  // reads too
}

// pauseMaxMS bounds what is added to the time of day, so that it cannot overflow.
const pauseMaxMS = 1 << 50

// ParsePause reads a CLIENT PAUSE with both its words. The one before it is made longer and stronger, never shorter or weaker.
func ParsePause(args [][]byte, before Pause, nowMS int64) (Pause, string) {
	all := true
	if len(args) > 4 {
		return before, command.SubArgumentsError(args)
	}
	if len(args) > 3 {
		switch strings.ToLower(string(args[3])) {
		case "write":
			all = false
		case "all":
		default:
			return before, "ERR CLIENT PAUSE mode must be WRITE or ALL"
		}
	}
	ms, ok := resp.ParseNumber(args[2])
	if !ok {
		return before, "ERR timeout is not an integer or out of range"
	}
	if ms < 0 {
		return before, "ERR timeout is negative"
	}
	next := Pause{UntilMS: nowMS + min(ms, pauseMaxMS), All: all}
	if before.Active(nowMS) {
		next.UntilMS = max(next.UntilMS, before.UntilMS)
		next.All = next.All || before.All
	}
	return next, ""
}

// Active tells whether the pause lasts.
func (p Pause) Active(nowMS int64) bool { return nowMS < p.UntilMS }

// Holds tells whether a command has to wait while the pause lasts. CLIENT is always heard, or nobody could end the pause.
func (p Pause) Holds(row *command.Row) bool {
	if row.Parent == command.CmdClient {
		return false
	}
	return p.All || row.Flags&(command.Write|command.MayReplicate) != 0
}

// ParseDB reads the number that SELECT is given, for a server with so many databases (Redis 7.0 db.c, selectCommand).
func ParseDB(word []byte, databases int) (db int, wrong string) {
	n, ok := resp.ParseNumber(word)
	switch {
	case !ok:
		return 0, "ERR value is not an integer or out of range"
	case n < math.MinInt32 || n > math.MaxInt32:
		return 0, "ERR value is out of range, value must between -2147483648 and 2147483647"
	case n < 0 || n >= int64(databases):
		return 0, "ERR DB index is out of range"
	default:
		return int(n), ""
	}
}

// ParseProto reads the protocol version that HELLO is given (Redis 7.0 networking.c, helloCommand).
func ParseProto(word []byte) (version int, wrong string) {
	n, ok := resp.ParseNumber(word)
	switch {
	case !ok:
		return 0, "ERR Protocol version is not an integer or out of range"
	case n < 2 || n > 3:
		return 0, "NOPROTO unsupported protocol version"
	default:
		return int(n), ""
	}
}
