package commands

import (
	"crypto/sha1"
	"encoding/binary"
	"math"
	"strconv"

	"larder/engine/hashes"
	"larder/engine/lists"
	"larder/engine/sets"
	"larder/engine/store"
	"larder/engine/streams"
	"larder/engine/zsets"
	"larder/protocol/encoding/decimal"
)

// Digest is what DEBUG DIGEST makes of values: two servers that have the same keys and values have the same one, in whatever order and encoding they keep
// them (Redis 7.2 debug.c). What comes in an order is mixed in; what has none is xored, so that any order gives the same.
type Digest [sha1.Size]byte

// xor adds a text; the order in which texts are added does not matter.
func (d *Digest) xor(text []byte) {
	sum := sha1.Sum(text)
	for i := range d {
		d[i] ^= sum[i]
	}
}

// mix adds a text behind those that were added before.
func (d *Digest) mix(text []byte) {
	d.xor(text)
	*d = sha1.Sum(d[:])
}

// mixInt mixes a number in the order of the network, 4 bytes.
func (d *Digest) mixInt(n int) { d.mix(binary.BigEndian.AppendUint32(nil, uint32(n))) }

// Redis's numbers of the types, which are part of a digest.
const (
	digestString = 0
	digestList   = 1
	digestSet    = 2
	digestZSet   = 3
	digestHash   = 4
	digestStream = 6
)

// DigestAll is the digest of all databases.
func (c *Call) DigestAll() (all Digest) {
	for i := range c.Store.Databases() {
		db := c.Store.DB(i)
		if db.Len() == 0 {
			continue
		}
		all.mixInt(i)
		db.Each(c.NowMS, func(it store.Item) bool {
			var d Digest
			d.mix(it.Key())
			c.digest(&d, it)
			all.xor(d[:])
			return true
		})
	}
	return all
}

// DigestValue is the digest of a key's value and of whether it expires; zeros without the key.
func (c *Call) DigestValue(key []byte) (d Digest) {
	if it, found := c.DB.Peek(key, c.NowMS); found {
		c.digest(&d, it)
	}
	return d
}

func (c *Call) digest(d *Digest, it store.Item) {
	switch kind := it.Kind(); {
	case kind.IsString():
		d.mixInt(digestString)
		d.mix(c.text(it))
	case kind == store.KindList || kind == store.KindListBig:
		d.mixInt(digestList)
		d.list(lists.Open(it))
	case kind >= store.KindSetInt && kind <= store.KindSetBig:
		d.mixInt(digestSet)
		var v sets.View
		v.Open(c.Store, it)
		for member := range v.All {
			d.xor(member)
		}
	case zsets.Is(kind):
		d.mixInt(digestZSet)
		d.zset(zsets.Of(c.Store, it))
	case kind == store.KindHash || kind == store.KindHashBig:
		d.mixInt(digestHash)
		d.hash(hashes.Open(c.Store, it, c.NowMS))
	default:
		d.mixInt(digestStream)
		d.stream(c.streamOf(it))
	}
	if it.ExpiryMS() != store.NoExpiry {
		d.xor([]byte("!!expire!!"))
	}
}

func (d *Digest) list(l lists.List) {
	var digits [digitsMax]byte
	w := l.From(0, false)
	for {
		e, ok := w.Next()
		if !ok {
			return
		}
		d.mix(e.Append(digits[:0]))
	}
}

func (d *Digest) zset(v zsets.Value) {
	var room [scoreMax]byte
	at := v.At(0)
	for ; at.Valid(); at.Next() {
		var pair Digest
		pair.mix(at.Member())
		pair.mix(decimal.AppendShortest(room[:0], at.Score()))
		d.xor(pair[:])
	}
}

// scoreMax is the room that the text of a score needs, in bytes.
const scoreMax = 32

func (d *Digest) hash(h hashes.Hash) {
	var digits [digitsMax]byte
	w := h.Walk()
	for w.Next() {
		var pair Digest
		pair.mix(w.Field.Append(digits[:0]))
		pair.mix(w.Value.Append(digits[:0]))
		d.xor(pair[:])
	}
}

func (d *Digest) stream(s streams.Stream) {
	var room [2*digitsMax + 1]byte
	r := s.Range(streams.ID{}, streams.ID{MS: math.MaxUint64, Seq: math.MaxUint64}, false, 0)
	for {
		e, ok := r.Next()
		if !ok {
			return
		}
		id := append(strconv.AppendUint(room[:0], e.ID.MS, 10), '.')
		d.mix(strconv.AppendUint(id, e.ID.Seq, 10))
		for range e.Len() {
			name, value := e.Next()
			d.mix(name)
			d.mix(value)
		}
	}
}
