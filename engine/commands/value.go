package commands

import (
	"larder/engine/hashes"
	"larder/engine/lists"
	"larder/engine/sets"
	"larder/engine/store"
	"larder/engine/streams"
	"larder/engine/zsets"
	"larder/protocol/encoding/rdb"
)

// WriteValue writes the value of an item as DUMP and RDB files have it, in one go unless the pen pauses.
func WriteValue(p *rdb.Pen, s *store.Store, it store.Item, l Limits, nowMS int64) {
	switch kind := it.Kind(); {
	case kind.Big():
		WriteObject(p, s, kind, it.Object(), l, nowMS)
	case kind.IsString():
		p.Begin(rdb.TypeString)
		if n, ok := it.Int(); ok {
			p.Int(n)
		} else {
			p.String(it.Text(nil))
		}
	case kind == store.KindHash:
		h := hashes.Open(s, it, nowMS)
		h.Write(p)
	case kind == store.KindList:
		list := lists.Open(it)
		list.Write(p, l.List)
	case kind == store.KindZSet:
		v := zsets.Of(s, it)
		v.Write(p)
	default:
		var v sets.View
		v.Open(s, it)
		v.Write(p)
	}
}

// WriteObject writes a big collection. If the pen pauses, the object must be pinned.
func WriteObject(p *rdb.Pen, s *store.Store, kind store.Kind, o *store.Object, l Limits, nowMS int64) {
	switch kind {
	case store.KindHashBig:
		h := hashes.OpenObject(s, o, nowMS)
		h.Write(p)
	case store.KindListBig:
		list := lists.OpenObject(o)
		list.Write(p, l.List)
	case store.KindZSetBig:
		v := zsets.OfObject(s, o)
		v.Write(p)
	case store.KindSetBig:
		var v sets.View
		v.OpenObject(s, o)
		v.Write(p)
	case store.KindStreamBig:
		streams.Of(o, nil).Write(p)
	}
}

// WriteString writes a string's text, in pieces if the pen pauses: it must then be pinned.
func WriteString(p *rdb.Pen, text []byte) {
	p.Begin(rdb.TypeString)
	p.String(text)
}
