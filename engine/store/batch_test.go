package store_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"larder/engine/store"

	"pgregory.net/rapid"
)

// TestBatch runs the same commands with and without the passes that touch their keys first: commands of a batch depend on each other, tables are split
// between the passes and the commands, and some prepared keys are never asked for.
func TestBatch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.Uint64().Draw(t, "seed")
		plain, batched := open(t, seed), open(t, seed)
		dice := rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "dice"), 1))
		for range rapid.IntRange(1, 20).Draw(t, "batches") {
			keys := make([][]byte, dice.IntN(40))
			for i := range keys {
				keys[i] = fmt.Appendf(nil, "{%d}%d", dice.IntN(2), dice.IntN(60))
				batched.DB(0).Prepare(keys[i])
			}
			batched.Fetch()
			for i, key := range keys {
				what := dice.IntN(6)
				db := max(0, dice.IntN(8)-6) // a command before it may have changed the database
				if got, want := command(batched.DB(db), key, i, what), command(plain.DB(db), key, i, what); got != want {
					t.Fatalf("command %d on %q: %q, want %q", what, key, got, want)
				}
			}
			batched.Forget()
		}
		if err := batched.Verify(); err != nil {
			t.Fatal(err)
		}
	})
}

func command(d *store.DB, key []byte, i, what int) string {
	switch what {
	case 0:
		it, ok := d.Lookup(key, 1)
		if !ok {
			return "none"
		}
		return string(it.Text(make([]byte, 20)))
	case 1:
		d.Set(key, fmt.Appendf(nil, "v%d", i), store.FormAny, 0, 1)
	case 2:
		return fmt.Sprint(d.Delete(key, 1))
	case 3:
		return fmt.Sprint(d.Transfer(key, d, []byte("{0}other"), false, 1))
	case 4:
		return string(append(d.Grow(key, 10+i, 1), "|"...))
	}
	return ""
}

const benchKeys = 1 << 20

// filled gives a store of benchKeys keys, and the keys in an order of chance, one behind the other as in a read buffer.
func filled(b *testing.B, value int) (*store.Store, [][]byte) {
	s := open(b, 1)
	keys := make([][]byte, benchKeys)
	text := make([]byte, value)
	all := make([]byte, 0, 16*benchKeys)
	for i, n := range rand.Perm(benchKeys) {
		all = fmt.Appendf(all, "key:%012d", n)
		keys[i] = all[16*i : 16*i+16]
		s.DB(0).Set(keys[i], text, store.FormAny, 0, 1)
	}
	return s, keys
}

// timed runs f b.N times, n times a call, and reports the processor's time: what else runs on the machine counts little.
func timed(b *testing.B, n int, f func(i int)) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	before := cpu(b)
	for i := 0; i < b.N; i += n {
		f(i)
	}
	b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
}

// inBatch runs f for n keys that are prepared first.
func inBatch(s *store.Store, keys [][]byte, i, n int, f func(key []byte)) {
	batch := keys[i%(benchKeys-n):][:n]
	for _, key := range batch {
		s.DB(0).Prepare(key)
	}
	s.Fetch()
	for _, key := range batch {
		f(key)
	}
	s.Forget()
}

// BenchmarkLookup looks keys up alone, and in batches as a loop does it.
func BenchmarkLookup(b *testing.B) {
	s, keys := filled(b, 64)
	look := func(key []byte) {
		if _, ok := s.DB(0).Lookup(key, 1); !ok {
			b.Fatal("lost")
		}
	}
	b.Run("alone", func(b *testing.B) {
		timed(b, 1, func(i int) { look(keys[i%benchKeys]) })
	})
	for _, n := range []int{4, 16, 64} {
		b.Run(fmt.Sprint("batch of ", n), func(b *testing.B) {
			timed(b, n, func(i int) { inBatch(s, keys, i, n, look) })
		})
	}
}

// BenchmarkSet overwrites values, with the same size and with others, and adds keys.
func BenchmarkSet(b *testing.B) {
	s, keys := filled(b, 64)
	d := s.DB(0)
	text := make([]byte, 128)
	same := func(key []byte) { d.Set(key, text[:64], store.FormAny, 0, 1) }
	b.Run("same size", func(b *testing.B) {
		timed(b, 1, func(i int) { same(keys[i%benchKeys]) })
	})
	b.Run("batch of 16", func(b *testing.B) {
		timed(b, 16, func(i int) { inBatch(s, keys, i, 16, same) })
	})
	b.Run("other sizes", func(b *testing.B) {
		timed(b, 1, func(i int) { d.Set(keys[i%benchKeys], text[:32+i*31%97], store.FormAny, 0, 1) })
	})
	b.Run("insert", func(b *testing.B) {
		d := open(b, 3).DB(0)
		key := make([]byte, 16)
		timed(b, 1, func(i int) { d.Set(sixteen(key, i), text[:64], store.FormAny, 0, 1) })
	})
}
