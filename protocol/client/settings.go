package client

import (
	"strconv"
	"strings"

	"larder/protocol/command"
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
		return "ERR Unrecognized option '" + string(option) + "'"
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

// ParsePause reads what stands behind CLIENT PAUSE. The one before it is made longer and stronger, never shorter or weaker.
func ParsePause(args [][]byte, before Pause, nowMS int64) (Pause, string) {
	all := true
	if len(args) > 1 {
		switch strings.ToLower(string(args[1])) {
		case "write":
			all = false
		case "all":
		default:
			return before, "ERR CLIENT PAUSE mode must be WRITE or ALL"
		}
	}
	ms, err := strconv.ParseInt(string(args[0]), 10, 64)
	if err != nil {
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
