package hashes

import (
	"encoding/binary"
	"math"

	"larder/engine/store"
	"larder/protocol/encoding/listpack"
	"larder/protocol/encoding/rdb"
	"larder/protocol/encoding/ziplist"
	"larder/protocol/encoding/zipmap"
)

// TypeTimed is what a hash whose fields expire is written as. It is Valkey 9's; Redis 7.2 has no such hashes.
const TypeTimed = rdb.TypeHashTimed

const noExpiry = -1 // in a dump

// TypeTimedRedis is the type byte that Redis has for them from 7.4 on: the first expiry as i64 LE, a length, and before each field and value, which are
// strings, a length that is 0 without an expiry and else one more than what the expiry is behind the first.
const TypeTimedRedis rdb.Type = 24

// Write writes the value of a hash that has fields, as DUMP and RDB files have it (RDB version 10, but for fields that expire).
func (h *Hash) Write(p *rdb.Pen) {
	if h.big == nil {
		p.Begin(rdb.TypeHashListpack)
		p.String(h.list)
		return
	}
	dead, due := h.expired(), h.big.Trees[dues]
	first, timed := int64(0), due.Len() > dead
	if timed {
		c := due.At(dead)
		_, first = dueOf(c.Entry())
	}
	switch {
	case !timed:
		p.Begin(rdb.TypeHash)
	case p.RedisTimed:
		p.Begin(TypeTimedRedis)
		p.Uint64(uint64(first))
	default:
		p.Begin(TypeTimed)
	}
	p.Length(uint64(h.Len()))
	cursor := h.big.Trees[fields].At(0)
	for ; cursor.Valid(); cursor.Next() {
		f := fieldOf(cursor.Entry())
		if f.dead(h.now) {
			continue
		}
		if timed && p.RedisTimed {
			p.Length(f.behind(first))
		}
		p.String(f.name)
		p.String(f.value)
		if timed && !p.RedisTimed {
			p.Uint64(f.valkeyExpiry())
		}
		if !p.Rest() {
			return
		}
	}
}

func (f *field) behind(first int64) uint64 {
	if f.expiryMS == store.NoExpiry {
		return 0
	}
	return uint64(f.expiryMS-first) + 1
}

func (f *field) valkeyExpiry() uint64 {
	at := f.expiryMS
	if at == store.NoExpiry {
		at = noExpiry
	}
	return uint64(at)
}

// Pair is a field on its way in.
type Pair struct {
	Field, Value []byte
	ExpiryMS     int64 // store.NoExpiry: none
}

// Parse reads a value as Dump writes it, and in the older and newer forms that Redis and Valkey write. The bytes are a stranger's: not ok if they are
// anything but one hash that is not empty and has no field twice. The texts are views of the bytes where they can be.
func Parse(t rdb.Type, value []byte) (pairs []Pair, ok bool) {
	least := int64(0)
	if t == rdb.TypeHashExpiries || t == rdb.TypeHashPackExpiries {
		if value, least, ok = cutTime(value); !ok || least <= 0 {
			return nil, false
		}
	}
	switch t {
	case rdb.TypeHash, TypeTimed:
		pairs, ok = parsePairs(value, t == TypeTimed)
	case rdb.TypeHashExpiries:
		pairs, ok = parseExpiring(value, least-1)
	case rdb.TypeHashExpiriesEarly:
		pairs, ok = parseExpiring(value, 0)
	default:
		blob, size, err := rdb.String(value, nil)
		if err != nil || size != len(value) {
			return nil, false
		}
		pairs, ok = parseBlob(t, blob)
	}
	return pairs, ok && len(pairs) > 0 && unique(pairs)
}

// cutTime takes 8 bytes off the front.
func cutTime(b []byte) (rest []byte, ms int64, ok bool) {
	if len(b) < expiryBytes {
		return nil, 0, false
	}
	return b[expiryBytes:], int64(binary.LittleEndian.Uint64(b)), true
}

// room makes place for as many pairs as the bytes say, if they can have so many.
func room(b []byte) (pairs []Pair, at int, ok bool) {
	const least = 2 // bytes of a pair
	n, at, err := rdb.Length(b)
	if err != nil || n > uint64(len(b)/least) {
		return nil, 0, false
	}
	return make([]Pair, n), at, true
}

// readTexts reads a pair's field and value.
func (p *Pair) readTexts(b []byte, at int) (next int, ok bool) {
	for _, text := range [...]*[]byte{&p.Field, &p.Value} {
		var size int
		var err error
		if *text, size, err = rdb.String(b[at:], nil); err != nil {
			return 0, false
		}
		at += size
	}
	return at, true
}

// parsePairs reads pairs as Redis up to 7.2 and Valkey have them.
func parsePairs(b []byte, timed bool) (pairs []Pair, ok bool) {
	pairs, at, ok := room(b)
	if !ok {
		return nil, false
	}
	for i := range pairs {
		p := &pairs[i]
		if at, ok = p.readTexts(b, at); !ok {
			return nil, false
		}
		if !timed {
			continue
		}
		_, ms, ok := cutTime(b[at:])
		switch {
		case !ok, ms <= 0 && ms != noExpiry:
			return nil, false
		case ms > 0:
			p.ExpiryMS = ms
		}
		at += expiryBytes
	}
	return pairs, at == len(b)
}

// parseExpiring reads pairs as Redis has them from 7.4 on: the expiry comes before the pair, is 0 for none, and counts from base.
func parseExpiring(b []byte, base int64) (pairs []Pair, ok bool) {
	pairs, at, ok := room(b)
	if !ok {
		return nil, false
	}
	for i := range pairs {
		p := &pairs[i]
		n, size, err := rdb.Length(b[at:])
		if err != nil || n > uint64(math.MaxInt64-base) {
			return nil, false
		}
		if n > 0 {
			p.ExpiryMS = base + int64(n)
		}
		if at, ok = p.readTexts(b, at+size); !ok {
			return nil, false
		}
	}
	return pairs, at == len(b)
}

func parseBlob(t rdb.Type, blob []byte) (pairs []Pair, ok bool) {
	switch t {
	case rdb.TypeHashListpack:
		if listpack.Validate(blob) != nil {
			return nil, false
		}
		l := listpack.List(blob)
		return pairUp(l.First(), func(at int) (Text, int) { return l.Get(at), l.Next(at) })
	case rdb.TypeHashPackExpiries, rdb.TypeHashPackExpiriesEarly:
		if listpack.Validate(blob) != nil {
			return nil, false
		}
		return threeUp(blob)
	case rdb.TypeHashZiplist:
		if ziplist.Validate(blob) != nil {
			return nil, false
		}
		l := ziplist.List(blob)
		return pairUp(l.First(), l.Get)
	case rdb.TypeHashZipmap:
		if zipmap.Validate(blob) != nil {
			return nil, false
		}
		m := zipmap.Map(blob)
		for at := m.First(); at != 0; {
			var p Pair
			p.Field, p.Value, at = m.Get(at)
			pairs = append(pairs, p)
		}
		return pairs, true
	}
	return nil, false
}

// pairUp reads a list of fields and values in turns.
func pairUp(at int, get func(int) (Text, int)) (pairs []Pair, ok bool) {
	for at != 0 {
		var p Pair
		var t Text
		t, at = get(at)
		if p.Field = text(t, nil); at == 0 {
			return nil, false
		}
		t, at = get(at)
		p.Value = text(t, nil)
		pairs = append(pairs, p)
	}
	return pairs, true
}

// threeUp reads a list of fields, values and expiries in turns, 0 for none.
func threeUp(l listpack.List) (pairs []Pair, ok bool) {
	for at := l.First(); at != 0; {
		var p Pair
		for _, into := range [...]*[]byte{&p.Field, &p.Value} {
			*into = text(l.Get(at), nil)
			if at = l.Next(at); at == 0 {
				return nil, false
			}
		}
		e := l.Get(at)
		if !e.IsInt() || e.Int < 0 {
			return nil, false
		}
		p.ExpiryMS = e.Int
		at = l.Next(at)
		pairs = append(pairs, p)
	}
	return pairs, true
}

func unique(pairs []Pair) bool {
	seen := make(map[string]struct{}, len(pairs))
	for i := range pairs {
		seen[string(pairs[i].Field)] = struct{}{}
	}
	return len(seen) == len(pairs)
}
