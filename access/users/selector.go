package users

import (
	"slices"
	"strings"

	"larder/protocol/command"
)

// selector is one set of permissions of a user: commands, keys and channels that go together.
type selector struct {
	commands    []bool // by command.ID
	future      bool   // +@all was the last word about everything
	rules       []rule // what was said since, in order; a later word about a command replaces an earlier one
	firstArgs   map[command.ID][]string
	allKeys     bool
	keys        []keyPattern
	allChannels bool
	channels    []string
	foreign     bool // rules may name commands that the table lacks
}

// rule is +name or -name; name is a command, a subcommand (config|get), a first argument (select|0) or a category (@read).
type rule struct {
	allow bool
	name  string
}

type keyPattern struct {
	read, write bool
	glob        string
}

func newSelector(foreign bool) *selector {
	return &selector{commands: make([]bool, command.NumIDs+1), foreign: foreign}
}

func (s *selector) clone() *selector {
	c := *s
	c.commands = slices.Clone(s.commands)
	c.rules = slices.Clone(s.rules)
	c.keys = slices.Clone(s.keys)
	c.channels = slices.Clone(s.channels)
	c.firstArgs = map[command.ID][]string{}
	for id, args := range s.firstArgs {
		c.firstArgs[id] = slices.Clone(args)
	}
	return &c
}

// Why a rule is refused, in the words of ACL SETUSER.
const (
	errSyntax          = "Syntax error"
	errUnknownCommand  = "Unknown command or category name in ACL"
	errKeysAfterAll    = "Adding a pattern after the * pattern (or the 'allkeys' flag) is not valid and does not have any effect. Try 'resetkeys' to start with an empty list of patterns"
	errChannelsAfter   = "Adding a pattern after the * pattern (or the 'allchannels' flag) is not valid and does not have any effect. Try 'resetchannels' to start with an empty list of channels"
	errFirstArgOfSub   = "Allowing first-arg of a subcommand is not supported"
	errHash            = "The password hash must be exactly 64 characters and contain only lowercase hexadecimal characters"
	errPasswordUnknown = "The password you are trying to remove from the user does not exist"
)

// set applies a rule that a selector may have, and says why it cannot be ("" = done).
func (s *selector) set(word string) string {
	switch lower := strings.ToLower(word); {
	case lower == "allkeys" || lower == "~*":
		s.allKeys, s.keys = true, nil
	case lower == "resetkeys":
		s.allKeys, s.keys = false, nil
	case lower == "allchannels" || lower == "&*":
		s.allChannels, s.channels = true, nil
	case lower == "resetchannels":
		s.allChannels, s.channels = false, nil
	case lower == "allcommands" || lower == "+@all":
		s.everything(true)
	case lower == "nocommands" || lower == "-@all":
		s.everything(false)
	case word == "":
		return errSyntax
	case word[0] == '~' || word[0] == '%':
		return s.addKeys(word)
	case word[0] == '&':
		return s.addChannel(word[1:])
	case word[0] == '+' || word[0] == '-':
		return s.command(lower[1:], word[0] == '+')
	default:
		return errSyntax
	}
	return ""
}

func (s *selector) everything(allow bool) {
	for i := range s.commands {
		s.commands[i] = allow
	}
	s.future, s.rules, s.firstArgs = allow, nil, nil
}

// addKeys takes ~pattern, and %R~, %W~, %RW~pattern.
func (s *selector) addKeys(word string) string {
	if s.allKeys {
		return errKeysAfterAll
	}
	p := keyPattern{read: true, write: true, glob: word[1:]}
	if word[0] == '%' {
		flags, glob, ok := strings.Cut(word[1:], "~")
		p = keyPattern{glob: glob}
		for _, f := range flags {
			switch f {
			case 'R', 'r':
				p.read = true
			case 'W', 'w':
				p.write = true
			default:
				return errSyntax
			}
		}
		if !ok || !p.read && !p.write {
			return errSyntax
		}
	}
	if strings.ContainsAny(p.glob, " \x00") {
		return errSyntax
	}
	if at := slices.IndexFunc(s.keys, func(k keyPattern) bool { return k.glob == p.glob }); at >= 0 {
		s.keys[at].read = s.keys[at].read || p.read
		s.keys[at].write = s.keys[at].write || p.write
		return ""
	}
	s.keys = append(s.keys, p)
	return ""
}

func (s *selector) addChannel(glob string) string {
	switch {
	case s.allChannels:
		return errChannelsAfter
	case strings.ContainsAny(glob, " \x00"):
		return errSyntax
	}
	if !slices.Contains(s.channels, glob) {
		s.channels = append(s.channels, glob)
	}
	return ""
}

// command takes a name behind + or -.
func (s *selector) command(name string, allow bool) string {
	if category, ok := strings.CutPrefix(name, "@"); ok {
		return s.category(category, allow)
	}
	base, sub, hasSub := strings.Cut(name, "|")
	row := command.Lookup([]byte(base))
	switch {
	case row == nil && s.namesForeign(name):
	case row == nil:
		return errUnknownCommand
	case !hasSub:
		s.allowRow(row, allow)
	case len(row.Subs) > 0:
		name, more, _ := strings.Cut(sub, "|")
		part := row.Sub([]byte(name))
		if part == nil {
			return errUnknownCommand
		}
		if more != "" {
			return errFirstArgOfSub
		}
		s.commands[part.ID] = allow
	case !allow || strings.Contains(sub, "|") || sub == "":
		return errUnknownCommand // a first argument can be allowed, not forbidden
	default:
		if s.firstArgs == nil {
			s.firstArgs = map[command.ID][]string{}
		}
		if !slices.Contains(s.firstArgs[row.ID], sub) {
			s.firstArgs[row.ID] = append(s.firstArgs[row.ID], sub)
		}
	}
	s.note(name, allow)
	return ""
}

// allowRow says it of a command and of all its subcommands.
func (s *selector) allowRow(row *command.Row, allow bool) {
	s.commands[row.ID] = allow
	delete(s.firstArgs, row.ID)
	for _, id := range row.Subs {
		s.commands[id] = allow
	}
}

func (s *selector) category(name string, allow bool) string {
	category := command.CategoryByName(name)
	if category == 0 {
		return errUnknownCommand
	}
	for _, row := range command.Rows() {
		if row.Categories&category != 0 {
			if row.Parent == 0 {
				s.allowRow(row, allow)
			} else {
				s.commands[row.ID] = allow
			}
		}
	}
	s.note("@"+name, allow)
	return ""
}

// note keeps a rule for those who ask what was said; it replaces what was said about the same command, or about its subcommands.
func (s *selector) note(name string, allow bool) {
	s.rules = slices.DeleteFunc(s.rules, func(r rule) bool { return r.name == name || strings.HasPrefix(r.name, name+"|") })
	s.rules = append(s.rules, rule{allow, name})
}

// commandRules describes the commands: "-@all +get".
func (s *selector) commandRules() string {
	var b strings.Builder
	b.WriteString(sign(s.future) + "@all")
	for _, r := range s.rules {
		b.WriteString(" " + sign(r.allow) + r.name)
	}
	return b.String()
}

func sign(allow bool) string {
	if allow {
		return "+"
	}
	return "-"
}

// keyRules describes the keys: "~x* %R~y*".
func (s *selector) keyRules() string {
	if s.allKeys {
		return "~*"
	}
	words := make([]string, len(s.keys))
	for i, k := range s.keys {
		switch {
		case k.read && k.write:
			words[i] = "~" + k.glob
		case k.read:
			words[i] = "%R~" + k.glob
		default:
			words[i] = "%W~" + k.glob
		}
	}
	return strings.Join(words, " ")
}

// channelRules describes the channels: "&c*".
func (s *selector) channelRules() string {
	if s.allChannels {
		return "&*"
	}
	words := make([]string, len(s.channels))
	for i, c := range s.channels {
		words[i] = "&" + c
	}
	return strings.Join(words, " ")
}

// text is the selector as ACL LIST shows it.
func (s *selector) text() string {
	var words []string
	if keys := s.keyRules(); keys != "" {
		words = append(words, keys)
	}
	if channels := s.channelRules(); s.allChannels {
		words = append(words, channels)
	} else {
		words = append(words, strings.TrimSuffix("resetchannels "+channels, " "))
	}
	return strings.Join(append(words, s.commandRules()), " ")
}
