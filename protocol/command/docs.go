package command

import (
	"slices"
	"strings"
)

// Doc is what COMMAND DOCS tells of a row besides its Since and Group. Texts are ours; names, types, tokens and versions are Redis 7.0's, since
// clients build hints from them.
type Doc struct {
	Summary    string
	Complexity string

	DeprecatedSince string // "": not deprecated
	ReplacedBy      string

	Internal bool // for the makers of servers, not for clients: Redis's flag syscmd

	History []Change
	Args    []Arg
}

// Change is what a version of Redis changed.
type Change struct{ Version, Text string }

// Arg is one argument, or a group of arguments.
type Arg struct {
	Name            string
	Type            string // string, integer, double, key, pattern, unix-time, pure-token, oneof, block
	KeySpec         int    // of a key: which of the row's KeySpecs finds it
	Token           string // the word that stands before it, or (pure-token) that it is
	Since           string
	DeprecatedSince string
	Flags           ArgFlags
	Args            []Arg // of oneof and block
}

// ArgFlags says how often an argument may stand.
type ArgFlags uint8

const (
	ArgOptional      ArgFlags = 1 << iota
	ArgMultiple               // once or more
	ArgMultipleToken          // each time with its token
)

// docs[id] documents the row of id; every row has an entry (a test sees to it).
var docs = buildDocs()

// Doc gives the documentation of r. It is shared: not to be changed.
func (r *Row) Doc() *Doc { return &docs[r.ID] }

func buildDocs() []Doc {
	out := make([]Doc, NumIDs+1)
	for _, group := range []map[ID]Doc{
		connectionDocs(), serverDocs(), savingDocs(), databaseDocs(), aclDocs(), memoryDocs(), clusterDocs(), genericDocs(), stringDocs(), bitmapDocs(), sortDocs(), hyperloglogDocs(), larderDocs(), larderStreamDocs(),
		hashDocs(), listDocs(), listMoveDocs(), setDocs(), zsetDocs(), geoDocs(), transactionDocs(), pubsubDocs(), monitoringDocs(), replicationDocs(),
		scriptingDocs(),
		streamDocs(), streamReadDocs(), streamPendingDocs(), streamGroupDocs(), streamInfoDocs(),
	} {
		for id, d := range group {
			out[id] = d
		}
	}
	return out
}

func takes(a ...Arg) []Arg { return a }

func text(name string) Arg     { return Arg{Name: name, Type: "string"} }
func integer(name string) Arg  { return Arg{Name: name, Type: "integer"} }
func double(name string) Arg   { return Arg{Name: name, Type: "double"} }
func pattern() Arg             { return Arg{Name: "pattern", Type: "pattern"} }
func unixTime(name string) Arg { return Arg{Name: name, Type: "unix-time"} }

func keyArg(name string, spec int) Arg { return Arg{Name: name, Type: typeKey, KeySpec: spec} }

// word is an argument that is itself a token; its name is the token in lower case.
func word(token string) Arg {
	return Arg{Name: strings.ToLower(token), Type: "pure-token", Token: token}
}

func oneOf(name string, a ...Arg) Arg { return Arg{Name: name, Type: "oneof", Args: a} }
func block(name string, a ...Arg) Arg { return Arg{Name: name, Type: "block", Args: a} }

const typeKey = "key"

func (a Arg) token(t string) Arg      { a.Token = t; return a }
func (a Arg) since(v string) Arg      { a.Since = v; return a }
func (a Arg) deprecated(v string) Arg { a.DeprecatedSince = v; return a }
func (a Arg) optional() Arg           { a.Flags |= ArgOptional; return a }
func (a Arg) multiple() Arg           { a.Flags |= ArgMultiple; return a }
func (a Arg) eachWithToken() Arg      { a.Flags |= ArgMultipleToken; return a }

// writeDoc answers one row's part of COMMAND DOCS: its name, then a map. Fields are in Redis 7.0's order; those without a value are left out.
func writeDoc(w Reply, r *Row) {
	d := r.Doc()
	w.Bulk(r.Name)
	subs := r.subs()
	n := 4
	for _, has := range []bool{d.DeprecatedSince != "", d.Internal, len(d.History) > 0, len(d.Args) > 0, len(subs) > 0} {
		if has {
			n++
		}
	}
	if d.DeprecatedSince != "" {
		n += 2
	}
	if d.Complexity == "" {
		n--
	}
	w.Map(n)
	field(w, "summary", d.Summary)
	field(w, "since", r.Since)
	field(w, "group", r.Group)
	if d.Complexity != "" {
		field(w, "complexity", d.Complexity)
	}
	if d.Internal {
		w.Bulk("doc_flags")
		w.Set(1)
		w.Status("syscmd")
	}
	if d.DeprecatedSince != "" {
		w.Bulk("doc_flags")
		w.Set(1)
		w.Status("deprecated")
		field(w, "deprecated_since", d.DeprecatedSince)
		field(w, "replaced_by", d.ReplacedBy)
	}
	if len(d.History) > 0 {
		writeHistory(w, d.History)
	}
	if len(d.Args) > 0 {
		w.Bulk("arguments")
		writeArgs(w, d.Args)
	}
	if len(subs) > 0 {
		w.Bulk("subcommands")
		w.Map(len(subs))
		for _, sub := range subs {
			writeDoc(w, sub)
		}
	}
}

func field(w Reply, name, value string) {
	w.Bulk(name)
	w.Bulk(value)
}

func writeHistory(w Reply, h []Change) {
	w.Bulk("history")
	w.Set(len(h))
	for _, c := range h {
		w.Array(2)
		w.Bulk(c.Version)
		w.Bulk(c.Text)
	}
}

func writeArgs(w Reply, a []Arg) {
	w.Array(len(a))
	for i := range a {
		writeArg(w, &a[i])
	}
}

// finds tells whether the argument says which KeySpec is about it: a key does, and a pattern that keys are made of.
func (a *Arg) finds() bool { return a.Type == typeKey || a.KeySpec > 0 }

func writeArg(w Reply, a *Arg) {
	texts := []struct{ name, value string }{{"token", a.Token}, {"since", a.Since}, {"deprecated_since", a.DeprecatedSince}}
	texts = slices.DeleteFunc(texts, func(f struct{ name, value string }) bool { return f.value == "" })
	n := 2 + len(texts)
	for _, has := range []bool{a.finds(), a.Flags != 0, len(a.Args) > 0} {
		if has {
			n++
		}
	}
	w.Map(n)
	field(w, "name", a.Name)
	field(w, "type", a.Type)
	if a.finds() {
		w.Bulk("key_spec_index")
		w.Int(int64(a.KeySpec))
	}
	for _, f := range texts {
		field(w, f.name, f.value)
	}
	if a.Flags != 0 {
		w.Bulk("flags")
		writeBits(w, uint32(a.Flags), argFlagNames[:])
	}
	if len(a.Args) > 0 {
		w.Bulk("arguments")
		writeArgs(w, a.Args)
	}
}

var argFlagNames = [...]string{"optional", "multiple", "multiple_token"}
