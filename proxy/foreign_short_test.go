package proxy

import (
	"fmt"
	"strings"
	"testing"

	"larder/protocol/command"
)

// TestForeignShort: whatever a server says of where keys stand, commands that have too few arguments for it are answered, outside of transactions and in them.
func TestForeignShort(t *testing.T) {
	keys := command.KeySpec{Flags: command.KeyRW, Begin: command.BeginIndex, Index: 1, Find: command.FindRange, Step: 1}
	all, second, number, word, pairs := keys, keys, keys, keys, keys
	all.LastKey = -1
	second.Index = 2
	pairs.LastKey, pairs.Step = -1, 2
	number.Find, number.FirstKey = command.FindKeyNum, 1
	word.Begin, word.Keyword, word.From = command.BeginKeyword, "x", 1
	each := []string{"request_policy:multi_shard", "response_policy:agg_sum"}
	var rows []command.Row
	for i, specs := range [][]command.KeySpec{{keys}, {all}, {second}, {number}, {word}, {pairs}, {keys, second}, {number, keys}, {}} {
		for j, flags := range []command.Flags{0, command.ReadOnly, command.Blocking, command.NoMandatoryKeys} {
			for k, tips := range [][]string{nil, each} {
				rows = append(rows, command.Row{Name: fmt.Sprintf("m.x%d%d%d", i, j, k), Arity: -1, Flags: flags | command.Module, KeySpecs: specs, Tips: tips})
			}
		}
	}
	for _, shards := range []int{1, 3} {
		w := newWorld(quiet{t}, 1, shards, false, nil)
		w.g.Extend(command.NewOverlay(1, rows))
		c := w.client(0)
		for _, row := range w.g.foreign.Load().Rows() {
			for _, args := range []string{"", " x", " 1", " 2 a", " x a b"} {
				for _, before := range []string{"", "MULTI"} {
					line := row.Name + args
					if got := w.talk(c, before, line); got == "" || before != "" && !strings.HasPrefix(got, "+OK ") {
						t.Errorf("%d shards, %s, %s: %q", shards, before, line, got)
					}
					if before != "" {
						w.talk(c, "EXEC")
					}
				}
			}
		}
	}
}
