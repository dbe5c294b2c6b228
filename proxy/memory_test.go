package proxy

import (
	"testing"

	"larder/protocol/resp"
)

func TestMergeStats(t *testing.T) {
	for _, proto := range []int{2, 3} {
		var subs [][]byte
		for i := range int64(2) {
			w := resp.Writer{Proto: proto}
			w.Map(5)
			w.Bulk("total.allocated")
			w.Int(100 * (i + 1))
			w.Bulk("keys.count")
			w.Int(3)
			w.Bulk("keys.bytes-per-key")
			w.Int(33)
			w.Bulk("db.0")
			w.Map(1)
			w.Bulk("overhead.hashtable.main")
			w.Int(7)
			w.Bulk("fragmentation")
			w.Double(1.5 + float64(i))
			subs = append(subs, w.Out)
		}
		want := resp.Writer{Proto: proto}
		want.Map(5)
		want.Bulk("total.allocated")
		want.Int(300)
		want.Bulk("keys.count")
		want.Int(6)
		want.Bulk("keys.bytes-per-key")
		want.Int(50)
		want.Bulk("db.0")
		want.Map(1)
		want.Bulk("overhead.hashtable.main")
		want.Int(14)
		want.Bulk("fragmentation")
		want.Double(2)
		m := merge{how: mergeStats, proto: proto, subs: subs}
		if got := string(m.append(nil)); got != string(want.Out) {
			t.Errorf("RESP%d: got %q, want %q", proto, got, want.Out)
		}
		for _, bad := range []string{"*1\r\n:1\r\n", "*2\r\n:1\r\n:2\r\n", "*2\r\n$1\r\na\r\n$1\r\nx\r\n", "*2\r\n$1\r\na\r\n*1\r\n:1\r\n"} {
			m := merge{how: mergeStats, proto: proto, subs: [][]byte{[]byte(bad)}}
			if got := string(m.append(nil)); got != errorOutOfForm {
				t.Errorf("%q: got %q", bad, got)
			}
		}
	}
}

func TestMergeTexts(t *testing.T) {
	m := merge{how: mergeTexts, proto: 2, subs: [][]byte{[]byte("$3\r\na\nb\r\n"), []byte("$2\r\nc\n\r\n")}}
	if got, want := string(m.append(nil)), string(resp.AppendBulkString(nil, "Shard 0: a\nb\nShard 1: c\n")); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
