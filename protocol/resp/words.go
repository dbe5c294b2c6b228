package resp

// Words cuts a line into words as Redis does with a command in one line, quotes and escapes included; not ok: a quote is not closed, or text follows it.
func Words(line string) (words []string, ok bool) {
	var p Requests
	ok = p.split([]byte(line))
	for _, w := range p.args {
		words = append(words, string(w))
	}
	return words, ok
}

// AppendQuoted appends bytes in quotes, as Redis shows them (sds.c, sdscatrepr); Words reads that.
func AppendQuoted(dst, text []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for _, c := range text {
		switch c {
		case '\\', '"':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		case '\a':
			dst = append(dst, '\\', 'a')
		case '\b':
			dst = append(dst, '\\', 'b')
		default:
			if c < ' ' || c > '~' {
				dst = append(dst, '\\', 'x', hex[c>>4], hex[c&15])
			} else {
				dst = append(dst, c)
			}
		}
	}
	return append(dst, '"')
}
