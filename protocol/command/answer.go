package command

import "strings"

// Reply is what the COMMAND family writes its answers to, in the protocol version of the client; *resp.Writer is one. After Array, Set or Map the
// elements follow (2n for a map), and Error takes the whole line without its minus.
type Reply interface {
	Array(n int)
	Map(n int)
	Set(n int)
	Bulk(text string)
	Status(text string)
	Int(n int64)
	Null()
	Error(text string)
}

const errSyntax = "ERR syntax error"

// Answer runs COMMAND and its subcommands; args[0] is COMMAND in any case. It writes exactly one reply, errors too.
func Answer(w Reply, args [][]byte) {
	r, err := Resolve(args)
	if err != "" {
		w.Error(err)
		return
	}
	switch r.ID {
	case CmdCommand:
		writeInfos(w, commands())
	case CmdCommandCount:
		w.Int(int64(len(commands())))
	case CmdCommandInfo:
		answerInfo(w, args[2:])
	case CmdCommandDocs:
		answerDocs(w, args[2:])
	case CmdCommandList:
		answerList(w, args[2:])
	case CmdCommandGetKeys:
		answerKeys(w, args[2:], false)
	case CmdCommandGetKeysAndFlags:
		answerKeys(w, args[2:], true)
	case CmdCommandHelp:
		Help(w, ByID(CmdCommand))
	}
}

// commands gives the rows that are no subcommands.
func commands() []*Row {
	for i, r := range rows {
		if r.Parent != 0 {
			return rows[:i]
		}
	}
	return rows
}

// byFullName finds a row as COMMAND INFO names it: "get", "client|list".
func byFullName(name []byte) *Row {
	first, sub, isSub := strings.Cut(string(name), "|")
	r := Lookup([]byte(first))
	if r == nil || !isSub {
		return r
	}
	return r.Sub([]byte(sub))
}

// Named gives the row of a full name ("get", "client|list") and, of a container, those of its subcommands; none if there is no such row.
func Named(name []byte) []*Row {
	r := byFullName(name)
	if r == nil {
		return nil
	}
	found := []*Row{r}
	for _, id := range r.Subs {
		found = append(found, ByID(id))
	}
	return found
}

func answerDocs(w Reply, names [][]byte) {
	found := commands()
	if len(names) > 0 {
		found = nil
		for _, n := range names {
			if r := byFullName(n); r != nil {
				found = append(found, r)
			}
		}
	}
	w.Map(len(found))
	for _, r := range found {
		writeDoc(w, r)
	}
}

// answerKeys runs GETKEYS and GETKEYSANDFLAGS; args is the complete command whose keys are asked for.
func answerKeys(w Reply, args [][]byte, withFlags bool) {
	r := Lookup(args[0])
	if r != nil && len(r.Subs) > 0 && len(args) > 1 {
		r = r.Sub(args[1])
	}
	switch {
	case r == nil:
		w.Error("ERR Invalid command specified")
		return
	case !r.hasKeys():
		w.Error("ERR The command has no key arguments")
		return
	case !r.ArityOK(len(args)):
		w.Error("ERR Invalid number of arguments specified for command")
		return
	}
	at, flags := r.KeysAndFlags(args)
	if len(at) == 0 && !r.Flags.Has(NoMandatoryKeys) {
		w.Error("ERR Invalid arguments specified for command")
		return
	}
	w.Array(len(at))
	for i, pos := range at {
		if withFlags {
			w.Array(2)
		}
		w.Bulk(string(args[pos]))
		if withFlags {
			writeBits(w, uint32(flags[i]), keyFlagNames[:])
		}
	}
}

// answerList runs LIST with at most one FILTERBY.
func answerList(w Reply, args [][]byte) {
	keep := func(*Row) bool { return true }
	if len(args) > 0 {
		if len(args) != 3 || !EqualFold(args[0], "filterby") {
			w.Error(errSyntax)
			return
		}
		if keep = filter(args[1], args[2]); keep == nil {
			w.Error(errSyntax)
			return
		}
	}
	var names []string
	for _, r := range rows {
		if keep(r) {
			names = append(names, r.Name)
		}
	}
	w.Array(len(names))
	for _, n := range names {
		w.Bulk(n)
	}
}

// filter gives the test of FILTERBY kind arg; nil: there is no such kind. There are no modules, so nothing is of one.
func filter(kind, arg []byte) func(*Row) bool {
	switch {
	case EqualFold(kind, "module"):
		return func(*Row) bool { return false }
	case EqualFold(kind, "aclcat"):
		cat := CategoryByName(string(arg))
		return func(r *Row) bool { return r.Categories&cat != 0 }
	case EqualFold(kind, "pattern"):
		return func(r *Row) bool { return MatchName(string(arg), r.Name) }
	}
	return nil
}
