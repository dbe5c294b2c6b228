package command

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Overlay are commands that servers of others have and the table lacks: those of their modules, and those of later releases. A gateway that routes to such
// servers looks here for what the table does not know; a nil Overlay has nothing. It is made once and never changed, so that loops share it; a newer one takes
// its place as a whole.
//
// Its rows have no ID of their own (0): what is kept by ID counts them together, as what is unknown.
type Overlay struct {
	version uint64
	rows    []*Row          // commands, in order of their names
	names   map[string]*Row // subcommands too, by their full names
}

// What is taken of a server's table, at most.
const (
	foreignMax     = 4096
	foreignNameMax = 64
	foreignSpecs   = 16
)

// NewOverlay makes one of what servers say of their commands, a table a server, subcommands behind their containers by their full names. It takes what a gateway
// can pass on: not what the table has, what is for administrators, changes what a connection is or speaks to other servers; of commands that are no module's
// only those whose keys can be told. Where servers do not agree on a command its keys count as unknown.
func NewOverlay(version uint64, tables ...[]Row) *Overlay {
	o := &Overlay{version: version, names: map[string]*Row{}}
	for _, rows := range tables {
		for i := range rows {
			r := rows[i]
			if had := o.names[r.Name]; had != nil {
				had.agree(&r)
			} else if r.foreign() && len(o.names) < foreignMax {
				o.names[r.Name] = &r
			}
		}
	}
	for _, rows := range tables {
		for i := range rows {
			if rows[i].Flags&never != 0 {
				delete(o.names, rows[i].Name) // at one server is enough
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(o.names)) {
		r := o.names[name]
		r.adopt()
		container, _, isSub := strings.Cut(name, "|")
		if !isSub {
			o.rows = append(o.rows, r)
		} else if c := o.names[container]; c != nil {
			c.own = append(c.own, r)
		}
	}
	return o
}

// Version is what it was made with.
func (o *Overlay) Version() uint64 {
	if o == nil {
		return 0
	}
	return o.version
}

// Rows are its commands without subcommands, by name. The slice is shared: not to be changed.
func (o *Overlay) Rows() []*Row {
	if o == nil {
		return nil
	}
	return o.rows
}

// All are its commands and subcommands.
func (o *Overlay) All() (all []*Row) {
	for _, r := range o.Rows() {
		all = append(append(all, r), r.own...)
	}
	return all
}

// Equal tells whether two have the same commands.
func (o *Overlay) Equal(other *Overlay) bool {
	return slices.EqualFunc(o.Rows(), other.Rows(), func(a, b *Row) bool { return a.Same(b) && slices.EqualFunc(a.own, b.own, (*Row).Same) })
}

// never are the flags of commands that are not passed on.
const never = Admin | PubSub | Asking | NoAuth | NoMulti

// foreign tells whether a server's row can be taken.
func (r *Row) foreign() bool {
	base, sub, isSub := strings.Cut(r.Name, "|")
	odd := func(c rune) bool { return c <= ' ' || c > '~' || c == '|' || c >= 'A' && c <= 'Z' }
	switch {
	case len(r.Name) > foreignNameMax || base == "" || isSub && sub == "" || strings.ContainsFunc(base, odd) || strings.ContainsFunc(sub, odd):
		return false
	case Lookup([]byte(base)) != nil || r.Arity == 0 || r.Flags&never != 0 || len(r.KeySpecs) > foreignSpecs:
		return false
	}
	return r.Flags.Has(Module) || len(r.KeySpecs) > 0 && r.keysKnown()
}

// agree takes note of what another server says of the same command.
func (r *Row) agree(other *Row) {
	if !slices.EqualFunc(r.KeySpecs, other.KeySpecs, sameButNotes) {
		r.KeySpecs = nil
		r.Flags |= MovableKeys
	}
	if !slices.Equal(r.Tips, other.Tips) {
		r.Tips = nil
	}
	if r.Arity != other.Arity {
		r.Arity = -min(abs(r.Arity), abs(other.Arity))
	}
	both := ReadOnly | Fast // what must be true at every server
	r.Flags = (r.Flags|other.Flags)&^both | r.Flags&other.Flags&both
	r.Categories |= other.Categories
}

func sameButNotes(a, b KeySpec) bool {
	a.Notes = b.Notes
	return a == b
}

func abs(n int) int { return max(n, -n) }

// Same tells whether two rows say the same of a command, but for how it is routed.
func (r *Row) Same(other *Row) bool {
	return r.Name == other.Name && r.Arity == other.Arity && r.Flags == other.Flags && r.Categories == other.Categories &&
		slices.Equal(r.KeySpecs, other.KeySpecs) && slices.Equal(r.Tips, other.Tips)
}

// keysKnown tells whether the specs say where all keys stand.
func (r *Row) keysKnown() bool {
	plain := true
	for i := range r.KeySpecs {
		k := &r.KeySpecs[i]
		if k.Begin == BeginUnknown || k.Find == FindUnknown || k.Flags&KeyIncomplete != 0 || !k.sound() {
			return false
		}
		plain = plain && k.Begin == BeginIndex && k.Find == FindRange
	}
	return !plain || !r.Flags.Has(MovableKeys) // the server finds others than the specs do
}

// sound tells whether keys can be found by it: no step that stands still, no place before the command's name.
func (k *KeySpec) sound() bool {
	const most = 1 << 16
	for _, n := range []int{k.Index, k.From, k.LastKey, k.Step, k.Limit, k.KeyNumIndex, k.FirstKey} {
		if n > most || n < -most {
			return false
		}
	}
	return k.Step > 0 && k.Limit >= 0 && k.KeyNumIndex >= 0 && k.FirstKey >= 0 && (k.Begin != BeginIndex || k.Index > 0) &&
		(k.Begin != BeginKeyword || k.Keyword != "" && k.From != 0)
}

// adopt fills in how a gateway routes it.
func (r *Row) adopt() {
	known := r.keysKnown()
	if !known {
		r.KeySpecs = nil
	}
	r.ID, r.Parent, r.Subs, r.Request, r.Response = 0, 0, nil, RequestKey, ResponseDefault
	if len(r.KeySpecs) > 1 || len(r.KeySpecs) == 1 && (r.KeySpecs[0].Begin != BeginIndex || r.KeySpecs[0].Find != FindRange || r.KeySpecs[0].Limit > 1) {
		r.Flags |= MovableKeys // the classic range does not say it all
	}
	if r.Group == "" {
		r.Group = "module"
	}
	r.Categories |= implied(r.Flags) // servers before 7.4 put modules' commands into none: rules about @write would not hold for them
	r.First, r.Last, r.Step = classicRange(r.KeySpecs)
	asked, merged := requestOf(r.Tips), responseOf(r.Tips)
	simple := merged == ResponseDefault || merged == ResponseAllSucceeded || merged == ResponseAggSum || merged == ResponseAggMin
	switch {
	case r.Flags.Has(Blocking):
		r.Request = RequestSpecial
	case len(r.KeySpecs) > 0:
		if asked == RequestMultiShard && simple && !r.Flags.Has(MovableKeys) && r.Last == -1 {
			r.Request, r.Response = asked, merged
		} else if r.Flags.Has(NoMandatoryKeys) {
			r.Flags |= MovableKeys // they are looked for, since there may be none
		}
	case known && simple && (asked == RequestAllShards || asked == RequestAllNodes):
		r.Request, r.Response = RequestAllShards, merged
	default:
		r.Request = RequestSpecial
	}
}

// Unroutable is why a row of an Overlay cannot be sent to one of so many shards; empty: it can.
func (r *Row) Unroutable(shards int) string {
	if shards == 1 || r.ID != 0 || r.Request == RequestAllShards || len(r.KeySpecs) > 0 {
		return ""
	}
	what := "it has no keys"
	if r.Flags.Has(MovableKeys) {
		what = "its servers do not say where its keys stand"
	}
	return "ERR command '" + r.Name + "' cannot be routed: " + what + ", and the cluster has " + strconv.Itoa(shards) + " shards"
}

// Resolve is the package's Resolve for a command that the table lacks. A module may leave it to its own code to count
// arguments: routed is what has a first key, but for what needs none.
func (o *Overlay) Resolve(args [][]byte) (*Row, string) {
	r := o.lookup(args[0])
	if r == nil {
		return nil, UnknownError(args)
	}
	row, text := r.Resolve(args)
	if row != nil && row.First >= len(args) && (row.Request == RequestMultiShard || !row.Flags.Has(NoMandatoryKeys)) {
		return nil, ArityError(row)
	}
	return row, text
}

// Find is the package's Resolve, with the overlay's commands among the others.
func (o *Overlay) Find(args [][]byte) (*Row, string) {
	if r := Lookup(args[0]); r != nil {
		return r.Resolve(args)
	}
	return o.Resolve(args)
}

// Has tells whether there is a command of that name, the table's or the overlay's.
func (o *Overlay) Has(name []byte) bool { return o.find(name) != nil }

// lookup finds a command by its name, in any case.
func (o *Overlay) lookup(name []byte) *Row {
	if o == nil || len(name) > foreignNameMax {
		return nil
	}
	var lower [foreignNameMax]byte
	for i, c := range name {
		lower[i] = lowerByte(c)
		if c == '|' {
			return nil
		}
	}
	return o.names[string(lower[:len(name)])]
}

// sub finds one of an overlay's subcommands by its own name, in any case.
func (r *Row) sub(name []byte) *Row {
	for _, own := range r.own {
		if EqualFold(name, own.Name[len(r.Name)+1:]) {
			return own
		}
	}
	return nil
}
