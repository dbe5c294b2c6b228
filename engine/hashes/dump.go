package hashes

import (
	"encoding/binary"

	"larder/engine/store"
	"larder/protocol/encoding/listpack"
	"larder/protocol/encoding/rdb"
	"larder/protocol/encoding/ziplist"
	"larder/protocol/encoding/zipmap"
)

// TypeTimed is the type byte of a hash whose fields expire: a length, fields and values as strings, each pair with its expiry as i64 LE in milliseconds
// since 1970, -1 for none. It is Valkey 9's; Redis 7.2 has no such hashes.
const TypeTimed rdb.Type = 22

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

// Parse reads a value as Dump writes it, and in the older forms that Redis reads. The bytes are a stranger's: not ok if they are anything but one hash that
// is not empty and has no field twice. The texts are views of the bytes where they can be.
func Parse(t rdb.Type, value []byte) (pairs []Pair, ok bool) {
	if t == rdb.TypeHash || t == TypeTimed {
		pairs, ok = parsePairs(value, t == TypeTimed)
	} else {
		blob, size, err := rdb.String(value, nil)
		if err != nil || size != len(value) {
			return nil, false
		}
		pairs, ok = parseBlob(t, blob)
	}
	return pairs, ok && len(pairs) > 0 && unique(pairs)
}

func parsePairs(b []byte, timed bool) (pairs []Pair, ok bool) {
	n, at, err := rdb.Length(b)
	if err != nil || n > uint64(len(b)) {
		return nil, false
	}
	pairs = make([]Pair, n)
	for i := range pairs {
		p := &pairs[i]
		for _, text := range []*[]byte{&p.Field, &p.Value} {
			var size int
			if *text, size, err = rdb.String(b[at:], nil); err != nil {
				return nil, false
			}
			at += size
		}
		if !timed {
			continue
		}
		if len(b)-at < expiryBytes {
			return nil, false
		}
		switch ms := int64(binary.LittleEndian.Uint64(b[at:])); {
		case ms > 0:
			p.ExpiryMS = ms
		case ms != noExpiry:
			return nil, false
		}
		at += expiryBytes
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

func unique(pairs []Pair) bool {
	seen := make(map[string]struct{}, len(pairs))
	for i := range pairs {
		seen[string(pairs[i].Field)] = struct{}{}
	}
	return len(seen) == len(pairs)
}
