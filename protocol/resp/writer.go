package resp

import "larder/protocol/encoding/decimal"

// Writer appends replies to Out in the forms of one protocol version. What RESP2 lacks it gives as Redis 7.0 does (networking.c, addReply…): a map as a
// flat array, a set as an array, a double, a big number and a verbatim text as a bulk, a bool as 1 or 0.
type Writer struct {
	Out   []byte
	Proto int // 3 = RESP3; anything else is RESP2
}

// Status writes a status such as OK.
func (w *Writer) Status(text string) { w.Out = AppendStatus(w.Out, text) }

// OK writes +OK.
func (w *Writer) OK() { w.Out = append(w.Out, "+OK\r\n"...) }

// Error writes an error; text begins with its code.
func (w *Writer) Error(text string) { w.Out = AppendError(w.Out, text) }

// Int writes an integer.
func (w *Writer) Int(n int64) { w.Out = AppendInt(w.Out, n) }

// Bulk writes a bulk.
func (w *Writer) Bulk(text string) { w.Out = AppendBulkString(w.Out, text) }

// BulkString writes a bulk; it is Bulk by the name of AppendBulkString.
func (w *Writer) BulkString(text string) { w.Out = AppendBulkString(w.Out, text) }

// BulkBytes writes a bulk.
func (w *Writer) BulkBytes(text []byte) { w.Out = AppendBulk(w.Out, text) }

// BulkInt writes an integer as a bulk.
func (w *Writer) BulkInt(n int64) { w.Out = AppendBulkInt(w.Out, n) }

// Array begins an array of n elements.
func (w *Writer) Array(n int) { w.Out = AppendArray(w.Out, n) }

// Map begins a map of n pairs.
func (w *Writer) Map(n int) {
	if w.Proto == 3 {
		w.Out = AppendMap(w.Out, n)
		return
	}
	w.Out = AppendArray(w.Out, 2*n)
}

// Set begins a set of n elements.
func (w *Writer) Set(n int) {
	if w.Proto == 3 {
		w.Out = AppendSet(w.Out, n)
		return
	}
	w.Out = AppendArray(w.Out, n)
}

// Push begins an out-of-band message of n elements; for RESP2 it is an array, as in pub/sub.
func (w *Writer) Push(n int) {
	if w.Proto == 3 {
		w.Out = AppendPush(w.Out, n)
		return
	}
	w.Out = AppendArray(w.Out, n)
}

// Attribute begins n pairs of attributes of the value that follows them. RESP2 has none: false, and the caller leaves the pairs out.
func (w *Writer) Attribute(n int) bool {
	if w.Proto != 3 {
		return false
	}
	w.Out = AppendAttribute(w.Out, n)
	return true
}

// Null writes the absence of a value.
func (w *Writer) Null() {
	if w.Proto == 3 {
		w.Out = AppendNull(w.Out)
		return
	}
	w.Out = AppendNullBulk(w.Out)
}

// NullArray writes the absence of an array.
func (w *Writer) NullArray() {
	if w.Proto == 3 {
		w.Out = AppendNull(w.Out)
		return
	}
	w.Out = AppendNullArray(w.Out)
}

// Bool writes a bool.
func (w *Writer) Bool(b bool) {
	switch {
	case w.Proto == 3:
		w.Out = AppendBool(w.Out, b)
	case b:
		w.Out = append(w.Out, ":1\r\n"...)
	default:
		w.Out = append(w.Out, ":0\r\n"...)
	}
}

// Double writes a double.
func (w *Writer) Double(f float64) {
	if w.Proto == 3 {
		w.Out = AppendDouble(w.Out, f)
		return
	}
	var digits [decimal.DoubleLenMax]byte
	w.Out = AppendBulk(w.Out, decimal.AppendDouble(digits[:0], f))
}

// BigNumber writes a number of any size, given by its digits.
func (w *Writer) BigNumber(digits string) {
	if w.Proto == 3 {
		w.Out = AppendBigNumber(w.Out, digits)
		return
	}
	w.Out = AppendBulkString(w.Out, digits)
}

// Verbatim writes a text for people; format is "txt" or "mkd".
func (w *Writer) Verbatim(format, text string) {
	if w.Proto == 3 {
		w.Out = AppendVerbatim(w.Out, format, text)
		return
	}
	w.Out = AppendBulkString(w.Out, text)
}

// Raw writes bytes that are replies already.
func (w *Writer) Raw(replies []byte) { w.Out = append(w.Out, replies...) }
