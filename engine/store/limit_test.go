package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"larder/engine/store"
)

// TestLimit writes far more than fits, under each policy: memory stays within the limit and 2 % of it, and what goes is what the policy may take.
func TestLimit(t *testing.T) {
	for policy := store.NoEviction; policy <= store.VolatileTTL; policy++ {
		for _, limit := range []int64{2 << 20, 12 << 20} {
			t.Run(fmt.Sprintf("%v %d MiB", policy, limit>>20), func(t *testing.T) { fill(t, policy, limit) })
		}
	}
}

func fill(t *testing.T, policy store.Policy, limit int64) {
	const now = 1_700_000_000_000
	o := options(9)
	timed := policy >= store.VolatileLRU
	evicted, lost := 0, 0
	o.Gone = func(_ int, key []byte, _ bool) {
		evicted++
		if timed && key[0] == 'p' {
			lost++
		}
	}
	s := openWith(t, o)
	s.SetLimit(limit, policy)
	d := s.DB(0)
	dice := rand.New(rand.NewPCG(3, 3))
	value := make([]byte, 1000)
	refused, peak, written := 0, int64(0), 0
	for i := 0; written < 5*int(limit); i++ {
		size := dice.IntN(len(value))
		written += size
		if !s.MakeRoom(size+100, now) {
			refused++
			continue
		}
		key, expiry := fmt.Sprintf("k%d", dice.IntN(int(limit/200))), store.NoExpiry
		if timed {
			if expiry = now + 1 + dice.Int64N(1e7); i%100 == 0 && i < int(limit/3000) {
				key, expiry = fmt.Sprintf("p%d", i), store.NoExpiry
			}
		}
		d.Set([]byte(key), value[:size], store.FormRaw, expiry, now)
		d.Lookup([]byte(key), now)
		peak = max(peak, s.Reserved())
	}
	if peak > limit+limit/50 {
		t.Errorf("%d bytes were taken from the system, limit %d", peak, limit)
	}
	if (refused > 0) != (policy == store.NoEviction) || (evicted > 0) != (policy != store.NoEviction) || int64(evicted) != s.Evicted() {
		t.Errorf("%d writes refused, %d keys evicted, counted %d", refused, evicted, s.Evicted())
	}
	if lost > 0 {
		t.Errorf("%d keys without expiry were evicted", lost)
	}
	least := limit * 80 / 100
	if limit < 4<<20 {
		least = limit * 70 / 100 // a few open segments are much of it
	}
	if used := s.Memory(); used < least {
		t.Errorf("only %d bytes of %d are in use", used, limit)
	}
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
}

// TestVolatileTTL evicts what expires first.
func TestVolatileTTL(t *testing.T) {
	const now = 1_700_000_000_000
	s := open(t, 9)
	d := s.DB(0)
	const keys = 20000
	for i := range keys {
		d.Set(fmt.Appendf(nil, "k%d", i), make([]byte, 100), store.FormRaw, now+1000*int64(1+i*7919%keys), now)
	}
	s.SetLimit(s.Used()/2, store.VolatileTTL)
	for range 2000 {
		s.MakeRoom(1000, now)
	}
	gone := keys - d.Len()
	late := 0
	for i := range keys {
		if _, ok := d.Peek(fmt.Appendf(nil, "k%d", i), now); !ok && i*7919%keys > gone {
			late++
		}
	}
	if gone < keys/4 || late > gone/20 {
		t.Errorf("%d keys evicted, %d of them not among the first to expire", gone, late)
	}
}
