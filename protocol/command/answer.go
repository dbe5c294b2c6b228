package command

import (
	"slices"
	"strings"
)

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
func Answer(w Reply, args [][]byte) { (*Overlay)(nil).Answer(w, args) }

// Answer is the package's Answer, with the overlay's commands among the others.
func (o *Overlay) Answer(w Reply, args [][]byte) {
	r, err := Resolve(args)
	if err != "" {
		w.Error(err)
		return
	}
	switch r.ID {
	case CmdCommand:
		writeInfos(w, o.commands())
	case CmdCommandCount:
		w.Int(int64(len(o.commands())))
	case CmdCommandInfo:
		o.answerInfo(w, args[2:])
	case CmdCommandDocs:
		o.answerDocs(w, args[2:])
	case CmdCommandList:
		o.answerList(w, args[2:])
	case CmdCommandGetKeys:
		o.answerKeys(w, args[2:], false)
	case CmdCommandGetKeysAndFlags:
		o.answerKeys(w, args[2:], true)
	case CmdCommandHelp:
		Help(w, ByID(CmdCommand))
	}
}

// commands gives the rows that are no subcommands.
func (o *Overlay) commands() []*Row {
	own := rows
	if i := slices.IndexFunc(rows, func(r *Row) bool { return r.Parent != 0 }); i >= 0 {
		own = rows[:i]
	}
	return slices.Concat(own, o.Rows())
}

// subs are a container's subcommands.
func (r *Row) subs() []*Row {
	subs := r.own
	for _, id := range r.Subs {
		subs = append(subs, ByID(id))
	}
	return subs
}

// find is Lookup, with the overlay's commands among the others.
func (o *Overlay) find(name []byte) *Row {
	if r := Lookup(name); r != nil {
		return r
	}
	return o.lookup(name)
}

// byFullName finds a row as COMMAND INFO names it: "get", "client|list".
func (o *Overlay) byFullName(name []byte) *Row {
	first, sub, isSub := strings.Cut(string(name), "|")
	r := o.find([]byte(first))
	if r == nil || !isSub {
		return r
	}
	return r.Sub([]byte(sub))
}

// Named gives the row of a full name ("get", "client|list") and, of a container, those of its subcommands; none if there is no such row.
func Named(name []byte) []*Row {
	r := (*Overlay)(nil).byFullName(name)
	if r == nil {
		return nil
	}
	return append([]*Row{r}, r.subs()...)
}

func (o *Overlay) answerDocs(w Reply, names [][]byte) {
	found := o.commands()
	if len(names) > 0 {
		found = nil
		for _, n := range names {
			if r := o.byFullName(n); r != nil {
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
func (o *Overlay) answerKeys(w Reply, args [][]byte, withFlags bool) {
	r := o.find(args[0])
	if r != nil && len(r.Subs)+len(r.own) > 0 && len(args) > 1 {
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
func (o *Overlay) answerList(w Reply, args [][]byte) {
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
	for _, r := range slices.Concat(rows, o.All()) {
		if keep(r) {
			names = append(names, r.Name)
		}
	}
	w.Array(len(names))
	for _, n := range names {
		w.Bulk(n)
	}
}

// filter gives the test of FILTERBY kind arg; nil: there is no such kind. Of which module a command is nobody knows, so nothing is of one.
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
