package hashes

import (
	"encoding/binary"

	"larder/engine/store"
	"larder/protocol/encoding/listpack"
	"larder/protocol/encoding/lzf"
	"larder/protocol/encoding/rdb"
	"larder/protocol/encoding/ziplist"
	"larder/protocol/encoding/zipmap"
)

// TypeTimed is the type byte of a hash whose fields expire: a length, fields and values as strings, each pair with its expiry as i64 LE in milliseconds
// since 1970, -1 for none. It is Valkey 9's; Redis 7.2 has no such hashes.
const TypeTimed rdb.Type = 22

const noExpiry = -1 // in a dump

// Dump appends the type byte and the value of a hash, as DUMP and RDB files have them (RDB version 10, but for TypeTimed).
func (h *Hash) Dump(dst []byte, c *lzf.Compressor) []byte {
	if h.big == nil {
		return rdb.AppendString(append(dst, byte(rdb.TypeHashListpack)), h.list, c)
	}
	timed := h.big.Trees[dues].Len() > h.expired()
	if timed {
		dst = append(dst, byte(TypeTimed))
	} else {
		dst = append(dst, byte(rdb.TypeHash))
	}
	dst = rdb.AppendLength(dst, uint64(h.Len()))
	cursor := h.big.Trees[fields].At(0)
	for ; cursor.Valid(); cursor.Next() {
		f := fieldOf(cursor.Entry())
		if f.dead(h.now) {
			continue
		}
		dst = rdb.AppendString(dst, f.name, c)
		dst = rdb.AppendString(dst, f.value, c)
		if timed {
			at := f.expiryMS
			if at == store.NoExpiry {
				at = noExpiry
			}
			dst = binary.LittleEndian.AppendUint64(dst, uint64(at))
		}
	}
	return dst
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
