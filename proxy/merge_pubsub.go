package proxy

import (
	"slices"

	"larder/protocol/resp"
)

// appendNames is the union of the shards' channels, each named once.
func (m *merge) appendNames(dst []byte) ([]byte, bool) {
	var names []string
	for _, sub := range m.subs {
		if !isArray(sub) {
			return dst, false
		}
		it := resp.Elements(sub)
		for e, more := it.Next(); more; e, more = it.Next() {
			name, ok := resp.BulkOf(e)
			if !ok {
				return dst, false
			}
			names = append(names, string(name))
		}
	}
	slices.Sort(names)
	names = slices.Compact(names)
	dst = resp.AppendArray(dst, len(names))
	for _, name := range names {
		dst = resp.AppendBulkString(dst, name)
	}
	return dst, true
}

// appendMost takes the highest of the shards' numbers: gateways subscribe at every shard, and one that has just returned may not have been told of all.
// The replies are numbers, or arrays of names and numbers in the same order.
func (m *merge) appendMost(dst []byte) ([]byte, bool) {
	if _, single := resp.ParseInt(m.subs[0]); single {
		most := int64(0)
		for _, sub := range m.subs {
			n, ok := resp.ParseInt(sub)
			if !ok {
				return dst, false
			}
			most = max(most, n)
		}
		return resp.AppendInt(dst, most), true
	}
	m.iters = m.iters[:0]
	for _, sub := range m.subs {
		if !isArray(sub) {
			return dst, false
		}
		m.iters = append(m.iters, resp.Elements(sub))
	}
	left := m.iters[0].Left()
	dst = resp.AppendArray(dst, left)
	for ; left > 0; left -= 2 {
		name, most := []byte(nil), int64(0)
		for i := range m.iters {
			name, _ = m.iters[i].Next()
			count, _ := m.iters[i].Next()
			n, ok := resp.ParseInt(count)
			if !ok {
				return dst, false
			}
			most = max(most, n)
		}
		dst = resp.AppendInt(append(dst, name...), most)
	}
	return dst, true
}
