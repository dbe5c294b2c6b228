package command

import "strings"

// Help answers the HELP subcommand of a container: Redis's first line, then each subcommand with its arguments and its summary, from the same
// table as COMMAND DOCS.
func Help(w Reply, container *Row) {
	lines := []string{strings.ToUpper(container.Name) + " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:"}
	if container.ArityOK(1) {
		lines = append(lines, "(no subcommand)", "    "+container.Doc().Summary)
	}
	for _, id := range container.Subs {
		r := ByID(id)
		name := strings.ToUpper(r.Name[len(container.Name)+1:])
		lines = append(lines, strings.Join(append([]string{name}, usages(r.Doc().Args)...), " "), "    "+r.Doc().Summary)
	}
	w.Array(len(lines))
	for _, l := range lines {
		w.Status(l)
	}
}

func usages(a []Arg) []string {
	out := make([]string, len(a))
	for i := range a {
		out[i] = a[i].usage()
	}
	return out
}

// usage shows an argument in the way of manuals: words in upper case as they are, <values>, [optional], one|other, repeated ...
func (a *Arg) usage() string {
	var s string
	switch a.Type {
	case "pure-token":
		s = a.Token
	case "oneof":
		s = strings.Join(usages(a.Args), "|")
	case "block":
		s = strings.Join(usages(a.Args), " ")
	default:
		s = "<" + a.Name + ">"
	}
	again := s
	if a.Token != "" && a.Type != "pure-token" {
		s = a.Token + " " + s
	}
	if a.Flags&ArgMultipleToken != 0 {
		again = s
	}
	if a.Flags&ArgMultiple != 0 {
		s += " [" + again + " ...]"
	}
	if a.Flags&ArgOptional != 0 {
		s = "[" + s + "]"
	}
	return s
}
