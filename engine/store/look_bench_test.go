package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"larder/engine/memory"
	"larder/engine/store"
	"larder/router"
)

func BenchmarkLookup(b *testing.B) {
	const keys = 2_000_000
	for _, huge := range []bool{false, true} {
		s, err := store.New(store.Options{Databases: 1, Memory: memory.Map{Huge: huge}, Seed: 1, Slot: router.Slot, Rand: rand.New(rand.NewPCG(1, 2))})
		if err != nil {
			b.Fatal(err)
		}
		d := s.DB(0)
		value := make([]byte, 64)
		for i := range keys {
			d.Set(fmt.Appendf(nil, "key:%012d", i), value, store.FormRaw, 0, 1)
		}
		r := rand.New(rand.NewPCG(3, 4))
		names := make([][]byte, 1<<16)
		for i := range names {
			names[i] = fmt.Appendf(nil, "key:%012d", r.IntN(keys))
		}
		for _, batch := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("huge=%v/batch=%d", huge, batch), func(b *testing.B) {
				at, sum := 0, 0
				for b.Loop() {
					part := names[at : at+batch]
					at = (at + batch) & (1<<16 - 1)
					if at+batch > len(names) {
						at = 0
					}
					if batch > 1 {
						for _, k := range part {
							d.Prepare(k)
						}
						s.Fetch()
					}
					for _, k := range part {
						it, ok := d.Lookup(k, 1)
						if !ok {
							b.Fatal(string(k))
						}
						sum += int(it.Text(nil)[0])
					}
					s.Forget()
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/key")
				_ = sum
			})
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
