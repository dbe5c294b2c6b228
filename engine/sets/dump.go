package sets

import (
	"larder/engine/store"
	"larder/protocol/encoding/rdb"
)

// Write writes an intset as it is and any other set member by member: Redis 7.0 reads no listpack of a set.
func (v *View) Write(p *rdb.Pen) {
	if v.Kind() == store.KindSetInt {
		p.Begin(rdb.TypeSetIntset)
		p.String(v.ints)
		return
	}
	p.Begin(rdb.TypeSet)
	p.Length(uint64(v.Len()))
	for member := range v.All {
		p.String(member)
		if !p.Rest() {
			return
		}
	}
}
