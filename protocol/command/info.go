package command

import (
	"math/bits"
	"strings"
)

// Names of bits, in the order of their constants; "" is not printed.
var (
	flagNames = [...]string{
		"write", "readonly", "denyoom", "admin", "pubsub", "noscript", "blocking", "loading", "stale", "skip_monitor", "skip_slowlog", "asking",
		"fast", "no_auth", "", "no_mandatory_keys", "no_async_loading", "no_multi", "allow_busy", "movablekeys", "", "", "", "", "module",
	}
	categoryNames = [...]string{
		"@keyspace", "@read", "@write", "@set", "@sortedset", "@list", "@hash", "@string", "@bitmap", "@hyperloglog", "@geo", "@stream", "@pubsub",
		"@admin", "@fast", "@slow", "@blocking", "@dangerous", "@connection", "@transaction", "@scripting",
	}
	keyFlagNames = [...]string{
		"RO", "RW", "OW", "RM", "access", "update", "insert", "delete", "not_key", "incomplete", "variable_flags",
	}
)

// CategoryByName finds a category by its name without the @, in any case; 0: there is none.
func CategoryByName(name string) Categories {
	for i, n := range categoryNames {
		if strings.EqualFold(n[1:], name) {
			return 1 << i
		}
	}
	return 0
}

// Names gives the flags as COMMAND INFO prints them.
func (f Flags) Names() []string { return bitNames(uint32(f), flagNames[:]) }

// Names gives the categories as COMMAND INFO prints them, each with its @.
func (c Categories) Names() []string { return bitNames(uint32(c), categoryNames[:]) }

// Names gives the flags as COMMAND INFO prints them.
func (f KeyFlags) Names() []string { return bitNames(uint32(f), keyFlagNames[:]) }

func bitNames(set uint32, names []string) []string {
	out := make([]string, 0, bits.OnesCount32(set))
	for i, n := range names {
		if set&(1<<i) != 0 && n != "" {
			out = append(out, n)
		}
	}
	return out
}

// writeBits answers a set of flags: a set of status replies.
func writeBits(w Reply, set uint32, names []string) {
	n := bitNames(set, names)
	w.Set(len(n))
	for _, name := range n {
		w.Status(name)
	}
}

func (o *Overlay) answerInfo(w Reply, names [][]byte) {
	if len(names) == 0 {
		writeInfos(w, o.commands())
		return
	}
	w.Array(len(names))
	for _, n := range names {
		if r := o.byFullName(n); r != nil {
			writeInfo(w, r)
		} else {
			w.Null()
		}
	}
}

func writeInfos(w Reply, rr []*Row) {
	w.Array(len(rr))
	for _, r := range rr {
		writeInfo(w, r)
	}
}

// writeInfo answers one row as Redis 7.0's COMMAND INFO does.
func writeInfo(w Reply, r *Row) {
	w.Array(10)
	w.Bulk(r.Name)
	w.Int(int64(r.Arity))
	writeBits(w, uint32(r.Flags), flagNames[:])
	w.Int(int64(r.First))
	w.Int(int64(r.Last))
	w.Int(int64(r.Step))
	writeBits(w, uint32(r.Categories), categoryNames[:])
	w.Set(len(r.Tips))
	for _, t := range r.Tips {
		w.Bulk(t)
	}
	w.Set(len(r.KeySpecs))
	for i := range r.KeySpecs {
		writeSpec(w, &r.KeySpecs[i])
	}
	subs := r.subs()
	if len(subs) == 0 {
		w.Set(0) // Redis: a set if there are none, else an array
		return
	}
	writeInfos(w, subs)
}

func writeSpec(w Reply, k *KeySpec) {
	if k.Notes != "" {
		w.Map(4)
		field(w, "notes", k.Notes)
	} else {
		w.Map(3)
	}
	w.Bulk("flags")
	writeBits(w, uint32(k.Flags), keyFlagNames[:])

	w.Bulk("begin_search")
	switch k.Begin {
	case BeginIndex:
		writeTyped(w, "index", 1)
		number(w, "index", k.Index)
	case BeginKeyword:
		writeTyped(w, "keyword", 2)
		field(w, "keyword", k.Keyword)
		number(w, "startfrom", k.From)
	default:
		writeTyped(w, "unknown", 0)
	}

	w.Bulk("find_keys")
	switch k.Find {
	case FindRange:
		writeTyped(w, "range", 3)
		number(w, "lastkey", k.LastKey)
		number(w, "keystep", k.Step)
		number(w, "limit", k.Limit)
	case FindKeyNum:
		writeTyped(w, "keynum", 3)
		number(w, "keynumidx", k.KeyNumIndex)
		number(w, "firstkey", k.FirstKey)
		number(w, "keystep", k.Step)
	default:
		writeTyped(w, "unknown", 0)
	}
}

// writeTyped begins {type: kind, spec: {n fields}}.
func writeTyped(w Reply, kind string, n int) {
	w.Map(2)
	field(w, "type", kind)
	w.Bulk("spec")
	w.Map(n)
}

func number(w Reply, name string, v int) {
	w.Bulk(name)
	w.Int(int64(v))
}
