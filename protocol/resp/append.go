package resp

import (
	"strconv"

	"larder/protocol/encoding/decimal"
)

// AppendStatus appends "+text". As Redis does, a CR or LF in the text becomes a blank.
func AppendStatus(dst []byte, text string) []byte { return appendText(append(dst, '+'), text) }

// AppendError appends "-text"; text begins with its code ("ERR …"). CR and LF as in AppendStatus, and trailing ones are cut off.
func AppendError(dst []byte, text string) []byte {
	for len(text) > 0 && (text[len(text)-1] == '\n' || text[len(text)-1] == '\r') {
		text = text[:len(text)-1]
	}
	return appendText(append(dst, '-'), text)
}

func appendText(dst []byte, text string) []byte {
	from := len(dst)
	dst = append(dst, text...)
	for i := from; i < len(dst); i++ {
		if dst[i] == '\r' || dst[i] == '\n' {
			dst[i] = ' '
		}
	}
	return append(dst, '\r', '\n')
}

// AppendInt appends ":n".
func AppendInt(dst []byte, n int64) []byte { return appendLine(dst, ':', n) }

func appendLine(dst []byte, mark byte, n int64) []byte {
	dst = append(dst, mark)
	switch {
	case 0 <= n && n < 10:
		return append(dst, byte('0'+n), '\r', '\n')
	case 10 <= n && n < 100:
		return append(dst, byte('0'+n/10), byte('0'+n%10), '\r', '\n')
	}
	dst = strconv.AppendInt(dst, n, 10)
	return append(dst, '\r', '\n')
}

// AppendBulk appends a bulk.
func AppendBulk(dst, text []byte) []byte {
	dst = appendLine(dst, '$', int64(len(text)))
	dst = append(dst, text...)
	return append(dst, '\r', '\n')
}

// AppendBulkString appends a bulk.
func AppendBulkString(dst []byte, text string) []byte {
	dst = appendLine(dst, '$', int64(len(text)))
	dst = append(dst, text...)
	return append(dst, '\r', '\n')
}

// AppendBulkInt appends a number as a bulk.
func AppendBulkInt(dst []byte, n int64) []byte {
	var digits [20]byte
	return AppendBulk(dst, strconv.AppendInt(digits[:0], n, 10))
}

// AppendBulkHeader appends the length line of a bulk of n bytes; the bytes and a CR LF are to follow.
func AppendBulkHeader(dst []byte, n int) []byte { return appendLine(dst, '$', int64(n)) }

// AppendArray appends the head of an array; n elements are to follow.
func AppendArray(dst []byte, n int) []byte { return appendLine(dst, '*', int64(n)) }

// AppendMap appends the head of a RESP3 map; n pairs are to follow.
func AppendMap(dst []byte, n int) []byte { return appendLine(dst, '%', int64(n)) }

// AppendSet appends the head of a RESP3 set.
func AppendSet(dst []byte, n int) []byte { return appendLine(dst, '~', int64(n)) }

// AppendPush appends the head of a RESP3 push.
func AppendPush(dst []byte, n int) []byte { return appendLine(dst, '>', int64(n)) }

// AppendAttribute appends the head of RESP3 attributes: n pairs are to follow and then the value they belong to.
func AppendAttribute(dst []byte, n int) []byte { return appendLine(dst, '|', int64(n)) }

// AppendNullBulk appends RESP2's null.
func AppendNullBulk(dst []byte) []byte { return append(dst, "$-1\r\n"...) }

// AppendNullArray appends RESP2's null array.
func AppendNullArray(dst []byte) []byte { return append(dst, "*-1\r\n"...) }

// AppendNull appends RESP3's null.
func AppendNull(dst []byte) []byte { return append(dst, "_\r\n"...) }

// AppendBool appends a RESP3 bool.
func AppendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, "#t\r\n"...)
	}
	return append(dst, "#f\r\n"...)
}

// AppendDouble appends a RESP3 double, with the digits that Redis 7.2 gives.
func AppendDouble(dst []byte, f float64) []byte {
	dst = append(dst, ',')
	dst = decimal.AppendDouble(dst, f)
	return append(dst, '\r', '\n')
}

// AppendBigNumber appends a RESP3 big number, given by its digits.
func AppendBigNumber(dst []byte, digits string) []byte {
	dst = append(dst, '(')
	dst = append(dst, digits...)
	return append(dst, '\r', '\n')
}

// AppendVerbatim appends a RESP3 verbatim text; format is three letters, "txt" or "mkd".
func AppendVerbatim(dst []byte, format, text string) []byte {
	dst = appendLine(dst, '=', int64(len(format)+1+len(text)))
	dst = append(dst, format...)
	dst = append(dst, ':')
	dst = append(dst, text...)
	return append(dst, '\r', '\n')
}

// AppendCommand appends a command as clients send it.
func AppendCommand(dst []byte, args ...[]byte) []byte {
	dst = AppendArray(dst, len(args))
	for _, arg := range args {
		dst = AppendBulk(dst, arg)
	}
	return dst
}

// AppendCommandStrings appends a command as clients send it.
func AppendCommandStrings(dst []byte, args ...string) []byte {
	dst = AppendArray(dst, len(args))
	for _, arg := range args {
		dst = AppendBulkString(dst, arg)
	}
	return dst
}
