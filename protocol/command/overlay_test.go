package command_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"larder/protocol/command"
)

func keyAt(first, last, step int) command.KeySpec {
	return command.KeySpec{Flags: command.KeyRW | command.KeyAccess | command.KeyUpdate, Begin: command.BeginIndex, Index: first, Find: command.FindRange, LastKey: last, Step: step}
}

func module(name string, arity int, flags command.Flags, specs ...command.KeySpec) command.Row {
	return command.Row{Name: name, Arity: arity, Flags: flags | command.Module, KeySpecs: specs}
}

// theirs is a server's table with one command of each sort.
func theirs() []command.Row {
	keyNum := command.KeySpec{Flags: command.KeyRO, Begin: command.BeginIndex, Index: 1, Find: command.FindKeyNum, FirstKey: 1, Step: 1}
	keyword := command.KeySpec{Flags: command.KeyRO, Begin: command.BeginKeyword, Keyword: "FROM", From: 1, Find: command.FindRange, Step: 1}
	incomplete := keyAt(1, 0, 1)
	incomplete.Flags |= command.KeyIncomplete
	sum := module("m.count", -2, command.ReadOnly, keyAt(1, -1, 1))
	sum.Tips = []string{"request_policy:multi_shard", "response_policy:agg_sum"}
	all := module("m.size", 1, command.ReadOnly)
	all.Tips = []string{"request_policy:all_shards", "response_policy:agg_sum"}
	odd := module("m.odd", 1, command.ReadOnly)
	odd.Tips = []string{"request_policy:all_shards", "response_policy:special"}
	return []command.Row{
		module("m.get", 2, command.ReadOnly|command.Fast, keyAt(1, 0, 1)),
		module("m.set", -3, command.Write|command.DenyOOM, keyAt(1, 0, 1)),
		module("m.pick", -3, command.ReadOnly, keyNum),
		module("m.from", -4, command.ReadOnly, keyword),
		module("m.two", 4, command.Write, keyAt(1, 0, 1), keyAt(3, 0, 1)),
		module("m.guess", -2, command.ReadOnly|command.MovableKeys, keyAt(1, 0, 1)),
		module("m.part", -2, command.ReadOnly, incomplete),
		module("m.none", 1, command.ReadOnly),
		module("m.wait", -2, command.Write|command.Blocking, keyAt(1, 0, 1)),
		sum, all, odd,
		module("m.box", -2, 0), module("m.box|put", 3, command.Write, keyAt(2, 0, 1)), module("m.box|boss", 2, command.Admin),
		{Name: "delex", Arity: -2, Flags: command.Write, KeySpecs: []command.KeySpec{keyAt(1, 0, 1)}}, // of a later release
		// what is not taken
		{Name: "migrate", Arity: -6, Flags: command.Write | command.MovableKeys, KeySpecs: []command.KeySpec{incomplete}},
		{Name: "restore-asking", Arity: -4, Flags: command.Write | command.Asking, KeySpecs: []command.KeySpec{keyAt(1, 0, 1)}},
		{Name: "hotkeys", Arity: 1},
		module("m.admin", 1, command.Admin), module("M.case", 1, 0), module("m sp", 1, 0), module("", 1, 0), module("get", 2, command.Admin, keyAt(2, 0, 1)),
		module("m.still", 2, command.Write, keyAt(1, -1, 0)), module(strings.Repeat("m", 65), 1, 0), module("m.zero", 0, 0),
	}
}

// TestOverlay: which commands of others are taken, and how they are routed.
func TestOverlay(t *testing.T) {
	o := command.NewOverlay(1, theirs())
	var names []string
	for _, r := range o.Rows() {
		names = append(names, r.Name)
	}
	want := "delex m.box m.count m.from m.get m.guess m.none m.odd m.part m.pick m.set m.size m.still m.two m.wait"
	if got := strings.Join(names, " "); got != want {
		t.Errorf("taken are\n%s, want\n%s", got, want)
	}
	for _, c := range []struct {
		words   string
		request command.Request
		keys    string // of several shards; "-": not to be routed there
		wrong   string
	}{
		{words: "M.Get k", keys: "k"},
		{words: "m.set k v", keys: "k"},
		{words: "m.pick 2 a b c", keys: "a b"},
		{words: "m.from x y from k z", keys: "k"},
		{words: "m.two a x b", keys: "a b"},
		{words: "m.count a b", request: command.RequestMultiShard, keys: "a b"},
		{words: "m.size", request: command.RequestAllShards},
		{words: "m.box put k", keys: "k"},
		{words: "m.wait k 0", request: command.RequestSpecial, keys: "k"},
		{words: "delex k ifeq v", keys: "k"},
		{words: "m.guess k", request: command.RequestSpecial, keys: "-"},
		{words: "m.part k", request: command.RequestSpecial, keys: "-"},
		{words: "m.still k", request: command.RequestSpecial, keys: "-"},
		{words: "m.none", request: command.RequestSpecial, keys: "-"},
		{words: "m.odd", request: command.RequestSpecial, keys: "-"},
		{words: "m.get", wrong: "ERR wrong number of arguments for 'm.get' command"},
		{words: "m.box what k", wrong: "ERR unknown subcommand 'what'. Try M.BOX HELP."},
		{words: "m.box boss", wrong: "ERR unknown subcommand 'boss'. Try M.BOX HELP."},
		{words: "m.box|put k v", wrong: "ERR unknown command 'm.box|put', with args beginning with: 'k' 'v' "},
		{words: "migrate a", wrong: "ERR unknown command 'migrate', with args beginning with: 'a' "},
	} {
		args := words(c.words)
		row, wrong := o.Resolve(args)
		if wrong != c.wrong || (row == nil) != (wrong != "") {
			t.Errorf("%s: %v, %q, want %q", c.words, row, wrong, c.wrong)
		}
		if row == nil {
			continue
		}
		var keys []string
		for _, at := range row.KeyPositions(args, nil) {
			keys = append(keys, string(args[at]))
		}
		got := strings.Join(keys, " ")
		if why := row.Unroutable(3); why != "" {
			got = "-"
			if !strings.Contains(why, row.Name) || !strings.HasPrefix(why, "ERR ") {
				t.Errorf("%s: refused with %q", c.words, why)
			}
		}
		if row.Unroutable(1) != "" {
			t.Errorf("%s: refused over one shard", c.words)
		}
		if row.Request != c.request || got != c.keys || row.ID != 0 {
			t.Errorf("%s: ID %d, request %d, keys %q, want %d and %q", c.words, row.ID, row.Request, got, c.request, c.keys)
		}
	}
}

// TestOverlayCountsKeys: of what leaves it to its own code to count arguments nothing is routed that lacks its first key.
func TestOverlayCountsKeys(t *testing.T) {
	many := module("m.many", -1, command.ReadOnly, keyAt(1, -1, 1))
	many.Tips = []string{"request_policy:multi_shard", "response_policy:agg_sum"}
	any := many
	any.Name, any.Flags = "m.any", many.Flags|command.NoMandatoryKeys
	o := command.NewOverlay(1, []command.Row{
		many, any, module("m.one", -1, 0, keyAt(1, 0, 1)), module("m.free", -1, command.NoMandatoryKeys, keyAt(1, 0, 1)), module("m.box", -1, 0),
		module("m.box|put", -1, 0, keyAt(2, 0, 1)), module("m.two", -1, 0, keyAt(2, 0, 1), keyAt(1, 0, 1)),
	})
	for line, wrong := range map[string]bool{
		"m.many": true, "m.many a": false, "m.any": true, "m.any a": false, "m.one": true, "m.one a": false, "m.free": false, "m.free a": false,
		"m.box": false, "m.box put": true, "m.box put a": false, "m.two a": true, "m.two a b": false,
	} {
		for _, resolve := range []func([][]byte) (*command.Row, string){o.Resolve, o.Find} {
			row, text := resolve(words(line))
			want := ""
			if wrong {
				want = "ERR wrong number of arguments for '" + strings.Replace(line, "box put", "box|put", 1) + "' command"
				want = strings.Replace(want, " a'", "'", 1)
			}
			if text != want || (row == nil) != wrong {
				t.Errorf("%s: %v, %q, want %q", line, row, text, want)
			}
			if row != nil && row.First == 1 && row.Last == 1 && !row.Flags.Has(command.MovableKeys) && len(words(line)) < 2 {
				t.Errorf("%s: its key would be looked for where there is none", line)
			}
		}
	}
}

// TestOverlayOfSeveral: what servers do not agree on is not routed by one's word.
func TestOverlayOfSeveral(t *testing.T) {
	one := []command.Row{module("m.get", 2, command.ReadOnly, keyAt(1, 0, 1)), module("m.del", 2, command.Write, keyAt(1, 0, 1)), module("m.own", 2, 0, keyAt(1, 0, 1))}
	other := []command.Row{module("m.get", 3, command.ReadOnly, keyAt(2, 0, 1)), module("m.del", 2, command.Write, keyAt(1, 0, 1)), module("m.own", 2, command.Admin, keyAt(1, 0, 1))}
	o := command.NewOverlay(1, one, other, one)
	get, _ := o.Resolve(words("m.get a"))
	if get == nil || get.Unroutable(2) == "" || get.Arity != -2 || !get.Flags.Has(command.ReadOnly) {
		t.Errorf("m.get is %+v", get)
	}
	if del, _ := o.Resolve(words("m.del a")); del == nil || del.Unroutable(2) != "" {
		t.Errorf("m.del is %+v", del)
	}
	if own, _ := o.Resolve(words("m.own a")); own != nil {
		t.Error("m.own was taken, which one server has for administrators")
	}
	if !o.Equal(command.NewOverlay(2, other, one)) || o.Equal(command.NewOverlay(2, one)) || o.Equal(nil) || !(*command.Overlay)(nil).Equal(command.NewOverlay(3)) {
		t.Error("overlays are compared wrongly")
	}
}

// TestOverlayShows: COMMAND tells of an overlay's commands.
func TestOverlayShows(t *testing.T) {
	o := command.NewOverlay(1, theirs())
	say := func(o *command.Overlay, line string) string {
		var w said
		o.Answer(&w, words(line))
		return strings.Join(w.out, " ")
	}
	for line, want := range map[string]string{
		"command getkeys m.pick 2 a b":           "[2] a b",
		"command getkeysandflags m.set k v":      "[1] [2] k {3} +RW +access +update",
		"command getkeys m.none":                 "!ERR The command has no key arguments",
		"command list filterby pattern m.b*":     "[2] m.box m.box|put",
		"command info m.get":                     "[1] [10] m.get 2 {3} +readonly +fast +module 1 1 1 {2} +@read +@fast {0} {1} <3> flags {3} +RW +access +update begin_search <2> type index spec <1> index 1 find_keys <2> type range spec <3> lastkey 0 keystep 1 limit 0 {0}",
		"command info m.box|put":                 "[1] [10] m.box|put 3 {2} +write +module 2 2 1 {2} +@write +@slow {0} {1} <3> flags {3} +RW +access +update begin_search <2> type index spec <1> index 2 find_keys <2> type range spec <3> lastkey 0 keystep 1 limit 0 {0}",
		"command info m.nix":                     "[1] null",
		"command docs m.none":                    "<1> m.none <3> summary  since  group module",
		"command list filterby aclcat scripting": say(nil, "command list filterby aclcat scripting"),
	} {
		if got := say(o, line); got != want {
			t.Errorf("%s:\ngot  %s\nwant %s", line, got, want)
		}
	}
	if a, b := say(nil, "command count"), say(o, "command count"); a == b {
		t.Errorf("COMMAND COUNT is %s with and without", a)
	}
	if all := say(o, "command"); !strings.Contains(all, " m.box ") || !strings.Contains(all, "m.box|put") || !strings.Contains(all, " get ") {
		t.Error("COMMAND lacks some")
	}
	if all := say(o, "command docs"); !strings.Contains(all, "subcommands <1> m.box|put") {
		t.Error("COMMAND DOCS lacks subcommands")
	}
}

// TestOverlayDoesNotAllocate: a command that the table lacks costs a look more.
func TestOverlayDoesNotAllocate(t *testing.T) {
	o := command.NewOverlay(1, theirs())
	args := words("M.GET k")
	if n := testing.AllocsPerRun(100, func() {
		if row, _ := o.Resolve(args); row == nil {
			t.Fatal("it is not there")
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// said writes replies down: sizes in [] of arrays, {} of sets, <> of maps, status replies with a plus.
type said struct{ out []string }

func (w *said) Array(n int)     { w.add("[" + strconv.Itoa(n) + "]") }
func (w *said) Set(n int)       { w.add("{" + strconv.Itoa(n) + "}") }
func (w *said) Map(n int)       { w.add("<" + strconv.Itoa(n) + ">") }
func (w *said) Bulk(t string)   { w.add(t) }
func (w *said) Status(t string) { w.add("+" + t) }
func (w *said) Int(n int64)     { w.add(strconv.FormatInt(n, 10)) }
func (w *said) Null()           { w.add("null") }
func (w *said) Error(t string)  { w.add("!" + t) }
func (w *said) add(t string)    { w.out = append(w.out, t) }

func words(line string) (args [][]byte) {
	for _, w := range strings.Fields(line) {
		args = append(args, []byte(w))
	}
	return args
}

// FuzzOverlay: whatever a server says of its keys, they are found within the arguments.
func FuzzOverlay(f *testing.F) {
	f.Add(1, 0, 1, 0, 1, 1, "", 1, "a 2 b c")
	f.Add(1, -1, 2, 2, 0, 1, "from", -1, "a from b c")
	f.Add(1, -70000, 1, 0, 70000, 1, "x", 0, "a")
	f.Fuzz(func(t *testing.T, index, last, step, limit, first, num int, keyword string, from int, rest string) {
		begin, find := command.BeginKind(uint(index)%3), command.FindKind(uint(last)%3)
		spec := command.KeySpec{Flags: command.KeyRO, Begin: begin, Index: index, Keyword: keyword, From: from, Find: find, LastKey: last, Step: step, Limit: limit, KeyNumIndex: num, FirstKey: first}
		o := command.NewOverlay(1, []command.Row{module("m.x", -1, 0, spec, spec)})
		args := append([][]byte{[]byte("m.x")}, words(rest)...)
		row, _ := o.Resolve(args)
		if row == nil {
			t.Fatal("it was not taken")
		}
		at := row.KeyPositions(args, nil)
		all, flags := row.KeysAndFlags(args)
		if slices.ContainsFunc(slices.Concat(at, all), func(i int) bool { return i < 1 || i >= len(args) }) || len(all) != len(flags) {
			t.Errorf("keys at %v, %v of %q", at, all, args)
		}
	})
}
