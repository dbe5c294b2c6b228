package digest

import (
	"fmt"
	"math"
	"strconv"

	"larder/protocol/encoding/intset"
	"larder/protocol/encoding/listpack"
	"larder/protocol/encoding/rdb"
	"larder/protocol/encoding/ziplist"
	"larder/protocol/encoding/zipmap"
)

// Payload digests what DUMP gives. Fields of a hash that have died by nowMS are left out: a server removes them when it likes. Errors: ErrBroken.
func Payload(payload []byte, nowMS int64) (Value, error) {
	t, body, version, err := rdb.CutPayload(payload, math.MaxInt)
	if err != nil {
		return Value{}, fmt.Errorf("%w: a payload of %d bytes", ErrBroken, len(payload))
	}
	v, err := Body(t, body, nowMS)
	if err != nil {
		return v, fmt.Errorf("%w (payload of version %d)", err, version)
	}
	return v, nil
}

// Body digests a value as RDB files have it. Errors: ErrBroken.
func Body(t rdb.Type, body []byte, nowMS int64) (Value, error) {
	r := &reader{Reader: rdb.Reader{Left: body}, now: nowMS}
	v := r.value(t)
	if r.Bad || len(r.Left) > 0 {
		return Value{}, fmt.Errorf("%w: %d bytes of type %d", ErrBroken, len(body), t)
	}
	return v, nil
}

func (r *reader) value(t rdb.Type) Value {
	switch t {
	case rdb.TypeString:
		b := New(String)
		b.Text(r.Text())
		return b.Value()
	case rdb.TypeList, rdb.TypeListZiplist, rdb.TypeListQuicklist, rdb.TypeListQuicklist2:
		return r.list(t)
	case rdb.TypeSet, rdb.TypeSetIntset, rdb.TypeSetListpack:
		return r.set(t)
	case rdb.TypeZSet, rdb.TypeZSetText, rdb.TypeZSetZiplist, rdb.TypeZSetListpack:
		return r.zset(t)
	case rdb.TypeStream, rdb.TypeStream2, rdb.TypeStream3, rdb.TypeStream4:
		return r.stream(t)
	case rdb.TypeModule:
		return r.module()
	case rdb.TypeHash, rdb.TypeHashTimed, rdb.TypeHashExpiries, rdb.TypeHashExpiriesEarly, rdb.TypeHashListpack, rdb.TypeHashZiplist, rdb.TypeHashZipmap,
		rdb.TypeHashPackExpiries, rdb.TypeHashPackExpiriesEarly:
		return r.hash(t)
	default:
		r.Fail()
		return Value{}
	}
}

// module digests what only the module understands: its bytes.
func (r *reader) module() Value {
	number, _, err := rdb.Length(r.Left)
	if err != nil {
		r.Fail()
		return Value{}
	}
	name, _ := rdb.ModuleName(number)
	b := New(name)
	b.Text(r.Left)
	r.Left = nil
	return b.Value()
}

func (r *reader) list(t rdb.Type) Value {
	b := New(List)
	each := func(e listpack.Entry) { b.Element(r.textOf(e)) }
	switch t {
	case rdb.TypeList:
		for range r.Count(1) {
			b.Element(r.Text())
		}
	case rdb.TypeListZiplist:
		zipped(r, r.Text(), each)
	case rdb.TypeListQuicklist:
		for range r.Count(1) {
			zipped(r, r.Text(), each)
		}
	default:
		for range r.Count(2) {
			if r.Length() == rdb.NodePlain {
				b.Element(r.Text())
			} else {
				packed(r, r.Text(), each)
			}
		}
	}
	return b.Value()
}

func (r *reader) set(t rdb.Type) Value {
	b := New(Set)
	switch t {
	case rdb.TypeSet:
		for range r.Count(1) {
			b.Member(r.Text())
		}
	case rdb.TypeSetIntset:
		blob := r.Text()
		if intset.Validate(blob) != nil {
			r.Fail()
			break
		}
		for i := range intset.Set(blob).Len() {
			b.Member(r.textOf(listpack.Entry{Int: intset.Set(blob).At(i)}))
		}
	default:
		packed(r, r.Text(), func(e listpack.Entry) { b.Member(r.textOf(e)) })
	}
	return b.Value()
}

func (r *reader) zset(t rdb.Type) Value {
	b := New(ZSet)
	var member []byte
	odd := false
	each := func(e listpack.Entry) {
		if odd = !odd; odd {
			member = append(member[:0], r.textOf(e)...)
			return
		}
		b.Scored(member, r.score(e))
	}
	switch t {
	case rdb.TypeZSet:
		for range r.Count(9) {
			member := r.Text()
			b.Scored(member, math.Float64frombits(uint64(r.Int64())))
		}
	case rdb.TypeZSetText:
		for range r.Count(2) {
			member := r.Text()
			b.Scored(member, r.TextDouble())
		}
	case rdb.TypeZSetZiplist:
		zipped(r, r.Text(), each)
	default:
		packed(r, r.Text(), each)
	}
	if odd {
		r.Fail()
	}
	return b.Value()
}

func (r *reader) score(e listpack.Entry) float64 {
	if e.IsInt() {
		return float64(e.Int)
	}
	f, err := strconv.ParseFloat(string(e.Text), 64)
	if err != nil {
		r.Fail()
	}
	return f
}

func (r *reader) hash(t rdb.Type) Value {
	b := New(Hash)
	add := func(field, value []byte, expiryMS int64) {
		if expiryMS == 0 || expiryMS > r.now {
			b.Field(field, value, expiryMS)
		}
	}
	switch t {
	case rdb.TypeHash, rdb.TypeHashTimed:
		for range r.Count(2) {
			field, value, expiry := r.own(), r.Text(), int64(0)
			if t == rdb.TypeHashTimed {
				expiry = max(r.Int64(), 0) // -1: none
			}
			add(field, value, expiry)
		}
	case rdb.TypeHashExpiries, rdb.TypeHashExpiriesEarly:
		base := int64(0)
		if t == rdb.TypeHashExpiries {
			base = r.Int64() - 1
		}
		for range r.Count(3) {
			expiry := int64(r.Length())
			if expiry != 0 {
				expiry += base
			}
			field := r.own()
			add(field, r.Text(), expiry)
		}
	case rdb.TypeHashZipmap:
		blob := r.Text()
		if zipmap.Validate(blob) != nil {
			r.Fail()
			break
		}
		for at := zipmap.Map(blob).First(); at != 0; {
			var field, value []byte
			field, value, at = zipmap.Map(blob).Get(at)
			add(field, value, 0)
		}
	default:
		r.packedHash(t, add)
	}
	return b.Value()
}

// packedHash reads entries in turns: field, value and in some forms an expiry.
func (r *reader) packedHash(t rdb.Type, add func(field, value []byte, expiryMS int64)) {
	var field, value []byte
	place, places := 0, 2
	each := func(e listpack.Entry) {
		switch place {
		case 0:
			field = append(field[:0], r.textOf(e)...)
		case 1:
			value = append(value[:0], r.textOf(e)...)
		}
		if place++; place == places {
			place = 0
			expiry := int64(0)
			if places == 3 {
				expiry = e.Int
			}
			add(field, value, expiry)
		}
	}
	switch t {
	case rdb.TypeHashZiplist:
		zipped(r, r.Text(), each)
	case rdb.TypeHashPackExpiries:
		r.Int64() // the least of them
		places = 3
		packed(r, r.Text(), each)
	case rdb.TypeHashPackExpiriesEarly:
		places = 3
		packed(r, r.Text(), each)
	default:
		packed(r, r.Text(), each)
	}
	if place != 0 {
		r.Fail()
	}
}

func zipped(r *reader, blob []byte, each func(e listpack.Entry)) {
	if r.Bad || ziplist.Validate(blob) != nil {
		r.Fail()
		return
	}
	l := ziplist.List(blob)
	for at := l.First(); at != 0; {
		var e listpack.Entry
		e, at = l.Get(at)
		each(e)
	}
}

func packed(r *reader, blob []byte, each func(e listpack.Entry)) {
	if r.Bad || listpack.Validate(blob) != nil {
		r.Fail()
		return
	}
	l := listpack.List(blob)
	for at := l.First(); at != 0; at = l.Next(at) {
		each(l.Get(at))
	}
}
