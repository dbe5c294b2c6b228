package store_test

import (
	"math/rand/v2"
	"testing"

	"larder/engine/store"
)

// TestSoak churns through phases of shifting value sizes at constant live bytes. What the system gave over what keys and values take must stay small and
// must not grow (Redis: 4.9 over the same phases).
func TestSoak(t *testing.T) {
	live, rounds := 8<<20, 1
	if long() {
		live, rounds = 400<<20, 3
	}
	phases := [][2]int{{10, 300}, {40, 80}, {120, 240}, {16, 32}, {300, 900}, {60, 70}, {8, 2000}}
	s := open(t, 5)
	d := s.DB(0)
	dice := rand.New(rand.NewPCG(1, 2))
	before := resident(t)
	type item struct{ key, size int }
	var items []item
	payload, next := 0, 0
	key, value := make([]byte, 16), make([]byte, 2000)
	var first float64
	for round := range rounds {
		for _, phase := range phases {
			for written := 0; written < 2*live; next++ {
				size := phase[0] + dice.IntN(phase[1]-phase[0]+1)
				d.Set(sixteen(key, next), value[:size], store.FormRaw, store.NoExpiry, 1)
				items = append(items, item{next, size})
				written += 16 + size
				payload += 16 + size
				for payload > live {
					i := dice.IntN(len(items))
					if !d.Delete(sixteen(key, items[i].key), 1) {
						t.Fatal("lost")
					}
					payload -= 16 + items[i].size
					items[i] = items[len(items)-1]
					items = items[:len(items)-1]
				}
			}
			t.Logf("sizes %d to %d: %d keys, payload %d MiB, Reserved over payload %.3f", phase[0], phase[1], d.Len(), payload>>20, float64(s.Reserved())/float64(payload))
		}
		for s.Work(1 << 20) {
		}
		ours := 24 * cap(items) // the list above
		ratio := float64(resident(t)-before-int64(ours)) / float64(payload)
		t.Logf("round %d: memory from the system over payload %.3f, Reserved %.3f", round, ratio, float64(s.Reserved())/float64(payload))
		if first == 0 {
			first = ratio
		}
		if ratio > 1.45 || ratio > first+0.05 {
			t.Errorf("memory from the system over payload is %.3f, at first %.3f: want at most 1.45 and no growth", ratio, first)
		}
	}
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
}
