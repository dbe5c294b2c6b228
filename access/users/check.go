package users

import (
	"slices"

	"larder/protocol/command"
)

// Verdict says whether a command may run, or what is in its way.
type Verdict uint8

// In the order in which they matter: of several selectors' reasons the greatest is told.
const (
	Allowed Verdict = iota
	DeniedCommand
	DeniedKey
	DeniedChannel
)

// Check decides about a command. at is the argument that is in the way, of DeniedKey and DeniedChannel. A user's selectors are not added up: one of them
// must allow all of the command.
func (u *User) Check(row *command.Row, args [][]byte) (v Verdict, at int) {
	for _, s := range u.selectors {
		reason, index := s.check(row, args)
		if reason == Allowed {
			return Allowed, 0
		}
		if reason > v || reason == v && index > at {
			v, at = reason, index
		}
	}
	return v, at
}

func (s *selector) check(row *command.Row, args [][]byte) (Verdict, int) {
	if !s.allows(row, args) {
		return DeniedCommand, 0
	}
	if !s.allKeys {
		at, flags := row.KeysAndFlags(args)
		for i, n := range at {
			if !s.allowsKey(args[n], flags[i]) {
				return DeniedKey, n
			}
		}
	}
	if !s.allChannels {
		first, last, pattern := channelsOf(row, args)
		for i := first; i < last; i++ {
			if !s.allowsChannel(args[i], pattern) {
				return DeniedChannel, i
			}
		}
	}
	return Allowed, 0
}

func (s *selector) allows(row *command.Row, args [][]byte) bool {
	if row.ID == 0 {
		return s.allowsForeign(row)
	}
	return row.Flags.Has(command.NoAuth) || s.commands[row.ID] || s.allowsFirst(row, args)
}

// allowsFirst looks for rules such as +select|0.
func (s *selector) allowsFirst(row *command.Row, args [][]byte) bool {
	if len(s.firstArgs) == 0 || len(args) < 2 {
		return false
	}
	return slices.ContainsFunc(s.firstArgs[row.ID], func(arg string) bool { return command.EqualFold(args[1], arg) })
}

// allowsKey: looking at a value needs the right to read, changing it the right to write.
func (s *selector) allowsKey(key []byte, flags command.KeyFlags) bool {
	if flags&command.KeyNotKey != 0 {
		return true
	}
	read := flags&command.KeyAccess != 0
	write := flags&(command.KeyInsert|command.KeyDelete|command.KeyUpdate) != 0
	for _, p := range s.keys {
		if (p.read || !read) && (p.write || !write) && command.Match([]byte(p.glob), key) {
			return true
		}
	}
	return false
}

// CheckKey decides about a key by itself: what a script touches, or SORT by a pattern.
func (u *User) CheckKey(key []byte, flags command.KeyFlags) bool {
	return slices.ContainsFunc(u.selectors, func(s *selector) bool { return s.allKeys || s.allowsKey(key, flags) })
}

// CheckChannel decides about a channel by itself; of a pattern one of the user's must be the same, since no pattern can be told to be part of another.
func (u *User) CheckChannel(channel []byte, pattern bool) bool {
	return slices.ContainsFunc(u.selectors, func(s *selector) bool { return s.allChannels || s.allowsChannel(channel, pattern) })
}

func (s *selector) allowsChannel(channel []byte, pattern bool) bool {
	for _, c := range s.channels {
		if pattern && c == string(channel) || !pattern && command.Match([]byte(c), channel) {
			return true
		}
	}
	return false
}

// channelsOf says which arguments of a command are channels, and whether they are patterns.
func channelsOf(row *command.Row, args [][]byte) (first, last int, pattern bool) {
	switch row.Name {
	case "publish", "spublish":
		return 1, min(2, len(args)), false
	case "subscribe", "ssubscribe":
		return 1, len(args), false
	case "psubscribe":
		return 1, len(args), true
	}
	return 0, 0, false
}
