package proxy

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"

	"larder/protocol/resp"
)

// appendTexts puts the shards' texts, for people, one under the other.
func (m *merge) appendTexts(dst []byte) ([]byte, bool) {
	var text strings.Builder
	for shard, sub := range m.subs {
		part, ok := resp.BulkOf(sub)
		if !ok {
			return dst, false
		}
		fmt.Fprintf(&text, "Shard %d: %s\n", shard, bytes.TrimSpace(part))
	}
	w := resp.Writer{Out: dst, Proto: m.proto}
	w.Verbatim("txt", text.String())
	return w.Out, true
}

// stat is a field of MEMORY STATS, added up over the shards.
type stat struct {
	name  string
	value float64
	whole bool   // an integer
	below []stat // of a database: its own fields
}

// ratios are the fields that are not to be added: each follows from two that were (Redis 7.0 object.c, getMemoryOverheadData).
var ratios = map[string]struct {
	above, below string
	times        float64
}{
	"keys.bytes-per-key":            {"total.allocated", "keys.count", 1},
	"dataset.percentage":            {"dataset.bytes", "total.allocated", 100},
	"peak.percentage":               {"total.allocated", "peak.allocated", 100},
	"allocator-fragmentation.ratio": {"allocator.active", "allocator.allocated", 1},
	"allocator-rss.ratio":           {"allocator.resident", "allocator.active", 1},
}

// appendStats adds up MEMORY STATS. Where a ratio's parts are not told, it is the shards' mean. The peak is the sum of the shards' peaks, which may lie at
// different times.
func (m *merge) appendStats(dst []byte) ([]byte, bool) {
	var all []stat
	for _, sub := range m.subs {
		var ok bool
		if all, ok = addStats(all, sub); !ok {
			return dst, false
		}
	}
	sums := map[string]float64{}
	for _, s := range all {
		sums[s.name] = s.value
	}
	for i := range all {
		s := &all[i]
		if r, ok := ratios[s.name]; ok {
			s.value = r.times * sums[r.above] / max(1, sums[r.below])
		} else if !s.whole {
			s.value /= float64(len(m.subs))
		}
	}
	w := resp.Writer{Out: dst, Proto: m.proto}
	writeStats(&w, all)
	return w.Out, true
}

func writeStats(w *resp.Writer, all []stat) {
	w.Map(len(all))
	for _, s := range all {
		w.Bulk(s.name)
		switch {
		case s.below != nil:
			writeStats(w, s.below)
		case s.whole:
			w.Int(int64(math.Round(s.value)))
		default:
			w.Double(s.value)
		}
	}
}

// addStats adds the fields of a map, or of an array of names and values, to those that there are.
func addStats(all []stat, reply []byte) ([]stat, bool) {
	it := resp.Elements(reply)
	for it.Left() > 0 {
		name, _ := it.Next()
		value, ok := it.Next()
		text, isName := resp.BulkOf(name)
		if !ok || !isName || len(value) == 0 {
			return nil, false
		}
		s := statOf(&all, string(text))
		if s.whole = value[0] == ':'; value[0] == '*' || value[0] == '%' {
			if s.below, ok = addStats(s.below, value); !ok {
				return nil, false
			}
			continue
		}
		n, err := strconv.ParseFloat(string(numberOf(value)), 64)
		if err != nil {
			return nil, false
		}
		s.value += n
	}
	return all, true
}

// statOf finds a field, which may be new.
func statOf(all *[]stat, name string) *stat {
	for i := range *all {
		if (*all)[i].name == name {
			return &(*all)[i]
		}
	}
	*all = append(*all, stat{name: name})
	return &(*all)[len(*all)-1]
}

// numberOf is the text of a number, whatever type it has in the protocol at hand.
func numberOf(value []byte) []byte {
	if text, ok := resp.BulkOf(value); ok {
		return text
	}
	return bytes.TrimRight(value[1:], "\r\n")
}
