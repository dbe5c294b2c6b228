package router_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"larder/router"
)

// Slots as CLUSTER KEYSLOT of redis-server 7.0.15 gives them; the tags are those of the Redis Cluster specification.
func TestSlot(t *testing.T) {
	for key, want := range map[string]int{
		"": 0, "foo": 12182, "bar": 5061, "hello": 866, "123456789": 0x31c3,
		"{user1000}.following": 3443, "{user1000}.followers": 3443, "user1000": 3443,
		"foo{}{bar}": 8363, "foo{{bar}}zap": 4015, "foo{bar}{zap}": 5061, "{}": 15257, "{": 4092, "}{a}": 15495, "a": 15495, "{a": 10276,
	} {
		if got := router.Slot([]byte(key)); got != want {
			t.Errorf("%q: slot %d, want %d", key, got, want)
		}
	}
}

// naiveSlot divides bit by bit.
func naiveSlot(key string) int {
	if _, after, ok := strings.Cut(key, "{"); ok {
		if tag, _, closed := strings.Cut(after, "}"); closed && tag != "" {
			key = tag
		}
	}
	crc := 0
	for i := range len(key) {
		for bit := 7; bit >= 0; bit-- {
			carry := crc>>15&1 ^ int(key[i])>>bit&1
			crc = crc<<1&0xffff ^ carry*0x1021
		}
	}
	return crc % 16384
}

func TestSlotAsNaive(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	for range 5000 {
		key := make([]byte, rng.IntN(40))
		for i := range key {
			key[i] = "{}ab\x00\xff"[rng.IntN(6)]
			if rng.IntN(2) == 0 {
				key[i] = byte(rng.Uint32())
			}
		}
		if got, want := router.Slot(key), naiveSlot(string(key)); got != want {
			t.Fatalf("%q: slot %d, want %d", key, got, want)
		}
	}
}

func FuzzSlot(f *testing.F) {
	for _, seed := range []string{"", "foo", "{a}b", "a{}{b}", "{{a}}", "}{", "123456789012345678901234567890"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if got, want := router.Slot([]byte(key)), naiveSlot(key); got != want {
			t.Fatalf("%q: slot %d, want %d", key, got, want)
		}
	})
}

func BenchmarkSlot(b *testing.B) {
	for name, key := range map[string]string{"16": "key:000000123456", "64": strings.Repeat("k", 64), "tag": "{user1000}.following"} {
		b.Run(name, func(b *testing.B) {
			k := []byte(key)
			b.SetBytes(int64(len(k)))
			for b.Loop() {
				router.Slot(k)
			}
		})
	}
}
