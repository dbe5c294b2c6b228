package engine_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"larder/engine"
	"larder/internal/conform"
	"larder/protocol/command"
	"larder/protocol/resp"
	"larder/router"
)

// filling is a node that does what chance says, one that follows it and tells results, and a cluster that is filled by these.
type filling struct {
	*following
	staging *talker
	primary *primaryEnd
	offset  int64
	shards  []*talker
	db      int // the database that the pieces are in
	whole   bool
}

func newFilling(t *testing.T, seed uint64, shards int) *filling {
	f := &filling{following: &following{t: t, rng: rand.New(rand.NewPCG(seed, seed)), node: newTeller(t), knows: knows{fields: true, groups: true}}}
	f.tell = func(args [][]byte) {
		f.node.send(resp.AppendCommand(nil, args...))
		if f.rng.IntN(3) == 0 {
			f.pass()
		}
	}
	f.staging = newBed(t, func(o *engine.Options) { o.Results = true }).client()
	f.primary = f.staging.b.following(f.staging)
	f.primary.synced(emptyFile, 0)
	for range shards {
		f.shards = append(f.shards, newBed(t, withDebug).client())
	}
	return f
}

// pass has what the node told since go to the one that follows it, and some of the results to the cluster.
func (f *filling) pass() {
	if stream := f.node.told(); len(stream) > 0 {
		f.primary.says(string(stream))
		f.offset += int64(len(stream))
	}
	if f.rng.IntN(2) == 0 {
		f.take()
	}
	if f.rng.IntN(200) == 0 {
		f.staging.b.node.ResultsLost(nil, 0)
	}
}

// take has a piece taken; some are lost on the way.
func (f *filling) take() bool {
	piece, ok := f.staging.b.node.TakeResults()
	if !ok {
		return false
	}
	if piece.Anew {
		f.each("FLUSHALL")
	}
	if f.whole = piece.Offset >= 0; f.whole && piece.Offset != f.offset {
		f.t.Fatalf("a piece that ends at %d says %d", f.offset, piece.Offset)
	}
	lost, all := f.rng.IntN(8) == 0, wholeCommands(f.t, piece.Commands)
	var keys []engine.ResultKey
	for i, args := range all {
		if lost && f.rng.IntN(10) == 0 { // from here on
			f.lose(keys, all[i:], piece.Swaps)
			return true
		}
		keys = append(keys, f.apply(args)...)
	}
	if lost {
		f.lose(keys, nil, piece.Swaps)
	}
	return true
}

// lose has keys told again: what ran of the piece is not known.
func (f *filling) lose(keys []engine.ResultKey, rest [][][]byte, swaps uint64) {
	f.whole = false
	for _, args := range rest {
		row := rowOf(args)
		switch at := row.KeyPositions(args, nil); {
		case row.ID == command.CmdSelect:
			f.db, _ = strconv.Atoi(string(args[1]))
		case len(at) == 0:
			f.staging.b.node.ResultsLost(nil, 0)
			return
		default:
			keys = append(keys, engine.ResultKey{DB: f.db, Key: string(args[at[0]])})
		}
	}
	f.staging.b.node.ResultsLost(keys, swaps) // without any, all is told anew
}

// apply has a command of a piece run where it belongs, and gives its key.
func (f *filling) apply(args [][]byte) (keys []engine.ResultKey) {
	row := rowOf(args)
	if row == nil {
		f.t.Fatalf("told %.200q", args)
	}
	at := row.KeyPositions(args, nil)
	switch {
	case row.ID == command.CmdSelect:
		f.db, _ = strconv.Atoi(string(args[1]))
	case len(at) == 0:
		for _, s := range f.shards {
			f.run(s, args)
		}
	case len(at) == 1:
		f.run(f.shards[router.Slot(args[at[0]])*len(f.shards)/router.Slots], args)
		keys = append(keys, engine.ResultKey{DB: f.db, Key: string(args[at[0]])})
	default:
		f.t.Fatalf("a command of several keys is told: %.200q", args)
	}
	return keys
}

// rowOf is a command's row, or its subcommand's.
func rowOf(args [][]byte) *command.Row {
	row := command.Lookup(args[0])
	if row != nil && len(row.Subs) > 0 && len(args) > 1 {
		row = row.Sub(args[1])
	}
	return row
}

func (f *filling) run(s *talker, args [][]byte) {
	f.t.Helper()
	s.do("SELECT", strconv.Itoa(f.db))
	if got := s.send(resp.AppendCommand(nil, args...)); strings.HasPrefix(got, "-") {
		f.t.Fatalf("%.300q: %s\nsaid:\n%s", args, got, strings.Join(f.said, "\n"))
	}
}

func (f *filling) each(args ...string) {
	for _, s := range f.shards {
		s.do(args...)
	}
}

// check: when all is given, the cluster has what the node has.
func (f *filling) check() {
	f.t.Helper()
	f.letDie()
	for f.now(f.node.b).Before(f.latest()) { // what has died in the cluster dies here too
		f.node.b.m.Advance(ms(500))
		f.letDie()
	}
	f.pass()
	for i := 0; f.take() || !f.whole; i++ {
		if i > 10_000 {
			f.t.Fatal("it does not become whole")
		}
		f.staging.b.m.Advance(ms(1))
	}
	want := picture(f.node.b.client(), f.knows)
	var got []string
	for _, s := range f.shards {
		s.b.node.Obey(func() {
			if lines := picture(s.b.client(), f.knows); lines != "" {
				got = append(got, strings.Split(lines, "\n")...)
			}
		})
	}
	slices.Sort(got)
	if have := strings.Join(got, "\n"); have != want {
		f.t.Fatalf("the cluster differs\nthe node, %d bytes:\n%s\nthe cluster, %d bytes:\n%s\nsaid:\n%.3000s", len(want), minus(want, have), len(have), minus(have, want), strings.Join(f.said, "\n"))
	}
	f.said = f.said[:0]
	for _, s := range f.shards { // their clocks are not the node's
		if d := f.now(f.node.b).Sub(f.now(s.b)) + ms(f.rng.IntN(5000)-2000); d > 0 {
			s.b.m.Advance(d)
		}
	}
}

func (f *filling) now(b *bed) time.Time {
	at := elements(b.client().do("TIME"))
	seconds, _ := strconv.ParseInt(at[0], 10, 64)
	micros, _ := strconv.ParseInt(at[1], 10, 64)
	return time.Unix(seconds, micros*1000)
}

func (f *filling) latest() (last time.Time) {
	for _, s := range f.shards {
		if now := f.now(s.b); now.After(last) {
			last = now
		}
	}
	return last
}

// TestResultsFillClusters: whatever a node does, of all types and over keys of several shards, a cluster that is given the results has the same in the end; also
// where pieces are lost, clocks differ, and the copy begins anew amid the changes.
func TestResultsFillClusters(t *testing.T) {
	for _, seed := range streamSeeds(6) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			f := newFilling(t, seed, 1+int(seed)%3)
			drawn := conform.NewGenerator(f.rng, start, true)
			for range 30 {
				f.round(drawn, 60)
				f.check()
			}
		})
	}
}

// TestResultsOfKeysNearTheirEnd: a key that the cluster has let go, since its clock is ahead, is there again when the source has it live on.
func TestResultsOfKeysNearTheirEnd(t *testing.T) {
	f := newFilling(t, 1, 1)
	f.shards[0].b.m.Advance(ms(5000))
	for _, line := range []string{"SET k v", "RPUSH l a b", "PEXPIRE k 3000", "PEXPIRE l 3000", "PERSIST k", "RPUSH l c", "PERSIST l"} {
		f.node.do(strings.Fields(line)...)
		f.pass()
		for f.take() {
		}
		f.shards[0].b.m.Advance(ms(10))
	}
	f.check()
	f.shards[0].says("$1\r\nv\r\n", "GET", "k")
}
