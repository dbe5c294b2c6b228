package users

import (
	"slices"
	"strings"

	"larder/protocol/command"
)

// Commands that the table lacks are those of modules of servers that a gateway routes to (command.Overlay). Rules may name them where Users are told so, if their
// names have a dot, as modules' have: whether there is such a command nobody knows when rules are read. Rules about categories hold for them as for others.

// TakeForeign lets rules name commands that the table lacks. It is said before any rule is.
func (all *Users) TakeForeign() *Users {
	all.foreign = true
	for name, u := range all.byName {
		u = u.clone()
		for _, s := range u.selectors {
			s.foreign = true
		}
		all.byName[name] = u
	}
	return all
}

// namesForeign tells whether a rule's name may be a foreign command's, or a subcommand's.
func (s *selector) namesForeign(name string) bool {
	base, sub, hasSub := strings.Cut(name, "|")
	odd := func(text string) bool { return strings.ContainsAny(text, " ()@|\x00") }
	return s.foreign && isForeign(base) && !odd(base) && !odd(sub) && (!hasSub || sub != "")
}

// isForeign judges the name before a bar: a first argument behind it may have a dot.
func isForeign(name string) bool {
	base, _, _ := strings.Cut(name, "|")
	return strings.Contains(strings.Trim(base, "."), ".")
}

// allowsForeign decides about a command that the table lacks: the last rule that is about it holds.
func (s *selector) allowsForeign(row *command.Row) bool {
	allow := s.future
	container, _, _ := strings.Cut(row.Name, "|")
	for _, r := range s.rules {
		category, is := strings.CutPrefix(r.name, "@")
		if is && row.Categories&command.CategoryByName(category) != 0 || r.name == row.Name || r.name == container {
			allow = r.allow
		}
	}
	return allow
}

// ours are a selector's words without what is said of commands that a node lacks.
func ours(words []string) []string {
	return slices.DeleteFunc(words, func(w string) bool {
		return (w[0] == '+' || w[0] == '-') && w[1] != '@' && isForeign(w[1:])
	})
}
