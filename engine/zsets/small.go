package zsets

import (
	"bytes"
	"strconv"

	"larder/protocol/encoding/decimal"
	"larder/protocol/encoding/listpack"
)

// NumberMax is the room that the text of a member that is kept as a number needs, in bytes.
const NumberMax = 20

// memberText gives the bytes of the member at that offset: a view of the list, or of scratch.
func memberText(l listpack.List, at int, scratch *[NumberMax]byte) []byte {
	e := l.Get(at)
	if e.IsInt() {
		return strconv.AppendInt(scratch[:0], e.Int, 10)
	}
	return e.Text
}

// findSmall is the offset of a member, 0 if there is none.
func findSmall(l listpack.List, member []byte) int {
	if l == nil {
		return 0
	}
	return l.Find(l.First(), member, 1)
}

// placeSmall is the offset before which a member with that score belongs.
func placeSmall(l listpack.List, member []byte, score float64) int {
	var scratch [NumberMax]byte
	for at := l.First(); at != 0; {
		behind := l.Next(at)
		s := scoreAt(l, behind)
		if s > score || s == score && bytes.Compare(memberText(l, at, &scratch), member) > 0 {
			return at
		}
		at = l.Next(behind)
	}
	return l.End()
}

// insertSmall puts a member that is not there in its place.
func insertSmall(l listpack.List, member []byte, score float64) listpack.List {
	return insertPair(l, placeSmall(l, member, score), member, score)
}

func appendPair(l listpack.List, member []byte, score float64) listpack.List {
	return insertPair(l, l.End(), member, score)
}

func insertPair(l listpack.List, at int, member []byte, score float64) listpack.List {
	if n, ok := decimal.Whole(score); ok { // a zero loses its sign
		l = l.InsertInt(at, n)
	} else {
		var room [decimal.DoubleLenMax]byte
		l = l.Insert(at, decimal.AppendDouble(room[:0], score))
	}
	return l.Insert(at, member)
}

// moveSmall gives the member at that offset another score.
func moveSmall(l listpack.List, at int, member []byte, score float64) listpack.List {
	l = l.DeleteFrom(at, 2)
	return insertSmall(l, member, score)
}

// pairSize is by how many bytes a list grows for a member, at most.
func pairSize(member []byte) int { return listpack.Size(member) + decimal.DoubleLenMax + 2 }

// prevPair is the offset of the member before the one at that offset, 0 before the first.
func prevPair(l listpack.List, at int) int {
	if at = l.Prev(at); at == 0 {
		return 0
	}
	return l.Prev(at)
}
