package store_test

import (
	"testing"

	"larder/engine/memory"
	"larder/engine/store"
)

// TestTimersAreBounded changes expiries to and fro: what that leaves in the wheel must not pile up, and no key may be forgotten by it.
func TestTimersAreBounded(t *testing.T) {
	const now, keys = 1_700_000_000_000, 3000
	s := open(t, 3)
	d := s.DB(0)
	key := make([]byte, 16)
	for i := range keys {
		d.Set(sixteen(key, i), nil, store.FormAny, now+int64(i%7+1)*1_000_000, now)
	}
	most := int64(0)
	for i := range 200_000 {
		it, _ := d.Peek(sixteen(key, i%keys), now)
		if i%2 == 0 {
			it.Expire(store.NoExpiry, now)
		}
		it.Expire(now+int64(9_000_000-i*7%1000), now)
		most = max(most, s.Reserved())
	}
	if most > 1<<20 {
		t.Errorf("%d bytes for %d keys", most, keys)
	}
	for s.Work(1 << 20) {
	}
	if err := s.Verify(); err != nil {
		t.Fatal(err)
	}
	for more := true; more; {
		_, more = s.Expire(now+9_000_016, 1000)
	}
	if d.Len() != 0 {
		t.Errorf("%d keys were forgotten", d.Len())
	}
}

func TestOptions(t *testing.T) {
	for name, change := range map[string]func(*store.Options){
		"databases": func(o *store.Options) { o.Databases = -1 },
		"memory":    func(o *store.Options) { o.Memory = nil },
		"size":      func(o *store.Options) { o.Memory = memory.Map{ReserveBytes: 1} },
		"slot":      func(o *store.Options) { o.Slot = nil },
		"rand":      func(o *store.Options) { o.Rand = nil },
		"prefix":    func(o *store.Options) { o.Prefixes = []string{"a", "a"} },
		"no prefix": func(o *store.Options) { o.Prefixes = []string{""} },
		"prefixes":  func(o *store.Options) { o.Prefixes = make([]string, store.PrefixesMax+1) },
	} {
		o := options(1)
		change(&o)
		if _, err := store.New(o); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	for p := store.NoEviction; p <= store.VolatileTTL; p++ {
		if q, ok := store.ParsePolicy(p.String()); !ok || q != p {
			t.Errorf("%v is not read back", p)
		}
	}
	if _, ok := store.ParsePolicy("some"); ok {
		t.Error("an unknown policy was taken")
	}
}

// TestRests: a store rests when no key dies meanwhile, however far the wheel has turned since it was given the key.
func TestRests(t *testing.T) {
	const now, ahead, step = 1_700_000_000_000, 1100, 50
	for _, ttl := range []int64{1, 999, 5_000, 70_000, 200_000, 10_000_000} {
		s := open(t, 3)
		if !s.Rests(now + ahead) {
			t.Fatal("an empty store has something to do")
		}
		s.DB(2).Set([]byte("k"), nil, store.FormAny, now+ttl, now)
		rested := false
		for at := int64(now); at < now+min(ttl, 300_000); at += step {
			for more := true; more; {
				_, more = s.Expire(at, 1000)
			}
			rests := s.Rests(at + ahead)
			rested = rested || rests
			if rests && now+ttl < at+ahead-step {
				t.Fatalf("a key that lives for %d ms is forgotten %d ms before it dies", ttl, now+ttl-at)
			}
		}
		if ttl > 2*ahead && !rested {
			t.Errorf("a key that lives for %d ms keeps the store busy", ttl)
		}
	}
}
