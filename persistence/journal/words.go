package journal

import (
	"errors"
	"strconv"
	"strings"
)

// plainByte tells whether a byte stands in an unquoted name (Redis 7.0 sds.c, sdsneedsrepr).
func plainByte(c byte) bool {
	return c > ' ' && c < 0x7f && c != '\\' && c != '"' && c != '\''
}

func needsQuotes(name string) bool {
	for i := range len(name) {
		if !plainByte(name[i]) {
			return true
		}
	}
	return name == ""
}

// quote writes a name in double quotes with the escapes that splitWords reads.
func quote(name string) string {
	b := []byte{'"'}
	for i := range len(name) {
		switch c := name[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, '\\', 'n')
		case c == '\r':
			b = append(b, '\\', 'r')
		case c == '\t':
			b = append(b, '\\', 't')
		case c < ' ' || c >= 0x7f:
			const hex = "0123456789abcdef"
			b = append(b, '\\', 'x', hex[c>>4], hex[c&15])
		default:
			b = append(b, c)
		}
	}
	return string(append(b, '"'))
}

var errQuotes = errors.New("its quotes are not closed, or something stands right behind them")

// splitWords cuts a line at its spaces; a word may stand in double quotes with escapes, or in single quotes, as in Redis's configuration files.
func splitWords(line string) ([]string, error) {
	var words []string
	for {
		line = strings.TrimLeft(line, " \t\r\v\f")
		if line == "" {
			return words, nil
		}
		var word string
		var err error
		switch line[0] {
		case '"':
			word, line, err = doubleQuoted(line[1:])
		case '\'':
			word, line, err = singleQuoted(line[1:])
		default:
			end := strings.IndexAny(line, " \t\r\v\f")
			if end < 0 {
				end = len(line)
			}
			word, line = line[:end], line[end:]
		}
		if err != nil {
			return nil, err
		}
		words = append(words, word)
	}
}

// spaceNext tells whether a quoted word ends where it should.
func spaceNext(rest string) bool {
	return rest == "" || strings.ContainsRune(" \t\r\v\f", rune(rest[0]))
}

func singleQuoted(text string) (word, rest string, err error) {
	var b []byte
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '\'':
			if rest = text[i+1:]; !spaceNext(rest) {
				return "", "", errQuotes
			}
			return string(b), rest, nil
		case text[i] == '\\' && i+1 < len(text) && text[i+1] == '\'':
			i++
			b = append(b, '\'')
		default:
			b = append(b, text[i])
		}
	}
	return "", "", errQuotes
}

func doubleQuoted(text string) (word, rest string, err error) {
	var b []byte
	for i := 0; i < len(text); i++ {
		switch {
		case text[i] == '"':
			if rest = text[i+1:]; !spaceNext(rest) {
				return "", "", errQuotes
			}
			return string(b), rest, nil
		case text[i] != '\\' || i+1 == len(text):
			b = append(b, text[i])
		default:
			c, n := escaped(text[i+1:])
			b = append(b, c)
			i += n
		}
	}
	return "", "", errQuotes
}

// escaped is the byte that is meant by what follows a backslash, and how long that is.
func escaped(text string) (c byte, n int) {
	if text[0] == 'x' && len(text) >= 3 {
		if v, err := strconv.ParseUint(text[1:3], 16, 8); err == nil {
			return byte(v), 3
		}
	}
	if at := strings.IndexByte("nrtba", text[0]); at >= 0 {
		return "\n\r\t\b\a"[at], 1
	}
	return text[0], 1
}
