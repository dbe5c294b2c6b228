package rdb_test

import (
	"strings"
	"testing"

	"larder/protocol/encoding/rdb"
)

// TestReader: what a Pen has put together comes apart; whatever is cut off is a fault, after which there are only zeros.
func TestReader(t *testing.T) {
	var p rdb.Pen
	long := strings.Repeat("long ", 20)
	p.Length(3)
	p.String([]byte("12345"))
	p.String([]byte(long))
	p.Uint64(7)
	whole := p.Out
	read := func(b []byte, keep bool) (r *rdb.Reader, same bool) {
		r = &rdb.Reader{Left: b, Keep: keep}
		n, number := r.Count(1), string(r.Text())
		text, seven := r.Text(), r.Int64()
		return r, n == 3 && number == "12345" && string(text) == long && seven == 7
	}
	for _, keep := range []bool{false, true} {
		if r, same := read(whole, keep); !same || r.Bad || len(r.Left) != 0 {
			t.Errorf("keep %v: %+v", keep, r)
		}
	}
	for n := range whole {
		if r, same := read(whole[:n], false); same || !r.Bad || r.Length() != 0 || r.TextDouble() != 0 {
			t.Errorf("cut at %d: %+v", n, r)
		}
	}
	r := rdb.Reader{Left: rdb.AppendLength(nil, 1<<40)}
	if n := r.Count(2); n != 0 || !r.Bad {
		t.Errorf("%d things in no bytes", n)
	}
}

// TestReaderKeeps: texts that are to stay good do, whatever form they have.
func TestReaderKeeps(t *testing.T) {
	b := rdb.AppendInt(rdb.AppendInt(nil, 1234), 5678)
	r := rdb.Reader{Left: b, Keep: true}
	if one, two := r.Text(), r.Text(); string(one) != "1234" || string(two) != "5678" {
		t.Errorf("%q, %q", one, two)
	}
}
