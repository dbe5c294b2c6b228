package store

import "strconv"

// Encoding is how Redis 7.2 would say that a value is kept; that of a string depends on how it came to be as well as on its bytes.
type Encoding uint8

// Int: a 64-bit number in its only decimal form. EmbStr: a short text that was set as a whole. Raw: a long one, or one that was changed in part. The
// others are of collections.
const (
	Int Encoding = iota
	EmbStr
	Raw
	ListPack
	IntSet
	HashTable
	QuickList
	SkipList
	Stream
)

var encodingNames = [...]string{"int", "embstr", "raw", "listpack", "intset", "hashtable", "quicklist", "skiplist", "stream"}

func (e Encoding) String() string { return encodingNames[e] }

// Form says which encodings Set may choose.
type Form uint8

const (
	FormAny  Form = iota // Int if the bytes are a number, else as FormText
	FormText             // EmbStr up to 44 bytes, else Raw
	FormRaw              // Raw
)

const (
	embstrMax = 44 // bytes, Redis 7.0 object.c
	digitsMax = 20 // of an int64, with sign
)

// Kind says what an item's value is and how it is kept.
type Kind uint8

const (
	kindDead Kind = iota
	kindInt
	kindEmbStr
	kindRaw
	kindBig // a Raw text with a run of its own

	// Collections: as one blob in the byte format that the name says, or (Big) as an object of pages.
	KindHash // listpack
	KindHashBig
	KindList // listpack
	KindListBig
	KindSetInt // intset
	KindSet    // listpack
	KindSetBig
	KindZSet // listpack
	KindZSetBig
	KindStreamBig

	KindMax Kind = 30
)

// Type is what TYPE answers of a value of this kind.
func (k Kind) Type() string {
	switch k {
	case KindHash, KindHashBig:
		return "hash"
	case KindList, KindListBig:
		return "list"
	case KindSetInt, KindSet, KindSetBig:
		return "set"
	case KindZSet, KindZSetBig:
		return "zset"
	case KindStreamBig:
		return "stream"
	default:
		return "string"
	}
}

// IsString tells whether the value is a string.
func (k Kind) IsString() bool { return k <= kindBig }

func (f Form) kind(value []byte) (Kind, int64) {
	if f == FormAny {
		if n, ok := ParseInt(value); ok {
			return kindInt, n
		}
	}
	if f == FormRaw || len(value) > embstrMax {
		return kindRaw, 0
	}
	return kindEmbStr, 0
}

// ParseInt reads a 64-bit number in its only decimal form: no leading zeros, no plus, no "-0".
func ParseInt(b []byte) (int64, bool) {
	if len(b) == 0 || len(b) > digitsMax {
		return 0, false
	}
	digits, negative := b, false
	if b[0] == '-' {
		digits, negative = b[1:], true
	}
	if len(digits) == 0 || digits[0] < '1' || digits[0] > '9' {
		return 0, len(b) == 1 && b[0] == '0'
	}
	var n uint64
	for _, c := range digits {
		if c < '0' || c > '9' {
			return 0, false
		}
		if n > (1<<64-1-9)/10 {
			return 0, false
		}
		n = n*10 + uint64(c-'0')
	}
	if negative {
		return -int64(n), n <= 1<<63
	}
	return int64(n), n < 1<<63
}

// Item is a key with its value. It is dead with the next call that may change the store, like what its methods return.
type Item struct {
	d *DB
	h shape
}

// Place is where the item lies now, counted from the beginning of the store's memory.
func (it Item) Place() uint64 { return it.h.at }

// Key gives the key.
func (it Item) Key() []byte { return it.d.store.keyBytes(&it.h) }

// ExpiryMS is when the key dies, milliseconds since 1970; 0 = never.
func (it Item) ExpiryMS() int64 { return it.d.store.expiryOf(&it.h) }

// Words gives memcached's words; zeros if the item was set without.
func (it Item) Words() Words { return it.d.store.wordsOf(&it.h) }

// Kind tells what the value is.
func (it Item) Kind() Kind { return it.h.kind() }

// Encoding tells how Redis 7.2 would say that the value is kept.
func (it Item) Encoding() Encoding {
	switch it.h.kind() {
	case kindInt:
		return Int
	case kindEmbStr:
		return EmbStr
	case KindHash, KindList, KindSet, KindZSet:
		return ListPack
	case KindSetInt:
		return IntSet
	case KindHashBig, KindSetBig:
		return HashTable
	case KindListBig:
		return QuickList
	case KindZSetBig:
		return SkipList
	case KindStreamBig:
		return Stream
	default:
		return Raw
	}
}

// IdleMS is for how long nobody looked at the key, in milliseconds, whole seconds; it begins anew after 48 days.
func (it Item) IdleMS(now int64) int64 {
	return int64((clockOf(now)-accessOf(it.h.first))&(accessPeriod-1)) * 1000
}

// Held tells whether the item is one that only a snapshot still has: when it was last looked at is then not known.
func (it Item) Held() bool { return it.h.first&flagHeld != 0 }

// Freq is how often the key was seen since it was written or last passed over by the eviction, 0 to 3: all that S3-FIFO counts.
func (it Item) Freq() int { return int(freqOf(it.h.first)) }

// SetIdle makes it as if nobody had looked at the key for some seconds. The item stays valid.
func (it *Item) SetIdle(idleS, now int64) {
	clock := (clockOf(now) - uint32(min(idleS, accessPeriod-1))) & (accessPeriod - 1)
	it.setFirst(it.h.first&(1<<accessShift-1) | clock<<accessShift)
}

// SetFreq makes it as if the key had been seen that often; all from 3 on is the same. The item stays valid.
func (it *Item) SetFreq(n int64) {
	it.setFirst(it.h.first&^uint32(freqMax<<freqShift) | uint32(min(n, freqMax))<<freqShift)
}

func (it *Item) setFirst(first uint32) {
	it.h.first = first
	it.d.store.mem.SetU32(it.h.at, first)
}

// Size is what the item takes, in bytes, with its share of the index.
func (it Item) Size() int {
	const share = BucketBytes / fillMax
	n := it.d.sizeOf(&it.h) + share
	if it.ExpiryMS() != NoExpiry {
		n += wheelEntry
	}
	return n
}

// Frozen tells whether a snapshot wants the value as it is now and could not take it (SnapshotOptions.Early): it must then be copied before it is changed.
func (it Item) Frozen() bool { return it.d.store.frozen(it.h.at) }

// Int gives the number of an Int.
func (it Item) Int() (int64, bool) {
	if it.h.kind() != kindInt {
		return 0, false
	}
	return int64(it.d.store.mem.U64(it.h.value())), true
}

// SetInt changes the number of an Int. The item stays valid.
func (it *Item) SetInt(n int64) {
	d, s := it.d, it.d.store
	if s.frozen(it.h.at) {
		d.rewrite(&it.h, d.probe(it.Key()), it.h.first&flagExpiry != 0, s.lifeOf(&it.h))
	}
	s.mem.SetU64(it.h.value(), uint64(n))
}

// Text gives the value's bytes, none of an object. Those of an Int are written to scratch, for which 20 bytes are enough.
func (it Item) Text(scratch []byte) []byte {
	s := it.d.store
	switch it.h.kind() {
	case kindInt:
		n, _ := it.Int()
		return strconv.AppendInt(scratch[:0], n, 10)
	case kindBig:
		return s.runBytes(s.runOf(&it.h))
	case KindHashBig, KindListBig, KindSetBig, KindZSetBig, KindStreamBig:
		return nil
	}
	return s.valueBytes(&it.h)
}

// Len is the length of the value's bytes, 0 of an object.
func (it Item) Len() int {
	switch it.h.kind() {
	case kindInt:
		n, _ := it.Int()
		var scratch [digitsMax]byte
		return len(strconv.AppendInt(scratch[:0], n, 10))
	case kindBig:
		return int(it.d.store.bigs.runs[it.d.store.runOf(&it.h)].length)
	case KindHashBig, KindListBig, KindSetBig, KindZSetBig, KindStreamBig:
		return 0
	}
	return int(it.h.valueLen())
}
