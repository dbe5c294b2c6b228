package journal

import (
	"fmt"
	"strconv"
	"strings"
)

// Lines that begin with '#' are no commands, and Redis passes over them as long as they are shorter than 128 bytes. These are known: Redis's own, which says
// when what follows was written, and Larder's, which says which part of which replication stream it is.
const (
	timeMark   = "TS:"
	streamMark = "LARDER:stream "
)

// AppendTime writes the line that says that what follows is not older than a time, in seconds since 1970.
func AppendTime(b []byte, unixS int64) []byte { return fmt.Appendf(b, "#%s%d\r\n", timeMark, unixS) }

// ParseTime reads such a line (Record.Note).
func ParseTime(note string) (unixS int64, ok bool) {
	text, ok := strings.CutPrefix(note, timeMark)
	if !ok {
		return 0, false
	}
	unixS, err := strconv.ParseInt(text, 10, 64)
	return unixS, err == nil && unixS >= 0
}

// idLen is the length of a stream's name, in hex digits.
const idLen = 40

// AppendStream writes the line that says that the bytes behind it are the stream id from offset+1 on. Lines with '#' are no part of it, nor is what stands
// before the file's first line of this kind.
func AppendStream(b []byte, id string, offset int64) []byte {
	return fmt.Appendf(b, "#%s%s %d\r\n", streamMark, id, offset)
}

// ParseStream reads such a line (Record.Note).
func ParseStream(note string) (id string, offset int64, ok bool) {
	text, ok := strings.CutPrefix(note, streamMark)
	if !ok {
		return "", 0, false
	}
	id, number, ok := strings.Cut(text, " ")
	if !ok || len(id) != idLen || strings.Trim(id, "0123456789abcdef") != "" {
		return "", 0, false
	}
	offset, err := strconv.ParseInt(number, 10, 64)
	if err != nil || offset < 0 {
		return "", 0, false
	}
	return id, offset, true
}
