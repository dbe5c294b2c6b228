package streams

import (
	"bytes"
	"encoding/binary"
	"math"
	"strconv"

	"larder/protocol/encoding/decimal"
)

// ID names an entry: a time in milliseconds and a number within it.
type ID struct{ MS, Seq uint64 }

// MaxID is the greatest ID.
var MaxID = ID{math.MaxUint64, math.MaxUint64}

// idBytes is the length of an ID in its sorted form.
const idBytes = 16

// Compare is negative, 0 or positive as the ID is before, the same as or behind the other.
func (id ID) Compare(other ID) int {
	switch {
	case id.MS < other.MS:
		return -1
	case id.MS > other.MS:
		return 1
	case id.Seq < other.Seq:
		return -1
	case id.Seq > other.Seq:
		return 1
	}
	return 0
}

// Less tells whether the ID is before the other.
func (id ID) Less(other ID) bool { return id.Compare(other) < 0 }

// IsZero tells whether it is 0-0, the ID that no entry has.
func (id ID) IsZero() bool { return id == ID{} }

// Next is the ID right behind; false if there is none.
func (id ID) Next() (ID, bool) {
	switch {
	case id.Seq < math.MaxUint64:
		return ID{id.MS, id.Seq + 1}, true
	case id.MS < math.MaxUint64:
		return ID{id.MS + 1, 0}, true
	}
	return ID{}, false
}

// Prev is the ID right before; false if there is none.
func (id ID) Prev() (ID, bool) {
	switch {
	case id.Seq > 0:
		return ID{id.MS, id.Seq - 1}, true
	case id.MS > 0:
		return ID{id.MS - 1, math.MaxUint64}, true
	}
	return ID{}, false
}

// Append appends the ID's text.
func (id ID) Append(dst []byte) []byte {
	dst = strconv.AppendUint(dst, id.MS, 10)
	return strconv.AppendUint(append(dst, '-'), id.Seq, 10)
}

// String is the ID's text.
func (id ID) String() string { return string(id.Append(nil)) }

// appendSorted appends 16 bytes whose order is that of the IDs.
func (id ID) appendSorted(dst []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, id.MS)
	return binary.BigEndian.AppendUint64(dst, id.Seq)
}

// sortedID reads what appendSorted has written.
func sortedID(b []byte) ID {
	return ID{binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])}
}

// seen is what Redis sees of a text, as a C string: up to a NUL; nothing of one that is too long.
func seen(text []byte) []byte {
	if len(text) > idTextMax {
		return nil
	}
	if i := bytes.IndexByte(text, 0); i >= 0 {
		return text[:i]
	}
	return text
}

// IsAuto tells whether the text is "*": any ID.
func IsAuto(text []byte) bool {
	text = seen(text)
	return len(text) == 1 && text[0] == '*'
}

// idTextMax is the longest text that is read as an ID, in bytes: Redis's buffer less its end.
const idTextMax = 127

// ParseID reads "ms-seq" or "ms"; missing is then the number within the millisecond.
func ParseID(text []byte, missing uint64) (ID, bool) {
	id, hasSeq, auto, ok := parseParts(text)
	if !ok || auto {
		return ID{}, false
	}
	if !hasSeq {
		id.Seq = missing
	}
	return id, true
}

// ParseNewID reads the ID of an entry to be added: "ms-seq", "ms" for ms-0, or, with auto true, "ms-*".
func ParseNewID(text []byte) (id ID, auto, ok bool) {
	id, _, auto, ok = parseParts(text)
	return id, auto, ok
}

// ParseBorder reads the border of a range: "-", "+" or an ID in which the number within the millisecond may be missing.
func ParseBorder(text []byte, missing uint64) (ID, bool) {
	if text := seen(text); len(text) == 1 {
		switch text[0] {
		case '-':
			return ID{}, true
		case '+':
			return MaxID, true
		}
	}
	return ParseID(text, missing)
}

func parseParts(text []byte) (id ID, hasSeq, auto, ok bool) {
	text = seen(text)
	for i, c := range text {
		if c != '-' {
			continue
		}
		if id.MS, ok = parseUint(text[:i]); !ok {
			return ID{}, false, false, false
		}
		if len(text) == i+2 && text[i+1] == '*' {
			return id, false, true, true
		}
		id.Seq, ok = parseUint(text[i+1:])
		return id, true, false, ok
	}
	id.MS, ok = parseUint(text)
	return id, false, false, ok
}

// parseUint reads a number of 64 bits as Redis does (string2ull): one that fits 63 bits in its only form; greater ones in any form that C reads, which
// allows a sign, spaces before it and zeros.
func parseUint(text []byte) (uint64, bool) {
	if n, ok := decimal.Parse(text); ok {
		return uint64(n), n >= 0
	}
	for len(text) > 0 && (text[0] == ' ' || text[0] >= '\t' && text[0] <= '\r') {
		text = text[1:]
	}
	negative := false
	if len(text) > 0 && (text[0] == '+' || text[0] == '-') {
		negative = text[0] == '-'
		text = text[1:]
	}
	n, err := strconv.ParseUint(string(text), 10, 64)
	if err != nil {
		return 0, false
	}
	if negative {
		n = -n
	}
	return n, true
}
