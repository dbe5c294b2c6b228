package listpack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrCorrupt is wrapped by every error of Validate.
var ErrCorrupt = errors.New("corrupt listpack")

// Validate tells whether bytes from outside are one whole listpack, entry by entry (lpValidateIntegrity, deep). It is stricter in one point: the length
// behind an entry must be the bytes that Redis writes; Redis reads only its value, which may then hang on bytes of the entry before.
func Validate(b []byte) error {
	if len(b) < headerLen+1 {
		return fmt.Errorf("%w: %d bytes are no header", ErrCorrupt, len(b))
	}
	if size := binary.LittleEndian.Uint32(b); uint64(size) != uint64(len(b)) {
		return fmt.Errorf("%w: the header says %d bytes, there are %d", ErrCorrupt, size, len(b))
	}
	if b[len(b)-1] != endMark {
		return fmt.Errorf("%w: no end mark", ErrCorrupt)
	}
	at, count := headerLen, 0
	for ; b[at] != endMark; count++ {
		next, reason := check(b, at)
		if reason != "" {
			return fmt.Errorf("%w: entry at byte %d: %s", ErrCorrupt, at, reason)
		}
		at = next
	}
	if at != len(b)-1 {
		return fmt.Errorf("%w: an end mark at byte %d of %d", ErrCorrupt, at, len(b))
	}
	if said := List(b).count(); said != countUnknown && said != count {
		return fmt.Errorf("%w: the header says %d entries, there are %d", ErrCorrupt, said, count)
	}
	return nil
}

// check looks at the entry at an offset inside b and gives that behind it, which is inside b too, or why it is wrong.
func check(b []byte, at int) (next int, reason string) {
	head := headLen(b[at])
	if head == 0 {
		return 0, "no such encoding"
	}
	if head > len(b)-1-at {
		return 0, "beyond the end"
	}
	size := headed(b, at)
	width := widthBehind(size)
	if size+width > len(b)-1-at {
		return 0, "beyond the end"
	}
	next = at + size + width
	if width == 1 { // most are, and then it is the byte itself
		if int(b[next-1]) != size {
			return 0, "wrong length behind it"
		}
		return next, ""
	}
	var want [5]byte
	putBehind(want[:width], size)
	if !bytes.Equal(b[next-width:next], want[:width]) {
		return 0, "wrong length behind it"
	}
	return next, ""
}
