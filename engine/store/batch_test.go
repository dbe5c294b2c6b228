package store_test

import (
	"fmt"
	"math/rand/v2"
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
				if got, want := command(batched.DB(0), key, i, what), command(plain.DB(0), key, i, what); got != want {
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

func filled(b *testing.B, value int) (*store.Store, [][]byte) {
	s := open(b, 1)
	keys := make([][]byte, benchKeys)
	text := make([]byte, value)
	all := make([]byte, 0, 16*benchKeys)
	for i := range keys {
		all = fmt.Appendf(all, "key:%012d", i)
		keys[i] = all[16*i : 16*i+16]
		s.DB(0).Set(keys[i], text, store.FormAny, 0, 1)
	}
	rand.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	return s, keys
}

// BenchmarkLookup looks keys up alone, and in batches as a loop does it.
func BenchmarkLookup(b *testing.B) {
	s, keys := filled(b, 64)
	d := s.DB(0)
	b.Run("alone", func(b *testing.B) {
		for i := range b.N {
			if _, ok := d.Lookup(keys[i%benchKeys], 1); !ok {
				b.Fatal("lost")
			}
		}
	})
	for _, n := range []int{4, 16, 64} {
		b.Run(fmt.Sprint("batch of ", n), func(b *testing.B) {
			for i := 0; i < b.N; i += n {
				batch := keys[i%benchKeys:]
				batch = batch[:min(n, len(batch))]
				for _, key := range batch {
					d.Prepare(key)
				}
				s.Fetch()
				for _, key := range batch {
					if _, ok := d.Lookup(key, 1); !ok {
						b.Fatal("lost")
					}
				}
				s.Forget()
			}
		})
	}
}

// BenchmarkSet overwrites values, with the same size and with others.
func BenchmarkSet(b *testing.B) {
	s, keys := filled(b, 64)
	d := s.DB(0)
	text := make([]byte, 128)
	b.Run("same size", func(b *testing.B) {
		for i := range b.N {
			d.Set(keys[i%benchKeys], text[:64], store.FormAny, 0, 1)
		}
	})
	b.Run("other sizes", func(b *testing.B) {
		for i := range b.N {
			d.Set(keys[i%benchKeys], text[:32+i*31%97], store.FormAny, 0, 1)
		}
	})
	b.Run("batch of 16", func(b *testing.B) {
		for i := 0; i < b.N; i += 16 {
			batch := keys[i%benchKeys:][:16]
			for _, key := range batch {
				d.Prepare(key)
			}
			s.Fetch()
			for _, key := range batch {
				d.Set(key, text[:64], store.FormAny, 0, 1)
			}
			s.Forget()
		}
	})
	b.Run("insert", func(b *testing.B) {
		d := open(b, 3).DB(0)
		key := make([]byte, 16)
		for i := range b.N {
			d.Set(sixteen(key, i), text[:64], store.FormAny, 0, 1)
		}
	})
}
