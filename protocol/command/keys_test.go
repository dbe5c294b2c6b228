package command_test

import (
	"slices"
	"strings"
	"testing"

	"larder/protocol/command"
)

func TestKeyPositions(t *testing.T) {
	for _, c := range []struct {
		line string
		want []int
	}{
		{"get k", []int{1}},
		{"set k v EX 10", []int{1}},
		{"mget a b c", []int{1, 2, 3}},
		{"del a", []int{1}},
		{"mset a 1 b 2", []int{1, 3}},
		{"mset a 1 b", []int{1, 3}},
		{"msetnx a 1 b 2", []int{1, 3}},
		{"rename a b", []int{1, 2}},
		{"renamenx a b", []int{1, 2}},
		{"copy a b DB 1 REPLACE", []int{1, 2}},
		{"move a 1", []int{1}},
		{"lcs a b LEN", []int{1, 2}},
		{"bitop and d a b c", []int{2, 3, 4, 5}},
		{"bitop not d a", []int{2, 3}},
		{"bitfield k get u8 0", []int{1}},
		{"bitfield_ro k get u8 0", []int{1}},
		{"object encoding k", []int{2}},
		{"object freq k", []int{2}},
		{"object help", nil},
		{"cluster keyslot k", nil},
		{"ping", nil},
		{"ping x", nil},
		{"scan 0", nil},
		{"keys *", nil},
		{"dbsize", nil},
		{"larder scan 16 0", nil},
		// Too few arguments: never an index that is not there.
		{"get", nil},
		{"mget", nil},
		{"rename a", []int{1}},
		{"bitop and", nil},
		{"bitop and d", []int{2}},
		{"lcs a", []int{1}},
		{"object encoding", nil},
	} {
		args := views(strings.Fields(c.line)...)
		r := command.Lookup(args[0])
		if len(r.Subs) > 0 {
			r = r.Sub(args[1])
		}
		if got := r.KeyPositions(args, nil); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.line, got, c.want)
		}
		if got := r.KeyPositions(args, []int{-7}); !slices.Equal(got[1:], c.want) || got[0] != -7 {
			t.Errorf("%s: appended to [-7]: %v", c.line, got)
		}
	}
}

// Forms of later rows, each with the specs that Redis prints for it.
var (
	sortLike  = movable(at(1), command.KeySpec{Begin: command.BeginUnknown, Find: command.FindUnknown, Flags: command.KeyOW})
	evalLike  = movable(counted(2))
	storeLike = movable(at(1), counted(2)) // ZUNIONSTORE
	blockLike = movable(counted(2))        // BLMPOP timeout numkeys key ...
	readLike  = movable(command.KeySpec{Begin: command.BeginKeyword, Keyword: "STREAMS", From: 1, Find: command.FindRange, LastKey: -1, Step: 1, Limit: 2, Flags: command.KeyRO})
	fromEnd   = movable(command.KeySpec{Begin: command.BeginKeyword, Keyword: "KEYS", From: -2, Find: command.FindRange, LastKey: -1, Step: 1, Flags: command.KeyRW}) // MIGRATE
)

func movable(specs ...command.KeySpec) *command.Row {
	return &command.Row{Flags: command.MovableKeys, KeySpecs: specs}
}

func at(i int) command.KeySpec {
	return command.KeySpec{Begin: command.BeginIndex, Index: i, Find: command.FindRange, Step: 1, Flags: command.KeyRO}
}

// counted is a number at argument i and as many keys behind it.
func counted(i int) command.KeySpec {
	return command.KeySpec{Begin: command.BeginIndex, Index: i, Find: command.FindKeyNum, FirstKey: 1, Step: 1, Flags: command.KeyRW}
}

func TestMovableKeys(t *testing.T) {
	for _, c := range []struct {
		row  *command.Row
		line string
		want []int
	}{
		{sortLike, "sort l BY w_* STORE d", []int{1}},
		{evalLike, "eval s 2 a b x", []int{3, 4}},
		{evalLike, "eval s 0 x", nil},
		{evalLike, "eval s 2 a", nil},
		{evalLike, "eval s -1 a", nil},
		{evalLike, "eval s two a", nil},
		{evalLike, "eval s 99999999999999999999 a b", nil},
		{evalLike, "eval s 1073741824 a b", nil},
		{evalLike, "eval s 9999999999 a b", nil},
		{evalLike, "eval s", nil},
		{storeLike, "zunionstore d 2 a b WEIGHTS 1 2", []int{1, 3, 4}},
		{blockLike, "blmpop 0 1 a LEFT", []int{3}},
		{readLike, "xread COUNT 2 streams a b 0 0", []int{4, 5}},
		{readLike, "xread STREAMS a 0", []int{2}},
		{readLike, "xread STREAMS", nil},
		{readLike, "xread a 0", nil},
		{fromEnd, "migrate h p x 0 5 keys a b", []int{7, 8}},
		{fromEnd, "migrate h p x 0 5", nil},
		{fromEnd, "migrate", nil},
	} {
		if got := c.row.KeyPositions(views(strings.Fields(c.line)...), nil); !slices.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.line, got, c.want)
		}
	}
}

func TestKeyPositionsDoesNotAllocate(t *testing.T) {
	dst := make([]int, 0, 16)
	one, many := views("GET", "k"), views("MSET", "a", "1", "b", "2")
	eval := views("eval", "s", "2", "a", "b")
	get, mset := command.Lookup(one[0]), command.Lookup(many[0])
	if n := testing.AllocsPerRun(100, func() {
		_ = get.KeyPositions(one, dst)
		_ = mset.KeyPositions(many, dst)
		_ = evalLike.KeyPositions(eval, dst)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzKeyPositions: whatever the arguments, positions are ascending within a spec, below len(args) and never the command's name.
func FuzzKeyPositions(f *testing.F) {
	for _, line := range []string{"a", "a b", "get k", "x 2 a b", "x y 3 a b c d", "x STREAMS a b 0 0", "x y KEYS a", "bitop and d a b", "x keys", "x y 1073741823 a"} {
		f.Add(line)
	}
	rows := append(slices.Clone(command.Rows()), sortLike, evalLike, storeLike, blockLike, readLike, fromEnd)
	f.Fuzz(func(t *testing.T, line string) {
		args := views(strings.Split(line, " ")...)
		for _, r := range rows {
			for _, i := range r.KeyPositions(args, nil) {
				if i < 1 || i >= len(args) {
					t.Fatalf("%s of %q: position %d", r.Name, args, i)
				}
			}
		}
		command.Resolve(args)
	})
}

// FuzzAnswer: COMMAND answers anything with exactly one reply of its protocol.
func FuzzAnswer(f *testing.F) {
	for _, line := range strings.Split(strings.TrimSpace(sameAnswers+sameLists), "\n") {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		args := append([]string{"COMMAND"}, strings.Split(line, " ")...)
		for _, a := range [][]string{args, args[1:]} {
			for _, proto := range []int{2, 3} {
				if strings.EqualFold(a[0], "command") {
					parse(t, answer(proto, a...))
				}
			}
		}
	})
}

func BenchmarkKeyPositions(b *testing.B) {
	dst := make([]int, 0, 16)
	for _, line := range []string{"get k", "mget a b c d e f g h", "mset a 1 b 2"} {
		args := views(strings.Fields(line)...)
		r := command.Lookup(args[0])
		b.Run(string(args[0]), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = r.KeyPositions(args, dst)
			}
		})
	}
}
