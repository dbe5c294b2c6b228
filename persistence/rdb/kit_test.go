package rdb_test

import (
	"fmt"
	"testing"

	"larder/persistence/rdb"
	"larder/protocol/encoding/crc64"
	encoding "larder/protocol/encoding/rdb"
)

// scan reads a file that comes in pieces of the sizes that cut gives, and tells what was found, a line an entry, and what was wrong.
func scan(s *rdb.Scanner, file []byte, cut func() int) (found []string, err error) {
	for {
		e, state, err := s.Next()
		switch {
		case err != nil:
			return found, err
		case state == rdb.End:
			return append(found, fmt.Sprintf("end, rest %q", string(s.Rest())+string(file))), nil
		case state == rdb.More && len(file) == 0:
			return found, s.Ended()
		case state == rdb.More:
			n := min(max(cut(), 1), len(file))
			s.Feed(file[:n])
			file = file[n:]
		case state == rdb.Part: // how a text is cut into parts is the cuts' business
			last := len(found) - 1
			found[last] += string(e.Body)
			if e.Left == 0 {
				found[last] += "."
			}
		default:
			found = append(found, line(e, state))
		}
	}
}

func line(e *rdb.Entry, state rdb.State) string {
	return fmt.Sprintf("%d: db %d %q type %d expires %d idle %d freq %d at %d of %d count %d module %q length %d keys %d %d body %q",
		state, e.DB, e.Key, e.Type, e.ExpiryMS, e.IdleS, e.Freq, e.Offset, e.Size, e.Count, e.Module, e.Length, e.Keys, e.Expires, e.Body)
}

func whole() int { return 1 << 30 }

// file makes a file of version 10 of what is between its beginning and its end.
func file(middle ...[]byte) []byte {
	var w rdb.Frame
	w.Begin(false)
	for _, m := range middle {
		w.Out = append(w.Out, m...)
	}
	w.End()
	return rdb.AppendSum(w.Out, crc64.Update(0, w.Out))
}

// key makes the record of a key.
func key(name string, t encoding.Type, body string) []byte {
	w := rdb.Frame{}
	w.Key = []byte(name)
	w.Pen.Begin(t)
	return append(w.Out, body...)
}

// failing reads a file and gives its error.
func failing(t *testing.T, file []byte) *rdb.Error {
	t.Helper()
	var s rdb.Scanner
	_, err := scan(&s, file, whole)
	wrong, ok := err.(*rdb.Error)
	if !ok {
		t.Fatalf("%.80q: no error that says where: %v", file, err)
	}
	return wrong
}
