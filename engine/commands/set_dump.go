package commands

import (
	"bytes"
	"slices"

	"larder/engine/store"
	"larder/protocol/encoding/intset"
	"larder/protocol/encoding/listpack"
	"larder/protocol/encoding/rdb"
)

func loadSet(c *Call, in incoming) bool {
	var members []byte
	n, ok, kind := 0, false, store.KindSetInt
	switch in.t {
	case rdb.TypeSet:
		if members, n, ok = parseMembers(in.value); n > c.Limits.Set.Ints {
			kind = store.KindSetBig
		}
	case rdb.TypeSetIntset:
		var text []byte
		if text, ok = c.wholeString(in.value); ok {
			members, n, ok = intMembers(text)
		}
	default:
		var text []byte
		kind = store.KindSet
		if text, ok = c.wholeString(in.value); ok {
			members, n, ok = packMembers(text)
		}
	}
	if !ok || n == 0 || !distinct(members, n) {
		return false
	}
	e := &c.setEdit
	e.Begin(c.Store, c.DB, in.key, store.Item{}, false, c.Limits.Set, c.NowMS)
	e.StartUntil(kind, in.expiryMS)
	for member := range membersOf(members) {
		e.Add(member)
	}
	e.End()
	return true
}

// parseMembers reads a count and as many strings, and nothing else.
func parseMembers(value []byte) (members []byte, n int, ok bool) {
	count, size, err := rdb.Length(value)
	if err != nil || count > uint64(len(value)) {
		return nil, 0, false
	}
	value = value[size:]
	var scratch []byte
	for range count {
		text, size, err := rdb.String(value, scratch[:0])
		if err != nil {
			return nil, 0, false
		}
		members = appendMember(members, text)
		value = value[size:]
	}
	return members, int(count), len(value) == 0
}

func intMembers(text []byte) (members []byte, n int, ok bool) {
	if intset.Validate(text) != nil {
		return nil, 0, false
	}
	ints := intset.Set(text)
	var digits [digitsMax]byte
	for i := range ints.Len() {
		members = appendMember(members, store.FormatInt(digits[:0], ints.At(i)))
	}
	return members, ints.Len(), true
}

func packMembers(text []byte) (members []byte, n int, ok bool) {
	if listpack.Validate(text) != nil {
		return nil, 0, false
	}
	pack := listpack.List(text)
	var digits [digitsMax]byte
	for at := pack.First(); at != 0; at = pack.Next(at) {
		e := pack.Get(at)
		if e.IsInt() {
			members = appendMember(members, e.Append(digits[:0]))
		} else {
			members = appendMember(members, e.Text)
		}
		n++
	}
	return members, n, true
}

// distinct tells whether no two of n members are the same.
func distinct(members []byte, n int) bool {
	all := make([][]byte, 0, n)
	for member := range membersOf(members) {
		all = append(all, member)
	}
	slices.SortFunc(all, bytes.Compare)
	for i := 1; i < len(all); i++ {
		if bytes.Equal(all[i-1], all[i]) {
			return false
		}
	}
	return true
}
