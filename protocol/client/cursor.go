package client

import (
	"bytes"
	"strconv"
)

// ParseCursor reads SCAN's cursor as Redis does, by C's strtoul (Redis 7.0 db.c, parseScanCursorOrReply): up to the first NUL; nothing is 0; a sign is
// taken, and a minus counts from 2^64 down.
func ParseCursor(text []byte) (uint64, bool) {
	if i := bytes.IndexByte(text, 0); i >= 0 {
		text = text[:i]
	}
	if len(text) == 0 {
		return 0, true
	}
	digits, negative := text, text[0] == '-'
	if negative || text[0] == '+' {
		digits = text[1:]
	}
	n, err := strconv.ParseUint(string(digits), 10, 64)
	if negative {
		n = -n
	}
	return n, err == nil
}
