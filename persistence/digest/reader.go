package digest

import (
	"bytes"

	"larder/protocol/encoding/listpack"
	"larder/protocol/encoding/rdb"
)

// reader reads a stranger's bytes.
type reader struct {
	rdb.Reader
	now    int64
	number []byte // of a packed entry
}

// own reads a text that stays good.
func (r *reader) own() []byte { return bytes.Clone(r.Text()) }

// textOf is a packed entry's text, good until the next is asked for.
func (r *reader) textOf(e listpack.Entry) []byte {
	if !e.IsInt() {
		return e.Text
	}
	r.number = e.Append(r.number[:0])
	return r.number
}
